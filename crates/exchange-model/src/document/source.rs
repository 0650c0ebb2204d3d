//! Files, and spans that run over several of them.
//!
//! A document may be put together from several files. Each file's bytes then have numbers of their
//! own, so that a span alone says which file it is of.

use std::ops::Range;
use std::sync::Arc;

use crate::finding::Place;

/// A file's text and the path to print for it.
#[derive(Debug, Eq, PartialEq)]
pub struct SourceFile {
    /// As the operator would type it, like `config/buyers/acme_mutual.toml`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The files of one document, one after another: the first starts at 0, each other where the
/// numbers of the one before it end.
#[derive(Clone, Debug)]
pub struct SourceMap {
    first: Arc<SourceFile>,
    /// Where each further file starts, ascending.
    further: Vec<(usize, Arc<SourceFile>)>,
}

impl SourceMap {
    /// One file.
    #[must_use]
    pub fn new(file: Arc<SourceFile>) -> Self {
        Self { first: file, further: Vec::new() }
    }

    /// The file that the document was begun with.
    #[must_use]
    pub fn first(&self) -> &Arc<SourceFile> {
        &self.first
    }

    /// Adds a file; returns where its spans start.
    pub fn add(&mut self, file: Arc<SourceFile>) -> usize {
        let (start, last) =
            self.further.last().map_or((0, &self.first), |(start, file)| (*start, file));
        // One more than its bytes, so that an empty span at an end is of one file only.
        let start = start.saturating_add(last.text.len()).saturating_add(1);
        self.further.push((start, file));
        start
    }

    /// The file of a span, and its bytes there.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        let later = self.further.iter().rev().find(|(start, _)| *start <= span.start);
        let (start, file) = later.map_or((0, &self.first), |(start, file)| (*start, file));
        let span = span.start.saturating_sub(start)..span.end.saturating_sub(start);
        Place { file: Arc::clone(file), span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_span_names_its_file_and_the_bytes_there() {
        let mut map = SourceMap::new(file("a", "12345"));
        let second = map.add(file("b", ""));
        let third = map.add(file("c", "xyz"));
        let at = |span: Range<usize>| {
            let place = map.place(span);
            format!("{} {:?}", place.file.path, place.span)
        };
        assert_eq!(at(0..5), "a 0..5");
        assert_eq!(at(5..5), "a 5..5");
        assert_eq!(at(second..second), "b 0..0");
        assert_eq!(at(third..third.saturating_add(3)), "c 0..3");
    }
}
