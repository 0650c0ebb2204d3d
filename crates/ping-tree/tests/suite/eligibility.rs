//! Who may be pinged, gate by gate, in order.

use std::sync::Arc;

use exchange_model::Lead;
use ping_tree::{CapAmount, LeadRequest, eligibility, plan};

use crate::exchange::{Books, Exchange, Files, id, time};

/// A Monday morning at which everybody is open.
const OPEN: &str = "2026-11-23T10:15:00-06:00";
const ACME: &str = "acme_mutual/auto-tx";
const METRO: &str = "metro_direct/auto";

struct Door {
    exchange: Exchange,
    books: Books,
    lead: Lead,
}

impl Door {
    fn new(files: Files, given: &[(&str, &str)]) -> Self {
        let exchange = files.load();
        assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
        let lead = exchange.lead(given);
        Self { exchange, books: Books::default(), lead }
    }

    fn base() -> Self {
        Self::new(Files::base(), &[])
    }

    fn books(mut self, books: Books) -> Self {
        self.books = books;
        self
    }

    /// `ok`, or the reason.
    fn verdict(&self, campaign: &str, at: &str) -> String {
        self.verdict_for(campaign, "quotekart/search", at)
    }

    fn verdict_for(&self, campaign: &str, source: &str, at: &str) -> String {
        let source = self.exchange.routing.source(&source.parse().unwrap()).unwrap();
        let request = LeadRequest {
            lead: &self.lead,
            source,
            at: time(at),
            wishes: ping_tree::Wishes::none(),
        };
        let campaign = self.exchange.routing.campaign(&id(campaign)).unwrap();
        match eligibility(campaign, &request, &self.books) {
            Ok(()) => "ok".to_owned(),
            Err(reason) => reason.to_string(),
        }
    }
}

#[test]
fn a_lead_that_passes_every_gate_is_pinged() {
    assert_eq!(Door::base().verdict(ACME, OPEN), "ok");
}

#[test]
fn gates_fail_in_the_documented_order() {
    let night = "2026-11-26T03:00:00-06:00";
    let full = || Books::default().sold(ACME, OPEN, 20, 100).left("acme_mutual", 0);
    let unwanted = &[("state", "CO"), ("credit", "poor")];
    let blocked = ("sellers/quotekart.toml", "payout = { share = \"80%\" }");
    let block = "payout = { share = \"80%\" }\nblock = [\"acme_mutual\"]";
    let blocked = || Files::base().edited(blocked.0, blocked.1, block);
    let mut books = full();
    books.paused.push(id(ACME));
    assert_eq!(Door::new(blocked(), unwanted).books(books).verdict(ACME, night), "paused");
    let door = Door::new(blocked(), unwanted).books(full());
    assert_eq!(door.verdict(ACME, night), "blocked_by_seller");
    let door = Door::new(Files::base(), unwanted).books(full());
    assert_eq!(door.verdict(ACME, night), "filtered(state)");
    assert_eq!(Door::base().books(full()).verdict(ACME, night), "closed");
    assert_eq!(Door::base().books(full()).verdict(ACME, OPEN), "cap(hour)");
    let poor = Books::default().left("acme_mutual", 24_999);
    assert_eq!(Door::base().books(poor).verdict(ACME, OPEN), "no_credit");
}

#[test]
fn pausing_a_buyer_pauses_its_campaigns() {
    let files =
        Files::base().edited("buyers/acme_mutual.toml", "status = \"live\"", "status = \"paused\"");
    assert_eq!(Door::new(files, &[]).verdict(ACME, OPEN), "paused");
}

#[test]
fn a_source_is_blocked_for_its_own_leads_only() {
    let door = Door::base();
    assert_eq!(door.verdict_for(METRO, "quotekart/social", OPEN), "blocked_by_seller");
    assert_eq!(door.verdict_for(METRO, "quotekart/search", OPEN), "ok");
}

#[test]
fn filters_read_open_and_derived_fields_and_lists() {
    for (given, verdict) in [
        (("state", "ok"), "ok"),
        (("state", "LA"), "ok"),
        (("state", "CO"), "filtered(state)"),
        (("birth_date", "2001-11-23"), "ok"),
        (("birth_date", "2001-11-24"), "filtered(age)"),
        (("birth_date", "1951-11-23"), "ok"),
        (("birth_date", "1950-11-23"), "filtered(age)"),
        (("credit", "fair"), "filtered(credit)"),
        (("credit", ""), "filtered(credit)"),
        (("zip", "78702"), "filtered(zip)"),
        (("carrier", "Acme Mutual"), "filtered(carrier)"),
        (("carrier", ""), "filtered(carrier)"),
    ] {
        assert_eq!(Door::new(Files::base(), &[given]).verdict(ACME, OPEN), verdict, "{given:?}");
    }
}

#[test]
fn hours_follow_the_wall_clock_through_the_change_of_the_clocks() {
    let door = Door::base();
    for (at, verdict) in [
        ("2026-11-23T07:59:59-06:00", "closed"),
        ("2026-11-23T08:00:00-06:00", "ok"),
        ("2026-11-23T19:59:59-06:00", "ok"),
        ("2026-11-23T20:00:00-06:00", "closed"),
        ("2026-11-28T16:59:00-06:00", "ok"),
        ("2026-11-29T12:00:00-06:00", "closed"),
        ("2026-11-26T12:00:00-06:00", "closed"),
        // The same moment of the day in UTC, a week apart: clocks went back on 1 November.
        ("2026-10-30T13:00:00Z", "ok"),
        ("2026-11-02T13:59:59Z", "closed"),
        ("2026-11-02T14:00:00Z", "ok"),
    ] {
        assert_eq!(door.verdict(ACME, at), verdict, "{at}");
    }
}

#[test]
fn caps_count_within_their_window_and_open_again_after_it() {
    let morning = "2026-11-23T09:30:00-06:00";
    let door = Door::base().books(Books::default().sold(ACME, morning, 20, 100));
    assert_eq!(door.verdict(ACME, "2026-11-23T09:59:59-06:00"), "cap(hour)");
    assert_eq!(door.verdict(ACME, "2026-11-23T10:00:00-06:00"), "ok");
    let books = (8..16).fold(Books::default(), |books, hour| {
        books.sold(ACME, &format!("2026-11-23T{hour:02}:00:00-06:00"), 19, 100)
    });
    let door = Door::base().books(books);
    assert_eq!(door.verdict(ACME, "2026-11-23T16:00:00-06:00"), "cap(day)");
    assert_eq!(door.verdict(ACME, "2026-11-24T08:00:00-06:00"), "ok");
}

#[test]
fn a_spend_cap_is_full_when_the_least_price_no_longer_fits() {
    let spent = |cents| Books::default().sold(ACME, "2026-11-02T12:00:00-06:00", 1, cents);
    assert_eq!(Door::base().books(spent(599_200)).verdict(ACME, OPEN), "ok");
    assert_eq!(Door::base().books(spent(599_201)).verdict(ACME, OPEN), "cap(month_spend)");
}

#[test]
fn credit_must_cover_the_least_price_and_the_balance_asked_for() {
    let left = |buyer, cents| Books::default().left(buyer, cents);
    assert_eq!(Door::base().books(left("acme_mutual", 25_000)).verdict(ACME, OPEN), "ok");
    assert_eq!(Door::base().books(left("metro_direct", 900)).verdict(METRO, OPEN), "ok");
    assert_eq!(Door::base().books(left("metro_direct", 899)).verdict(METRO, OPEN), "no_credit");
}

#[test]
fn nothing_is_sold_for_nothing_to_a_buyer_without_a_floor() {
    let files = Files::base().edited("buyers/metro_direct.toml", "floor = \"9.00\", ", "");
    let door = Door::new(files, &[]).books(Books::default().left("metro_direct", 0));
    assert_eq!(door.verdict(METRO, OPEN), "no_credit");
}

#[test]
fn the_plan_keeps_every_tier_and_names_everybody_left_out() {
    let door = Door::base();
    let tree = door.exchange.routing.trees().next().unwrap();
    let source = door.exchange.routing.source(&"quotekart/social".parse().unwrap()).unwrap();
    let request =
        LeadRequest { lead: &door.lead, source, at: time(OPEN), wishes: ping_tree::Wishes::none() };
    let plan = plan(&Arc::clone(tree), &request, &door.books);
    let members: Vec<Vec<&str>> = plan
        .tiers
        .iter()
        .map(|tier| tier.members.iter().map(|member| member.campaign.id.as_str()).collect())
        .collect();
    assert_eq!(members, [vec![ACME], vec!["coastal_call/auto"]]);
    let left_out: Vec<String> =
        plan.ineligible.iter().map(|(who, tier, why)| format!("{who} {tier} {why}")).collect();
    assert_eq!(
        left_out,
        ["bluebonnet/preferred 0 filtered(homeowner)", "metro_direct/auto 0 blocked_by_seller"]
    );
}

#[test]
fn caps_are_handed_on_short_windows_first() {
    let door = Door::base();
    let caps = door
        .exchange
        .routing
        .campaign(&id(ACME))
        .unwrap()
        .caps_at(time(OPEN), &"quotekart/search".parse().unwrap());
    let shown: Vec<String> = caps
        .iter()
        .map(|cap| format!("{} {} {}", cap.kind, cap.window.start, cap.window.end))
        .collect();
    assert_eq!(
        shown,
        [
            "hour 2026-11-23T16:00:00.000Z 2026-11-23T17:00:00.000Z",
            "day 2026-11-23T06:00:00.000Z 2026-11-24T06:00:00.000Z",
            "month_spend 2026-11-01T05:00:00.000Z 2026-12-01T06:00:00.000Z",
        ]
    );
    assert_eq!(caps[0].limit, CapAmount::Leads(20));
}
