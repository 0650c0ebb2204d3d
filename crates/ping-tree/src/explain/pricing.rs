//! What a bid of one campaign would come to: the rules that change it, what is taken off, what the
//! seller is owed by which rule, and what counts for the order alone.

use exchange_model::{Money, Place};

use crate::amount::Amount;
use crate::campaign::{Adjust, Campaign, PriceMode};
use crate::eligibility::{LeadRequest, Spot};
use crate::payout::{PayoutRule, PayoutWritten};

/// One rule of the price that holds for this lead.
#[derive(Clone, Debug)]
pub struct Adjustment {
    /// `+1.50`, `-5%`.
    pub text: String,
    /// Where it is written.
    pub place: Place,
}

/// What a bid would come to.
#[derive(Clone, Debug)]
pub struct Pricing {
    /// The rules that hold, in the order written.
    pub adjustments: Vec<Adjustment>,
    /// The fixed or contract price with those rules; of a campaign that only bids, nothing.
    pub price: Option<Money>,
    /// Whether the rules change the price itself, and not only the value of a bid.
    pub is_fixed: bool,
    /// Taken off the value before the payout.
    pub haircut: Option<Amount>,
    /// What the seller is owed.
    pub payout: PayoutRule,
    /// Whose rule that is.
    pub payout_from: PayoutWritten,
    /// Taken off for the order alone.
    pub handicap: Option<Amount>,
    /// What it pays of its price as one of at most so many; empty: all of it.
    pub shares: Vec<(u8, Amount)>,
}

/// What a bid of the campaign would come to in this place.
pub(super) fn pricing(spot: &Spot<'_>, request: &LeadRequest<'_>) -> Pricing {
    let campaign: &Campaign = &spot.member.campaign;
    let attributes = request.lead.attributes();
    let base = match campaign.price {
        PriceMode::Fixed { base } => Some(base),
        PriceMode::Bid { base, .. } => base,
    };
    let (payout, payout_from) = request.source.payout_with_origin(campaign);
    let sells = spot.tier.sale.buyers();
    Pricing {
        adjustments: campaign.adjustments(attributes, request.at).map(adjustment).collect(),
        price: base.and_then(|base| campaign.adjusted(base, attributes, request.at)),
        is_fixed: matches!(campaign.price, PriceMode::Fixed { .. }),
        haircut: campaign.haircut,
        payout: payout.clone(),
        payout_from,
        handicap: spot.member.handicap,
        shares: campaign.shares.iter().filter(|(buyers, _)| sells.contains(buyers)).collect(),
    }
}

fn adjustment(rule: &Adjust) -> Adjustment {
    let sign = if rule.takes_off { '-' } else { '+' };
    Adjustment { text: format!("{sign}{}", rule.amount), place: rule.place.clone() }
}

impl Pricing {
    /// Each step that is not what every campaign does, as people read it.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let what = if self.is_fixed { "price" } else { "value" };
        let rules = self.adjustments.iter();
        let rules = rules.map(|rule| format!("{what} {} ({})", rule.text, rule.place.file_line()));
        let haircut = self.haircut.map(|haircut| format!("haircut {haircut}"));
        let shares = (!self.shares.is_empty()).then(|| {
            let each =
                self.shares.iter().map(|(buyers, price)| format!("{price} as one of {buyers}"));
            format!("pays {}", each.collect::<Vec<_>>().join(", "))
        });
        let payout = (self.payout_from != PayoutWritten::Source)
            .then(|| format!("payout {} ({})", self.payout, self.payout_from));
        let handicap = self.handicap.map(|handicap| format!("handicap {handicap}"));
        rules.chain(haircut).chain(shares).chain(payout).chain(handicap).collect()
    }
}
