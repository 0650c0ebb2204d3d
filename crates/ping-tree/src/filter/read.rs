//! A filter from its table, checked against the vertical.

use std::ops::Range as Span;
use std::sync::Arc;

use exchange_model::document::{Entry, Node, NodeKind, Spanned};
use exchange_model::finding::nearest;
use exchange_model::vertical::normalise;
use exchange_model::{
    Field, FieldClass, FieldIdx, FieldType, Findings, Place, TableReader, Value, Vertical,
};

use crate::filter::{Filter, Range, Rule, Set, Test};
use crate::list::Lists;

/// Most values written in one list of a filter; longer ones belong in a file.
const VALUES_MAX: usize = 10_000;

/// Reads the filters of one vertical.
pub(crate) struct FilterReader<'a, 'l> {
    vertical: &'a Vertical,
    lists: &'a mut Lists<'l>,
}

/// One field of a filter, with its key's place.
struct Asked<'a> {
    at: FieldIdx,
    field: &'a Field,
    place: Place,
}

impl Asked<'_> {
    fn rule(&self, test: Test, list: Option<String>) -> Rule {
        Rule { field: self.at, test, list, place: self.place.clone() }
    }
}

impl<'a, 'l> FilterReader<'a, 'l> {
    pub(crate) fn new(vertical: &'a Vertical, lists: &'a mut Lists<'l>) -> Self {
        Self { vertical, lists }
    }

    /// The whole filter; a line that cannot be read is reported and left out.
    pub(crate) fn read(&mut self, table: &TableReader<'_>, findings: &mut Findings) -> Filter {
        let mut rules = Vec::new();
        for entry in &table.raw().entries {
            let place = table.place(entry.key_span.clone());
            let Some(asked) = self.field(entry, place, findings) else { continue };
            self.rules(&asked, entry, table, (&mut rules, findings));
        }
        Filter::new(rules)
    }

    fn field(&self, entry: &Entry, place: Place, findings: &mut Findings) -> Option<Asked<'a>> {
        let vertical: &'a Vertical = self.vertical;
        let open = || {
            vertical
                .fields()
                .filter(|(_, field)| field.class == FieldClass::Open)
                .map(|(_, field)| field.name.as_str())
        };
        let name = entry.key.as_str();
        let Some(at) = vertical.index(name) else {
            let help = match nearest(name, open()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("open fields are: {}", open().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` has no field called `{name}`", vertical.id());
            findings.error("unknown_field", place, message, help);
            return None;
        };
        let field = vertical.field(at);
        if field.class == FieldClass::Open {
            return Some(Asked { at, field, place });
        }
        let class = match field.class {
            FieldClass::Secret => "secret",
            FieldClass::Open | FieldClass::Contact => "contact data",
        };
        let message = format!("`{name}` is {class} and may not decide who is pinged");
        let help = "filter on an open field, or derive one: age of a birth date, zip3 of a zip";
        findings.error("contact_in_filter", place, message, help.to_owned());
        None
    }

    fn rules(
        &mut self,
        asked: &Asked<'_>,
        entry: &Entry,
        table: &TableReader<'_>,
        (rules, findings): (&mut Vec<Rule>, &mut Findings),
    ) {
        match &entry.value.kind {
            NodeKind::Table(inner) => {
                let span = entry.key_span.clone();
                let inner = table.inner(inner, span);
                self.tests(asked, inner, (rules, findings));
            }
            _ => {
                let set = values(asked, &entry.value, table, findings);
                rules.extend(set.map(|set| asked.rule(Test::In(Arc::new(set)), None)));
            }
        }
    }

    fn tests(
        &mut self,
        asked: &Asked<'_>,
        mut inner: TableReader<'_>,
        (rules, findings): (&mut Vec<Rule>, &mut Findings),
    ) {
        if inner.raw().entries.is_empty() {
            let message = format!("`{}` asks for nothing", asked.field.name);
            let help = "write min, max, not, in_file or not_in_file, or remove it".to_owned();
            findings.error("empty_test", asked.place.clone(), message, help);
        }
        rules.extend(
            range(asked, &mut inner, findings).map(|range| asked.rule(Test::Within(range), None)),
        );
        if let Some(node) = inner.node("not") {
            let set = values(asked, node, &inner, findings);
            rules.extend(set.map(|set| asked.rule(Test::NotIn(Arc::new(set)), None)));
        }
        for key in ["in_file", "not_in_file"] {
            let Some(path) = inner.string(key, "\"lists/zips.txt\"", findings) else { continue };
            let set = self.lists.set(&path, self.vertical.id(), asked.field, findings);
            let test = if key == "in_file" { Test::In } else { Test::NotIn };
            rules.extend(set.map(|set| asked.rule(test(set), Some(path.value.to_owned()))));
        }
        inner.finish(findings);
    }
}

/// A value or a list of values; never an empty list.
fn values(
    asked: &Asked<'_>,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Set> {
    let nodes = match &node.kind {
        NodeKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() || nodes.len() > VALUES_MAX {
        let message = format!("`{}` lists {} values", asked.field.name, nodes.len());
        let help = format!("write 1 to {VALUES_MAX} values, or use in_file");
        findings.error("bad_value_count", table.place(node.span.clone()), message, help);
        return None;
    }
    let read: Vec<Value> =
        nodes.iter().filter_map(|node| value(asked.field, node, table, findings)).collect();
    if read.len() == nodes.len() { Set::of(&asked.field.kind, read) } else { None }
}

fn value(
    field: &Field,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Value> {
    let Some(text) = text_for(&field.kind, node) else {
        table.wrong_type(node, &field.name, example(&field.kind), findings);
        return None;
    };
    match normalise(&field.kind, &text) {
        Ok(value) => Some(value),
        Err(refused) => {
            let help = match &field.kind {
                FieldType::Enum(words) => match nearest(&text, words.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean \"{near}\"? Write {}", refused.wanted),
                    None => format!("write {}", refused.wanted),
                },
                _ => format!("write {}", refused.wanted),
            };
            let message = format!("`{}` can never be `{text}`", field.name);
            findings.error("never_matches", table.place(node.span.clone()), message, help);
            None
        }
    }
}

/// The text of a node that has the shape values of this type are written in. Codes such as zips
/// are strings, so that a leading zero is never lost.
fn text_for(kind: &FieldType, node: &Node) -> Option<String> {
    match (kind, &node.kind) {
        (FieldType::Boolean, NodeKind::Boolean(yes)) => Some(yes.to_string()),
        (FieldType::Integer { .. } | FieldType::Decimal, NodeKind::Integer(number)) => {
            Some(number.to_string())
        }
        (FieldType::Decimal, NodeKind::Float(text) | NodeKind::String(text))
        | (FieldType::Date, NodeKind::Datetime(text) | NodeKind::String(text)) => {
            Some(text.clone())
        }
        (
            FieldType::Boolean | FieldType::Integer { .. } | FieldType::Decimal | FieldType::Date,
            _,
        ) => None,
        (_, NodeKind::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn example(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Boolean => "true",
        FieldType::Integer { .. } => "{ min = 1, max = 9 }",
        FieldType::Decimal => "{ min = \"0.5\" }",
        FieldType::Date => "{ min = 2020-01-01 }",
        FieldType::UsZip => "[\"78701\"]",
        FieldType::UsState => "[\"TX\", \"OK\"]",
        FieldType::UsPhone
        | FieldType::Email
        | FieldType::Enum(_)
        | FieldType::Text { .. }
        | FieldType::Url => "[\"...\"]",
    }
}

fn range(asked: &Asked<'_>, inner: &mut TableReader<'_>, findings: &mut Findings) -> Option<Range> {
    let (min, max) = (inner.node("min"), inner.node("max"));
    let span: Span<usize> = min.or(max)?.span.clone();
    let place = inner.place(span);
    if !matches!(asked.field.kind, FieldType::Integer { .. } | FieldType::Decimal | FieldType::Date)
    {
        let message = format!("`{}` has no order, so min and max mean nothing", asked.field.name);
        let help = format!("write `{} = {}`", asked.field.name, example(&asked.field.kind));
        findings.error("no_order", place, message, help);
        return None;
    }
    let mut bound = |node: Option<&Node>| node.map(|node| edge(asked.field, node, inner, findings));
    let (min, max) = (bound(min), bound(max));
    let range =
        pair(min.map_or(Some(None), |v| v.map(Some))?, max.map_or(Some(None), |v| v.map(Some))?)?;
    check_range(asked, Spanned { value: range, place }, findings)
}

/// A bound may lie outside what the vertical allows: it then does not limit on that side.
fn edge(
    field: &Field,
    node: &Node,
    table: &TableReader<'_>,
    findings: &mut Findings,
) -> Option<Value> {
    match (&field.kind, &node.kind) {
        (FieldType::Integer { .. }, NodeKind::Integer(number)) => Some(Value::Integer(*number)),
        (FieldType::Integer { .. }, _) => {
            table.wrong_type(node, "min or max", "18", findings);
            None
        }
        _ => value(field, node, table, findings),
    }
}

fn pair(min: Option<Value>, max: Option<Value>) -> Option<Range> {
    Some(match (min, max) {
        (Some(Value::Integer(min)), Some(Value::Integer(max))) => {
            Range::Integer(Some(min), Some(max))
        }
        (Some(Value::Integer(min)), None) => Range::Integer(Some(min), None),
        (None, Some(Value::Integer(max))) => Range::Integer(None, Some(max)),
        (Some(Value::Decimal(min)), Some(Value::Decimal(max))) => {
            Range::Decimal(Some(min), Some(max))
        }
        (Some(Value::Decimal(min)), None) => Range::Decimal(Some(min), None),
        (None, Some(Value::Decimal(max))) => Range::Decimal(None, Some(max)),
        (Some(Value::Date(min)), Some(Value::Date(max))) => Range::Date(Some(min), Some(max)),
        (Some(Value::Date(min)), None) => Range::Date(Some(min), None),
        (None, Some(Value::Date(max))) => Range::Date(None, Some(max)),
        _ => return None,
    })
}

fn check_range(asked: &Asked<'_>, range: Spanned<Range>, findings: &mut Findings) -> Option<Range> {
    let name = &asked.field.name;
    let (message, help) = if range.value.is_empty() {
        (format!("no `{name}` is {}", range.value), "write min below max".to_owned())
    } else if let (FieldType::Integer { min, max }, Range::Integer(low, high)) =
        (&asked.field.kind, &range.value)
        && (low.is_some_and(|low| low > *max) || high.is_some_and(|high| high < *min))
    {
        (format!("`{name}` is never {}", range.value), format!("it is from {min} to {max}"))
    } else {
        return Some(range.value);
    };
    findings.error("never_matches", range.place, message, help);
    None
}
