//! What a recorded lead says about its buyers: who was asked, what each answered and when.

use std::collections::BTreeMap;
use std::time::Duration;

use exchange_core::trace::{Step, Trace, TraceEvent};
use exchange_model::{CampaignId, Currency, Money, SourceId, Timestamp};
use exchange_store::{LeadParts, LeadView};

/// What a campaign answered to the ping of a lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Heard {
    /// How long it took.
    pub after: Duration,
    /// What it would have paid; nothing: it declined, or never answered.
    pub price: Option<Money>,
}

/// A lead with what its buyers did.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was sent.
    pub parts: LeadParts,
    /// Whose.
    pub source: SourceId,
    /// When.
    pub at: Timestamp,
    /// What the campaigns that were asked answered.
    pub heard: BTreeMap<CampaignId, Heard>,
    /// Whether the campaigns that it was posted to took it.
    pub took: BTreeMap<CampaignId, bool>,
    /// Who bought it, at which price and payout.
    pub sales: Vec<(CampaignId, Money, Money)>,
}

impl Recorded {
    /// From everything the store has about it; prices are in this currency.
    #[must_use]
    pub fn of(view: LeadView, currency: Currency) -> Self {
        let mut heard = BTreeMap::new();
        for trace in &view.traces {
            hear(trace, currency, &mut heard);
        }
        let decided = view.attempts.iter().filter_map(|attempt| {
            let took = match attempt.state.as_str() {
                "accepted" | "late_accept_conflict" => true,
                "rejected" => false,
                _ => return None,
            };
            Some((attempt.campaign.clone(), took))
        });
        let sold = |attempt: &exchange_store::AttemptView| {
            let (price, payout) = attempt.sold?;
            (attempt.state == "accepted").then(|| (attempt.campaign.clone(), price, payout))
        };
        Self {
            took: decided.collect(),
            sales: view.attempts.iter().filter_map(sold).collect(),
            at: view.parts.received_at,
            source: view.source,
            parts: view.parts,
            heard,
        }
    }
}

fn hear(trace: &Trace, currency: Currency, heard: &mut BTreeMap<CampaignId, Heard>) {
    let mut asked: BTreeMap<&str, u64> = BTreeMap::new();
    for Step { at, event } in &trace.steps {
        let (campaign, price) = match event {
            TraceEvent::Pinged { campaign, .. } => {
                asked.insert(campaign, *at);
                continue;
            }
            TraceEvent::Bid { campaign, price, .. } => (campaign, amount(price, currency)),
            TraceEvent::NoBid { campaign, reason, .. } => (campaign, priced(reason, currency)),
            _ => continue,
        };
        let (Some(since), Ok(id)) = (asked.get(campaign.as_str()), campaign.parse()) else {
            continue;
        };
        let after = Duration::from_micros(at.saturating_sub(*since));
        // The first answer counts, unless what came late names the price that it lacked.
        let known: &mut Heard = heard.entry(id).or_insert(Heard { after, price });
        if known.price.is_none() && price.is_some() {
            *known = Heard { after, price };
        }
    }
}

/// `31.00 USD`.
fn amount(text: &str, currency: Currency) -> Option<Money> {
    let (digits, code) = text.split_once(' ')?;
    (code == currency.as_str()).then(|| Money::parse(digits, currency).ok()).flatten()
}

/// `late(31.00)`, `below_floor(7.99)`: bids that did not count then, and may now.
fn priced(reason: &str, currency: Currency) -> Option<Money> {
    let (code, rest) = reason.split_once('(')?;
    let is_bid = code == "late" || code.starts_with("below_") || code == "above_ceiling";
    let digits = rest.strip_suffix(')').filter(|_| is_bid)?;
    Money::parse(digits, currency).ok()
}

#[cfg(test)]
mod tests {
    use exchange_model::Timestamp;

    use super::*;

    #[test]
    fn bids_count_with_their_time_and_too_late_or_too_low_ones_too() {
        let mut trace = Trace::new("main", Timestamp::from_unix_millis(0));
        let ms = Duration::from_millis;
        let pinged = |campaign: &str| TraceEvent::Pinged {
            tier: "t".to_owned(),
            campaign: campaign.to_owned(),
            least: None,
        };
        let no_bid = |campaign: &str, reason: &str| TraceEvent::NoBid {
            campaign: campaign.to_owned(),
            reason: reason.to_owned(),
            text: None,
            late: None,
        };
        for campaign in ["a/1", "b/1", "c/1"] {
            trace.push(ms(1), pinged(campaign));
        }
        trace.push(ms(5), no_bid("b/1", "below_floor(7.99)"));
        trace.push(ms(9), no_bid("a/1", "timeout"));
        trace.push(ms(12), no_bid("a/1", "late(31.00)"));
        trace.push(ms(9), no_bid("c/1", "declined(cap)"));
        trace.push(ms(9), no_bid("d/1", "declined(cap)"));
        let mut heard = BTreeMap::new();
        hear(&trace, Currency::USD, &mut heard);
        let said: Vec<String> = heard
            .iter()
            .map(|(campaign, heard)| {
                let price = heard.price.map_or_else(|| "-".to_owned(), |price| price.amount_text());
                format!("{campaign} {price} after {}", heard.after.as_millis())
            })
            .collect();
        assert_eq!(said, ["a/1 31.00 after 11", "b/1 7.99 after 4", "c/1 - after 8"]);
    }
}
