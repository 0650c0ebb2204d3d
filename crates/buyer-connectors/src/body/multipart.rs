//! `multipart/form-data` (RFC 7578).

use super::each_brand;
use super::form::{Form, Pair};
use crate::template::{Escape, Values};

/// What every boundary starts with.
const BOUNDARY: &str = "rialto-part";

/// Appends the parts, and the end.
pub(super) fn push(form: &Form, values: &dyn Values, out: &mut String) {
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(form.pairs.len());
    for pair in &form.pairs {
        if pair.each {
            each_brand(values, |values| parts.extend(part(pair, values)));
        } else {
            parts.extend(part(pair, values));
        }
    }
    let boundary = boundary(&parts);
    for Part { name, media_type, value } in parts {
        for piece in ["--", &boundary, "\r\nContent-Disposition: form-data; name=\""] {
            out.push_str(piece);
        }
        push_name(name, out);
        out.push_str("\"\r\n");
        if let Some(media_type) = media_type {
            for piece in ["Content-Type: ", media_type, "\r\n"] {
                out.push_str(piece);
            }
        }
        for piece in ["\r\n", &value, "\r\n"] {
            out.push_str(piece);
        }
    }
    for piece in ["--", &boundary, "--\r\n"] {
        out.push_str(piece);
    }
}

/// A part that has a value.
struct Part<'p> {
    name: &'p str,
    /// Of a document; a plain value has none.
    media_type: Option<&'static str>,
    value: String,
}

fn part<'p>(pair: &'p Pair, values: &dyn Values) -> Option<Part<'p>> {
    let mut value = String::new();
    let media_type = pair.value.media_type();
    pair.value.push(values, Escape::None, &mut value).then_some(Part {
        name: &pair.name,
        media_type,
        value,
    })
}

/// The first boundary that no value holds.
fn boundary(parts: &[Part<'_>]) -> String {
    let free = |boundary: &String| !parts.iter().any(|part| part.value.contains(boundary));
    let mut numbered = (0_u64..).map(|number| format!("{BOUNDARY}-{number:08}"));
    numbered.find(free).expect("values are finite, boundaries are not")
}

fn push_name(name: &str, out: &mut String) {
    for character in name.chars() {
        match character {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            other => out.push(other),
        }
    }
}

/// The header that belongs to a body: it names the boundary that the body starts with.
pub(crate) fn content_type(body: &str) -> String {
    let boundary = body.trim_start_matches('-').split("\r\n").next().unwrap_or(BOUNDARY);
    format!("multipart/form-data; boundary={}", boundary.trim_end_matches("--"))
}
