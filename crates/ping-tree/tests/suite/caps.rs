//! Caps of every scope, as eligibility and explain see them.

use exchange_model::SourceId;
use ping_tree::explain::explain;
use ping_tree::{LeadRequest, Wishes, eligibility};

use crate::exchange::{Books, Exchange, Files, SOURCE, id, time};

const ACME: &str = "acme_mutual/auto-tx";
const OPEN: &str = "2026-11-23T10:15:00-06:00";
const CAPS: &str = "caps = { hour = 20, day = 150, month_spend = \"6000.00\" }";

fn with(acme: &str, head: &str, groups: &str) -> Files {
    let files = Files::base().edited("buyers/acme_mutual.toml", CAPS, acme);
    let files = files.edited("buyers/acme_mutual.toml", "time_zone", &format!("{head}\ntime_zone"));
    if groups.is_empty() { files } else { files.with("groups.toml", groups) }
}

fn clean(files: &Files) -> Exchange {
    let exchange = files.load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    exchange
}

/// `eligible`, or the reason.
fn verdict(files: &Files, books: Books) -> String {
    let exchange = clean(files);
    let source = exchange.routing.source(&SOURCE.parse().unwrap()).unwrap();
    let lead = exchange.lead(&[]);
    let request = LeadRequest { lead: &lead, source, at: time(OPEN), wishes: Wishes::none() };
    let campaign = exchange.routing.campaign(&id(ACME)).unwrap();
    match eligibility(campaign, &request, &books) {
        Ok(()) => "eligible".to_owned(),
        Err(reason) => reason.to_string(),
    }
}

/// Every refusal of the campaign: reason, detail, line, remedy.
fn refusals(files: &Files, books: Books) -> Vec<String> {
    let exchange = clean(files);
    let source = exchange.routing.source(&SOURCE.parse().unwrap()).unwrap();
    let lead = exchange.lead(&[]);
    let request = LeadRequest { lead: &lead, source, at: time(OPEN), wishes: Wishes::none() };
    let explained = explain(exchange.routing.trees().next().unwrap(), &request, &books);
    let mut members = explained.tiers.iter().flat_map(|tier| &tier.members);
    let verdict = members.find(|verdict| verdict.campaign.as_str() == ACME).unwrap();
    let shown = verdict.refusals.iter().map(|refusal| {
        let place = refusal.place.as_ref().unwrap().file_line();
        format!("{}: {} | {place} | {}", refusal.reason, refusal.detail, refusal.remedy)
    });
    shown.collect()
}

fn sold(campaign: &str, at: &str, count: usize) -> Books {
    Books::default().sold(campaign, at, count, 1_000)
}

#[test]
fn a_week_a_second_and_a_total_are_caps_like_any_other() {
    let sunday = "2026-11-22T20:00:00-06:00";
    let today = "2026-11-23T09:00:00-06:00";
    let week = with("caps = { week = 3 }", "", "");
    assert_eq!(verdict(&week, sold(ACME, sunday, 3)), "eligible");
    assert_eq!(verdict(&week, sold(ACME, today, 3)), "cap(week)");
    let second = with("caps = { second = 2 }", "", "");
    assert_eq!(verdict(&second, sold(ACME, OPEN, 2)), "cap(second)");
    assert_eq!(verdict(&second, sold(ACME, "2026-11-23T10:14:59.999-06:00", 2)), "eligible");
    let total = with("caps = { total = 3 }", "", "");
    assert_eq!(verdict(&total, sold(ACME, "2019-01-01T00:00:00Z", 3)), "cap(total)");
    let since = with("caps = { total = 3, since = \"2026-11-23\" }", "", "");
    assert_eq!(verdict(&since, sold(ACME, sunday, 3)), "eligible");
    assert_eq!(verdict(&since, sold(ACME, today, 3)), "cap(total)");
    let spent = with("caps = { total_spend = \"37.99\" }", "", "");
    assert_eq!(verdict(&spent, sold(ACME, "2019-01-01T00:00:00Z", 3)), "cap(total_spend)");
}

#[test]
fn a_buyer_s_caps_count_all_its_campaigns() {
    let files = with("", "caps = { day = 5 }", "");
    let today = "2026-11-23T09:00:00-06:00";
    assert_eq!(verdict(&files, sold("acme_mutual/life", today, 4)), "eligible");
    assert_eq!(verdict(&files, sold("acme_mutual/life", today, 5)), "cap(buyer day)");
    assert_eq!(verdict(&files, sold("metro_direct/auto", today, 5)), "eligible");
}

#[test]
fn a_group_s_caps_count_its_members_by_its_own_clock() {
    let groups = "[group.texas]\ntime_zone = \"Asia/Tokyo\"\ncaps = { day = 5 }\n";
    let files = with("groups = [\"texas\"]", "", groups);
    // 24 November, 01:15 in Tokyo.
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T08:59:00-06:00", 5)), "eligible");
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T09:00:00-06:00", 5)), "cap(group texas day)");
    assert_eq!(verdict(&files, sold("metro_direct/auto", OPEN, 5)), "eligible");
}

#[test]
fn a_source_has_its_own_cap_or_that_of_each() {
    let each = with("each_source = { day = 2 }", "", "");
    assert_eq!(verdict(&each, sold(ACME, OPEN, 2)), "cap(source day)");
    let mine =
        format!("each_source = {{ day = 2 }}\nby_source = {{ \"{SOURCE}\" = {{ day = 3 }} }}");
    let own = with(&mine, "", "");
    assert_eq!(verdict(&own, sold(ACME, OPEN, 2)), "eligible");
    assert_eq!(verdict(&own, sold(ACME, OPEN, 3)), "cap(source day)");
}

#[test]
fn a_paced_day_opens_bit_by_bit() {
    // Open from 8 to 20: at 10:15 the share is 3.25 of 12 hours.
    let files = with("caps = { day = 120, pace = \"even\" }", "", "");
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T09:00:00-06:00", 32)), "eligible");
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T09:00:00-06:00", 33)), "cap(pace)");
}

#[test]
fn open_leads_are_counted_from_open_for_ago_on() {
    let files = with("caps = { open = 2, open_for = \"20m\" }", "", "");
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T09:55:00-06:00", 2)), "cap(open)");
    assert_eq!(verdict(&files, sold(ACME, "2026-11-23T09:54:59-06:00", 2)), "eligible");
}

#[test]
fn limits_name_their_scope_in_the_order_they_are_checked() {
    let groups = "[group.texas]\ntime_zone = \"UTC\"\ncaps = { week = 5 }\n";
    let acme = "caps = { day = 9, pace = \"even\", open = 2, open_for = \"20m\" }\n\
                each_source = { day = 2 }\ngroups = [\"texas\"]";
    let exchange = with(acme, "caps = { month = 5 }", groups).load();
    assert_eq!(exchange.rendered(), "");
    let source: SourceId = SOURCE.parse().unwrap();
    let campaign = exchange.routing.campaign(&id(ACME)).unwrap();
    let names: Vec<String> =
        campaign.caps_at(time(OPEN), &source).iter().map(|cap| cap.name().to_string()).collect();
    assert_eq!(names, ["day", "pace", "open", "source day", "buyer month", "group texas week"]);
}

#[test]
fn explain_says_whose_cap_is_full_and_where_it_is_written() {
    let groups = "[group.texas]\ntime_zone = \"America/Chicago\"\ncaps = { day = 5 }\n";
    let acme = "caps = { open = 2, open_for = \"20m\" }\ngroups = [\"texas\"]";
    let files = with(acme, "caps = { total = 4 }", groups);
    let explained = refusals(&files, sold(ACME, OPEN, 5));
    assert_eq!(
        explained,
        [
            "cap(open): 5 of 2 open | buyers/acme_mutual.toml:14 | raise caps.open, or wait until one of them is finished",
            "cap(buyer total): 5 of 4 in all of the buyer | buyers/acme_mutual.toml:5 | raise caps.total of the buyer, or wait for no end",
            "cap(group texas day): 5 of 5 today of group texas, room again 2026-11-24 00:00 Chicago | groups.toml:3 | raise group.texas.caps.day, or wait until 2026-11-24 00:00 Chicago",
        ]
    );
}

#[test]
fn rates_are_read_where_they_stand() {
    let files = with("ping_rate = \"50/s\"", "ping_rate = \"300/m\"", "");
    let files = files.edited(
        "sellers/quotekart.toml",
        "alias",
        "rate_limit = \"9/s\"\ncaps = { day = 7 }\nalias",
    );
    let exchange = files.load();
    assert_eq!(exchange.rendered(), "");
    let campaign = exchange.routing.campaign(&id(ACME)).unwrap();
    let rates =
        [campaign.ping_rate, campaign.buyer.ping_rate].map(|rate| rate.unwrap().to_string());
    assert_eq!(rates, ["50/s", "300/m"]);
    let source = exchange.routing.source(&SOURCE.parse().unwrap()).unwrap();
    assert_eq!(source.rate_limit.unwrap().to_string(), "9/s");
    let caps = source.caps_at(time(OPEN), &jiff::tz::TimeZone::UTC);
    assert_eq!(caps.iter().map(|cap| cap.kind.code()).collect::<Vec<_>>(), ["day"]);
}
