//! Mock buyers: real HTTP/1.1 servers on loopback, one per buyer.
//!
//! Each speaks a wire format of its own ([`Family`]), decides from the content of the ping and its
//! seed, keeps a book of every lead it bought ([`Book`]) and misbehaves by its
//! [`FaultPlan`]. What a buyer *is* lives in `desk`; how it *talks* lives
//! in one file per family; sockets live in `server`.
//!
//! > A buyer's book is written before its answer is sent, so it is the truth about what was bought.

pub(crate) mod answer;
mod boberdoo;
pub(crate) mod body;
mod book;
mod buyer;
mod desk;
mod direct_post;
mod json_bidder;
mod leads_pedia;
mod plain_json;
mod process;
mod sample;
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod wire;
mod xml_bidder;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use body::GZIP_BOMB_BYTES;
pub use book::{Book, Purchase};
pub use desk::Appetite;
pub use plain_json::Access;
pub use process::{RunOptions, run_forever};
pub use sample::{SampleSecret, sample_buyers, sample_secrets, write_sample_secrets};

use crate::faults::FaultPlan;
use buyer::Buyer;

/// What a request to a buyer is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Asks for a bid.
    Ping,
    /// Delivers a lead.
    Post,
    /// Asks for an access token.
    Token,
}

/// One request as it arrived: the head (target and header values unchanged, header names in lower
/// case) and the body, for searching traffic for what must not be in it.
#[derive(Clone, Eq, PartialEq)]
pub struct RecordedRequest {
    /// What it was for.
    pub kind: RequestKind,
    /// Head, an empty line, body.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordedRequest({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// Most requests a buyer keeps when told to; later ones are not kept.
pub const REQUESTS_KEPT_MAX: usize = 1_000_000;

/// The wire format of a buyer, with the credentials it expects.
#[derive(Clone)]
pub enum Family {
    /// Nested JSON behind an `X-Api-Key` header: `/v2/ping`, `/v2/post`.
    JsonBidder {
        /// The expected key.
        api_key: String,
    },
    /// XML in and XML out, outcome words of its own: `/ping.aspx`, `/post.aspx`.
    XmlBidder {
        /// The expected `Key` element.
        key: String,
    },
    /// boberdoo `pingPostLead`: a query ping, a form post, XML answers, `/new_api/api.php`.
    Boberdoo {
        /// The expected `Key` field.
        key: String,
    },
    /// LeadsPedia `ping.do` and `post.do`: forms in, JSON or XML out as `lp_response` asks.
    LeadsPedia {
        /// The expected `lp_campaign_id`.
        campaign_id: String,
        /// The expected `lp_campaign_key`.
        campaign_key: String,
    },
    /// Small flat JSON: `/ping`, `/post`, and `/token` where access is by OAuth2.
    PlainJson {
        /// How it recognises us.
        access: Access,
        /// Whether its bids carry a price; a buyer with a price by contract only says yes or no.
        priced: bool,
    },
    /// No ping; a form to `/lead`, answered `OK 123` or `ERR duplicate`.
    DirectPost {
        /// The expected `key` field.
        key: String,
    },
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::JsonBidder { .. } => "JsonBidder",
            Self::XmlBidder { .. } => "XmlBidder",
            Self::Boberdoo { .. } => "Boberdoo",
            Self::LeadsPedia { .. } => "LeadsPedia",
            Self::PlainJson { .. } => "PlainJson",
            Self::DirectPost { .. } => "DirectPost",
        })
    }
}

/// One mock buyer, to be started.
#[derive(Clone, Debug)]
pub struct BuyerSpec {
    /// The buyer's id in the sample configuration; also the name of its book's file.
    pub name: String,
    /// The hosts it answers for, the main one first.
    pub hosts: Vec<String>,
    /// How it talks.
    pub family: Family,
    /// What it wants and pays.
    pub appetite: Appetite,
    /// Thinking time of an ordinary answer: between the two, by the content of the request.
    pub latency: (Duration, Duration),
    /// What goes wrong.
    pub faults: FaultPlan,
    /// Where its book lives; in memory only where there is none.
    pub book_path: Option<PathBuf>,
    /// Whether to keep every request for [`MockBuyer::requests`].
    pub keep_requests: bool,
    /// Makes its bids differ from another buyer's with the same appetite.
    pub seed: u64,
}

impl BuyerSpec {
    /// A healthy buyer that answers at once and keeps its book in memory.
    #[must_use]
    pub fn new(name: &str, host: &str, family: Family) -> Self {
        Self {
            name: name.to_owned(),
            hosts: vec![host.to_owned()],
            family,
            appetite: Appetite::default(),
            latency: (Duration::ZERO, Duration::ZERO),
            faults: FaultPlan::healthy(),
            book_path: None,
            keep_requests: false,
            seed: 0,
        }
    }
}

/// What a buyer has counted since it started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct BuyerStats {
    /// Pings received.
    pub pings: u64,
    /// Bids made.
    pub bids: u64,
    /// Posts received.
    pub posts: u64,
    /// Leads bought, repeats not counted.
    pub accepted: u64,
    /// Posts refused.
    pub rejected: u64,
    /// Posts that repeated the idempotency key of a bought lead.
    pub repeats: u64,
    /// Token requests received.
    pub tokens: u64,
    /// Requests that met a fault.
    pub faults: u64,
    /// Requests refused before they were read as a ping or a post: wrong credentials, unreadable.
    pub refused: u64,
}

/// A running mock buyer. Dropping it stops it.
#[derive(Debug)]
pub struct MockBuyer {
    addr: SocketAddr,
    buyer: Arc<Buyer>,
    accepting: JoinHandle<()>,
}

impl MockBuyer {
    /// Binds a free port of 127.0.0.1 and starts to answer.
    ///
    /// # Errors
    /// The port cannot be bound, or the book cannot be opened.
    pub async fn start(spec: BuyerSpec) -> io::Result<Self> {
        let buyer = Arc::new(Buyer::open(spec)?);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let accepting = tokio::spawn(server::accept(listener, Arc::clone(&buyer)));
        Ok(Self { addr, buyer, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its id in the sample configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.buyer.spec.name
    }

    /// The main host it answers for, such as `bids.acme.example`.
    ///
    /// # Panics
    /// When its spec named no host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.buyer.spec.hosts.first().expect("a spec names at least one host")
    }

    /// All hosts it answers for.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.buyer.spec.hosts
    }

    /// What it bought.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.buyer.book
    }

    /// What it counted.
    #[must_use]
    pub fn stats(&self) -> BuyerStats {
        self.buyer.stats()
    }

    /// Every request it kept, in order of arrival; empty unless its spec said to keep them.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.buyer.requests()
    }

    /// Forgets the kept requests.
    pub fn clear_requests(&self) {
        self.buyer.clear_requests();
    }

    /// Misbehaves by this plan from now on. The count of pings and posts goes on.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.buyer.set_faults(plan);
    }

    /// Stops at once: open connections are dropped.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        // The only outcome is that it was cancelled, by the line above.
        drop((&mut self.accepting).await);
    }
}

impl Drop for MockBuyer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Several running mock buyers.
#[derive(Debug)]
pub struct MockBuyers {
    buyers: Vec<MockBuyer>,
}

impl MockBuyers {
    /// Starts all of them.
    ///
    /// # Errors
    /// As [`MockBuyer::start`]; those already started stop again.
    pub async fn start(specs: Vec<BuyerSpec>) -> io::Result<Self> {
        let mut buyers = Vec::with_capacity(specs.len());
        for spec in specs {
            buyers.push(MockBuyer::start(spec).await?);
        }
        Ok(Self { buyers })
    }

    /// The buyers, in the order of their specs.
    pub fn iter(&self) -> impl Iterator<Item = &MockBuyer> {
        self.buyers.iter()
    }

    /// The buyer with this id.
    #[must_use]
    pub fn buyer(&self, name: &str) -> Option<&MockBuyer> {
        self.buyers.iter().find(|buyer| buyer.name() == name)
    }

    /// Which loopback address stands for which host: the table of the exchange's dialler.
    #[must_use]
    pub fn hosts(&self) -> HashMap<String, SocketAddr> {
        let each = |buyer: &MockBuyer| {
            let addr = buyer.addr();
            buyer.hosts().iter().map(move |host| (host.clone(), addr)).collect::<Vec<_>>()
        };
        self.buyers.iter().flat_map(each).collect()
    }

    /// What each counted, by name.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, BuyerStats> {
        self.buyers.iter().map(|buyer| (buyer.name().to_owned(), buyer.stats())).collect()
    }

    /// Stops all of them at once.
    pub async fn shutdown(self) {
        for buyer in self.buyers {
            buyer.shutdown().await;
        }
    }
}
