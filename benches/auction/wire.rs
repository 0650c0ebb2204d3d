//! HTTP/1.1 messages with a known length, written and read by hand.
//!
//! The sellers and the buyers share the machine with what is measured, so they do no more than the
//! protocol asks: no header map, no chunks, no upgrade.

use std::io::{Error, ErrorKind, Result};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Largest message read, head and body together.
const MESSAGE_MAX: usize = 256 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// One request or answer.
#[derive(Debug)]
pub(crate) struct Message {
    /// First line and headers, as sent.
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

/// One kept connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(8192) })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next message; nothing when the other side has closed between two.
    pub(crate) async fn receive(&mut self) -> Result<Option<Message>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.buffer.len() > MESSAGE_MAX {
                return Err(Error::new(ErrorKind::InvalidData, "a message is too large"));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                let between = self.buffer.is_empty();
                return if between { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    fn take(&mut self) -> Result<Option<Message>> {
        let at = self.buffer.windows(END_OF_HEAD.len()).position(|four| four == END_OF_HEAD);
        let Some(at) = at else { return Ok(None) };
        let head = at.saturating_add(END_OF_HEAD.len());
        let body = body_length(self.buffer.get(..head).unwrap_or_default())?;
        if self.buffer.len() < head.saturating_add(body) {
            return Ok(None);
        }
        let head = self.buffer.split_to(head).freeze();
        Ok(Some(Message { head, body: self.buffer.split_to(body).freeze() }))
    }
}

/// The length that the head announces; a message without one has no body.
fn body_length(head: &[u8]) -> Result<usize> {
    let unreadable = || Error::new(ErrorKind::InvalidData, "a length cannot be read");
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err(unreadable());
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = std::str::from_utf8(value).unwrap_or_default();
            let digits = value.trim_matches([':', ' ', '\r']);
            return digits.parse().map_err(|_not_a_number| unreadable());
        }
    }
    Ok(0)
}
