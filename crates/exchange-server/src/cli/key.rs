//! `rialto key`: the keys sellers post with.

use clap::{Args, Subcommand};
use exchange_model::SourceId;
use exchange_store::{ApiKey, KeyMode};
use serde::Serialize;

use crate::cli::books::{Books, Desk};
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, painted};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for a source; it is shown once
    New(NewKey),
    /// End a key at once
    Revoke(RevokeKey),
    /// List keys: never their text
    List,
}

/// Options of `rialto key new`.
#[derive(Args, Debug)]
pub(crate) struct NewKey {
    /// Whose leads it may send, as seller/source
    source: SourceId,
    /// A test key: its leads reach no buyer and no books
    #[arg(long)]
    test: bool,
}

/// Options of `rialto key revoke`.
#[derive(Args, Debug)]
pub(crate) struct RevokeKey {
    /// The key's public part, as `rialto key list` shows it
    id: String,
}

#[derive(Debug, Serialize)]
struct JsonKey {
    id: String,
    source: String,
    mode: &'static str,
    created_at: String,
    revoked_at: Option<String>,
}

/// Runs `rialto key`.
pub(crate) fn run(command: &Key, context: &Context) -> Ran {
    match command {
        Key::New(options) => make(options, context),
        Key::Revoke(options) => revoke(options, context),
        Key::List => list(context),
    }
}

fn make(options: &NewKey, context: &Context) -> Ran {
    let exchange = context.exchange()?;
    if exchange.routing.source(&options.source).is_none() {
        let names = exchange.routing.sources().map(|source| source.id.as_str());
        return Err(unknown("source", options.source.as_str(), names));
    }
    let mode = if options.test { KeyMode::Test } else { KeyMode::Live };
    let key = Desk::open(context)?.new_key(&options.source, mode)?;
    if context.out.json {
        context.out.json(&key)?;
    } else {
        let word = mode.code();
        let whose = &options.source;
        context.out.note(format!("a {word} key of {whose}; it is shown once and never stored:"));
        context.out.data(painted(BOLD, &key.key))?;
    }
    Ok(Exit::Done)
}

fn revoke(options: &RevokeKey, context: &Context) -> Ran {
    if Desk::open(context)?.revoke_key(&options.id)? {
        context.out.note(format!("key {} no longer works", options.id));
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!("there is no working key `{}`", options.id))
        .help("`rialto key list` shows them"))
}

fn list(context: &Context) -> Ran {
    let books = Books::open(context)?;
    let keys = books.store().keys().blocking_wait()?;
    if context.out.json {
        context.out.json(&keys.iter().map(json).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let width = keys.iter().map(|key| key.source.as_str().len()).max().unwrap_or(0);
    for key in &keys {
        let state = match key.revoked_at {
            Some(at) => format!("revoked {at}"),
            None => "works".to_owned(),
        };
        let (id, source, mode) = (&key.id, key.source.as_str(), key.mode.code());
        context
            .out
            .data(format!("{id}  {source:width$}  {mode}  made {}  {state}", key.created_at))?;
    }
    if keys.is_empty() {
        context.out.note("no keys yet; make one with `rialto key new seller/source`");
    }
    Ok(Exit::Done)
}

fn json(key: &ApiKey) -> JsonKey {
    JsonKey {
        id: key.id.clone(),
        source: key.source.to_string(),
        mode: key.mode.code(),
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|at| at.to_string()),
    }
}
