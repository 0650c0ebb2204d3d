//! XML replies.
//!
//! A document type that names a DTD is skipped: nothing is fetched and nothing is expanded. One
//! that brings declarations of its own is refused, as is every entity but the predefined ones.
//! What is not well-formed, text after the root included, is no XML.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::tree::{ATTRIBUTES_MAX, DEPTH_MAX, ELEMENTS_MAX, Name, Tree};

/// Reads a document; nothing when it is not well-formed or breaks a limit.
pub(super) fn parse(text: &str) -> Option<Tree> {
    let mut reader = NsReader::from_str(text);
    let mut building = Building { tree: Tree::new(false), open: Vec::new() };
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => building.open(&reader, &tag)?,
            Event::Empty(tag) => {
                building.open(&reader, &tag)?;
                building.open.pop();
            }
            Event::End(_) => drop(building.open.pop()?),
            Event::Text(text) => building.text(&text)?,
            Event::CData(text) => building.text(&text)?,
            Event::GeneralRef(entity) => building.text(&resolve(&entity)?)?,
            Event::DocType(said) => building.document_type(&said)?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return building.finish(),
        }
    }
}

fn resolve(entity: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(Cow::Owned(character.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(entity).map(Cow::Borrowed)
}

struct Building {
    tree: Tree,
    /// The elements that are not closed yet.
    open: Vec<usize>,
}

impl Building {
    fn open(&mut self, reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Option<()> {
        let is_first = self.tree.len() == 0;
        let room = self.open.len() < DEPTH_MAX && self.tree.len() < ELEMENTS_MAX;
        if (!is_first && self.open.is_empty()) || !room {
            return None;
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            if attributes.len() >= ATTRIBUTES_MAX {
                return None;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            attributes.push((name(reader, attribute.key, false), value.into_owned()));
        }
        let parent = self.open.last().copied().unwrap_or(0);
        let at = self.tree.add(parent, name(reader, tag.name(), true), attributes);
        self.open.push(at);
        Some(())
    }

    /// Text outside of the root may only be blanks.
    fn text(&mut self, text: &str) -> Option<()> {
        match self.open.last() {
            Some(at) => {
                self.tree.add_text(*at, text);
                Some(())
            }
            None => text.trim().is_empty().then_some(()),
        }
    }

    /// Before the root, and without declarations of its own.
    fn document_type(&self, said: &str) -> Option<()> {
        (self.tree.len() == 0 && !said.contains('[')).then_some(())
    }

    fn finish(self) -> Option<Tree> {
        (self.open.is_empty() && self.tree.len() > 0).then_some(self.tree)
    }
}

fn name(reader: &NsReader<&[u8]>, written: QName<'_>, is_element: bool) -> Name {
    let (namespace, local) = reader.resolver().resolve(written, is_element);
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => Some(namespace.into_inner().to_owned()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
    };
    Name { local: local.into_inner().to_owned(), namespace }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(33) + &"</a>".repeat(33);
        let fits = "<a>".repeat(32) + &"</a>".repeat(32);
        let many: String = (0..65).map(|n| format!(" a{n}='1'")).collect();
        for bad in [
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>y</a>",
            "<a/><!DOCTYPE a>",
            "<a>&x;</a>",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "text",
            "<a/>text",
            "",
            deep.as_str(),
            &format!("<a{many}/>"),
            &format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX)),
        ] {
            assert!(parse(bad).is_none(), "{bad:.40}");
        }
        assert!(parse(&fits).is_some());
    }

    #[test]
    fn a_document_type_is_skipped_and_nothing_is_fetched() {
        let tree = parse("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>1</a>").unwrap();
        assert_eq!(tree.document().text(), "1");
    }
}
