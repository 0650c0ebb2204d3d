//! Mock buyers that play a shipped preset, from its own recorded answers.
//!
//! A [`PresetMock`] is a real HTTP/1.1 server on loopback. It knows no dialect: which stage a call
//! is for follows from the addresses and the marks of the preset ([`stages`](self)), and what it
//! answers is one of the preset's examples with price, token, id and reason filled in. What it
//! decides follows from its [`Part`], a script of rates and ranges, and from what it remembers: it
//! knows its tokens again, and the people whose leads it bought.
//!
//! > The same part, the same requests in the same order: the same answers.

mod clues;
mod decimal_range;
mod memory;
mod part;
mod player;
mod script;
mod stages;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::mock_buyers::server;
use player::Player;

pub use decimal_range::DecimalRange;
pub use part::{Counter, Part, Repeats};
pub use script::{BUYERS_MAX, FAULT_NAMES, read_script};

/// What became of one request. It holds nothing of the lead.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Happened {
    /// The mock's name.
    pub buyer: String,
    /// The stage the request was for; `unknown` when it fits none.
    pub stage: String,
    /// The outcome of the example it was answered with, or the name of the fault.
    pub outcome: String,
    /// The price that was said.
    pub price: Option<String>,
    /// Why, where that is not plain.
    pub note: Option<String>,
    /// The HTTP status of the answer; 0 where none was sent.
    pub status: u16,
    /// How long the mock waited before it answered.
    #[serde(serialize_with = "millis")]
    pub after: Duration,
}

fn millis<S: serde::Serializer>(after: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}

/// Who is told what became of each request.
pub type Listener = Arc<dyn Fn(Happened) + Send + Sync>;

/// A running mock of a preset. Dropping it stops it.
#[derive(Debug)]
pub struct PresetMock {
    addr: SocketAddr,
    name: String,
    accepting: JoinHandle<()>,
}

impl PresetMock {
    /// Binds the part's port of 127.0.0.1 (a free one for 0) and starts to answer.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(part: Part, listener: Listener) -> io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", part.port)).await?;
        let addr = socket.local_addr()?;
        let name = part.name.clone();
        let player = Arc::new(Player::new(part, listener));
        let accepting = tokio::spawn(server::accept(socket, player));
        Ok(Self { addr, name, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its name, as it stands in [`Happened::buyer`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stops at once: open connections are dropped.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        // The only outcome is that it was cancelled, by the line above.
        drop((&mut self.accepting).await);
    }
}

impl Drop for PresetMock {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
