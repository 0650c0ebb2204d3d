//! Recorded leads, sold again by both sets of files, and what that comes to.

use std::collections::BTreeSet;

use exchange_model::{CampaignId, Currency, Money, Timestamp};
use serde_json::{Value, json};

use crate::cli::books::Books;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::{BOLD, counted, painted};
use crate::diff::habits::Habits;
use crate::diff::recorded::Recorded;
use crate::diff::replay::{Replayed, Total, replay};
use crate::load::Exchange;

/// How far back purchases count towards caps when the first lead is sold again.
const CAPS_LOOK_BACK: std::time::Duration = std::time::Duration::from_hours(24 * 31);

/// Which leads.
pub(super) struct Asked {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) leads: u32,
}

/// What both sets of files made of the same leads.
pub(super) struct Compared {
    leads: usize,
    /// Whether there were more than were asked for.
    cut: bool,
    skipped: usize,
    /// Leads that another campaign buys, or nobody, or somebody at last.
    moved: usize,
    /// Leads that the old files sell as it is recorded.
    as_recorded: usize,
    before: Total,
    after: Total,
    currency: Currency,
    from: Timestamp,
    until: Timestamp,
}

/// What one campaign buys: leads, and what they cost.
struct Row<'a> {
    campaign: &'a CampaignId,
    before: (usize, Option<Money>),
    after: (usize, Option<Money>),
}

/// Sells them again.
pub(super) fn replayed(
    (old, new): (&Exchange, &Exchange),
    asked: &Asked,
    context: &Context,
) -> Result<Compared, Failure> {
    let currency = context.currency()?;
    let books = Books::open(context)?;
    let store = books.store();
    let ids = store.lead_ids(asked.from, asked.until, asked.leads).blocking_wait()?;
    let total = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let bar = context.out.progress(total, "reading leads");
    let mut leads = Vec::with_capacity(ids.len());
    for id in ids {
        leads.extend(store.lead_view(id).blocking_wait()?.map(|view| Recorded::of(view, currency)));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let habits = Habits::of(&leads);
    let before = store.bought(asked.from.before(CAPS_LOOK_BACK), asked.from).blocking_wait()?;
    let bar = context.out.progress(total.saturating_mul(2), "selling again");
    let sell = |exchange| replay(exchange, &leads, &habits, &before, || bar.inc(1));
    let (by_old, by_new) = (sell(old), sell(new));
    bar.finish_and_clear();
    Ok(compare(&leads, (by_old, by_new), (asked, currency)))
}

fn compare(
    leads: &[Recorded],
    (old, new): (Vec<Replayed>, Vec<Replayed>),
    (asked, currency): (&Asked, Currency),
) -> Compared {
    let usable: Vec<_> = leads
        .iter()
        .zip(old.iter().zip(&new))
        .filter(|(_, (old, new))| old.skipped.is_none() && new.skipped.is_none())
        .collect();
    let buyers = |sales: &[(CampaignId, Money, Money)]| {
        sales.iter().map(|(campaign, ..)| campaign.clone()).collect::<Vec<_>>()
    };
    Compared {
        leads: leads.len(),
        cut: u32::try_from(leads.len()).is_ok_and(|count| count >= asked.leads),
        skipped: leads.len().saturating_sub(usable.len()),
        moved: usable
            .iter()
            .filter(|(_, (old, new))| buyers(&old.sales) != buyers(&new.sales))
            .count(),
        as_recorded: usable
            .iter()
            .filter(|(lead, (old, _))| buyers(&lead.sales) == buyers(&old.sales))
            .count(),
        before: Total::of(usable.iter().map(|(_, (old, _))| *old)),
        after: Total::of(usable.iter().map(|(_, (_, new))| *new)),
        currency,
        from: asked.from,
        until: asked.until,
    }
}

impl Compared {
    /// As a table for people.
    pub(super) fn words(&self) -> String {
        let usable = self.leads.saturating_sub(self.skipped);
        let mut text = format!(
            "{}\n",
            painted(
                BOLD,
                format!(
                    "sold {} again, {} to {}: {} change hands",
                    counted(usable, "lead"),
                    self.from,
                    self.until,
                    self.moved
                )
            )
        );
        let rows: Vec<_> = self.campaigns().collect();
        let width = rows.iter().map(|row| row.campaign.as_str().len()).max().unwrap_or(8);
        for Row { campaign, before: (old, paid), after: (new, pays) } in &rows {
            let money = self.difference(*paid, *pays);
            text.push_str(&format!(
                "  {:width$}  {old:>7} -> {new:<7} {money:>14}\n",
                campaign.as_str()
            ));
        }
        let (old, new) = (self.before.unsold, self.after.unsold);
        text.push_str(&format!("  {:width$}  {old:>7} -> {new:<7}\n", "unsold"));
        for (what, old, new) in self.sums() {
            let (from, to) = (self.text(old), self.text(new));
            let share = share_text(self.or_zero(old), self.or_zero(new));
            text.push_str(&format!(
                "{what:8} {from:>14} -> {to:<14} {:>12}{share}\n",
                self.difference(old, new)
            ));
        }
        text.push_str(&self.caveats(usable));
        text
    }

    /// What the figures rest on.
    fn caveats(&self, usable: usize) -> String {
        let mut text = format!(
            "buyers bid as they did then and accept as often as they do; the old files sell {} of the leads as recorded\n",
            percent(self.as_recorded, usable)
        );
        if let Some(guessed) = self.after.guessed {
            let share = share_of(guessed, self.or_zero(self.after.revenue));
            text.push_str(&format!(
                "guessed: {} of the new revenue ({share}) is from buyers that were not asked then; \
                 they bid as they usually do\n",
                guessed.amount_text()
            ));
        }
        if self.skipped > 0 {
            text.push_str(&format!(
                "left out: {} erased, or of a source, tree or vertical that is gone\n",
                counted(self.skipped, "lead")
            ));
        }
        if self.cut {
            text.push_str("there are more leads: ask for more with --leads\n");
        }
        text
    }

    /// Every campaign that sells otherwise.
    fn campaigns(&self) -> impl Iterator<Item = Row<'_>> {
        let all = self.before.campaigns.keys().chain(self.after.campaigns.keys());
        let all: BTreeSet<&CampaignId> = all.collect();
        let of =
            |total: &Total, campaign| total.campaigns.get(campaign).copied().unwrap_or_default();
        all.into_iter()
            .map(move |campaign| Row {
                campaign,
                before: of(&self.before, campaign),
                after: of(&self.after, campaign),
            })
            .filter(|row| row.before != row.after)
    }

    fn sums(&self) -> [(&'static str, Option<Money>, Option<Money>); 3] {
        let margin = |total: &Total| total.revenue?.checked_sub(total.payout?).ok();
        [
            ("revenue", self.before.revenue, self.after.revenue),
            ("payout", self.before.payout, self.after.payout),
            ("margin", margin(&self.before), margin(&self.after)),
        ]
    }

    fn or_zero(&self, money: Option<Money>) -> Money {
        money.unwrap_or_else(|| Money::zero(self.currency))
    }

    fn text(&self, money: Option<Money>) -> String {
        self.or_zero(money).amount_text()
    }

    fn difference(&self, old: Option<Money>, new: Option<Money>) -> String {
        let difference = self.or_zero(new).checked_sub(self.or_zero(old));
        difference.map_or_else(
            |_other_currency| "-".to_owned(),
            |difference| {
                let sign = if difference.is_positive() { "+" } else { "" };
                format!("{sign}{}", difference.amount_text())
            },
        )
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let campaigns: Vec<Value> = self
            .campaigns()
            .map(|Row { campaign, before, after }| {
                json!({
                    "campaign": campaign.as_str(),
                    "leads_before": before.0, "leads_after": after.0,
                    "revenue_before": self.text(before.1), "revenue_after": self.text(after.1),
                })
            })
            .collect();
        let [revenue, payout, margin] = self
            .sums()
            .map(|(_, old, new)| json!({ "before": self.text(old), "after": self.text(new) }));
        json!({
            "from": self.from.to_string(), "until": self.until.to_string(), "currency": self.currency.as_str(),
            "leads": self.leads, "left_out": self.skipped, "more_leads": self.cut,
            "change_hands": self.moved, "as_recorded": self.as_recorded,
            "unsold": { "before": self.before.unsold, "after": self.after.unsold },
            "campaigns": campaigns, "revenue": revenue, "payout": payout, "margin": margin,
            "guessed_revenue": self.text(self.after.guessed),
        })
    }
}

/// ` (-0.9 %)`; nothing where there is nothing to compare with.
fn share_text(old: Money, new: Money) -> String {
    let Ok(difference) = new.checked_sub(old) else { return String::new() };
    let share = difference.amount().checked_mul(100.into());
    let share = share.and_then(|share| share.checked_div(old.amount()));
    share.map_or_else(String::new, |share| format!(" ({:+} %)", share.round_dp(1)))
}

fn share_of(part: Money, whole: Money) -> String {
    let share = part.amount().checked_mul(100.into());
    let share = share.and_then(|share| share.checked_div(whole.amount()));
    share.map_or_else(|| "0 %".to_owned(), |share| format!("{} %", share.round_dp(1)))
}

fn percent(part: usize, whole: usize) -> String {
    let tenths = part.saturating_mul(1_000).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}
