//! The transport against raw peers on loopback: what is known when an exchange fails, what is kept
//! when it is late, and what is never done.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Answered, BuyerLoad, Connector, Transport, TransportSettings};
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, NotSent, Unknown};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::world::{connector, ping_job, post_job};

const BUYER: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "bid" }
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "200ms"
body = { zip = "{{ zip }}" }
reply = { rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }], price = { at = "$.price" }, reason = { at = "$.why" } }
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "200ms"
body = { lead = "{{ lead }}" }
reply = { rules = [{ when = { at = "$.ok", is = [false] }, then = "rejected" }, { when = { at = "$.ok", is = [true] }, then = "accepted" }] }
"#;

const BID: &str = "HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{\"ok\":true,\"price\":12.5}";
const SOLD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
const LONG: Duration = Duration::from_secs(20);

fn to(address: SocketAddr) -> TransportSettings {
    let hosts = HashMap::from([("bids.acme.example".to_owned(), address)]);
    TransportSettings { hosts, ..TransportSettings::default() }
}

/// A peer whose connections a test answers by hand.
struct Peer {
    listener: TcpListener,
    transport: Transport,
    connector: Arc<Connector>,
}

impl Peer {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut TransportSettings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut settings = to(listener.local_addr().expect("bound"));
        change(&mut settings);
        let transport = Transport::new(settings).expect("a transport");
        Self { listener, transport, connector: connector(BUYER) }
    }

    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.expect("a connection").0
    }

    fn ping(&self, timeout: Duration) -> buyer_connectors::Exchange<PingAnswer> {
        self.transport.ping(&self.connector, ping_job(), timeout)
    }

    fn post(&self, timeout: Duration) -> buyer_connectors::Exchange<PostAnswer> {
        let (job, permit) = post_job(&self.connector);
        self.transport.post(&self.connector, job, permit, timeout)
    }

    fn load(&self) -> BuyerLoad {
        self.transport.load(self.connector.buyer())
    }

    /// Waits until no exchange is on its way and `idle` connections are parked.
    async fn settled(&self, idle: usize) {
        while self.load().in_flight != 0 || self.load().idle != idle {
            tokio::task::yield_now().await;
        }
    }
}

/// Reads one whole request.
pub(crate) async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return text;
            }
        }
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.expect("readable");
        assert_ne!(n, 0, "closed before the request was whole");
        read.extend(chunk.iter().take(n));
    }
}

pub(crate) async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.expect("writable");
}

fn is_bid(answered: &Answered<PingAnswer>) -> bool {
    matches!(&answered.answer, PingAnswer::Bid { price, .. } if price.amount_text() == "12.50")
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let peer = Peer::start().await;
    let ping = peer.ping(LONG);
    let mut stream = peer.accept().await;
    let head = request(&mut stream).await;
    assert!(head.starts_with("POST /ping HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: bids.acme.example\r\n"), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n"), "{head}");
    say(&mut stream, BID).await;
    let first = ping.await;
    assert!(is_bid(&first) && !first.timings.reused);
    peer.settled(1).await;

    let post = peer.post(LONG);
    assert!(request(&mut stream).await.starts_with("POST /post HTTP/1.1\r\n"));
    say(&mut stream, SOLD).await;
    let second = post.await;
    assert!(matches!(second.answer, PostAnswer::Accepted(_)));
    assert!(second.timings.reused);
    assert_eq!(peer.load().connections_opened, 1);
}

#[tokio::test]
async fn a_late_answer_still_arrives_and_its_connection_is_kept() {
    let peer = Peer::start().await;
    let mut ping = peer.ping(Duration::from_secs(1));
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    let (head, rest) = BID.split_at(40);
    say(&mut stream, head).await;
    // The auction leaves; the exchange does not.
    let left = tokio::time::timeout(Duration::from_millis(1100), &mut ping).await;
    assert!(left.is_err());
    say(&mut stream, rest).await;
    let late = ping.await;
    assert!(is_bid(&late));
    assert!(late.timings.done >= Duration::from_secs(1));
    peer.settled(1).await;
}

#[tokio::test]
async fn an_exchange_that_nobody_awaits_still_finishes() {
    let peer = Peer::start().await;
    drop(peer.ping(LONG));
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    peer.settled(1).await;
}

#[tokio::test]
async fn a_drain_ends_after_twice_the_timeout() {
    let peer = Peer::start().await;
    let (ping, post) = (peer.ping(Duration::from_millis(50)), peer.post(Duration::from_millis(50)));
    let (_first, _second) = (peer.accept().await, peer.accept().await);
    assert_eq!(ping.await.answer, PingAnswer::NoBid(NoBid::Timeout));
    assert_eq!(post.await.answer, PostAnswer::Unknown(Unknown::Timeout));
    assert_eq!(peer.load().drains_cut, 0);
    peer.settled(0).await;
}

#[tokio::test]
async fn beyond_the_cap_of_drains_an_exchange_is_cut_at_its_timeout() {
    let peer = Peer::with(|settings| settings.drains_max = 0).await;
    let ping = peer.ping(Duration::from_millis(50));
    let _stream = peer.accept().await;
    assert_eq!(ping.await.answer, PingAnswer::NoBid(NoBid::Timeout));
    assert_eq!(peer.load().drains_cut, 1);
}

#[tokio::test]
async fn a_buyer_with_too_much_on_its_way_gets_no_more() {
    let peer = Peer::with(|settings| settings.in_flight_max = 1).await;
    let _first = peer.ping(LONG);
    assert_eq!(peer.ping(LONG).await.answer, PingAnswer::NoBid(NoBid::Saturated));
    assert_eq!(peer.post(LONG).await.answer, PostAnswer::NotSent(NotSent::Saturated));
}

#[tokio::test]
async fn a_post_that_was_read_and_then_reset_is_unknown() {
    let peer = Peer::start().await;
    let post = peer.post(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    drop(stream);
    assert_eq!(post.await.answer, PostAnswer::Unknown(Unknown::Reset));
}

#[tokio::test]
async fn a_post_on_a_reused_connection_that_breaks_is_unknown_and_not_repeated() {
    let peer = Peer::start().await;
    let ping = peer.ping(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(is_bid(&ping.await));
    peer.settled(1).await;
    let post = peer.post(LONG);
    request(&mut stream).await;
    drop(stream);
    let answered = post.await;
    assert_eq!(answered.answer, PostAnswer::Unknown(Unknown::Reset));
    assert!(answered.timings.reused);
    let again = tokio::time::timeout(Duration::from_millis(50), peer.accept()).await;
    assert!(again.is_err(), "a post is never sent twice");
}

#[tokio::test]
async fn a_ping_that_meets_a_closing_connection_is_sent_once_more_on_a_new_one() {
    let peer = Peer::start().await;
    let ping = peer.ping(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(is_bid(&ping.await));
    peer.settled(1).await;
    let ping = peer.ping(LONG);
    request(&mut stream).await;
    drop(stream);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    let answered = ping.await;
    assert!(is_bid(&answered) && !answered.timings.reused);
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let peer = Peer::start().await;
    let Peer { listener, transport, connector } = peer;
    drop(listener);
    let (job, permit) = post_job(&connector);
    let post = transport.post(&connector, job, permit, LONG).await;
    assert_eq!(post.answer, PostAnswer::NotSent(NotSent::Connect));
    let ping = transport.ping(&connector, ping_job(), LONG).await;
    assert_eq!(ping.answer, PingAnswer::NoBid(NoBid::ConnectError(NotSent::Connect)));
    assert_eq!(ping.timings.sent, None);
}

#[tokio::test]
async fn a_permit_for_another_campaign_sends_nothing() {
    let peer = Peer::start().await;
    let (job, _own) = post_job(&peer.connector);
    let lead = crate::world::lead();
    let other = "acme/other".parse().expect("a campaign's name");
    let permit = crate::world::permit(&lead, &other);
    let post = peer.transport.post(&peer.connector, job, permit, LONG).await;
    assert_eq!(post.answer, PostAnswer::NotSent(NotSent::Unrendered));
    assert_eq!(peer.load(), BuyerLoad::default());
}

/// What a post becomes when the buyer answers it with `reply` and closes.
async fn posted(reply: &str) -> PostAnswer {
    let peer = Peer::start().await;
    let post = peer.post(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    // A peer that is cut off mid-way cannot write on.
    if stream.write_all(reply.as_bytes()).await.is_ok() {
        drop(stream);
    }
    post.await.answer
}

#[tokio::test]
async fn replies_that_prove_nothing_leave_a_post_unknown() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"ok\":true}";
    assert_eq!(posted(cut).await, PostAnswer::Unknown(Unknown::Truncated));
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n{}", " ".repeat(65537));
    assert_eq!(posted(&long).await, PostAnswer::Unknown(Unknown::Truncated));
    let fits = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n{}{{\"ok\":true}}",
        " ".repeat(65525)
    );
    assert!(matches!(posted(&fits).await, PostAnswer::Accepted(_)));
    let gzip =
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
    assert_eq!(posted(gzip).await, PostAnswer::Unknown(Unknown::Unreadable));
    let headers = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1024 * 1024));
    assert_eq!(posted(&headers).await, PostAnswer::Unknown(Unknown::Reset));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(100));
    assert_eq!(posted(&many).await, PostAnswer::Unknown(Unknown::Reset));
    assert_eq!(posted("SSH-2.0-x\r\n").await, PostAnswer::Unknown(Unknown::Reset));
    let error = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(posted(error).await, PostAnswer::Unknown(Unknown::Http5xx));
}

#[tokio::test]
async fn endless_chunks_are_cut() {
    let peer = Peer::start().await;
    let post = peer.post(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let mut written = 0_usize;
    while written < 64 * 1024 * 1024 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        written += chunk.len();
    }
    assert!(written < 64 * 1024 * 1024, "reading goes on for as long as the buyer writes");
    assert_eq!(post.await.answer, PostAnswer::Unknown(Unknown::Truncated));
}

/// Writes a head, then the same again and again until the other side has enough of it.
async fn flooded(head: &str, again: &str) -> PostAnswer {
    let peer = Peer::start().await;
    let post = peer.post(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, head).await;
    let chunk = again.repeat(100);
    let mut written = 0_usize;
    while written < 64 * 1024 * 1024 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        written += chunk.len();
    }
    assert!(written < 64 * 1024 * 1024, "reading goes on for as long as the buyer writes");
    post.await.answer
}

#[tokio::test]
async fn floods_of_interim_heads_extensions_and_trailers_are_cut() {
    let reset = PostAnswer::Unknown(Unknown::Reset);
    assert_eq!(flooded("", "HTTP/1.1 100 Continue\r\n\r\n").await, reset);
    assert_eq!(flooded("", "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await, reset);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let truncated = PostAnswer::Unknown(Unknown::Truncated);
    assert_eq!(flooded(&format!("{chunked}1;"), "extension").await, truncated);
    assert_eq!(flooded(&format!("{chunked}1\r\nx\r\n0\r\n"), "a: b\r\n").await, truncated);
}

#[tokio::test]
async fn a_few_interim_heads_are_read_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n";
    assert!(matches!(posted(&format!("{interim}{SOLD}")).await, PostAnswer::Accepted(_)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = elsewhere.local_addr().expect("bound");
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} Moved\r\nlocation: http://{address}/\r\n");
        let answer = posted(&format!("{head}content-length: 0\r\n\r\n")).await;
        assert!(
            matches!(&answer, PostAnswer::Rejected(why) if why.text.as_deref() == Some("redirect")),
            "{answer:?}"
        );
    }
    let visited = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
    assert!(visited.is_err());
}

#[tokio::test]
async fn addresses_of_our_own_network_are_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    for (host, refused) in [
        (format!("https://127.0.0.1:{port}"), NotSent::Forbidden),
        (format!("https://2130706433:{port}"), NotSent::Forbidden),
        (format!("https://[::ffff:127.0.0.1]:{port}"), NotSent::Forbidden),
        (format!("https://localhost:{port}"), NotSent::Forbidden),
        (format!("http://127.0.0.1:{port}"), NotSent::Forbidden),
        ("http://1.1.1.1".to_owned(), NotSent::Forbidden),
    ] {
        let connector = connector(&BUYER.replace("https://bids.acme.example", &host));
        let transport = Transport::new(TransportSettings::default()).expect("a transport");
        let (job, permit) = post_job(&connector);
        let post = transport.post(&connector, job, permit, LONG).await;
        assert_eq!(post.answer, PostAnswer::NotSent(refused), "{host}");
    }
}

#[tokio::test]
async fn private_addresses_are_called_where_that_is_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = format!("http://{}", listener.local_addr().expect("bound"));
    let connector = connector(&BUYER.replace("https://bids.acme.example", &host));
    let settings = TransportSettings { allow_private: true, ..TransportSettings::default() };
    let transport = Transport::new(settings).expect("a transport");
    let ping = transport.ping(&connector, ping_job(), LONG);
    let mut stream = listener.accept().await.expect("a connection").0;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(is_bid(&ping.await));
}

#[tokio::test]
async fn a_post_uses_no_connection_that_is_idle_for_long() {
    let peer = Peer::with(|settings| settings.idle_max_for_posts = Duration::ZERO).await;
    let ping = peer.ping(LONG);
    let mut stream = peer.accept().await;
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(is_bid(&ping.await));
    peer.settled(1).await;
    let post = peer.post(LONG);
    let mut fresh = peer.accept().await;
    request(&mut fresh).await;
    say(&mut fresh, SOLD).await;
    assert!(!post.await.timings.reused);
}

#[tokio::test]
async fn a_connection_that_comes_too_late_for_its_ping_is_kept_for_the_next() {
    let peer = Peer::start().await;
    let answered = peer.ping(Duration::ZERO).await;
    assert_eq!(answered.answer, PingAnswer::NoBid(NoBid::Timeout));
    assert_eq!(answered.timings.sent, None);
    let mut stream = peer.accept().await;
    peer.settled(1).await;
    let ping = peer.ping(LONG);
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(ping.await.timings.reused);
}

#[tokio::test]
async fn a_post_still_without_a_connection_at_its_timeout_is_not_sent() {
    // The service takes the request for a token and never answers.
    let Guarded { peer, asked: _asked } = guarded(Vec::new()).await;
    let post = peer.post(Duration::from_millis(50)).await;
    assert_eq!(post.answer, PostAnswer::NotSent(NotSent::NoTimeLeft));
}

#[tokio::test]
async fn a_reply_for_another_ping_is_no_bid() {
    let mut peer = Peer::start().await;
    let text = BUYER.replace(
        "price = { at = \"$.price\" }",
        "price = { at = \"$.price\" }, ping_id = { at = \"$.id\" }",
    );
    peer.connector = connector(&text);
    for (id, bids) in [("ping_1", true), ("ping_2", false)] {
        let ping = peer.ping(LONG);
        let mut stream = peer.accept().await;
        request(&mut stream).await;
        let body = format!("{{\"ok\":true,\"price\":12.5,\"id\":\"{id}\"}}");
        let head =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}", body.len());
        say(&mut stream, &format!("{head}\r\n\r\n{body}")).await;
        assert_eq!(is_bid(&ping.await), bids);
    }
}

#[tokio::test]
async fn warming_up_opens_a_connection_before_the_first_lead() {
    let peer = Peer::start().await;
    peer.transport.warm(&peer.connector, exchange_model::Timestamp::default());
    let mut stream = peer.accept().await;
    peer.settled(1).await;
    let ping = peer.ping(LONG);
    request(&mut stream).await;
    say(&mut stream, BID).await;
    assert!(is_bid(&ping.await));
    assert_eq!(peer.load().connections_opened, 1);
}

const TOKEN_AUTH: &str = r#"
auth = { scheme = "oauth2", token_url = "https://id.acme.example/token", client_id = "me", secret = "metro_client_secret" }
[connector.main.ping]
"#;

/// A buyer behind a token service; every request of the service is told to the test.
struct Guarded {
    peer: Peer,
    asked: mpsc::Receiver<String>,
}

async fn guarded(replies: Vec<String>) -> Guarded {
    let service = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = service.local_addr().expect("bound");
    let mut peer = Peer::with(|settings| {
        settings.hosts.insert("id.acme.example".to_owned(), address);
    })
    .await;
    let text = BUYER.replace("[connector.main.ping]\n", &format!("[connector.main]{TOKEN_AUTH}"));
    peer.connector = connector(&text);
    let (told, asked) = mpsc::channel(16);
    tokio::spawn(async move {
        for reply in replies {
            let mut stream = service.accept().await.expect("a connection").0;
            told.send(request(&mut stream).await).await.expect("the test listens");
            let length = reply.len();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}");
            say(&mut stream, &format!("{head}\r\n\r\n{reply}")).await;
        }
        // The service stays, and answers no more.
        std::future::pending::<()>().await;
        drop(service);
    });
    Guarded { peer, asked }
}

fn token(text: &str) -> String {
    format!("{{\"access_token\":\"{text}\",\"token_type\":\"bearer\",\"expires_in\":600}}")
}

#[tokio::test]
async fn a_token_is_fetched_once_for_many_and_again_after_a_401() {
    let Guarded { peer, mut asked } = guarded(vec![token("one"), token("two")]).await;
    let (first, second) = (peer.ping(LONG), peer.ping(LONG));
    for _ in 0..2 {
        let mut stream = peer.accept().await;
        let head = request(&mut stream).await;
        assert!(head.contains("authorization: Bearer one\r\n"), "{head}");
        say(&mut stream, "HTTP/1.1 401 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
    assert_eq!(first.await.answer, PingAnswer::NoBid(NoBid::HttpError(401)));
    assert_eq!(second.await.answer, PingAnswer::NoBid(NoBid::HttpError(401)));
    let request_for_token = asked.recv().await.expect("asked");
    assert!(request_for_token.contains("grant_type=client_credentials"), "{request_for_token}");
    assert!(request_for_token.contains("host: id.acme.example\r\n"), "{request_for_token}");
    assert!(asked.try_recv().is_err(), "one token for both");

    let third = peer.ping(LONG);
    let mut stream = peer.accept().await;
    assert!(request(&mut stream).await.contains("authorization: Bearer two\r\n"));
    say(&mut stream, BID).await;
    assert!(is_bid(&third.await));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for reply in ["{}", "no", "{\"access_token\":\"\"}", "{\"access_token\":\"a\\nb\"}"] {
        let Guarded { peer, asked: _asked } = guarded(vec![reply.to_owned()]).await;
        assert_eq!(peer.post(LONG).await.answer, PostAnswer::NotSent(NotSent::Token), "{reply}");
    }
}
