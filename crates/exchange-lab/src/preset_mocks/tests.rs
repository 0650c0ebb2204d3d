//! Scripts are read strictly, and a mock knows its calls.

use std::sync::Arc;

use buyer_connectors::Preset;
use exchange_model::{Document, Findings, SourceFile};

use super::stages::Stages;
use super::{Part, read_script};
use crate::faults::Fault;
use crate::mock_buyers::RequestKind;

fn script(text: &str) -> (Vec<Part>, Vec<String>) {
    let file = SourceFile { path: "mocks.toml".into(), text: text.to_owned() };
    let mut findings = Findings::new();
    let document = Document::parse(Arc::new(file), &mut findings).unwrap();
    let parts = read_script(&document, &mut findings);
    let told = |finding: &exchange_model::Finding| format!("{}: {}", finding.code, finding.message);
    (parts, findings.sorted().into_iter().map(told).collect())
}

#[test]
fn a_script_says_everything_a_mock_does() {
    let (parts, findings) = script(
        r#"
        seed = 7
        [[buyer]]
        preset = "generic_json"
        name = "acme"
        port = 9101
        bid = { from = "8.00", to = "8.02" }
        latency = { from = "20ms", to = "180ms" }
        no_bid = "2.5%"
        reject = "10%"
        pending = "5%"
        pending_asks = 3
        counter = { share = "100%", price = "6.00" }
        repeats = "same"
        faults = { ping = { hang = "100%" }, post = { 503 = "100%" } }
        "#,
    );
    assert_eq!(findings, [""; 0]);
    let [part] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!((part.name.as_str(), part.port, part.seed), ("acme", 9101, 7));
    assert_eq!((part.no_bid, part.reject, part.pending, part.pending_asks), (25, 100, 50, 3));
    assert_eq!(part.counter.map(|counter| counter.price.to_string()), Some("6.00".to_owned()));
    assert_eq!(part.bid.price(2).to_string(), "8.02");
    assert_eq!(part.faults.fault(RequestKind::Ping, 0), Fault::Hang);
    assert_eq!(part.faults.fault(RequestKind::Post, 0), Fault::Status(503));
}

#[test]
fn a_mistake_in_a_script_is_named_and_nothing_is_guessed() {
    let one = |line: &str| script(&format!("[[buyer]]\npreset = \"generic_json\"\n{line}\n"));
    for (line, wanted) in [
        ("bid = 12.5", "wrong_type"),
        ("bid = \"-1\"", "wrong_type"),
        ("bid = { from = \"9\", to = \"8\" }", "wrong_type"),
        ("latency = { from = \"20ms\" }", "wrong_type"),
        ("latency = \"2h\"", "wrong_type"),
        ("no_bid = \"101%\"", "bad_value"),
        ("no_bid = 0.1", "wrong_type"),
        ("counter = { share = \"1%\" }", "missing_key"),
        ("faults = { ping = { hnag = \"1%\" } }", "unknown_key"),
        ("rejct = \"1%\"", "unknown_key"),
        ("repeats = \"never\"", "unknown_word"),
    ] {
        let (parts, findings) = one(line);
        assert!(parts.is_empty(), "{line}: {parts:?}");
        assert!(findings.iter().any(|found| found.starts_with(wanted)), "{line}: {findings:?}");
    }
    assert!(script("[[buyer]]\npreset = \"generic_jsno\"\n").1[0].contains("generic_jsno"));
    assert!(script("seed = 1\n").1[0].starts_with("bad_buyer_count"));
}

const ONE_ADDRESS: &str = r#"
title = "One address for everything"
[mock]
post = '"request":"full"'
[connector.ping]
url = "https://{{ var.host }}/api.php?key={{ secret.key }}"
[connector.post]
like = "ping"
[connector.status]
url = "https://{{ var.host }}/lead/{{ post.ref }}/status"
[connector.void]
url = "https://{{ var.host }}/lead/{{ post.ref }}"
"#;

#[test]
fn a_call_is_known_by_its_mark_and_else_by_its_address() {
    let preset = Preset { name: "one_address", title: "", text: ONE_ADDRESS };
    let stages = Stages::of(&preset);
    assert_eq!(stages.names(), ["ping", "post", "status", "void"]);
    let stage = |path: &str, text: &str| stages.stage(path, text).map(str::to_owned);
    assert_eq!(stage("/api.php", "{\"request\":\"full\"}").as_deref(), Some("post"));
    assert_eq!(stage("/api.php", "{\"request\":\"ping\"}").as_deref(), Some("ping"));
    assert_eq!(stage("/lead/mk1/status", "").as_deref(), Some("status"));
    assert_eq!(stage("/lead/mk1", "").as_deref(), Some("void"));
    assert_eq!(stage("/other", ""), None);
}
