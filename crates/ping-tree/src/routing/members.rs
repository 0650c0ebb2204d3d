//! The members of a tier: `"buyer/campaign"`, or a table with a condition and its own numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::{Node, NodeKind, Spanned};
use exchange_model::{CampaignId, Findings, Place, Rate, TableReader, Vertical};
use rust_decimal::Decimal;

use crate::amount::Amount;
use crate::campaign::Campaign;
use crate::filter::Filter;
use crate::list::Lists;
use crate::routing::amounts;
use crate::routing::methods::{How, belongs};
use crate::routing::reading::require;
use crate::routing::tiers::when;
use crate::routing::{MEMBERS_MAX, Routing};
use crate::tree::{Method, TierMember};

/// Largest weight.
const WEIGHT_MAX: i64 = 1_000_000;
const TABLE: &str = "{ campaign = \"acme_mutual/auto-tx\" }";

/// The places that the campaigns of a tree have so far.
#[derive(Default)]
pub(super) struct Seen {
    places: BTreeMap<CampaignId, Vec<Earlier>>,
    many: usize,
    /// The tier that is being read.
    tier: usize,
}

/// One place of a campaign.
struct Earlier {
    place: Place,
    tier: usize,
    /// Whether every lead is asked for there, so that no later place is ever reached.
    always: bool,
}

/// Reads the members of one tier.
pub(super) struct MembersReader<'a, 'l> {
    pub(super) how: &'a How,
    /// Whether the tier takes every lead.
    pub(super) always: bool,
    /// What a campaign is used for, in messages.
    pub(super) label: &'a str,
    pub(super) vertical: &'a Vertical,
    pub(super) seen: &'a mut Seen,
    pub(super) lists: &'a mut Lists<'l>,
    pub(super) routing: &'a mut Routing,
}

/// What a member says beside its name.
struct Own {
    when: Filter,
    weight: u32,
    share: Option<Rate>,
    handicap: Option<Amount>,
}

impl Default for Own {
    fn default() -> Self {
        Self { when: Filter::default(), weight: 1, share: None, handicap: None }
    }
}

impl MembersReader<'_, '_> {
    /// Reads `members`; one that cannot be read is reported and left out.
    pub(super) fn read(
        &mut self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Vec<Arc<TierMember>> {
        require(table, "members", "[\"acme_mutual/auto-tx\"]", findings);
        let Some(node) = table.node("members") else { return Vec::new() };
        let items = match &node.kind {
            NodeKind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            let message = format!("{} has no members", self.tier_name());
            let help = "name at least one campaign, or remove the tier".to_owned();
            findings.error("no_members", table.own_place(), message, help);
        }
        let found_before = findings.len();
        self.seen.tier = self.seen.tier.saturating_add(1);
        let members: Vec<_> =
            items.iter().filter_map(|item| self.member(item, table, findings)).collect();
        if self.seen.many > MEMBERS_MAX {
            let message = format!("a tree has at most {MEMBERS_MAX} members");
            let help = "split the tree".to_owned();
            findings.error("too_many_members", table.own_place(), message, help);
        }
        if findings.len() == found_before {
            self.check_shares(&members, table.place(node.span.clone()), findings);
        }
        members
    }

    /// `tier `open``, of the label.
    fn tier_name(&self) -> &str {
        self.label.strip_prefix("used in ").unwrap_or(self.label)
    }

    fn member(
        &mut self,
        item: &Node,
        table: &TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<Arc<TierMember>> {
        let place = table.place(item.span.clone());
        match &item.kind {
            NodeKind::String(name) => {
                let name = Spanned { value: name.as_str(), place };
                self.named(&name, Own::default(), findings)
            }
            NodeKind::Table(inner) => {
                let mut inner = table.inner(inner, item.span.clone());
                let name = inner.required_string("campaign", "\"acme_mutual/auto-tx\"", findings);
                let own = self.own(&mut inner, findings);
                inner.finish(findings);
                self.named(&name?, own, findings)
            }
            _ => {
                table.wrong_type(
                    item,
                    "members",
                    &format!("[\"acme_mutual/auto-tx\", {TABLE}]"),
                    findings,
                );
                None
            }
        }
    }

    fn own(&mut self, table: &mut TableReader<'_>, findings: &mut Findings) -> Own {
        let currency = self.vertical.currency();
        let weight = table.integer("weight", 1..=WEIGHT_MAX, findings);
        let share = table.percent("share", findings);
        let handicap = amounts::amount(table, "handicap", currency, findings);
        if self.how.known {
            let (method, weight) = (self.how.method, weight.as_ref().map(|weight| &weight.place));
            belongs("weight", weight, method, &[Method::Weighted], findings);
            let share = share.as_ref().map(|share| &share.place);
            belongs("share", share, method, &[Method::Share], findings);
        }
        Own {
            when: when(table, self.vertical, self.lists, findings),
            weight: weight.and_then(|weight| u32::try_from(weight.value).ok()).unwrap_or(1),
            share: share.map(|share| share.value),
            handicap: handicap.map(|handicap| handicap.value),
        }
    }

    fn named(
        &mut self,
        name: &Spanned<&str>,
        own: Own,
        findings: &mut Findings,
    ) -> Option<Arc<TierMember>> {
        if !self.routing.names.campaigns.check(name.value, &name.place, self.label, findings) {
            return None;
        }
        self.routing.names.campaigns.mark_used(name.value);
        let id: CampaignId = name.value.parse().ok()?;
        if !self.is_new(&id, &name.place, own.when.is_empty(), findings) {
            return None;
        }
        let campaign = self.routing.campaigns.get(&id)?;
        if campaign.vertical.id() != self.vertical.id() {
            let (wants, sells) = (campaign.vertical.id(), self.vertical.id());
            let message = format!("`{id}` buys `{wants}`, and this tree sells `{sells}`");
            let help = "name a campaign of the tree's own vertical".to_owned();
            findings.error("wrong_vertical", name.place.clone(), message, help);
            return None;
        }
        let campaign = Arc::clone(campaign);
        self.warn_never_asked(&campaign, &name.place, findings);
        Some(Arc::new(TierMember {
            when: own.when,
            weight: own.weight,
            share: own.share,
            handicap: own.handicap.or(campaign.handicap),
            place: name.place.clone(),
            campaign,
        }))
    }

    /// A campaign stands in a tier once, and in a later tier only when an earlier place has a
    /// condition: it is asked in the first that holds.
    fn is_new(
        &mut self,
        id: &CampaignId,
        place: &Place,
        unconditional: bool,
        findings: &mut Findings,
    ) -> bool {
        let tier = self.seen.tier;
        let earlier = self.seen.places.entry(id.clone()).or_default();
        if let Some(first) = earlier.iter().find(|e| e.always || e.tier == tier) {
            let there = first.place.file_line();
            let (message, help) = if first.tier == tier {
                (
                    format!("`{id}` is a member of this tier already"),
                    format!("remove it here or in {there}"),
                )
            } else {
                (
                    format!("`{id}` is a member of this tree already"),
                    format!("remove it here or in {there}, or give it a `when` there"),
                )
            };
            findings.error("duplicate_member", place.clone(), message, help);
            return false;
        }
        let always = unconditional && self.always;
        earlier.push(Earlier { place: place.clone(), tier, always });
        self.seen.many = self.seen.many.saturating_add(1);
        true
    }

    /// Warns of a campaign that sells to no number of buyers that this tier may promise.
    fn warn_never_asked(&self, campaign: &Campaign, place: &Place, findings: &mut Findings) {
        let Some(sale) = self.how.sale else { return };
        if sale.buyers().any(|buyers| campaign.shares.takes(buyers)) {
            return;
        }
        let buyers = sale.buyers();
        let (least, most) = (buyers.start(), buyers.end());
        let sells = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        let message = format!("`{}` is never asked here: this tier sells to {sells}", campaign.id);
        let help = format!("add `{most} = \"100%\"` to the campaign's `shares`, or remove it here");
        findings.warning("never_asked", place.clone(), message, help);
    }

    /// What `share` divides is all there is, and somebody must have a part of it.
    fn check_shares(&self, members: &[Arc<TierMember>], place: Place, findings: &mut Findings) {
        if !self.how.known || self.how.method != Method::Share || members.is_empty() {
            return;
        }
        let shares = || members.iter().filter_map(|member| member.share);
        let sum: Decimal = shares().map(Rate::as_decimal).sum();
        let (message, help) = if shares().next().is_none() {
            let help = "write `{ campaign = \"acme_mutual/auto-tx\", share = \"20%\" }`";
            ("no member of this tier has a `share`".to_owned(), help)
        } else if sum > Decimal::ONE {
            let percent = sum.saturating_mul(Decimal::ONE_HUNDRED).normalize();
            (
                format!("the shares of this tier add up to {percent}%"),
                "let them add up to at most 100%",
            )
        } else {
            return;
        };
        findings.error("bad_shares", place, message, help.to_owned());
    }
}
