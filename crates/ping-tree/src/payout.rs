//! What the seller is owed for a sale.

use std::fmt;
use std::sync::Arc;

use exchange_model::{Money, Rate};

use crate::amount::Amount;

/// What the seller is owed for a sale.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PayoutRule {
    /// This share of the value.
    Share(Rate),
    /// The same for every lead, paid with its first sale.
    Fixed(Money),
    /// The same for every sale.
    PerSale(Money),
    /// The value less this.
    Margin(Money),
    /// By the value, lowest band first; the last band that begins at or below it decides. No band
    /// holds bands.
    Bands(Arc<[Band]>),
}

/// Whose rule says what the seller is owed, the most specific first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PayoutWritten {
    /// The source's, for this campaign.
    SourceForCampaign,
    /// The source's, for this buyer.
    SourceForBuyer,
    /// The campaign's.
    Campaign,
    /// The buyer's.
    Buyer,
    /// The source's own, for everybody else.
    Source,
}

/// From this value on, this rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Band {
    /// The least value.
    pub from: Money,
    /// What is owed.
    pub rule: PayoutRule,
}

impl PayoutRule {
    /// What is owed at this value, not yet rounded; nothing when it cannot be counted.
    #[must_use]
    pub fn at(&self, value: Money) -> Option<Money> {
        match self {
            Self::Share(share) => value.checked_share(*share).ok(),
            Self::Fixed(fixed) | Self::PerSale(fixed) => Some(*fixed),
            Self::Margin(margin) => value.checked_sub(*margin).ok(),
            Self::Bands(bands) => {
                let reached = |band: &&Band| value.at_least(band.from).unwrap_or(false);
                bands.iter().rev().find(reached)?.rule.at(value)
            }
        }
    }

    /// The least value that pays the seller `least` without a loss; nothing when every value does,
    /// or none.
    #[must_use]
    pub fn value_for(&self, least: Option<Money>) -> Option<Money> {
        match (self, least) {
            (Self::Share(share), Some(least)) => least.whole_of_share(*share),
            (Self::Share(_), None) => None,
            (Self::Fixed(payout) | Self::PerSale(payout), _) => Some(*payout),
            (Self::Margin(margin), Some(least)) => least.checked_add(*margin).ok(),
            (Self::Margin(margin), None) => Some(*margin),
            (Self::Bands(bands), _) => least_in_bands(bands, least),
        }
    }
}

/// `the source's rule for this buyer`.
impl fmt::Display for PayoutWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceForCampaign => "the source's rule for this campaign",
            Self::SourceForBuyer => "the source's rule for this buyer",
            Self::Campaign => "the campaign's rule",
            Self::Buyer => "the buyer's rule",
            Self::Source => "the source's rule",
        })
    }
}

/// `80%`, `9.00 a lead`, `4.00 a sale`, `all but 5.00`, `70% from 0.00, 80% from 20.00`.
impl fmt::Display for PayoutRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => Amount::Share(*share).fmt(f),
            Self::Fixed(fixed) => write!(f, "{} a lead", fixed.amount_text()),
            Self::PerSale(fixed) => write!(f, "{} a sale", fixed.amount_text()),
            Self::Margin(margin) => write!(f, "all but {}", margin.amount_text()),
            Self::Bands(bands) => {
                for (at, band) in bands.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{} from {}", band.rule, band.from.amount_text())?;
                }
                Ok(())
            }
        }
    }
}

fn least_in_bands(bands: &[Band], least: Option<Money>) -> Option<Money> {
    bands.iter().enumerate().find_map(|(at, band)| {
        let wanted = band.rule.value_for(least).unwrap_or(band.from);
        let wanted = if wanted.at_least(band.from).ok()? { wanted } else { band.from };
        let beyond = bands.get(at.saturating_add(1));
        let inside = beyond.is_none_or(|next| !wanted.at_least(next.from).unwrap_or(true));
        inside.then_some(wanted)
    })
}
