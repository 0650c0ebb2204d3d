//! From the `[connector.*]` and `[map.*]` tables of a buyer's file to connectors.
//!
//! Everything that can be known before a lead arrives is checked and prepared here. The rest of
//! the file is not ours: its keys are neither read nor reported.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::finding::nearest;
use exchange_model::outcome::Resolver;
use exchange_model::{
    CampaignId, Currency, Document, Findings, Place, PollSchedule, SourceFile, TableReader, Vertical,
};

use crate::call::Call;
use crate::connector::{Connector, Connectors, PingStage, PostStage};

use crate::reply;
use crate::secrets::Secrets;

use auth::Auth;
pub(crate) use auth::OAuth2;
use dictionary::Dictionaries;
use extend::{Extended, Purpose, extended};
use shared::Shared;
use stage::Files;

mod auth;
mod body;
mod dictionary;
mod extend;
mod fields;
mod sample;
mod scope;
mod shared;
mod stage;
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

/// How long a lost or pending answer is worked on when the connector does not say.
const ANSWER_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// What the connector of one campaign is compiled with.
struct Compiler<'a> {
    campaign: &'a CampaignUse,
    files: Files<'a>,
    secrets: &'a Secrets,
    words: &'a Dictionaries,
}

impl Compiler<'_> {
    fn currency(&self) -> Currency {
        self.campaign.vertical.currency()
    }

    fn connector(&self, mut table: TableReader<'_>, findings: &mut Findings) -> Option<Connector> {
        let vertical = &self.campaign.vertical;
        let shared =
            Shared::read(&mut table, vertical, self.secrets, self.words, self.files, findings);
        let auth = match table.table("auth", findings) {
            Some(auth) => auth::read(auth, &shared.secrets, findings),
            None => Some(Auth::None),
        };
        // A broken credential is reported above; the rest is still checked.
        let usable = auth.is_some();
        let auth = auth.unwrap_or_default();
        let resolve = resolve(&mut table, findings);
        let has_ping = table.node("ping").is_some();
        let ping = match table.table("ping", findings) {
            Some(ping) => self.ping(ping, &shared, &auth, findings),
            None => None,
        };
        let post = match table.table("post", findings) {
            Some(post) => self.post(post, &shared, &auth, resolve, findings),
            None => {
                table.missing("post", "{ url = \"https://...\", ... }", findings);
                None
            }
        };
        let bids = self.bid_has_price(has_ping, ping.as_ref(), &table, findings);
        table.finish(findings);
        let complete = usable && bids && has_ping == ping.is_some();
        let oauth2 = match auth {
            Auth::OAuth2(oauth2) => Some(oauth2),
            Auth::None | Auth::Header(..) | Auth::Query(_) => None,
        };
        complete.then_some(())?;
        Some(Connector {
            campaign: self.campaign.campaign.clone(),
            buyer: self.campaign.campaign.buyer(),
            name: self.campaign.connector.clone(),
            vertical: Arc::clone(&self.campaign.vertical),
            oauth2,
            resolve: if resolve == Some(true) { [Resolver::Repost].into() } else { [].into() },
            poll: PollSchedule::default(),
            answer_within: ANSWER_WITHIN,
            ping,
            post: post?,
            status: None,
            void: None,
            callback: None,
        })
    }

    fn ping(
        &self,
        mut table: TableReader<'_>,
        shared: &Shared<'_>,
        auth: &Auth,
        findings: &mut Findings,
    ) -> Option<PingStage> {
        let plan = stage::plan(&mut table, Call::Ping, shared, auth, findings);
        let reply = match table.table("reply", findings) {
            Some(reply) => reply::compile_ping(reply, self.currency(), findings),
            None => {
                table.missing("reply", "{ bid_when = { at = \"$.ok\", is = [true] } }", findings);
                None
            }
        };
        table.finish(findings);
        Some(PingStage { plan: plan?, reply: reply? })
    }

    fn post(
        &self,
        mut table: TableReader<'_>,
        shared: &Shared<'_>,
        auth: &Auth,
        reposts: Option<bool>,
        findings: &mut Findings,
    ) -> Option<PostStage> {
        let place = table.own_place();
        let has_key = table.node("idempotency_key").is_some();
        let plan = stage::plan(&mut table, Call::Post, shared, auth, findings);
        let reply = match table.table("reply", findings) {
            Some(reply) => reply::compile_post(reply, self.currency(), findings),
            None => {
                table.missing(
                    "reply",
                    "{ rejected_when = { ... }, accepted_when = { ... } }",
                    findings,
                );
                None
            }
        };
        table.finish(findings);
        let plan = plan?;
        if reposts == Some(true) && !has_key && !plan.mentions_idempotency_key() {
            no_idempotency_key(&place, findings);
            return None;
        }
        Some(PostStage { plan, reply: reply? })
    }

    /// A campaign whose price is a bid needs a ping whose reply names a price.
    fn bid_has_price(
        &self,
        has_ping: bool,
        ping: Option<&PingStage>,
        table: &TableReader<'_>,
        findings: &mut Findings,
    ) -> bool {
        let names_price = ping.is_none_or(|ping| ping.reply.names_price());
        if !self.campaign.bids || (has_ping && names_price) {
            return true;
        }
        let what =
            if has_ping { "the reply to its ping names no `price`" } else { "it has no ping" };
        let message = format!(
            "campaign `{}` takes its price from the bid, but {what}",
            self.campaign.campaign
        );
        let help =
            "add `price = { at = \"...\" }` to ping.reply, or give the campaign a fixed price";
        findings.error("no_price", table.own_place(), message, help.to_owned());
        false
    }
}

fn no_idempotency_key(place: &Place, findings: &mut Findings) {
    let message = "`resolve = [\"repost\"]` sends a post again, which needs an idempotency key";
    let help = "add `idempotency_key = { header = \"Idempotency-Key\" }` to this post";
    findings.error("no_idempotency_key", place.clone(), message.to_owned(), help.to_owned());
}

/// `resolve = ["repost"]`: whether a lost answer may be asked for by posting again.
fn resolve(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<bool> {
    let Some(words) = table.strings("resolve", findings) else { return Some(false) };
    let mut reposts = Some(false);
    for Spanned { value, place } in words {
        if value == "repost" {
            reposts = reposts.map(|_| true);
        } else {
            let message = format!("`resolve` cannot be \"{value}\"");
            let help = "supported now: \"repost\"; or nothing, `resolve = []`".to_owned();
            findings.error("unknown_word", place, message, help);
            reposts = None;
        }
    }
    reposts
}
