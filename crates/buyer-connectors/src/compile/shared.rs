//! What all stages of one connector are compiled with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use exchange_model::document::{NodeKind, Table};
use exchange_model::{Findings, Place, TableReader, Vertical};

use super::dictionary::{self, Dictionaries};
use super::scope::Scope;
use super::stage::Files;
use crate::call::Call;
use crate::secrets::Secrets;

/// The surroundings of every stage.
pub(super) struct Shared<'a> {
    pub(super) vertical: &'a Arc<Vertical>,
    /// The operator's secrets, under the connector's own names too.
    pub(super) secrets: Secrets,
    /// `{{ var.x }}`.
    pub(super) vars: BTreeMap<String, Arc<str>>,
    /// `{{ let.x }}`: texts, compiled where they are used.
    pub(super) lets: BTreeMap<String, (String, Place)>,
    /// `[map.x]` and `[range.x]` of the file.
    pub(super) words: &'a Dictionaries,
    pub(super) files: Files<'a>,
    /// The names that other stages read from their replies.
    pub(super) names: Names,
}

impl<'a> Shared<'a> {
    /// What a buyer's file gives all its connectors.
    pub(super) fn new(
        vertical: &'a Arc<Vertical>,
        secrets: &Secrets,
        words: &'a Dictionaries,
        files: Files<'a>,
    ) -> Self {
        Self {
            vertical,
            secrets: secrets.clone(),
            vars: BTreeMap::new(),
            lets: BTreeMap::new(),
            words,
            files,
            names: Names::default(),
        }
    }

    /// With the `vars` and `secrets` of a connector, and what its replies name.
    pub(super) fn of(mut self, table: &mut TableReader<'_>, findings: &mut Findings) -> Self {
        self.names = Names::of(table.raw());
        if let Some(vars) = table.table("vars", findings) {
            let texts = dictionary::texts(&vars, findings);
            self.vars = texts.into_iter().map(|(name, text)| (name, text.into())).collect();
        }
        if let Some(lets) = table.table("let", findings) {
            self.lets = named_texts(&lets, findings);
        }
        if let Some(aliases) = table.table("secrets", findings) {
            let texts = dictionary::texts(&aliases, findings);
            self.secrets = self.secrets.with_aliases(texts.into_iter().collect());
        }
        self
    }

    /// The surroundings of the texts of one stage.
    pub(super) fn scope(&self, call: Call) -> Scope<'_> {
        Scope { call, shared: self, hashed: Vec::new(), lead: Arc::from([]), brand: false, lets: 0 }
    }
}

/// The names under which values of replies are known to later stages.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// `{{ ping.x }}`.
    pub(super) ping: BTreeSet<String>,
    /// `{{ pre.x }}` in the ping.
    pub(super) pre_ping: BTreeSet<String>,
    /// `{{ pre.x }}` in the post.
    pub(super) pre_post: BTreeSet<String>,
    /// `{{ token.x }}`.
    pub(super) token: BTreeSet<String>,
    /// `{{ post.x }}`.
    pub(super) post: BTreeSet<String>,
}

impl Names {
    /// Those that a stage reads.
    pub(super) fn of_stage(&self, stage: &str) -> &BTreeSet<String> {
        match stage {
            "ping" => &self.ping,
            "pre_ping" => &self.pre_ping,
            "pre_post" => &self.pre_post,
            "token" => &self.token,
            _ => &self.post,
        }
    }

    fn of(connector: &Table) -> Self {
        let reply = |stage: &str| inner(inner(connector, stage)?, "reply");
        let mut ping = tokens(reply("ping"));
        if reply("ping").and_then(|reply| inner(reply, "bids")?.get("token")).is_some() {
            ping.insert("token".to_owned());
        }
        Self {
            ping,
            pre_ping: values(reply("pre_ping")),
            pre_post: values(reply("pre_post")),
            token: values(reply("token")),
            post: values(reply("post")),
        }
    }
}

/// Texts with their places.
fn named_texts(
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, (String, Place)> {
    let mut read = BTreeMap::new();
    for entry in &table.raw().entries {
        match &entry.value.kind {
            NodeKind::String(text) => {
                let place = table.place(entry.value.span.clone());
                read.insert(entry.key.clone(), (text.clone(), place));
            }
            _ => table.wrong_type(&entry.value, &entry.key, "\"{{ zip }}{{ state }}\"", findings),
        }
    }
    read
}

fn inner<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    match &table.get(key)?.value.kind {
        NodeKind::Table(inner) => Some(inner),
        _ => None,
    }
}

fn keys(table: Option<&Table>, key: &str) -> BTreeSet<String> {
    let inner = table.and_then(|table| inner(table, key));
    inner.map_or_else(BTreeSet::new, |inner| {
        inner.entries.iter().map(|entry| entry.key.clone()).collect()
    })
}

/// `token` and the names under `tokens`.
fn tokens(reply: Option<&Table>) -> BTreeSet<String> {
    let mut names = keys(reply, "tokens");
    names.extend(reply.and_then(|reply| reply.get("token")).map(|entry| entry.key.clone()));
    names
}

/// Those, `ref`, and the names under `values`.
fn values(reply: Option<&Table>) -> BTreeSet<String> {
    let mut names = tokens(reply);
    names.extend(keys(reply, "values"));
    names.extend(reply.and_then(|reply| reply.get("ref")).map(|entry| entry.key.clone()));
    names
}
