//! What is wrong with a config, where, and what to write instead.
//!
//! A fixture holds the files that differ from the base exchange, each after a line `## path`; what
//! is found is in the file of the same name that ends in `.expected`.

use std::path::Path;

use expect_test::expect_file;

use crate::exchange::Files;

fn files(fixture: &str) -> Files {
    fixture.split("## ").skip(1).fold(Files::base(), |files, part| {
        let (path, text) = part.split_once('\n').unwrap();
        files.with(path.trim(), text)
    })
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place_and_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/errors");
    let mut fixtures: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    fixtures.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert!(fixtures.len() >= 8, "the fixtures are gone");
    for path in fixtures {
        let found = files(&std::fs::read_to_string(&path).unwrap()).load().rendered();
        expect_file![path.with_extension("expected")].assert_eq(&found);
    }
}

#[test]
fn the_base_exchange_has_no_findings() {
    assert_eq!(Files::base().load().rendered(), "");
}

#[test]
fn the_sample_exchange_has_no_findings() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let exchange = Files::under(&sample).load();
    assert_eq!(exchange.rendered(), "");
    assert!(exchange.tests.iter().all(|file| !file.cases.is_empty()));
}

#[test]
fn what_cannot_be_read_is_left_out_and_the_rest_stands() {
    let exchange =
        Files::base().edited("buyers/acme_mutual.toml", "mode = \"bid\"", "mode = \"bit\"").load();
    let members = |tree: &ping_tree::Tree| tree.members().count();
    assert_eq!(exchange.routing.campaigns().count(), 3);
    assert_eq!(members(exchange.routing.trees().next().unwrap()), 3);
    assert_eq!(exchange.findings.len(), 1, "{}", exchange.rendered());
}

#[test]
fn a_list_of_the_wrong_kind_is_reported_briefly() {
    let exchange =
        Files::base().with("lists/blocked_zips.txt", &"not a zip\n".repeat(50_000)).load();
    assert_eq!(exchange.findings.len(), 21);
    let too_long = Files::base().with("lists/blocked_zips.txt", &"\n".repeat(1_000_001)).load();
    assert!(too_long.rendered().contains("list_too_long"));
}
