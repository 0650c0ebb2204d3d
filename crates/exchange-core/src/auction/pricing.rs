//! From what a buyer would pay to what the seller is paid.

use exchange_model::Money;
use exchange_model::reason::NoBid;
use ping_tree::{PayoutRule, PriceMode};

use super::setup::SellerTerms;

/// The payout at this price, rounded once to the smallest unit; nothing when it would exceed the
/// price, because the exchange does not sell at a loss.
#[must_use]
pub fn payout(rule: &PayoutRule, price: Money) -> Option<Money> {
    let payout = match rule {
        PayoutRule::Fixed(fixed) | PayoutRule::PerSale(fixed) => *fixed,
        PayoutRule::Share(_) | PayoutRule::Margin(_) | PayoutRule::Bands(_) => {
            rule.at(price)?.rounded()
        }
    };
    price.at_least(payout).ok()?.then_some(payout)
}

/// The payout that still honours `promised`: the margin shrinks before the promise breaks.
#[must_use]
pub fn promised_payout(rule: &PayoutRule, price: Money, promised: Money) -> Option<Money> {
    let own = payout(rule, price).filter(|own| own.at_least(promised).unwrap_or(false));
    own.or_else(|| price.at_least(promised).ok()?.then_some(promised))
}

/// Checks a bid against the limits of its campaign, its tier and the seller.
///
/// # Errors
/// The reason why it is no usable bid. Nothing is ever clamped.
pub fn judge(
    price: Money,
    mode: &PriceMode,
    reserve: Option<Money>,
    seller: &SellerTerms,
) -> Result<Money, NoBid> {
    let at_least = |least: Money| price.at_least(least).map_err(|_other| NoBid::WrongCurrency);
    if let PriceMode::Bid { floor, ceiling, .. } = mode {
        if !at_least(*floor)? {
            return Err(NoBid::BelowFloor(price));
        }
        if !ceiling.at_least(price).map_err(|_other| NoBid::WrongCurrency)? {
            return Err(NoBid::AboveCeiling(price));
        }
    }
    if let Some(reserve) = reserve
        && !at_least(reserve)?
    {
        return Err(NoBid::BelowReserve(price));
    }
    let payout = payout(&seller.payout, price).ok_or(NoBid::BelowMinPrice(price))?;
    match seller.least {
        Some(least) if !payout.at_least(least).map_err(|_other| NoBid::WrongCurrency)? => {
            Err(NoBid::BelowMinPrice(price))
        }
        _ => Ok(payout),
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::{Currency, Rate};

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn share(percent: &str) -> PayoutRule {
        PayoutRule::Share(Rate::parse_percent(percent).unwrap())
    }

    #[test]
    fn a_share_is_rounded_once_and_a_fixed_payout_never_sells_at_a_loss() {
        assert_eq!(payout(&share("80%"), usd("31.00")), Some(usd("24.8")));
        assert_eq!(payout(&share("33.3%"), usd("0.05")), Some(usd("0.02")));
        assert_eq!(payout(&PayoutRule::Fixed(usd("9")), usd("8.99")), None);
    }

    #[test]
    fn the_margin_shrinks_before_the_promise_breaks() {
        let rule = share("80%");
        assert_eq!(promised_payout(&rule, usd("31"), usd("24.80")), Some(usd("24.8")));
        assert_eq!(promised_payout(&rule, usd("28.50"), usd("24.80")), Some(usd("24.80")));
        assert_eq!(promised_payout(&rule, usd("24.79"), usd("24.80")), None);
    }

    #[test]
    fn a_bid_outside_any_limit_is_no_bid() {
        let mode = PriceMode::Bid { floor: usd("8"), ceiling: usd("60"), base: None };
        let seller = SellerTerms { payout: share("80%"), least: Some(usd("10")) };
        let judged = |price| judge(usd(price), &mode, Some(usd("9")), &seller);
        assert_eq!(judged("7.99"), Err(NoBid::BelowFloor(usd("7.99"))));
        assert_eq!(judged("60.01"), Err(NoBid::AboveCeiling(usd("60.01"))));
        assert_eq!(judged("8.50"), Err(NoBid::BelowReserve(usd("8.50"))));
        assert_eq!(judged("12.49"), Err(NoBid::BelowMinPrice(usd("12.49"))));
        assert_eq!(judged("12.50"), Ok(usd("10")));
    }
}
