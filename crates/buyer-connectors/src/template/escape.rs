//! How a value is written so that it cannot leave its place in a request.

use std::fmt::Write as _;

/// The surroundings of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Escape {
    /// Plain text, and headers (which refuse what they cannot hold).
    None,
    /// Inside the quotes of a JSON string.
    Json,
    /// XML text or an attribute's value.
    Xml,
    /// One part of a path or query.
    Url,
    /// One name or value of a form.
    Form,
}

impl Escape {
    /// Appends `text`, escaped.
    pub(crate) fn push(self, text: &str, out: &mut String) {
        match self {
            Self::None => out.push_str(text),
            Self::Json => push_json_escaped(text, out),
            Self::Xml => push_xml(text, out),
            Self::Url => push_url(text, out),
            Self::Form => out.extend(form_urlencoded::byte_serialize(text.as_bytes())),
        }
    }
}

/// Appends a JSON string with its quotes.
pub(crate) fn push_json_string(text: &str, out: &mut String) {
    out.push('"');
    push_json_escaped(text, out);
    out.push('"');
}

fn push_json_escaped(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => push_hex(out, "\\u00", control),
            other => out.push(other),
        }
    }
}

/// Characters that XML 1.0 cannot carry at all are left out.
fn push_xml(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => {}
            control if control < ' ' => {}
            other => out.push(other),
        }
    }
}

/// Everything but RFC 3986's unreserved characters is percent-encoded. A part that is only dots
/// would climb the path, so its dots are encoded too.
fn push_url(text: &str, out: &mut String) {
    let dots_only = text.bytes().all(|b| b == b'.');
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'.' if !dots_only => out.push('.'),
            other => push_hex(out, "%", char::from(other)),
        }
    }
}

fn push_hex(out: &mut String, prefix: &str, character: char) {
    write!(out, "{prefix}{:02X}", u32::from(character)).expect("writing to a string succeeds");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: Escape, text: &str) -> String {
        let mut out = String::new();
        escape.push(text, &mut out);
        out
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        let nasty = "a\"b<c>&'d\\e\u{1}\n/../?x=1 é";
        assert_eq!(escaped(Escape::Json, nasty), "a\\\"b<c>&'d\\\\e\\u0001\\n/../?x=1 é");
        assert_eq!(escaped(Escape::Xml, nasty), "a&quot;b&lt;c&gt;&amp;&apos;d\\e&#10;/../?x=1 é");
        assert_eq!(
            escaped(Escape::Url, nasty),
            "a%22b%3Cc%3E%26%27d%5Ce%01%0A%2F..%2F%3Fx%3D1%20%C3%A9"
        );
        assert_eq!(
            escaped(Escape::Form, nasty),
            "a%22b%3Cc%3E%26%27d%5Ce%01%0A%2F..%2F%3Fx%3D1+%C3%A9"
        );
        assert_eq!(escaped(Escape::Url, ".."), "%2E%2E");
    }

    #[test]
    fn json_strings_read_back_as_they_were() {
        let text: String = (0..0x250).filter_map(char::from_u32).collect();
        let mut out = String::new();
        push_json_string(&text, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
