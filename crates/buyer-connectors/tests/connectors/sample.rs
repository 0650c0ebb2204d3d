//! The sample exchange's buyers compile, and their requests are what their specifications show.

use std::fmt::Write as _;

use buyer_connectors::Request;
use expect_test::expect_file;

use crate::world::{compile_file, config, listed, ping_request, post_request};

fn shown(request: &Request, out: &mut String) {
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
