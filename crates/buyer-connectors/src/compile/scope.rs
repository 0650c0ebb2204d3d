//! What a template may say at one stage, and the check that no ping carries contact data.

use std::ops::Range;
use std::sync::Arc;

use exchange_model::finding::{Finding, Severity, nearest};
use exchange_model::{
    Anonymiser, Field, FieldClass, FieldIdx, FieldType, Findings, Place,
};

use super::shared::Shared;
use crate::call::Call;
use crate::template::{
    Filter, FilterCall, LeadFields, Piece, Placeholder, PlaceholderText, Segment, Source, Template,
    Words, parse_date_format, pieces,
};

/// The words beside the vertical's fields, and whether a ping may use them.
const WORDS: &[(&str, bool)] = &[
    ("ping.id", true),
    ("source.alias", true),
    ("ping.token", false),
    ("price", false),
    ("lead_id", false),
    ("idempotency_key", false),
    ("lead", false),
];

/// The surroundings of the templates of one stage.
pub(super) struct Scope<'a> {
    pub(super) call: Call,
    pub(super) shared: &'a Shared<'a>,
    /// Contact fields whose hash may be pinged, with a written reason.
    pub(super) hashed: Vec<FieldIdx>,
    /// What `{{ lead }}` carries.
    pub(super) lead: LeadFields,
    /// Whether it is inside `$each`, so that `brand.x` is known.
    pub(super) brand: bool,
}

impl Scope<'_> {
    /// Compiles one text; `place` is the text's own.
    pub(super) fn template(
        &self,
        text: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Template> {
        let read = match pieces(text) {
            Ok(read) => read,
            Err((span, why)) => {
                let help = "write \"{{ field }}\" or \"{{ field | filter }}\"".to_owned();
                findings.error("bad_template", within(place, text, span), why.to_owned(), help);
                return None;
            }
        };
        let segments: Vec<Option<Segment>> = read
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => Some(Segment::Literal((*text).into())),
                Piece::Placeholder(placeholder) => {
                    let place = within(place, text, placeholder.span.clone());
                    self.segment(placeholder, &place, findings)
                }
            })
            .collect();
        segments.into_iter().collect::<Option<Vec<_>>>().map(|segments| Template { segments })
    }

    /// The same, where an object cannot stand.
    pub(super) fn text(
        &self,
        text: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Template> {
        let template = self.template(text, place, findings)?;
        if template.segments.iter().any(|segment| matches!(segment, Segment::Lead(_))) {
            let message = "`lead` is an object and cannot stand inside a text".to_owned();
            let help = "name the fields one by one, or send it in a JSON body".to_owned();
            findings.error("lead_not_here", place.clone(), message, help);
            return None;
        }
        Some(template)
    }

    fn segment(
        &self,
        text: &PlaceholderText<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        if let Some((word, in_ping)) = WORDS.iter().find(|(word, _)| *word == text.source) {
            if !self.call.carries_contact() && !in_ping {
                self.not_in_ping(word, place, findings);
                return None;
            }
            return self.word(word, text, place, findings);
        }
        if let Some(name) = text.source.strip_prefix("secret.") {
            let secret = self.shared.secrets.required(name, place, findings)?;
            return self.value(Source::Secret(secret), &text.filters, place, findings);
        }
        let Some(at) = self.shared.vertical.index(text.source) else {
            self.unknown_field(text.source, place, findings);
            return None;
        };
        self.field(at, text, place, findings)
    }

    fn word(
        &self,
        word: &str,
        text: &PlaceholderText<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        let source = match word {
            "lead" => {
                if let Some(filter) = text.filters.first() {
                    bad_filter(filter.name, "does not work on the whole lead", place, findings);
                    return None;
                }
                return Some(Segment::Lead(Arc::clone(&self.lead)));
            }
            "ping.id" => Source::PingId,
            "ping.token" => Source::Token,
            "price" => Source::Price,
            "lead_id" => Source::LeadId,
            "idempotency_key" => Source::IdempotencyKey,
            _ => Source::Alias,
        };
        self.value(source, &text.filters, place, findings)
    }

    fn field(
        &self,
        at: FieldIdx,
        text: &PlaceholderText<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        let field = self.shared.vertical.field(at);
        let (first, rest) = match text.filters.split_first() {
            Some((first, rest)) => (Anonymiser::from_filter(first.name), rest),
            None => (None, [].as_slice()),
        };
        if !self.may_leave(at, first, place, findings) {
            return None;
        }
        match first {
            None => {
                self.suits(field, &text.filters, place, findings)?;
                self.value(Source::Field(at), &text.filters, place, findings)
            }
            Some(how) if how.suits(&field.kind) => {
                self.value(Source::Anonymised(at, how), rest, place, findings)
            }
            Some(how) => {
                let why = format!("does not work on `{}`", field.name);
                bad_filter(how.filter(), &why, place, findings);
                None
            }
        }
    }

    /// Filters that only make sense for some fields: a date's form for dates, and a map that knows
    /// every word of an enum.
    fn suits(
        &self,
        field: &Field,
        calls: &[FilterCall<'_>],
        place: &Place,
        findings: &mut Findings,
    ) -> Option<()> {
        let Some(first) = calls.first() else { return Some(()) };
        match (first.name, &field.kind) {
            ("date", kind) if *kind != FieldType::Date => {
                let why = format!("does not work on `{}`, which is no date", field.name);
                bad_filter("date", &why, place, findings);
                return None;
            }
            ("map", FieldType::Enum(values)) => {
                let map = first.argument.and_then(|name| self.shared.words.maps.get(name));
                let has_default = calls.iter().any(|call| call.name == "default");
                if let (Some(map), false) = (map, has_default) {
                    missing_words(field, values, map, place, findings);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The privacy check: contact data leaves in a ping only through an anonymiser, a hash of it
    /// only with a written reason, a secret field never.
    fn may_leave(
        &self,
        at: FieldIdx,
        how: Option<Anonymiser>,
        place: &Place,
        findings: &mut Findings,
    ) -> bool {
        let field = self.shared.vertical.field(at);
        let name = &field.name;
        match (field.class, self.call.carries_contact(), how) {
            (FieldClass::Open, ..) | (FieldClass::Contact, true, _) => true,
            (FieldClass::Contact, false, Some(Anonymiser::Sha256)) => {
                let allowed = self.hashed.contains(&at);
                if !allowed {
                    let message =
                        format!("a hash of `{name}` is not anonymous and may not leave in a ping");
                    let help = format!(
                        "add `allow_hashed = {{ {name} = \"why, and who agreed\" }}` to this ping, or leave it out"
                    );
                    contact_in_ping(message, help, place, findings);
                }
                allowed
            }
            (FieldClass::Contact, false, Some(_)) => true,
            (FieldClass::Contact, false, None) => {
                let message = format!("`{name}` is contact data and may not leave in a ping");
                contact_in_ping(message, anonymise_help(field), place, findings);
                false
            }
            (FieldClass::Secret, post, _) => {
                let message = format!("`{name}` is of class secret and never leaves the exchange");
                let help = "leave it out".to_owned();
                if post {
                    findings.error("secret_field", place.clone(), message, help);
                } else {
                    contact_in_ping(message, help, place, findings);
                }
                false
            }
        }
    }

    fn not_in_ping(&self, word: &str, place: &Place, findings: &mut Findings) {
        if word == "lead" {
            let message = "`lead` holds contact data and may not leave in a ping".to_owned();
            let help = "name the open fields one by one, or move it to the post body".to_owned();
            contact_in_ping(message, help, place, findings);
            return;
        }
        let message = format!("`{word}` is not known when a ping is sent");
        let help = "move it to the post; a ping has `ping.id` and `source.alias`".to_owned();
        findings.error("not_in_ping", place.clone(), message, help);
    }

    fn unknown_field(&self, name: &str, place: &Place, findings: &mut Findings) {
        let words = WORDS.iter().map(|(word, _)| *word);
        let help = match nearest(name, self.shared.vertical.names().chain(words)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are in the vertical `{}`", self.shared.vertical.id()),
        };
        let message = format!("vertical `{}` has no field `{name}`", self.shared.vertical.id());
        findings.error("unknown_field", place.clone(), message, help);
    }

    fn value(
        &self,
        source: Source,
        calls: &[FilterCall<'_>],
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Segment> {
        let filters: Vec<Option<Filter>> =
            calls.iter().map(|call| self.filter(call, place, findings)).collect();
        let filters = filters.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Segment::Value(Placeholder { source, filters }))
    }

    fn filter(
        &self,
        call: &FilterCall<'_>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Filter> {
        let filter = match (call.name, call.argument) {
            ("upper", None) => Filter::Upper,
            ("lower", None) => Filter::Lower,
            ("digits", None) => Filter::Digits,
            ("yn", None) => Filter::YesNo,
            ("truefalse", None) => Filter::TrueFalse,
            ("default", Some(text)) => Filter::Default(text.into()),
            ("map", Some(name)) => return self.map(name, place, findings),
            ("date", Some(form)) => match parse_date_format(form) {
                Some(parts) => Filter::Date(parts),
                None => {
                    bad_filter("date", "knows %Y, %y, %m and %d only", place, findings);
                    return None;
                }
            },
            (name, argument) => {
                unknown_filter(name, argument, place, findings);
                return None;
            }
        };
        Some(filter)
    }

    fn map(&self, name: &str, place: &Place, findings: &mut Findings) -> Option<Filter> {
        if let Some(words) = self.shared.words.maps.get(name) {
            return Some(Filter::Map(Arc::clone(words)));
        }
        let help = match nearest(name, self.shared.words.maps.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a table `[map.{name}]` to this file"),
        };
        let message = format!("there is no map called `{name}`");
        findings.error("unknown_map", place.clone(), message, help);
        None
    }
}

/// Marks a placeholder of a long text itself, and a short text as a whole.
fn within(place: &Place, text: &str, span: Range<usize>) -> Place {
    let narrowed = || {
        let raw = place.file.text.get(place.span.clone())?;
        if !raw.contains('\n') {
            return None;
        }
        let wanted = text.get(span.clone())?;
        let start = place.span.start.saturating_add(raw.find(wanted)?);
        Some(start..start.saturating_add(wanted.len()))
    };
    let span = narrowed().unwrap_or_else(|| place.span.clone());
    Place { file: Arc::clone(&place.file), span }
}

fn anonymise_help(field: &Field) -> String {
    match Anonymiser::suggestions(&field.kind).next() {
        Some(how) => format!(
            "send an anonymised form, for example \"{{{{ {} | {} }}}}\", or move it to the post body",
            field.name,
            how.filter()
        ),
        None => "leave it out, or move it to the post body".to_owned(),
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

fn contact_in_ping(message: String, help: String, place: &Place, findings: &mut Findings) {
    findings.push(Finding {
        severity: Severity::Error,
        code: "contact_in_ping",
        message,
        place: Some(place.clone()),
        label: "sent to a buyer that has not bought the lead".to_owned(),
        help,
    });
}

fn bad_filter(name: &str, why: &str, place: &Place, findings: &mut Findings) {
    let help = "see the list of filters in the operator's guide".to_owned();
    findings.error("bad_filter", place.clone(), format!("filter `{name}` {why}"), help);
}

fn unknown_filter(name: &str, argument: Option<&str>, place: &Place, findings: &mut Findings) {
    if Anonymiser::from_filter(name).is_some() {
        let help = format!("write \"{{{{ field | {name} }}}}\", other filters after it");
        let message = format!("filter `{name}` works on a field itself and must come first");
        findings.error("bad_filter", place.clone(), message, help);
        return;
    }
    if Filter::NAMES.contains(&name) {
        let (message, help) = if argument.is_some() {
            (format!("filter `{name}` takes no argument"), format!("write `{name}`"))
        } else {
            (format!("filter `{name}` needs an argument"), format!("write `{name}('...')`"))
        };
        findings.error("bad_filter", place.clone(), message, help);
        return;
    }
    let names = Anonymiser::ALL.iter().map(|how| how.filter());
    let all: Vec<&str> = names.chain(Filter::NAMES.iter().copied()).collect();
    let help = match nearest(name, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the filters are: {}", all.join(", ")),
    };
    findings.error("unknown_filter", place.clone(), format!("no filter is called `{name}`"), help);
}
