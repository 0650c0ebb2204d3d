//! Ten buyers in one process: ten origins, fixed bids, canned replies.
//!
//! Buyer `n` bids 1.n0 dollars on everything and buys everything, so the last one always wins.
//! They count what reaches them; an eleventh origin tells the counts, so that nobody wins a
//! benchmark by asking fewer buyers.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::{TcpListener, TcpStream};

use crate::Ran;
use crate::child::parent_gone;
use crate::wire::Wire;

/// How many buyers there are.
pub(crate) const BUYERS: usize = 10;
/// What the last of them bids, in cents.
pub(crate) const BEST_BID_CENTS: u64 = 190;

/// What has reached the buyers since they started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) pings: u64,
    pub(crate) posts: u64,
}

impl Counts {
    /// Asks the eleventh origin.
    pub(crate) async fn ask(origin: SocketAddr) -> Ran<Self> {
        let mut wire = Wire::new(TcpStream::connect(origin).await?)?;
        wire.send(b"GET /counts HTTP/1.1\r\nhost: buyers\r\n\r\n").await?;
        let answer = wire.receive().await?.ok_or("the buyers have gone")?;
        let text = String::from_utf8(answer.body.to_vec())?;
        let (pings, posts) = text.split_once(' ').ok_or("the buyers cannot count")?;
        Ok(Self { pings: pings.parse()?, posts: posts.parse()? })
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            pings: self.pings.saturating_sub(earlier.pings),
            posts: self.posts.saturating_sub(earlier.posts),
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    pings: AtomicU64,
    posts: AtomicU64,
}

/// Serves until the process that started it has gone.
pub(crate) fn run() -> Ran<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let counters = Arc::new(Counters::default());
        let mut addresses = Vec::new();
        for number in 0..=BUYERS {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            addresses.push(listener.local_addr()?.to_string());
            tokio::spawn(accept(listener, Arc::new(Replies::of(number)), Arc::clone(&counters)));
        }
        writeln!(std::io::stdout().lock(), "ready {}", addresses.join(","))?;
        parent_gone().await;
        Ok(())
    })
}

/// The two replies of one buyer, ready to be written.
#[derive(Debug)]
struct Replies {
    ping: Vec<u8>,
    post: Vec<u8>,
}

impl Replies {
    fn of(number: usize) -> Self {
        let terms = format!(r#""price":"1.{number}0","currency":"USD""#);
        Self {
            ping: ok(&format!(r#"{{"ok":true,{terms},"id":"bid-{number}"}}"#)),
            post: ok(&format!(
                r#"{{"ok":true,{terms},"id":"bid-{number}","ref":"sale-{number}"}}"#
            )),
        }
    }
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
    format!("{head} {length}\r\n\r\n{body}").into_bytes()
}

async fn accept(listener: TcpListener, replies: Arc<Replies>, counters: Arc<Counters>) {
    // A listener that fails ends its buyer, and the run sees no-bids.
    while let Ok((stream, _peer)) = listener.accept().await {
        let (replies, counters) = (Arc::clone(&replies), Arc::clone(&counters));
        tokio::spawn(async move { drop(serve(stream, &replies, &counters).await) });
    }
}

async fn serve(stream: TcpStream, replies: &Replies, counters: &Counters) -> std::io::Result<()> {
    let mut wire = Wire::new(stream)?;
    while let Some(request) = wire.receive().await? {
        if request.head.starts_with(b"POST /ping ") {
            counters.pings.fetch_add(1, Ordering::Relaxed);
            wire.send(&replies.ping).await?;
        } else if request.head.starts_with(b"POST /post ") {
            counters.posts.fetch_add(1, Ordering::Relaxed);
            wire.send(&replies.post).await?;
        } else {
            let [pings, posts] = [&counters.pings, &counters.posts];
            let [pings, posts] = [pings, posts].map(|count| count.load(Ordering::Relaxed));
            wire.send(&ok(&format!("{pings} {posts}"))).await?;
        }
    }
    Ok(())
}
