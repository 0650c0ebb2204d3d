//! A reply that somebody has recorded: a file of the body, or of everything as `curl -i` prints it.

use std::path::Path;

use buyer_connectors::{REPLY_MAX, RawReply};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cli::failure::Failure;

/// Largest file of a recorded reply, in bytes: more than is ever read of one.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// A recorded reply.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The file, as it was named.
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What the command line says of all recorded replies.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
}

impl Recorded {
    /// Reads the file.
    pub(crate) fn read(path: &Path, given: &Given) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |why: String| Failure::usage(format!("`{name}`: {why}"));
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > FILE_MAX {
            return Err(unreadable(format!("larger than {FILE_MAX} bytes")));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        Self::of(name.clone(), bytes, given).map_err(unreadable)
    }

    /// What the flags say wins over the file's head, which wins over its name.
    fn of(name: String, bytes: Vec<u8>, given: &Given) -> Result<Self, String> {
        let (head, body) = match head(&bytes) {
            Some((head, length)) => (head, bytes.get(length..).unwrap_or_default().to_vec()),
            None => (Head::of_name(&name), bytes),
        };
        let mut headers = head.headers;
        if let Some(kind) = &given.content_type {
            let kind = HeaderValue::from_str(kind);
            let kind = kind.map_err(|_no_header| "that is no content type".to_owned())?;
            headers.insert(http::header::CONTENT_TYPE, kind);
        }
        Ok(Self { name, status: given.status.unwrap_or(head.status), headers, body })
    }

    /// The same, for a reader.
    pub(crate) fn raw(&self) -> RawReply<'_> {
        RawReply { status: self.status, headers: &self.headers, body: &self.body }
    }

    /// Whether it is longer than the exchange would read.
    pub(crate) fn too_long(&self) -> bool {
        self.body.len() > REPLY_MAX
    }
}

/// What stands before the body.
struct Head {
    status: u16,
    headers: HeaderMap,
}

impl Head {
    /// `sold.201.json` is a 201 of JSON.
    fn of_name(name: &str) -> Self {
        let mut parts = name.rsplit('.');
        let kind = match parts.next().unwrap_or_default() {
            "json" => Some("application/json"),
            "xml" => Some("text/xml"),
            "html" | "htm" => Some("text/html"),
            "txt" => Some("text/plain"),
            _ => None,
        };
        let named = parts.next().filter(|part| part.len() == 3);
        let status = named.and_then(|part| part.parse().ok()).filter(is_status);
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Self { status: status.unwrap_or(200), headers }
    }
}

fn is_status(status: &u16) -> bool {
    (100..600).contains(status)
}

/// The head of a whole HTTP/1 reply, and its length; of several (100, then 200) the last.
fn head(bytes: &[u8]) -> Option<(Head, usize)> {
    let mut found = None;
    let mut start = 0;
    while let Some((head, length)) = one_head(bytes.get(start..)?) {
        start = start.saturating_add(length);
        let interim = head.status < 200;
        found = Some((head, start));
        if !interim {
            break;
        }
    }
    found
}

fn one_head(bytes: &[u8]) -> Option<(Head, usize)> {
    if !bytes.starts_with(b"HTTP/") {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let (head, length) = ["\r\n\r\n", "\n\n"]
        .iter()
        .filter_map(|end| text.find(end).map(|at| (at, at.saturating_add(end.len()))))
        .min()
        .and_then(|(at, length)| Some((text.get(..at)?, length)))?;
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?.parse().ok().filter(is_status)?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let pair = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim()));
        if let (Ok(name), Ok(value)) = pair {
            headers.append(name, value);
        }
    }
    Some((Head { status, headers }, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(name: &str, bytes: &[u8]) -> Recorded {
        let given = Given { status: None, content_type: None };
        Recorded::of(name.to_owned(), bytes.to_vec(), &given).unwrap()
    }

    fn kind(of: &Recorded) -> &str {
        of.headers.get("content-type").map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_name_tells_status_and_content_type() {
        let sold = recorded("replies/sold.201.json", b"{}");
        assert_eq!((sold.status, kind(&sold)), (201, "application/json"));
        let plain = recorded("a.b/ok", b"OK");
        assert_eq!((plain.status, kind(&plain)), (200, ""));
        assert_eq!(recorded("x.999.xml", b"").status, 200);
    }

    #[test]
    fn a_whole_reply_brings_its_own_head() {
        let text =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/2 409 Conflict\r\nContent-Type: text/xml\r\n\
                     X-Id: 7\r\n\r\n<r/>\r\n\r\n";
        let reply = recorded("dup.200.json", text);
        assert_eq!((reply.status, kind(&reply)), (409, "text/xml"));
        assert_eq!(reply.headers.get("x-id").unwrap(), "7");
        assert_eq!(reply.body, b"<r/>\r\n\r\n");
    }

    #[test]
    fn flags_win() {
        let given = Given { status: Some(503), content_type: Some("text/plain".to_owned()) };
        let reply = Recorded::of("sold.201.json".to_owned(), b"{}".to_vec(), &given).unwrap();
        assert_eq!((reply.status, kind(&reply)), (503, "text/plain"));
    }
}
