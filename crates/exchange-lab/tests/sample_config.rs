//! The sample exchange in `config/`, read by the crates that will run it.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use exchange_core::auction::Delivery;
use exchange_model::{Document, Findings, SourceFile, Vertical};
use ping_tree::{Campaign, Routing, Sources, TestCase, TestFile};

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn file(path: &str) -> Option<Arc<SourceFile>> {
    let text = std::fs::read_to_string(config().join(path)).ok()?;
    Some(Arc::new(SourceFile { path: path.into(), text }))
}

/// The documents of one folder, by name.
fn documents(folder: &str, findings: &mut Findings) -> Vec<Document> {
    let entries = std::fs::read_dir(config().join(folder)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".toml"));
    names.sort();
    let parse =
        |name: String| Document::parse(file(&format!("{folder}/{name}")).unwrap(), findings);
    names.into_iter().map(parse).collect::<Option<_>>().unwrap()
}

fn routing(findings: &mut Findings) -> Routing {
    let verticals: BTreeMap<_, _> = documents("verticals", findings)
        .iter()
        .filter_map(|document| Vertical::read(document, findings))
        .map(|vertical| (vertical.id().clone(), vertical))
        .collect();
    let buyers = documents("buyers", findings);
    let sellers = documents("sellers", findings);
    let trees = documents("trees", findings);
    let sources = Sources {
        verticals: &verticals,
        buyers: &buyers,
        sellers: &sellers,
        trees: &trees,
        groups: None,
        lists: &file,
    };
    ping_tree::compile(&sources, findings)
}

/// The tests of every file.
fn cases(routing: &Routing, findings: &mut Findings) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for document in documents("tests", findings) {
        cases.extend(TestFile::read(&document, routing, findings).cases);
    }
    cases
}

fn assert_clean(findings: &Findings) {
    let lines: Vec<_> = findings
        .sorted()
        .into_iter()
        .map(|f| {
            format!("{:?} {} ({})", f.place.as_ref().map(|p| p.file_line()), f.message, f.help)
        })
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn the_routing_has_no_finding_not_even_a_warning() {
    let mut findings = Findings::new();
    let routing = routing(&mut findings);
    assert_clean(&findings);
    assert_eq!(routing.buyers().count(), 8);
    assert_eq!(routing.campaigns().count(), 12);
    assert_eq!(routing.sources().count(), 3);
    assert_eq!(routing.trees().map(|tree| tree.tiers.len()).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn the_operators_tests_are_readable() {
    let mut findings = Findings::new();
    let routing = routing(&mut findings);
    let tests = cases(&routing, &mut findings);
    assert_clean(&findings);
    assert_eq!(tests.len(), 22);
}

#[test]
fn the_operators_tests_pass() {
    let mut findings = Findings::new();
    let routing = routing(&mut findings);
    for case in cases(&routing, &mut findings) {
        let delivery = |campaign: &Campaign| Delivery {
            typical: None,
            ping: (campaign.connector != "form").then_some(Duration::from_millis(700)),
            post: Duration::from_millis(1200),
            ..Delivery::none()
        };
        let result = exchange_core::operator_test::run(&case, delivery);
        let said: Vec<_> = result.mismatches.iter().map(|m| m.message.clone()).collect();
        assert!(result.passed(), "{}: {}", result.name, said.join("; "));
    }
}
