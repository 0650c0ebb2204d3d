//! What an operator reads about one lead.

use expect_test::expect;
use ping_tree::LeadRequest;
use ping_tree::explain::{Explanation, explain};

use crate::exchange::{Books, Files, time};

fn explained(given: &[(&str, &str)], at: &str, books: &Books) -> Explanation {
    let exchange = Files::base().load();
    let lead = exchange.lead(given);
    let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
    let request =
        LeadRequest { lead: &lead, source, at: time(at), wishes: ping_tree::Wishes::none() };
    explain(exchange.routing.trees().next().unwrap(), &request, books)
}

#[test]
fn every_campaign_says_what_it_would_do_and_which_line_decides() {
    let books = Books::default()
        .sold("metro_direct/auto", "2026-11-23T09:05:00-05:00", 43, 1_000)
        .sold("metro_direct/auto", "2026-11-23T11:05:00-05:00", 2, 1_000);
    let shown = explained(&[("credit", "fair")], "2026-11-23T10:15:00-06:00", &books);
    expect![[r#"
        tier 1 exclusive   reserve 14.00
          acme_mutual/auto-tx   ineligible  filtered: credit is "fair", accepts excellent, good    buyers/acme_mutual.toml:24
          bluebonnet/preferred  ineligible  filtered: homeowner is false, accepts true             buyers/bluebonnet.toml:12
          metro_direct/auto     would ping  (cap 45 of 120 today, open until 21:00 New York)
        tier 2 open
          coastal_call/auto     in auction  (fixed 6.75, always open)
    "#]]
    .assert_eq(&shown.to_string());
}

/// Every refusal of every campaign: reason, detail, line, remedy.
fn all(explanation: &Explanation) -> String {
    let verdicts = explanation.tiers.iter().flat_map(|tier| &tier.members);
    verdicts
        .flat_map(|verdict| verdict.refusals.iter().map(move |refusal| (verdict, refusal)))
        .map(|(verdict, refusal)| {
            let place =
                refusal.place.as_ref().map_or_else(|| "-".to_owned(), |place| place.file_line());
            let (who, why) = (&verdict.campaign, &refusal.reason);
            format!("{who} {why}: {} | {place} | {}\n", refusal.detail, refusal.remedy)
        })
        .collect()
}

#[test]
fn every_gate_is_evaluated_even_behind_one_that_fails() {
    let books = Books::default()
        .sold("acme_mutual/auto-tx", "2026-11-26T08:05:00-06:00", 150, 4_000)
        .left("acme_mutual", 1_050);
    let given = &[("state", "CO"), ("birth_date", "2004-01-01"), ("carrier", "Acme Mutual")];
    let shown = explained(given, "2026-11-26T08:15:00-06:00", &books);
    expect![[r#"
        acme_mutual/auto-tx filtered(state): state is "CO", accepts LA, OK, TX | buyers/acme_mutual.toml:22 | a lead whose state it accepts (LA, OK, TX), or another filter
        acme_mutual/auto-tx filtered(age): age is 22, accepts 25 to 75 | buyers/acme_mutual.toml:23 | a lead whose age it accepts (25 to 75), or another filter
        acme_mutual/auto-tx filtered(carrier): carrier is "Acme Mutual", accepts any but Acme Mutual | buyers/acme_mutual.toml:26 | a lead whose carrier it accepts (any but Acme Mutual), or another filter
        acme_mutual/auto-tx closed: closed on 2026-11-26, opens Fri 08:00 Chicago | buyers/acme_mutual.toml:19 | wait (opens Fri 08:00 Chicago), or widen its hours
        acme_mutual/auto-tx cap(hour): 150 of 20 this hour, room again 09:00 Chicago | buyers/acme_mutual.toml:13 | raise caps.hour, or wait until 09:00 Chicago
        acme_mutual/auto-tx cap(day): 150 of 150 today, room again 2026-11-27 00:00 Chicago | buyers/acme_mutual.toml:13 | raise caps.day, or wait until 2026-11-27 00:00 Chicago
        acme_mutual/auto-tx cap(month_spend): 6000.00 of 6000.00 this month, room again 2026-12-01 00:00 Chicago | buyers/acme_mutual.toml:13 | raise caps.month_spend, or wait until 2026-12-01 00:00 Chicago
        acme_mutual/auto-tx no_credit: 10.50 available, needs 250.00 | buyers/acme_mutual.toml:6 | a top-up or payment, or a higher credit line
        bluebonnet/preferred filtered(state): state is "CO", accepts AR, TX | buyers/bluebonnet.toml:12 | a lead whose state it accepts (AR, TX), or another filter
        bluebonnet/preferred filtered(homeowner): homeowner is false, accepts true | buyers/bluebonnet.toml:12 | a lead whose homeowner it accepts (true), or another filter
    "#]]
    .assert_eq(&all(&shown));
}

#[test]
fn explain_and_eligibility_give_the_same_first_reason() {
    for (given, at) in [
        (vec![("state", "CO")], "2026-11-23T10:15:00-06:00"),
        (vec![("zip", "78702")], "2026-11-23T10:15:00-06:00"),
        (vec![], "2026-11-22T10:15:00-06:00"),
        (vec![], "2026-11-23T23:15:00-06:00"),
    ] {
        let exchange = Files::base().load();
        let lead = exchange.lead(&given);
        let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
        let request =
            LeadRequest { lead: &lead, source, at: time(at), wishes: ping_tree::Wishes::none() };
        let shown = explained(&given, at, &Books::default());
        for verdict in shown.tiers.iter().flat_map(|tier| &tier.members) {
            let campaign = exchange.routing.campaign(&verdict.campaign).unwrap();
            let reason = ping_tree::eligibility(campaign, &request, &Books::default()).err();
            assert_eq!(verdict.refusals.first().map(|first| &first.reason), reason.as_ref());
        }
    }
}

#[test]
fn contact_data_is_never_shown() {
    let books = Books::default();
    let shown = explained(&[("phone", "2125550177")], "2026-11-26T03:00:00-06:00", &books);
    for text in [shown.to_string(), all(&shown), format!("{shown:?}")] {
        assert!(!text.contains("2125550177") && !text.contains("1990-04-02"));
    }
}

#[test]
fn a_schedule_says_when_it_changes() {
    let hours = |at: &str| {
        let shown = explained(&[], at, &Books::default());
        shown.tiers[0].members.iter().map(|m| m.hours.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        hours("2026-11-23T10:15:00-06:00"),
        ["open until 20:00 Chicago", "always open", "open until 21:00 New York"]
    );
    assert_eq!(
        hours("2026-11-25T21:00:00-06:00"),
        ["opens Fri 08:00 Chicago", "always open", "opens Thu 09:00 New York"]
    );
}
