//! What bidders that have not answered could still bid: the most that their contracts take.

use exchange_model::Money;
use ping_tree::{PayoutRule, PriceMode};
use rust_decimal::Decimal;

use super::Auction;
use super::appraising::{chance, handicap, is_shared, price_at, value_rule};
use super::selection::closing::Outstanding;
use super::setup::{Member, Seat, TierRules};

impl Auction {
    /// The bounds of everybody whose answer is awaited; nothing when somebody has none.
    pub(super) fn outstanding(&self) -> Option<Vec<Outstanding>> {
        self.awaited.iter().map(|awaited| self.bound(awaited.seat)).collect()
    }

    fn bound(&self, seat: Seat) -> Option<Outstanding> {
        let member = self.member(seat);
        let rules = self.rules_of(seat);
        let (least, most) = self.buyers_of(rules);
        let top = most_price(member)?;
        let mut bounds = Vec::new();
        for buyers in least..=most {
            if let Some(price) = price_at(member, buyers, top) {
                bounds.push((buyers, most_worth(member, rules, price)?));
            }
        }
        let turn = self.precedence(seat, rules).turn;
        Some(Outstanding { turn, most: bounds, several: is_shared(rules.sale) })
    }
}

/// The most that a campaign may pay.
fn most_price(member: &Member) -> Option<Money> {
    match member.campaign.price {
        PriceMode::Bid { ceiling, .. } => Some(ceiling),
        PriceMode::Fixed { .. } => member.contract,
    }
}

/// The most that a bid of up to this price may be worth.
fn most_worth(member: &Member, rules: &TierRules, price: Money) -> Option<Decimal> {
    let value = most_value(member, price)?;
    let payout =
        most_payout(&member.payout, value)?.amount().min(price.amount()).max(Decimal::ZERO);
    let payout = Money::new(payout, price.currency());
    Some((payout.amount() - handicap(member, payout)) * chance(member, rules.rank))
}

/// A value is a straight line over prices, so that one of its ends is the most.
fn most_value(member: &Member, price: Money) -> Option<Money> {
    let nothing = Money::zero(price.currency());
    let mut most: Option<Money> = None;
    for rule in [value_rule(member, false), value_rule(member, true)] {
        for end in [price, nothing] {
            let value = rule.value(end)?;
            if most.is_none_or(|most| value.amount() > most.amount()) {
                most = Some(value);
            }
        }
    }
    most
}

/// The most that is owed at any value up to this one: within a band it grows with the value.
fn most_payout(rule: &PayoutRule, value: Money) -> Option<Money> {
    match rule {
        PayoutRule::Bands(bands) => {
            let owed: Option<Vec<Money>> = bands.iter().map(|band| band.rule.at(value)).collect();
            owed?.into_iter().map(Money::rounded).max_by_key(Money::amount)
        }
        PayoutRule::Share(_)
        | PayoutRule::Fixed(_)
        | PayoutRule::PerSale(_)
        | PayoutRule::Margin(_) => Some(rule.at(value)?.rounded()),
    }
}
