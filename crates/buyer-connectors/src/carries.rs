//! What the calls of a connector carry of a lead: for whoever checks what leaves before a sale.

use crate::compile::{Carried, carried};
use crate::connector::Connector;
use crate::template::{BrandPart, Seen, Source};

impl Connector {
    /// Whether its ping, or the call before it, tells the buyer the least that it may bid.
    #[must_use]
    pub fn ping_tells_floor(&self) -> bool {
        let stages = &self.stages;
        let pre = stages.pre_ping.iter().map(|stage| &stage.plan);
        let ping = stages.ping.iter().map(|stage| &stage.plan);
        let mut told = false;
        for plan in pre.chain(ping) {
            plan.visit(&mut |seen| told |= matches!(seen, Seen::Source(Source::Floor)));
        }
        told
    }

    /// The fields that leave before the lead is sold, and how: those of the ping and of the call
    /// before it, in the order of the vertical.
    #[must_use]
    pub fn ping_carries(&self) -> Vec<Carried> {
        let stages = &self.stages;
        let pre = stages.pre_ping.iter().map(|stage| &stage.plan);
        let ping = stages.ping.iter().map(|stage| &stage.plan);
        let mut all = Vec::new();
        for plan in pre.chain(ping) {
            for field in carried(plan, &self.vertical) {
                if !all.contains(&field) {
                    all.push(field);
                }
            }
        }
        all
    }

    /// Whether its post, or the call before or after it, tells the buyer what it pays: `price`, or
    /// `brand.price` of each bid.
    #[must_use]
    pub fn post_tells_price(&self) -> bool {
        let stages = &self.stages;
        let before = stages.pre_post.iter().map(|stage| &stage.plan);
        let after = stages.confirm.iter().map(|confirm| &confirm.stage.plan);
        let mut told = false;
        for plan in before.chain([&stages.post.plan]).chain(after) {
            plan.visit(&mut |seen| told |= is_price(&seen));
        }
        told
    }
}

fn is_price(seen: &Seen<'_>) -> bool {
    matches!(seen, Seen::Source(Source::Price | Source::Brand(BrandPart::Price)))
}
