//! What the names in a placeholder stand for, at each stage.

use std::sync::Arc;

use exchange_model::finding::nearest;
use exchange_model::{Anonymiser, FieldClass, FieldIdx, FieldType, Findings, Place};

use super::privacy::{anonymise_help, contact_in_ping};
use super::scope::Scope;
use crate::call::Call;
use crate::template::{BrandPart, FilterCall, PlaceholderText, Source};

/// A word beside the vertical's fields, and when it is known.
struct Word {
    name: &'static str,
    source: Source,
    known: fn(Call) -> bool,
}

/// The words that are no name of the connector's own.
const WORDS: &[Word] = &[
    Word { name: "ping.id", source: Source::PingId, known: is_of_lead },
    Word { name: "source.alias", source: Source::Alias, known: is_of_lead },
    Word { name: "lead_id", source: Source::LeadId, known: Call::has_sale },
    Word { name: "now", source: Source::Now, known: always },
    Word { name: "floor", source: Source::Floor, known: Call::has_lead },
    Word { name: "time_left_ms", source: Source::TimeLeftMillis, known: Call::has_lead },
    Word { name: "time_left_s", source: Source::TimeLeftSeconds, known: Call::has_lead },
    Word { name: "price", source: Source::Price, known: Call::has_sale },
    Word { name: "ping.brand_ids", source: Source::BrandIds, known: Call::has_sale },
    Word { name: "ping.brand_names", source: Source::BrandNames, known: Call::has_sale },
    Word { name: "idempotency_key", source: Source::IdempotencyKey, known: Call::has_sale },
    Word { name: "callback_url", source: Source::CallbackUrl, known: Call::has_lead },
    Word { name: "absent", source: Source::Absent, known: always },
];

/// Deepest `let` in a `let`.
const LETS_MAX: u8 = 4;

const BRAND_PARTS: &[(&str, BrandPart)] = &[
    ("id", BrandPart::Id),
    ("name", BrandPart::Name),
    ("price", BrandPart::Price),
    ("token", BrandPart::Token),
];

fn always(_call: Call) -> bool {
    true
}

fn is_of_lead(call: Call) -> bool {
    call != Call::Token
}

impl Scope<'_> {
    /// The source, and the filters that are left when the first one is done by the source itself:
    /// an anonymiser of a field.
    pub(super) fn first_step<'p, 't>(
        &self,
        text: &'p PlaceholderText<'t>,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<(Source, &'p [FilterCall<'t>])> {
        let Some(at) = self.field_named(text.source) else {
            return Some((self.source(text.source, place, findings)?, &text.filters));
        };
        let first = text.filters.first();
        let how = first
            .filter(|call| call.arguments.is_empty())
            .and_then(|call| Anonymiser::from_filter(call.name));
        if !self.may_leave(at, how, place, findings) {
            return None;
        }
        let field = self.shared.vertical.field(at);
        match how {
            Some(how) if how.suits(&field.kind) => {
                let rest = text.filters.get(1..).unwrap_or_default();
                Some((Source::Anonymised(at, how), rest))
            }
            Some(how) if !is_free_text(&field.kind) || !self.is_free(field.class) => {
                let why = format!("does not work on `{}`", field.name);
                super::filters::bad(how.filter(), &why, place, findings);
                None
            }
            _ => {
                self.suits(field, &text.filters, place, findings)?;
                Some((Source::Field(at), &text.filters))
            }
        }
    }

    /// Whether a field of this class may be read here without an anonymiser.
    fn is_free(&self, class: FieldClass) -> bool {
        class == FieldClass::Open || self.call.carries_contact()
    }

    /// The source of this name, as it is: a field needs to be one that may leave as it is.
    pub(super) fn source(
        &self,
        name: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Source> {
        if let Some(word) = WORDS.iter().find(|word| word.name == name) {
            if !(word.known)(self.call) {
                self.not_known(name, place, findings);
                return None;
            }
            return Some(word.source.clone());
        }
        if let Some((group, inner)) = name.split_once('.') {
            return self.named(group, inner, place, findings);
        }
        let Some(at) = self.field_named(name) else {
            self.unknown(name, place, findings);
            return None;
        };
        self.may_leave(at, None, place, findings).then_some(Source::Field(at))
    }

    /// The field of this name; the words above hide fields of the same name.
    fn field_named(&self, name: &str) -> Option<FieldIdx> {
        if WORDS.iter().any(|word| word.name == name) {
            return None;
        }
        self.shared.vertical.index(name)
    }

    /// `group.name`.
    fn named(
        &self,
        group: &str,
        name: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Source> {
        match group {
            "secret" => self.shared.secrets.required(name, place, findings).map(Source::Secret),
            "var" => self.var(name, place, findings),
            "let" => self.own_text(name, place, findings),
            "brand" => self.brand(name, place, findings),
            "ping" if self.call.has_sale() => {
                self.read_before("ping", name, place, findings)?;
                Some(Source::Ping(name.into()))
            }
            "pre" if matches!(self.call, Call::Ping | Call::Post) => {
                let stage = if self.call == Call::Ping { "pre_ping" } else { "pre_post" };
                self.read_before(stage, name, place, findings)?;
                Some(Source::Pre(name.into()))
            }
            "token" if self.call != Call::Token => {
                self.read_before("token", name, place, findings)?;
                Some(Source::Token(name.into()))
            }
            "post" if self.call.is_after_post() => {
                self.read_before("post", name, place, findings)?;
                Some(Source::Post(name.into()))
            }
            "ping" | "pre" | "token" | "post" => {
                self.not_known(&format!("{group}.{name}"), place, findings);
                None
            }
            _ => {
                self.unknown(&format!("{group}.{name}"), place, findings);
                None
            }
        }
    }

    fn var(&self, name: &str, place: &Place, findings: &mut Findings) -> Option<Source> {
        let vars = &self.shared.vars;
        if let Some(text) = vars.get(name) {
            return Some(Source::Fixed(Arc::clone(text)));
        }
        let help = match nearest(name, vars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `var.{near}`?"),
            None => format!("add `vars = {{ {name} = \"...\" }}` to this connector"),
        };
        let message = format!("the connector has no var `{name}`");
        findings.error("unknown_var", place.clone(), message, help);
        None
    }

    /// `let.name`, compiled for this stage.
    fn own_text(&self, name: &str, place: &Place, findings: &mut Findings) -> Option<Source> {
        let lets = &self.shared.lets;
        let Some((text, own_place)) = lets.get(name) else {
            let help = match nearest(name, lets.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `let.{near}`?"),
                None => format!("add `let = {{ {name} = \"...\" }}` to this connector"),
            };
            let message = format!("the connector has no `let.{name}`");
            findings.error("unknown_let", place.clone(), message, help);
            return None;
        };
        if self.lets >= LETS_MAX {
            let message = format!("`let` texts stand in each other more than {LETS_MAX} deep");
            let help = "one of them names itself, or another that names it".to_owned();
            findings.error("let_too_deep", own_place.clone(), message, help);
            return None;
        }
        let inside = Self { lets: self.lets.saturating_add(1), ..self.clone() };
        let text = inside.text(text, own_place, findings)?;
        Some(Source::Let(Arc::new(text)))
    }

    fn brand(&self, name: &str, place: &Place, findings: &mut Findings) -> Option<Source> {
        if !self.brand {
            let message = format!("`brand.{name}` is known inside `$each` only");
            let help = "write { \"$each\" = \"ping.brands\", ... } around it".to_owned();
            findings.error("not_known_here", place.clone(), message, help);
            return None;
        }
        let found = BRAND_PARTS.iter().find(|(part, _)| *part == name);
        if found.is_none() {
            let message = format!("a bid has no `{name}`");
            let help = "a bid has id, name, price and token".to_owned();
            findings.error("unknown_source", place.clone(), message, help);
        }
        found.map(|(_, part)| Source::Brand(*part))
    }

    /// Whether the reply of a stage names the value.
    fn read_before(
        &self,
        stage: &str,
        name: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<()> {
        let read = self.shared.names.of_stage(stage);
        if read.contains(name) {
            return Some(());
        }
        let group = if stage.starts_with("pre_") { "pre" } else { stage };
        let near = nearest(name, read.iter().map(String::as_str));
        let key = if stage == "ping" { "tokens" } else { "values" };
        let help = match near {
            Some(near) => format!("did you mean `{group}.{near}`?"),
            None if name == "token" => {
                format!("add `token = {{ at = \"...\" }}` to {stage}.reply")
            }
            None => format!("add `{key} = {{ {name} = {{ at = \"...\" }} }}` to {stage}.reply"),
        };
        let message = format!("no reply of `{stage}` names a value `{name}`");
        findings.error("unknown_source", place.clone(), message, help);
        None
    }

    /// A word that belongs to another stage.
    pub(super) fn not_known(&self, word: &str, place: &Place, findings: &mut Findings) {
        if word == "lead" {
            let what = self.what();
            let message = format!("`lead` holds contact data and may not leave in {what}");
            let help = "name the open fields one by one, or move it to the post body".to_owned();
            contact_in_ping(message, help, place, findings);
            return;
        }
        if matches!(self.call, Call::Ping | Call::PrePing) {
            let message = format!("`{word}` is not known when a ping is sent");
            let help = "move it to the post; a ping has `ping.id` and `source.alias`".to_owned();
            findings.error("not_in_ping", place.clone(), message, help);
            return;
        }
        let message = format!("`{word}` is not known in `{}`", self.call.key());
        let known: Vec<&str> =
            WORDS.iter().filter(|word| (word.known)(self.call)).map(|word| word.name).collect();
        let help = format!("known here are {}", known.join(", "));
        findings.error("not_known_here", place.clone(), message, help);
    }

    /// The stage in a sentence.
    pub(super) fn what(&self) -> String {
        match self.call {
            Call::Ping => "a ping".to_owned(),
            other => format!("`{}`", other.key()),
        }
    }

    fn unknown(&self, name: &str, place: &Place, findings: &mut Findings) {
        let vertical = self.shared.vertical;
        let names = self.own_names();
        let words = WORDS.iter().map(|word| word.name).chain(["lead"]);
        let all = vertical.names().chain(words).chain(names.iter().map(String::as_str));
        let help = match nearest(name, all) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are in the vertical `{}`", vertical.id()),
        };
        let message = format!("vertical `{}` has no field `{name}`", vertical.id());
        findings.error("unknown_field", place.clone(), message, help);
    }

    /// The names that only this connector has, for suggestions.
    fn own_names(&self) -> Vec<String> {
        let names = &self.shared.names;
        let vars = self.shared.vars.keys().map(|name| format!("var.{name}"));
        let ping = names.ping.iter().map(|name| format!("ping.{name}"));
        let post = names.post.iter().map(|name| format!("post.{name}"));
        let token = names.token.iter().map(|name| format!("token.{name}"));
        let pre = names.pre_ping.iter().chain(&names.pre_post).map(|name| format!("pre.{name}"));
        let lets = self.shared.lets.keys().map(|name| format!("let.{name}"));
        vars.chain(lets).chain(ping).chain(post).chain(token).chain(pre).collect()
    }

    /// The privacy check: contact data leaves outside of a post only through an anonymiser, a hash
    /// of it only with a written reason, a secret field never.
    fn may_leave(
        &self,
        at: FieldIdx,
        how: Option<Anonymiser>,
        place: &Place,
        findings: &mut Findings,
    ) -> bool {
        let field = self.shared.vertical.field(at);
        let (name, what) = (&field.name, self.what());
        let message = match (field.class, how) {
            (FieldClass::Secret, _) => {
                let message = format!("`{name}` is of class secret and never leaves the exchange");
                let help = "leave it out".to_owned();
                if self.call.carries_contact() {
                    findings.error("secret_field", place.clone(), message, help);
                } else {
                    contact_in_ping(message, help, place, findings);
                }
                return false;
            }
            (FieldClass::Contact, _) if self.call.carries_contact() => return true,
            (FieldClass::Contact, how) if how.is_none() || !self.call.has_lead() => {
                let message = format!("`{name}` is contact data and may not leave in {what}");
                contact_in_ping(message, anonymise_help(field, self.call), place, findings);
                return false;
            }
            (FieldClass::Contact, Some(how)) if how.is_hash() && !self.hashed.contains(&at) => {
                let message =
                    format!("a hash of `{name}` is not anonymous and may not leave in {what}");
                let help = format!(
                    "add `allow_hashed = {{ {name} = \"why, and who agreed\" }}` to this {}, or leave it out",
                    if self.call == Call::Ping { "ping" } else { "stage" }
                );
                contact_in_ping(message, help, place, findings);
                return false;
            }
            (FieldClass::Open, _) if !self.call.has_lead() => {
                format!("`{name}` is not known in {what}: the lead is not at hand")
            }
            _ => return true,
        };
        let help = "say `lead_id`, or a value that an earlier reply has named".to_owned();
        findings.error("not_known_here", place.clone(), message, help);
        false
    }
}

/// Types whose text may hold a phone, a date or anything else.
pub(super) fn is_free_text(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. })
}
