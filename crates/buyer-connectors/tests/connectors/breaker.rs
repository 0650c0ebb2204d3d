//! A buyer that fails is left alone, and a ping that holds contact data stays here.

use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::BreakerState;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, NotSent};

use crate::calls::ByRote;
use crate::world::{connector, ping_job};

const BUYER: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "bid" }
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "2s"
body = { zip = "{{ zip }}", carrier = "{{ carrier }}" }
reply = { rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }, { when = { at = "$.ok", is = [false] }, then = "no_bid" }, { when = { at = "$.down", is = [true] }, then = "failed" }], price = { at = "$.price" } }
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "2s"
body = { lead = "{{ lead }}" }
reply = { rules = [{ when = { at = "$.ok", is = [false] }, then = "rejected" }, { when = { at = "$.ok", is = [true] }, then = "accepted" }] }
"#;

const SOLD: (&str, &str) = ("/post", r#"200 {"ok":true}"#);
const OPEN: PingAnswer = PingAnswer::NoBid(NoBid::ConnectError(NotSent::BreakerOpen));

fn state(buyer: &ByRote) -> BreakerState {
    buyer.transport.breaker(buyer.connector.buyer())
}

#[tokio::test]
async fn a_buyer_that_fails_five_times_in_a_row_is_left_alone() {
    for reply in ["500 {}", "200 {\"down\":true}"] {
        let buyer = ByRote::start(BUYER, &[("/ping", reply), SOLD]).await;
        for _ in 0..5 {
            assert_eq!(state(&buyer), BreakerState::Closed);
            assert_ne!(buyer.ping().await, OPEN);
        }
        assert_eq!(state(&buyer), BreakerState::Open, "{reply}");
        assert_eq!(buyer.ping().await, OPEN);
        assert_eq!(buyer.post().await, PostAnswer::NotSent(NotSent::BreakerOpen));
        assert_eq!(buyer.asked().len(), 5, "no call is made");
    }
}

#[tokio::test]
async fn a_buyer_that_cannot_be_reached_is_left_alone() {
    let mut buyer = ByRote::start(BUYER, &[]).await;
    // No such host in the table, and none in the world.
    buyer.connector = connector(&BUYER.replace("bids.acme.example", "bids.acme.invalid"));
    for _ in 0..5 {
        assert_eq!(buyer.ping().await, PingAnswer::NoBid(NoBid::ConnectError(NotSent::Dns)));
    }
    assert_eq!(buyer.ping().await, OPEN);
}

#[tokio::test]
async fn silence_is_the_buyers_fault_unless_we_gave_it_no_time() {
    let short = Duration::from_millis(20);
    let silent = async |own: &str| {
        let text = BUYER.replace("timeout = \"2s\"", &format!("timeout = \"{own}\""));
        let buyer = ByRote::start(&text, &[]).await;
        for _ in 0..5 {
            let ping = buyer.transport.ping(&buyer.connector, ping_job(), short).await;
            assert_eq!(ping.answer, PingAnswer::NoBid(NoBid::Timeout));
        }
        state(&buyer)
    };
    assert_eq!(silent("20ms").await, BreakerState::Open);
    assert_eq!(silent("2s").await, BreakerState::Closed);
}

#[tokio::test]
async fn refusals_are_a_sign_of_health() {
    let buyer = ByRote::start(BUYER, &[("/ping", r#"200 {"ok":false}"#), SOLD]).await;
    for _ in 0..8 {
        assert!(matches!(buyer.ping().await, PingAnswer::NoBid(NoBid::Declined(_))));
    }
    assert_eq!(state(&buyer), BreakerState::Closed);
    assert!(matches!(buyer.post().await, PostAnswer::Accepted(_)));
    assert!(!buyer.transport.network_alarm());
}

#[tokio::test]
async fn a_secret_beside_it_hides_no_contact_data_from_the_guard() {
    let header = "\"{{ secret.acme_api_key }} {{ carrier }}\"";
    let credential =
        format!("auth = {{ scheme = \"header\", name = \"X-Key\", value = {header} }}\n");
    for (before, keys) in [
        ("[connector.main.ping]\n", format!("headers = {{ X-Key = {header} }}\n")),
        ("[connector.main]\n", credential),
    ] {
        let text = BUYER.replace("{{ carrier }}", "none");
        let text = match before {
            "[connector.main]\n" => text.replacen(
                "[connector.main.ping]",
                &format!("{before}{keys}[connector.main.ping]"),
                1,
            ),
            _ => text.replacen(before, &format!("{before}{keys}"), 1),
        };
        let (buyer, answer) = pinged_by(&text, "call 512-555-0134").await;
        let stopped = PingAnswer::NoBid(NoBid::ConnectError(NotSent::ContactInPing));
        assert_eq!(answer, stopped, "{keys}");
        assert!(buyer.asked().is_empty(), "{keys}");
    }
}

/// The example lead, whose open field `carrier` a seller has filled with something else.
async fn pinged_with(carrier: &str) -> (ByRote, PingAnswer) {
    pinged_by(BUYER, carrier).await
}

async fn pinged_by(text: &str, carrier: &str) -> (ByRote, PingAnswer) {
    let buyer = ByRote::start(text, &[("/ping", r#"200 {"ok":true,"price":5}"#)]).await;
    let mut job = ping_job();
    job.lead = Arc::new(crate::world::lead_with("carrier", carrier));
    let timeout = crate::calls::LONG;
    let answer = buyer.transport.ping(&buyer.connector, job, timeout).await.answer;
    (buyer, answer)
}

#[tokio::test]
async fn contact_data_that_a_seller_wrote_into_an_open_field_does_not_leave_in_a_ping() {
    for carrier in ["call 512-555-0134", "sample@example.com", "SAMPLE%40example.com"] {
        let (buyer, answer) = pinged_with(carrier).await;
        let stopped = PingAnswer::NoBid(NoBid::ConnectError(NotSent::ContactInPing));
        assert_eq!(answer, stopped, "{carrier}");
        assert!(buyer.asked().is_empty(), "{carrier}");
        assert_eq!(buyer.transport.load(buyer.connector.buyer()).contact_stopped, 1);
        assert_eq!(state(&buyer), BreakerState::Closed);
    }
    let (_, answer) = pinged_with("Progressive").await;
    assert!(matches!(answer, PingAnswer::Bid { .. }));
}

#[tokio::test]
async fn the_wait_is_learned_from_answers_and_only_where_it_may_be() {
    let learning =
        BUYER.replacen("timeout = \"2s\"", "timeout = \"2s\"\nleast_timeout = \"50ms\"", 1);
    for (text, learns) in [(learning.as_str(), true), (BUYER, false)] {
        let buyer = ByRote::start(text, &[("/ping", r#"200 {"ok":false}"#), SOLD]).await;
        let wait = || buyer.transport.ping_wait(&buyer.connector).unwrap();
        for _ in 0..19 {
            buyer.ping().await;
        }
        assert_eq!(
            (wait(), buyer.transport.typical(&buyer.connector)),
            (Duration::from_secs(2), None)
        );
        buyer.ping().await;
        assert!(buyer.transport.typical(&buyer.connector).is_some());
        assert_eq!(wait() < Duration::from_secs(1), learns, "{:?}", wait());
        assert!(wait() >= Duration::from_millis(50));
    }
}
