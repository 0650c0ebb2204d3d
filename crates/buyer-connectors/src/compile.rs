//! From the `[connector.*]` and `[map.*]` tables of a buyer's file to connectors.
//!
//! Everything that can be known before a lead arrives is checked and prepared here. The rest of
//! the file is not ours: its keys are neither read nor reported.

use std::collections::BTreeSet;
use std::sync::Arc;

use exchange_model::finding::nearest;
use exchange_model::{CampaignId, Document, Findings, Place, SourceFile, TableReader, Vertical};

use crate::call::Call;
use crate::connector::{Connector, Connectors, Stages};
use crate::secrets::Secrets;
use crate::sign::Signer;

use dictionary::Dictionaries;
use extend::{Extended, Purpose, extended};
use shared::Shared;
use stage::Files;
use stages::StageReader;

pub use privacy::Carried;
pub(crate) use privacy::carried;

mod auth;
mod body;
mod dictionary;
mod extend;
mod fields;
mod filters;
mod privacy;
mod reading;
mod resolving;
mod sample;
mod scope;
mod shared;
mod singling;
mod source;
mod stage;
mod stages;
mod url;

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
    document: &Document,
    campaigns: &[CampaignUse],
    files: &dyn Fn(&str) -> Option<Arc<SourceFile>>,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Connectors {
    let mut once = Findings::new();
    let file = BuyerFile { document, campaigns, files, secrets };
    let (connectors, has_test) = file.connectors(Purpose::Live, &mut once);
    if has_test {
        // Only for its mistakes.
        drop(file.connectors(Purpose::Test, &mut once));
    }
    report_once(&once, findings);
    connectors
}

/// The same for calls that the buyer is to take for tests: with what the connectors say under
/// `test`. A connector without it is what [`compile`] makes of it.
#[must_use]
pub fn compile_for_test(
    document: &Document,
    campaigns: &[CampaignUse],
    files: &dyn Fn(&str) -> Option<Arc<SourceFile>>,
    secrets: &Secrets,
    findings: &mut Findings,
) -> Connectors {
    let mut once = Findings::new();
    let file = BuyerFile { document, campaigns, files, secrets };
    let (connectors, _) = file.connectors(Purpose::Test, &mut once);
    report_once(&once, findings);
    connectors
}

/// What one file is compiled from.
struct BuyerFile<'a> {
    document: &'a Document,
    campaigns: &'a [CampaignUse],
    files: Files<'a>,
    secrets: &'a Secrets,
}

impl BuyerFile<'_> {
    /// The connectors, and whether one of them says how it is tested.
    fn connectors(&self, purpose: Purpose, findings: &mut Findings) -> (Connectors, bool) {
        let used: BTreeSet<&str> = self.campaigns.iter().map(|c| c.connector.as_str()).collect();
        let extended = extended(self.document, &used, purpose, self.secrets, findings);
        let words = Dictionaries::read(&extended.document, self.files, findings);
        let mut connectors = Connectors::default();
        for campaign in self.campaigns {
            let mut own = Findings::new();
            let connector = self.connector(campaign, &extended, &words, &mut own);
            // A mistake in a detail, like an unknown key, spoils the whole: its author meant
            // something.
            if let Some(connector) = connector.filter(|_| !own.has_errors()) {
                connectors.insert(connector);
            }
            own.sorted().into_iter().for_each(|finding| findings.push(finding.clone()));
        }
        unused(&extended, &used, findings);
        (connectors, extended.has_test)
    }

    fn connector(
        &self,
        campaign: &CampaignUse,
        extended: &Extended,
        words: &Dictionaries,
        findings: &mut Findings,
    ) -> Option<Connector> {
        let tables = extended.document.reader().named_tables("connector", findings);
        let names: Vec<&str> = tables.iter().map(|(name, _)| name.value).collect();
        if !names.contains(&campaign.connector.as_str()) {
            unknown_connector(campaign, &names, findings);
            return None;
        }
        let wanted = tables.into_iter().find(|(name, _)| name.value == campaign.connector);
        let (_, table) = wanted.filter(|(name, _)| !extended.broken.contains(name.value))?;
        let Self { files, secrets, .. } = *self;
        Compiler { campaign, files, secrets, words }.connector(table, findings)
    }
}

/// Two campaigns with one connector find the same mistakes: each is reported once.
fn report_once(found: &Findings, findings: &mut Findings) {
    let mut reported = Vec::new();
    for finding in found.sorted() {
        if !reported.contains(&finding) {
            reported.push(finding);
            findings.push(finding.clone());
        }
    }
}

fn unknown_connector(campaign: &CampaignUse, names: &[&str], findings: &mut Findings) {
    let help = match nearest(&campaign.connector, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a table `[connector.{}]` to this file", campaign.connector),
    };
    let message = format!("no connector is called `{}`", campaign.connector);
    findings.error("unknown_connector", campaign.place.clone(), message, help);
}

/// Connectors that no campaign names and no other extends are most likely forgotten.
fn unused(extended: &Extended, used: &BTreeSet<&str>, findings: &mut Findings) {
    let tables = extended.document.reader().named_tables("connector", &mut Findings::new());
    for (name, _) in tables {
        if !used.contains(name.value) && !extended.bases.contains(name.value) {
            let message = format!("no campaign uses the connector `{}`", name.value);
            let help = "name it in a [[campaign]], or remove it".to_owned();
            findings.warning("unused_connector", name.place, message, help);
        }
    }
}

/// What the connector of one campaign is compiled with.
struct Compiler<'a> {
    campaign: &'a CampaignUse,
    files: Files<'a>,
    secrets: &'a Secrets,
    words: &'a Dictionaries,
}

impl Compiler<'_> {
    fn connector(&self, mut table: TableReader<'_>, findings: &mut Findings) -> Option<Connector> {
        let vertical = &self.campaign.vertical;
        let shared =
            Shared::new(vertical, self.secrets, self.words, self.files).of(&mut table, findings);
        let has_token_stage = table.node(Call::Token.key()).is_some();
        let auth = auth::read(&mut table, &shared, has_token_stage, findings);
        // A broken credential is reported above; the rest is still checked.
        let usable = auth.is_some();
        let mut auth = auth.unwrap_or_default();
        let signers: Arc<[Signer]> = std::mem::take(&mut auth.signers).into();
        let resolve = resolving::resolve(&mut table, findings);
        let answer_within = resolving::answer_within(&mut table, findings);
        let place = table.own_place();
        let mut reader = StageReader { shared: &shared, auth: &auth, findings };
        let token = reader.token(&mut table);
        let stages = reader.stages(&mut table);
        table.finish(findings);
        let (stages, token, resolve) = (stages?, token?, resolve?);
        let grant = match (auth.grant, token) {
            (Some(oauth2), _) => Some(oauth2),
            (None, Some(token)) => {
                let signers = Arc::clone(&signers);
                Some(Arc::new(stages::grant(token, signers, &place, findings)?))
            }
            (None, None) => None,
        };
        let suits = stages::suits(&resolve, &stages, findings);
        let bids = self.bid_has_price(&stages, &place, findings);
        (usable && suits && bids).then_some(())?;
        Some(Connector {
            campaign: self.campaign.campaign.clone(),
            buyer: self.campaign.campaign.buyer(),
            name: self.campaign.connector.clone(),
            vertical: Arc::clone(vertical),
            grant,
            signers,
            identity: auth.identity,
            resolve: resolve.into_iter().map(|(how, _)| how).collect(),
            answer_within: answer_within?,
            stages,
        })
    }

    /// A campaign whose price is a bid needs a ping whose reply names a price.
    fn bid_has_price(&self, stages: &Stages, place: &Place, findings: &mut Findings) -> bool {
        let what = match &stages.ping {
            _ if !self.campaign.bids => return true,
            Some(ping) if ping.reply.names_price() => return true,
            Some(_) => "the reply to its ping names no `price`",
            None => "it has no ping",
        };
        let campaign = &self.campaign.campaign;
        let message = format!("campaign `{campaign}` takes its price from the bid, but {what}");
        let help =
            "add `price = { at = \"...\" }` to ping.reply, or give the campaign a fixed price";
        findings.error("no_price", place.clone(), message, help.to_owned());
        false
    }
}
