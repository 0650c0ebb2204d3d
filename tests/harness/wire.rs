//! A client below HTTP: bytes out, bytes in, for what no well-behaved client sends.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Most bytes read of an answer.
const ANSWER_MAX: usize = 1 << 20;

/// What came back on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    /// Whether the exchange ended the connection, cleanly or by a reset.
    pub(crate) closed: bool,
}

impl Heard {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The status of the first answer, if there is one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.statuses().first().copied()
    }

    /// The statuses of all answers.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let text = self.text();
        text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
    }
}

/// An open connection.
pub(crate) struct Wire {
    stream: TcpStream,
}

impl Wire {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// Writes; `false` when the other side has gone.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Reads until the other side closes, or is silent for so long.
    pub(crate) async fn hear(&mut self, silence: Duration) -> Heard {
        let mut heard = Heard { bytes: Vec::new(), closed: false };
        let mut piece = [0; 4096];
        while heard.bytes.len() < ANSWER_MAX {
            match tokio::time::timeout(silence, self.stream.read(&mut piece)).await {
                Ok(Ok(0) | Err(_)) => {
                    heard.closed = true;
                    break;
                }
                Ok(Ok(read)) => heard.bytes.extend_from_slice(&piece[..read]),
                Err(_silent) => break,
            }
        }
        heard
    }
}

/// Sends these bytes on a connection of their own and listens.
pub(crate) async fn say(addr: SocketAddr, bytes: &[u8], silence: Duration) -> Heard {
    let mut wire = Wire::connect(addr).await;
    wire.write(bytes).await;
    wire.hear(silence).await
}
