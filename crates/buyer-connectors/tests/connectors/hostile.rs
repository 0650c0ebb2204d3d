//! Replies that lie, break the rules or make no sense: nothing is coerced, nothing is guessed.

use std::sync::Arc;

use buyer_connectors::Connector;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, Unknown};
use proptest::prelude::*;

use crate::world::{connector, read_ping, read_post};

const JSON: &str = r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = { mode = "bid" }
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "200ms"
body = { zip = "{{ zip }}" }
[connector.main.ping.reply]
rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }]
price = { at = "$.price" }
currency = { at = "$.currency" }
token = { at = "$.token" }
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "200ms"
body = { lead = "{{ lead }}" }
[connector.main.post.reply]
rules = [
  { when = { at = "$.status", is = ["REJECTED"] }, then = "rejected" },
  { when = { all = [{ at = "$.status", is = ["SOLD"] }, { at = "$.id", exists = true }] }, then = "accepted" },
]
price = { at = "$.price" }
"#;

fn json() -> Arc<Connector> {
    connector(JSON)
}

/// The answer to a bid whose price is written like this.
fn priced(price: &str) -> String {
    let body = format!(r#"{{"ok":true,"token":"t","currency":"USD","price":{price}}}"#);
    match read_ping(&json(), 200, body.as_bytes()) {
        PingAnswer::Bid { price, .. } => format!("bid {}", price.amount_text()),
        PingAnswer::Available { .. } => "available".to_owned(),
        PingAnswer::NoBid(why) => why.to_string(),
    }
}

#[test]
fn a_price_is_digits_or_it_is_none() {
    for (price, answer) in [
        ("12.5", "bid 12.50"),
        ("\"12.50\"", "bid 12.50"),
        ("33.333333", "bid 33.333333"),
        ("9999999", "bid 9999999.00"),
        ("0", "declined(other)"),
        ("\"0.00\"", "declined(other)"),
        ("\"1,000\"", "bad_reply(price)"),
        ("\"$5\"", "bad_reply(price)"),
        ("\" 5\"", "bad_reply(price)"),
        ("\"+5\"", "bad_reply(price)"),
        ("\"5.\"", "bad_reply(price)"),
        ("\".5\"", "bad_reply(price)"),
        ("\"1e3\"", "bad_reply(price)"),
        ("1e3", "bad_reply(price)"),
        ("1e400", "bad_reply(price)"),
        ("1e9", "bad_reply(price)"),
        ("-1", "declined(other)"),
        ("-0", "declined(other)"),
        ("33.333333333", "bad_reply(price)"),
        ("10000000", "bad_reply(price)"),
        ("\"\u{0661}\"", "bad_reply(price)"),
        ("\"NaN\"", "bad_reply(price)"),
        ("\"\"", "bad_reply(price)"),
        ("null", "bad_reply(price)"),
        ("true", "bad_reply(price)"),
        ("[5]", "bad_reply(price)"),
        ("{\"usd\":5}", "bad_reply(price)"),
        // Not JSON at all.
        ("NaN", "bad_reply(rules)"),
        ("Infinity", "bad_reply(rules)"),
        ("05", "bad_reply(rules)"),
    ] {
        assert_eq!(priced(price), answer, "{price}");
    }
}

fn pinged(body: &str) -> String {
    match read_ping(&json(), 200, body.as_bytes()) {
        PingAnswer::NoBid(why) => why.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_reply_that_is_not_wholly_right_is_no_bid() {
    for (body, answer) in [
        ("", "bad_reply(rules)"),
        ("<html>Service unavailable</html>", "bad_reply(rules)"),
        (r#"{"ok":true,"ok":false,"price":5}"#, "bad_reply(rules)"),
        (r#"{"ok":"true","price":5}"#, "declined(other)"),
        (r#"{"ok":1,"price":5}"#, "declined(other)"),
        (r#"{"ok":false,"price":5}"#, "declined(other)"),
        (r#"{"price":5}"#, "bad_reply(rules)"),
        (r#"{"ok":true,"price":5,"currency":"USD"}"#, "bad_reply(token)"),
        (r#"{"ok":true,"price":5,"currency":"USD","token":""}"#, "bad_reply(token)"),
        (r#"{"ok":true,"price":5,"currency":"USD","token":"a\u0000b"}"#, "bad_reply(token)"),
        (r#"{"ok":true,"token":"t","price":5,"currency":"EUR"}"#, "wrong_currency"),
        (r#"{"ok":true,"token":"t","price":5,"currency":"usd"}"#, "wrong_currency"),
        (r#"{"ok":true,"token":"t","price":5}"#, "wrong_currency"),
        (r#"{"ok":true,"token":"t","price":5,"currency":"USD"} x"#, "bad_reply(rules)"),
    ] {
        assert_eq!(pinged(body), answer, "{body}");
    }
    let long =
        format!(r#"{{"ok":true,"token":"{}","price":5,"currency":"USD"}}"#, "x".repeat(1025));
    assert_eq!(pinged(&long), "bad_reply(token)");
    let huge = format!("{}{}", " ".repeat(65_536), r#"{"ok":true,"token":"t","price":5}"#);
    assert_eq!(pinged(&huge), "bad_reply(length)");
    let deep = "[".repeat(60_000);
    assert_eq!(pinged(&deep), "bad_reply(rules)");
}

#[test]
fn a_ping_without_a_readable_reply_is_named_after_its_status() {
    let read = |status| read_ping(&json(), status, b"<html>oops</html>");
    for status in [301, 307, 400, 404, 500, 503] {
        assert_eq!(read(status), PingAnswer::NoBid(NoBid::HttpError(status)));
    }
    assert!(matches!(read_ping(&json(), 204, b""), PingAnswer::NoBid(NoBid::Declined(_))));
}

#[test]
fn two_bids_in_one_reply_are_none() {
    let text = JSON.replace("$.price", "$.bids[*].price");
    let body = br#"{"ok":true,"token":"t","currency":"USD","bids":[{"price":5},{"price":6}]}"#;
    let answer = read_ping(&connector(&text), 200, body);
    assert_eq!(answer, PingAnswer::NoBid(NoBid::BadReply("price".to_owned())));
}

fn posted(status: u16, body: &str) -> PostAnswer {
    read_post(&json(), status, body.as_bytes())
}

#[test]
fn a_post_is_sold_only_when_everything_says_so() {
    let sold = r#"{"status":"SOLD","id":"7","price":"12.50"}"#;
    assert!(matches!(posted(200, sold), PostAnswer::Accepted(_)));
    // The status of the reply decides nothing where a rule does.
    assert!(matches!(posted(500, sold), PostAnswer::Accepted(_)));
    assert!(matches!(posted(400, r#"{"status":"REJECTED"}"#), PostAnswer::Rejected(_)));
    // Refusals are tested first.
    let both = JSON.replace(
        r#"{ at = "$.status", is = ["REJECTED"] }"#,
        r#"{ at = "$.error", exists = true }"#,
    );
    let answer = read_post(&connector(&both), 200, br#"{"status":"SOLD","id":"7","error":"x"}"#);
    assert!(matches!(answer, PostAnswer::Rejected(_)));
    for (status, body) in [
        (200, ""),
        (200, "<html>Sold</html>"),
        (200, r#"{"status":"SOLD"}"#),
        (200, r#"{"status":"SOLD","id":null}"#),
        (200, r#"{"status":"sold","id":"7"}"#),
        (200, r#"{"status":"UNSOLD","id":"7"}"#),
        (200, r#"{"status":["SOLD"],"id":"7"}"#),
        (200, r#"{"status":"REJECTED","status":"SOLD","id":"7"}"#),
        (200, "{\"status\":\"SOLD\",\"id\":\"7\""),
        (202, r#"{"status":"PENDING","id":"7"}"#),
        (404, "not here"),
    ] {
        assert_eq!(posted(status, body), PostAnswer::Unknown(Unknown::Unreadable), "{body}");
    }
    assert_eq!(posted(502, "<html>"), PostAnswer::Unknown(Unknown::Http5xx));
}

#[test]
fn a_bid_for_another_ping_is_none() {
    let text = JSON
        .replace("[connector.main.post]", "ping_id = { at = \"$.ping\" }\n[connector.main.post]");
    // Read without a request, there is nothing to compare with; the transport's test has one.
    assert!(matches!(
        read_ping(
            &connector(&text),
            200,
            br#"{"ok":true,"token":"t","currency":"USD","price":5,"ping":"x"}"#
        ),
        PingAnswer::Bid { .. }
    ));
    assert_eq!(crate::world::ping_request(&connector(&text)).echo.as_deref(), Some("ping_1"));
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(status in 100_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let connector = json();
        let ping = read_ping(&connector, status, &body);
        let bid = matches!(ping, PingAnswer::Bid { .. });
        prop_assert!(!bid);
        let post = read_post(&connector, status, &body);
        let accepted = matches!(post, PostAnswer::Accepted(_));
        prop_assert!(!accepted);
    }
}
