//! Steps that reading a buyer, a seller and a tree have in common.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::finding::nearest;
use exchange_model::{Findings, Place, TableReader, Vertical, VerticalId};
use jiff::tz::TimeZone;

use crate::campaign::Status;

/// Keys that a later version will understand, with what to do until then.
pub(super) fn not_yet(
    reader: &mut TableReader<'_>,
    keys: &[(&'static str, &str)],
    findings: &mut Findings,
) {
    for (key, help) in keys {
        if let Some(node) = reader.node(key) {
            let place = reader.place(node.span.clone());
            let message = format!("`{key}` is not supported yet");
            findings.error("not_supported", place, message, (*help).to_owned());
        }
    }
}

/// The schema number, where it is written.
pub(super) fn schema(reader: &mut TableReader<'_>, findings: &mut Findings) {
    let _one_so_far = reader.integer("schema", 1..=1, findings);
}

/// A status and the place that decides it.
pub(super) fn status(
    reader: &mut TableReader<'_>,
    otherwise: &Place,
    findings: &mut Findings,
) -> (Status, Place) {
    const WORDS: &[(&str, Status)] = &[("live", Status::Live), ("paused", Status::Paused)];
    match reader.one_of("status", WORDS, findings) {
        Some(status) => (status.value, status.place),
        None => (Status::Live, otherwise.clone()),
    }
}

/// A title, or else the name.
pub(super) fn title(reader: &mut TableReader<'_>, name: &str, findings: &mut Findings) -> String {
    let title = reader.string("title", "\"...\"", findings);
    title.map_or_else(|| name.to_owned(), |title| title.value.to_owned())
}

/// A string that must be there, read by `parse`.
pub(super) fn required<T, E: std::fmt::Display>(
    reader: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    findings: &mut Findings,
) -> Option<Spanned<T>> {
    require(reader, key, example, findings);
    reader.parsed(key, example, parse, findings)
}

/// Reports `key` when it is absent.
pub(super) fn require(
    reader: &mut TableReader<'_>,
    key: &'static str,
    example: &str,
    findings: &mut Findings,
) {
    if reader.node(key).is_none() {
        reader.missing(key, example, findings);
    }
}

/// A time zone by its name.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_unknown| format!("no time zone is called {name}; zones are Continent/City"))
}

/// The vertical that `vertical = "..."` names.
pub(super) fn vertical(
    reader: &mut TableReader<'_>,
    verticals: &BTreeMap<VerticalId, Arc<Vertical>>,
    findings: &mut Findings,
) -> Option<Arc<Vertical>> {
    let id = required(reader, "vertical", "\"auto_insurance\"", VerticalId::new, findings)?;
    if let Some(vertical) = verticals.get(&id.value) {
        return Some(Arc::clone(vertical));
    }
    let help = match nearest(id.value.as_str(), verticals.keys().map(VerticalId::as_str)) {
        Some(near) => format!("did you mean `{near}`? It is defined in verticals/{near}.toml"),
        None => "describe it in a file of its own under verticals/".to_owned(),
    };
    let message = format!("no vertical is called `{}`", id.value);
    findings.error("unknown_vertical", id.place, message, help);
    None
}

/// A duration above nothing and up to `most`.
pub(super) fn bounded(
    reader: &mut TableReader<'_>,
    key: &'static str,
    most: Duration,
    findings: &mut Findings,
) -> Option<Spanned<Duration>> {
    let read = reader.duration(key, findings)?;
    if read.value > Duration::ZERO && read.value <= most {
        return Some(read);
    }
    let message = format!("`{key}` cannot be {}", shown(read.value));
    let help = format!("write more than 0ms and at most {}", shown(most));
    findings.error("out_of_range", read.place, message, help);
    None
}

/// `12s` or `900ms`, the way it is written in config.
pub(super) fn shown(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1_000) {
        format!("{}s", time.as_secs())
    } else {
        format!("{millis}ms")
    }
}
