//! The reference page says what the readers read: its examples load, and every key of its tables
//! means what it says.

use std::path::Path;
use std::time::Duration;

use exchange_model::{Currency, LeadId, Money, Rate};
use ping_tree::{
    Amount, LookBack, Method, OnMismatch, PayoutRule, Rank, SaleKind, Tie, Tree, UnknownPolicy,
};

use crate::exchange::{Exchange, Files, id, lead, time};

const PAGE: &str = include_str!("../../../../docs/trees.md");
const ACME: &str = "buyers/acme_mutual.toml";
const SELLER: &str = "sellers/quotekart.toml";

/// The sample exchange, with the lists that the page names.
fn sample() -> Files {
    let files = Files::under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"));
    files.with("lists/zips.txt", "78701\n787*\n")
}

/// Every block of TOML of the section of the page that begins so.
fn blocks(section: &str) -> Vec<String> {
    let after = PAGE.split(&format!("\n{section}")).nth(1).unwrap();
    let own = after.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let fenced = own.split("```toml\n").skip(1);
    fenced
        .map(|block| {
            let block = block.split("```").next().unwrap();
            block.lines().map(str::trim).collect::<Vec<_>>().join("\n")
        })
        .collect()
}

/// Without findings about anything but tests and what is not used.
fn loads(files: &Files) -> Exchange {
    let exchange = files.load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    exchange
}

#[test]
fn the_filters_of_the_page_load() {
    let [filters] = &blocks("### 3.1")[..] else { panic!("one block") };
    let campaign = format!(
        "\n[[campaign]]\nid = \"page\"\nvertical = \"auto_insurance\"\nconnector = \"bids\"\n\
         price = {{ mode = \"fixed\", base = \"7.50\" }}\n{filters}\n[connector.bids]\n"
    );
    loads(&sample().edited(ACME, "\n[connector.bids]\n", &campaign));
}

#[test]
fn the_price_rules_of_the_page_load() {
    let blocks = blocks("## 4.");
    let rules = &blocks[0];
    assert!(rules.contains("[[campaign.price.adjust]]"), "{rules}");
    let campaign = format!(
        "\n[[campaign]]\nid = \"page\"\nvertical = \"auto_insurance\"\nconnector = \"bids\"\n\
         haircut = \"5%\"\nhandicap = \"2.00\"\n\
         [campaign.price]\nmode = \"fixed\"\nbase = \"7.50\"\n{rules}\n[connector.bids]\n"
    );
    let exchange = loads(&sample().edited(ACME, "\n[connector.bids]\n", &campaign));
    let campaign = exchange.routing.campaign(&id("acme_mutual/page")).unwrap();
    assert_eq!(campaign.adjust[0].amount, Amount::Money(usd("1.50")));
    assert!(matches!(campaign.haircut, Some(Amount::Share(_))));
}

#[test]
fn every_payout_of_the_page_loads() {
    let payouts = blocks("## 4.").remove(1);
    let (mut rules, mut exceptions) = (0, 0);
    for line in payouts.lines() {
        let files = if line.starts_with("payout_for") {
            exceptions += 1;
            sample().edited(SELLER, "payout = {", &format!("{line}\npayout = {{"))
        } else {
            rules += 1;
            let written = "payout = { share = \"80%\" }";
            sample().edited(SELLER, written, line)
        };
        let files = files.edited("sellers/quotekart.toml", "min_price = \"6.00\"", "");
        let exchange = loads(&files);
        assert!(exchange.routing.sources().count() >= 2);
    }
    assert_eq!((rules, exceptions), (5, 1));
}

#[test]
fn the_test_of_the_page_loads() {
    let [test] = &blocks("## 13.")[..] else { panic!("one block") };
    let file = format!("source = \"rateharbor/mail\"\n[lead.renter]\nstate = \"TX\"\n{test}");
    let exchange = loads(&sample().with("tests/page.toml", &file));
    let cases = || exchange.tests.iter().flat_map(|file| &file.cases);
    let case = cases().find(|case| case.name.starts_with("two that share")).unwrap();
    assert_eq!(case.tree.id.as_str(), "auto_shared");
}

/// A tree with every key of the page.
const TREE: &str = r#"
schema = 1
id = "auto_main"
vertical = "auto"
deadline = "15s"
post_reserve = "9s"
promise_lifetime = "90s"
time_zone = "America/Chicago"
least_margin = "5%"

[[tier]]
name = "good"
when = { credit = ["excellent"] }
auction = "second_price"
increment = "0.10"
rank = "expected"
ties = ["accept_rate", "margin", "handicap"]
reserve = "8.00"
cascade = 2
early_close = false
ping_timeout = "900ms"
members = ["acme_mutual/auto-tx", "metro_direct/auto"]

[[tier]]
name = "texas"
sale = "shared"
max_sold = 3
auction = "weighted"
window = "7d"
ping_timeout = "900ms"
members = [
  { campaign = "acme_mutual/auto-tx", weight = 3, when = { state = ["TX"] }, handicap = "2.00" },
  { campaign = "metro_direct/auto", weight = 1 },
]

[[tier]]
name = "rest"
sale = "hybrid"
max_sold = 2
auction = "share"
window = "month"
ping_timeout = "900ms"
members = [{ campaign = "acme_mutual/auto-tx", share = "20%" }, { campaign = "coastal_call/auto" }]
"#;

fn every_key() -> Exchange {
    let acme = "unknown = \"cascade\"\nhaircut = \"0.50\"\nhandicap = \"10%\"
shares = { 1 = \"100%\", 2 = \"80%\", 3 = \"14.00\" }
payout = { per_sale = \"4.00\" }\nsources = { not = [\"quotekart/social\"] }";
    let seller = "split = { auto_main = \"90%\", other = \"10%\" }\non_mismatch = \"ignore\"
payout_for = { metro_direct = { share = \"75%\" }, \"acme_mutual/auto-tx\" = { fixed = \"9.00\" } }";
    let other = TREE.replace("id = \"auto_main\"", "id = \"other\"");
    let exchange = Files::base()
        .with("trees/auto_main.toml", TREE)
        .with("trees/other.toml", &other)
        .edited(ACME, "unknown = \"hold\"", acme)
        .edited(
            "buyers/metro_direct.toml",
            "[[campaign]]",
            "payout = { margin = \"5.00\" }\n[[campaign]]",
        )
        .edited(SELLER, "tree = \"auto_main\"", seller)
        .with("tests/auto_main.toml", TESTS)
        .load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    exchange
}

const TESTS: &str = r#"
schema = 1
tree = "auto_main"
source = "quotekart/search"

[lead.prime]
state = "TX"

[[test]]
name = "a shared lead, with everything that a test may say"
at = 2026-11-23T10:15:00-06:00
lead = "prime"
min_price = "7.00"
max_buyers = 2
exclude = ["Bluebonnet", "0123456789abcdef0123456789abcdef"]
consented_to = ["Acme Mutual"]
bids = { "acme_mutual/auto-tx" = [{ name = "B", price = "9.00" }, { name = "A", price = "12.00" }], "metro_direct/auto" = { after = "1s", bids = [{ name = "C", price = "9.00" }] } }
posts = { "acme_mutual/auto-tx" = { legs = ["A"] } }

[test.history]
paused = ["coastal_call/auto"]
served = { "metro_direct/auto" = 3 }
qualified = { "metro_direct/auto" = 9 }
last_won = { "metro_direct/auto" = 2026-11-23T08:00:00-06:00 }
chance = { "metro_direct/auto" = "70%" }
used = { "acme_mutual/auto-tx" = { day = 150, day_spend = "3000.00" } }

[test.expect]
status = "sold"
winners = { "acme_mutual/auto-tx" = "9.60" }
legs = { "acme_mutual/auto-tx" = ["A"] }
value = "9.60"
payout = "4.00"
closed_early = false
pinged = ["acme_mutual/auto-tx", "metro_direct/auto"]
unasked = ["coastal_call/auto"]
passed = { "metro_direct/auto" = "outbid" }
"#;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn percent(text: &str) -> Rate {
    Rate::parse_percent(text).unwrap()
}

fn main_tree(exchange: &Exchange) -> &Tree {
    exchange.routing.tree(&"auto_main".parse().unwrap()).unwrap()
}

#[test]
fn a_tier_says_how_its_members_compete_and_to_how_many_it_sells() {
    let exchange = every_key();
    let tree = main_tree(&exchange);
    assert_eq!(tree.least_margin, Some(Amount::Share(percent("5%"))));
    assert_eq!(tree.zone.iana_name(), Some("America/Chicago"));
    let [good, texas, rest] = &tree.tiers[..] else { panic!("three tiers") };
    assert_eq!((good.method, good.rank), (Method::SecondPrice, Rank::Expected));
    assert_eq!(good.ties, [Tie::AcceptRate, Tie::Margin, Tie::Handicap]);
    assert_eq!((good.increment, good.early_close), (Some(usd("0.10")), false));
    assert_eq!((good.sale, good.look_back), (SaleKind::Exclusive, LookBack::Day));
    assert_eq!(texas.sale, SaleKind::Shared { max_sold: 3 });
    assert_eq!(texas.look_back, LookBack::Span(Duration::from_secs(7 * 86_400)));
    assert!(texas.early_close);
    assert_eq!((rest.method, rest.sale), (Method::Share, SaleKind::Hybrid { max_sold: 2 }));
    assert_eq!(rest.look_back, LookBack::Month);
}

#[test]
fn a_member_has_numbers_of_its_own_and_else_its_campaigns() {
    let exchange = every_key();
    let [good, texas, rest] = &main_tree(&exchange).tiers[..] else { panic!("three tiers") };
    assert_eq!(texas.members[0].weight, 3);
    assert_eq!(texas.members[0].handicap, Some(Amount::Money(usd("2.00"))));
    assert_eq!(good.members[0].handicap, Some(Amount::Share(percent("10%"))));
    assert_eq!(rest.members[0].share, Some(percent("20%")));
    assert_eq!(rest.members[1].share, None);
}

#[test]
fn a_lost_answer_cascades_where_several_buy_unless_the_campaign_says_otherwise() {
    let exchange = every_key();
    let (one, many) = (SaleKind::Exclusive, SaleKind::Hybrid { max_sold: 2 });
    let metro = exchange.routing.campaign(&id("metro_direct/auto")).unwrap();
    assert_eq!(metro.unknown_in(one), UnknownPolicy::Hold);
    assert_eq!(metro.unknown_in(many), UnknownPolicy::Cascade);
    let acme = exchange.routing.campaign(&id("acme_mutual/auto-tx")).unwrap();
    assert_eq!(acme.unknown_in(one), UnknownPolicy::Cascade);
}

#[test]
fn the_payout_rule_that_fits_best_decides() {
    let exchange = every_key();
    let rule = |source: &str, campaign: &str| {
        let source = exchange.routing.source(&source.parse().unwrap()).unwrap();
        source.payout_rule(exchange.routing.campaign(&id(campaign)).unwrap()).clone()
    };
    let search = "quotekart/search";
    assert_eq!(rule(search, "acme_mutual/auto-tx"), PayoutRule::Fixed(usd("9.00")));
    assert_eq!(rule(search, "metro_direct/auto"), PayoutRule::Share(percent("75%")));
    assert_eq!(rule(search, "coastal_call/auto"), PayoutRule::Share(percent("80%")));
    let social = "quotekart/social";
    assert_eq!(rule(social, "acme_mutual/auto-tx"), PayoutRule::PerSale(usd("4.00")));
    assert_eq!(rule(social, "metro_direct/auto"), PayoutRule::Margin(usd("5.00")));
    assert_eq!(rule(social, "coastal_call/auto"), PayoutRule::Fixed(usd("5.00")));
}

#[test]
fn a_campaign_pays_less_for_a_lead_that_it_shares_and_takes_no_part_in_other_numbers() {
    let exchange = every_key();
    let acme = exchange.routing.campaign(&id("acme_mutual/auto-tx")).unwrap();
    let prices: Vec<_> = (1..=4).map(|buyers| acme.shares.price(buyers, usd("20.00"))).collect();
    assert_eq!(prices, [Some(usd("20")), Some(usd("16")), Some(usd("14.00")), None]);
}

#[test]
fn the_traffic_of_a_source_is_split_over_trees() {
    let exchange = every_key();
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    assert_eq!(source.on_mismatch, OnMismatch::Ignore);
    let arm = |n: u8| source.tree_for(LeadId::from_bytes([n; 16])).as_str();
    let others = (0..=255).filter(|n| arm(*n) == "other").count();
    assert!((10..45).contains(&others), "{others}");
}

#[test]
fn rules_of_a_price_hold_by_lead_and_by_the_buyers_clock() {
    let price = "[campaign.price]
mode = \"fixed\"\nbase = \"10.00\"
[[campaign.price.adjust]]\nwhen = { credit = [\"good\"] }\nadd = \"1.50\"
[[campaign.price.adjust]]\nhours = { sat-sun = \"00:00-24:00\" }\nadd = \"-5%\"
[connector.main]";
    let exchange = Files::base()
        .edited("buyers/coastal_call.toml", "price = { mode = \"fixed\", base = \"6.75\" }", "")
        .edited("buyers/coastal_call.toml", "[connector.main]", price)
        .load();
    assert_eq!(exchange.rendered(), "");
    let campaign = exchange.routing.campaign(&id("coastal_call/auto")).unwrap();
    let at = |credit: &str, when: &str| {
        let lead = lead(&campaign.vertical, &[("credit", credit)]);
        campaign.adjusted(usd("10.00"), lead.attributes(), time(when)).unwrap().amount_text()
    };
    let (monday, saturday) = ("2026-11-23T10:00:00-05:00", "2026-11-21T00:30:00-05:00");
    assert_eq!(at("good", monday), "11.50");
    assert_eq!(at("fair", monday), "10.00");
    assert_eq!(at("good", saturday), "11.00");
    assert_eq!(at("fair", "2026-11-20T23:30:00-06:00"), "9.50");
    assert_eq!(campaign.least_price(), usd("9.50"));
    assert_eq!(campaign.most_price(), usd("11.50"));
}

#[test]
fn a_test_may_say_what_happened_before_and_expect_a_sale_to_several() {
    let exchange = every_key();
    let case = &exchange.tests[0].cases[0];
    assert_eq!(case.wishes.max_buyers, Some(2));
    assert_eq!(case.min_price, Some(usd("7.00")));
    assert_eq!(case.history.served[&id("metro_direct/auto")], 3);
    assert_eq!(case.history.chance[&id("metro_direct/auto")], percent("70%"));
    let winners = &case.expect.winners.as_ref().unwrap().value;
    assert_eq!(winners[&id("acme_mutual/auto-tx")], usd("9.60"));
    let bid = format!("{:?}", case.bids[&id("acme_mutual/auto-tx")].answer);
    assert!(bid.contains("price: Money { amount: 12.00"), "the best of several: {bid}");
    let post = format!("{:?}", case.posts[&id("acme_mutual/auto-tx")]);
    assert_eq!(post.matches("accepted: true").count(), 1, "{post}");
    assert_eq!(post.matches("accepted: false").count(), 1, "{post}");
}
