//! How a reply was read, for people and as JSON.

use buyer_connectors::Explained;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, RejectClass};
use serde::Serialize;

use crate::cli::output::{DIM, GREEN, Output, RED, YELLOW, painted};

mod values;

/// Width of the words on the left.
const LABEL: usize = 9;

/// What an answer means to somebody who writes a connector.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// A bid, a sale.
    Taken,
    /// A refusal, or an answer to come: as it should be.
    Refused,
    /// The buyer reports a mistake of ours, or nobody can tell what it said.
    Broken,
}

impl Verdict {
    /// Of a ping.
    pub(crate) fn of_ping(answer: &PingAnswer) -> Self {
        match answer {
            PingAnswer::Bid { .. } | PingAnswer::Available { .. } => Self::Taken,
            PingAnswer::NoBid(NoBid::Declined(rejection)) => Self::of_class(rejection.class),
            PingAnswer::NoBid(_) => Self::Broken,
        }
    }

    /// Of a post, or of a call about one.
    pub(crate) fn of_post(answer: &PostAnswer) -> Self {
        match answer {
            PostAnswer::Accepted(_) => Self::Taken,
            PostAnswer::Rejected(rejection) => Self::of_class(rejection.class),
            PostAnswer::Pending(_) => Self::Refused,
            PostAnswer::Unknown(_) | PostAnswer::NotSent(_) => Self::Broken,
        }
    }

    fn of_class(class: RejectClass) -> Self {
        match class {
            RejectClass::Invalid => Self::Broken,
            _ => Self::Refused,
        }
    }

    /// The text in the colour of this.
    pub(crate) fn painted(self, text: &str) -> String {
        let colour = match self {
            Self::Taken => GREEN,
            Self::Refused => YELLOW,
            Self::Broken => RED,
        };
        painted(colour, text)
    }
}

/// How one reply was read, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct JsonExplained {
    read_as: String,
    rules: Vec<JsonRule>,
    /// From 1; none where no rule holds.
    decided_by: Option<usize>,
    values: Vec<JsonValue>,
    outcome: String,
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct JsonRule {
    place: String,
    when: String,
    then: String,
    held: bool,
    found: Vec<JsonPlace>,
}

#[derive(Debug, Serialize)]
struct JsonPlace {
    at: String,
    values: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonValue {
    name: String,
    value: String,
}

impl JsonExplained {
    pub(crate) fn new(reading: &Reading) -> Self {
        let Reading { explained, verdict, values } = reading;
        let rules = explained.rules.iter().map(|rule| JsonRule {
            place: rule.place.clone(),
            when: printable(&rule.when),
            then: rule.then.clone(),
            held: rule.held,
            found: rule.found.iter().map(JsonPlace::from).collect(),
        });
        let values = values
            .iter()
            .map(|(name, value)| JsonValue { name: name.clone(), value: printable(value) });
        Self {
            read_as: explained.read_as.clone(),
            rules: rules.collect(),
            decided_by: explained.decided_by.map(|at| at.saturating_add(1)),
            values: values.collect(),
            outcome: explained.answer.clone(),
            verdict: *verdict,
        }
    }
}

impl From<&buyer_connectors::ExplainedPlace> for JsonPlace {
    fn from(place: &buyer_connectors::ExplainedPlace) -> Self {
        let values = place.values.iter().map(|value| printable(value)).collect();
        Self { at: place.at.clone(), values }
    }
}

/// How one reply was read, and what was read of it.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) explained: Explained,
    pub(crate) verdict: Verdict,
    values: Vec<(String, String)>,
}

impl Reading {
    /// Of a ping's reply.
    pub(crate) fn of_ping(explained: Explained, answer: &PingAnswer) -> Self {
        Self { explained, verdict: Verdict::of_ping(answer), values: values::of_ping(answer) }
    }

    /// Of the reply to a post, or to a call about one.
    pub(crate) fn of_post(explained: Explained, answer: &PostAnswer) -> Self {
        Self { explained, verdict: Verdict::of_post(answer), values: values::of_post(answer) }
    }
}

/// Prints how one reply was read: what the rules look at, each rule, the values, the outcome.
pub(crate) fn print(reading: &Reading, out: Output) -> std::io::Result<()> {
    let Reading { explained, verdict, .. } = reading;
    line("read as", &explained.read_as, out)?;
    lines("found", &looked_at(explained), out)?;
    lines("rules", &rules(explained), out)?;
    lines("values", &aligned(&reading.values), out)?;
    line("outcome", &verdict.painted(&printable(&explained.answer)), out)
}

/// A word on the left, a text on the right.
pub(crate) fn line(label: &str, text: &str, out: Output) -> std::io::Result<()> {
    out.data(format!("  {}  {text}", painted(DIM, format!("{label:LABEL$}"))))
}

/// A word on the left of several lines; nothing for none.
fn lines(label: &str, texts: &[String], out: Output) -> std::io::Result<()> {
    for (nth, text) in texts.iter().enumerate() {
        line(if nth == 0 { label } else { "" }, text, out)?;
    }
    Ok(())
}

/// Every place that a rule looks at, once, with what stands there.
fn looked_at(explained: &Explained) -> Vec<String> {
    let all = explained.rules.iter().flat_map(|rule| &rule.found);
    let mut places: Vec<&buyer_connectors::ExplainedPlace> = Vec::new();
    for place in all {
        if !places.iter().any(|known| known.at == place.at) {
            places.push(place);
        }
    }
    let width = places.iter().map(|place| place.at.chars().count()).max().unwrap_or(0);
    let shown = places.iter().map(|place| {
        let values: Vec<String> = place.values.iter().map(|value| printable(value)).collect();
        let values = if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
        format!("{:width$}  {values}", place.at)
    });
    shown.collect()
}

fn rules(explained: &Explained) -> Vec<String> {
    let of = |length: fn(&buyer_connectors::ExplainedRule) -> usize| {
        explained.rules.iter().map(length).max().unwrap_or(0)
    };
    let then = of(|rule| rule.then.chars().count());
    let place = of(|rule| short(&rule.place).chars().count());
    let mut shown = Vec::new();
    for (nth, rule) in explained.rules.iter().enumerate() {
        let place = format!("{:place$}", short(&rule.place));
        let (then, when) = (format!("{:then$}", rule.then), printable(&rule.when));
        shown.push(match explained.decided_by {
            Some(at) if at == nth => {
                format!("{}  {then}  {}  {when}", painted(GREEN, "yes"), painted(DIM, place))
            }
            // The first that holds decides; that a later one would too is worth knowing.
            Some(at) if at < nth => {
                let held = if rule.held { "(y)" } else { "  -" };
                painted(DIM, format!("{held}  {then}  {place}  {when}"))
            }
            _ => format!(" no  {then}  {}  {when}", painted(DIM, place)),
        });
    }
    if explained.decided_by.is_none() && explained.read_as != "nothing" {
        shown.push("no rule holds: `otherwise` decides".to_owned());
    }
    shown
}

/// The file's name and the line.
fn short(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

fn aligned(values: &[(String, String)]) -> Vec<String> {
    let width = values.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    values.iter().map(|(name, value)| format!("{name:width$}  {}", printable(value))).collect()
}

/// A text of a stranger, safe for a terminal: control characters are escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_direction(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Marks that turn the direction of a text around, and could make it look like another.
const fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\x1b[31mb\rc\u{9b}d"), "a\\u{1b}[31mb\\u{d}c\\u{9b}d");
        assert_eq!(printable("bid \u{202E}00.9"), "bid \\u{202e}00.9");
        assert_eq!(printable("12,50 € ✓"), "12,50 € ✓");
    }
}
