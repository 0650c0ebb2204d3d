//! Where commands find the records: reading the database, writing through whoever holds its lock.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::lead::{HashForm, ListHash};
use exchange_model::{BuyerId, CampaignId, LeadId, MinorUnits, Money, SourceId, Timestamp};
use exchange_store::operators::{Action, Stop, Stops, Subject};
use exchange_store::vault::RootKey;
use exchange_store::{
    ExchangeStore as _, Finished, KeyMode, SqliteStore, StoreError, StoreOptions, StoreReader,
    SuppressionAdded, SuppressionTarget, SuppressionUpload,
};
use ping_tree::{CapLimit, Routing, Standing, Tally};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use settlement_ledger::Stamp;
use settlement_ledger::account::BankName;
use settlement_ledger::top_up::WireTopUp;

use crate::auth;
use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::clock::Clock;
use crate::operator_api::stops::stop_json;
use crate::settings::Settings;
use crate::standing::currency_of;

/// The bank account that transfers arrive at, in the books.
const BANK: &str = "main";
/// Who booked it, in the ledger.
const ACTOR: &str = "cli";
/// How long the running exchange may take to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a reload, which may read thousands of files and run as many tests.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// The database, for reading at any time.
#[derive(Debug)]
pub(crate) struct Books {
    store: StoreReader,
}

impl Books {
    /// The database of the config folder.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        Self::at(&context.settings(&[])?)
    }

    /// The database of these settings.
    pub(crate) fn at(settings: &Settings) -> Result<Self, Failure> {
        let path = &settings.store.path;
        if !path.is_file() {
            let message = format!("there is no database `{}` yet", path.display());
            return Err(Failure::failed(message).help("`rialto serve` makes it at its first start"));
        }
        let root = root_key(settings)?;
        let store = StoreReader::open(path, root, Clock::system().now())?;
        Ok(Self { store })
    }

    /// What is stored.
    pub(crate) fn store(&self) -> &StoreReader {
        &self.store
    }
}

fn root_key(settings: &Settings) -> Result<RootKey, Failure> {
    for path in [&settings.store.path, &settings.secrets.root_key] {
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
            std::fs::create_dir_all(parent)?;
        }
    }
    let new = !settings.store.path.exists();
    RootKey::load_or_create(&settings.secrets.root_key, new).map_err(Failure::failed)
}

/// Usage and credit as the database has them; nothing is used where there is no database.
#[derive(Debug)]
pub(crate) struct Now<'a> {
    store: Option<StoreReader>,
    routing: &'a Routing,
    at: Timestamp,
}

impl Now<'_> {
    /// What operators have stopped.
    pub(crate) fn stops(&self) -> Arc<Stops> {
        self.store.as_ref().map(StoreReader::stops).unwrap_or_default()
    }
}

/// What `explain` is told of the moment.
pub(crate) fn standing<'a>(
    settings: &Settings,
    routing: &'a Routing,
    at: Timestamp,
    context: &Context,
) -> Result<Now<'a>, Failure> {
    if !settings.store.path.is_file() {
        context.out.note("no database yet: caps and credit are taken as unused");
        return Ok(Now { store: None, routing, at });
    }
    let store = Books::at(settings)?.store;
    Ok(Now { store: Some(store), routing, at })
}

impl Standing for Now<'_> {
    fn paused(&self, campaign: &CampaignId) -> bool {
        let stops = self.store.as_ref().map(StoreReader::stops);
        stops.is_some_and(|stops| stops.of_campaign(campaign, self.at).is_some())
    }

    fn used(&self, cap: &CapLimit) -> Tally {
        self.store.as_ref().map(|store| store.used(cap)).unwrap_or_default()
    }

    fn available(&self, buyer: &BuyerId) -> Option<MinorUnits> {
        let terms = self.routing.buyer(buyer)?.terms;
        self.store.as_ref()?.available(buyer, &terms, currency_of(&terms))
    }
}

/// Writes: through the running exchange where there is one, otherwise itself.
#[derive(Debug)]
pub(crate) enum Desk {
    /// No other process has the database.
    Own(Box<SqliteStore>),
    /// The exchange that has it listens for operators here.
    Server(String),
}

/// A key that was just made.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct MadeKey {
    /// Its public part.
    pub(crate) id: String,
    /// Its text, shown once.
    pub(crate) key: String,
}

impl Desk {
    /// The desk of the config folder.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        Self::at(&context.settings(&[])?)
    }

    /// The desk of these settings.
    pub(crate) fn at(settings: &Settings) -> Result<Self, Failure> {
        let options = StoreOptions::new(&settings.store.path);
        match SqliteStore::open(options, root_key(settings)?, Clock::system().now()) {
            Ok((store, _recovered)) => Ok(Self::Own(Box::new(store))),
            Err(StoreError::Locked { note }) => Ok(Self::Server(address(&note)?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a key for a source.
    pub(crate) fn new_key(&self, source: &SourceId, mode: KeyMode) -> Result<MadeKey, Failure> {
        match self {
            Self::Own(store) => {
                let made = auth::issue(source, mode, store.keys(), Clock::system().now());
                let id = made.record.id.clone();
                store.add_key(made.record).blocking_wait()?;
                let detail = format!("{} key {id}", mode.code());
                write_down(store, "key_new", format!("source {source}"), detail)?;
                Ok(MadeKey { id, key: made.text.to_string() })
            }
            Self::Server(server) => {
                let body = json!({ "source": source.as_str(), "mode": mode.code() });
                read(ask(server, "/api/keys", &body)?)
            }
        }
    }

    /// Ends a key; `false` when there is none that works.
    pub(crate) fn revoke_key(&self, id: &str) -> Result<bool, Failure> {
        match self {
            Self::Own(store) => {
                let revoked = store.revoke_key(id, Clock::system().now()).blocking_wait()?;
                if revoked {
                    write_down(store, "key_revoke", format!("key {id}"), String::new())?;
                }
                Ok(revoked)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Revoked {
                    revoked: bool,
                }
                let done: Revoked =
                    read(ask(server, &format!("/api/keys/{id}/revoke"), &json!({}))?)?;
                Ok(done.revoked)
            }
        }
    }

    /// The buyer is done with a lead: it does not count as open any more.
    pub(crate) fn finished(
        &self,
        campaign: &CampaignId,
        lead: LeadId,
    ) -> Result<Finished, Failure> {
        match self {
            Self::Own(store) => {
                Ok(store.finished(campaign, lead, Clock::system().now()).blocking_wait()?)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Said {
                    finished: bool,
                }
                let body = json!({ "lead": lead.to_string() });
                let said = ask(server, &format!("/api/campaigns/{campaign}/finished"), &body)?;
                let said: Said = read(said)?;
                Ok(if said.finished { Finished::Done } else { Finished::Before })
            }
        }
    }

    /// Erases a lead's contact data; since when it is erased, or nothing without such a lead.
    pub(crate) fn erase(&self, lead: LeadId) -> Result<Option<String>, Failure> {
        match self {
            Self::Own(store) => {
                let erased = store.erase(lead, Clock::system().now()).blocking_wait()?;
                if erased.is_some() {
                    write_down(store, "erase", format!("lead {lead}"), String::new())?;
                }
                Ok(erased.map(|erasure| erasure.erased_at.to_string()))
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Erased {
                    erased_at: Option<String>,
                }
                let done: Erased =
                    read(ask(server, &format!("/api/leads/{lead}/erase"), &json!({}))?)?;
                Ok(done.erased_at)
            }
        }
    }

    /// Books a transfer; `false` when this reference was booked before.
    pub(crate) fn top_up(
        &self,
        buyer: &BuyerId,
        amount: Money,
        reference: &str,
    ) -> Result<bool, Failure> {
        match self {
            Self::Own(store) => {
                let booked = store.top_up(wire(buyer, amount, reference)).blocking_wait()?;
                if booked {
                    let detail = format!("{amount} {reference}");
                    write_down(store, "top_up", format!("buyer {buyer}"), detail)?;
                }
                Ok(booked)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Booked {
                    booked: bool,
                }
                let body = json!({ "amount": amount.amount_text(), "reference": reference });
                let done: Booked =
                    read(ask(server, &format!("/api/buyers/{buyer}/top-ups"), &body)?)?;
                Ok(done.booked)
            }
        }
    }
}

/// Digests of values of one kind for a suppression list.
#[derive(Debug)]
pub(crate) struct SuppressionBatch<'a> {
    /// What the values are ([`exchange_model::lead::list_kind`]).
    pub(crate) kind: &'a str,
    /// How they are hashed.
    pub(crate) form: HashForm,
    /// The digests.
    pub(crate) digests: Vec<Vec<u8>>,
    /// Where they go instead of the list itself.
    pub(crate) upload: Option<i64>,
}

impl Desk {
    /// Begins an upload that will take the place of a list.
    pub(crate) fn begin_suppression(&self, buyer: &BuyerId, list: &str) -> Result<i64, Failure> {
        match self {
            Self::Own(store) => {
                let begun = store.begin_suppression(buyer, list, Clock::system().now());
                Ok(begun.blocking_wait()?.0)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Begun {
                    upload: i64,
                }
                let done: Begun = read(ask(server, &of_list(buyer, list, "begin"), &json!({}))?)?;
                Ok(done.upload)
            }
        }
    }

    /// Adds to a list, or to an upload.
    pub(crate) fn suppress(
        &self,
        buyer: &BuyerId,
        list: &str,
        batch: &SuppressionBatch<'_>,
    ) -> Result<SuppressionAdded, Failure> {
        match self {
            Self::Own(store) => {
                let key = store.keys().fingerprints();
                let entry = |digest: &Vec<u8>| ListHash::new(key, batch.kind, batch.form, digest);
                let entries = batch.digests.iter().map(entry).collect();
                let target = match batch.upload {
                    Some(upload) => SuppressionTarget::Upload(SuppressionUpload(upload)),
                    None => SuppressionTarget::List(buyer.clone(), list.to_owned()),
                };
                Ok(store.suppress(target, entries, Clock::system().now()).blocking_wait()?)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Added {
                    added: u64,
                    known: u64,
                }
                let digests: Vec<String> = batch.digests.iter().map(hex::encode).collect();
                let body = json!({
                    "kind": batch.kind,
                    "form": batch.form.code(),
                    "digests": digests,
                    "upload": batch.upload,
                });
                let done: Added = read(ask(server, &of_list(buyer, list, "add"), &body)?)?;
                Ok(SuppressionAdded { added: done.added, known: done.known })
            }
        }
    }

    /// The upload takes the place of its list.
    pub(crate) fn swap_suppression(
        &self,
        buyer: &BuyerId,
        list: &str,
        upload: i64,
    ) -> Result<(), Failure> {
        match self {
            Self::Own(store) => {
                let upload = SuppressionUpload(upload);
                store.swap_suppression(upload, Clock::system().now()).blocking_wait()?;
                sweep(store)
            }
            Self::Server(server) => {
                let body = json!({ "upload": upload });
                ask(server, &of_list(buyer, list, "swap"), &body).map(drop)
            }
        }
    }

    /// Takes a list away; `false` when there is none.
    pub(crate) fn remove_suppression(&self, buyer: &BuyerId, list: &str) -> Result<bool, Failure> {
        match self {
            Self::Own(store) => {
                let removed = store.remove_suppression(buyer, list).blocking_wait()?;
                sweep(store)?;
                Ok(removed)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Removed {
                    removed: bool,
                }
                let done: Removed =
                    read(ask(server, &of_list(buyer, list, "remove"), &json!({}))?)?;
                Ok(done.removed)
            }
        }
    }
}

fn of_list(buyer: &BuyerId, list: &str, what: &str) -> String {
    format!("/api/buyers/{buyer}/suppressions/{list}/{what}")
}

/// Deletes what is left of lists that are gone.
fn sweep(store: &SqliteStore) -> Result<(), Failure> {
    while store.sweep_suppression().blocking_wait()? {}
    Ok(())
}

impl Desk {
    /// Stops a subject.
    pub(crate) fn stop(&self, stop: &Stop) -> Result<(), Failure> {
        match self {
            Self::Own(store) => Ok(store.stop(stop.clone()).blocking_wait()?),
            Self::Server(server) => {
                let body = stop_json(stop);
                ask(server, "/api/stops", &body).map(drop)
            }
        }
    }

    /// Ends a stop; `false` when there is none.
    pub(crate) fn resume(&self, subject: &Subject) -> Result<bool, Failure> {
        match self {
            Self::Own(store) => {
                let now = Clock::system().now();
                Ok(store.resume(subject.clone(), now, who()).blocking_wait()?)
            }
            Self::Server(server) => {
                #[derive(Deserialize)]
                struct Resumed {
                    resumed: bool,
                }
                let (kind, name) = (subject.kind(), subject.name());
                let body = json!({ "action": "resume", "kind": kind, "name": name });
                let done: Resumed = read(ask(server, "/api/stops", &body)?)?;
                Ok(done.resumed)
            }
        }
    }
}

/// Writes a deed into the record of operators.
fn write_down(
    store: &SqliteStore,
    action: &str,
    subject: String,
    detail: String,
) -> Result<(), Failure> {
    let (at, actor, action) = (Clock::system().now(), who(), action.to_owned());
    let action = Action { at, actor, action, subject, detail };
    Ok(store.audit(action).blocking_wait()?)
}

/// Who runs this command, for the record: nobody proves it.
#[expect(clippy::disallowed_methods, reason = "a name for the record, no configuration")]
pub(crate) fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .map_or_else(|| ACTOR.to_owned(), |name| format!("{ACTOR} {name}"))
}

/// The running exchange, for commands that need one.
#[derive(Debug)]
pub(crate) struct Server(String);

/// What it answered, whatever it was.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: http::StatusCode,
    /// The body.
    pub(crate) body: Value,
}

/// The running exchange of the config folder. What its files say now does not matter: they may be
/// what is to be put right.
pub(crate) fn server(context: &Context) -> Result<Server, Failure> {
    let settings = context.settings(&[])?;
    match exchange_store::read_note(&settings.store.path) {
        Some(note) => Ok(Server(address(&note)?)),
        None => Err(Failure::failed("no exchange runs on this config folder")
            .help("it is begun with `rialto serve`; `rialto check` looks at the files alone")),
    }
}

impl Server {
    /// Asks for something that may be refused.
    pub(crate) fn ask(&self, path: &str, body: Value) -> Result<Answer, Failure> {
        let Self(server) = self;
        let url = format!("http://{server}{path}");
        let body = signed(body);
        block_on(async {
            let sent = client(LONG_PATIENCE)?.post(&url).json(&body).send().await;
            let answer = sent.map_err(|_unreachable| unreachable(server))?;
            let status = answer.status();
            Ok(Answer { status, body: answer.json().await.unwrap_or_default() })
        })
    }
}

fn unreachable(server: &str) -> Failure {
    Failure::failed(format!("the running exchange does not answer at {server}"))
}

/// With the name of who asks.
fn signed(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.insert("actor".to_owned(), Value::String(who()));
    }
    body
}

fn wire(buyer: &BuyerId, amount: Money, reference: &str) -> WireTopUp {
    let now: Timestamp = Clock::system().now();
    WireTopUp {
        buyer: buyer.clone(),
        bank: BankName::new(BANK).expect("the name is made of letters"),
        bank_ref: reference.to_owned(),
        amount,
        stamp: Stamp { effective_at: now, recorded_at: now, actor: ACTOR.to_owned() },
        memo: String::new(),
    }
}

/// Where the process that holds the lock listens for operators.
fn address(note: &str) -> Result<String, Failure> {
    let text = note.trim();
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    match text.parse::<std::net::SocketAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_no_address) => {
            let message = format!("another process has the database open and says: {note}");
            Err(Failure::failed(message).help("wait for it to end, or stop it"))
        }
    }
}

/// A client for requests to our own exchange.
pub(crate) fn client(patience: Duration) -> Result<reqwest::Client, Failure> {
    // Once per process; that it was installed before is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(patience).no_proxy().build();
    client.map_err(Failure::failed)
}

/// Asks the operator's API of the running exchange.
fn ask(server: &str, path: &str, body: &Value) -> Result<Value, Failure> {
    let url = format!("http://{server}{path}");
    block_on(async {
        let sent = client(PATIENCE)?.post(&url).json(&signed(body.clone())).send().await;
        let answer = sent.map_err(|_unreachable| unreachable(server))?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
        Err(Failure::failed(format!("the running exchange refuses ({status}): {detail}")))
    })
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|_other_version| {
        Failure::failed("the running exchange answers in another way than this command expects")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_of_a_running_exchange_is_its_address() {
        assert_eq!(address("127.0.0.1:9090\n").unwrap(), "127.0.0.1:9090");
        assert_eq!(address("http://127.0.0.1:9090/").unwrap(), "127.0.0.1:9090");
        assert!(address("it left no note").is_err());
    }
}
