//! `rialto pause`, `rialto kill` and `rialto resume`: runtime state beside what the files say.

use clap::{Args, ValueEnum};
use exchange_model::Timestamp;
use exchange_store::operators::{Force, Stop, Stops, Subject};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::cli::books::{Books, Desk, who};
use crate::cli::context::{Context, load_without_secrets};
use crate::cli::explain::unknown;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{GREEN, RED, painted};
use crate::clock::Clock;
use crate::load::Exchange;
use crate::operator_api::stops::stop_json;

/// What kind of thing is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Kind {
    /// One buyer with all its campaigns
    Buyer,
    /// One campaign, as buyer/campaign
    Campaign,
    /// One source, as seller/source
    Source,
    /// The whole exchange
    All,
}

/// Who is meant.
#[derive(Args, Debug)]
pub(crate) struct Whom {
    /// What kind of thing
    kind: Kind,
    /// Its name; none for `all`
    name: Option<String>,
}

/// Options of `rialto pause` and `rialto kill`.
#[derive(Args, Debug)]
pub(crate) struct Halt {
    #[command(flatten)]
    whom: Whom,
    /// Until when: 17:00 or 2026-11-23T17:00 on the clock of the books, 2026-11-23T17:00:00Z, or 90m; without it, until it is resumed
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why, for other operators
    #[arg(long, default_value = "")]
    why: String,
}

/// Options of `rialto resume`.
#[derive(Args, Debug)]
pub(crate) struct Resume {
    #[command(flatten)]
    whom: Whom,
}

impl Whom {
    fn subject(&self) -> Result<Subject, Failure> {
        let kind = match self.kind {
            Kind::Buyer => "buyer",
            Kind::Campaign => "campaign",
            Kind::Source => "source",
            Kind::All => "all",
        };
        let name = self.name.as_deref().unwrap_or("");
        Subject::parse(kind, name).ok_or_else(|| match (self.kind, &self.name) {
            (Kind::All, _) => Failure::usage("`all` takes no name"),
            (_, None) => Failure::usage(format!("which {kind}?")),
            (_, Some(name)) => Failure::usage(format!("`{name}` is no name of a {kind}")),
        })
    }
}

/// Stops a subject.
pub(crate) fn halt(options: &Halt, force: Force, context: &Context) -> Ran {
    let subject = options.whom.subject()?;
    let now = Clock::system().now();
    let until = options.until.as_deref().map(|text| moment(text, now, &context.time_zone()?));
    let until = until.transpose()?;
    if until.is_some_and(|until| until <= now) {
        return Err(Failure::usage("that time has passed"));
    }
    let stop = Stop { subject, force, since: now, until, why: options.why.clone(), actor: who() };
    let desk = Desk::open(context)?;
    // A running exchange knows its config better than the files do, which may be broken just now.
    if let Desk::Own(_) = desk
        && let (Some(exchange), _) = load_without_secrets(&context.settings(&[])?)
    {
        check_known(&stop.subject, &exchange)?;
    }
    desk.stop(&stop)?;
    if context.out.json {
        context.out.json(&stop_json(&stop))?;
    } else {
        context.out.data(line(&stop))?;
    }
    Ok(Exit::Done)
}

/// Ends a stop.
pub(crate) fn resume(options: &Resume, context: &Context) -> Ran {
    let subject = options.whom.subject()?;
    if Desk::open(context)?.resume(&subject)? {
        context.out.data(format!("{}  {subject}", painted(GREEN, "resumed")))?;
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!("{subject} is not stopped by an operator"))
        .help("what a file pauses, only the file resumes; `rialto stops` lists the others"))
}

/// Lists what is stopped now.
pub(crate) fn list(context: &Context) -> Ran {
    let stops = Books::open(context)?.store().stops();
    let now = Clock::system().now();
    if context.out.json {
        context.out.json(&stops.at(now).map(stop_json).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    for stop in stops.at(now) {
        context.out.data(line(stop))?;
    }
    if stops.at(now).next().is_none() {
        context.out.note("nothing is stopped by an operator");
    }
    Ok(Exit::Done)
}

/// Says beside what a command shows of the files what operators have stopped.
pub(crate) fn note_all(stops: &Stops, now: Timestamp, context: &Context) {
    for stop in stops.at(now) {
        context.out.note(format!("runtime: {}", line(stop)));
    }
}

/// `paused  buyer acme_mutual until 2026-11-23T17:00:00Z by cli anna: their server is down`.
pub(crate) fn line(stop: &Stop) -> String {
    let word = match stop.force {
        Force::Pause => "paused",
        Force::Kill => "killed",
    };
    let (word, subject, actor) = (painted(RED, word), &stop.subject, &stop.actor);
    let why = if stop.why.is_empty() { String::new() } else { format!(": {}", stop.why) };
    format!("{word}  {subject} {} by {actor}{why}", stop.until_text())
}

fn check_known(subject: &Subject, exchange: &Exchange) -> Result<(), Failure> {
    if crate::operator_api::stops::is_known(subject, exchange) {
        return Ok(());
    }
    let routing = &exchange.routing;
    let names: Vec<String> = match subject {
        Subject::All => Vec::new(),
        Subject::Source(_) => routing.sources().map(|s| s.id.to_string()).collect(),
        Subject::Buyer(_) => routing.buyers().map(|b| b.id.to_string()).collect(),
        Subject::Campaign(_) => routing.campaigns().map(|c| c.id.to_string()).collect(),
    };
    Err(unknown(subject.kind(), subject.name(), names.iter().map(String::as_str)))
}

/// `17:00` is the next time that the clock of the books shows it.
fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(wait) = exchange_model::document::parse_duration(text) {
        return Ok(now.after(wait));
    }
    let refused = |what: &str| Failure::usage(format!("`{text}` is no time: {what}"));
    let at = by_the_clock(text, now, zone).map_err(refused)?;
    at.ok_or_else(|| refused("there is no such moment"))
}

/// A time, or a day with its time, without a zone; nothing when it is off the calendar.
fn by_the_clock(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, &'static str> {
    const HOW: &str = "write 17:00, 2026-11-23T17:00, 2026-11-23T17:00:00-06:00 or 90m";
    let (day, clock) = text.split_once('T').map_or((None, text), |(day, at)| (Some(day), at));
    // A zone that cannot be read must not be left out.
    if clock.contains(|c: char| !c.is_ascii_digit() && !":.".contains(c)) {
        return Err(HOW);
    }
    let clock: Time = clock.parse().map_err(|_no_time| HOW)?;
    if let Some(day) = day {
        let day: Date = day.parse().map_err(|_no_day| HOW)?;
        return Ok(shown(day.to_datetime(clock), now, zone));
    }
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let at = shown(today.to_datetime(clock), now, zone).filter(|at| *at > now);
    let tomorrow = || shown(today.tomorrow().ok()?.to_datetime(clock), now, zone);
    Ok(at.or_else(tomorrow))
}

/// When the clock shows this: of an hour that it repeats, the one that is still to come; of one
/// that it skips, the same minute an hour later.
fn shown(civil: DateTime, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(civil);
    if let AmbiguousOffset::Fold { .. } = at.offset() {
        let first = at.earlier().ok().map(Timestamp::from_jiff).filter(|first| *first > now);
        return first.or_else(|| at.later().ok().map(Timestamp::from_jiff));
    }
    at.compatible().ok().map(Timestamp::from_jiff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_its_next_occurrence_on_the_clock_of_the_books() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let now: Timestamp = "2026-11-23T22:30:00Z".parse().unwrap();
        let at = |text| moment(text, now, &zone).unwrap().to_string();
        assert_eq!(at("17:00"), at("2026-11-23T23:00:00Z"));
        assert_eq!(at("16:00"), at("2026-11-24T22:00:00Z"));
        assert_eq!(at("2026-11-23T17:00"), at("2026-11-23T23:00:00Z"));
        assert_eq!(at("90m"), at("2026-11-24T00:00:00Z"));
        assert!(moment("tomorrow", now, &zone).is_err());
    }

    #[test]
    fn an_hour_that_the_clocks_repeat_is_the_next_of_the_two() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let at = |text, now: &str| moment(text, now.parse().unwrap(), &zone).unwrap().to_string();
        let (first, second) = ("2026-11-01T06:30:00.000Z", "2026-11-01T07:30:00.000Z");
        assert_eq!(at("01:30", "2026-11-01T06:15:00Z"), first);
        assert_eq!(at("01:30", "2026-11-01T06:45:00Z"), second);
        assert_eq!(at("01:30", "2026-11-01T07:15:00Z"), second);
        assert_eq!(at("2026-11-01T01:30", "2026-11-01T07:15:00Z"), second);
        assert_eq!(at("01:30", "2026-11-01T07:45:00Z"), "2026-11-02T07:30:00.000Z");
        // An hour that they skip is the one after it.
        assert_eq!(at("02:30", "2027-03-14T07:00:00Z"), "2027-03-14T08:30:00.000Z");
    }

    #[test]
    fn a_moment_with_an_offset_is_never_read_by_the_clock_of_the_books() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let now: Timestamp = "2026-11-23T22:30:00Z".parse().unwrap();
        for text in ["2026-11-24T17:00+01:00", "2026-11-24T17:00:00+01:00", "2026-11-24T17+01:00"] {
            let read = moment(text, now, &zone).map(|at| at.to_string()).ok();
            assert!(read.is_none_or(|at| at == "2026-11-24T16:00:00.000Z"), "{text}");
        }
    }
}
