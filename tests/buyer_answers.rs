//! What buyers say beside yes and no: another price, later, or too late.
//!
//! `subject` bids 50.00, of which its seller would get 40.00; `honest` bids 10.00 and pays its
//! seller 8.00, and must get nothing while `subject` may have the lead.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use exchange_lab::{Fault, FaultPlan};
use serde_json::{Value, json};

use crate::harness::raw_buyer::{Act, RawBuyer, RawRequest, ok_json};
use crate::harness::{Answer, TestBuyer, World, eventually, lead};

const HONEST: u32 = 1000;
const HONEST_PAYS: &str = "8.00";

/// A dialect with every stage that follows a post.
const TALKATIVE: &str = r#"
[connector.main.ping]
url = "ORIGIN/ping"
format = "json"
timeout = "3s"
body = { zip = "{{ zip }}" }
[connector.main.ping.reply]
as = "json"
rules = [{ when = { at = "$.price", exists = true }, then = "bid" }]
otherwise = "no_bid"
price = { at = "$.price" }
token = { at = "$.id" }

[connector.main.post]
url = "ORIGIN/post"
format = "json"
timeout = "3s"
idempotency_key = { header = "Idempotency-Key" }
body = { id = "{{ ping.token }}", price = "{{ price }}", lead = "{{ lead }}" }
[connector.main.post.reply]
as = "json"
rules = [
  { when = { at = "$.state", is = ["refused"] }, then = "rejected" },
  { when = { at = "$.state", is = ["sold"] }, then = "accepted" },
  { when = { at = "$.state", is = ["queued"] }, then = "pending" },
]
price = { at = "$.price" }
ref = { at = "$.ref" }
counter = { at = "$.would_pay" }
values = { queue = { at = "$.queue" } }

[connector.main.status]
url = "ORIGIN/status"
format = "json"
timeout = "3s"
body = { queue = "{{ post.queue }}" }
poll = [{ every = "1s", until = "60s" }]
[connector.main.status.reply]
as = "json"
rules = [
  { when = { at = "$.state", is = ["refused"] }, then = "rejected" },
  { when = { at = "$.state", is = ["sold"] }, then = "accepted" },
  { when = { at = "$.state", is = ["queued"] }, then = "pending" },
]
"#;

/// What the subject answers to its nth post or question; it bids 50.00 for every ping.
async fn subject(
    answer: impl Fn(&str, usize, &RawRequest) -> Value + Send + Sync + 'static,
) -> RawBuyer {
    let (posts, questions) = (AtomicUsize::new(0), AtomicUsize::new(0));
    RawBuyer::start(move |request| {
        let said = match request.path.as_str() {
            "/ping" => json!({ "price": "50.00", "id": "t1" }),
            "/post" => answer("post", posts.fetch_add(1, Ordering::SeqCst), request),
            path => answer(path, questions.fetch_add(1, Ordering::SeqCst), request),
        };
        Act::Say(ok_json(&said.to_string()))
    })
    .await
}

fn speaking(buyer: &RawBuyer) -> TestBuyer {
    TestBuyer::raw("subject", buyer.addr).dialect(TALKATIVE)
}

async fn beside_honest(subject: TestBuyer) -> World {
    World::of([subject, TestBuyer::nested("honest", HONEST)]).start().await
}

fn outcome_and_price(answer: &Answer) -> (String, String) {
    (answer.outcome(), answer.at("price"))
}

fn sold_for(price: &str) -> (String, String) {
    ("sold".to_owned(), price.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_offer_is_taken_once_at_its_price() {
    let buyer = subject(|_, nth, _| match nth {
        0 => json!({ "state": "refused", "would_pay": "30.00" }),
        _ => json!({ "state": "sold", "price": "30.00", "ref": "r" }),
    })
    .await;
    let mut world = beside_honest(speaking(&buyer)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for("24.00"), "80 % of what it said it would pay");
    let posts = buyer.requests("/post");
    let prices: Vec<Value> = posts.iter().map(|post| post.json()["price"].clone()).collect();
    assert_eq!(prices, ["50.00", "30.00"]);
    let keys: Vec<String> = posts.iter().map(|post| post.header("idempotency-key")).collect();
    assert_ne!(keys[0], keys[1], "another offer is another request");
    assert_eq!(world.buyer("honest").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_offer_to_a_counter_offer_is_a_refusal() {
    let buyer = subject(|_, nth, _| {
        json!({ "state": "refused", "would_pay": format!("{}.00", 40_usize.saturating_sub(nth)) })
    })
    .await;
    let mut world = beside_honest(speaking(&buyer)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for(HONEST_PAYS));
    assert_eq!(buyer.requests("/post").len(), 2, "one counter-offer is taken, no haggling");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_offer_that_another_buyer_betters_is_not_taken() {
    let buyer = subject(|_, _, _| json!({ "state": "refused", "would_pay": "9.00" })).await;
    let mut world = beside_honest(speaking(&buyer)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for(HONEST_PAYS), "10.00 is more than 9.00");
    assert_eq!(buyer.requests("/post").len(), 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_a_lower_price_is_booked_where_the_campaign_allows_it() {
    let buyer = subject(|_, _, _| json!({ "state": "sold", "price": "45.00", "ref": "r" })).await;
    let mut world = beside_honest(speaking(&buyer).campaign("price_change = \"lower\"")).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for("36.00"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_a_higher_price_is_not_booked_where_only_lower_ones_are() {
    let buyer = subject(|_, _, _| json!({ "state": "sold", "price": "55.00", "ref": "r" })).await;
    let mut world = beside_honest(speaking(&buyer).campaign("price_change = \"lower\"")).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for("40.00"), "the bid stands");
    world.journey_with(&answer.at("lead_id"), "price_differs").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_another_price_is_no_sale_where_the_campaign_says_so() {
    let buyer = subject(|_, _, _| json!({ "state": "sold", "price": "45.00", "ref": "r" })).await;
    let mut world = beside_honest(speaking(&buyer).campaign("price_change = \"reject\"")).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for(HONEST_PAYS));
    world.journey_with(&answer.at("lead_id"), "price_refused").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_post_is_asked_about_until_it_is_decided() {
    let buyer = subject(|what, nth, request| match (what, nth) {
        ("post", _) => json!({ "state": "queued", "queue": "q7" }),
        (_, 0) => json!({ "state": "queued" }),
        _ => {
            assert_eq!(request.json()["queue"], "q7");
            json!({ "state": "sold" })
        }
    })
    .await;
    let mut world = beside_honest(speaking(&buyer).resolves(&["status"])).await;
    let answer = world.seller.post(&lead(1)).await;
    let standing = world.until_status(&answer.at("lead_id"), "sold").await;
    assert_eq!(standing["price"], "40.00");
    assert!(buyer.requests("/status").len() >= 2);
    assert_eq!(buyer.requests("/post").len(), 1, "it is asked, not posted to again");
    assert_eq!(world.buyer("honest").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_post_that_is_refused_later_goes_to_nobody_else_by_mistake() {
    let buyer = subject(|what, _, _| match what {
        "post" => json!({ "state": "queued", "queue": "q7" }),
        _ => json!({ "state": "refused" }),
    })
    .await;
    let mut world = beside_honest(speaking(&buyer).resolves(&["status"])).await;
    let answer = world.seller.post(&lead(1)).await;
    // Refused in time: the next buyer gets it. Refused after the answer: it is unsold.
    let id = answer.at("lead_id");
    let ended = eventually("the lead to be decided", || async {
        let status = world.seller.lead(&id).await.at("status");
        (status != "pending").then_some(status)
    })
    .await;
    let honest = world.buyer("honest").stats().posts;
    assert_eq!(ended == "sold", honest == 1, "{ended} with {honest} posts to the next buyer");
    world.books_verify().await;
}

/// The best buyer takes two seconds to refuse; the next one's bid is good for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_bid_whose_token_has_expired_is_not_posted() {
    let slow = TestBuyer::plain("slow", 9000)
        .rejects(1000)
        .faults(FaultPlan::every_post(Fault::Delay(Duration::from_secs(2))));
    let buyer = subject(|_, _, _| json!({ "state": "sold" })).await;
    let hasty = TALKATIVE
        .replace("token = { at = \"$.id\" }", "token = { at = \"$.id\" }\nlifetime = \"1s\"");
    let subject = TestBuyer::raw("subject", buyer.addr).dialect(&hasty);
    let mut world = World::of([slow, subject, TestBuyer::nested("honest", HONEST)]).start().await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(outcome_and_price(&answer), sold_for(HONEST_PAYS));
    assert_eq!(world.buyer("slow").stats().posts, 1);
    assert_eq!(buyer.requests("/post").len(), 0, "a token that is no more is not sent");
    world.journey_with(&answer.at("lead_id"), "expired").await;
    world.books_verify().await;
}
