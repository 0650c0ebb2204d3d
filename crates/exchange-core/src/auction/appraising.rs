//! What a bid is worth: every limit, and its terms as one of at most so many.

use exchange_model::outcome::{BidToken, Brand};
use exchange_model::reason::NoBid;
use exchange_model::{Money, Timestamp};
use ping_tree::{Method, PriceMode, Rank, SaleKind, Tie};
use rust_decimal::Decimal;

use super::Auction;
use super::pricing::{ValueRule, is_once};
use super::ranking::{Bid, Place, Posted};
use super::selection::{At, Precedence, Worth};
use super::setup::{CHANCE_WHOLE, Goal, Member, Seat, TierRules};
use crate::price_terms::PriceTerms;

/// What a buyer answered to a ping, or what its contract says.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) seat: Seat,
    pub(super) price: Money,
    pub(super) contract: bool,
    pub(super) token: Option<BidToken>,
    pub(super) at: Timestamp,
}

impl Auction {
    /// Judges an offer by the limits of its campaign, its tier and the seller.
    ///
    /// # Errors
    /// Why it is no usable bid. Nothing is ever clamped.
    pub(super) fn appraise(&self, offered: Offered) -> Result<Bid, NoBid> {
        let Offered { seat, price, contract, token, at } = offered;
        let rules = self.rules_of(seat);
        let mut places = Vec::new();
        let mut refused = None;
        for (brand, asked) in asked(&rules.sale, price, token.as_ref()) {
            match self.place(seat, asked, contract) {
                Ok(terms) => places.push(Place { brand, at: terms }),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        let Some(first) = places.first().and_then(|place| place.at.first()) else {
            return Err(refused.unwrap_or(NoBid::BelowMinPrice(price)));
        };
        let payout = first.payout;
        Ok(Bid {
            seat,
            bid: price,
            contract,
            price,
            payout,
            token,
            answered_at: at,
            countered: false,
            key: None,
            places,
            precedence: self.precedence(seat, rules),
            post: Posted::default(),
        })
    }

    /// The terms of one place at each number of buyers.
    fn place(&self, seat: Seat, price: Money, contract: bool) -> Result<Vec<At>, NoBid> {
        let member = self.member(seat);
        within_contract(member, price)?;
        let (least, most) = self.buyers_of(self.rules_of(seat));
        let mut terms = Vec::new();
        let mut refused = None;
        for buyers in least..=most {
            let Some(price) = price_at(member, buyers, price) else { continue };
            match self.terms_at(seat, (price, contract), buyers) {
                Ok(at) => terms.push(at),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        if terms.is_empty() {
            Err(refused.unwrap_or(NoBid::BelowMinPrice(price)))
        } else {
            Ok(terms)
        }
    }

    /// The terms of one place at this price, as one of at most so many.
    pub(super) fn terms_at(
        &self,
        seat: Seat,
        (price, contract): (Money, bool),
        buyers: u8,
    ) -> Result<At, NoBid> {
        let terms = self.price_terms(seat, contract, buyers);
        let (value, payout) = judge(&terms, price)?;
        let once = is_once(&terms.payout, value);
        let worth = |payout: Money| self.worth(seat, (price, value, payout));
        Ok(At {
            buyers,
            price,
            payout,
            once,
            worth: worth(payout),
            unpaid: worth(if once { Money::zero(payout.currency()) } else { payout }),
        })
    }

    /// What a place is compared by at this price, value and payout.
    pub(super) fn worth(&self, seat: Seat, (price, value, payout): (Money, Money, Money)) -> Worth {
        let member = self.member(seat);
        let rules = self.rules_of(seat);
        let off = |whole: Money| handicap(member, whole);
        let tie = |tie: &Tie| match tie {
            Tie::AcceptRate => Decimal::from(member.chance),
            Tie::Margin => value.amount() - payout.amount(),
            Tie::Handicap => -off(price),
        };
        Worth {
            rank: (payout.amount() - off(payout)) * chance(member, rules.rank),
            price: price.amount() - off(price),
            ties: rules.ties.iter().map(tie).collect(),
        }
    }

    /// Its turn in the order of its tier's method.
    pub(super) fn precedence(&self, seat: Seat, rules: &TierRules) -> Precedence {
        let member = self.member(seat);
        let turn = match &self.setup.goal {
            // The order of a promise is the one that it was made with.
            Goal::Fulfil(promise) if is_by_turn(rules.method) => {
                let at = promise.bids.iter().position(|bid| bid.campaign == member.campaign.id);
                Decimal::from(at.unwrap_or(usize::MAX))
            }
            Goal::Fulfil(_) | Goal::Quote { .. } | Goal::Sell => self.turn(seat, rules.method),
        };
        Precedence { turn, last_won: member.last_won, name: member.campaign.id.clone() }
    }

    fn turn(&self, seat: Seat, method: Method) -> Decimal {
        let member = self.member(seat);
        let served = member.served;
        match method {
            Method::HighestBid | Method::SecondPrice => Decimal::ZERO,
            Method::FirstBid => Decimal::from(self.arrived),
            Method::Waterfall | Method::InOrder => Decimal::from(seat.as_usize()),
            Method::RoundRobin => {
                served.last.map_or(Decimal::MIN, |last| Decimal::from(last.unix_micros()))
            }
            Method::Weighted => {
                let (sold, weights) = self.shared_out(seat);
                let part = Decimal::from(member.weight) * Decimal::from(sold);
                Decimal::from(served.delivered) * Decimal::from(weights) - part
            }
            Method::Share => {
                // This lead is one that it qualifies for.
                let qualified = Decimal::from(served.qualified) + Decimal::ONE;
                let target = member.share.map_or(Decimal::ZERO, |share| share.as_decimal());
                Decimal::from(served.delivered) - target * qualified
            }
            Method::TopPerformer => -Decimal::from(served.accept_rate),
        }
    }

    /// What the tier sold in the window, and the weights of its members.
    fn shared_out(&self, seat: Seat) -> (u64, u64) {
        let members = self.seats(self.tier_index(seat)).map(|seat| self.member(seat));
        members.fold((0, 0), |(sold, weights), member| {
            let sold = u64::from(member.served.delivered).saturating_add(sold);
            (sold, u64::from(member.weight).saturating_add(weights))
        })
    }

    /// The numbers of buyers that the tier and the request allow; the first is above the second
    /// where there is none.
    pub(super) fn buyers_of(&self, rules: &TierRules) -> (u8, u8) {
        let buyers = rules.sale.buyers();
        let (least, most) = (*buyers.start(), *buyers.end());
        (least, self.setup.max_buyers.map_or(most, |asked| asked.min(most)))
    }

    /// How the tier of this member sells.
    pub(super) fn rules_of(&self, seat: Seat) -> &TierRules {
        if matches!(self.setup.goal, Goal::Fulfil(_)) {
            return &self.rules;
        }
        self.setup.tiers.get(self.tier_index(seat)).map_or(&self.rules, |tier| &tier.rules)
    }
}

/// Whether places are taken by the method's order, not by what they are worth.
pub(super) const fn is_by_turn(method: Method) -> bool {
    !matches!(method, Method::HighestBid | Method::SecondPrice)
}

/// Whether a tier may sell to several.
pub(super) const fn is_shared(sale: SaleKind) -> bool {
    !matches!(sale, SaleKind::Exclusive)
}

/// What is asked for: in a tier that shares, a place for each company that the bid names.
fn asked(sale: &SaleKind, price: Money, token: Option<&BidToken>) -> Vec<(Option<Brand>, Money)> {
    let brands = token.map_or(&[][..], |token| &token.brands);
    let priced = |brand: &Brand| Some((Some(brand.clone()), brand.price?));
    if is_shared(*sale)
        && brands.len() > 1
        && let Some(asked) = brands.iter().map(priced).collect()
    {
        return asked;
    }
    vec![(None, price)]
}

/// Checks a price against the limits of the contract.
fn within_contract(member: &Member, price: Money) -> Result<(), NoBid> {
    let at_least =
        |one: Money, other: Money| one.at_least(other).map_err(|_other| NoBid::WrongCurrency);
    if !price.is_positive() {
        return Err(NoBid::BelowFloor(price));
    }
    if let PriceMode::Bid { floor, ceiling, .. } = member.campaign.price {
        if !at_least(price, floor)? {
            return Err(NoBid::BelowFloor(price));
        }
        if !at_least(ceiling, price)? {
            return Err(NoBid::AboveCeiling(price));
        }
    }
    Ok(())
}

/// What a campaign pays of this price as one of at most so many; nothing when it does not take
/// part in that.
pub(super) fn price_at(member: &Member, buyers: u8, price: Money) -> Option<Money> {
    let part = member.campaign.shares.price(buyers, price)?;
    if part == price {
        return Some(price);
    }
    let most = match member.campaign.price {
        PriceMode::Bid { ceiling, .. } => ceiling,
        PriceMode::Fixed { .. } => price,
    };
    Some(if part.at_least(most).ok()? { most } else { part.rounded() })
}

/// Checks a price against reserve, margin and what the seller takes at least.
fn judge(terms: &PriceTerms, price: Money) -> Result<(Money, Money), NoBid> {
    let below = |least: Money| match price.at_least(least) {
        Ok(enough) => Ok(!enough),
        Err(_other) => Err(NoBid::WrongCurrency),
    };
    let value = terms.value.value(price).ok_or(NoBid::BelowMinPrice(price))?;
    if terms.stretches {
        let own = super::pricing::payout(&terms.payout, value, price);
        return Ok((value, own.unwrap_or_else(|| Money::zero(price.currency()))));
    }
    if below(terms.floor)? {
        return Err(NoBid::BelowReserve(price));
    }
    let payout = super::pricing::payout(&terms.payout, value, price);
    let payout = payout.ok_or(NoBid::BelowMinPrice(price))?;
    if !terms.keeps_margin(value, price) {
        return Err(NoBid::BelowMargin(price));
    }
    match terms.least {
        Some(least) if !payout.at_least(least).map_err(|_other| NoBid::WrongCurrency)? => {
            Err(NoBid::BelowMinPrice(price))
        }
        _ => Ok((value, payout)),
    }
}

/// What is taken off for the order alone.
pub(super) fn handicap(member: &Member, whole: Money) -> Decimal {
    let off = member.handicap.and_then(|handicap| handicap.of(whole));
    off.map_or(Decimal::ZERO, |off| off.amount())
}

/// The chance of acceptance, where it counts.
pub(super) fn chance(member: &Member, rank: Rank) -> Decimal {
    match rank {
        Rank::Value => Decimal::ONE,
        Rank::Expected => Decimal::from(member.chance) / Decimal::from(CHANCE_WHOLE),
    }
}

/// The value rule of an offer: of the contract's price the rules are part already.
pub(super) fn value_rule(member: &Member, contract: bool) -> ValueRule {
    if contract { member.value.haircut_only() } else { member.value.clone() }
}
