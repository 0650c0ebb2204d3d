//! Hours from their table: days or ranges of days, and the times of each.

use exchange_model::document::{Entry, Node, NodeKind};
use exchange_model::finding::nearest;
use exchange_model::{Date, Findings, Place, TableReader};

use crate::schedule::{DAY_MINUTES, DayHours, OpenRange, Schedule};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Most closed dates of one campaign.
const CLOSED_MAX: usize = 1_000;
/// Most ranges of one day.
const RANGES_MAX: usize = 48;

/// The `hours` of a campaign; always open without them.
pub(crate) fn schedule(reader: &mut TableReader<'_>, findings: &mut Findings) -> Schedule {
    let Some(mut table) = reader.table("hours", findings) else { return Schedule::default() };
    let found_before = findings.len();
    let closed = closed(&mut table, findings);
    let mut week = Week::default();
    for entry in table.raw().entries.iter().filter(|entry| entry.key != "closed") {
        week.entry(entry, &table, findings);
    }
    let place = table.own_place();
    let schedule = Schedule::new(week.finish(), closed, Some(place.clone()));
    // Hours that cannot be read are wrong, not empty.
    if schedule.never_opens() && findings.len() == found_before {
        let message = "these hours never open".to_owned();
        let help = "write when it is open, or `status = \"paused\"`".to_owned();
        findings.error("never_open", place, message, help);
    }
    schedule
}

#[derive(Default)]
struct Week {
    days: [DayHours; 7],
    keys: [Option<String>; 7],
}

impl Week {
    fn entry(&mut self, entry: &Entry, table: &TableReader<'_>, findings: &mut Findings) {
        let place = table.place(entry.key_span.clone());
        let Some(days) = days(&entry.key) else {
            unknown_day(&entry.key, place, findings);
            return;
        };
        let ranges = ranges(&entry.value, table, findings);
        for at in days {
            let (Some(day), Some(key)) = (self.days.get_mut(at), self.keys.get_mut(at)) else {
                continue;
            };
            if let Some(first) = key {
                let message = format!("`{}` and `{first}` both set a day", entry.key);
                let help = "let each day stand under one key".to_owned();
                findings.error("overlapping_days", place, message, help);
                return;
            }
            *key = Some(entry.key.clone());
            *day = DayHours { ranges: ranges.clone(), place: Some(place.clone()) };
        }
    }

    fn finish(self) -> Option<[DayHours; 7]> {
        self.keys.iter().any(Option::is_some).then_some(self.days)
    }
}

/// The days of `mon` or `mon-fri`, from 0; `fri-mon` runs over the end of the week.
fn days(key: &str) -> Option<Vec<usize>> {
    let index = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = match key.split_once('-') {
        Some((first, last)) => (index(first)?, index(last)?),
        None => (index(key)?, index(key)?),
    };
    let length = last.saturating_add(7).saturating_sub(first) % 7;
    Some((0..=length).map(|step| first.saturating_add(step) % 7).collect())
}

fn unknown_day(key: &str, place: Place, findings: &mut Findings) {
    let known = DAYS.iter().copied().chain(["mon-fri", "sat-sun", "mon-sun", "closed"]);
    let help = match nearest(key, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write mon, tue, wed, thu, fri, sat, sun, a range as mon-fri, or closed".to_owned(),
    };
    findings.error("unknown_key", place, format!("`{key}` is no day"), help);
}

fn ranges(node: &Node, table: &TableReader<'_>, findings: &mut Findings) -> Vec<OpenRange> {
    let items = match &node.kind {
        NodeKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut ranges = Vec::new();
    for item in items.iter().take(RANGES_MAX) {
        let NodeKind::String(text) = &item.kind else {
            table.wrong_type(item, "hours", "\"08:00-20:00\"", findings);
            continue;
        };
        match range(text) {
            Ok(range) => ranges.push(range),
            Err(help) => {
                let message = format!("`{text}` is no range of hours");
                findings.error("bad_hours", table.place(item.span.clone()), message, help);
            }
        }
    }
    joined(ranges, || table.place(node.span.clone()), findings)
}

/// Reads `08:00-20:00`.
fn range(text: &str) -> Result<OpenRange, String> {
    let form = || "write two times of the day, like \"08:00-20:00\"".to_owned();
    let (from, to) = text.split_once('-').ok_or_else(form)?;
    let from = minutes(from).ok_or_else(form)?;
    let to = minutes(to).ok_or_else(form)?;
    if from < to {
        return Ok(OpenRange { from, to });
    }
    Err("hours end after they begin; past midnight, split them: \"22:00-24:00\" and, on the next day, \"00:00-02:00\"".to_owned())
}

/// Minutes from midnight of `HH:MM`, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| -> Option<u16> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && total <= DAY_MINUTES).then_some(total)
}

/// The ranges in order; those that touch become one, those that overlap are reported.
fn joined(
    mut ranges: Vec<OpenRange>,
    place: impl Fn() -> Place,
    findings: &mut Findings,
) -> Vec<OpenRange> {
    ranges.sort_unstable();
    let mut joined: Vec<OpenRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.from < last.to => {
                let message = "two ranges of this day overlap".to_owned();
                let help = "let each begin after the one before has ended".to_owned();
                findings.error("overlapping_hours", place(), message, help);
                last.to = last.to.max(range.to);
            }
            Some(last) if range.from == last.to => last.to = range.to,
            _ => joined.push(range),
        }
    }
    joined
}

fn closed(table: &mut TableReader<'_>, findings: &mut Findings) -> Vec<(Date, Place)> {
    let Some(node) = table.node("closed") else { return Vec::new() };
    let items = match &node.kind {
        NodeKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items.iter().take(CLOSED_MAX).filter_map(|item| closed_date(item, table, findings)).collect()
}

fn closed_date(
    item: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<(Date, Place)> {
    let place = table.place(item.span.clone());
    let date = match &item.kind {
        NodeKind::String(text) | NodeKind::Datetime(text) if text.len() == 10 => {
            text.parse::<Date>().ok()
        }
        _ => None,
    };
    if date.is_none() {
        let message = "this is no closed date".to_owned();
        let help = "write `closed = [\"2026-12-25\"]`".to_owned();
        findings.error("bad_value", place.clone(), message, help);
    }
    date.map(|date| (date, place))
}
