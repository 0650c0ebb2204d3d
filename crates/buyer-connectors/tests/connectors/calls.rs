//! The calls of a delivery, in their order, with the values that flow between them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use buyer_connectors::{AskJob, CallbackCall, Connector, Transport, TransportSettings};
use exchange_model::outcome::{Acceptance, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, NotSent, RejectClass, Unknown};
use exchange_model::{Currency, Money, Timestamp};
use tokio::net::TcpListener;

use crate::transport::{request, say};
use crate::world::{compile_file, connector, lead, listed, ping_job, post_job};

pub(crate) const LONG: Duration = Duration::from_secs(20);
const CLOSED: &str = "connection: close\r\n";

/// A buyer that answers each path by rote and remembers what it was asked.
pub(crate) struct ByRote {
    pub(crate) transport: Transport,
    pub(crate) connector: Arc<Connector>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ByRote {
    /// Path -> `status body`; a path without a reply is read and never answered.
    pub(crate) async fn start(text: &str, replies: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let hosts = ["bids.acme.example", "id.acme.example"];
        let hosts = HashMap::from(hosts.map(|host| (host.to_owned(), address)));
        let settings = TransportSettings { hosts, ..TransportSettings::default() };
        let transport = Transport::new(settings).expect("a transport");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let replies: HashMap<String, String> =
            replies.iter().map(|(path, reply)| ((*path).to_owned(), (*reply).to_owned())).collect();
        tokio::spawn(answer_all(listener, replies, Arc::clone(&asked)));
        Self { transport, connector: connector(text), asked }
    }

    /// Everything it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics inside").clone()
    }

    /// The paths it was asked for.
    fn paths(&self) -> Vec<String> {
        self.asked().iter().filter_map(|text| path_of(text).map(str::to_owned)).collect()
    }

    /// The only request to a path.
    pub(crate) fn asked_at(&self, path: &str) -> String {
        let mut found = self.asked();
        found.retain(|text| path_of(text) == Some(path));
        assert_eq!(found.len(), 1, "{path}: {:?}", self.paths());
        found.remove(0)
    }

    pub(crate) async fn ping(&self) -> PingAnswer {
        self.transport.ping(&self.connector, ping_job(), LONG).await.answer
    }

    pub(crate) async fn post(&self) -> PostAnswer {
        self.post_within(LONG).await
    }

    async fn post_within(&self, timeout: Duration) -> PostAnswer {
        let (job, permit) = post_job(&self.connector);
        self.transport.post(&self.connector, job, permit, timeout).await.answer
    }

    async fn ask(&self, how: Resolver) -> PostAnswer {
        let job = AskJob {
            lead: lead().id(),
            ping_id: Some("ping_1".to_owned()),
            source_alias: "S1".to_owned(),
            token: None,
            price: Money::parse("12.50", Currency::USD).expect("an amount"),
            idempotency_key: "att_1".to_owned(),
            handles: Handles([("ref".to_owned(), "L-7".to_owned())].into()),
            now: Timestamp::default(),
        };
        self.transport.ask(&self.connector, how, job, LONG).await.answer
    }
}

/// The path of a request, without its query.
fn path_of(request: &str) -> Option<&str> {
    request.split(' ').nth(1)?.split('?').next()
}

async fn answer_all(
    listener: TcpListener,
    replies: HashMap<String, String>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut open = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let text = request(&mut stream).await;
        let reply = path_of(&text).and_then(|path| replies.get(path)).cloned();
        asked.lock().expect("no test panics inside").push(text);
        match reply.as_deref().and_then(|reply| reply.split_once(' ')) {
            Some((status, body)) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status} Said\r\n{CLOSED}content-length: {length}");
                say(&mut stream, &format!("{head}\r\n\r\n{body}")).await;
            }
            None => open.push(stream),
        }
    }
}

fn accepted(answer: &PostAnswer) -> &Acceptance {
    match answer {
        PostAnswer::Accepted(acceptance) => acceptance,
        other => panic!("{other:?}"),
    }
}

const WHOLE: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "bid" }
[connector.main]
auth = { scheme = "token" }
resolve = ["status", "void"]
answer_within = "2h"
[connector.main.token]
url = "https://bids.acme.example/token"
body = { user = "us", key = "{{ secret.acme_api_key }}" }
reply = { token = { at = "$.jwt" }, expires_in = { at = "$.ttl" } }
[connector.main.pre_ping]
url = "https://bids.acme.example/programmes"
body = { zip = "{{ zip }}" }
reply = { values = { programme = { at = "$.id" } } }
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "2s"
body = { zip = "{{ zip }}", programme = "{{ pre.programme }}" }
[connector.main.ping.reply]
rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }]
price = { at = "$.price" }
token = { at = "$.bid" }
[connector.main.pre_post]
url = "https://bids.acme.example/transaction"
body = { bid = "{{ ping.token }}" }
reply = { values = { transaction = { at = "$.id" } } }
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "8s"
body = { bid = "{{ ping.token }}", transaction = "{{ pre.transaction }}", lead = "{{ lead }}" }
[connector.main.post.reply]
rules = [
  { when = { at = "$.ok", is = [false] }, then = "rejected" },
  { when = { at = "$.ok", is = [true] }, then = "accepted" },
]
ref = { at = "$.id" }
values = { page = { at = "$.page" } }
[connector.main.confirm]
url = "https://bids.acme.example/confirm/{{ post.ref }}"
body = { page = "{{ post.page }}", price = "{{ price }}" }
reply = { redirect = { at = "$.go" }, price = { at = "$.price" } }
[connector.main.status]
url = "https://bids.acme.example/status"
body = { id = "{{ post.ref }}" }
poll = [{ every = "1s", until = "10s" }, { every = "5s", until = "300s" }]
[connector.main.status.reply]
rules = [
  { when = { at = "$.state", is = ["sold"] }, then = "accepted" },
  { when = { at = "$.state", is = ["working"] }, then = "pending" },
  { when = { at = "$.state", is = ["gone"] }, then = "rejected" },
]
[connector.main.void]
url = "https://bids.acme.example/void"
body = { id = "{{ idempotency_key }}" }
reply = { rules = [{ when = { at = "$.void", is = [true] }, then = "voided" }] }
"#;

const TOKEN: (&str, &str) = ("/token", r#"200 {"jwt":"J1","ttl":600}"#);
const PROGRAMMES: (&str, &str) = ("/programmes", r#"200 {"id":"P9"}"#);
const PING: (&str, &str) = ("/ping", r#"200 {"ok":true,"price":12.5,"bid":"B1"}"#);
const TRANSACTION: (&str, &str) = ("/transaction", r#"200 {"id":"T1"}"#);
const POST: (&str, &str) = ("/post", r#"200 {"ok":true,"id":"L-7","page":"p2"}"#);
const CONFIRM: (&str, &str) =
    ("/confirm/L-7", r#"200 {"go":"https://bids.acme.example/offer","price":"13.00"}"#);

#[tokio::test]
async fn the_calls_of_a_ping_are_made_in_order_and_their_values_flow() {
    let buyer = ByRote::start(WHOLE, &[TOKEN, PROGRAMMES, PING]).await;
    let answer = buyer.ping().await;
    let PingAnswer::Bid { price, token } = answer else { panic!("{answer:?}") };
    assert_eq!(price.amount_text(), "12.50");
    assert_eq!(token.expect("a token").tokens.get("token"), Some("B1"));
    assert_eq!(buyer.paths(), ["/token", "/programmes", "/ping"]);
    let ping = buyer.asked_at("/ping");
    assert!(ping.contains("authorization: Bearer J1\r\n"), "{ping}");
    assert!(ping.ends_with(r#"{"zip":"78701","programme":"P9"}"#), "{ping}");
    let token = buyer.asked_at("/token");
    assert!(!token.contains("authorization"), "{token}");
    assert!(token.ends_with(r#"{"user":"us","key":"S-acme_api_key"}"#), "{token}");
    // The token is kept.
    buyer.ping().await;
    assert_eq!(buyer.paths().len(), 5);
}

#[tokio::test]
async fn the_calls_of_a_post_are_made_in_order_and_their_values_flow() {
    let buyer = ByRote::start(WHOLE, &[TOKEN, TRANSACTION, POST, CONFIRM]).await;
    let answer = buyer.post().await;
    let sale = accepted(&answer);
    assert_eq!(sale.buyer_ref.as_deref(), Some("L-7"));
    assert_eq!(sale.redirect_url.as_deref(), Some("https://bids.acme.example/offer"));
    assert_eq!(sale.price.map(|price| price.amount_text()).as_deref(), Some("13.00"));
    assert_eq!(sale.handles.get("page"), Some("p2"));
    assert_eq!(buyer.paths(), ["/token", "/transaction", "/post", "/confirm/L-7"]);
    assert!(buyer.asked_at("/transaction").ends_with(r#"{"bid":"t"}"#));
    assert!(buyer.asked_at("/post").contains(r#""bid":"t","transaction":"T1","lead":{"#));
    let confirm = buyer.asked_at("/confirm/L-7");
    assert!(confirm.ends_with(r#"{"page":"p2","price":"12.50"}"#), "{confirm}");
}

#[tokio::test]
async fn a_call_before_the_post_that_fails_leaves_nothing_at_the_buyer() {
    for reply in ["500 {\"id\":\"T1\"}", "200 {}", "200 <html>", "302 {\"id\":\"T1\"}"] {
        let buyer = ByRote::start(WHOLE, &[TOKEN, ("/transaction", reply), POST]).await;
        assert_eq!(buyer.post().await, PostAnswer::NotSent(NotSent::PreCall), "{reply}");
        assert_eq!(buyer.paths(), ["/token", "/transaction"], "{reply}");
    }
    let buyer = ByRote::start(WHOLE, &[TOKEN, POST]).await;
    let slow = buyer.post_within(Duration::from_millis(200)).await;
    assert!(matches!(slow, PostAnswer::NotSent(_)), "{slow:?}");
    assert_eq!(buyer.paths(), ["/token", "/transaction"]);
}

#[tokio::test]
async fn a_call_before_the_ping_that_fails_is_no_bid() {
    let buyer = ByRote::start(WHOLE, &[TOKEN, ("/programmes", "200 {}"), PING]).await;
    let no_bid = PingAnswer::NoBid(NoBid::ConnectError(NotSent::PreCall));
    assert_eq!(buyer.ping().await, no_bid);
    assert_eq!(buyer.paths(), ["/token", "/programmes"]);
}

#[tokio::test]
async fn without_the_token_of_the_token_stage_nothing_is_sent() {
    for reply in ["200 {}", "500 {\"jwt\":\"J1\"}", "200 no"] {
        let buyer = ByRote::start(WHOLE, &[("/token", reply), TRANSACTION, POST]).await;
        assert_eq!(buyer.post().await, PostAnswer::NotSent(NotSent::Token), "{reply}");
        assert_eq!(buyer.paths(), ["/token"], "{reply}");
    }
}

#[tokio::test]
async fn a_kept_token_is_not_used_by_a_connector_that_reads_another_one() {
    let both = ("/token", r#"200 {"jwt":"J1","access":"J2","ttl":600}"#);
    let mut buyer = ByRote::start(WHOLE, &[both, PROGRAMMES, PING]).await;
    buyer.ping().await;
    buyer.connector = connector(&WHOLE.replace("$.jwt", "$.access"));
    buyer.ping().await;
    let asked = buyer.asked();
    let pings: Vec<&String> = asked.iter().filter(|text| path_of(text) == Some("/ping")).collect();
    assert!(pings[0].contains("J1") && pings[1].contains("J2"), "{pings:?}");
}

#[tokio::test]
async fn a_token_that_the_buyer_refuses_is_fetched_again_for_the_next() {
    let refused = ("/post", "401 {}");
    let buyer = ByRote::start(WHOLE, &[TOKEN, TRANSACTION, refused]).await;
    assert!(matches!(buyer.post().await, PostAnswer::Unknown(_)));
    assert!(matches!(buyer.post().await, PostAnswer::Unknown(_)));
    let paths = buyer.paths();
    assert_eq!(paths.iter().filter(|path| *path == "/token").count(), 2, "{paths:?}");
}

#[tokio::test]
async fn a_confirmation_that_fails_takes_nothing_back() {
    for reply in ["500 {}", "200 <html>", "200 {\"ok\":false}"] {
        let replies = [TOKEN, TRANSACTION, POST, ("/confirm/L-7", reply)];
        let buyer = ByRote::start(WHOLE, &replies).await;
        let answer = buyer.post().await;
        assert_eq!(accepted(&answer).buyer_ref.as_deref(), Some("L-7"), "{reply}");
        assert_eq!(accepted(&answer).redirect_url, None, "{reply}");
    }
    // Nor does one that never answers; the acceptance is there before the auction leaves.
    let buyer = ByRote::start(WHOLE, &[TOKEN, TRANSACTION, POST]).await;
    let (job, permit) = post_job(&buyer.connector);
    let timeout = Duration::from_secs(1);
    let answered = buyer.transport.post(&buyer.connector, job, permit, timeout).await;
    assert_eq!(accepted(&answered.answer).buyer_ref.as_deref(), Some("L-7"));
    assert!(answered.timings.done < timeout, "{:?}", answered.timings);
}

#[tokio::test]
async fn a_confirmation_that_decides_is_the_outcome() {
    let deciding = WHOLE.replace(
        "reply = { redirect = { at = \"$.go\" }, price = { at = \"$.price\" } }",
        "decides = true\nreply = { rules = [{ when = { at = \"$.ok\", is = [true] }, then = \"accepted\" }, { when = { at = \"$.ok\", is = [false] }, then = \"rejected\" }] }",
    );
    assert_ne!(deciding, WHOLE);
    let confirmed = |reply| {
        let deciding = deciding.clone();
        async move {
            let replies = [TOKEN, TRANSACTION, POST, ("/confirm/L-7", reply)];
            ByRote::start(&deciding, &replies).await.post().await
        }
    };
    let sale = confirmed("200 {\"ok\":true}").await;
    assert_eq!(accepted(&sale).buyer_ref.as_deref(), Some("L-7"));
    assert!(matches!(confirmed("200 {\"ok\":false}").await, PostAnswer::Rejected(_)));
    assert!(matches!(confirmed("200 {}").await, PostAnswer::Unknown(_)));
    assert!(matches!(confirmed("500 {}").await, PostAnswer::Unknown(_)));
    let silent = ByRote::start(&deciding, &[TOKEN, TRANSACTION, POST]).await;
    assert!(matches!(silent.post_within(Duration::from_secs(1)).await, PostAnswer::Unknown(_)));
}

#[tokio::test]
async fn a_post_that_is_refused_is_not_confirmed() {
    let refused = ("/post", r#"200 {"ok":false}"#);
    let buyer = ByRote::start(WHOLE, &[TOKEN, TRANSACTION, refused, CONFIRM]).await;
    assert!(matches!(buyer.post().await, PostAnswer::Rejected(_)));
    assert_eq!(buyer.paths(), ["/token", "/transaction", "/post"]);
}

#[tokio::test]
async fn a_buyer_is_asked_what_became_of_a_post() {
    let status = async |reply| {
        let buyer = ByRote::start(WHOLE, &[TOKEN, ("/status", reply)]).await;
        let answer = buyer.ask(Resolver::Status).await;
        assert!(buyer.asked_at("/status").ends_with(r#"{"id":"L-7"}"#));
        answer
    };
    assert!(matches!(status(r#"200 {"state":"sold"}"#).await, PostAnswer::Accepted(_)));
    assert!(matches!(status(r#"200 {"state":"working"}"#).await, PostAnswer::Pending(_)));
    assert!(matches!(status(r#"200 {"state":"gone"}"#).await, PostAnswer::Rejected(_)));
    assert_eq!(status("200 {}").await, PostAnswer::Unknown(Unknown::Unreadable));
    assert_eq!(status("503 {}").await, PostAnswer::Unknown(Unknown::Http5xx));
    // A question that is redirected refuses nothing.
    assert_eq!(status("302 {}").await, PostAnswer::Unknown(Unknown::Unreadable));
}

#[tokio::test]
async fn a_cancelled_post_is_a_rejection_of_its_own_class() {
    let buyer = ByRote::start(WHOLE, &[TOKEN, ("/void", r#"200 {"void":true}"#)]).await;
    let PostAnswer::Rejected(why) = buyer.ask(Resolver::Void).await else { panic!("not voided") };
    assert_eq!(why.class, RejectClass::Voided);
    assert!(buyer.asked_at("/void").ends_with(r#"{"id":"att_1"}"#));
    let buyer = ByRote::start(WHOLE, &[TOKEN, ("/void", r#"200 {"void":false}"#)]).await;
    assert!(matches!(buyer.ask(Resolver::Void).await, PostAnswer::Unknown(_)));
    assert_eq!(buyer.ask(Resolver::Repost).await, PostAnswer::NotSent(NotSent::Unrendered));
}

#[test]
fn what_the_exchange_must_know_of_a_connector_is_read() {
    let connector = connector(WHOLE);
    assert_eq!(connector.resolvers(), [Resolver::Status, Resolver::Void]);
    assert_eq!(connector.answer_within(), Duration::from_secs(7200));
    let pauses = [0, 9, 10, 299, 300].map(|age| connector.poll().pause(Duration::from_secs(age)));
    let expected = [Some(1), Some(1), Some(5), Some(5), None];
    assert_eq!(pauses, expected.map(|pause| pause.map(Duration::from_secs)));
    assert_eq!(connector.callback_answer(), (200, "OK"));
    assert_eq!(
        connector.stages(),
        ["pre_ping", "ping", "pre_post", "post", "confirm", "status", "void"]
    );
}

const CALLED_BACK: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "fixed" }
[connector.main]
resolve = ["callback"]
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "8s"
body = { lead = "{{ lead }}", tell = "{{ callback_url }}" }
reply = { rules = [{ when = { at = "$.ok", is = [true] }, then = "pending" }, { when = { at = "$.ok", is = [false] }, then = "rejected" }] }
[connector.main.callback]
answer = { status = 202, body = "thanks" }
[connector.main.callback.reply]
rules = [
  { when = { key = "state", is = ["sold"] }, then = "accepted" },
  { when = { key = "state", is = ["no"] }, then = "rejected" },
]
ref = { key = "id" }
"#;

#[tokio::test]
async fn a_buyer_is_told_where_to_call_and_its_call_is_read() {
    let buyer = ByRote::start(CALLED_BACK, &[("/post", r#"200 {"ok":true}"#)]).await;
    let (mut job, permit) = post_job(&buyer.connector);
    job.callback_url = Some("https://us.example/v1/callbacks/x".to_owned());
    let answered = buyer.transport.post(&buyer.connector, job, permit, LONG).await;
    assert!(matches!(answered.answer, PostAnswer::Pending(_)));
    let post = buyer.asked_at("/post");
    assert!(post.contains(r#""tell":"https://us.example/v1/callbacks/x""#), "{post}");
    assert_eq!(buyer.connector.callback_answer(), (202, "thanks"));
    let headers = http::HeaderMap::new();
    let call = |query, body| {
        buyer.connector.read_callback(&CallbackCall { query, headers: &headers, body })
    };
    assert_eq!(accepted(&call("state=sold&id=7", b"")).buyer_ref.as_deref(), Some("7"));
    assert_eq!(accepted(&call("id=7", b"state=sold")).buyer_ref.as_deref(), Some("7"));
    assert!(matches!(call("state=no", b""), PostAnswer::Rejected(_)));
    assert!(matches!(call("", b""), PostAnswer::Unknown(_)));
}

/// The findings of a file.
fn found(text: &str) -> String {
    listed(&compile_file("buyer.toml", text).1)
}

#[test]
fn a_resolver_without_what_it_needs_is_a_finding() {
    let none = CALLED_BACK.replace("resolve = [\"callback\"]", "resolve = [\"status\"]");
    assert!(found(&none).contains("no_stage: `status`"), "{}", found(&none));
    let none = CALLED_BACK.replace("resolve = [\"callback\"]", "resolve = [\"void\"]");
    assert!(found(&none).contains("no_stage: `void`"));
    let none = CALLED_BACK.replace("resolve = [\"callback\"]", "resolve = [\"repost\"]");
    assert!(found(&none).contains("no_idempotency_key"));
    let none = CALLED_BACK.replace(", tell = \"{{ callback_url }}\"", "");
    assert!(found(&none).contains("no_callback_url"));
    let none = CALLED_BACK.split("[connector.main.callback]").next().expect("a head");
    assert!(found(none).contains("no_stage: `callback`"));
    let none = CALLED_BACK.replace("resolve = [\"callback\"]", "resolve = [\"callbak\"]");
    assert!(found(&none).contains("did you mean \"callback\"?"));
    let twice = CALLED_BACK.replace("[\"callback\"]", "[\"callback\", \"callback\"]");
    assert!(found(&twice).contains("there twice"));
    assert_eq!(found(CALLED_BACK), "");
}

#[test]
fn a_ladder_that_does_not_rise_is_a_finding() {
    for ladder in [
        "[]",
        "[{ every = \"1s\" }]",
        "[{ every = \"1ms\", until = \"10s\" }]",
        "[{ every = \"1s\", until = \"10s\" }, { every = \"1s\", until = \"10s\" }]",
    ] {
        let old = "[{ every = \"1s\", until = \"10s\" }, { every = \"5s\", until = \"300s\" }]";
        let text = WHOLE.replace(old, ladder);
        assert_ne!(text, WHOLE);
        assert!(!found(&text).is_empty(), "{ladder}");
    }
}

#[tokio::test]
async fn a_redirect_is_read_where_the_connector_says_so_and_followed_never() {
    let text = CALLED_BACK.replace(
        "reply = { rules = [{ when = { at = \"$.ok\", is = [true] }, then = \"pending\" }, { when = { at = \"$.ok\", is = [false] }, then = \"rejected\" }] }",
        "reply = { redirects = \"read\", rules = [{ when = { status = [302] }, then = \"accepted\" }, { when = { status = [200] }, then = \"rejected\" }], redirect = { header = \"location\" } }",
    );
    assert_ne!(text, CALLED_BACK);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let hosts = HashMap::from([("bids.acme.example".to_owned(), address)]);
    let settings = TransportSettings { hosts, ..TransportSettings::default() };
    let transport = Transport::new(settings).expect("a transport");
    let connector = connector(&text);
    let (job, permit) = post_job(&connector);
    let post = transport.post(&connector, job, permit, LONG);
    let mut stream = listener.accept().await.expect("a connection").0;
    request(&mut stream).await;
    let to = "location: https://bids.acme.example/offer/7\r\n";
    say(&mut stream, &format!("HTTP/1.1 302 Found\r\n{to}content-length: 0\r\n\r\n")).await;
    let answer = post.await.answer;
    let redirect = accepted(&answer).redirect_url.as_deref();
    assert_eq!(redirect, Some("https://bids.acme.example/offer/7"));
    let again = tokio::time::timeout(Duration::from_millis(50), request(&mut stream)).await;
    assert!(again.is_err());
}
