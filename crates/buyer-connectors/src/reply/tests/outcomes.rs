//! What a reply means.

use exchange_model::outcome::PostAnswer;
use http::HeaderMap;

use super::{Speaker, holds, ping, pinged, post, post_of, posted, raw, said, told};
use crate::callback::CallbackCall;

const PING: &str = r#"
rules = [
  { when = { at = "$.s", is = ["dup"] }, then = "no_bid", class = "duplicate" },
  { when = { at = "$.s", is = ["error"] }, then = "error" },
  { when = { at = "$.s", is = ["down"] }, then = "failed" },
  { when = { at = "$.s", is = ["later"] }, then = "pending" },
  { when = { at = "$.s", is = ["ok"] }, then = "bid" },
]
price = { at = "$.p" }
"#;

#[test]
fn a_pings_reply_means_what_the_first_rule_that_holds_says() {
    let reply = ping(PING);
    for (status, body, expected) in [
        (200, r#"{"s":"ok","p":5}"#, "bid 5.00"),
        (500, r#"{"s":"ok","p":5}"#, "bid 5.00"),
        (200, r#"{"s":"dup"}"#, "declined(duplicate)"),
        (200, r#"{"s":"error"}"#, "declined(invalid)"),
        (200, r#"{"s":"down"}"#, "buyer_failed"),
        (200, r#"{"s":"later"}"#, "declined(other)"),
        (200, r#"{"s":"other"}"#, "declined(other)"),
        (200, r#"{"x":"other"}"#, "bad_reply(rules)"),
        (200, "", "bad_reply(rules)"),
        (204, "", "declined(other)"),
        (503, "<html>", "http_error(503)"),
        (302, "", "http_error(302)"),
        (200, r#"{"s":"ok","p":0}"#, "declined(other)"),
        (200, r#"{"s":"ok","p":-5}"#, "declined(other)"),
        (200, r#"{"s":"ok"}"#, "bad_reply(price)"),
    ] {
        assert_eq!(said(&pinged(&reply, status, body.as_bytes())), expected, "{status} {body}");
    }
    let declared = ping("rules = []\notherwise = \"failed\"");
    assert_eq!(said(&pinged(&declared, 200, b"")), "buyer_failed");
    let declared = ping("rules = []\notherwise = \"bid\"\nprice = { regex = \"[0-9]+\" }");
    assert_eq!(said(&pinged(&declared, 404, b"5")), "bid 5.00");
    assert_eq!(said(&pinged(&declared, 503, b"5")), "http_error(503)");
}

const POST: &str = r#"
rules = [
  { when = { contains = "duplicate" }, then = "rejected", class = "duplicate" },
  { when = { at = "$.s", is = ["error"] }, then = "error" },
  { when = { at = "$.s", is = ["no"] }, then = "rejected" },
  { when = { at = "$.s", is = ["down"] }, then = "failed" },
  { when = { at = "$.s", is = ["queued"] }, then = "pending" },
  { when = { all = [{ at = "$.s", is = ["ok"] }, { at = "$.p", above = "0" }] }, then = "accepted" },
]
price = { at = "$.p" }
ref = { at = "$.id" }
reason = { at = "$.why", map = { CAP = "cap" }, contains = { "state" = "filter" } }
values = { queue = { at = "$.q" } }
counter = { at = "$.would", key = "same" }
redirect = { at = "$.url", base = "https://www.acme.example/" }
"#;

#[test]
fn a_posts_reply_means_what_the_first_rule_that_holds_says() {
    let reply = post(POST);
    for (status, body, expected) in [
        (201, r#"{"s":"ok","p":"5"}"#, "accepted"),
        (500, r#"{"s":"ok","p":"5"}"#, "accepted"),
        (200, r#"{"s":"ok","p":"5","m":"DUPLICATE"}"#, "rejected(duplicate)"),
        (200, r#"{"s":"ok","p":0}"#, "unknown(unreadable)"),
        (200, r#"{"s":"error","why":"CAP"}"#, "rejected(invalid)"),
        (200, r#"{"s":"no","why":"CAP"}"#, "rejected(cap)"),
        (200, r#"{"s":"no","why":"bad State today"}"#, "rejected(filter)"),
        (200, r#"{"s":"no"}"#, "rejected(other)"),
        (200, r#"{"s":"down"}"#, "unknown(http_5xx)"),
        (200, r#"{"s":"queued"}"#, "pending"),
        (200, r#"{"s":"OK","p":"5"}"#, "unknown(unreadable)"),
        (404, "", "unknown(unreadable)"),
        (502, "<html>", "unknown(http_5xx)"),
        (302, r#"{"s":"ok","p":"5"}"#, "rejected(other)"),
    ] {
        assert_eq!(told(&posted(&reply, status, body.as_bytes())), expected, "{status} {body}");
    }
    assert!(reply.counter_key_same());
}

#[test]
fn what_comes_with_an_outcome_is_read() {
    let reply = post(POST);
    let body = br#"{"s":"ok","p":"5.5","id":"L-1","q":"q9","url":"/thanks?a=1"}"#;
    let PostAnswer::Accepted(accepted) = posted(&reply, 200, body) else { panic!() };
    assert_eq!(accepted.price.unwrap().amount_text(), "5.50");
    assert_eq!(accepted.buyer_ref.as_deref(), Some("L-1"));
    assert_eq!(accepted.redirect_url.as_deref(), Some("https://www.acme.example/thanks?a=1"));
    assert_eq!(accepted.handles.get("ref"), Some("L-1"));
    assert_eq!(accepted.handles.get("queue"), Some("q9"));
    let PostAnswer::Pending(handles) = posted(&reply, 200, br#"{"s":"queued","q":"q9","id":7}"#)
    else {
        panic!()
    };
    assert_eq!((handles.get("queue"), handles.get("ref")), (Some("q9"), Some("7")));
    let PostAnswer::Rejected(why) = posted(&reply, 200, br#"{"s":"no","would":3.5}"#) else {
        panic!()
    };
    assert_eq!(why.counter.unwrap().amount_text(), "3.50");
}

#[test]
fn what_is_declared_for_the_rest_never_speaks_for_a_buyer_that_failed() {
    let reply = post(
        "rules = [{ when = { status = [\"2xx\"] }, then = \"accepted\" }]\notherwise = \"rejected\"",
    );
    assert_eq!(told(&posted(&reply, 200, b"")), "accepted");
    assert_eq!(told(&posted(&reply, 404, b"")), "rejected(other)");
    assert_eq!(told(&posted(&reply, 503, b"")), "unknown(http_5xx)");
}

#[test]
fn a_redirect_is_read_only_where_that_is_declared() {
    let table = "redirects = \"read\"\nrules = [{ when = { status = [303] }, then = \"accepted\" }]\n\
                 redirect = { header = \"Location\" }";
    let reply = post(table);
    assert!(reply.reads_redirects());
    let mut headers = HeaderMap::new();
    headers.insert("location", "https://thanks.example/1".parse().unwrap());
    let PostAnswer::Accepted(accepted) = reply.read(&raw(303, &headers, b"")) else { panic!() };
    assert_eq!(accepted.redirect_url.as_deref(), Some("https://thanks.example/1"));
    // A question that is redirected is not answered.
    let status = post_of(Speaker::Status, POST);
    assert_eq!(told(&posted(&status, 302, b"")), "unknown(unreadable)");
}

#[test]
fn an_address_is_put_together_from_values() {
    let table = "otherwise = \"accepted\"\nref = { at = \"$.id\" }\n\
                 redirect = { template = \"https://x.example/{{ post.ref }}?v={{ post.v }}\" }\n\
                 values = { v = { at = \"$.v\" } }";
    let redirect = |body: &[u8]| match posted(&post(table), 200, body) {
        PostAnswer::Accepted(accepted) => accepted.redirect_url,
        other => panic!("{other:?}"),
    };
    let url = redirect(br#"{"id":"a/b c","v":"1&2"}"#);
    assert_eq!(url.as_deref(), Some("https://x.example/a%2Fb%20c?v=1%262"));
    assert_eq!(redirect(br#"{"id":"a"}"#), None);
}

#[test]
fn only_the_answer_to_a_void_says_that_the_post_is_forgotten() {
    let table = "rules = [{ when = { at = \"$.ok\", is_true = true }, then = \"voided\" }]";
    assert_eq!(
        told(&posted(&post_of(Speaker::Void, table), 200, b"{\"ok\":1}")),
        "rejected(voided)"
    );
}

#[test]
fn a_confirmation_adds_to_what_was_said() {
    let reply = post_of(Speaker::Confirm, "redirect = { at = \"$.personalizedURL\" }");
    let more =
        reply.details(&raw(200, &HeaderMap::new(), br#"{"personalizedURL":"https://a.example/"}"#));
    assert_eq!(more.redirect_url.as_deref(), Some("https://a.example/"));
}

#[test]
fn a_buyers_own_call_is_read_from_query_form_and_body() {
    let table = "rules = [{ when = { key = \"result\", is = [\"sold\"] }, then = \"accepted\" }, \
                 { when = { at = \"$.result\", is = [\"sold\"] }, then = \"accepted\" }, \
                 { when = { key = \"Result\", is = [\"refused\"] }, then = \"rejected\" }]\n\
                 ref = { key = \"id\" }";
    let reply = post_of(Speaker::Callback, table);
    let call = |query: &str, body: &str| {
        let headers = HeaderMap::new();
        reply.read_callback(&CallbackCall { query, headers: &headers, body: body.as_bytes() })
    };
    let PostAnswer::Accepted(accepted) = call("id=a%2B1", r#"{"result":"sold"}"#) else { panic!() };
    assert_eq!(accepted.buyer_ref.as_deref(), Some("a+1"));
    assert_eq!(told(&call("RESULT=sold", "")), "accepted");
    assert_eq!(told(&call("", "result=refused")), "rejected(other)");
    assert_eq!(told(&call("result=x", "")), "unknown(unreadable)");
    assert_eq!(told(&call("", "")), "unknown(unreadable)");
}

#[test]
fn reasons_of_every_shape_are_joined_and_masked() {
    let why = |at: &str, body: &str| {
        let table = format!("rules = []\notherwise = \"error\"\nreason = {at}");
        match pinged(&ping(&table), 200, body.as_bytes()) {
            exchange_model::outcome::PingAnswer::NoBid(
                exchange_model::reason::NoBid::Declined(why),
            ) => why.text.unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    };
    let list = r#"{ at = ["$.errors[*]", "$.reason"], take = "pairs" }"#;
    let fields = r#"{"errors":[{"firstName":"required","zip":"required"}]}"#;
    assert_eq!(why(list, fields), "firstName: required; zip: required");
    assert_eq!(why(list, r#"{"errors":["a","b"]}"#), "a; b");
    assert_eq!(why(list, r#"{"errors":[],"reason":"No buyer found."}"#), "No buyer found.");
    assert_eq!(why(r#"{ at = "$.errors" }"#, r#"{"errors":["a",null,"b"]}"#), "a; b");
    assert_eq!(
        why(r#"{ at = "//reason" }"#, "<r><reason>a</reason><reason>b</reason></r>"),
        "a; b"
    );
    assert_eq!(why("{}", "Lead 512-555-0134 is known"), "Lead [masked] is known");
}

#[test]
fn rules_in_front_are_asked_first() {
    let table = "rules_first = [{ when = { at = \"$.a\", exists = true }, then = \"error\" }]\n\
                 rules = [{ when = { at = \"$.a\", exists = true }, then = \"bid\" }]";
    assert_eq!(said(&pinged(&ping(table), 200, b"{\"a\":1}")), "declined(invalid)");
    assert!(!holds("", "{ at = \"$.a\", is = [\"1\"] }", "{\"a\":1}"));
}
