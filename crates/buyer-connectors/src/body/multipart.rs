//! `multipart/form-data` (RFC 7578).

use super::each_brand;
use super::form::{Form, Pair};
use crate::template::{Escape, Values};

/// What every boundary starts with.
const BOUNDARY: &str = "rialto-part";

/// Appends the parts, and the end.
pub(super) fn push(form: &Form, values: &dyn Values, out: &mut String) {
    let mut parts: Vec<(&str, String)> = Vec::with_capacity(form.pairs.len());
    for pair in &form.pairs {
        if pair.each {
            each_brand(values, |values| parts.extend(part(pair, values)));
        } else {
            parts.extend(part(pair, values));
        }
    }
    let boundary = boundary(&parts);
    for (name, value) in parts {
        for piece in ["--", &boundary, "\r\nContent-Disposition: form-data; name=\""] {
            out.push_str(piece);
        }
        push_name(name, out);
        for piece in ["\"\r\n\r\n", &value, "\r\n"] {
            out.push_str(piece);
        }
    }
    for piece in ["--", &boundary, "--\r\n"] {
        out.push_str(piece);
    }
}

fn part<'p>(pair: &'p Pair, values: &dyn Values) -> Option<(&'p str, String)> {
    let mut value = String::new();
    pair.value.push(values, Escape::None, &mut value).then_some((&*pair.name, value))
}

/// The first boundary that no value holds.
fn boundary(parts: &[(&str, String)]) -> String {
    let free = |boundary: &String| !parts.iter().any(|(_, value)| value.contains(boundary));
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
