//! Where values are found.

use http::HeaderMap;

use super::{post, raw, reference};
use exchange_model::outcome::PostAnswer;

fn found(at: &str, body: &str) -> Option<String> {
    reference("", at, body.as_bytes())
}

fn cut(at: &str, body: &str) -> Option<String> {
    reference("as = \"delimited\"\nseparator = \"|\"\nlabels = \"=\"", at, body.as_bytes())
}

#[test]
fn one_value_is_meant_and_two_are_one_too_many() {
    let two = r#"{"b":[{"p":3},{"p":20},{"p":"4.5"}],"one":["x",""]}"#;
    assert_eq!(found(r#"{ at = "$.b[*].p" }"#, two), None);
    for (pick, expected) in [
        ("first", "3"),
        ("last", "4.5"),
        ("highest", "20"),
        ("lowest", "3"),
        ("sum", "27.5"),
        ("joined", "3; 20; 4.5"),
    ] {
        let at = format!(r#"{{ at = "$.b[*].p", pick = "{pick}" }}"#);
        assert_eq!(found(&at, two).as_deref(), Some(expected), "{pick}");
    }
    assert_eq!(found(r#"{ at = "$.one[*]" }"#, two).as_deref(), Some("x"));
    assert_eq!(found(r#"{ at = "$.one[*]", pick = "highest" }"#, two), None);
    assert_eq!(found(r#"{ at = "$.none[*]", pick = "sum" }"#, two), None);
}

#[test]
fn places_are_tried_in_order_across_formats() {
    let at = r#"{ at = ["$.payout", "$.price", "/r/price"] }"#;
    assert_eq!(found(at, r#"{"payout":null,"price":"7"}"#).as_deref(), Some("7"));
    assert_eq!(found(at, r#"{"payout":"8","price":"7"}"#).as_deref(), Some("8"));
    assert_eq!(found(at, "<r><price>9</price></r>").as_deref(), Some("9"));
    assert_eq!(found(at, "{}"), None);
}

#[test]
fn paths_of_json_have_filters_and_descents() {
    let body = r#"{"a":{"b":[{"ok":false,"v":1},{"ok":true,"v":2}]}}"#;
    assert_eq!(found(r#"{ at = "$.a.b[?@.ok==true].v" }"#, body).as_deref(), Some("2"));
    assert_eq!(found(r#"{ at = "$..b[0].v" }"#, body).as_deref(), Some("1"));
}

#[test]
fn keys_and_pairs_of_objects_are_taken() {
    let body = r#"{"details":{"70551":"Return Queued"},"errors":[{"zip":"required","age":null}]}"#;
    assert_eq!(found(r#"{ at = "$.details", take = "keys" }"#, body).as_deref(), Some("70551"));
    let pairs = r#"{ at = "$.errors", take = "pairs", pick = "joined" }"#;
    assert_eq!(found(pairs, body).as_deref(), Some("zip: required; age"));
    let pairs = r#"{ at = "/e", take = "pairs", pick = "joined" }"#;
    assert_eq!(found(pairs, "<e><a>1</a><b>2</b></e>").as_deref(), Some("a: 1; b: 2"));
}

#[test]
fn forms_and_pieces_are_looked_into_by_name_and_by_column() {
    assert_eq!(found(r#"{ key = "LeadID" }"#, "leadid=a%20b&x=1").as_deref(), Some("a b"));
    assert_eq!(cut("{ column = 2 }", "OK| 77 |https://x.example/a|b").as_deref(), Some("77"));
    assert_eq!(
        cut(r#"{ column = "3.." }"#, "OK|77|https://x.example/a|b").as_deref(),
        Some("https://x.example/a|b")
    );
    assert_eq!(cut("{ column = 9 }", "OK|77"), None);
    assert_eq!(cut(r#"{ key = "id" }"#, "Status = OK | ID = 77 ").as_deref(), Some("77"));
    let breaks = "as = \"delimited\"\nseparator = \"<br>\"";
    let body = b"OK<br>77<br>";
    assert_eq!(reference(breaks, "{ column = 2 }", body).as_deref(), Some("77"));
}

#[test]
fn headers_and_matches_are_values_too() {
    let reply = post("ref = { header = \"X-Lead\", regex = '/(\\d+)$' }\notherwise = \"accepted\"");
    let mut headers = HeaderMap::new();
    headers.insert("x-lead", "/leads/77".parse().unwrap());
    match reply.read(&raw(200, &headers, b"")) {
        PostAnswer::Accepted(accepted) => assert_eq!(accepted.buyer_ref.as_deref(), Some("77")),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        found(r#"{ regex = "Accepted (\\d+)" }"#, "Lead Accepted 30977 ;").as_deref(),
        Some("30977")
    );
    // The first match, unless something else is picked.
    assert_eq!(found(r#"{ regex = "[a-z]\\d" }"#, "a1 b2").as_deref(), Some("a1"));
    assert_eq!(found(r#"{ regex = "[a-z]\\d", pick = "last" }"#, "a1 b2").as_deref(), Some("b2"));
}

#[test]
fn names_of_xml_match_in_any_namespace_unless_one_is_declared() {
    let body = r#"<s:E xmlns:s="u:soap"><s:B><P xmlns="http://hp.example/"><Price>27</Price><o:Price xmlns:o="u:o">1</o:Price></P></s:B></s:E>"#;
    assert_eq!(found(r#"{ at = "/E/B/P/Price[1]" }"#, body).as_deref(), Some("27"));
    let declared = "namespaces = { hp = \"http://hp.example/\" }";
    let at = r#"{ at = "//hp:Price" }"#;
    assert_eq!(reference(declared, at, body.as_bytes()).as_deref(), Some("27"));
}
