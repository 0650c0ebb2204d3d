//! What is valid and still hardly meant: looked for once everything compiles.
//!
//! Every finding here is a warning with the line that a person would look at first. Nothing but
//! [`records`] looks at a clock or a database, so the same files always give the same warnings.

use std::collections::BTreeSet;
use std::time::Duration;

use exchange_model::vertical::Need;
use exchange_model::{Finding, Findings, Severity};
use ping_tree::filter::{Condition, Filter};
use ping_tree::{Campaign, Source, Tier, Tree};

use crate::load::{Exchange, FileSet};
use crate::settings::Settings;

mod prices;
pub(crate) mod records;

/// Looks for everything.
pub(crate) fn lint(
    exchange: &Exchange,
    files: &FileSet,
    settings: &Settings,
    findings: &mut Findings,
) {
    unused_lists(files, findings);
    let lint = Lint { exchange };
    for tree in exchange.routing.trees() {
        lint.untested(tree, findings);
        for tier in &tree.tiers {
            lint.times(tree, tier, findings);
            prices::untold(exchange, tier, findings);
        }
    }
    for source in exchange.routing.sources() {
        lint.losses(source, findings);
    }
    for campaign in exchange.routing.campaigns() {
        unpinged(&campaign.accepts, campaign, findings);
    }
    drain(exchange, settings.server.drain, findings);
}

struct Lint<'a> {
    exchange: &'a Exchange,
}

impl Lint<'_> {
    /// A tree that sells and that no test covers.
    fn untested(&self, tree: &Tree, findings: &mut Findings) {
        let routing = &self.exchange.routing;
        let sells = routing.sources().any(|source| source.trees().any(|id| *id == tree.id));
        let cases = self.exchange.tests.iter().flat_map(|(_file, tests)| &tests.cases);
        let tested: BTreeSet<_> = cases.map(|case| &case.tree.id).collect();
        if sells && !tested.contains(&tree.id) {
            let message = format!("no test says what tree `{}` must do", tree.id);
            let help =
                format!("add tests/{}.toml: one lead, its bids, what must come of it", tree.id);
            findings.warning("tree_untested", tree.place.clone(), message, help);
        }
    }

    /// Times that cannot be used up.
    fn times(&self, tree: &Tree, tier: &Tier, findings: &mut Findings) {
        for member in &tier.members {
            let campaign = &member.campaign;
            let Some(connector) = self.exchange.connectors.get(&campaign.id) else { continue };
            let ping = connector.ping_timeout().filter(|own| *own > tier.ping_timeout);
            if let Some(own) = ping {
                let message = format!(
                    "tier `{}` waits {}, and `{}` may take {}",
                    tier.name,
                    shown(tier.ping_timeout),
                    campaign.id,
                    shown(own)
                );
                let help = "what comes later is late: shorten the connector's `timeout`, or let the tier wait longer";
                findings.warning(
                    "buyer_slower_than_tier",
                    member.place.clone(),
                    message,
                    help.to_owned(),
                );
            }
            let post = connector.post_timeout();
            if post > tree.post_reserve {
                let message = format!(
                    "a post to `{}` may take {}, and `post_reserve` keeps {}",
                    campaign.id,
                    shown(post),
                    shown(tree.post_reserve)
                );
                let help = "an answer after that is a lost one: shorten the post's `timeout`, or keep more for posting";
                findings.warning(
                    "post_longer_than_reserve",
                    member.place.clone(),
                    message,
                    help.to_owned(),
                );
            }
        }
    }

    /// Campaigns whose highest price cannot pay what the source is owed.
    fn losses(&self, source: &Source, findings: &mut Findings) {
        let trees =
            self.exchange.routing.trees().filter(|tree| source.trees().any(|id| *id == tree.id));
        let mut told = BTreeSet::new();
        for (_tier, campaign) in trees.flat_map(|tree| tree.members()) {
            let most = campaign.price.most();
            let needed = source.payout_rule(campaign).value_for(None);
            let Some(needed) = needed.filter(|needed| !most.at_least(*needed).unwrap_or(true))
            else {
                continue;
            };
            if told.insert(&campaign.id) {
                let message = format!(
                    "`{}` pays at most {}, and source `{}` is owed {}",
                    campaign.id,
                    most.amount_text(),
                    source.id,
                    needed.amount_text()
                );
                let help = "it never buys this source's leads: lower the payout, or write a `payout_for` it";
                findings.warning(
                    "payout_above_price",
                    source.place.clone(),
                    message,
                    help.to_owned(),
                );
            }
        }
    }
}

/// Filters on fields that no ping carries: two-step sellers never reach such a campaign.
fn unpinged(filter: &Filter, campaign: &Campaign, findings: &mut Findings) {
    for line in filter.lines() {
        let Condition::Field(rule) = line else { continue };
        let field = campaign.vertical.field(rule.field);
        if field.derived.is_none() && field.ping == Need::No {
            let message = format!("sellers do not send `{}` in a ping", field.name);
            let help = "a lead that is pinged first never passes: let the vertical ask for it in the ping too";
            findings.warning("field_not_pinged", rule.place.clone(), message, help.to_owned());
        }
    }
}

/// Lists that no file names: a misspelt name elsewhere is the likelier reason.
fn unused_lists(files: &FileSet, findings: &mut Findings) {
    for (list, _text) in files.iter().filter(|(name, _)| name.starts_with("lists/")) {
        let names = |(name, text): (&str, &str)| name.ends_with(".toml") && text.contains(list);
        if !files.iter().any(names) {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "list_unused",
                message: format!("no file uses the list `{list}`"),
                place: None,
                label: String::new(),
                help: format!("write `in_file = \"{list}\"` in a filter, or remove the list"),
            });
        }
    }
}

/// A stopping process that does not wait for its own leads.
fn drain(exchange: &Exchange, drain: Duration, findings: &mut Findings) {
    let longest = exchange.routing.trees().max_by_key(|tree| tree.deadline);
    let Some(tree) = longest.filter(|tree| tree.deadline > drain) else { return };
    findings.push(Finding {
        severity: Severity::Warning,
        code: "drain_too_short",
        message: format!(
            "a stop waits {} (`server.drain`), and a lead of tree `{}` may take {}",
            shown(drain),
            tree.id,
            shown(tree.deadline)
        ),
        place: None,
        label: String::new(),
        help: "let `server.drain` of rialto.toml be longer than the longest deadline".to_owned(),
    });
}

fn shown(span: Duration) -> String {
    match (span.as_millis() % 1000, span.as_secs()) {
        (0, seconds) => format!("{seconds}s"),
        _ => format!("{}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests;
