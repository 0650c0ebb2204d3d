//! From the `[connector.*]` and `[map.*]` tables of a buyer's file to connectors.
//!
//! Everything that can be known before a lead arrives is checked and prepared here. The rest of
//! the file is not ours: its keys are neither read nor reported.

use std::sync::Arc;

use exchange_model::{CampaignId, Document, Findings, Place, SourceFile, Vertical};

use crate::connector::Connectors;
use crate::secrets::Secrets;

/// A campaign of the file, as far as its connector must know it.
#[derive(Clone, Debug)]
pub struct CampaignUse {
    /// The campaign.
    pub campaign: CampaignId,
    /// The dictionary of its leads.
    pub vertical: Arc<Vertical>,
    /// The connector it names.
    pub connector: String,
    /// Where it names it.
    pub place: Place,
    /// Whether its price is bid in the ping (`price.mode = "bid"`); otherwise the price is ours to
    /// know and the connector need not ping.
    pub bids: bool,
}

/// Compiles the connector of each campaign of one buyer's file.
///
/// `files` gives the text of a `template_file`, named as written in the file. A campaign whose
/// connector has an error is left out; the findings say why.
#[must_use]
pub fn compile(
    _document: &Document,
    _campaigns: &[CampaignUse],
    _files: &dyn Fn(&str) -> Option<Arc<SourceFile>>,
    _secrets: &Secrets,
    _findings: &mut Findings,
) -> Connectors {
    Connectors::default()
}
