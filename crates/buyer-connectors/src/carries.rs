//! What the calls of a connector carry of a lead: for whoever checks what leaves before a sale.

use crate::compile::{Carried, carried};
use crate::connector::Connector;

impl Connector {
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
}
