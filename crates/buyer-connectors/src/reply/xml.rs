//! XML replies: a small tree and a small path language.
//!
//! No DTD, no entity but the predefined ones, bounded depth, elements and attributes. Names are
//! compared without their namespace prefix, because buyers change prefixes and not names.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting.
const DEPTH_MAX: usize = 32;
/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 64;
/// Most elements.
const ELEMENTS_MAX: usize = 10_000;

/// A parsed document: elements in document order, each knowing its parent.
#[derive(Debug, Default)]
pub(super) struct XmlDocument {
    elements: Vec<XmlElement>,
}

#[derive(Debug, Default)]
struct XmlElement {
    name: String,
    parent: Option<usize>,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    text: String,
}

/// Whether this is one well-formed document within the limits.
pub(crate) fn is_readable_xml(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).ok().and_then(parse).is_some()
}

/// Reads a document; nothing when it is not well-formed, has a DOCTYPE or breaks a limit.
pub(super) fn parse(text: &str) -> Option<XmlDocument> {
    let mut reader = Reader::from_str(text);
    let mut tree = Tree::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => tree.open(&tag)?,
            Event::Empty(tag) => {
                tree.open(&tag)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text)?,
            Event::CData(text) => tree.text(&text)?,
            Event::GeneralRef(entity) => tree.text(&resolve(&entity)?)?,
            Event::DocType(_) => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

fn resolve(entity: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Some(character) = entity.resolve_char_ref().ok()? {
        return Some(Cow::Owned(character.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(entity).map(Cow::Borrowed)
}

#[derive(Default)]
struct Tree {
    document: XmlDocument,
    open: Vec<usize>,
}

impl Tree {
    fn open(&mut self, tag: &BytesStart<'_>) -> Option<()> {
        let roots = self.document.elements.is_empty() || !self.open.is_empty();
        let room = self.open.len() < DEPTH_MAX && self.document.elements.len() < ELEMENTS_MAX;
        if !roots || !room {
            return None;
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            if attributes.len() >= ATTRIBUTES_MAX {
                return None;
            }
            let name: &str = attribute.key.local_name().into_inner();
            attributes.push((
                name.to_owned(),
                attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned(),
            ));
        }
        let name: &str = tag.local_name().into_inner();
        let element = XmlElement {
            name: name.to_owned(),
            parent: self.open.last().copied(),
            attributes,
            text: String::new(),
        };
        self.open.push(self.document.elements.len());
        self.document.elements.push(element);
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.open.pop().map(|_| ())
    }

    /// Text outside of the root may only be blanks.
    fn text(&mut self, text: &str) -> Option<()> {
        match self.open.last().and_then(|at| self.document.elements.get_mut(*at)) {
            Some(element) => {
                element.text.push_str(text);
                Some(())
            }
            None => text.trim().is_empty().then_some(()),
        }
    }

    fn finish(self) -> Option<XmlDocument> {
        (self.open.is_empty() && !self.document.elements.is_empty()).then_some(self.document)
    }
}

/// `/a/b`, `/a/b/@c`, `//b/c`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct XmlPath {
    /// Whether the first name may stand at any depth.
    anywhere: bool,
    names: Vec<String>,
    attribute: Option<String>,
}

impl XmlPath {
    /// Reads a path; nothing when it is another kind of path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (anywhere, rest) = match text.strip_prefix("//") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('/')?),
        };
        let mut names: Vec<String> = rest.split('/').map(str::to_owned).collect();
        let attribute = names.last().and_then(|last| last.strip_prefix('@')).map(str::to_owned);
        if attribute.is_some() {
            names.pop();
        }
        let is_name = |name: &String| {
            !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        let good = !names.is_empty() && names.iter().chain(&attribute).all(is_name);
        good.then_some(Self { anywhere, names, attribute })
    }

    /// The texts of the elements or attributes that the path leads to. An element with `nil` set
    /// is not there.
    pub(super) fn find<'d>(&self, document: &'d XmlDocument) -> Vec<&'d str> {
        let matching = document.elements.iter().filter(|element| self.leads_to(document, element));
        match &self.attribute {
            None => matching
                .filter(|element| !matches!(element.attribute("nil"), Some("true" | "1")))
                .map(|element| element.text.as_str())
                .collect(),
            Some(name) => matching.filter_map(|element| element.attribute(name)).collect(),
        }
    }

    fn leads_to(&self, document: &XmlDocument, element: &XmlElement) -> bool {
        let mut at = Some(element);
        for name in self.names.iter().rev() {
            match at {
                Some(element) if element.name == *name => {
                    at = element.parent.and_then(|parent| document.elements.get(parent));
                }
                _ => return false,
            }
        }
        self.anywhere || at.is_none()
    }
}

impl XmlElement {
    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, xml: &str) -> Option<Vec<String>> {
        let document = parse(xml)?;
        let path = XmlPath::parse(path).unwrap();
        Some(path.find(&document).into_iter().map(str::to_owned).collect())
    }

    const REPLY: &str = "<?xml version='1.0'?><r:response xmlns:r='u' ok='1'><a><b>x &amp; &#65;</b>\
                         <b><![CDATA[<y>]]></b></a><c/><d nil='true'>5</d></r:response>\n";

    #[test]
    fn paths_find_elements_and_attributes_without_prefixes() {
        let found = |path| find(path, REPLY).unwrap();
        assert_eq!(found("/response/a/b"), ["x & A", "<y>"]);
        assert_eq!(found("//b"), ["x & A", "<y>"]);
        assert_eq!(found("//a/b"), ["x & A", "<y>"]);
        assert_eq!(found("/response/@ok"), ["1"]);
        assert_eq!(found("/response/c"), [""]);
        assert!(found("/response/d").is_empty());
        assert!(found("/a/b").is_empty());
    }

    #[test]
    fn other_paths_are_refused() {
        for bad in ["a/b", "/", "//", "/a//b", "/a[1]", "/@a/b", "/a/", "/a/*", "/@a"] {
            assert_eq!(XmlPath::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(33) + &"</a>".repeat(33);
        let fits = "<a>".repeat(32) + &"</a>".repeat(32);
        let many: String = (0..65).map(|n| format!(" a{n}='1'")).collect();
        for bad in [
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
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
}
