//! The rules of a vertical's score, which are filters.
//!
//! A vertical declares the score and its base; the rules are compiled here, above it, and handed to
//! it, so that every lead of the vertical has its score wherever it is made.

use std::sync::Arc;

use exchange_model::document::{NodeKind, TableReader};
use exchange_model::vertical::{SCORE_FIELD, ScorePart, Scoring};
use exchange_model::{Attributes, Document, FieldIdx, Findings, Place, Vertical};

use crate::filter::{Condition, Filter, FilterReader};
use crate::list::Lists;
use crate::routing::FindList;

/// Most rules of a score.
pub const SCORE_RULES_MAX: usize = 200;

/// One rule.
#[derive(Clone, Debug)]
struct ScoreRule {
    when: Filter,
    add: i64,
    place: Place,
}

/// The compiled rules, in the order written.
#[derive(Clone, Debug)]
struct ScoreCard(Vec<ScoreRule>);

impl Scoring for ScoreCard {
    fn parts(&self, open: &Attributes) -> Vec<ScorePart> {
        let holding = self.0.iter().filter(|rule| rule.when.matches(open));
        holding.map(|rule| ScorePart { add: rule.add, place: rule.place.clone() }).collect()
    }
}

/// The vertical with the rules of its score, which `document` holds. Without a score it is as it
/// was.
#[must_use]
pub fn with_score(
    vertical: Arc<Vertical>,
    document: &Document,
    lists: &FindList<'_>,
    findings: &mut Findings,
) -> Arc<Vertical> {
    let mut reader = document.reader();
    let written = reader.node("score").is_some_and(|node| matches!(node.kind, NodeKind::Table(_)));
    if !written || vertical.base_score().is_none() {
        return vertical;
    }
    let Some(mut score) = reader.table("score", findings) else { return vertical };
    let tables = score.tables("rule", findings);
    if tables.len() > SCORE_RULES_MAX {
        let message = format!("a score has at most {SCORE_RULES_MAX} rules");
        let help = "join rules that add the same".to_owned();
        findings.error("too_many_rules", score.own_place(), message, help);
    }
    let mut lists = Lists::new(lists);
    let mut reading = Reading { vertical: &vertical, lists: &mut lists };
    let rules = tables.into_iter().filter_map(|table| reading.rule(table, findings)).collect();
    Arc::new(Vertical::clone(&vertical).with_scoring(Arc::new(ScoreCard(rules))))
}

struct Reading<'a, 'l> {
    vertical: &'a Vertical,
    lists: &'a mut Lists<'l>,
}

impl Reading<'_, '_> {
    fn rule(&mut self, mut table: TableReader<'_>, findings: &mut Findings) -> Option<ScoreRule> {
        for (key, example) in [("when", "{ credit = [\"excellent\"] }"), ("add", "2")] {
            if table.node(key).is_none() {
                table.missing(key, example, findings);
            }
        }
        let place = table.own_place();
        let when = FilterReader::new(self.vertical, self.lists).under("when", &mut table, findings);
        let add = table.integer("add", -9..=9, findings);
        table.finish(findings);
        let (when, add) = (when?, add?);
        if add.value == 0 {
            let message = "a rule that adds nothing says nothing".to_owned();
            let help = "write what it adds, 1 to 9 or -1 to -9".to_owned();
            findings.error("bad_value", add.place, message, help);
            return None;
        }
        if let Some(score) = self.vertical.index(SCORE_FIELD)
            && mentions(&when, score)
        {
            let message = "a score cannot depend on itself".to_owned();
            let help = "write the conditions of the other rule here as well".to_owned();
            findings.error("score_of_score", place, message, help);
            return None;
        }
        Some(ScoreRule { when, add: add.value, place })
    }
}

fn mentions(filter: &Filter, field: FieldIdx) -> bool {
    filter.lines().iter().any(|line| match line {
        Condition::Field(rule) => rule.field == field,
        Condition::All(filters, _) | Condition::Any(filters, _) => {
            filters.iter().any(|filter| mentions(filter, field))
        }
        Condition::Not(filter, _) => mentions(filter, field),
    })
}
