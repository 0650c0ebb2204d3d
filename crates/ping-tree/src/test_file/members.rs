//! Campaigns as a test may name them: members of the tree it runs through.

use std::sync::Arc;

use exchange_model::document::Entry;
use exchange_model::{CampaignId, Findings, Place, TableReader};

use crate::campaign::Campaign;
use crate::routing::Routing;
use crate::tree::Tree;

pub(super) struct Members<'a> {
    pub(super) routing: &'a Routing,
    pub(super) tree: &'a Tree,
}

impl<'a> Members<'a> {
    /// The member with this name; reports a name that is none.
    pub(super) fn find(
        &self,
        name: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<&'a Arc<Campaign>> {
        if !self.routing.names.campaigns.check(name, place, "", findings) {
            return None;
        }
        let id: CampaignId = name.parse().ok()?;
        let member = self.tree.members().map(|(_, member)| member).find(|member| member.id == id);
        let certain = !self.routing.names.broken_trees.contains(&self.tree.id);
        if member.is_none() && certain && self.routing.campaign(&id).is_some() {
            let message = format!("`{id}` is no member of tree `{}`", self.tree.id);
            let help = "name a member, or another tree".to_owned();
            findings.error("not_in_tree", place.clone(), message, help);
        }
        member
    }

    /// The members that a list names, in its order; nothing when it is not there or one is none.
    pub(super) fn listed(
        &self,
        table: &mut TableReader<'_>,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Vec<CampaignId>> {
        let names = table.strings(key, findings)?;
        let found = names.iter().map(|name| self.find(name.value, &name.place, findings));
        let listed: Vec<CampaignId> = found.flatten().map(|member| member.id.clone()).collect();
        (listed.len() == names.len()).then_some(listed)
    }

    /// Every entry of a table whose keys are members.
    pub(super) fn entries<'t>(
        &self,
        table: &TableReader<'t>,
        findings: &mut Findings,
    ) -> Vec<(&'a Arc<Campaign>, &'t Entry)> {
        let mut found = Vec::new();
        for entry in &table.raw().entries {
            let place = table.place(entry.key_span.clone());
            found.extend(self.find(&entry.key, &place, findings).map(|member| (member, entry)));
        }
        found
    }
}
