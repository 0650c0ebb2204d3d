//! Reading the three request formats into flat text fields.

use std::collections::BTreeMap;

use quick_xml::events::attributes::Attributes;
use quick_xml::{Reader, events::Event};
use serde_json::Value;

/// Flat text fields of a request.
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A field's text; empty where it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A field's text, where it is there.
    pub(crate) fn told(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// The named fields in one line: what a bid depends on.
    pub(crate) fn line(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.text(name)).collect::<Vec<_>>().join("|")
    }
}

/// Reads `a=b&c=d`.
pub(crate) fn form(bytes: &[u8]) -> Fields {
    let pairs = form_urlencoded::parse(bytes);
    Fields(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// Reads a JSON object; nested fields are called `outer.inner`.
pub(crate) fn json(bytes: &[u8]) -> Option<Fields> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let mut fields = BTreeMap::new();
    flatten("", document.as_object()?, &mut fields);
    Some(Fields(fields))
}

fn flatten(
    prefix: &str,
    object: &serde_json::Map<String, Value>,
    fields: &mut BTreeMap<String, String>,
) {
    for (name, value) in object {
        match value {
            Value::Object(inner) => flatten(&format!("{prefix}{name}."), inner, fields),
            Value::String(text) => drop(fields.insert(format!("{prefix}{name}"), text.clone())),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                fields.insert(format!("{prefix}{name}"), value.to_string());
            }
        }
    }
}

/// Reads an XML document; elements are called `/Outer/Inner`, attributes `/Outer/Inner/@name`.
pub(crate) fn xml(bytes: &[u8]) -> Option<Fields> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let mut fields = BTreeMap::new();
    let mut path = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_owned());
                note_attributes(&path, tag.attributes(), &mut fields)?;
            }
            Event::Empty(tag) => {
                path.push(tag.name().as_ref().to_owned());
                note_attributes(&path, tag.attributes(), &mut fields)?;
                path.pop();
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => note_text(&path, &text, &mut fields),
            Event::GeneralRef(name) => note_text(&path, &entity(&name)?, &mut fields),
            Event::Eof => return (!fields.is_empty()).then_some(Fields(fields)),
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return None,
        }
    }
}

fn note_text(path: &[String], text: &str, fields: &mut BTreeMap<String, String>) {
    fields.entry(format!("/{}", path.join("/"))).or_default().push_str(text.trim_matches('\n'));
}

fn entity(name: &str) -> Option<String> {
    let resolved = quick_xml::escape::unescape(&format!("&{name};")).ok()?.into_owned();
    Some(resolved)
}

fn note_attributes(
    path: &[String],
    attributes: Attributes<'_>,
    fields: &mut BTreeMap<String, String>,
) -> Option<()> {
    for attribute in attributes {
        let attribute = attribute.ok()?;
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        fields.insert(format!("/{}/@{}", path.join("/"), attribute.key.as_ref()), value);
    }
    Some(())
}

/// The ten digits of a phone number.
pub(crate) fn phone_digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest.to_owned(),
        _ => digits,
    }
}

/// Text for XML content and attributes.
pub(crate) fn xml_text(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Text as a JSON string, quotes included.
pub(crate) fn json_text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_formats_become_flat_fields() {
        assert_eq!(form(b"Zip=78701&First+Name=A%26B").text("First Name"), "A&B");
        let fields = json(br#"{"a":{"zip":"78701","year":1990},"ok":true}"#).unwrap();
        assert_eq!(fields.line(&["a.zip", "a.year", "ok", "none"]), "78701|1990|true|");
        let fields =
            xml(b"<Post>\n<Person first='A &amp; B'/><Zip>78701</Zip><N>x &amp; y</N></Post>")
                .unwrap();
        assert_eq!(fields.text("/Post/Person/@first"), "A & B");
        assert_eq!(fields.text("/Post/Zip"), "78701");
        assert_eq!(fields.text("/Post/N"), "x & y");
    }

    #[test]
    fn what_is_not_a_document_is_none() {
        assert!(json(b"[1]").is_none());
        assert!(json(b"{").is_none());
        assert!(xml(b"<a><b></a>").is_none());
        assert!(xml(b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>1</a>").is_none());
        assert!(xml(b"").is_none());
    }

    #[test]
    fn a_phone_is_its_ten_digits() {
        for text in ["5125550134", "+1 (512) 555-0134", "15125550134"] {
            assert_eq!(phone_digits(text), "5125550134");
        }
    }
}
