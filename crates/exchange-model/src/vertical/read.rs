//! A vertical from its file.

use std::time::Duration;

use crate::document::{Document, NodeKind, Spanned, TableReader};
use crate::finding::{Findings, nearest};
use crate::id::VerticalId;
use crate::money::Currency;
use crate::vertical::{
    Derivation, FIELDS_MAX, Field, FieldClass, FieldIdx, FieldType, Need, TEXT_DEFAULT, TEXT_MAX,
    Vertical, normalise, quality, scoring,
};

const NEEDS: &[(&str, Need)] =
    &[("required", Need::Required), ("optional", Need::Optional), ("no", Need::No)];
const CLASSES: &[(&str, FieldClass)] =
    &[("open", FieldClass::Open), ("contact", FieldClass::Contact), ("secret", FieldClass::Secret)];

/// Names that the seller API uses itself.
const RESERVED: &[&str] = &[
    "seller_lead_id",
    "sub_id1",
    "sub_id2",
    "sub_id3",
    "sub_id4",
    "sub_id5",
    "min_price",
    "max_time_ms",
    "callback_url",
    "consented_to",
    "exclude",
    "max_buyers",
    "repost_of",
    "lead",
    "lead_id",
    "ping",
    "source",
    "secret",
    "price",
    "idempotency_key",
];

pub(super) fn vertical(document: &Document, findings: &mut Findings) -> Option<Vertical> {
    let mut reader = document.reader();
    let _schema = reader.integer("schema", 1..=1, findings);
    if reader.node("id").is_none() {
        reader.missing("id", "\"auto_insurance\"", findings);
    }
    let id = reader.parsed("id", "\"auto_insurance\"", VerticalId::new, findings);
    let title = reader.string("title", "\"Auto insurance\"", findings);
    let currency = reader.parsed("currency", "\"USD\"", Currency::new, findings);
    let mut fields = Vec::new();
    for (name, table) in reader.named_tables("field", findings) {
        fields.extend(field(&name, table, findings));
    }
    derived(&mut reader, &mut fields, findings);
    let checks = quality::read(&mut reader, &mut fields, findings);
    let base_score = scoring::read(&mut reader, &mut fields, findings);
    if fields.len() > FIELDS_MAX {
        let message = format!("a vertical has at most {FIELDS_MAX} fields");
        findings.error("too_many_fields", reader.own_place(), message, "split it".to_owned());
        return None;
    }
    reader.finish(findings);
    let id = id?.value;
    let title = title.map_or_else(|| id.to_string(), |t| t.value.to_owned());
    let vertical = Vertical::new(id, title, currency.map_or(Currency::USD, |c| c.value), fields);
    Some(vertical.with_checks(checks).with_base_score(base_score))
}

fn field(
    name: &Spanned<&str>,
    mut table: TableReader<'_>,
    findings: &mut Findings,
) -> Option<Field> {
    check_name(name, findings);
    let kind = field_type(&mut table, findings);
    let class = required_word(&mut table, "class", CLASSES, findings);
    let ping = required_word(&mut table, "ping", NEEDS, findings);
    let post = required_word(&mut table, "post", NEEDS, findings);
    let kind = kind?;
    let example = example(&mut table, &kind, findings);
    table.finish(findings);
    Some(Field {
        name: name.value.to_owned(),
        kind,
        class: class?,
        ping: ping?,
        post: post?,
        example,
        derived: None,
    })
}

fn check_name(name: &Spanned<&str>, findings: &mut Findings) {
    let ok = name.value.len() <= 64
        && name.value.starts_with(|c: char| c.is_ascii_lowercase())
        && name.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !ok {
        let message = format!("`{}` is no field name", name.value);
        let help = "a field name is a-z, 0-9 and `_`, and starts with a letter".to_owned();
        findings.error("bad_name", name.place.clone(), message, help);
    } else if RESERVED.contains(&name.value) {
        let message = format!("`{}` has a meaning of its own in the seller API", name.value);
        findings.error("reserved_name", name.place.clone(), message, "choose another".to_owned());
    }
}

fn required_word<T: Copy>(
    table: &mut TableReader<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
    findings: &mut Findings,
) -> Option<T> {
    if table.node(key).is_none() {
        let example = format!("\"{}\"", words.first().map_or("", |(word, _)| *word));
        table.missing(key, &example, findings);
    }
    table.one_of(key, words, findings).map(|word| word.value)
}

fn field_type(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<FieldType> {
    const KINDS: &[(&str, u8)] = &[
        ("text", 0),
        ("us_zip", 1),
        ("us_state", 2),
        ("us_phone", 3),
        ("email", 4),
        ("date", 5),
        ("enum", 6),
        ("int", 7),
        ("decimal", 8),
        ("bool", 9),
        ("url", 10),
        ("trustedform_url", 11),
        ("leadid", 12),
        ("ip", 13),
        ("datetime", 14),
    ];
    let kind = required_word(table, "type", KINDS, findings)?;
    Some(match kind {
        0 => FieldType::Text { max_length: max_length(table, findings) },
        1 => FieldType::UsZip,
        2 => FieldType::UsState,
        3 => FieldType::UsPhone,
        4 => FieldType::Email,
        5 => FieldType::Date,
        6 => FieldType::Enum(words(table, findings)?),
        7 => FieldType::Integer {
            min: table.integer("min", i64::MIN..=i64::MAX, findings).map_or(i64::MIN, |n| n.value),
            max: table.integer("max", i64::MIN..=i64::MAX, findings).map_or(i64::MAX, |n| n.value),
        },
        8 => FieldType::Decimal,
        9 => FieldType::Boolean,
        10 => FieldType::Url,
        11 => FieldType::TrustedFormUrl,
        12 => FieldType::LeadiD,
        13 => FieldType::Ip,
        _ => FieldType::DateTime,
    })
}

fn max_length(table: &mut TableReader<'_>, findings: &mut Findings) -> u32 {
    table
        .integer("max_length", 1..=i64::from(TEXT_MAX), findings)
        .and_then(|n| u32::try_from(n.value).ok())
        .unwrap_or(TEXT_DEFAULT)
}

fn words(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    if table.node("values").is_none() {
        table.missing("values", "[\"a\", \"b\"]", findings);
    }
    let words = table.strings("values", findings)?;
    Some(words.into_iter().map(|word| word.value.to_owned()).collect())
}

fn example(
    table: &mut TableReader<'_>,
    kind: &FieldType,
    findings: &mut Findings,
) -> Option<crate::Value> {
    let node = table.node("example")?;
    let text = match &node.kind {
        NodeKind::String(text) | NodeKind::Float(text) | NodeKind::Datetime(text) => text.clone(),
        NodeKind::Integer(number) => number.to_string(),
        NodeKind::Boolean(yes) => yes.to_string(),
        NodeKind::Array(_) | NodeKind::Table(_) => {
            table.wrong_type(node, "example", "\"...\"", findings);
            return None;
        }
    };
    match normalise(kind, &text) {
        Ok(value) => Some(value),
        Err(refused) => {
            let place = table.place(node.span.clone());
            let message = "the example is no valid value of its own field".to_owned();
            findings.error("bad_example", place, message, format!("write {}", refused.wanted));
            None
        }
    }
}

fn derived(reader: &mut TableReader<'_>, fields: &mut Vec<Field>, findings: &mut Findings) {
    for (name, mut table) in reader.named_tables("derived", findings) {
        check_name(&name, findings);
        let from = table.required_string("from", "\"years_since(birth_date)\"", findings);
        let class = required_word(&mut table, "class", CLASSES, findings);
        table.finish(findings);
        let (Some(from), Some(class)) = (from, class) else { continue };
        match derivation(from.value, fields) {
            Ok((derivation, kind)) => fields.push(Field {
                name: name.value.to_owned(),
                example: example_of(derivation, fields),
                kind,
                class,
                ping: Need::No,
                post: Need::No,
                derived: Some(derivation),
            }),
            Err(help) => {
                let message = format!("`{}` cannot be computed", from.value);
                findings.error("bad_derivation", from.place, message, help);
            }
        }
    }
}

fn example_of(derivation: Derivation, fields: &[Field]) -> Option<crate::Value> {
    let source = fields.get(derivation.source()?.as_usize())?.example.as_ref()?;
    let today = crate::Timestamp::from_unix_millis(0)
        .after(Duration::from_secs(56 * 365 * 86_400))
        .date_in(&jiff::tz::TimeZone::UTC);
    Vertical::derive(derivation, source, today)
}

/// Reads `years_since(field)`, `year(field)` or `left(field, n)`.
fn derivation(text: &str, fields: &[Field]) -> Result<(Derivation, FieldType), String> {
    let forms =
        || "write years_since(date field), year(date field) or left(text field, n)".to_owned();
    let (function, rest) = text.split_once('(').ok_or_else(forms)?;
    let arguments = rest.strip_suffix(')').ok_or_else(forms)?;
    let (field, count) = match arguments.split_once(',') {
        Some((field, count)) => (field.trim(), Some(count.trim())),
        None => (arguments.trim(), None),
    };
    let at = fields.iter().position(|f| f.name == field).ok_or_else(|| {
        match nearest(field, fields.iter().map(|f| f.name.as_str())) {
            Some(near) => format!("no field is called `{field}`; did you mean `{near}`?"),
            None => format!("no field is called `{field}`"),
        }
    })?;
    let source = FieldIdx(u16::try_from(at).map_err(|_bounded_elsewhere| forms())?);
    let is_date = fields.get(at).is_some_and(|f| f.kind == FieldType::Date);
    match (function.trim(), count) {
        ("years_since", None) if is_date => {
            Ok((Derivation::YearsSince(source), FieldType::Integer { min: -200, max: 200 }))
        }
        ("year", None) if is_date => {
            Ok((Derivation::Year(source), FieldType::Integer { min: 1900, max: 2100 }))
        }
        ("left", Some(count)) if !is_date => {
            let n: u8 = count.parse().map_err(|_not_a_number| forms())?;
            Ok((Derivation::Left(source, n), FieldType::Text { max_length: u32::from(n) }))
        }
        _ => Err(forms()),
    }
}
