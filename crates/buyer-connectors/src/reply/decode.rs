//! From bytes to a document: charset, entities, the document inside the document, its kind.
//!
//! Total: what cannot be read as what it should be is still a text. Only one thing ends the
//! reading, a reply that is longer than one may be.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};
use serde_json::Value;

use super::document::{Content, Document, Pieces};
use super::found::Found;
use super::locator::{Locator, Scope};
use super::{RawReply, entities, html, json, lines, xml};
use crate::transport::REPLY_MAX;

/// How often the entities of a whole text may be resolved.
pub(super) const UNESCAPE_MAX: u8 = 4;
/// Most documents inside each other.
pub(super) const UNWRAP_MAX: usize = 4;

/// What a reply is read as.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Shape {
    /// By its first character.
    #[default]
    Auto,
    Json,
    Xml,
    Html,
    Form,
    Delimited,
    /// One JSON document in each line: a list of them.
    JsonLines,
    /// Lines under a line of names: a list of objects.
    Csv,
    Text,
}

/// How the bytes of a reply become a document.
#[derive(Debug, Default)]
pub(crate) struct Decoding {
    /// Instead of what the reply declares.
    pub(super) charset: Option<&'static Encoding>,
    /// How often entities of the whole text are resolved.
    pub(super) unescape: u8,
    /// Where the document inside the document stands, outermost first.
    pub(super) unwrap: Vec<Locator>,
    pub(super) shape: Shape,
    /// Of delimited texts.
    pub(super) pieces: Pieces,
}

/// The reply is longer than one may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooLong;

impl Decoding {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`TooLong`].
    pub(super) fn read<'r>(&'r self, reply: &RawReply<'r>) -> Result<Document<'r>, TooLong> {
        if reply.body.len() > REPLY_MAX {
            return Err(TooLong);
        }
        let mut text = self.text(reply.body);
        for _ in 0..self.unescape {
            text = Cow::Owned(entities::resolve(&text));
        }
        if text.len() > REPLY_MAX {
            return Err(TooLong);
        }
        let text = trimmed(text);
        let Some(outermost) = self.unwrap.first() else {
            return Ok(self.document(text, self.shape));
        };
        let mut document = self.document(text, Shape::Auto);
        let mut step = Some(outermost);
        for at in 1..=UNWRAP_MAX {
            let Some(locator) = step else { break };
            step = self.unwrap.get(at);
            let shape = if step.is_some() { Shape::Auto } else { self.shape };
            match self.inner(&document, reply, locator, shape) {
                Some(inner) => document = inner,
                None => break,
            }
        }
        Ok(document)
    }

    /// What is no UTF-8 is what most who do not say so mean. A byte order mark is not part of it.
    fn text<'r>(&self, bytes: &'r [u8]) -> Cow<'r, str> {
        if let Some(charset) = self.charset {
            return charset.decode_with_bom_removal(bytes).0;
        }
        if let Some((charset, mark)) = Encoding::for_bom(bytes) {
            let bytes = bytes.get(mark..).unwrap_or_default();
            return charset.decode_without_bom_handling(bytes).0;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_other_charset) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    }

    /// The document inside of one: a text that is read in its turn, or a part of the tree.
    fn inner<'r>(
        &'r self,
        outer: &Document<'r>,
        reply: &RawReply<'r>,
        locator: &Locator,
        shape: Shape,
    ) -> Option<Document<'r>> {
        let scope = Scope::whole(reply, outer);
        let found = locator.one(&scope)?;
        let content = match &found {
            Found::Element(element) if element.has_children() => {
                Content::Tree(super::tree::Tree::below(*element))
            }
            Found::Json(value @ (Value::Object(_) | Value::Array(_))) => {
                Content::Json(Value::clone(value))
            }
            _ => {
                let text = found.text()?;
                return Some(self.document(trimmed(Cow::Owned(text)), shape));
            }
        };
        Some(Document::new(outer.text.clone(), content, &self.pieces))
    }

    fn document<'r>(&'r self, text: Cow<'r, str>, shape: Shape) -> Document<'r> {
        let content = match shape {
            Shape::Auto => by_first_character(&text),
            Shape::Json => json::parse(&text).map(Content::Json),
            Shape::Xml => xml::parse(&text).map(Content::Tree),
            Shape::Html => Some(Content::Tree(html::parse(&text))),
            Shape::Form => Some(Content::Form),
            Shape::Delimited => Some(Content::Delimited),
            Shape::JsonLines => lines::json(&text).map(Content::Json),
            Shape::Csv => {
                let separator = self.pieces.separator.as_deref().and_then(|s| s.chars().next());
                lines::csv(&text, separator.unwrap_or(',')).map(Content::Json)
            }
            Shape::Text => None,
        };
        Document::new(text, content.unwrap_or(Content::Text), &self.pieces)
    }
}

fn by_first_character(text: &str) -> Option<Content> {
    match text.chars().next()? {
        '{' | '[' => json::parse(text).map(Content::Json),
        '<' if is_page(text) => Some(Content::Tree(html::parse(text))),
        '<' => xml::parse(text).map(Content::Tree),
        _ => None,
    }
}

fn is_page(text: &str) -> bool {
    let begins =
        |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    begins("<html") || begins("<!doctype html")
}

/// Blanks around a document, and a mark left by whoever wrapped it, are not part of it.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(blank)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(blank).to_owned()),
    }
}
