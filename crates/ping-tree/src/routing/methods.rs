//! How the members of a tier compete, and to how many it sells.

use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::finding::nearest;
use exchange_model::{Currency, Findings, Money, Place, TableReader};

use crate::shares::BUYERS_MAX;
use crate::tree::{LookBack, Method, Rank, SaleKind, Tie};

/// Longest span that methods look back.
const LOOK_BACK_MAX: Duration = Duration::from_secs(90 * 86_400);
/// Shortest span that methods look back.
const LOOK_BACK_MIN: Duration = Duration::from_secs(3_600);

const RANKS: &[(&str, Rank)] = &[("value", Rank::Value), ("expected", Rank::Expected)];
const TIES: &[(&str, Tie)] =
    &[("accept_rate", Tie::AcceptRate), ("margin", Tie::Margin), ("handicap", Tie::Handicap)];

/// How a tier sells.
pub(super) struct How {
    pub(super) method: Method,
    /// Whether the method could be read: what belongs to one is only checked against a known one.
    pub(super) known: bool,
    /// To how many; nothing when that cannot be read.
    pub(super) sale: Option<SaleKind>,
    pub(super) rank: Rank,
    pub(super) ties: Vec<Tie>,
    pub(super) look_back: LookBack,
    pub(super) increment: Option<Money>,
}

/// Reads it.
pub(super) fn how(table: &mut TableReader<'_>, currency: Currency, findings: &mut Findings) -> How {
    let known = table.raw().get("auction").is_none();
    let method = table.one_of("auction", Method::WORDS, findings);
    let known = known || method.is_some();
    let method = method.map(|method| method.value).unwrap_or_default();
    let rank = table.one_of("rank", RANKS, findings);
    let look_back = look_back(table, findings);
    let increment = table.money("increment", currency, findings);
    if known {
        let looks_back = [Method::Weighted, Method::Share, Method::TopPerformer];
        let window = look_back.as_ref().map(|window| &window.place);
        belongs("window", window, method, &looks_back, findings);
        let increment = increment.as_ref().map(|increment| &increment.place);
        belongs("increment", increment, method, &[Method::SecondPrice], findings);
    }
    How {
        method,
        known,
        sale: sale(table, findings),
        rank: rank.map(|rank| rank.value).unwrap_or_default(),
        ties: ties(table, findings),
        look_back: look_back.map(|window| window.value).unwrap_or_default(),
        increment: increment.map(|increment| increment.value),
    }
}

/// Refuses a key that means nothing to the tier's method.
pub(super) fn belongs(
    key: &str,
    place: Option<&Place>,
    method: Method,
    to: &[Method],
    findings: &mut Findings,
) {
    let Some(place) = place.filter(|_| !to.contains(&method)) else { return };
    let words: Vec<String> = to.iter().map(|method| format!("\"{}\"", method.code())).collect();
    let message = format!("`{key}` means nothing to `auction = \"{}\"`", method.code());
    let help = format!("write `auction = {}`, or remove it", words.join("` or `auction = "));
    findings.error("no_effect", place.clone(), message, help);
}

/// `"day"`, `"month"` or a span.
fn look_back(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Spanned<LookBack>> {
    let text = table.string("window", "\"day\"", findings)?;
    let place = text.place.clone();
    match text.value {
        "day" => return Some(Spanned { value: LookBack::Day, place }),
        "month" => return Some(Spanned { value: LookBack::Month, place }),
        _ => {}
    }
    let span = exchange_model::document::parse_duration(text.value).ok();
    let span = span.filter(|span| (LOOK_BACK_MIN..=LOOK_BACK_MAX).contains(span));
    if span.is_none() {
        let message = format!("`window` cannot be \"{}\"", text.value);
        let help = "write \"day\", \"month\", or a span from \"1h\" to \"90d\", like \"7d\"";
        findings.error("bad_value", place.clone(), message, help.to_owned());
    }
    span.map(|span| Spanned { value: LookBack::Span(span), place })
}

fn sale(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<SaleKind> {
    const WORDS: &[(&str, u8)] = &[("exclusive", 0), ("shared", 1), ("hybrid", 2)];
    let written = table.raw().get("sale").is_some();
    let word = table.one_of("sale", WORDS, findings);
    let max_sold = table.node("max_sold").map(|node| table.place(node.span.clone()));
    let Some(word) = word else {
        if let (Some(place), false) = (max_sold, written) {
            let help = "add `sale = \"shared\"`, or remove it";
            only_shared(place, help, findings);
        }
        let _checked_once_the_sale_is_known = table.node("max_sold");
        return (!written).then_some(SaleKind::Exclusive);
    };
    if word.value == 0 {
        if let Some(place) = max_sold {
            only_shared(place, "write `sale = \"shared\"`, or remove it", findings);
        }
        return Some(SaleKind::Exclusive);
    }
    if max_sold.is_none() {
        table.missing("max_sold", "3", findings);
    }
    let max_sold = table.integer("max_sold", 2..=i64::from(BUYERS_MAX), findings)?;
    let max_sold = u8::try_from(max_sold.value).ok()?;
    Some(if word.value == 1 {
        SaleKind::Shared { max_sold }
    } else {
        SaleKind::Hybrid { max_sold }
    })
}

fn only_shared(place: Place, help: &str, findings: &mut Findings) {
    let message = "an exclusive lead is sold to one".to_owned();
    findings.error("no_effect", place, message, help.to_owned());
}

fn ties(table: &mut TableReader<'_>, findings: &mut Findings) -> Vec<Tie> {
    let mut ties: Vec<Tie> = Vec::new();
    for text in table.strings("ties", findings).unwrap_or_default() {
        let tie = TIES.iter().find(|(word, _)| *word == text.value).map(|(_, tie)| *tie);
        match tie {
            Some(tie) if !ties.contains(&tie) => ties.push(tie),
            Some(_) => {
                let message = format!("`{}` decides already", text.value);
                findings.error("bad_value", text.place, message, "name it once".to_owned());
            }
            None => unknown_tie(&text, findings),
        }
    }
    ties
}

fn unknown_tie(text: &Spanned<&str>, findings: &mut Findings) {
    let words = || TIES.iter().map(|(word, _)| *word);
    let all = words().collect::<Vec<_>>().join(", ");
    let help = match nearest(text.value, words()) {
        Some(near) => format!("did you mean \"{near}\"? Allowed: {all}"),
        None => format!("allowed: {all}; then least recently won, then the name"),
    };
    let message = format!("`ties` cannot be \"{}\"", text.value);
    findings.error("unknown_word", text.place.clone(), message, help);
}
