//! Rules, and what about them is most likely a mistake.

use exchange_model::finding::nearest;
use exchange_model::reason::RejectClass;
use exchange_model::{Findings, Place, TableReader};

use super::super::rules::{Outcome, Rule, Rules};
use super::locators::Dialect;

/// Most rules of one reply.
const RULES_MAX: usize = 64;

/// The outcomes that a stage knows, by their words.
pub(super) type Words = &'static [(&'static str, Outcome)];

pub(super) const PING: Words = &[
    ("bid", Outcome::Success),
    ("no_bid", Outcome::Refusal),
    ("error", Outcome::Error),
    ("failed", Outcome::Failed),
    ("pending", Outcome::Pending),
];
pub(super) const POST: Words = &[
    ("accepted", Outcome::Success),
    ("rejected", Outcome::Refusal),
    ("error", Outcome::Error),
    ("failed", Outcome::Failed),
    ("pending", Outcome::Pending),
];
pub(super) const VOID: Words = &[
    ("voided", Outcome::Voided),
    ("accepted", Outcome::Success),
    ("rejected", Outcome::Refusal),
    ("error", Outcome::Error),
    ("failed", Outcome::Failed),
    ("pending", Outcome::Pending),
];
/// Of calls that fetch values: only failures are of interest.
pub(super) const VALUES: Words = &[("failed", Outcome::Failed), ("error", Outcome::Error)];
/// Of calls that decide nothing.
pub(super) const NONE: Words = &[];

impl Dialect<'_> {
    /// `rules_first`, `rules` and `otherwise`.
    pub(super) fn rules(
        &self,
        table: &mut TableReader<'_>,
        words: Words,
        findings: &mut Findings,
    ) -> Option<Rules> {
        if words.is_empty() {
            return Some(Rules { rules: Vec::new(), otherwise: None });
        }
        let mut tables = table.tables("rules_first", findings);
        tables.extend(table.tables("rules", findings));
        let otherwise = table.one_of("otherwise", words, findings).map(|word| word.value);
        let written = tables.len();
        let needed = words.first().is_some_and(|(_, first)| *first != Outcome::Failed);
        if needed && written == 0 && otherwise.is_none() && table.raw().get("rules").is_none() {
            let word = words.first().map_or("", |(word, _)| word);
            let example =
                format!("[{{ when = {{ at = \"$.status\", is = [\"OK\"] }}, then = \"{word}\" }}]");
            table.missing("rules", &example, findings);
            return None;
        }
        if written > RULES_MAX {
            let message = format!("{written} rules");
            let help = format!("a reply has up to {RULES_MAX} rules; a list in `is` saves some");
            findings.error("too_many", table.own_place(), message, help);
            return None;
        }
        let rules: Vec<Rule> =
            tables.into_iter().filter_map(|table| self.rule(table, words, findings)).collect();
        if rules.len() < written {
            return None;
        }
        check_order(&rules, findings);
        Some(Rules { rules, otherwise })
    }

    fn rule(
        &self,
        mut table: TableReader<'_>,
        words: Words,
        findings: &mut Findings,
    ) -> Option<Rule> {
        let place = table.own_place();
        let when = self.condition_at(&mut table, "when", findings);
        if table.node("then").is_none() {
            let word = words.first().map_or("", |(word, _)| word);
            table.missing("then", &format!("\"{word}\""), findings);
        }
        let then = table.one_of("then", words, findings).map(|word| word.value);
        let class = class(&mut table, then, findings);
        table.finish(findings);
        Some(Rule { when: when?, then: then?, class, place })
    }
}

fn class(
    table: &mut TableReader<'_>,
    then: Option<Outcome>,
    findings: &mut Findings,
) -> Option<RejectClass> {
    let word = table.string("class", "\"duplicate\"", findings)?;
    if !matches!(then, Some(Outcome::Refusal) | None) {
        let message = "only a refusal has a class".to_owned();
        let help = "remove `class`; an `error` is always of class `invalid`".to_owned();
        findings.error("bad_value", word.place, message, help);
        return None;
    }
    let class = class_of(word.value);
    if class.is_none() {
        unknown_class(word.value, word.place, findings);
    }
    class
}

/// The class by its word. `voided` is not a buyer's refusal but our wish.
pub(super) fn class_of(word: &str) -> Option<RejectClass> {
    RejectClass::from_code(word).filter(|class| *class != RejectClass::Voided)
}

pub(super) fn unknown_class(written: &str, place: Place, findings: &mut Findings) {
    let classes = RejectClass::ALL.iter().filter(|class| **class != RejectClass::Voided);
    let all: Vec<&str> = classes.map(|class| class.code()).collect();
    let help = match nearest(written, all.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? Allowed: {}", all.join(", ")),
        None => format!("allowed: {}", all.join(", ")),
    };
    findings.error("unknown_word", place, "this is no class of rejection".to_owned(), help);
}

/// The first rule that holds decides, so the order matters.
fn check_order(rules: &[Rule], findings: &mut Findings) {
    let mut success = None;
    let mut said: Vec<(String, usize)> = Vec::new();
    for rule in rules {
        let line = rule.place.line_column().0;
        let condition = rule.when.said();
        if let Some((_, first)) = said.iter().find(|(earlier, _)| *earlier == condition) {
            let message = format!("this rule never holds: line {first} has the same condition");
            let help = "remove one of the two, or change its condition".to_owned();
            findings.warning("dead_rule", rule.place.clone(), message, help);
        }
        let refuses = rule.then == Outcome::Error || rule.class == Some(RejectClass::Duplicate);
        if let Some(first) = success.filter(|_| refuses) {
            let what = if rule.then == Outcome::Error { "an error" } else { "a duplicate" };
            let message =
                format!("the rule for success in line {first} stands before this one for {what}");
            let help = "buyers repeat words of success in refusals: move this rule up".to_owned();
            findings.warning("success_first", rule.place.clone(), message, help);
        }
        if rule.then == Outcome::Success && !rule.when.affirms() {
            let message = "this rule takes a reply that says nothing for a success".to_owned();
            let help = "an error page says nothing either: ask for a word of success as well, or \
                        for `status = \"2xx\"` where the status is all that this buyer says";
            findings.warning("success_of_nothing", rule.place.clone(), message, help.to_owned());
        }
        if rule.then == Outcome::Success && success.is_none() {
            success = Some(line);
        }
        said.push((condition, line));
    }
}
