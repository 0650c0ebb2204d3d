//! `resolve`, `answer_within` and `poll`: how a lost answer is found out.

use std::time::Duration;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::outcome::Resolver;
use exchange_model::{Findings, Place, PollSchedule, PollStep, TableReader};

/// How long a lost or pending answer is worked on when the connector does not say.
const ANSWER_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Longest it may be worked on.
const ANSWER_WITHIN_MAX: Duration = Duration::from_secs(90 * 24 * 3600);
/// Shortest pause between two questions.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Most steps of a ladder.
const STEPS_MAX: usize = 16;

/// `resolve = ["status", "repost"]`, each with its place. Nothing when a word is none.
pub(super) fn resolve(
    table: &mut TableReader<'_>,
    findings: &mut Findings,
) -> Option<Vec<(Resolver, Place)>> {
    let count = match table.node("resolve").map(|node| &node.kind) {
        None => return Some(Vec::new()),
        Some(NodeKind::Array(items)) => items.len(),
        Some(_) => 1,
    };
    let words = table.strings("resolve", findings)?;
    let mut complete = words.len() == count;
    let mut read: Vec<(Resolver, Place)> = Vec::with_capacity(words.len());
    for Spanned { value, place } in words {
        match resolver(value) {
            Some(how) if read.iter().any(|(other, _)| *other == how) => {
                let message = format!("`{value}` is there twice");
                findings.error("bad_value", place, message, "remove one".to_owned());
                complete = false;
            }
            Some(how) => read.push((how, place)),
            None => {
                unknown(value, place, findings);
                complete = false;
            }
        }
    }
    complete.then_some(read)
}

fn resolver(word: &str) -> Option<Resolver> {
    Resolver::ALL.iter().copied().find(|how| how.code() == word)
}

fn unknown(word: &str, place: Place, findings: &mut Findings) {
    let words = Resolver::ALL.iter().map(|how| how.code());
    let help = match nearest(word, words.clone()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("allowed: {}", words.collect::<Vec<_>>().join(", ")),
    };
    findings.error("unknown_word", place, format!("`resolve` cannot be \"{word}\""), help);
}

/// `answer_within = "24h"`.
pub(super) fn answer_within(
    table: &mut TableReader<'_>,
    findings: &mut Findings,
) -> Option<Duration> {
    if table.node("answer_within").is_none() {
        return Some(ANSWER_WITHIN);
    }
    let span = table.duration("answer_within", findings)?;
    if span.value.is_zero() || span.value > ANSWER_WITHIN_MAX {
        let message = "`answer_within` is more than nothing and at most 90d".to_owned();
        findings.error("out_of_range", span.place, message, "write \"24h\"".to_owned());
        return None;
    }
    Some(span.value)
}

/// `poll = [{ every = "1s", until = "10s" }, ...]` of the `status` stage.
pub(super) fn poll(status: &mut TableReader<'_>, findings: &mut Findings) -> Option<PollSchedule> {
    if status.node("poll").is_none() {
        return Some(PollSchedule::default());
    }
    let place = status.own_place();
    let tables = status.tables("poll", findings);
    if tables.is_empty() || tables.len() > STEPS_MAX {
        let message = format!("`poll` is a ladder of 1 to {STEPS_MAX} steps");
        let help = "write `poll = [{ every = \"1s\", until = \"10s\" }]`".to_owned();
        findings.error("out_of_range", place, message, help);
        return None;
    }
    let mut steps: Vec<PollStep> = Vec::with_capacity(tables.len());
    for table in tables {
        let after = steps.last().map_or(Duration::ZERO, |step| step.until);
        steps.push(step(table, after, findings)?);
    }
    Some(PollSchedule::new(steps))
}

fn step(mut table: TableReader<'_>, after: Duration, findings: &mut Findings) -> Option<PollStep> {
    for key in ["every", "until"] {
        if table.node(key).is_none() {
            table.missing(key, "\"10s\"", findings);
        }
    }
    let (every, until) = (table.duration("every", findings), table.duration("until", findings));
    let place = table.own_place();
    table.finish(findings);
    let step = PollStep { every: every?.value, until: until?.value };
    if step.every < PAUSE_MIN || step.until <= after || step.until > ANSWER_WITHIN_MAX {
        let message = "a step pauses for at least 100ms and ends after the one before".to_owned();
        let help = "write `poll = [{ every = \"1s\", until = \"10s\" }, { every = \"5s\", until = \"300s\" }]`";
        findings.error("out_of_range", place, message, help.to_owned());
        return None;
    }
    Some(step)
}
