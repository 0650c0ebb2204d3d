//! The stream of leads, and the sample's vertical as its judge.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use exchange_model::lead::{IntakeFields, Intaken, intake};
use exchange_model::timestamp::Date;
use exchange_model::{Document, Findings, LeadId, SourceFile, Stage, Vertical};

use super::*;

fn first(plan: LeadPlan, count: usize) -> Vec<Lead> {
    Leads::new(plan).take(count).collect()
}

#[test]
fn a_seed_makes_the_same_leads_and_another_seed_makes_others() {
    assert_eq!(first(LeadPlan::realistic(7), 200), first(LeadPlan::realistic(7), 200));
    assert_ne!(first(LeadPlan::realistic(7), 5), first(LeadPlan::realistic(8), 5));
}

#[test]
fn a_valid_lead_has_all_its_fields_in_the_right_shape() {
    for lead in first(LeadPlan::default(), 2000) {
        let json = lead.json();
        assert_eq!(lead.expectation, Expectation::Valid);
        assert_eq!(lead.field("zip").len(), 5);
        assert_eq!(lead.field("state").len(), 2);
        let phone = lead.field("phone");
        assert_eq!(phone.len(), 10);
        assert_eq!(phone.get(3..6), Some("555"));
        assert!(lead.field("email").ends_with("@example.com"));
        assert!(json["vehicle_year"].as_u64().unwrap() >= 1995);
        assert!(json["currently_insured"].is_boolean());
        let born: u64 = lead.field("birth_date").split('-').next().unwrap().parse().unwrap();
        assert!((1945..=2007).contains(&born), "{born}");
    }
}

#[test]
fn zip_state_and_area_code_belong_together() {
    for lead in first(LeadPlan::default(), 500) {
        let place = places::PLACES.iter().find(|place| place.zip == lead.field("zip")).unwrap();
        assert_eq!(place.state, lead.field("state"));
        assert!(lead.field("phone").starts_with(place.area_code));
    }
}

#[test]
fn people_are_distinct_unless_duplicates_are_asked_for() {
    let leads = first(LeadPlan::default(), 20_000);
    let distinct = |name: &str| leads.iter().map(|lead| lead.field(name)).collect::<HashSet<_>>();
    assert_eq!(distinct("phone").len(), leads.len());
    assert_eq!(distinct("email").len(), leads.len());
}

#[test]
fn duplicates_and_flaws_come_at_about_their_rates() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut phones = HashSet::new();
    for lead in first(LeadPlan::realistic(3), 10_000) {
        let known = !phones.insert(lead.field("phone"));
        let kind = match lead.expectation {
            Expectation::Valid => "valid",
            Expectation::Duplicate => "duplicate",
            Expectation::Invalid(_) => "invalid",
        };
        if kind == "duplicate" {
            assert!(known, "{lead:?}");
        }
        *seen.entry(kind.to_owned()).or_default() += 1;
    }
    assert!((300..500).contains(&seen["duplicate"]), "{seen:?}");
    assert!((200..400).contains(&seen["invalid"]), "{seen:?}");
}

#[test]
fn the_form_says_what_the_json_says() {
    let lead = first(LeadPlan::default(), 1).remove(0);
    let pairs: BTreeMap<_, _> =
        form_urlencoded::parse(lead.form().as_bytes()).into_owned().collect();
    for (name, value) in lead.json().as_object().unwrap() {
        assert_eq!(pairs[name], text_of(value), "{name}");
    }
}

#[test]
fn a_ping_leaves_out_what_only_a_post_carries() {
    let ping = first(LeadPlan::default(), 1).remove(0).ping_json();
    assert!(ping.get("zip").is_some());
    for name in POST_ONLY {
        assert!(ping.get(name).is_none(), "{name}");
    }
}

#[test]
fn every_canary_value_is_unique() {
    let plan = LeadPlan { canaries: true, ..LeadPlan::default() };
    let mut seen = HashSet::new();
    for lead in first(plan, 10_000) {
        let canaries = lead.canaries();
        assert_eq!(canaries.len(), 5);
        for canary in canaries {
            assert!(seen.insert(canary.value.clone()), "{} repeats", canary.field);
        }
    }
}

/// The vertical of the sample configuration.
fn vertical() -> Arc<Vertical> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../../config/verticals/auto_insurance.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let file = Arc::new(SourceFile { path: "auto_insurance.toml".into(), text });
    let mut findings = Findings::new();
    let document = Document::parse(file, &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings).unwrap();
    assert!(findings.is_empty(), "{:?}", findings.sorted());
    vertical
}

/// Takes the lead in as the exchange would; else the names of the fields that are wrong.
fn take_in(vertical: &Arc<Vertical>, stage: Stage, sent: &Value) -> Result<Intaken, Vec<String>> {
    let fields = sent.as_object().unwrap().iter();
    let fields: Vec<_> = fields
        .filter(|(name, _)| *name != "seller_lead_id")
        .map(|(name, value)| (name.clone(), text_of(value)))
        .collect();
    let today = Date::constant(2026, 11, 23);
    let from = IntakeFields {
        stage,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today,
    };
    intake(LeadId::from_bytes([7; 16]), vertical, from)
        .map_err(|errors| errors.into_iter().map(|error| error.field).collect())
}

#[test]
fn the_sample_vertical_takes_what_is_valid_and_names_what_is_not() {
    let vertical = vertical();
    let plain = first(LeadPlan::realistic(11), 3000);
    let canaries = first(LeadPlan { canaries: true, ..LeadPlan::default() }, 500);
    for lead in plain.iter().chain(&canaries) {
        let taken = take_in(&vertical, Stage::Post, &lead.json());
        match lead.expectation {
            Expectation::Valid | Expectation::Duplicate => {
                assert!(taken.unwrap().unknown.is_empty());
                assert!(take_in(&vertical, Stage::Ping, &lead.ping_json()).is_ok());
            }
            Expectation::Invalid(flaw) => assert_eq!(taken.unwrap_err(), [flaw.field()]),
        }
    }
}
