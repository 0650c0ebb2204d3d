//! Addresses of buyers, as far as they can be judged without asking anybody.

use exchange_model::{Findings, Place};

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
