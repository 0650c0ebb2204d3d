//! Buyers that call back: whenever, however often, whatever they say; and strangers that try.
//!
//! The buyer bids 30.00 for everything and answers posts with `wait`, unless a test says otherwise.
//! Its seller gets 24.00 when it buys.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::harness::process::Serving;
use crate::harness::raw_buyer::{Act, RawBuyer, RawRequest, ok_json};
use crate::harness::{Answer, TestBuyer, World, eventually, lead, ping_of};

const BID: &str = r#"{"ok":true,"id":"t1","price":"30.00","currency":"USD"}"#;
const WAIT: &str = r#"{"wait":true}"#;
const SOLD: &str = r#"{"ok":true,"ref":"r1"}"#;
const NO: &str = r#"{"ok":false,"why":"no"}"#;

/// A buyer that bids and says this to posts.
async fn buyer(to_posts: impl Fn(&RawRequest) -> Act + Send + Sync + 'static) -> RawBuyer {
    RawBuyer::start(move |request| match request.path.as_str() {
        "/ping" => Act::Say(ok_json(BID)),
        _ => to_posts(request),
    })
    .await
}

async fn waiting_buyer() -> RawBuyer {
    buyer(|_| Act::Say(ok_json(WAIT))).await
}

/// A buyer that says nothing to a post before it is let go.
async fn held_buyer(says: &'static str) -> (RawBuyer, Sender<()>) {
    let (let_go, wait) = channel();
    let wait: Mutex<Receiver<()>> = Mutex::new(wait);
    let raw = buyer(move |_| {
        let let_go = tokio::task::block_in_place(|| wait.lock().unwrap().recv());
        assert!(let_go.is_ok() || std::thread::panicking(), "a test lets its buyer go");
        Act::Say(ok_json(says))
    });
    (raw.await, let_go)
}

fn alpha(raw: &RawBuyer) -> TestBuyer {
    TestBuyer::raw("alpha", raw.addr).calls_back(true).post_timeout("20s")
}

/// With so little time that a pending post is answered `pending` after three seconds.
async fn short(buyer: TestBuyer) -> World {
    let tree = "deadline = \"3s\"\npost_reserve = \"1500ms\"\n";
    World::of([buyer]).times(tree, "1500ms").start().await
}

/// With so much time that every call comes in time.
async fn long(buyer: TestBuyer) -> World {
    let tree = "deadline = \"30s\"\npost_reserve = \"25s\"\n";
    World::of([buyer]).times(tree, "3s").start().await
}

/// The address that the buyer was told in its latest request to this path.
async fn told(raw: &RawBuyer, path: &str) -> String {
    eventually("a request with an address", || async {
        let heard: Value = serde_json::from_str(&raw.requests(path).last()?.body).unwrap();
        Some(heard["cb"].as_str().unwrap().to_owned())
    })
    .await
}

/// What the exchange answers to a call.
async fn call(world: &World, method: Method, url: &str, body: &str) -> Answer {
    let path = url.strip_prefix(&format!("http://{}", world.site.seller)).unwrap();
    let request = world.seller.bare(method, path);
    let request = if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json").body(body.to_owned())
    };
    world.seller.answer(request).await
}

/// The buyer says this and is thanked.
async fn says(world: &World, url: &str, said: &Value) {
    let answer = call(world, Method::POST, url, &said.to_string()).await;
    assert_eq!((answer.status, answer.text().as_str()), (202, "heard"));
}

fn sold() -> Value {
    json!({ "status": "sold", "ref": "r9" })
}

fn no() -> Value {
    json!({ "status": "no" })
}

fn posting(world: &World, number: u32) -> JoinHandle<Answer> {
    let seller = world.seller.clone();
    tokio::spawn(async move { seller.post(&lead(number)).await })
}

/// How many attempts have this state, on disk, now.
fn attempts(world: &World, state: &str) -> u64 {
    world.site.rows(&format!("attempt WHERE state = '{state}'"))
}

fn exceptions(world: &World) -> u64 {
    world.site.rows("exception")
}

/// A lead that is pending after its auction, and the address that its buyer was told.
async fn pending(world: &World, raw: &RawBuyer, number: u32) -> (String, String) {
    let answer = world.seller.post(&lead(number)).await;
    assert_eq!(answer.outcome(), "pending", "{}", answer.text());
    (answer.at("lead_id"), told(raw, "/post").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_while_the_auction_waits_is_the_answer_of_its_post() {
    let raw = waiting_buyer().await;
    let mut world = long(alpha(&raw)).await;
    let answer = posting(&world, 1);
    let url = told(&raw, "/post").await;
    says(&world, &url, &sold()).await;
    assert_eq!(attempts(&world, "accepted"), 1, "durable before the buyer was thanked");
    let answer = answer.await.unwrap();
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "24.00"));
    let shown = world.journey_with(&answer.at("lead_id"), "accepted").await;
    assert!(shown.contains("r9"), "the buyer's own id is kept: {shown}");
    let metrics = world.metrics().await;
    let counted = metrics.lines().find(|line| line.starts_with("rialto_callbacks_total{"));
    let counted = counted.unwrap_or_else(|| panic!("{metrics}"));
    assert!(counted.contains(r#"outcome="accepted""#) && counted.ends_with(" 1"), "{counted}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusing_call_while_the_auction_waits_sends_the_lead_to_the_next_bidder() {
    let raw = waiting_buyer().await;
    let tree = "deadline = \"30s\"\npost_reserve = \"25s\"\n";
    let bidders = [alpha(&raw), TestBuyer::nested("beta", 1000)];
    let mut world = World::of(bidders).times(tree, "3s").start().await;
    let answer = posting(&world, 1);
    let url = told(&raw, "/post").await;
    says(&world, &url, &no()).await;
    assert_eq!(attempts(&world, "rejected"), 1, "durable before the buyer was thanked");
    let answer = answer.await.unwrap();
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "8.00"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c02_a_call_before_the_posts_own_reply_was_read_and_the_reply_are_one_sale() {
    let (raw, let_go) = held_buyer(SOLD).await;
    let mut world = long(alpha(&raw)).await;
    let answer = posting(&world, 1);
    let url = told(&raw, "/post").await;
    says(&world, &url, &sold()).await;
    assert_eq!(answer.await.unwrap().outcome(), "sold");
    let_go.send(()).unwrap();
    says(&world, &url, &sold()).await;
    assert_eq!((attempts(&world, "accepted"), exceptions(&world)), (1, 0));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_reply_that_contradicts_an_earlier_call_becomes_an_exception() {
    let (raw, let_go) = held_buyer(NO).await;
    let mut world = long(alpha(&raw)).await;
    let answer = posting(&world, 1);
    let url = told(&raw, "/post").await;
    says(&world, &url, &sold()).await;
    let answer = answer.await.unwrap();
    assert_eq!(answer.outcome(), "sold", "the first word stands");
    let_go.send(()).unwrap();
    let noted = || async { (exceptions(&world) == 1).then_some(()) };
    eventually("the contradiction", noted).await;
    assert_eq!(world.seller.lead(&answer.at("lead_id")).await.at("status"), "sold");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_call_that_contradicts_what_is_booked_changes_nothing_and_becomes_an_exception() {
    let raw = buyer(|_| Act::Say(ok_json(NO))).await;
    let mut world = long(alpha(&raw)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "unsold");
    let url = told(&raw, "/post").await;
    says(&world, &url, &no()).await;
    assert_eq!(exceptions(&world), 0, "the same again");
    says(&world, &url, &sold()).await;
    assert_eq!((attempts(&world, "rejected"), exceptions(&world)), (1, 1));
    let id = answer.at("lead_id");
    assert_eq!(world.seller.lead(&id).await.at("status"), "unsold");
    assert!(world.run(&["lead", "show", &id]).ok().contains("contradiction"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c02_what_a_buyer_says_again_and_again_is_one_sale() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (id, url) = pending(&world, &raw, 1).await;
    let calls = (0..16).map(|_| {
        let (seller, path) = (world.seller.clone(), url.clone());
        let path = path.split_at(path.find("/v1/").unwrap()).1.to_owned();
        tokio::spawn(async move {
            let request = seller.bare(Method::POST, &path).body(sold().to_string());
            seller.answer(request.header("content-type", "application/json")).await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (202, "heard"));
    }
    assert_eq!((attempts(&world, "accepted"), exceptions(&world)), (1, 0));
    assert_eq!(world.until_status(&id, "sold").await["price"], "24.00");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_the_auction_settles_the_pending_lead_either_way() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (first, url) = pending(&world, &raw, 1).await;
    let gauge = "rialto_pending_posts{buyer=\"alpha\"} 1";
    assert!(world.metrics().await.contains(gauge), "{}", world.metrics().await);
    says(&world, &url, &json!({ "status": "wait" })).await;
    says(&world, &url, &json!({ "event": "viewed" })).await;
    assert_eq!(attempts(&world, "unknown"), 1, "neither decides anything");
    says(&world, &url, &sold()).await;
    assert_eq!(world.until_status(&first, "sold").await["price"], "24.00");
    let sold_for = "rialto_sale_minor_units_total{buyer=\"alpha\",currency=\"USD\"} 3000";
    assert!(world.metrics().await.contains(sold_for), "{}", world.metrics().await);
    says(&world, &url, &sold()).await;
    assert!(world.metrics().await.contains(sold_for), "one sale counts once");
    let (second, url) = pending(&world, &raw, 2).await;
    says(&world, &url, &no()).await;
    world.until_status(&second, "unsold").await;
    assert_eq!(exceptions(&world), 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_a_crash_settles_what_the_crash_left() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (id, url) = pending(&world, &raw, 1).await;
    world.serving.kill();
    world.serving = Serving::start(&world.site).await;
    says(&world, &url, &sold()).await;
    assert_eq!(world.until_status(&id, "sold").await["price"], "24.00");
    says(&world, &url, &sold()).await;
    assert_eq!((attempts(&world, "accepted"), exceptions(&world)), (1, 0));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_ping_leads_to_the_post_that_follows_it() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    let url = told(&raw, "/ping").await;
    assert_eq!(call(&world, Method::POST, &url, &sold().to_string()).await.status, 404);
    let answer = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(answer.outcome(), "pending", "{}", answer.text());
    says(&world, &url, &sold()).await;
    world.until_status(&answer.at("lead_id"), "sold").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_reply_after_a_call_has_settled_the_pending_post_becomes_an_exception() {
    let (raw, let_go) = held_buyer(SOLD).await;
    let mut world = short(alpha(&raw)).await;
    let (id, url) = pending(&world, &raw, 1).await;
    says(&world, &url, &no()).await;
    world.until_status(&id, "unsold").await;
    let_go.send(()).unwrap();
    let noted = || async { (exceptions(&world) == 1).then_some(()) };
    eventually("the contradiction", noted).await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_about_a_refused_post_while_the_next_tier_is_asked_books_no_sale() {
    let raw = buyer(|_| Act::Say(ok_json(NO))).await;
    let (let_go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let next = RawBuyer::start(move |request| match request.path.as_str() {
        "/ping" => {
            let let_go = tokio::task::block_in_place(|| wait.lock().unwrap().recv());
            assert!(let_go.is_ok() || std::thread::panicking(), "a test lets its buyer go");
            Act::Say(ok_json(BID))
        }
        _ => Act::Say(ok_json(SOLD)),
    })
    .await;
    let beta = TestBuyer::raw("beta", next.addr).ping_timeout("20s");
    let tree = "deadline = \"30s\"\npost_reserve = \"5s\"\n";
    let world = World::of([alpha(&raw)]).tier([beta]).times(tree, "20s");
    let mut world = world.start().await;
    let answer = posting(&world, 1);
    let url = told(&raw, "/post").await;
    let asked = || async { (!next.requests("/ping").is_empty()).then_some(()) };
    eventually("the next tier", asked).await;
    let early = call(&world, Method::POST, &url, &sold().to_string()).await;
    assert_eq!(early.status, 503, "the refusal is not durable yet: call again");
    let_go.send(()).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.outcome(), "sold", "to the next tier: {}", answer.text());
    assert_eq!((attempts(&world, "rejected"), attempts(&world, "accepted")), (1, 1));
    says(&world, &url, &sold()).await;
    assert_eq!(exceptions(&world), 1);
    world.books_verify().await;
}

/// Bids, refuses at a price it would pay, and is told where to call in its pings and posts.
const HAGGLER: &str = r#"auth = { scheme = "bearer", secret = "alpha_token" }

[connector.main.ping]
url = "ORIGIN/ping"
format = "json"
timeout = "3s"
body = { zip = "{{ zip }}", cb = "{{ callback_url }}" }
reply = { rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }], price = { at = "$.price" } }

[connector.main.post]
url = "ORIGIN/post"
format = "json"
timeout = "20s"
body = { lead = "{{ lead }}", cb = "{{ callback_url }}" }
reply = { rules = [
  { when = { at = "$.ok", is = [false] }, then = "rejected" },
  { when = { at = "$.wait", is = [true] }, then = "pending" },
], counter = { at = "$.would" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_by_the_address_of_a_ping_says_nothing_of_a_second_post() {
    let posts = Mutex::new(0);
    let raw = buyer(move |_| {
        let mut posts = posts.lock().unwrap();
        *posts += 1;
        Act::Say(ok_json(if *posts == 1 { r#"{"ok":false,"would":"25.00"}"# } else { WAIT }))
    });
    let raw = raw.await;
    let haggler = TestBuyer::raw("alpha", raw.addr).dialect(HAGGLER).calls_back(true);
    let mut world = long(haggler).await;
    let answer = posting(&world, 1);
    let waits = || async { (attempts(&world, "unknown") == 1).then_some(()) };
    eventually("the second post", waits).await;
    says(&world, &told(&raw, "/ping").await, &no()).await;
    assert_eq!(attempts(&world, "unknown"), 1, "it may be the first refusal once more");
    says(&world, &told(&raw, "/post").await, &sold()).await;
    let answer = answer.await.unwrap();
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "20.00"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_may_be_a_get_or_a_form() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (first, url) = pending(&world, &raw, 1).await;
    let head = call(&world, Method::HEAD, &format!("{url}?status=sold"), "").await;
    assert_eq!(head.status, 405, "a look at an address says nothing");
    let answer = call(&world, Method::GET, &format!("{url}?status=sold&ref=r3"), "").await;
    assert_eq!(answer.text(), "heard");
    world.until_status(&first, "sold").await;
    let (second, url) = pending(&world, &raw, 2).await;
    let (_, path) = url.split_at(url.find("/v1/").unwrap());
    let form = world.seller.bare(Method::PUT, path).body("status=no");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.seller.answer(form).await.text(), "heard");
    world.until_status(&second, "unsold").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_hangs_up_before_it_is_thanked_has_said_it_all_the_same() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (id, url) = pending(&world, &raw, 1).await;
    let (_, path) = url.split_at(url.find("/v1/").unwrap());
    let body = sold().to_string();
    let length = body.len();
    let mut stream = TcpStream::connect(world.site.seller).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    world.until_status(&id, "sold").await;
    world.books_verify().await;
}

/// The address with one part replaced.
fn with_part(url: &str, from_the_end: usize, part: &str) -> String {
    let mut parts: Vec<&str> = url.split('/').collect();
    let at = parts.len() - 1 - from_the_end;
    parts[at] = part;
    parts.join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_nothing_and_change_nothing() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (id, url) = pending(&world, &raw, 1).await;
    let signature = url.rsplit('/').next().unwrap();
    let flipped = signature.replace(|c: char| c.is_ascii_digit(), "e");
    let (other, _) = url.rsplit_once('/').unwrap();
    for stranger in [
        with_part(&url, 0, &flipped),
        with_part(&url, 0, &signature.to_uppercase().replace(char::is_numeric, "0")),
        with_part(&url, 0, "x"),
        with_part(&url, 1, "att_00000000000000000000000000_1"),
        with_part(&url, 1, &id.replace("lead_", "ping_")),
        with_part(&url, 2, "other"),
        with_part(&url, 3, "..%2falpha"),
        other.to_owned(),
    ] {
        let answer = call(&world, Method::POST, &stranger, &sold().to_string()).await;
        assert_eq!(answer.status, 404, "{stranger}");
        assert!(stranger == other || answer.body.is_empty(), "{stranger}: {}", answer.text());
    }
    let large = json!({ "status": "sold", "pad": "x".repeat(70 * 1024) }).to_string();
    assert_eq!(call(&world, Method::POST, &url, &large).await.status, 413);
    assert_eq!(call(&world, Method::DELETE, &url, "").await.status, 405);
    assert_eq!(attempts(&world, "unknown"), 1);
    assert!(world.metrics().await.contains("rialto_callbacks_refused_total{reason=\"unsigned\"}"));
    says(&world, &url, &sold()).await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_cut_off_and_others_are_heard() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (_, url) = pending(&world, &raw, 1).await;
    let (_, path) = url.split_at(url.find("/v1/").unwrap());
    let mut slow = TcpStream::connect(world.site.seller).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{");
    slow.write_all(head.as_bytes()).await.unwrap();
    says(&world, &url, &sold()).await;
    let mut heard = String::new();
    let read = tokio::io::AsyncReadExt::read_to_string(&mut slow, &mut heard);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_tells_our_address_needs_one() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    let settings = std::fs::read_to_string(world.site.path("rialto.toml")).unwrap();
    let lines = settings.lines().filter(|line| !line.starts_with("public_url"));
    world.site.write("rialto.toml", &lines.collect::<Vec<_>>().join("\n"));
    let checked = world.run(&["check"]);
    let printed = format!("{}{}", checked.stdout, checked.stderr);
    assert_eq!(checked.code, Some(78), "{printed}");
    assert!(printed.contains("server.public_url"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_post_of_a_campaign_that_has_left_the_config_waits_and_says_so() {
    let raw = waiting_buyer().await;
    let mut world = short(alpha(&raw)).await;
    let (id, _) = pending(&world, &raw, 1).await;
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    let file = std::fs::read_to_string(world.site.path("buyers/alpha.toml")).unwrap();
    world.site.write("buyers/alpha.toml", &file.replace("id = \"auto\"", "id = \"gone\""));
    let tree = std::fs::read_to_string(world.site.path("trees/auto_main.toml")).unwrap();
    world.site.write("trees/auto_main.toml", &tree.replace("alpha/auto", "alpha/gone"));
    world.serving = Serving::start(&world.site).await;
    assert!(world.site.log().contains("it waits for a person"), "{}", world.site.log());
    let shown = world.run(&["lead", "show", &id]).ok();
    assert!(shown.contains("the config does not know"), "{shown}");
    assert_eq!(attempts(&world, "unknown"), 1);
    world.books_verify().await;
}
