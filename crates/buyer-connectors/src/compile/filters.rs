//! From a filter as written to a filter: names, numbers of arguments, what suits which field.

use std::sync::Arc;

use exchange_model::finding::nearest;
use exchange_model::{Anonymiser, Field, FieldType, Findings, Place};
use regex::{Regex, RegexBuilder};

use super::scope::Scope;
use super::source::is_free_text;
use crate::template::{
    Arg, Argument, Coding, DateForm, Digest, Escape, Filter, FilterCall, Operation, PhoneForm,
    Source, Words, zone,
};

/// Largest compiled pattern, in bytes.
const PATTERN_MAX: usize = 256 * 1024;
/// Largest count in an argument.
const COUNT_MAX: usize = 10_000;
/// Longest text that `pad` makes, in characters.
const PAD_MAX: usize = 1_000;
/// Most digits after the point that `round` may ask for.
const PLACES_MAX: usize = 12;

/// A filter's name, how it is written, and how many arguments it takes.
struct Known {
    name: &'static str,
    example: &'static str,
    least: usize,
    most: usize,
}

const fn known(name: &'static str, example: &'static str, least: usize, most: usize) -> Known {
    Known { name, example, least, most }
}

const FILTERS: &[Known] = &[
    known("upper", "upper", 0, 0),
    known("lower", "lower", 0, 0),
    known("title", "title", 0, 0),
    known("trim", "trim", 0, 0),
    known("ascii", "ascii", 0, 0),
    known("cut", "cut(20)", 1, 1),
    known("last", "last(4)", 1, 1),
    known("slice", "slice(1, 3)", 2, 2),
    known("before", "before('-')", 1, 1),
    known("after", "after('-')", 1, 1),
    known("split", "split('-', 1)", 2, 2),
    known("replace", "replace('a', 'b')", 2, 2),
    known("regex", "regex('[^0-9]', '')", 1, 2),
    known("pad", "pad(5, '0')", 2, 2),
    known("prefix", "prefix('x')", 1, 1),
    known("suffix", "suffix('x')", 1, 1),
    known("digits", "digits", 0, 0),
    known("phone", "phone('dashed')", 1, 1),
    known("area_code", "area_code", 0, 0),
    known("exchange", "exchange", 0, 0),
    known("line", "line", 0, 0),
    known("last4", "last4", 0, 0),
    known("date", "date('%m/%d/%Y')", 1, 2),
    known("epoch", "epoch", 0, 0),
    known("epoch_ms", "epoch_ms", 0, 0),
    known("year", "year", 0, 0),
    known("age", "age", 0, 0),
    known("zip3", "zip3", 0, 0),
    known("add", "add(1)", 1, 1),
    known("sub", "sub(1)", 1, 1),
    known("times", "times(12)", 1, 1),
    known("div", "div(12)", 1, 1),
    known("mod", "mod(12)", 1, 1),
    known("round", "round(2)", 1, 1),
    known("floor", "floor(2)", 0, 1),
    known("range", "range('name')", 1, 1),
    known("yn", "yn", 0, 0),
    known("truefalse", "truefalse", 0, 0),
    known("onezero", "onezero", 0, 0),
    known("bool", "bool('Yes', 'No')", 2, 2),
    known("number", "number", 0, 0),
    known("boolean", "boolean", 0, 0),
    known("text", "text", 0, 0),
    known("or_null", "or_null", 0, 0),
    known("map", "map('name')", 1, 1),
    known("default", "default('x')", 1, 1),
    known("else", "else(other_field)", 1, 1),
    known("if", "if(other_field, 'a', 'b')", 2, 3),
    known("unless", "unless(other_field, 'a')", 2, 2),
    known("omit", "omit('x')", 1, 16),
    known("only", "only('x', 'y')", 1, 16),
    known("md5", "md5", 0, 0),
    known("sha1", "sha1", 0, 0),
    known("sha256", "sha256", 0, 0),
    known("hash", "hash('sha256', 'base64')", 1, 2),
    known("hmac", "hmac('sha256', secret.key)", 2, 3),
    known("uuid", "uuid", 0, 0),
    known("base64", "base64", 0, 0),
    known("base64url", "base64url", 0, 0),
    known("unbase64", "unbase64", 0, 0),
    known("unurl", "unurl", 0, 0),
    known("unxml", "unxml", 0, 0),
    known("url", "url", 0, 0),
    known("xml", "xml", 0, 0),
    known("json", "json", 0, 0),
];

impl Scope<'_> {
    /// Compiles one filter. Anonymisers of fields never come here.
    pub(super) fn filter(
        &self,
        call: &FilterCall<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Filter> {
        let Some(known) = FILTERS.iter().find(|known| known.name == call.name) else {
            unknown(call.name, place, findings);
            return None;
        };
        if call.arguments.len() < known.least || call.arguments.len() > known.most {
            wrong_number(known, place, findings);
            return None;
        }
        if let Some(filter) = without_arguments(call.name) {
            return Some(filter);
        }
        let mut arguments = Arguments { scope: self, call, place, findings };
        arguments.filter()
    }

    /// Filters that only make sense for some fields, and a map that knows every word of an enum.
    pub(super) fn suits(
        &self,
        field: &Field,
        calls: &[FilterCall<'_>],
        place: &Place,
        findings: &mut Findings,
    ) -> Option<()> {
        let Some(first) = calls.first() else { return Some(()) };
        if let Some(wanted) = wanted_kind(first.name)
            && !(wanted.fits)(&field.kind)
            && !is_free_text(&field.kind)
        {
            let why = format!("does not work on `{}`, which is no {}", field.name, wanted.word);
            bad(first.name, &why, place, findings);
            return None;
        }
        if first.name == "map" {
            self.knows_every_word(field, calls, place, findings);
        }
        Some(())
    }

    fn knows_every_word(
        &self,
        field: &Field,
        calls: &[FilterCall<'_>],
        place: &Place,
        findings: &mut Findings,
    ) {
        let FieldType::Enum(values) = &field.kind else { return };
        let name = calls.first().and_then(|call| match call.arguments.first() {
            Some(Argument::Text(name)) => Some(&**name),
            _ => None,
        });
        let map = name.and_then(|name| self.shared.words.maps.get(name));
        let filled = ["default", "else", "or_null", "if", "unless"];
        let has_other = calls.iter().any(|call| filled.contains(&call.name));
        if let (Some(map), false) = (map, has_other) {
            missing_words(field, values, map, place, findings);
        }
    }
}

/// What a filter is made for.
struct Wanted {
    fits: fn(&FieldType) -> bool,
    word: &'static str,
}

fn wanted_kind(filter: &str) -> Option<Wanted> {
    match filter {
        "date" | "epoch" | "epoch_ms" | "year" => {
            Some(Wanted { fits: |kind| *kind == FieldType::Date, word: "date" })
        }
        "phone" | "area_code" | "exchange" | "line" | "last4" => {
            Some(Wanted { fits: |kind| *kind == FieldType::UsPhone, word: "phone" })
        }
        "add" | "sub" | "times" | "div" | "mod" | "round" | "floor" | "range" => Some(Wanted {
            fits: |kind| matches!(kind, FieldType::Integer { .. } | FieldType::Decimal),
            word: "number",
        }),
        "yn" | "truefalse" | "onezero" | "bool" => Some(Wanted {
            fits: |kind| matches!(kind, FieldType::Boolean | FieldType::Enum(_)),
            word: "yes or no",
        }),
        _ => None,
    }
}

/// The filters that are their name.
fn without_arguments(name: &str) -> Option<Filter> {
    let words = |yes: &str, no: &str| Filter::YesNo(Arg::Fixed(yes.into()), Arg::Fixed(no.into()));
    Some(match name {
        "upper" => Filter::Upper,
        "lower" => Filter::Lower,
        "title" => Filter::Title,
        "trim" => Filter::Trim,
        "ascii" => Filter::Ascii,
        "digits" => Filter::Digits,
        "area_code" => Filter::PhonePart(0, 3),
        "exchange" => Filter::PhonePart(3, 3),
        "line" => Filter::PhonePart(6, 4),
        "last4" => Filter::Last4,
        "epoch" => Filter::Epoch,
        "epoch_ms" => Filter::EpochMillis,
        "year" => Filter::Year,
        "yn" => words("Y", "N"),
        "truefalse" => words("true", "false"),
        "onezero" => words("1", "0"),
        "number" => Filter::Number,
        "boolean" => Filter::Boolean,
        "text" => Filter::Text,
        "or_null" => Filter::OrNull,
        "md5" => Filter::Hash(Anonymiser::Md5),
        "sha1" => Filter::Hash(Anonymiser::Sha1),
        "sha256" => Filter::Hash(Anonymiser::Sha256),
        "uuid" => Filter::Uuid,
        "base64" => Filter::Base64,
        "base64url" => Filter::Base64Url,
        "unbase64" => Filter::Unbase64,
        "unurl" => Filter::Unurl,
        "unxml" => Filter::Unxml,
        "url" => Filter::Escaped(Escape::Url),
        "xml" => Filter::Escaped(Escape::Xml),
        "json" => Filter::Escaped(Escape::Json),
        _ => return None,
    })
}

/// The arguments of one filter.
struct Arguments<'a, 's, 'f> {
    scope: &'a Scope<'s>,
    call: &'a FilterCall<'a>,
    place: &'a Place,
    findings: &'f mut Findings,
}

impl Arguments<'_, '_, '_> {
    fn filter(&mut self) -> Option<Filter> {
        Some(match self.call.name {
            "cut" => Filter::Cut(self.count(0, COUNT_MAX)?),
            "last" => Filter::Last(self.count(0, COUNT_MAX)?),
            "slice" => Filter::Slice(self.position(0)?, self.count(1, COUNT_MAX)?),
            "before" => Filter::Before(self.value(0)?),
            "after" => Filter::After(self.value(0)?),
            "split" => Filter::Split(self.value(0)?, self.position(1)?),
            "replace" => Filter::Replace(self.value(0)?, self.value(1)?),
            "regex" => self.regex()?,
            "pad" => Filter::Pad(self.count(0, PAD_MAX)?, self.character(1)?),
            "prefix" => Filter::Prefix(self.value(0)?),
            "suffix" => Filter::Suffix(self.value(0)?),
            "phone" => Filter::Phone(self.phone()?),
            "date" => Filter::Date(Arc::new(self.date()?)),
            "add" => Filter::Calculate(Operation::Add, self.number(0)?),
            "sub" => Filter::Calculate(Operation::Subtract, self.number(0)?),
            "times" => Filter::Calculate(Operation::Multiply, self.number(0)?),
            "div" => Filter::Calculate(Operation::Divide, self.number(0)?),
            "mod" => Filter::Remainder(self.number(0)?),
            "floor" if self.call.arguments.is_empty() => Filter::Floor(0),
            "floor" => Filter::Floor(u32::try_from(self.count(0, PLACES_MAX)?).ok()?),
            "hash" => Filter::Digest(self.digest()?, self.coding(1)?),
            "hmac" => self.hmac()?,
            "round" => Filter::Round(u32::try_from(self.count(0, PLACES_MAX)?).ok()?),
            "bool" => Filter::YesNo(self.value(0)?, self.value(1)?),
            "default" => Filter::Default(self.value(0)?),
            "else" => Filter::Default(Arg::Source(self.source(0)?)),
            "if" => {
                let otherwise = match self.call.arguments.len() {
                    3 => Some(self.value(2)?),
                    _ => None,
                };
                Filter::If(self.source(0)?, self.value(1)?, otherwise)
            }
            "unless" => Filter::Unless(self.source(0)?, self.value(1)?),
            "omit" => Filter::Omit(self.values()?),
            "only" => Filter::Only(self.values()?),
            "map" => self.map()?,
            "range" => self.range()?,
            name => {
                let help = format!("write \"{{{{ field | {name} }}}}\", other filters after it");
                let message =
                    format!("filter `{name}` works on a field itself and must come first");
                self.findings.error("bad_filter", self.place.clone(), message, help);
                return None;
            }
        })
    }

    fn refuse(&mut self, why: &str) {
        bad(self.call.name, why, self.place, self.findings);
    }

    /// Text, digits, or the value of a source.
    fn value(&mut self, at: usize) -> Option<Arg> {
        match self.call.arguments.get(at)? {
            Argument::Text(text) => Some(Arg::Fixed((**text).into())),
            Argument::Number(digits) => Some(Arg::Fixed((*digits).into())),
            Argument::Name(name) => {
                let source = self.scope.source(name, self.place, self.findings)?;
                Some(match source {
                    Source::Fixed(text) => Arg::Fixed((*text).into()),
                    other => Arg::Source(other),
                })
            }
        }
    }

    fn values(&mut self) -> Option<Vec<Arg>> {
        let read: Vec<Option<Arg>> =
            (0..self.call.arguments.len()).map(|at| self.value(at)).collect();
        read.into_iter().collect()
    }

    /// The name of a source and nothing else.
    fn source(&mut self, at: usize) -> Option<Source> {
        match self.call.arguments.get(at)? {
            Argument::Name(name) => self.scope.source(name, self.place, self.findings),
            Argument::Text(_) | Argument::Number(_) => {
                self.refuse("takes the name of another source, without quotes");
                None
            }
        }
    }

    /// Text that is known at load.
    fn fixed(&mut self, at: usize) -> Option<String> {
        match self.call.arguments.get(at)? {
            Argument::Text(text) => Some(text.clone().into_owned()),
            Argument::Number(digits) => Some((*digits).to_owned()),
            Argument::Name(name) if name.starts_with("var.") => match self.value(at)? {
                Arg::Fixed(text) => Some(text.into()),
                Arg::Source(_) => None,
            },
            Argument::Name(name) => {
                let why = format!("takes a text here: write '{name}'");
                self.refuse(&why);
                None
            }
        }
    }

    fn count(&mut self, at: usize, most: usize) -> Option<usize> {
        let text = self.fixed(at)?;
        let count = text.parse::<usize>().ok().filter(|count| *count <= most);
        if count.is_none() {
            let why = format!("takes a whole number up to {most} here, not `{text}`");
            self.refuse(&why);
        }
        count
    }

    /// A number that counts from 1.
    fn position(&mut self, at: usize) -> Option<usize> {
        let position = self.count(at, COUNT_MAX)?;
        if position == 0 {
            self.refuse("counts from 1");
            return None;
        }
        Some(position)
    }

    fn number(&mut self, at: usize) -> Option<Arg> {
        let arg = self.value(at)?;
        if let Arg::Fixed(text) = &arg
            && rust_decimal::Decimal::from_str_exact(text).is_err()
        {
            let why = format!("takes a number or the name of a source, not `{text}`");
            self.refuse(&why);
            return None;
        }
        if let (Arg::Fixed(text), "div" | "mod") = (&arg, self.call.name)
            && text.chars().all(|c| matches!(c, '0' | '.' | '-'))
        {
            self.refuse("cannot divide by zero");
            return None;
        }
        Some(arg)
    }

    fn character(&mut self, at: usize) -> Option<char> {
        let text = self.fixed(at)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Some(character),
            _ => {
                self.refuse("fills up with one character");
                None
            }
        }
    }

    fn phone(&mut self) -> Option<PhoneForm> {
        let word = self.fixed(0)?;
        let found = PhoneForm::WORDS.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let all: Vec<&str> = PhoneForm::WORDS.iter().map(|(word, _)| *word).collect();
            let why = match nearest(&word, all.iter().copied()) {
                Some(near) => format!("knows no form `{word}`; did you mean `{near}`?"),
                None => format!("knows no form `{word}`; the forms are {}", all.join(", ")),
            };
            self.refuse(&why);
        }
        found.map(|(_, form)| *form)
    }

    fn date(&mut self) -> Option<DateForm> {
        let text = self.fixed(0)?;
        let Some(form) = DateForm::parse(&text) else {
            self.refuse(DateForm::KNOWN);
            return None;
        };
        if self.call.arguments.len() < 2 {
            return Some(form);
        }
        let name = self.fixed(1)?;
        let zone = zone(&name);
        if zone.is_none() {
            let why = format!("knows no time zone `{name}`; they are like `America/Chicago`");
            self.refuse(&why);
        }
        Some(form.in_zone(zone?))
    }

    fn hmac(&mut self) -> Option<Filter> {
        let (how, key, coding) = (self.digest(), self.value(1), self.coding(2));
        let how = how?;
        if how.keyed_algorithm().is_none() {
            self.refuse("cannot use md5");
            return None;
        }
        Some(Filter::Hmac(how, key?, coding?))
    }

    fn digest(&mut self) -> Option<Digest> {
        self.word(0, Digest::WORDS)
    }

    /// How bytes are written; hex where nothing is said.
    fn coding(&mut self, at: usize) -> Option<Coding> {
        if self.call.arguments.len() <= at {
            return Some(Coding::default());
        }
        self.word(at, Coding::WORDS)
    }

    fn word<T: Copy>(&mut self, at: usize, words: &[(&str, T)]) -> Option<T> {
        let word = self.fixed(at)?;
        let found = words.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let why = format!("knows {}, not `{word}`", all.join(", "));
            self.refuse(&why);
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn regex(&mut self) -> Option<Filter> {
        let text = self.fixed(0)?;
        let pattern = self.pattern(&text)?;
        match self.call.arguments.len() {
            1 => Some(Filter::Find(pattern)),
            _ => Some(Filter::Substitute(pattern, self.fixed(1)?.into())),
        }
    }

    fn pattern(&mut self, text: &str) -> Option<Regex> {
        match RegexBuilder::new(text).size_limit(PATTERN_MAX).build() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let last = error.to_string();
                let last = last.lines().next_back().unwrap_or("").trim();
                let why =
                    format!("cannot use this pattern: {}", last.trim_start_matches("error: "));
                self.refuse(&why);
                None
            }
        }
    }

    fn map(&mut self) -> Option<Filter> {
        let name = self.fixed(0)?;
        let maps = &self.scope.shared.words.maps;
        match maps.get(&name) {
            Some(words) => Some(Filter::Map(Arc::clone(words))),
            None => {
                let near = nearest(&name, maps.keys().map(String::as_str)).map(str::to_owned);
                self.no_dictionary("map", &name, near);
                None
            }
        }
    }

    fn range(&mut self) -> Option<Filter> {
        let name = self.fixed(0)?;
        let ranges = &self.scope.shared.words.ranges;
        match ranges.get(&name) {
            Some(ranges) => Some(Filter::Range(Arc::clone(ranges))),
            None => {
                let near = nearest(&name, ranges.keys().map(String::as_str)).map(str::to_owned);
                self.no_dictionary("range", &name, near);
                None
            }
        }
    }

    fn no_dictionary(&mut self, kind: &str, name: &str, near: Option<String>) {
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a table `[{kind}.{name}]` to this file"),
        };
        let code = if kind == "map" { "unknown_map" } else { "unknown_range" };
        let message = format!("there is no {kind} called `{name}`");
        self.findings.error(code, self.place.clone(), message, help);
    }
}

fn missing_words(
    field: &Field,
    values: &[String],
    map: &Words,
    place: &Place,
    findings: &mut Findings,
) {
    let missing: Vec<&str> =
        values.iter().map(String::as_str).filter(|value| map.word(value).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("the map has no word for `{}` = {}", field.name, missing.join(", "));
        let help = "add them to the map, or a `default('...')`; without it nothing is sent";
        findings.warning("map_incomplete", place.clone(), message, help.to_owned());
    }
}

pub(super) fn bad(name: &str, why: &str, place: &Place, findings: &mut Findings) {
    let help = match FILTERS.iter().find(|known| known.name == name) {
        Some(known) => format!("write `{}`, for example", known.example),
        None => "see the list of filters in docs/connectors.md".to_owned(),
    };
    findings.error("bad_filter", place.clone(), format!("filter `{name}` {why}"), help);
}

fn wrong_number(known: &Known, place: &Place, findings: &mut Findings) {
    let why = match (known.least, known.most) {
        (0, 0) => "takes no argument",
        (1, 1) => "needs an argument",
        (2, 2) => "needs two arguments",
        (2, 3) => "needs two or three arguments",
        (0, 1) => "takes at most one argument",
        (1, 2) => "needs one or two arguments",
        _ => "needs an argument, and has too many",
    };
    let message = format!("filter `{}` {why}", known.name);
    findings.error("bad_filter", place.clone(), message, format!("write `{}`", known.example));
}

fn unknown(name: &str, place: &Place, findings: &mut Findings) {
    let all: Vec<&str> = FILTERS.iter().map(|known| known.name).collect();
    let help = match nearest(name, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the filters are: {}", all.join(", ")),
    };
    findings.error("unknown_filter", place.clone(), format!("no filter is called `{name}`"), help);
}
