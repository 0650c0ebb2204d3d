//! The journey of a lead in words, from its trace: for `rialto lead show` and the demo.

use std::collections::{BTreeMap, BTreeSet};

use exchange_core::trace::{LateBid, Trace, TraceEvent};

use crate::cli::output::{DIM, GREEN, RED, YELLOW, painted};

/// The reason of a ping that nobody answered in its time.
const TIMEOUT: &str = "timeout";

/// Every step in a line of its own: when, what, whom, detail.
pub(crate) fn steps(trace: &Trace) -> Vec<String> {
    let mut bids = Bids::default();
    let told: Vec<(u64, &'static str, String, String)> = trace
        .steps
        .iter()
        .map(|step| {
            let (what, whom, detail) = told(&step.event);
            (step.at, what, whom, detail + &bids.beside(&step.event))
        })
        .collect();
    let names = told.iter().map(|(_, what, ..)| what.chars().count()).max().unwrap_or(0);
    let width = told.iter().map(|(_, _, whom, _)| whom.chars().count()).max().unwrap_or(0);
    told.iter()
        .map(|(at, what, whom, detail)| {
            let line = format!("{:>9}  {what:names$}  {whom:width$}  {detail}", millis(*at));
            line.trim_end().to_owned()
        })
        .collect()
}

/// What was bid last, by campaign: a lead may be sold at another price.
#[derive(Debug, Default)]
struct Bids {
    prices: BTreeMap<String, String>,
}

impl Bids {
    fn note(&mut self, campaign: &str, price: &str) {
        self.prices.insert(campaign.to_owned(), price.to_owned());
    }

    /// The bid of a campaign that is sold the lead at another price.
    fn other_than(&self, campaign: &str, price: &str) -> Option<&str> {
        self.prices.get(campaign).map(String::as_str).filter(|bid| *bid != price)
    }

    /// What a step needs to be understood beside itself.
    fn beside(&mut self, event: &TraceEvent) -> String {
        match event {
            TraceEvent::Bid { campaign, price, .. } => {
                self.note(campaign, price);
                String::new()
            }
            TraceEvent::Preparing { campaign, price, .. } => {
                let bid = self.other_than(campaign, price);
                bid.map(|bid| format!(" for a bid of {bid}")).unwrap_or_default()
            }
            _ => String::new(),
        }
    }
}

/// `alone`, or `one of at most 3`: what each buyer of a lead is promised.
fn company(buyers: u8) -> String {
    if buyers == 1 { "alone".to_owned() } else { format!("one of at most {buyers}") }
}

/// What happened, to whom, and how.
fn told(event: &TraceEvent) -> (&'static str, String, String) {
    let plain =
        |text: &Option<String>| text.as_ref().map(|t| format!(" \"{t}\"")).unwrap_or_default();
    match event {
        TraceEvent::Ineligible { tier, campaign, reason } => {
            ("ineligible", campaign.clone(), format!("{reason}, tier {tier}"))
        }
        TraceEvent::Pinged { tier, campaign, .. } => {
            ("pinged", campaign.clone(), format!("tier {tier}"))
        }
        TraceEvent::Bid { campaign, price, payout } => {
            ("bid", campaign.clone(), format!("{price}, would pay the seller {payout}"))
        }
        TraceEvent::Valued { campaign, value, rank, handicap, chance } => {
            let handicap = handicap.as_ref().map(|off| format!(", handicap {off}"));
            let chance = chance.map(|ppm| format!(", accepts {}", percent(ppm)));
            let more = handicap.into_iter().chain(chance).collect::<String>();
            ("valued", campaign.clone(), format!("worth {value}, ranked by {rank}{more}"))
        }
        TraceEvent::ClosedEarly { tier, waiting } => {
            let waiting = waiting.join(", ");
            ("closed early", String::new(), format!("tier {tier}, without {waiting}"))
        }
        TraceEvent::Chosen { tier, buyers, members, total } => {
            let members = members.join(", ");
            let company = company(*buyers);
            let detail = format!("tier {tier}, {company}: {members}; {total} to the seller");
            ("chosen", String::new(), detail)
        }
        TraceEvent::SecondPrice { campaign, bid, pays } => {
            ("second price", campaign.clone(), format!("pays {pays} for a bid of {bid}"))
        }
        TraceEvent::NoBid { campaign, reason, text, late } => {
            let late = late.as_ref().map(too_late).unwrap_or_default();
            ("no bid", campaign.clone(), format!("{reason}{}{late}", plain(text)))
        }
        TraceEvent::Ranked { tier, order } => {
            ("ranked", String::new(), format!("tier {tier}: {}", order.join(", ")))
        }
        TraceEvent::Preparing { attempt, campaign, price } => {
            ("commit A", campaign.clone(), format!("{attempt}, holds {price}"))
        }
        TraceEvent::Prepared { attempt } => ("durable", String::new(), attempt.clone()),
        TraceEvent::Refused { attempt, reason } => {
            ("refused", String::new(), format!("{attempt}: {reason}"))
        }
        TraceEvent::Posted { attempt, campaign } => ("posted", campaign.clone(), attempt.clone()),
        TraceEvent::PostAnswer { attempt, outcome, reason, text } => {
            let reason = reason.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
            ("answer", String::new(), format!("{outcome}{reason}{}, {attempt}", plain(text)))
        }
        TraceEvent::Reposted { attempt } => ("reposted", String::new(), attempt.clone()),
        TraceEvent::Asked { attempt, how } => ("asked", String::new(), format!("{how}, {attempt}")),
        TraceEvent::Countered { campaign, bid, offered, declined } => {
            let what = match declined {
                Some(why) => format!("{offered} instead of {bid}, not taken: {why}"),
                None => format!("{offered} instead of {bid}, posted again"),
            };
            ("counter-offer", campaign.clone(), what)
        }
        TraceEvent::Passed { campaign, reason } => ("passed", campaign.clone(), reason.clone()),
        TraceEvent::Committed => ("commit B", String::new(), String::new()),
        TraceEvent::Answered { status, payout } => {
            let payout = payout.as_ref().map(|p| format!(", {p} to the seller"));
            ("answered", String::new(), format!("{status}{}", payout.unwrap_or_default()))
        }
    }
}

/// One tier's pings and bids, or one post, as short coloured lines.
pub(crate) fn brief(trace: &Trace) -> Vec<String> {
    let mut story = Story::default();
    for step in &trace.steps {
        story.take(step.at, &step.event);
    }
    story.lines()
}

/// What a trace tells, gathered by tier and by post.
#[derive(Debug, Default)]
struct Story {
    /// How many were not asked, by the family of the reason.
    ineligible: BTreeMap<String, usize>,
    /// Tier names in the order they were asked, with what each member said.
    tiers: Vec<(String, Vec<String>)>,
    tier_of: BTreeMap<String, usize>,
    asked_at: BTreeMap<String, u64>,
    posts: Vec<Post>,
    bids: Bids,
    /// Why a campaign pays less than it bid, where that is not its share.
    second_prices: BTreeSet<String>,
    /// Who had an answer taken for none already: what becomes of the call later is told once.
    silent: BTreeSet<String>,
    /// What was chosen to be sold to whom.
    choices: Vec<String>,
    /// Tiers and posts as they came.
    order: Vec<Chapter>,
}

#[derive(Clone, Copy, Debug)]
enum Chapter {
    Tier(usize),
    Choice(usize),
    Post(usize),
}

#[derive(Debug)]
struct Post {
    attempt: String,
    campaign: String,
    /// Its price where that is not the bid, as in ` at the second price 25.66`.
    price: String,
    sent_at: Option<u64>,
    outcome: String,
}

impl Story {
    fn take(&mut self, at: u64, event: &TraceEvent) {
        match event {
            TraceEvent::Ineligible { reason, .. } => {
                let family = reason.split('(').next().unwrap_or(reason);
                let count = self.ineligible.entry(family.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
            TraceEvent::Pinged { tier, campaign, .. } => self.asked(at, tier, campaign),
            TraceEvent::Bid { campaign, price, .. } => {
                self.bids.note(campaign, price);
                self.said(
                    campaign,
                    format!("{} {}", painted(GREEN, amount(price)), self.after(at, campaign)),
                );
            }
            TraceEvent::NoBid { campaign, reason, .. } => self.no_bid(at, campaign, reason),
            TraceEvent::Chosen { buyers, members, total, .. } => {
                self.chose(*buyers, members, total);
            }
            TraceEvent::SecondPrice { campaign, .. } => {
                self.second_prices.insert(campaign.clone());
            }
            TraceEvent::Preparing { attempt, campaign, price } => {
                self.preparing(attempt, campaign, price);
            }
            TraceEvent::Posted { attempt, .. } => self.sent(at, attempt),
            TraceEvent::Refused { attempt, reason } => {
                self.ended(at, attempt, painted(YELLOW, format!("not posted: {reason}")));
            }
            TraceEvent::PostAnswer { attempt, outcome, reason, .. } => {
                let reason = reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
                let colour = if outcome == "accepted" { GREEN } else { RED };
                self.ended(at, attempt, painted(colour, format!("{outcome}{reason}")));
            }
            TraceEvent::Reposted { attempt } | TraceEvent::Asked { attempt, .. } => {
                self.ended(at, attempt, painted(YELLOW, "asked again"));
            }
            TraceEvent::Ranked { .. }
            | TraceEvent::Valued { .. }
            | TraceEvent::ClosedEarly { .. }
            | TraceEvent::Countered { .. }
            | TraceEvent::Prepared { .. }
            | TraceEvent::Passed { .. }
            | TraceEvent::Committed
            | TraceEvent::Answered { .. } => {}
        }
    }

    /// A call that was given up ends once more when its buyer hangs up or its time is over.
    fn no_bid(&mut self, at: u64, campaign: &str, reason: &str) {
        let again = reason == TIMEOUT && !self.silent.insert(campaign.to_owned());
        if !again {
            let after = self.after(at, campaign);
            self.said(campaign, painted(DIM, format!("no bid: {reason} {after}")));
        }
    }

    fn chose(&mut self, buyers: u8, members: &[String], total: &str) {
        let (company, members) = (company(buyers), members.join(", "));
        self.order.push(Chapter::Choice(self.choices.len()));
        self.choices.push(format!("{company}: {members}; {total} to the seller"));
    }

    /// The price of a post where that is not the bid.
    fn price_of(&self, campaign: &str, price: &str) -> String {
        if self.bids.other_than(campaign, price).is_none() {
            return String::new();
        }
        let which =
            if self.second_prices.contains(campaign) { "the second price" } else { "its share" };
        format!(" at {which} {}", amount(price))
    }

    fn preparing(&mut self, attempt: &str, campaign: &str, price: &str) {
        let price = self.price_of(campaign, price);
        self.order.push(Chapter::Post(self.posts.len()));
        self.posts.push(Post {
            attempt: attempt.to_owned(),
            campaign: campaign.to_owned(),
            price,
            sent_at: None,
            outcome: String::new(),
        });
    }

    fn tier(&mut self, name: &str) {
        self.order.push(Chapter::Tier(self.tiers.len()));
        self.tiers.push((name.to_owned(), Vec::new()));
    }

    fn asked(&mut self, at: u64, tier: &str, campaign: &str) {
        if self.tiers.last().is_none_or(|(name, _)| name != tier) {
            self.tier(tier);
        }
        self.tier_of.insert(campaign.to_owned(), self.tiers.len().saturating_sub(1));
        self.asked_at.insert(campaign.to_owned(), at);
        self.silent.remove(campaign);
    }

    /// A fixed price without a ping has a bid and no tier of its own: it belongs to the latest.
    fn said(&mut self, campaign: &str, what: String) {
        let last = self.tiers.len().saturating_sub(1);
        let tier = self.tier_of.get(campaign).copied().unwrap_or(last);
        if self.tiers.is_empty() {
            self.tier("fixed");
        }
        if let Some((_, said)) = self.tiers.get_mut(tier) {
            said.push(format!("{campaign} {what}").trim_end().to_owned());
        }
    }

    fn after(&self, at: u64, campaign: &str) -> String {
        let asked = self.asked_at.get(campaign);
        asked.map(|asked| format!("({})", millis(at.saturating_sub(*asked)))).unwrap_or_default()
    }

    fn sent(&mut self, at: u64, attempt: &str) {
        for post in self.posts.iter_mut().filter(|post| post.attempt == attempt) {
            post.sent_at = Some(at);
        }
    }

    fn ended(&mut self, at: u64, attempt: &str, how: String) {
        for post in self.posts.iter_mut().filter(|post| post.attempt == attempt) {
            let took = post.sent_at.map(|sent| millis(at.saturating_sub(sent)));
            let took = took.map(|took| format!(" ({took})")).unwrap_or_default();
            let before = if post.outcome.is_empty() { "" } else { ", " };
            post.outcome.push_str(&format!("{before}{how}{took}"));
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.ineligible.is_empty() {
            let each = self.ineligible.iter().map(|(why, count)| format!("{count} {why}"));
            let each = each.collect::<Vec<_>>().join(", ");
            lines.push(painted(DIM, format!("not asked  {each}")));
        }
        lines.extend(self.order.iter().filter_map(|chapter| self.chapter(*chapter)));
        lines
    }

    fn chapter(&self, chapter: Chapter) -> Option<String> {
        match chapter {
            Chapter::Tier(at) => {
                let (name, said) = self.tiers.get(at)?;
                Some(format!("{name:9}  {}", said.join(", ")))
            }
            Chapter::Post(at) => {
                let post = self.posts.get(at)?;
                Some(format!("post       {}{} {}", post.campaign, post.price, post.outcome))
            }
            Chapter::Choice(at) => Some(format!("chosen     {}", self.choices.get(at)?)),
        }
    }
}

/// What waiting longer would have brought.
fn too_late(late: &LateBid) -> String {
    let won = if late.would_have_won { ", would have won" } else { "" };
    format!(", {} too late{won}", millis(late.late_by))
}

/// The amount of a text like `24.80 USD`.
fn amount(money: &str) -> &str {
    money.split(' ').next().unwrap_or(money)
}

/// Parts per million as a percentage with one decimal.
fn percent(ppm: u32) -> String {
    let tenths = ppm.saturating_add(500) / 1_000;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// Microseconds as milliseconds: `12 ms`, below ten with one decimal.
pub(crate) fn millis(micros: u64) -> String {
    let tenths = micros.saturating_add(50) / 100;
    if tenths < 100 {
        format!("{}.{} ms", tenths / 10, tenths % 10)
    } else {
        format!("{} ms", micros.saturating_add(500) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use exchange_model::Timestamp;
    use expect_test::expect;

    use super::*;

    fn cascade() -> Trace {
        let mut trace = Trace::new("auto_main", Timestamp::default());
        let mut push = |ms, event| trace.push(Duration::from_millis(ms), event);
        let text = str::to_owned;
        let tier = || text("preferred");
        let (acme, metro) = (|| text("acme/auto"), || text("metro/auto"));
        push(
            0,
            TraceEvent::Ineligible {
                tier: tier(),
                campaign: text("blue/auto"),
                reason: text("closed"),
            },
        );
        push(1, TraceEvent::Pinged { tier: tier(), campaign: acme(), least: None });
        push(1, TraceEvent::Pinged { tier: tier(), campaign: metro(), least: None });
        push(
            41,
            TraceEvent::Bid {
                campaign: acme(),
                price: text("31.00 USD"),
                payout: text("24.80 USD"),
            },
        );
        push(
            61,
            TraceEvent::NoBid {
                campaign: metro(),
                reason: text("declined(cap)"),
                text: None,
                late: None,
            },
        );
        push(
            62,
            TraceEvent::Preparing {
                attempt: text("att_1"),
                campaign: acme(),
                price: text("31.00 USD"),
            },
        );
        push(65, TraceEvent::Posted { attempt: text("att_1"), campaign: acme() });
        push(
            99,
            TraceEvent::PostAnswer {
                attempt: text("att_1"),
                outcome: text("rejected"),
                reason: Some(text("duplicate")),
                text: Some(text("DUP")),
            },
        );
        push(101, TraceEvent::Answered { status: text("unsold"), payout: None });
        trace
    }

    #[test]
    fn every_step_has_its_time_and_its_reason() {
        expect![[r#"
            journey
               0.0 ms  ineligible  blue/auto   closed, tier preferred
               1.0 ms  pinged      acme/auto   tier preferred
               1.0 ms  pinged      metro/auto  tier preferred
                41 ms  bid         acme/auto   31.00 USD, would pay the seller 24.80 USD
                61 ms  no bid      metro/auto  declined(cap)
                62 ms  commit A    acme/auto   att_1, holds 31.00 USD
                65 ms  posted      acme/auto   att_1
                99 ms  answer                  rejected duplicate "DUP", att_1
               101 ms  answered                unsold"#]]
        .assert_eq(&format!("journey\n{}", steps(&cascade()).join("\n")));
    }

    #[test]
    fn in_brief_it_is_a_line_per_tier_and_per_post() {
        let lines = brief(&cascade()).join("\n");
        expect![[r"
            not asked  1 closed
            preferred  acme/auto 31.00 (40 ms), metro/auto no bid: declined(cap) (60 ms)
            post       acme/auto rejected: duplicate (34 ms)"]]
        .assert_eq(&anstream::adapter::strip_str(&lines).to_string());
    }

    /// Two that share a lead, after one that answered nobody.
    fn shared() -> Trace {
        let mut trace = Trace::new("auto_shared", Timestamp::default());
        let mut push = |ms, event| trace.push(Duration::from_millis(ms), event);
        let text = str::to_owned;
        let (tier, slow) = (|| text("shared"), || text("slow/auto"));
        let (big, small) = (|| text("big/shared"), || text("small/auto"));
        push(1, TraceEvent::Pinged { tier: tier(), campaign: big(), least: None });
        push(1, TraceEvent::Pinged { tier: tier(), campaign: small(), least: None });
        push(1, TraceEvent::Pinged { tier: tier(), campaign: slow(), least: None });
        let bid = |campaign, price, payout| TraceEvent::Bid {
            campaign,
            price: text(price),
            payout: text(payout),
        };
        let silent = || TraceEvent::NoBid {
            campaign: slow(),
            reason: text("timeout"),
            text: None,
            late: None,
        };
        push(41, bid(big(), "10.00 USD", "7.00 USD"));
        push(42, bid(small(), "9.00 USD", "7.00 USD"));
        push(501, silent());
        let members = vec![big(), small()];
        let total = text("12.00 USD");
        push(501, TraceEvent::Chosen { tier: tier(), buyers: 2, members, total });
        let pays = text("8.10 USD");
        push(501, TraceEvent::SecondPrice { campaign: small(), bid: text("9.00 USD"), pays });
        for (attempt, campaign, price) in
            [("att_1", big(), "6.00 USD"), ("att_2", small(), "8.10 USD")]
        {
            let preparing = |campaign| TraceEvent::Preparing {
                attempt: text(attempt),
                campaign,
                price: text(price),
            };
            push(502, preparing(campaign.clone()));
            push(503, TraceEvent::Posted { attempt: text(attempt), campaign });
            let (reason, said, outcome) = (None, None, text("accepted"));
            push(
                523,
                TraceEvent::PostAnswer { attempt: text(attempt), outcome, reason, text: said },
            );
        }
        push(1003, silent());
        trace
    }

    #[test]
    fn who_shares_a_lead_and_pays_what_for_its_bid_is_told() {
        let lines = brief(&shared()).join("\n");
        expect![[r#"
            shared     big/shared 10.00 (40 ms), small/auto 9.00 (41 ms), slow/auto no bid: timeout (500 ms)
            chosen     one of at most 2: big/shared, small/auto; 12.00 USD to the seller
            post       big/shared at its share 6.00 accepted (20 ms)
            post       small/auto at the second price 8.10 accepted (20 ms)"#]].assert_eq(&anstream::adapter::strip_str(&lines).to_string());
        // The times are aligned to the right, which a text in the code would lose.
        let unindented = || steps(&shared()).into_iter().map(|line| line.trim_start().to_owned());
        let told: Vec<String> = unindented().filter(|line| !line.contains("att_")).collect();
        expect![[r#"
            1.0 ms  pinged        big/shared  tier shared
            1.0 ms  pinged        small/auto  tier shared
            1.0 ms  pinged        slow/auto   tier shared
            41 ms  bid           big/shared  10.00 USD, would pay the seller 7.00 USD
            42 ms  bid           small/auto  9.00 USD, would pay the seller 7.00 USD
            501 ms  no bid        slow/auto   timeout
            501 ms  chosen                    tier shared, one of at most 2: big/shared, small/auto; 12.00 USD to the seller
            501 ms  second price  small/auto  pays 8.10 USD for a bid of 9.00 USD
            1003 ms  no bid        slow/auto   timeout"#]].assert_eq(&told.join("\n"));
        let held: Vec<String> = unindented().filter(|line| line.contains("commit A")).collect();
        expect![[r#"
            502 ms  commit A      big/shared  att_1, holds 6.00 USD for a bid of 10.00 USD
            502 ms  commit A      small/auto  att_2, holds 8.10 USD for a bid of 9.00 USD"#]]
        .assert_eq(&held.join("\n"));
    }
}
