//! For one lead, what every campaign of a tree would do, and the line of config that decides.
//!
//! Unlike eligibility it evaluates every gate. Values are shown of open fields only; there are no
//! others in a filter.

use std::fmt;

use exchange_model::reason::{CapKind, CapOwner, Ineligible};
use exchange_model::{CampaignId, Money, Place, Timestamp};

use crate::campaign::PriceMode;
use crate::caps::{CapLimit, Tally};
use crate::eligibility::{LeadRequest, Standing};
use crate::spots::spots;
use crate::tree::{Method, SaleKind, Tier, Tree};

mod gates;
mod places;
mod pricing;

pub use pricing::{Adjustment, Pricing};

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
#[derive(Clone, Debug, Eq, PartialEq)]
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
    /// What its bid would come to.
    pub pricing: Pricing,
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
    /// How its members compete.
    pub method: Method,
    /// To how many it sells.
    pub sale: SaleKind,
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
    let mut tiers: Vec<ExplainedTier> = tree.tiers.iter().map(explained).collect();
    for (index, _, spot) in spots(tree, request.lead.attributes()) {
        let verdict = gates::verdict(&spot, request, standing);
        if let Some(tier) = tiers.get_mut(index) {
            tier.members.push(verdict);
        }
    }
    Explanation { tiers }
}

/// A tier whose members are still to come.
fn explained(tier: &Tier) -> ExplainedTier {
    ExplainedTier {
        name: tier.name.clone(),
        method: tier.method,
        sale: tier.sale,
        reserve: tier.reserve,
        members: Vec::new(),
    }
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
            tier.terms(f)?;
            writeln!(f)?;
            for verdict in &tier.members {
                verdict.line(f, names, details)?;
            }
        }
        Ok(())
    }
}

impl ExplainedTier {
    /// What is not as in every tier: `   share, sells to 2 to 3, reserve 14.00`.
    fn terms(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = (self.method != Method::HighestBid).then(|| self.method.code().to_owned());
        let sale = match self.sale {
            SaleKind::Exclusive => None,
            SaleKind::Shared { max_sold } => Some(format!("sells to 2 to {max_sold}")),
            SaleKind::Hybrid { max_sold } => Some(format!("sells to 1 to {max_sold}")),
        };
        let reserve = self.reserve.map(|reserve| format!("reserve {}", reserve.amount_text()));
        let terms: Vec<String> = method.into_iter().chain(sale).chain(reserve).collect();
        if terms.is_empty() { Ok(()) } else { write!(f, "   {}", terms.join(", ")) }
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
            PriceMode::Fixed { base } => {
                let price = self.pricing.price.unwrap_or(base);
                Some(format!("fixed {}", price.amount_text()))
            }
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
        }?;
        let steps = self.pricing.steps();
        if self.is_eligible() && !steps.is_empty() {
            writeln!(f, "  {:names$}  {}", "", steps.join("; "))?;
        }
        Ok(())
    }
}

fn period(kind: CapKind) -> &'static str {
    match kind {
        CapKind::Second => "this second",
        CapKind::Hour | CapKind::HourSpend => "this hour",
        CapKind::Day | CapKind::DaySpend => "today",
        CapKind::Week | CapKind::WeekSpend => "this week",
        CapKind::Month | CapKind::MonthSpend => "this month",
        CapKind::Total | CapKind::TotalSpend => "in all",
        CapKind::Pace => "by this hour",
        CapKind::Open => "open",
    }
}

/// `43 of 120 today`, `300 of 500 today of group texas`.
impl fmt::Display for CapUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.cap.scope.owner() {
            CapOwner::Campaign => "",
            CapOwner::Source => " from this source",
            CapOwner::Buyer => " of the buyer",
            CapOwner::Group(ref name) => &format!(" of group {name}"),
        };
        let period = format!("{}{owner}", period(self.cap.kind));
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
