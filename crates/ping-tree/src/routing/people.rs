//! Rules about the person behind a lead, from the tables of sources and campaigns.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::finding::nearest;
use exchange_model::{Brand, FieldClass, Findings, Place, TableReader, Vertical, VerticalId};

use crate::person::{
    CONSENT_NAMES_MAX, Consent, DuplicateRule, DuplicateScope, LISTS_MAX, PersonRules, is_list_name,
};
use crate::routing::Routing;
use crate::routing::reading::{bounded, require};

/// Farthest back that duplicates are looked for.
const DUPLICATE_WINDOW_MAX: Duration = Duration::from_secs(400 * 86_400);
/// Farthest back that a resubmission is looked for.
const RESUBMISSION_WINDOW_MAX: Duration = Duration::from_secs(86_400);

/// Keys of a campaign that are read here, once its vertical is known.
pub(super) const CAMPAIGN_KEYS: &[&str] = &["duplicates", "suppress", "consent", "consent_names"];

const SOURCE_SCOPES: &[(&str, DuplicateScope)] = &[
    ("source", DuplicateScope::Source),
    ("seller", DuplicateScope::Seller),
    ("vertical", DuplicateScope::Vertical),
];
const CAMPAIGN_SCOPES: &[(&str, DuplicateScope)] =
    &[("campaign", DuplicateScope::Campaign), ("buyer", DuplicateScope::Buyer)];

/// A source's `duplicates`.
pub(super) fn sold_before(
    table: &mut TableReader<'_>,
    vertical: Option<&Vertical>,
    findings: &mut Findings,
) -> Option<DuplicateRule> {
    let form = Form { key: "duplicates", most: DUPLICATE_WINDOW_MAX, scopes: SOURCE_SCOPES };
    form.read(table, vertical, findings)
}

/// A source's `resubmissions`.
pub(super) fn resubmissions(
    table: &mut TableReader<'_>,
    vertical: Option<&Vertical>,
    findings: &mut Findings,
) -> Option<DuplicateRule> {
    let form = Form { key: "resubmissions", most: RESUBMISSION_WINDOW_MAX, scopes: &[] };
    form.read(table, vertical, findings)
}

/// What a campaign asks about the person; its buyer's title is the name that consent must hold.
pub(super) fn of_campaign(
    table: &mut TableReader<'_>,
    title: &str,
    vertical: &Vertical,
    findings: &mut Findings,
) -> PersonRules {
    let form = Form { key: "duplicates", most: DUPLICATE_WINDOW_MAX, scopes: CAMPAIGN_SCOPES };
    let place = |table: &TableReader<'_>, span: std::ops::Range<usize>| table.place(span);
    let at = |table: &mut TableReader<'_>, key| table.node(key).map(|node| node.span.clone());
    let duplicates_place = at(table, "duplicates").map(|span| place(table, span));
    let suppress_place = at(table, "suppress").map(|span| place(table, span));
    let consent_place = at(table, "consent").map(|span| place(table, span));
    PersonRules {
        duplicates: form.read(table, Some(vertical), findings),
        duplicates_place,
        suppress: suppress(table, findings),
        suppress_place,
        consent: consent(table, title, findings),
        consent_place,
    }
}

/// The fields that rules look at, by vertical.
pub(super) fn fields(routing: &Routing) -> BTreeMap<VerticalId, Vec<String>> {
    let mut fields: BTreeMap<VerticalId, BTreeSet<String>> = BTreeMap::new();
    let mut add = |vertical: &Vertical, rule: &DuplicateRule| {
        fields.entry(vertical.id().clone()).or_default().extend(rule.on.iter().cloned());
    };
    for campaign in routing.campaigns() {
        campaign.person.duplicates.iter().for_each(|rule| add(&campaign.vertical, rule));
    }
    for source in routing.sources() {
        let Some(tree) = routing.tree(source.first_tree()) else { continue };
        let rules = source.duplicates.iter().chain(&source.resubmissions);
        rules.for_each(|rule| add(&tree.vertical, rule));
    }
    fields.into_iter().map(|(id, names)| (id, names.into_iter().collect())).collect()
}

/// How a rule about duplicates is written in one place.
struct Form {
    key: &'static str,
    most: Duration,
    /// What may be written as its scope; the first is meant where nothing is.
    scopes: &'static [(&'static str, DuplicateScope)],
}

impl Form {
    fn read(
        &self,
        table: &mut TableReader<'_>,
        vertical: Option<&Vertical>,
        findings: &mut Findings,
    ) -> Option<DuplicateRule> {
        let mut rule = table.table(self.key, findings)?;
        require(&mut rule, "window", "\"30d\"", findings);
        require(&mut rule, "on", "[\"phone\", \"email\"]", findings);
        let window = bounded(&mut rule, "window", self.most, findings);
        let on = rule.strings("on", findings);
        let scope = self.scope(&mut rule, findings);
        rule.finish(findings);
        let on: Vec<String> = on?
            .iter()
            .filter(|name| vertical.is_none_or(|vertical| is_contact(name, vertical, findings)))
            .map(|name| name.value.to_owned())
            .collect();
        let window = window?.value;
        (!on.is_empty()).then_some(DuplicateRule { window, on, scope })
    }

    fn scope(&self, rule: &mut TableReader<'_>, findings: &mut Findings) -> DuplicateScope {
        let Some((_, usual)) = self.scopes.first() else { return DuplicateScope::Source };
        rule.one_of("scope", self.scopes, findings).map_or(*usual, |scope| scope.value)
    }
}

/// Duplicates are the same person, so they are found by what identifies one.
fn is_contact(name: &Spanned<&str>, vertical: &Vertical, findings: &mut Findings) -> bool {
    let contact = || {
        let all = vertical.fields().filter(|(_, field)| field.class == FieldClass::Contact);
        all.map(|(_, field)| field.name.as_str())
    };
    if contact().any(|field| field == name.value) {
        return true;
    }
    let id = vertical.id();
    let (code, message) = match vertical.index(name.value) {
        Some(_) => ("not_contact", format!("`{}` does not identify a person", name.value)),
        None => ("unknown_field", format!("`{id}` has no field called `{}`", name.value)),
    };
    let help = match nearest(name.value, contact()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name contact fields: {}", contact().collect::<Vec<_>>().join(", ")),
    };
    findings.error(code, name.place.clone(), message, help);
    false
}

fn suppress(table: &mut TableReader<'_>, findings: &mut Findings) -> Vec<String> {
    let lists = table.strings("suppress", findings).unwrap_or_default();
    if let Some(first) = lists.get(LISTS_MAX) {
        let message = format!("a campaign has at most {LISTS_MAX} suppression lists");
        let help = "import them into one list".to_owned();
        findings.error("too_many_lists", first.place.clone(), message, help);
    }
    let mut names: Vec<String> = Vec::with_capacity(lists.len());
    for list in &lists {
        if is_list_name(list.value) {
            names.push(list.value.to_owned());
        } else {
            let message = format!("`{}` is no name of a list", list.value);
            let help = "a name is 1 to 64 of a-z, 0-9, `_` and `-`".to_owned();
            findings.error("bad_name", list.place.clone(), message, help);
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn consent(table: &mut TableReader<'_>, title: &str, findings: &mut Findings) -> Consent {
    let written = table.node("consent").is_some();
    let named = table.one_of("consent", &[("any", false), ("named", true)], findings);
    if written && named.is_none() {
        let _read_when_the_word_is_right = table.node("consent_names");
        return Consent::Any;
    }
    let names = table.strings("consent_names", findings);
    match (named.is_some_and(|named| named.value), names) {
        (true, None) => Consent::Named(vec![Brand::new(title)]),
        (true, Some(names)) => Consent::Named(brands(&names, findings)),
        (false, Some(names)) => {
            if let Some(place) =
                names.first().map(|name: &Spanned<&str>| -> Place { name.place.clone() })
            {
                let message = "nothing is asked of these names".to_owned();
                let help = "write `consent = \"named\"` beside them".to_owned();
                findings.error("unused_names", place, message, help);
            }
            Consent::Any
        }
        (false, None) => Consent::Any,
    }
}

fn brands(names: &[Spanned<&str>], findings: &mut Findings) -> Vec<Brand> {
    for name in names.iter().filter(|name| name.value.trim().is_empty()) {
        let message = "nobody has this name".to_owned();
        findings.error("bad_name", name.place.clone(), message, "remove it".to_owned());
    }
    if let Some(first) = names.get(CONSENT_NAMES_MAX) {
        let message = format!("a campaign has at most {CONSENT_NAMES_MAX} names");
        let help = "leave out those that nobody sends".to_owned();
        findings.error("too_many_names", first.place.clone(), message, help);
    }
    names.iter().map(|name| Brand::new(name.value)).collect()
}
