//! Filters that nest: what they accept, and which line is shown when they do not.

use expect_test::expect;
use ping_tree::explain::explain;
use ping_tree::{LeadRequest, Wishes};

use crate::exchange::{Books, Exchange, Files, time};

/// The base exchange with one more test in the filter of the campaign of the last tier.
fn accepting(accepts: &str) -> Files {
    let lists = Files::base()
        .with("lists/zips.txt", "# Austin\n787*\n10001  # New York\n")
        .with("lists/names.txt", "North*\nAcme # 1\n");
    lists.edited(
        "buyers/coastal_call.toml",
        "[connector.main]",
        &format!("[campaign.accepts]\n{accepts}\n[connector.main]"),
    )
}

/// `ok`, or what is said of the first refusal: reason, detail, line.
fn said(exchange: &Exchange, given: &[(&str, &str)]) -> String {
    let lead = exchange.lead(given);
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    let at = time("2026-11-23T10:15:00-06:00");
    let request = LeadRequest { lead: &lead, source, at, wishes: Wishes::none() };
    let shown = explain(exchange.routing.trees().next().unwrap(), &request, &Books::default());
    let verdict = &shown.tiers[1].members[0];
    match verdict.refusals.first() {
        None => "ok".to_owned(),
        Some(first) => {
            let line = first.place.as_ref().unwrap().file_line();
            format!("{}: {} | {line}", first.reason, first.detail)
        }
    }
}

fn all(accepts: &str, leads: &[&[(&str, &str)]]) -> String {
    let exchange = accepting(accepts).load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    leads.iter().map(|given| said(&exchange, given) + "\n").collect()
}

#[test]
fn any_shows_the_alternative_that_the_fewest_changes_would_bring_about() {
    let accepts = "any = [\n{ homeowner = true, credit = [\"excellent\"] },\n\
         { violations = { max = 0 }, credit = [\"fair\"] },\n]";
    let leads: &[&[(&str, &str)]] = &[
        &[("homeowner", "true"), ("credit", "excellent")],
        &[("violations", "0"), ("credit", "fair")],
        &[("homeowner", "false"), ("credit", "poor"), ("violations", "0")],
        &[("homeowner", "true"), ("credit", "poor"), ("violations", "3")],
        &[("homeowner", "true"), ("credit", ""), ("violations", "3")],
    ];
    expect![[r#"
        ok
        ok
        filtered(credit): credit is "poor", accepts fair, or what the other table of `any` asks | buyers/coastal_call.toml:15
        filtered(credit): credit is "poor", accepts excellent, or what the other table of `any` asks | buyers/coastal_call.toml:14
        filtered(credit): credit is absent, accepts excellent, or what the other table of `any` asks | buyers/coastal_call.toml:14
    "#]]
    .assert_eq(&all(accepts, leads));
}

#[test]
fn not_shows_the_test_that_holds_and_must_not() {
    let accepts =
        "not = { state = [\"TX\"], any = [{ homeowner = true }, { credit = [\"poor\"] }] }";
    let leads: &[&[(&str, &str)]] = &[
        &[("state", "OK"), ("homeowner", "true")],
        &[("state", "TX"), ("homeowner", "false"), ("credit", "good")],
        &[("state", "TX"), ("homeowner", "true"), ("credit", "poor")],
        &[("state", "TX"), ("homeowner", ""), ("credit", "")],
    ];
    expect![[r#"
        ok
        ok
        filtered(state): state is "TX", accepts any but TX | buyers/coastal_call.toml:13
        ok
    "#]]
    .assert_eq(&all(accepts, leads));
}

#[test]
fn a_negation_around_a_test_is_the_plain_opposite_and_one_inside_it_is_not() {
    let inside = "carrier = { not = [\"Acme\"] }";
    let around = "not = { carrier = [\"Acme\"] }";
    let absent: &[&[(&str, &str)]] = &[&[("carrier", "")]];
    expect![[r#"
        filtered(carrier): carrier is absent, accepts any but Acme | buyers/coastal_call.toml:13
    "#]]
    .assert_eq(&all(inside, absent));
    assert_eq!(all(around, absent), "ok\n");
}

#[test]
fn presence_is_a_test_of_its_own() {
    let leads: &[&[(&str, &str)]] = &[&[("credit", "good")], &[("credit", "")]];
    expect![[r#"
        ok
        filtered(credit): credit is absent, accepts any value | buyers/coastal_call.toml:13
    "#]]
    .assert_eq(&all("credit = { present = true }", leads));
    expect![[r#"
        filtered(credit): credit is "good", accepts none | buyers/coastal_call.toml:13
        ok
    "#]]
    .assert_eq(&all("credit = { present = false }", leads));
}

#[test]
fn a_list_may_hold_prefixes_and_comments() {
    let leads: &[&[(&str, &str)]] = &[
        &[("zip", "78701")],
        &[("zip", "78799")],
        &[("zip", "10001"), ("state", "NY")],
        &[("zip", "78801")],
    ];
    expect![[r#"
        ok
        ok
        ok
        filtered(zip): zip is "78801", accepts what is in lists/zips.txt | buyers/coastal_call.toml:13
    "#]]
    .assert_eq(&all("zip = { in_file = \"lists/zips.txt\" }", leads));
    let leads: &[&[(&str, &str)]] = &[
        &[("carrier", "Northern")],
        &[("carrier", "North")],
        &[("carrier", "Acme # 1")],
        &[("carrier", "Nort")],
    ];
    expect![[r#"
        ok
        ok
        ok
        filtered(carrier): carrier is "Nort", accepts what is in lists/names.txt | buyers/coastal_call.toml:13
    "#]]
    .assert_eq(&all("carrier = { in_file = \"lists/names.txt\" }", leads));
}

#[test]
fn a_filter_has_a_limit() {
    let line = |count: usize| {
        let tables = vec!["{ homeowner = true }"; count].join(", ");
        accepting(&format!("any = [{tables}]")).load().rendered()
    };
    assert_eq!(line(ping_tree::filter::TESTS_MAX), "");
    assert!(line(ping_tree::filter::TESTS_MAX + 1).contains("error[filter_too_large]"));
}
