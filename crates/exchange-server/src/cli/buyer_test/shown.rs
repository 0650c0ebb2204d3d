//! Requests and replies as they are shown: complete, without secrets, harmless to a terminal.

use buyer_connectors::{Received, Request, Secrets};
use http::{HeaderMap, header};
use serde::Serialize;

use crate::cli::explained::printable;
use crate::cli::output::{BOLD, DIM, Output, painted};

/// Most bytes shown of a body.
const SHOWN_MAX: usize = 8 * 1024;

/// A request, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A reply, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) bytes: usize,
}

impl ShownRequest {
    /// With `[secret name]` for every secret.
    pub(crate) fn new(request: &Request, secrets: &Secrets) -> Self {
        Self {
            method: request.method.to_string(),
            url: hidden(&request.uri.to_string(), secrets),
            headers: headers(&request.headers, secrets),
            body: body(&request.body, &request.headers, secrets),
        }
    }

    pub(crate) fn print(&self, stage: &str, out: Output) -> std::io::Result<()> {
        let stage = painted(BOLD, stage);
        out.data(format!("{stage}  {} {}", self.method, self.url))?;
        print_parts(&self.headers, &self.body, out)
    }
}

impl ShownReply {
    /// With `[secret name]` for every secret that it repeats.
    pub(crate) fn new(reply: &Received, secrets: &Secrets) -> Self {
        Self {
            status: reply.status,
            headers: headers(&reply.headers, secrets),
            body: body(&reply.body, &reply.headers, secrets),
            bytes: reply.body.len(),
        }
    }

    pub(crate) fn print(&self, out: Output) -> std::io::Result<()> {
        let bytes = painted(DIM, format!("{} bytes", self.bytes));
        out.data(format!("  {}  {}  {bytes}", painted(DIM, "reply"), painted(BOLD, self.status)))?;
        print_parts(&self.headers, &self.body, out)
    }
}

fn print_parts(headers: &[(String, String)], body: &str, out: Output) -> std::io::Result<()> {
    for (name, value) in headers {
        out.data(format!("    {}: {value}", painted(DIM, name)))?;
    }
    for line in body.lines() {
        out.data(format!("    {line}"))?;
    }
    Ok(())
}

fn hidden(text: &str, secrets: &Secrets) -> String {
    printable(&secrets.hidden_in(text))
}

/// In the order in which they are sent. What opens a door is not shown, whatever it is.
fn headers(headers: &HeaderMap, secrets: &Secrets) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = match *name {
            header::AUTHORIZATION | header::PROXY_AUTHORIZATION => authorization(&text, secrets),
            header::COOKIE | header::SET_COOKIE => "[hidden]".to_owned(),
            _ => hidden(&text, secrets),
        };
        (name.to_string(), text)
    });
    shown.collect()
}

/// The scheme, and the names of the secrets where they can be seen.
fn authorization(text: &str, secrets: &Secrets) -> String {
    let shown = hidden(text, secrets);
    match text.split_once(' ') {
        Some(("Basic", _)) => "Basic [hidden]".to_owned(),
        _ if shown != printable(text) => shown,
        Some((scheme, _)) => format!("{} [hidden]", printable(scheme)),
        None => "[hidden]".to_owned(),
    }
}

/// Indented or split where its form is known, cut where it is long.
fn body(bytes: &[u8], headers: &HeaderMap, secrets: &Secrets) -> String {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    let laid_out = if kind.contains("urlencoded") {
        let pairs = form_urlencoded::parse(bytes);
        pairs.map(|(name, value)| format!("{name} = {value}\n")).collect()
    } else if let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) {
        format!("{json:#}")
    } else if text.trim_start().starts_with('<') && !kind.contains("html") {
        indented(&text)
    } else {
        text.into_owned()
    };
    cut(&secrets.hidden_in(&laid_out))
}

fn cut(text: &str) -> String {
    let end = (0..=SHOWN_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let shown = text.get(..end.unwrap_or(0)).unwrap_or_default();
    let lines: Vec<String> = shown.lines().map(printable).collect();
    let lines = lines.join("\n");
    match text.len().saturating_sub(shown.len()) {
        0 => lines,
        more => format!("{lines}\n[{more} more bytes]"),
    }
}

/// One element in a line, as deep as it stands. Only for the eye: nothing is parsed.
fn indented(xml: &str) -> String {
    let mut shown = String::new();
    let mut depth: usize = 0;
    let parts: Vec<&str> = xml.split_inclusive('>').collect();
    let mut after_text = false;
    for part in parts {
        let (text, tag) = part.rfind('<').map_or((part, ""), |at| part.split_at(at));
        let text = text.trim();
        let closes = tag.starts_with("</");
        depth = if closes { depth.saturating_sub(1) } else { depth };
        if !text.is_empty() || (closes && after_text) {
            shown.push_str(text);
        } else if !tag.is_empty() {
            if !shown.is_empty() {
                shown.push('\n');
            }
            shown.push_str(&"  ".repeat(depth));
        }
        shown.push_str(tag);
        let opens =
            !closes && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!");
        depth = depth.saturating_add(usize::from(opens && !tag.is_empty()));
        after_text = opens;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_laid_out_by_its_elements() {
        let xml = "<?xml version=\"1.0\"?><a x=\"1\"><b>text</b><c/><d><e></e></d></a>";
        let wanted = "<?xml version=\"1.0\"?>\n<a x=\"1\">\n  <b>text</b>\n  <c/>\n  <d>\n    <e></e>\n  </d>\n</a>";
        assert_eq!(indented(xml), wanted);
        assert_eq!(indented("<<>>"), "<<>>");
    }

    #[test]
    fn a_credential_is_not_shown_even_where_it_cannot_be_recognised() {
        let secrets = Secrets::from_pairs([("key", "hunter22")]);
        assert_eq!(authorization("Basic cmlhbHRvOmh1bnRlcjIy", &secrets), "Basic [hidden]");
        assert_eq!(authorization("Token hunter22", &secrets), "Token [secret key]");
        assert_eq!(authorization("opaque", &secrets), "[hidden]");
    }

    #[test]
    fn a_long_body_is_cut_at_a_character() {
        let text = "é".repeat(SHOWN_MAX);
        let shown = cut(&text);
        assert!(shown.ends_with(&format!("[{SHOWN_MAX} more bytes]")), "{}", shown.len());
    }
}
