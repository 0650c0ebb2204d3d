//! Addresses of buyers, as far as they can be judged without asking anybody.

use exchange_model::{Findings, Place, TableReader};

use super::scope::Scope;
use crate::template::{Escape, Segment, Template};

/// Reads an address; findings: `bad_url`, `plain_http`.
pub(super) fn checked_url(text: &str, place: &Place, findings: &mut Findings) -> Option<url::Url> {
    let refuse = |why: &str, findings: &mut Findings| {
        let help = "write \"https://host/path\"".to_owned();
        findings.error("bad_url", place.clone(), format!("this is no usable address: {why}"), help);
        None
    };
    let url = match url::Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(&error.to_string(), findings),
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return refuse("only https addresses are called", findings);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a name or password does not belong here, use `auth`", findings);
    }
    if url.fragment().is_some() {
        return refuse("a `#` part is never sent", findings);
    }
    if url.scheme() == "http" {
        let message = "leads to this buyer would travel unencrypted, and are refused".to_owned();
        let help = "write https; plain http is called only where private addresses are allowed";
        findings.warning("plain_http", place.clone(), message, help.to_owned());
    }
    Some(url)
}

/// Splits `https://host/path` before the path or query.
pub(super) fn split_origin(text: &str) -> (&str, &str) {
    let start = text.find("://").map_or(0, |at| at.saturating_add(3));
    let length = text.get(start..).and_then(|rest| rest.find(['/', '?', '#']));
    let split = length.map_or(text.len(), |length| start.saturating_add(length));
    text.split_at_checked(split).unwrap_or((text, ""))
}

/// Reads `url`: scheme, host and port, which no lead changes, and the rest.
pub(super) fn address(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    findings: &mut Findings,
) -> Option<(Box<str>, Template)> {
    let text = table.required_string("url", "\"https://bids.buyer.example/ping\"", findings)?;
    let template = scope.text(text.value, &text.place, findings)?;
    // Vars are part of the address as they are; everything else is a value in it.
    let mut segments = template.folded_as_is().segments.into_iter();
    let first = match segments.next() {
        Some(Segment::Literal(text)) => text,
        _ => "".into(),
    };
    let (origin, path) = split_origin(&first);
    let more = segments.len() > 0;
    if !origin.contains("://") || (path.is_empty() && more) {
        if more || text.value.starts_with("{{") {
            let message = "scheme and host of an address are fixed".to_owned();
            let help = "use `{{ var.x }}` there, and placeholders in the path and the query only";
            findings.error("bad_url", text.place, message, help.to_owned());
        } else {
            checked_url(&first, &text.place, findings);
        }
        return None;
    }
    let mut literals = std::iter::once(path).chain(segments.as_slice().iter().filter_map(
        |segment| match segment {
            Segment::Literal(text) => Some(&**text),
            Segment::Value(_) | Segment::Lead(_) => None,
        },
    ));
    if literals.any(|text| text.contains('#')) {
        checked_url(&format!("{origin}/#"), &text.place, findings);
        return None;
    }
    let url = checked_url(origin, &text.place, findings)?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let origin = format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or(""));
    let slash = if path.starts_with('/') { "" } else { "/" };
    let start = Segment::Literal(format!("{slash}{path}").into());
    let template = Template { segments: std::iter::once(start).chain(segments).collect() };
    Some((origin.into(), template.folded(Escape::Url)))
}
