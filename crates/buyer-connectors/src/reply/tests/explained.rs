//! How a reply was read, told to people.

use expect_test::expect;
use http::HeaderMap;

use super::super::Explained;
use super::{ping, post, raw};

fn shown(explained: &Explained) -> String {
    let mut text = format!("read as {}\n", explained.read_as);
    for (index, rule) in explained.rules.iter().enumerate() {
        let mark = if explained.decided_by == Some(index) { "*" } else { " " };
        text += &format!("{mark} {} {} -> {}: {}\n", rule.place, rule.when, rule.then, rule.held);
        for place in &rule.found {
            text += &format!("    {} = {:?}\n", place.at, place.values);
        }
    }
    for value in &explained.values {
        text += &format!("{} = {}\n", value.name, value.value);
    }
    text + &explained.answer + "\n"
}

#[test]
fn every_rule_is_told_with_what_it_found() {
    let reply = ping(
        r#"rules = [
  { when = { at = ["$.status", "$.s"], is = ["DUP"], ignore_case = true }, then = "no_bid", class = "duplicate" },
  { when = { all = [{ at = "$.ok", is_true = true }, { not = { at = "$.error", exists = true } }] }, then = "bid" },
  { when = { any = [{ status = ["5xx", 429] }, { contains = "down" }] }, then = "failed" },
]
price = { at = "$.price" }
tokens = { lead_id = { at = "$.id" } }
"#,
    );
    let body = br#"{"ok":1,"status":"call 5125550134","price":"18.5","id":"a1"}"#;
    expect![[r#"
        read as json
          acme.toml:2 `$.status` or `$.s` is "DUP" in any case -> no_bid: false
            `$.status` or `$.s` = ["call [masked]"]
        * acme.toml:3 `$.ok` is true, 1, yes or y and not (`$.error` exists) -> bid: true
            `$.ok` = ["1"]
            `$.error` = []
          acme.toml:4 the HTTP status is 5xx or 429 or the reply contains "down" -> failed: false
            the reply = ["{\"ok\":1,\"status\":\"call [masked]"]
        price = 18.50 USD
        tokens.lead_id = a1
        bid 18.50 USD
    "#]]
    .assert_eq(&shown(&reply.explain(&raw(200, &HeaderMap::new(), body), None)));
}

#[test]
fn a_reply_that_no_rule_reads_is_told_too() {
    let reply = post(
        "rules = [{ when = { at = \"/r/s\", is = [\"SOLD\"] }, then = \"accepted\" }]\nreason = { at = \"//e\" }",
    );
    let headers = HeaderMap::new();
    expect![[r#"
        read as xml
          acme.toml:1 `/r/s` is "SOLD" -> accepted: false
            `/r/s` = ["(empty)"]
        unknown(unreadable)
    "#]]
    .assert_eq(&shown(&reply.explain(&raw(200, &headers, b"<r><s/></r>"))));
    expect![[r#"
        read as nothing
        rejected(other)
    "#]]
    .assert_eq(&shown(&reply.explain(&raw(302, &headers, b""))));
}
