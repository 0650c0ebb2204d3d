//! A decoded reply: its text, and what the text is.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

use super::tree::{ELEMENTS_MAX, Tree};

/// What a reply's text was read as.
#[derive(Debug)]
pub(super) enum Content {
    Json(Value),
    Tree(Tree),
    Form,
    Delimited,
    Text,
}

/// How a delimited text is cut.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(super) separator: Option<String>,
    /// Between a piece's name and its value.
    pub(super) label: Option<String>,
}

/// A decoded reply.
#[derive(Debug)]
pub(super) struct Document<'r> {
    pub(super) text: Cow<'r, str>,
    pub(super) content: Content,
    pieces: &'r Pieces,
    /// Names and values that came beside the text: the query of a call.
    query: &'r str,
    form: OnceCell<Vec<(String, String)>>,
}

impl<'r> Document<'r> {
    pub(super) fn new(text: Cow<'r, str>, content: Content, pieces: &'r Pieces) -> Self {
        Self { text, content, pieces, query: "", form: OnceCell::new() }
    }

    /// The same with the query that the text came with.
    pub(super) fn with_query(self, query: &'r str) -> Self {
        Self { query, ..self }
    }

    /// What it was read as, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Json(_) => "json",
            Content::Tree(tree) if tree.is_page() => "html",
            Content::Tree(_) => "xml",
            Content::Form => "form",
            Content::Delimited => "delimited",
            Content::Text => "text",
        }
    }

    /// The values under a name, of a form or of labelled pieces, in any case.
    pub(super) fn named(&self, key: &str) -> Vec<&str> {
        let form = self.form.get_or_init(|| self.pairs());
        let named = form.iter().filter(|(own, _)| own.eq_ignore_ascii_case(key));
        named.map(|(_, value)| value.as_str()).collect()
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> = form_pairs(self.query).collect();
        match &self.content {
            Content::Delimited => pairs.extend(self.labelled()),
            Content::Form | Content::Text => pairs.extend(form_pairs(&self.text)),
            Content::Json(_) | Content::Tree(_) => {}
        }
        pairs.truncate(ELEMENTS_MAX);
        pairs
    }

    fn labelled(&self) -> Vec<(String, String)> {
        let (Some(separator), Some(label)) = (&self.pieces.separator, &self.pieces.label) else {
            return Vec::new();
        };
        let pieces = self.text.split(separator.as_str());
        let pairs = pieces.filter_map(|piece| piece.split_once(label.as_str()));
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }

    /// The piece at this column, from 1, or with `rest` all that follows too.
    pub(super) fn column(&self, column: usize, rest: bool) -> Option<&str> {
        let separator = self.pieces.separator.as_deref()?;
        if !matches!(self.content, Content::Delimited) {
            return None;
        }
        let index = column.checked_sub(1)?;
        let piece = if rest {
            self.text.splitn(column, separator).nth(index)
        } else {
            self.text.split(separator).nth(index)
        };
        piece.map(str::trim)
    }
}

fn form_pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = form_urlencoded::parse(text.as_bytes()).take(ELEMENTS_MAX);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}
