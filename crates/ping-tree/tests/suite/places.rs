//! Where in a tree a campaign is asked, and what seller, request and campaign say about each other.

use exchange_model::BrandList;
use ping_tree::explain::explain;
use ping_tree::{LeadRequest, Wishes, plan};

use crate::exchange::{Books, Exchange, Files, time};

const AT: &str = "2026-11-23T10:15:00-06:00";
const TREE: &str = r#"
schema = 1
id = "auto_main"
vertical = "auto"
deadline = "15s"
post_reserve = "12s"

[[tier]]
name = "texas"
when = { state = ["TX"] }
ping_timeout = "900ms"
members = [
  { campaign = "metro_direct/auto", when = { credit = ["excellent"] } },
  "coastal_call/auto",
]

[[tier]]
name = "shared"
sale = "shared"
max_sold = 3
ping_timeout = "700ms"
members = ["metro_direct/auto", "acme_mutual/auto-tx"]

[[tier]]
name = "rest"
ping_timeout = "700ms"
members = ["coastal_call/auto"]
"#;

fn files() -> Files {
    Files::base()
        .with("trees/auto_main.toml", TREE)
        .edited(
            "buyers/acme_mutual.toml",
            "unknown = \"hold\"",
            "shares = { 1 = \"100%\", 3 = \"70%\" }",
        )
        .with("tests/auto_main.toml", "[[test]]\nname = \"none\"\n")
}

/// `tier: who is asked`, and who is not with the reason, in the order of the tree.
fn asked(exchange: &Exchange, given: &[(&str, &str)], wishes: &Wishes) -> String {
    let (lead, tree) = (exchange.lead(given), exchange.routing.trees().next().unwrap());
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    let request = LeadRequest { lead: &lead, source, at: time(AT), wishes };
    let plan = plan(tree, &request, &Books::default());
    let mut text = String::new();
    for (index, tier) in plan.tiers.iter().enumerate() {
        let asked = tier.members.iter().map(|member| member.campaign.id.to_string());
        let not = plan.ineligible.iter().filter(|(_, of, _)| *of == index);
        let not = not.map(|(campaign, _, reason)| format!("{campaign} {reason}"));
        let all: Vec<String> = asked.chain(not).collect();
        text.push_str(&format!("{}: {}\n", tier.tier, all.join(", ")));
    }
    text
}

fn wishes(max_buyers: Option<u8>, exclude: &[&str]) -> Wishes {
    Wishes { max_buyers, exclude: BrandList::new(exclude.iter().copied()).unwrap() }
}

#[test]
fn a_campaign_is_asked_in_the_first_place_whose_conditions_hold() {
    let exchange = files().load();
    let all = |given: &[(&str, &str)]| asked(&exchange, given, Wishes::none());
    assert_eq!(
        all(&[("credit", "excellent")]),
        "texas: metro_direct/auto, coastal_call/auto\n\
         shared: acme_mutual/auto-tx, metro_direct/auto when_not_met\n\
         rest: coastal_call/auto when_not_met\n"
    );
    assert_eq!(
        all(&[("credit", "good")]),
        "texas: coastal_call/auto, metro_direct/auto when_not_met\n\
         shared: metro_direct/auto, acme_mutual/auto-tx\n\
         rest: coastal_call/auto when_not_met\n"
    );
    assert_eq!(
        all(&[("state", "OK")]),
        "texas: metro_direct/auto when_not_met, coastal_call/auto when_not_met\n\
         shared: metro_direct/auto, acme_mutual/auto-tx\n\
         rest: coastal_call/auto\n"
    );
}

#[test]
fn a_request_may_lower_the_number_of_buyers() {
    let exchange = files().load();
    assert_eq!(
        asked(&exchange, &[("state", "OK")], &wishes(Some(2), &[])).lines().nth(1),
        Some("shared: metro_direct/auto, acme_mutual/auto-tx share_mode")
    );
    assert_eq!(
        asked(&exchange, &[("state", "OK")], &wishes(Some(1), &[])).lines().nth(1),
        Some("shared: metro_direct/auto share_mode, acme_mutual/auto-tx share_mode")
    );
}

#[test]
fn a_request_may_exclude_buyers_by_name_title_or_hash() {
    let exchange = files().load();
    for name in ["acme_mutual", "ACME Mutual"] {
        let shared = asked(&exchange, &[("state", "OK")], &wishes(None, &[name]));
        assert!(
            shared.contains("shared: metro_direct/auto, acme_mutual/auto-tx excluded"),
            "{shared}"
        );
    }
}

#[test]
fn a_campaign_may_refuse_sources_as_a_source_refuses_buyers() {
    for line in ["sources = [\"quotekart/social\"]", "sources = { not = [\"quotekart/search\"] }"] {
        let connector = "connector = \"main\"";
        let with = format!("{connector}\n{line}");
        let exchange = files().edited("buyers/metro_direct.toml", connector, &with).load();
        let all = asked(&exchange, &[("state", "OK")], Wishes::none());
        assert!(all.contains("metro_direct/auto blocked_by_seller"), "{line}: {all}");
    }
}

#[test]
fn explain_names_the_condition_and_what_a_bid_would_come_to() {
    let exchange = files()
        .edited(
            "buyers/metro_direct.toml",
            "price = { mode = \"bid\", floor = \"9.00\", ceiling = \"40.00\" }",
            "haircut = \"5%\"\nhandicap = \"2.00\"\npayout = { bands = [{ from = \"0\", share = \"70%\" }, { from = \"50.00\", margin = \"8.00\" }] }
price = { mode = \"bid\", floor = \"9.00\", ceiling = \"40.00\", adjust = [{ when = { credit = [\"good\"] }, add = \"-5%\" }] }",
        )
        .load();
    let (lead, tree) =
        (exchange.lead(&[("credit", "good")]), exchange.routing.trees().next().unwrap());
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    let wishes = wishes(Some(2), &[]);
    let request = LeadRequest { lead: &lead, source, at: time(AT), wishes: &wishes };
    let shown = explain(tree, &request, &Books::default());
    expect_test::expect![[r#"
        tier 1 texas
          metro_direct/auto    ineligible  when_not_met: credit is "good", the member's `when` asks excellent                     trees/auto_main.toml:13
          coastal_call/auto    in auction  (fixed 6.75, always open)
        tier 2 shared   sells to 2 to 3
          metro_direct/auto    would ping  (cap 0 of 120 today, open until 21:00 New York)
                               value -5% (buyers/metro_direct.toml:13); haircut 5%; payout 70% from 0.00, all but 8.00 from 50.00 (the campaign's rule); handicap 2.00
          acme_mutual/auto-tx  ineligible  share_mode: the tier sells to 2 or 3, the request allows 2, it takes part in 1 or 3    buyers/acme_mutual.toml:9
        tier 3 rest
          coastal_call/auto    ineligible  when_not_met: it is asked in tier texas                                                trees/auto_main.toml:27
    "#]].assert_eq(&shown.to_string());
}

#[test]
fn explain_and_plan_agree_about_every_place() {
    for (given, most) in [("TX", None), ("OK", Some(1)), ("OK", Some(2)), ("CO", None)] {
        let exchange = files().load();
        let (lead, tree) =
            (exchange.lead(&[("state", given)]), exchange.routing.trees().next().unwrap());
        let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
        let wishes = wishes(most, &["coastal_call"]);
        let request = LeadRequest { lead: &lead, source, at: time(AT), wishes: &wishes };
        let plan = plan(tree, &request, &Books::default());
        let shown = explain(tree, &request, &Books::default());
        let explained = shown.tiers.iter().enumerate().flat_map(|(index, tier)| {
            tier.members.iter().filter_map(move |verdict| {
                let first = verdict.refusals.first()?;
                Some((verdict.campaign.clone(), index, first.reason.clone()))
            })
        });
        assert_eq!(plan.ineligible, explained.collect::<Vec<_>>());
    }
}
