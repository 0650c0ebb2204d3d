//! From a `reply` table to rules. Paths and regular expressions are compiled here and never later.

use exchange_model::document::{Node, NodeKind};
use exchange_model::finding::nearest;
use exchange_model::reason::RejectClass;
use exchange_model::{Currency, Findings, TableReader};
use regex::RegexBuilder;
use serde_json_path::JsonPath;

use super::rule::{Expected, Locator, ReasonRule, Rule, Rules, Test};
use super::xml::XmlPath;
use super::{PingReply, PostReply};

/// Largest compiled regular expression, in bytes.
const REGEX_SIZE_MAX: usize = 1024 * 1024;

/// Reads the `reply` table of a ping.
pub(crate) fn compile_ping(
    mut table: TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PingReply> {
    let bid_when = rules(&mut table, "bid_when", findings);
    let no_bid_when = rules(&mut table, "no_bid_when", findings);
    let price = locator_of(&mut table, "price", findings);
    let currency_at = locator_of(&mut table, "currency", findings);
    let token = locator_of(&mut table, "token", findings);
    let ping_id = locator_of(&mut table, "ping_id", findings);
    let reason = reason(&mut table, findings);
    if table.raw().get("bid_when").is_none() && table.raw().get("price").is_none() {
        table.missing("bid_when", "{ at = \"$.status\", is = [\"ACCEPT\"] }", findings);
        table.finish(findings);
        return None;
    }
    table.finish(findings);
    Some(PingReply {
        currency,
        bid_when: bid_when?,
        no_bid_when: no_bid_when?,
        price: price?,
        currency_at: currency_at?,
        token: token?,
        ping_id: ping_id?,
        reason: reason?,
    })
}

/// Reads the `reply` table of a post. It must say what a rejection looks like: otherwise every
/// rejection would be an unknown outcome, and hold its lead.
pub(crate) fn compile_post(
    mut table: TableReader<'_>,
    currency: Currency,
    findings: &mut Findings,
) -> Option<PostReply> {
    let rejected_when = rules(&mut table, "rejected_when", findings);
    let accepted_when = rules(&mut table, "accepted_when", findings);
    let price = locator_of(&mut table, "price", findings);
    let currency_at = locator_of(&mut table, "currency", findings);
    let buyer_ref = locator_of(&mut table, "ref", findings);
    let redirect = locator_of(&mut table, "redirect", findings);
    let reason = reason(&mut table, findings);
    let says_rejected = table.raw().get("rejected_when").is_some();
    if !says_rejected {
        let message = "the reply to this post never says `rejected_when`".to_owned();
        let help = "without it every rejection is an unknown outcome and holds its lead: add \
                    `rejected_when = { at = \"$.status\", is = [\"REJECTED\"] }`";
        findings.error("no_rejected_when", table.own_place(), message, help.to_owned());
    }
    let says_accepted = table.raw().get("accepted_when").is_some();
    if !says_accepted {
        table.missing("accepted_when", "{ at = \"$.status\", is = [\"SOLD\"] }", findings);
    }
    table.finish(findings);
    (says_rejected && says_accepted).then_some(())?;
    Some(PostReply {
        currency,
        rejected_when: rejected_when?,
        accepted_when: accepted_when?,
        price: price?,
        currency_at: currency_at?,
        buyer_ref: buyer_ref?,
        redirect: redirect?,
        reason: reason?,
    })
}

/// One condition, or a list of them. Absent is fine and empty; `None` is a reported mistake.
fn rules(table: &mut TableReader<'_>, key: &'static str, findings: &mut Findings) -> Option<Rules> {
    let tables = match table.node(key).map(|node| &node.kind) {
        None => return Some(Rules::default()),
        Some(NodeKind::Array(items)) if items.is_empty() => {
            let message = format!("`{key}` lists no condition");
            let help = format!("write `{key} = {{ at = \"...\", is = [\"...\"] }}`");
            findings.error("bad_value", table.own_place(), message, help);
            return None;
        }
        Some(NodeKind::Array(items)) => {
            let tables = table.tables(key, findings);
            if tables.len() < items.len() {
                return None;
            }
            tables
        }
        Some(_) => vec![table.table(key, findings)?],
    };
    let read: Vec<Option<Rule>> = tables.into_iter().map(|table| rule(table, findings)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().map(Rules)
}

fn rule(mut table: TableReader<'_>, findings: &mut Findings) -> Option<Rule> {
    let at = locator(&mut table, findings);
    let test = test(&mut table, at.as_ref(), findings);
    table.finish(findings);
    Some(Rule { at: at?, test: test? })
}

/// `is = [...]` or `present = true`; a regex alone means that it matches.
fn test(
    table: &mut TableReader<'_>,
    at: Option<&Locator>,
    findings: &mut Findings,
) -> Option<Test> {
    let is = table.node("is");
    let has_present = table.node("present").is_some();
    let present = table.boolean("present", findings);
    match (is, has_present) {
        (Some(node), false) => expected(table, node, findings).map(Test::Is),
        (None, true) if present.as_ref().is_some_and(|present| present.value) => {
            Some(Test::Present)
        }
        (None, false) if matches!(at, Some(Locator::Regex(_))) => Some(Test::Present),
        (None, false) if at.is_none() => None,
        (None, false) => {
            table.missing("is", "[\"ACCEPT\"]", findings);
            None
        }
        (Some(_), true) | (None, true) => {
            let message = "a condition has either `is` or `present = true`".to_owned();
            let help = "keep one; absence is no condition, list what is said instead".to_owned();
            findings.error("bad_value", table.own_place(), message, help);
            None
        }
    }
}

fn expected(
    table: &TableReader<'_>,
    node: &Node,
    findings: &mut Findings,
) -> Option<Vec<Expected>> {
    let items = match &node.kind {
        NodeKind::Array(items) if !items.is_empty() => items.as_slice(),
        NodeKind::Array(_) | NodeKind::Table(_) => {
            table.wrong_type(node, "is", "[\"ACCEPT\"]", findings);
            return None;
        }
        _ => std::slice::from_ref(node),
    };
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        values.push(match &item.kind {
            NodeKind::String(text) => Expected::Text(text.trim().to_owned()),
            NodeKind::Integer(number) => Expected::Number(number.to_string()),
            NodeKind::Float(digits) => Expected::Number(digits.clone()),
            NodeKind::Boolean(yes) => Expected::Boolean(*yes),
            NodeKind::Datetime(_) | NodeKind::Array(_) | NodeKind::Table(_) => {
                table.wrong_type(item, "is", "[\"ACCEPT\"]", findings);
                return None;
            }
        });
    }
    Some(values)
}

/// `key = { at = "..." }`. The outer `None` is a reported mistake, the inner one absence.
#[expect(clippy::option_option, reason = "absence and a reported mistake are two things")]
fn locator_of(
    table: &mut TableReader<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<Option<Locator>> {
    if table.node(key).is_none() {
        return Some(None);
    }
    let mut inner = table.table(key, findings)?;
    let found = locator(&mut inner, findings);
    inner.finish(findings);
    found.map(Some)
}

/// `at = "$.json.path"`, `at = "/xml/path"` or `regex = "..."`.
fn locator(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Locator> {
    match (table.node("at").is_some(), table.node("regex").is_some()) {
        (true, false) => table.parsed("at", "\"$.status\"", path, findings).map(|at| at.value),
        (false, true) => {
            let regex = table.parsed("regex", "\"^OK\"", regex, findings)?;
            Some(Locator::Regex(regex.value))
        }
        (false, false) => {
            table.missing("at", "\"$.status\"", findings);
            None
        }
        (true, true) => {
            let message = "`at` and `regex` exclude each other".to_owned();
            findings.error("bad_value", table.own_place(), message, "keep one".to_owned());
            None
        }
    }
}

fn path(text: &str) -> Result<Locator, String> {
    if text.starts_with('$') {
        let path = JsonPath::parse(text).map_err(|error| error.to_string())?;
        return Ok(Locator::Json(Box::new(path)));
    }
    XmlPath::parse(text).map(Locator::Xml).ok_or_else(|| {
        "a path is of JSON, like $.bid.price, or of XML, like /reply/price, /reply/@id or //price"
            .to_owned()
    })
}

fn regex(text: &str) -> Result<regex::Regex, String> {
    let built = RegexBuilder::new(text).size_limit(REGEX_SIZE_MAX).build();
    built.map_err(|_error| "this is no regular expression, or too large a one".to_owned())
}

/// `reason = { at = "...", map = { DUP = "duplicate" } }`.
#[expect(clippy::option_option, reason = "absence and a reported mistake are two things")]
fn reason(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Option<ReasonRule>> {
    if table.node("reason").is_none() {
        return Some(None);
    }
    let mut inner = table.table("reason", findings)?;
    let at = locator(&mut inner, findings);
    let classes = match inner.table("map", findings) {
        Some(map) => classes(&map, findings),
        None => Some(Vec::new()),
    };
    inner.finish(findings);
    Some(Some(ReasonRule { at: at?, classes: classes? }))
}

fn classes(table: &TableReader<'_>, findings: &mut Findings) -> Option<Vec<(String, RejectClass)>> {
    let mut read = Vec::with_capacity(table.raw().entries.len());
    let mut complete = true;
    for entry in &table.raw().entries {
        let class = match &entry.value.kind {
            NodeKind::String(word) => RejectClass::from_code(word),
            _ => None,
        };
        match class {
            Some(class) => read.push((entry.key.clone(), class)),
            None => {
                unknown_class(table, &entry.value, findings);
                complete = false;
            }
        }
    }
    complete.then_some(read)
}

fn unknown_class(table: &TableReader<'_>, node: &Node, findings: &mut Findings) {
    let all: Vec<&str> = RejectClass::ALL.iter().map(|class| class.code()).collect();
    let written = match &node.kind {
        NodeKind::String(word) => word.as_str(),
        _ => "",
    };
    let help = match nearest(written, all.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? Allowed: {}", all.join(", ")),
        None => format!("allowed: {}", all.join(", ")),
    };
    let place = table.place(node.span.clone());
    findings.error("unknown_word", place, "this is no class of rejection".to_owned(), help);
}
