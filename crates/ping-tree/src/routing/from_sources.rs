//! Whose leads a campaign takes: `sources = ["a/b"]` or `sources = { not = ["a/b"] }`.
//!
//! Campaigns are read before sellers, so what the names mean is checked once those are known.

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::{Findings, Place, SourceId, TableReader};

use crate::campaign::FromSources;
use crate::routing::names::Declared;

/// A source that a campaign names.
#[derive(Clone, Debug)]
pub(crate) struct NamedSource {
    name: String,
    place: Place,
}

/// Reads `sources` and where it is written; the names are added to `named`.
pub(super) fn from_sources(
    table: &mut TableReader<'_>,
    named: &mut Vec<NamedSource>,
    findings: &mut Findings,
) -> (FromSources, Option<Place>) {
    let Some(node) = table.node("sources") else { return (FromSources::All, None) };
    let place = Some(table.place(node.span.clone()));
    let (these, all_but) = if let NodeKind::Table(_) = &node.kind {
        let Some(mut inner) = table.table("sources", findings) else {
            return (FromSources::All, place);
        };
        if inner.node("not").is_none() {
            inner.missing("not", "[\"quotekart/search\"]", findings);
        }
        let these = ids(inner.strings("not", findings).unwrap_or_default(), named, findings);
        inner.finish(findings);
        (these, true)
    } else {
        (ids(table.strings("sources", findings).unwrap_or_default(), named, findings), false)
    };
    if these.is_empty()
        && !all_but
        && matches!(&node.kind, NodeKind::Array(items) if items.is_empty())
    {
        let message = "a campaign without sources takes no lead".to_owned();
        let help = "name a source, remove the key, or write `status = \"paused\"`".to_owned();
        findings.error("never_matches", table.place(node.span.clone()), message, help);
    }
    (if all_but { FromSources::AllBut(these) } else { FromSources::Only(these) }, place)
}

fn ids(
    names: Vec<Spanned<&str>>,
    named: &mut Vec<NamedSource>,
    findings: &mut Findings,
) -> Vec<SourceId> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        match name.value.parse() {
            Ok(id) => {
                ids.push(id);
                named.push(NamedSource { name: name.value.to_owned(), place: name.place });
            }
            Err(_no_name) => {
                let message = format!("`{}` is no name of a source", name.value);
                let help = "write seller/source, like \"quotekart/search\"".to_owned();
                findings.error("bad_value", name.place, message, help);
            }
        }
    }
    ids.sort();
    ids.dedup();
    ids
}

/// Reports names that no source has.
pub(super) fn check(named: &[NamedSource], names: &Declared, findings: &mut Findings) {
    for source in named {
        names.sources.check(&source.name, &source.place, "", findings);
    }
}
