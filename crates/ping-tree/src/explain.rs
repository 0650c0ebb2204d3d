//! For one lead, what every campaign of a tree would do, and the line of config that decides.
//!
//! Unlike eligibility it evaluates every gate. Values are shown of open fields only; there are no
//! others in a filter.

use std::fmt;

use exchange_model::reason::{CapKind, Ineligible};
use exchange_model::{CampaignId, Money, Place, Timestamp};

use crate::campaign::PriceMode;
use crate::caps::{CapLimit, Tally};
use crate::eligibility::{LeadRequest, Standing};
use crate::tree::Tree;

mod gates;

/// One gate that does not let the lead through.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason, as everywhere else.
    pub reason: Ineligible,
    /// What was seen and what is wanted: `credit is "fair", accepts excellent, good`.
    pub detail: String,
    /// The line that decided, where config did.
    pub place: Option<Place>,
    /// What would change it.
    pub remedy: String,
}

/// How full one cap is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CapUse {
    /// The cap.
    pub cap: CapLimit,
    /// What is bought and reserved.
    pub used: Tally,
    /// The amounts of a spend cap as money: used, allowed.
    pub money: Option<(Money, Money)>,
}

/// One campaign and this lead.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The campaign.
    pub campaign: CampaignId,
    /// Every gate that fails, in the order they are checked; none: it would take part.
    pub refusals: Vec<Refusal>,
    /// What it pays.
    pub price: PriceMode,
    /// How full its caps are.
    pub caps: Vec<CapUse>,
    /// Whether its hours are open, and until when, or from when; in the buyer's zone.
    pub hours: Hours,
    /// Where the campaign is written.
    pub place: Place,
}

/// A campaign's hours at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hours {
    /// Whether it is open.
    pub open: bool,
    /// When that changes, if it does.
    pub changes: Option<Timestamp>,
    /// The same for people: `open until 21:00 New York`.
    pub text: String,
}

/// One tier and this lead.
#[derive(Clone, Debug)]
pub struct ExplainedTier {
    /// Its name.
    pub name: String,
    /// The least price it sells at.
    pub reserve: Option<Money>,
    /// Its members, in the order written.
    pub members: Vec<Verdict>,
}

/// A whole tree and this lead.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The tiers, in order.
    pub tiers: Vec<ExplainedTier>,
}

/// Evaluates every gate of every campaign of `tree`.
#[must_use]
pub fn explain(tree: &Tree, request: &LeadRequest<'_>, standing: &dyn Standing) -> Explanation {
    let tiers = tree.tiers.iter().map(|tier| ExplainedTier {
        name: tier.name.clone(),
        reserve: tier.reserve,
        members: tier
            .members
            .iter()
            .map(|member| gates::verdict(&member.campaign, request, standing))
            .collect(),
    });
    Explanation { tiers: tiers.collect() }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = || self.tiers.iter().flat_map(|tier| &tier.members);
        let width = |text: fn(&Verdict) -> usize| members().map(text).max().unwrap_or(0);
        let names = width(|verdict| verdict.campaign.as_str().chars().count());
        let details =
            width(
                |verdict| {
                    if verdict.refusals.is_empty() { 0 } else { verdict.detail().chars().count() }
                },
            );
        for (at, tier) in self.tiers.iter().enumerate() {
            write!(f, "tier {} {}", at.saturating_add(1), tier.name)?;
            if let Some(reserve) = tier.reserve {
                write!(f, "   reserve {}", reserve.amount_text())?;
            }
            writeln!(f)?;
            for verdict in &tier.members {
                verdict.line(f, names, details)?;
            }
        }
        Ok(())
    }
}

impl Verdict {
    /// Whether it would take part.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.refusals.is_empty()
    }

    /// `ineligible`, `would ping`, or for a fixed price `in auction`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.refusals.is_empty(), self.price) {
            (false, _) => "ineligible",
            (true, PriceMode::Bid { .. }) => "would ping",
            (true, PriceMode::Fixed { .. }) => "in auction",
        }
    }

    /// The first reason in full, or how full its caps are and until when it is open.
    #[must_use]
    pub fn detail(&self) -> String {
        if let Some(first) = self.refusals.first() {
            return format!("{}: {}", first.reason.kind(), first.detail);
        }
        let fixed = match self.price {
            PriceMode::Fixed { base } => Some(format!("fixed {}", base.amount_text())),
            PriceMode::Bid { .. } => None,
        };
        let cap = self.fullest_cap().map(|cap| format!("cap {cap}"));
        let parts = fixed.into_iter().chain(cap).chain([self.hours.text.clone()]);
        format!("({})", parts.collect::<Vec<_>>().join(", "))
    }

    /// The cap with the smallest share left; of equal ones the longest.
    #[must_use]
    pub fn fullest_cap(&self) -> Option<&CapUse> {
        self.caps.iter().max_by_key(|cap| cap.per_mille())
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, names: usize, details: usize) -> fmt::Result {
        let (name, word, detail) = (self.campaign.as_str(), self.word(), self.detail());
        match self.refusals.first().and_then(|first| first.place.as_ref()) {
            Some(place) => {
                writeln!(f, "  {name:names$}  {word}  {detail:details$}    {}", place.file_line())
            }
            None => writeln!(f, "  {name:names$}  {word}  {detail}"),
        }
    }
}

/// `43 of 120 today`.
impl fmt::Display for CapUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.cap.kind {
            CapKind::Hour | CapKind::HourSpend => "this hour",
            CapKind::Day | CapKind::DaySpend => "today",
            CapKind::Month | CapKind::MonthSpend => "this month",
        };
        match (self.cap.limit, self.money) {
            (crate::CapAmount::Leads(most), _) => {
                write!(f, "{} of {most} {period}", self.used.leads)
            }
            (crate::CapAmount::Spend(_), Some((used, most))) => {
                write!(f, "{} of {} {period}", used.amount_text(), most.amount_text())
            }
            (crate::CapAmount::Spend(most), None) => {
                write!(f, "{} of {} {period}", self.used.spend.get(), most.get())
            }
        }
    }
}
