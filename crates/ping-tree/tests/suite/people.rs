//! What is asked about the person behind a lead, and what a vertical makes of it.

use std::time::Duration;

use exchange_model::{Brand, BrandList, Lead, Value};
use ping_tree::{Consent, DuplicateScope, LeadRequest, eligibility};

use crate::exchange::{Books, Exchange, Files, id, time};

const OPEN: &str = "2026-11-23T10:15:00-06:00";
const ACME: &str = "acme_mutual/auto-tx";
const PRICE: &str = "price = { mode = \"bid\", floor = \"8.00\", ceiling = \"60.00\" }";

fn acme_with(lines: &str) -> Exchange {
    let exchange =
        Files::base().edited("buyers/acme_mutual.toml", PRICE, &format!("{PRICE}\n{lines}")).load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    exchange
}

fn verdict(exchange: &Exchange, lead: &Lead) -> String {
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    let wishes = ping_tree::Wishes::none();
    let request = LeadRequest { lead, source, at: time(OPEN), wishes };
    let campaign = exchange.routing.campaign(&id(ACME)).unwrap();
    match eligibility(campaign, &request, &Books::default()) {
        Ok(()) => "ok".to_owned(),
        Err(reason) => reason.to_string(),
    }
}

fn agreed(names: &[&str]) -> Option<BrandList> {
    Some(BrandList::new(names.iter().copied()).unwrap())
}

#[test]
fn a_campaign_that_asks_for_consent_takes_only_leads_that_name_it() {
    let exchange = acme_with("consent = \"named\"");
    let lead = |list| exchange.lead(&[]).with_consent(list);
    assert_eq!(verdict(&exchange, &lead(None)), "no_consent");
    assert_eq!(verdict(&exchange, &lead(agreed(&["Bolt Direct"]))), "no_consent");
    assert_eq!(verdict(&exchange, &lead(agreed(&["Bolt Direct", "ACME MUTUAL"]))), "ok");

    let own = acme_with("consent = \"named\"\nconsent_names = [\"Acme Auto\"]");
    let lead = |list| own.lead(&[]).with_consent(list);
    assert_eq!(verdict(&own, &lead(agreed(&["Acme Mutual"]))), "no_consent");
    assert_eq!(verdict(&own, &lead(agreed(&["acme auto"]))), "ok");

    let any = acme_with("consent = \"any\"");
    assert_eq!(verdict(&any, &any.lead(&[])), "ok");
}

#[test]
fn rules_about_persons_are_read_with_their_scopes() {
    let exchange = acme_with(
        "duplicates = { window = \"60d\", on = [\"phone\"], scope = \"buyer\" }\n\
         suppress = [\"old\", \"customers\", \"old\"]",
    );
    let campaign = exchange.routing.campaign(&id(ACME)).unwrap();
    let rule = campaign.person.duplicates.as_ref().unwrap();
    assert_eq!((rule.scope, rule.window), (DuplicateScope::Buyer, Duration::from_hours(60 * 24)));
    assert_eq!(campaign.person.suppress, ["customers", "old"]);
    assert_eq!(campaign.person.consent, Consent::Any);
    let fields = exchange.routing.person_fields(&"auto".parse().unwrap());
    assert!(fields.contains(&"phone".to_owned()), "{fields:?}");
    assert_ne!(Consent::Named(vec![Brand::new("a")]), Consent::Any);
}

const SCORE: &str = r#"
[score]
base = 5
[[score.rule]]
when = { credit = ["excellent"] }
add = 4
[[score.rule]]
when = { any = [ { homeowner = true }, { age = { min = 30 } } ] }
add = 3
[[score.rule]]
when = { violations = { min = 3 } }
add = -9
"#;

fn scored(given: &[(&str, &str)]) -> (i64, Vec<i64>) {
    let age = "age = { from = \"years_since(birth_date)\", class = \"open\" }";
    let exchange =
        Files::base().edited("verticals/auto.toml", age, &format!("{age}\n{SCORE}")).load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    let lead = exchange.lead(given);
    let (vertical, open) = (lead.vertical(), lead.attributes());
    let score = open.get(vertical.index("score").unwrap());
    let Some(Value::Integer(score)) = score else { panic!("{score:?}") };
    (*score, vertical.score_parts(open).iter().map(|part| part.add).collect())
}

#[test]
fn a_score_is_its_base_and_every_rule_that_holds_from_1_to_10() {
    assert_eq!(scored(&[("birth_date", "2004-04-02")]), (5, vec![]));
    assert_eq!(scored(&[]), (8, vec![3]));
    assert_eq!(scored(&[("credit", "excellent")]), (10, vec![4, 3]));
    assert_eq!(scored(&[("birth_date", "2004-04-02"), ("violations", "3")]), (1, vec![-9]));
}

#[test]
fn a_score_can_decide_who_is_asked() {
    let age = "age = { from = \"years_since(birth_date)\", class = \"open\" }";
    let exchange = Files::base()
        .edited("verticals/auto.toml", age, &format!("{age}\n{SCORE}"))
        .edited("buyers/acme_mutual.toml", "age = { min = 25, max = 75 }", "score = { min = 9 }")
        .load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    assert_eq!(verdict(&exchange, &exchange.lead(&[])), "filtered(score)");
    assert_eq!(verdict(&exchange, &exchange.lead(&[("credit", "excellent")])), "ok");
}
