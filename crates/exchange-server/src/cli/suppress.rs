//! `rialto suppress`: whom buyers do not want.
//!
//! A file is read line by line. A raw value is put into its field's normal form and hashed here: no
//! value leaves this process, and what is kept is a hash under the exchange's own key.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use exchange_model::lead::{HashForm, list_kind};
use exchange_model::vertical::normalise;
use exchange_model::{BuyerId, Field, FieldClass, Findings, VerticalId};
use exchange_store::{SUPPRESSION_CHUNK_MAX, SuppressionAdded};
use ping_tree::person::is_list_name;
use serde::Serialize;

use crate::cli::books::{Books, Desk, SuppressionBatch};
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::counted;
use crate::load::Exchange;
use crate::settings::Settings;

/// Longest line that may be a value, in bytes.
const LINE_MAX: u64 = 1_024;
/// Numbers of unreadable lines that are shown.
const SHOWN_MAX: usize = 20;

/// What to do with suppression lists.
#[derive(Debug, Subcommand)]
pub(crate) enum Suppress {
    /// Read a file into a list: one value a line, `#` before comments
    Import(Import),
    /// Every list: whose, how long, when it was changed
    List,
    /// Take a list away
    Remove(Remove),
}

/// Options of `rialto suppress import`.
#[derive(Args, Debug)]
pub(crate) struct Import {
    /// Whose list
    buyer: BuyerId,
    /// Its name, as campaigns write it in `suppress`
    list: String,
    /// The file
    file: PathBuf,
    /// The contact field that the values belong to
    #[arg(long, value_name = "FIELD")]
    field: String,
    /// The vertical of the field, where several have it and differ
    #[arg(long)]
    vertical: Option<VerticalId>,
    /// The lines are hashes of normalised values, in hexadecimal digits
    #[arg(long, value_name = "FORM", value_parser = ["md5", "sha1", "sha256"])]
    hashed: Option<String>,
    /// The file takes the place of the list, at once when it is read whole
    #[arg(long)]
    replace: bool,
    /// Read and count, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Options of `rialto suppress remove`.
#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// Whose list
    buyer: BuyerId,
    /// Its name
    list: String,
    /// Yes, take it away
    #[arg(long)]
    yes: bool,
}

/// Runs `rialto suppress`.
pub(crate) fn run(command: &Suppress, context: &Context) -> Ran {
    match command {
        Suppress::Import(options) => import(options, context),
        Suppress::List => list(context),
        Suppress::Remove(options) => remove(options, context),
    }
}

/// What an import came to.
#[derive(Debug, Default, Serialize)]
struct Counts {
    read: u64,
    added: u64,
    already_there: u64,
    unreadable: u64,
    /// The first of them, counted from 1.
    unreadable_lines: Vec<u64>,
    dry_run: bool,
    replaced: bool,
}

fn import(options: &Import, context: &Context) -> Ran {
    let exchange = context.exchange()?;
    check_names(&options.buyer, &options.list, &exchange)?;
    let field = field(options, &exchange)?;
    let form = options.hashed.as_deref().and_then(HashForm::from_code);
    let mut lines = Lines::open(&options.file, context)?;
    let desk = if options.dry_run { None } else { Some(Desk::open(context)?) };
    let mut import = Importing { options, field, form, counts: Counts::default(), upload: None };
    import.counts.dry_run = options.dry_run;
    let done = import.run(&mut lines, desk.as_ref());
    lines.bar.finish_and_clear();
    done?;
    import.report(context)?;
    if !is_used(options, &exchange) {
        let name = &options.list;
        context
            .out
            .note(format!("no campaign of {} says suppress = [\"{name}\"] yet", options.buyer));
    }
    Ok(Exit::Done)
}

fn check_names(buyer: &BuyerId, list: &str, exchange: &Exchange) -> Result<(), Failure> {
    if exchange.routing.buyer(buyer).is_none() {
        let names = exchange.routing.buyers().map(|buyer| buyer.id.as_str());
        return Err(unknown("buyer", buyer.as_str(), names));
    }
    if is_list_name(list) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{list}` is no name of a list"))
        .help("a name is 1 to 64 of a-z, 0-9, `_` and `-`"))
}

fn is_used(options: &Import, exchange: &Exchange) -> bool {
    let mut of_buyer =
        exchange.routing.campaigns().filter(|campaign| campaign.buyer.id == options.buyer);
    of_buyer.any(|campaign| campaign.person.suppress.contains(&options.list))
}

/// The contact field of this name; of several verticals that have it, all must mean the same.
fn field<'a>(options: &Import, exchange: &'a Exchange) -> Result<&'a Field, Failure> {
    let wanted = |id: &VerticalId| options.vertical.as_ref().is_none_or(|only| only == id);
    let verticals = exchange.verticals.iter().filter(|(id, _)| wanted(id));
    let contact: Vec<&Field> = verticals
        .flat_map(|(_, vertical)| vertical.fields().map(|(_, field)| field))
        .filter(|field| field.class == FieldClass::Contact)
        .collect();
    let mut found = contact.iter().copied().filter(|field| field.name == options.field);
    let Some(first) = found.next() else {
        let names = contact.iter().map(|field| field.name.as_str());
        return Err(unknown("contact field", &options.field, names));
    };
    if found.all(|other| other.kind == first.kind) {
        return Ok(first);
    }
    Err(Failure::usage(format!("`{}` is not the same in every vertical", options.field))
        .help("say which one with --vertical"))
}

struct Importing<'a> {
    options: &'a Import,
    field: &'a Field,
    form: Option<HashForm>,
    counts: Counts,
    upload: Option<i64>,
}

impl Importing<'_> {
    fn run(&mut self, lines: &mut Lines, desk: Option<&Desk>) -> Result<(), Failure> {
        let mut chunk: Vec<Vec<u8>> = Vec::new();
        while let Some((number, line)) = lines.next()? {
            match self.digest(line) {
                Read::Nothing => {}
                Read::Value(digest) => {
                    self.counts.read = self.counts.read.saturating_add(1);
                    chunk.push(digest);
                }
                Read::Unreadable => self.unreadable(number),
            }
            if chunk.len() == SUPPRESSION_CHUNK_MAX {
                self.send(std::mem::take(&mut chunk), desk)?;
            }
        }
        if !chunk.is_empty() {
            self.send(chunk, desk)?;
        }
        self.finish(desk)
    }

    fn unreadable(&mut self, number: u64) {
        self.counts.unreadable = self.counts.unreadable.saturating_add(1);
        if self.counts.unreadable_lines.len() < SHOWN_MAX {
            self.counts.unreadable_lines.push(number);
        }
    }

    fn digest(&self, line: Option<&str>) -> Read {
        let Some(text) = line.map(str::trim) else { return Read::Unreadable };
        if text.is_empty() || text.starts_with('#') {
            return Read::Nothing;
        }
        let digest = match self.form {
            Some(form) => hex::decode(text).ok().filter(|digest| digest.len() == form.digest_len()),
            None => normalise(&self.field.kind, text)
                .ok()
                .map(|value| HashForm::Sha256.digest(&value.to_string())),
        };
        digest.map_or(Read::Unreadable, Read::Value)
    }

    fn send(&mut self, digests: Vec<Vec<u8>>, desk: Option<&Desk>) -> Result<(), Failure> {
        let Some(desk) = desk else { return Ok(()) };
        let (buyer, list) = (&self.options.buyer, &self.options.list);
        if self.options.replace && self.upload.is_none() {
            self.upload = Some(desk.begin_suppression(buyer, list)?);
        }
        let form = self.form.unwrap_or(HashForm::Sha256);
        let kind = list_kind(self.field);
        let batch = SuppressionBatch { kind, form, digests, upload: self.upload };
        let SuppressionAdded { added, known } = desk.suppress(buyer, list, &batch)?;
        self.counts.added = self.counts.added.saturating_add(added);
        self.counts.already_there = self.counts.already_there.saturating_add(known);
        Ok(())
    }

    /// An upload takes its place; a file without one value changes nothing.
    fn finish(&mut self, desk: Option<&Desk>) -> Result<(), Failure> {
        if self.counts.read == 0 {
            let lines = counted(usize::try_from(self.counts.unreadable).unwrap_or(0), "line");
            return Err(Failure::failed(format!(
                "no value in this file is readable as `{}` ({lines} not); nothing was changed",
                self.options.field
            ))
            .help("are these hashes? Then say --hashed md5, sha1 or sha256"));
        }
        if let (Some(desk), Some(upload)) = (desk, self.upload) {
            desk.swap_suppression(&self.options.buyer, &self.options.list, upload)?;
            self.counts.replaced = true;
        }
        Ok(())
    }

    fn report(&self, context: &Context) -> Result<(), Failure> {
        let counts = &self.counts;
        if context.out.json {
            context.out.json(counts)?;
            return Ok(());
        }
        let list = format!("{}/{}", self.options.buyer, self.options.list);
        context.out.data(if counts.dry_run {
            format!(
                "{list}: {} read, {} unreadable; nothing was written",
                counts.read, counts.unreadable
            )
        } else {
            format!(
                "{list}: {} read, {} added, {} already there, {} unreadable",
                counts.read, counts.added, counts.already_there, counts.unreadable
            )
        })?;
        if !counts.unreadable_lines.is_empty() {
            let shown: Vec<String> = counts.unreadable_lines.iter().map(u64::to_string).collect();
            let all = u64::try_from(shown.len()).unwrap_or(0) == counts.unreadable;
            let more = if all { "" } else { " and more" };
            context.out.note(format!("unreadable: line {}{more}", shown.join(", ")));
        }
        Ok(())
    }
}

enum Read {
    Nothing,
    Value(Vec<u8>),
    Unreadable,
}

/// The lines of a file, none longer than [`LINE_MAX`] in memory.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    bar: indicatif::ProgressBar,
}

impl Lines {
    fn open(path: &Path, context: &Context) -> Result<Self, Failure> {
        let unreadable =
            |error| Failure::failed(format!("`{}` cannot be read: {error}", path.display()));
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let bar = context.out.progress(bytes, "bytes");
        Ok(Self { file: BufReader::new(file), line: Vec::new(), number: 0, bar })
    }

    /// The next line with its number; an inner `None` when it is too long or no text.
    fn next(&mut self) -> Result<Option<(u64, Option<&str>)>, Failure> {
        self.line.clear();
        let mut taken = 0_u64;
        let mut long = false;
        loop {
            let read = (&mut self.file).take(LINE_MAX).read_until(b'\n', &mut self.line)?;
            taken = taken.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if read == 0 || self.line.last() == Some(&b'\n') {
                break;
            }
            if u64::try_from(self.line.len()).unwrap_or(u64::MAX) >= LINE_MAX {
                long = true;
                self.line.clear();
            }
        }
        if taken == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        self.bar.inc(taken);
        let text = std::str::from_utf8(&self.line).ok().filter(|_| !long);
        Ok(Some((self.number, text)))
    }
}

#[derive(Debug, Serialize)]
struct JsonList {
    buyer: String,
    list: String,
    entries: u64,
    changed_at: String,
}

fn list(context: &Context) -> Ran {
    let lists = Books::open(context)?.store().suppression_lists().blocking_wait()?;
    if context.out.json {
        let json = lists.iter().map(|list| JsonList {
            buyer: list.buyer.to_string(),
            list: list.name.clone(),
            entries: list.entries,
            changed_at: list.changed_at.to_string(),
        });
        context.out.json(&json.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let name = |list: &exchange_store::SuppressionList| format!("{}/{}", list.buyer, list.name);
    let width = lists.iter().map(|list| name(list).len()).max().unwrap_or(0);
    for list in &lists {
        let (name, entries) = (name(list), list.entries);
        let changed = list.changed_at;
        context.out.data(format!("{name:width$}  {entries} entries  changed {changed}"))?;
    }
    if lists.is_empty() {
        context.out.note("no lists yet; make one with `rialto suppress import buyer list FILE`");
    }
    Ok(Exit::Done)
}

fn remove(options: &Remove, context: &Context) -> Ran {
    let list = format!("{} {}", options.buyer, options.list);
    if !options.yes {
        return Err(Failure::usage("from then on leads go to whoever is on the list")
            .help(format!("if you mean it: rialto suppress remove {list} --yes")));
    }
    if Desk::open(context)?.remove_suppression(&options.buyer, &options.list)? {
        context.out.note(format!("{}/{} is gone", options.buyer, options.list));
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!("there is no list `{}/{}`", options.buyer, options.list))
        .help("`rialto suppress list` shows them"))
}

/// Warns of lists that campaigns name and nobody has imported, where there is a database to ask.
pub(crate) fn warn_missing(settings: &Settings, exchange: &Exchange, findings: &mut Findings) {
    let Some(known) = uploaded(settings) else { return };
    for campaign in exchange.routing.campaigns() {
        let buyer = &campaign.buyer.id;
        let is_known = |name: &String| known.contains(&(buyer.clone(), name.clone()));
        let Some(place) = &campaign.person.suppress_place else { continue };
        for name in campaign.person.suppress.iter().filter(|name| !is_known(name)) {
            let message = format!("`{buyer}` has no suppression list called `{name}` yet");
            let help = format!("rialto suppress import {buyer} {name} FILE --field phone");
            findings.warning("list_not_imported", place.clone(), message, help);
        }
    }
}

/// Every list that there is; nothing where the database cannot be asked.
fn uploaded(settings: &Settings) -> Option<BTreeSet<(BuyerId, String)>> {
    if !settings.store.path.is_file() {
        return None;
    }
    let lists = Books::at(settings).ok()?.store().suppression_lists().blocking_wait().ok()?;
    Some(lists.into_iter().map(|list| (list.buyer, list.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Output;

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_counted_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let long = "5".repeat(5_000);
        let text = [b"5125550134\n".as_slice(), long.as_bytes(), b"\n\xff\n\n5125550135"].concat();
        std::fs::write(&path, text).unwrap();
        let context = Context { config: folder.path().to_path_buf(), out: Output { json: true } };
        let mut lines = Lines::open(&path, &context).unwrap();
        let mut seen = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            seen.push((number, line.map(|text| text.trim().to_owned())));
        }
        let text = |text: &str| Some(text.to_owned());
        let expected =
            [(1, text("5125550134")), (2, None), (3, None), (4, text("")), (5, text("5125550135"))];
        assert_eq!(seen, expected);
    }
}
