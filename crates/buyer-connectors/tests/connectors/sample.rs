//! The sample exchange's buyers compile, and their requests are what their specifications show.

use std::fmt::Write as _;
use std::time::Duration;

use buyer_connectors::{EncodeError, PostContext, Request};
use exchange_model::outcome::Handles;
use exchange_model::{AttemptId, Currency, LeadId, Money, PostPermit, Timestamp};
use expect_test::expect_file;

use crate::world::{compile_file, config, lead, listed, permit, ping_request, post_request, today};

pub(crate) fn shown(request: &Request, out: &mut String) {
    writeln!(out, "{} {}", request.method, request.uri).expect("writing to a string");
    let mut headers: Vec<String> = request
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "accept" | "accept-encoding" | "user-agent"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .collect();
    headers.sort();
    for header in headers {
        writeln!(out, "{header}").expect("writing to a string");
    }
    let body = String::from_utf8_lossy(&request.body);
    writeln!(out, "\n{body}\n").expect("writing to a string");
}

#[test]
fn every_sample_buyer_compiles_and_its_requests_are_as_recorded() {
    let mut paths: Vec<_> = std::fs::read_dir(config("buyers"))
        .expect("the sample's buyers")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 6);
    let mut out = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a buyer's file");
        let (connectors, findings) = compile_file("buyer.toml", &text);
        assert!(findings.is_empty(), "{}: {}", path.display(), listed(&findings));
        for (campaign, connector) in connectors.iter() {
            writeln!(out, "=== {campaign}").expect("writing to a string");
            if connector.has_ping() {
                shown(&ping_request(connector), &mut out);
            }
            shown(&post_request(connector, "tok/1&<\"").0, &mut out);
        }
    }
    expect_file!["sample_requests.txt"].assert_eq(&out);
}

#[test]
fn a_post_is_written_only_with_the_permit_of_its_lead_and_campaign() {
    let (connectors, _) = compile_file(
        "buyer.toml",
        &std::fs::read_to_string(config("buyers/acme_mutual.toml")).expect("a buyer's file"),
    );
    let (campaign, connector) = connectors.iter().next().expect("a campaign");
    let (lead, today) = (lead(), today());
    let context = PostContext {
        ping_id: None,
        token: None,
        price: Money::zero(Currency::USD),
        source_alias: "S1",
        idempotency_key: "k",
        floor: None,
        callback_url: None,
        now: Timestamp::default(),
        time_left: Duration::ZERO,
        today,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let written = |permit| connector.encode_post(&lead, &permit, &context).map(|_| ());
    assert_eq!(written(permit(&lead, campaign)), Ok(()));
    let other = "acme_mutual/other".parse().expect("a campaign's name");
    assert_eq!(written(permit(&lead, &other)), Err(EncodeError::WrongPermit));
    let stranger = AttemptId::new(LeadId::from_bytes([1; 16]), 1);
    let strange = PostPermit::issue(stranger, campaign.clone());
    assert_eq!(written(strange), Err(EncodeError::WrongPermit));
}

#[test]
fn nothing_prints_a_secret_or_contact_data() {
    let text = std::fs::read_to_string(config("buyers/acme_mutual.toml")).expect("a buyer's file");
    let (connectors, _) = compile_file("buyer.toml", &text);
    for (_, connector) in connectors.iter() {
        let (request, permit) = post_request(connector, "t");
        let printed = format!("{connector:?} {request:?} {permit:?}");
        assert!(!printed.contains("S-acme") && !printed.contains("5125550134"), "{printed}");
    }
}
