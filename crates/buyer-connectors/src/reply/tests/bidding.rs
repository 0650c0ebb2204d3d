//! Prices, tokens, several bids and legs.

use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::NoBid;
use http::HeaderMap;

use super::{ping, pinged, post, posted, raw, said};

fn priced(price: &str, body: &str) -> String {
    let table = format!("rules = []\notherwise = \"bid\"\nprice = {price}");
    said(&pinged(&ping(&table), 200, body.as_bytes()))
}

#[test]
fn a_price_is_digits_with_the_decoration_that_is_declared() {
    let dollars = r#"{ at = "$.p", sign = "$", group = "," }"#;
    let euros = r#"{ at = "$.p", sign = "€", group = ".", decimal = "," }"#;
    let cents = r#"{ at = "$.p", unit = "cents" }"#;
    for (rule, price, expected) in [
        (dollars, "\"$1,234.50\"", "bid 1234.50"),
        (dollars, "\"1234.5\"", "bid 1234.50"),
        (dollars, "\"$ 5\"", "bid 5.00"),
        (dollars, "\"5 $\"", "bid 5.00"),
        (dollars, "\"-$5\"", "declined(other)"),
        (dollars, "\"$0.00\"", "declined(other)"),
        (dollars, "\"12,34.50\"", "bad_reply(price)"),
        (dollars, "\"1,5\"", "bad_reply(price)"),
        (dollars, "\"€5\"", "bad_reply(price)"),
        (dollars, "\"$\"", "bad_reply(price)"),
        (dollars, "\"USD 5\"", "bad_reply(price)"),
        (euros, "\"1.234,50 €\"", "bid 1234.50"),
        (euros, "\"5,5\"", "bid 5.50"),
        (euros, "\"5.5\"", "bad_reply(price)"),
        (cents, "1250", "bid 12.50"),
        (cents, "\"1\"", "bid 0.01"),
        (r#"{ at = "$.p" }"#, "\"1,000\"", "bad_reply(price)"),
        (r#"{ at = "$.p" }"#, "\"$5\"", "bad_reply(price)"),
        (r#"{ at = "$.p" }"#, "20", "bid 20.00"),
        (r#"{ at = "$.p" }"#, "\"1.0000\"", "bid 1.00"),
        (r#"{ at = "$.p" }"#, "1e1", "bad_reply(price)"),
        (r#"{ at = "$.p" }"#, "[5]", "bad_reply(price)"),
        (r#"{ at = "$.p" }"#, "null", "bad_reply(price)"),
        (r#"{ at = "$.p", else = "contract" }"#, "null", "available"),
        (r#"{ at = "$.p", else = "contract" }"#, "\"\"", "available"),
        (r#"{ at = "$.p", else = "contract" }"#, "\"x\"", "bad_reply(price)"),
        (r#"{ at = "$.p", else = "contract" }"#, "0", "declined(other)"),
    ] {
        assert_eq!(priced(rule, &format!("{{\"p\":{price}}}")), expected, "{rule} {price}");
    }
    let sum = r#"{ at = "$.b[*].p", pick = "sum", sign = "$" }"#;
    assert_eq!(priced(sum, r#"{"b":[{"p":"$1.10"},{"p":2}]}"#), "bid 3.10");
    assert_eq!(priced(sum, r#"{"b":[{"p":"x"},{"p":2}]}"#), "bad_reply(price)");
    assert_eq!(priced(r#"{ at = "/p" }"#, "<p>\n 5 \n</p>"), "bid 5.00");
    assert_eq!(priced(r#"{ regex = "bid=([0-9.]+)" }"#, "ok bid=7.5"), "bid 7.50");
}

#[test]
fn the_currency_must_be_the_campaigns() {
    let table = "otherwise = \"bid\"\nprice = { at = \"$.p\" }\ncurrency = { at = \"$.c\" }";
    let reply = ping(table);
    assert_eq!(said(&pinged(&reply, 200, br#"{"p":5,"c":"USD"}"#)), "bid 5.00");
    assert_eq!(said(&pinged(&reply, 200, br#"{"p":5,"c":"EUR"}"#)), "wrong_currency");
    assert_eq!(said(&pinged(&reply, 200, br#"{"p":5}"#)), "wrong_currency");
}

const TOKENS: &str = r#"
otherwise = "bid"
price = { at = "$.p" }
token = { at = "$.t" }
tokens = { lead_id = { at = "$.l" }, MatchPingId = { at = "$.m" } }
lifetime = { at = "$.ttl" }
ping_id = { at = "$.ping" }
"#;

#[test]
fn tokens_go_back_by_name_and_expire() {
    let reply = ping(TOKENS);
    let headers = HeaderMap::new();
    let read = |body: &str| reply.read(&raw(200, &headers, body.as_bytes()), Some("p1"));
    let PingAnswer::Bid { token: Some(token), .. } =
        read(r#"{"p":5,"t":"a|1","l":90412,"ttl":30.5,"ping":"p1"}"#)
    else {
        panic!()
    };
    assert_eq!(token.tokens.get("token"), Some("a|1"));
    assert_eq!(token.tokens.get("lead_id"), Some("90412"));
    assert_eq!(token.tokens.get("MatchPingId"), None);
    assert_eq!(token.lifetime.unwrap().as_millis(), 30_500);
    assert!(reply.echoes());
    for (body, expected) in [
        (r#"{"p":5,"ping":"p1"}"#, "bad_reply(token)"),
        (r#"{"p":5,"t":"a","ping":"p2"}"#, "bad_reply(ping_id)"),
        (r#"{"p":5,"t":"a"}"#, "bad_reply(ping_id)"),
        (r#"{"p":5,"t":"a","ttl":"soon","ping":"p1"}"#, "bad_reply(lifetime)"),
        (r#"{"p":5,"t":"a","l":"a\u0000","ping":"p1"}"#, "bad_reply(lead_id)"),
    ] {
        assert_eq!(said(&read(body)), expected, "{body}");
    }
    let long = format!(r#"{{"p":5,"t":"{}","ping":"p1"}}"#, "x".repeat(1025));
    assert_eq!(said(&read(&long)), "bad_reply(token)");
    let fixed = ping("otherwise = \"bid\"\nprice = { at = \"$.p\" }\nlifetime = \"60s\"");
    let PingAnswer::Bid { token: Some(token), .. } = pinged(&fixed, 200, b"{\"p\":5}") else {
        panic!()
    };
    assert_eq!(token.lifetime.unwrap().as_secs(), 60);
}

fn bids(extra: &str) -> String {
    format!(
        "otherwise = \"bid\"\nprice = {{ at = \"$.payout\" }}\n\
         bids = {{ at = \"$.bids[*]\", id = {{ at = \"$.id\" }}, price = {{ at = \"$.p\" }}, \
         name = {{ at = \"$.n\" }}, token = {{ at = \"$.t\" }}, {extra} }}"
    )
}

const SEVERAL: &str = r#"{"payout":40,"bids":[{"id":"b1","p":20},{"id":"b2","p":35.7,"n":"Roof Co","t":"k"},{"id":"b3","p":0},{"id":"b4","p":"?"}]}"#;

#[test]
fn of_several_bids_the_declared_ones_are_chosen_and_priced() {
    for (extra, price, ids) in [
        ("choose = \"highest\"", "bid 35.70", vec!["b2"]),
        ("choose = \"all\", price_is = \"total\"", "bid 55.70", vec!["b2", "b1"]),
        ("choose = \"all\", price_is = \"highest\"", "bid 35.70", vec!["b2", "b1"]),
        ("choose = 1, price_is = \"total\"", "bid 35.70", vec!["b2"]),
        ("choose = 9, price_is = \"stated\"", "bid 40.00", vec!["b2", "b1"]),
    ] {
        let answer = pinged(&ping(&bids(extra)), 200, SEVERAL.as_bytes());
        assert_eq!(said(&answer), price, "{extra}");
        let PingAnswer::Bid { token: Some(token), .. } = answer else { panic!() };
        let chosen: Vec<_> = token.brands.iter().filter_map(|brand| brand.id.as_deref()).collect();
        assert_eq!(chosen, ids, "{extra}");
        let best = token.brands.first().unwrap();
        assert_eq!((best.name.as_deref(), best.token.as_deref()), (Some("Roof Co"), Some("k")));
    }
    let reply = ping(&bids("choose = \"all\", price_is = \"total\""));
    // Without a list the price of the whole counts; with none that can be used there is no bid.
    assert_eq!(said(&pinged(&reply, 200, br#"{"payout":12.5}"#)), "bid 12.50");
    assert_eq!(
        said(&pinged(&reply, 200, br#"{"payout":12.5,"bids":[{"p":0}]}"#)),
        "declined(other)"
    );
    let many = format!(r#"{{"bids":[{}{{"p":1}}]}}"#, r#"{"p":1},"#.repeat(64));
    assert_eq!(
        pinged(&reply, 200, many.as_bytes()),
        PingAnswer::NoBid(NoBid::BadReply("bids".to_owned()))
    );
}

#[test]
fn bids_stand_in_elements_too() {
    let table = "otherwise = \"bid\"\nbids = { at = \"//bid\", id = { at = \"./@id\" }, \
                 price = { at = \"./pay\" }, choose = \"all\", price_is = \"total\" }";
    let body = "<r><bid id='1'><pay>3</pay></bid><bid id='2'><pay>4.5</pay></bid></r>";
    assert_eq!(said(&pinged(&ping(table), 200, body.as_bytes())), "bid 7.50");
}

#[test]
fn each_company_of_a_shared_sale_has_its_say() {
    let table = "otherwise = \"accepted\"\nlegs = { at = \"//SendInfo\", id = { at = \"./ClientUID\" }, \
                 name = { at = \"./ClientName\" }, price = { at = \"./Price\" }, \
                 accepted = { at = \"./Valid\", is_true = true } }";
    let body = "<S><SendInfo><ClientUID>c1</ClientUID><ClientName>One</ClientName><Valid>true</Valid>\
                <Price>4.0</Price></SendInfo><SendInfo><ClientUID>c2</ClientUID><Valid>false</Valid>\
                <Price>-</Price></SendInfo></S>";
    let PostAnswer::Accepted(accepted) = posted(&post(table), 200, body.as_bytes()) else {
        panic!()
    };
    let legs: Vec<_> = accepted
        .legs
        .iter()
        .map(|leg| {
            (leg.brand.id.as_deref(), leg.accepted, leg.brand.price.map(|p| p.amount_text()))
        })
        .collect();
    assert_eq!(legs, [(Some("c1"), true, Some("4.00".to_owned())), (Some("c2"), false, None)]);
}
