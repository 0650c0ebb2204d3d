//! Replies that a careless reader takes for more than they say.

use exchange_model::outcome::NoPrice;

use super::*;

const OK: &str = "rules = []\notherwise = \"bid\"\n";

fn bid(price: &str, extra: &str, body: &str) -> String {
    said(&pinged(&ping(&format!("price = {{ {price} }}\n{OK}{extra}")), 200, body.as_bytes()))
}

#[test]
fn a_point_that_is_not_the_declared_one_is_no_part_of_a_price() {
    let german = "at = \"$.p\", decimal = \",\"";
    assert_eq!(bid(german, "", r#"{"p":"1,50"}"#), "bid 1.50");
    for body in [r#"{"p":"1.234"}"#, r#"{"p":"1.50"}"#, r#"{"p":"1,5.0"}"#] {
        assert_eq!(bid(german, "", body), "bad_reply(price)", "{body}");
    }
    let swiss = "at = \"$.p\", decimal = \",\", group = \"'\"";
    assert_eq!(bid(swiss, "", r#"{"p":"1.234"}"#), "bad_reply(price)");
    assert_eq!(bid(swiss, "", r#"{"p":"1'234,5"}"#), "bid 1234.50");
}

#[test]
fn a_negative_part_counts_in_a_sum() {
    let sum = "at = \"$.p[*]\", pick = \"sum\"";
    assert_eq!(bid(sum, "", r#"{"p":[10,-4]}"#), "bid 6.00");
    assert_eq!(bid(sum, "", r#"{"p":[4,-10]}"#), "declined(other)");
    assert_eq!(bid(sum, "", r#"{"p":["10","--4"]}"#), "bad_reply(price)");
}

#[test]
fn digits_of_several_elements_are_not_one_price() {
    let at = "at = \"/r/price\"";
    assert_eq!(bid(at, "", "<r><price><v>5</v></price></r>"), "bid 5.00");
    assert_eq!(bid(at, "", "<r><price>1<!-- c -->0</price></r>"), "bid 10.00");
    assert_eq!(bid(at, "", "<r><price><v>5</v><fee>1</fee></price></r>"), "bad_reply(price)");
    let above = "{ at = \"/r/price\", above = \"10\" }";
    assert!(!holds("", above, "<r><price><v>5</v><fee>1</fee></price></r>"));
}

#[test]
fn a_table_that_names_a_column_twice_is_none() {
    let csv = "as = \"csv\"\n";
    let at = "at = \"$[0].price\"";
    assert_eq!(bid(at, csv, "id,price\n1,5"), "bid 5.00");
    assert_eq!(bid(at, csv, "price,price\n5,50"), "bad_reply(price)");
    assert_eq!(bid(at, csv, "id,price\n1,\"5\"0"), "bad_reply(price)");
    assert_eq!(bid(at, csv, "id,price,,\n1,5,,"), "bid 5.00");
}

#[test]
fn an_amount_is_ascii_digits_and_nothing_else() {
    let at = "at = \"$.p\"";
    for odd in [
        "1e2",
        "-0",
        "-5",
        "0",
        "\"1e2\"",
        "\"+5\"",
        "\" 5\"",
        "\"5 \"",
        "\"５\"",
        "\"1_000\"",
        "\"NaN\"",
        "\"0x5\"",
        "\"5.\"",
        "\".5\"",
        "\"٥\"",
        "true",
        "[5]",
        "{\"a\":5}",
        "null",
        "\"\"",
        "\"--5\"",
        "99999999999999999999999999999999999999",
    ] {
        let said = bid(at, "", &format!("{{\"p\":{odd}}}"));
        assert!(!said.starts_with("bid"), "{odd}: {said}");
    }
    for twice in [r#"{"p":5,"p":50}"#, r#"{"p":5,"\u0070":50}"#] {
        assert_eq!(bid(at, "", twice), "bad_reply(price)", "{twice}");
    }
    assert_eq!(bid("key = \"price\"", "as = \"form\"", "price=5&PRICE=50"), "bad_reply(price)");
}

#[test]
fn a_phone_in_other_digits_is_masked_too() {
    let table = "reason = { at = \"$.r\" }\nrules = [{ when = { status = 201 }, then = \"accepted\" }]\notherwise = \"rejected\"";
    let body = "{\"r\":\"dup ５１２５５５０１３４\"}";
    let PostAnswer::Rejected(why) = posted(&post(table), 200, body.as_bytes()) else {
        panic!("a rejection")
    };
    assert_eq!(why.text.as_deref(), Some("dup [masked]"));
}

#[test]
fn an_acceptance_says_when_what_stands_for_its_price_is_none() {
    let reply = post(
        "rules = [{ when = { at = \"$.ok\", is = [true] }, then = \"accepted\" }]\notherwise = \"rejected\"\n\
         price = { at = \"$.p\" }\ncurrency = { at = \"$.cur\" }\n",
    );
    let named = |body: &str| match posted(&reply, 200, body.as_bytes()) {
        PostAnswer::Accepted(said) => (said.price.map(|price| price.amount_text()), said.no_price),
        other => panic!("{other:?}"),
    };
    let usd = |price: &str| named(&format!("{{\"ok\":true,\"cur\":\"USD\",\"p\":{price}}}"));
    assert_eq!(usd("12.5"), (Some("12.50".to_owned()), None));
    assert_eq!(named(r#"{"ok":true}"#), (None, None), "a post need not name its price");
    assert_eq!(usd("0"), (None, Some(NoPrice::NotPositive)));
    assert_eq!(usd("-3"), (None, Some(NoPrice::NotPositive)));
    assert_eq!(usd("\"12,5\""), (None, Some(NoPrice::Unreadable)));
    assert_eq!(named(r#"{"ok":true,"cur":"EUR","p":9}"#), (None, Some(NoPrice::WrongCurrency)));
}
