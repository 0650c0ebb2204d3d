//! The shipped presets: each is usable with what it asks for and nothing else, and reads the answers
//! that it says its buyers give.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    AfterContext, CallbackCall, Connector, Example, Need, PingContext, PostContext, Preset,
    RawReply, Request, compile_for_test, presets,
};
use exchange_model::outcome::{
    Acceptance, BidToken, Brand, Handles, PingAnswer, PostAnswer, Resolver,
};
use exchange_model::reason::{NoBid, RejectClass, Rejection};
use exchange_model::{Currency, Findings, Money, PingView, Timestamp};
use expect_test::expect_file;
use http::{HeaderMap, HeaderName};
use regex::Regex;

use crate::sample::shown;
use crate::world::{
    campaigns, compile_file, document, lead, listed, permit, ping_request, post_request, secrets,
    today, vertical,
};

/// What the answers are filled in with.
const VALUES: [(&str, &str); 4] =
    [("price", "12.50"), ("token", "T-1"), ("ref", "R-1"), ("reason", "some reason")];

fn all_of(preset: &Preset, of: fn(&Preset) -> Vec<Need>) -> Vec<Need> {
    let mut needs = preset.base().map(|base| all_of(base, of)).unwrap_or_default();
    needs.extend(of(preset));
    needs
}

/// A buyer's file with what the preset asks for, and nothing else.
fn buyer(preset: &Preset) -> String {
    let has_ping = preset.examples().iter().any(|example| example.stage == "ping");
    let mode = if has_ping { "bid" } else { "fixed" };
    let mut text = format!(
        "id = \"acme\"\n[[campaign]]\nid = \"auto\"\nconnector = \"main\"\nprice = {{ mode = \"{mode}\" }}\n[connector.main]\nextends = \"{}\"\n",
        preset.name
    );
    for need in all_of(preset, Preset::needs) {
        writeln!(text, "vars.{} = \"{}\"", need.name, need.example).expect("a string");
    }
    for secret in all_of(preset, Preset::secrets) {
        writeln!(text, "secrets.{} = \"fixture_key\"", secret.name).expect("a string");
    }
    text
}

pub(crate) fn connector(preset: &Preset) -> Arc<Connector> {
    let (connectors, findings) = compile_file("buyer.toml", &buyer(preset));
    assert!(findings.is_empty(), "{}:\n{}", preset.name, listed(&findings));
    Arc::clone(connectors.iter().next().expect("one campaign").1)
}

#[test]
fn every_preset_compiles_without_a_word_with_what_it_asks_for() {
    for preset in presets() {
        let connector = connector(preset);
        let post = post_request(&connector, "T-1").0;
        assert!(post.uri.host().is_some(), "{}", preset.name);
        if connector.has_ping() {
            assert!(ping_request(&connector).uri.host().is_some(), "{}", preset.name);
        }
    }
}

/// A bid with every token that the preset sends back, and two companies.
fn bid(preset: &Preset) -> BidToken {
    let names = Regex::new(r"\{\{ *ping\.([A-Za-z_]+)").expect("a pattern");
    let chain = preset.base().map_or(preset.text, |base| base.text);
    let texts = [preset.text, chain];
    let found = texts.iter().flat_map(|text| names.captures_iter(text));
    let name = |found: regex::Captures<'_>| found.get(1).map(|name| name.as_str().to_owned());
    let tokens = found.filter_map(name).map(|name| (name.clone(), format!("<{name}>"))).collect();
    let brand = |id: &str, name: &str| Brand {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        price: None,
        token: None,
    };
    BidToken {
        tokens: Handles(tokens),
        brands: vec![brand("41", "Roof Co"), brand("42", "Gutter & Sons")],
        lifetime: None,
    }
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("an amount")
}

/// Every request of a preset, ping and post and the questions after it.
fn requests(preset: &Preset, out: &mut String) {
    let (connector, lead, token) = (connector(preset), lead(), bid(preset));
    let now = Timestamp::from_unix_millis(1_785_000_000_000);
    let url = Some("https://exchange.example/v1/callbacks/acme/1/sig");
    if connector.has_ping() {
        let context = PingContext {
            ping_id: "ping_1",
            source_alias: "S1",
            now,
            floor: Some(usd("9.00")),
            time_left: Duration::from_millis(640),
            callback_url: url,
            pre: Handles::none(),
            auth: Handles::none(),
        };
        let view = PingView::new(&lead, today());
        shown(&connector.encode_ping(&view, &context).expect("a ping"), out);
    }
    let context = PostContext {
        ping_id: Some("ping_1"),
        token: Some(&token),
        price: usd("12.50"),
        floor: Some(usd("9.00")),
        source_alias: "S1",
        idempotency_key: "att_1",
        callback_url: url,
        now,
        time_left: Duration::from_secs(8),
        today: today(),
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let permit = permit(&lead, connector.campaign());
    shown(&connector.encode_post(&lead, &permit, &context).expect("a post"), out);
    for how in [Resolver::Status, Resolver::Void] {
        let values = [("ref", "R-1"), ("queueId", "q-1")];
        let handles = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let context = AfterContext {
            lead: lead.id(),
            ping_id: Some("ping_1"),
            token: Some(&token),
            price: usd("12.50"),
            source_alias: "S1",
            idempotency_key: "att_1",
            handles: &Handles(handles.into()),
            now,
            auth: Handles::none(),
        };
        if let Ok(request) = connector.encode_ask(how, &context) {
            shown(&request, out);
        }
    }
}

#[test]
fn the_requests_of_every_preset_are_as_recorded() {
    let mut out = String::new();
    for preset in presets() {
        writeln!(out, "=== {}", preset.name).expect("a string");
        requests(preset, &mut out);
    }
    expect_file!["preset_requests.txt"].assert_eq(&out);
}

#[test]
fn what_a_preset_asks_for_is_missed_by_name() {
    for preset in presets() {
        let needs = all_of(preset, Preset::needs).len() + all_of(preset, Preset::secrets).len();
        let text = format!(
            "[[campaign]]\nid = \"auto\"\nconnector = \"main\"\n[connector.main]\nextends = \"{}\"\n",
            preset.name
        );
        let (_, findings) = compile_file("buyer.toml", &text);
        let missed = findings.sorted().iter().filter(|f| f.code == "preset_needs").count();
        assert_eq!(missed, needs, "{}: {}", preset.name, listed(&findings));
    }
}

fn headers(example: &Example) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &example.headers {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(name, value.parse().expect("a header's value"));
    }
    headers
}

/// What an answer is read as, in the words of the examples.
fn read(connector: &Connector, example: &Example) -> String {
    let example = example.filled(&VALUES);
    let headers = headers(&example);
    let body = example.body.as_bytes();
    let reply = RawReply { status: example.status, headers: &headers, body };
    match example.stage.as_str() {
        "ping" => ping_word(&connector.read_ping(&reply)),
        "post" => {
            let explained = connector.explain_post(&reply);
            let rule = explained.decided_by.and_then(|at| explained.rules.get(at));
            post_word(&connector.read_post(&reply), rule.is_some_and(|rule| rule.then == "error"))
        }
        "status" => post_word(&connector.read_ask(Resolver::Status, &reply), false),
        "void" => post_word(&connector.read_ask(Resolver::Void, &reply), false),
        "callback" => {
            let call = CallbackCall { query: "", headers: &headers, body };
            post_word(&connector.read_callback(&call), false)
        }
        stage => panic!("no stage is called {stage}"),
    }
}

fn ping_word(answer: &PingAnswer) -> String {
    match answer {
        PingAnswer::Bid { price, token } => {
            assert_eq!(price.amount_text(), "12.50");
            let token = token.clone().unwrap_or_default();
            // A dialect without tokens has none at all.
            assert!(token.tokens.is_empty() || token.tokens.0.values().any(|text| text == "T-1"));
            "bid".to_owned()
        }
        PingAnswer::Available { .. } => "bid".to_owned(),
        PingAnswer::NoBid(NoBid::Declined(why)) if why.class == RejectClass::Invalid => {
            "error".to_owned()
        }
        PingAnswer::NoBid(NoBid::Declined(why)) if why.class == RejectClass::Duplicate => {
            "duplicate".to_owned()
        }
        PingAnswer::NoBid(NoBid::Declined(_)) => "no_bid".to_owned(),
        PingAnswer::NoBid(NoBid::BuyerFailed) => "failed".to_owned(),
        PingAnswer::NoBid(other) => format!("no bid: {other}"),
    }
}

fn post_word(answer: &PostAnswer, error: bool) -> String {
    let word = match answer {
        PostAnswer::Accepted(Acceptance { price, buyer_ref, redirect_url, .. }) => {
            assert!(price.is_none_or(|price| price.amount_text() == "12.50"), "{price:?}");
            assert!(buyer_ref.as_ref().is_none_or(|own| own == "R-1"), "{buyer_ref:?}");
            let with_ref = |url: &String| url.contains("R-1") && url.starts_with("https://");
            assert!(redirect_url.as_ref().is_none_or(with_ref), "{redirect_url:?}");
            "accepted"
        }
        PostAnswer::Rejected(Rejection {
            counter: Some(price), class: RejectClass::Price, ..
        }) => {
            assert_eq!(price.amount_text(), "12.50");
            "counter"
        }
        PostAnswer::Rejected(_) if error => "error",
        PostAnswer::Rejected(why) if why.class == RejectClass::Duplicate => "duplicate",
        PostAnswer::Rejected(why) if why.class == RejectClass::Voided => "voided",
        PostAnswer::Rejected(_) => "rejected",
        PostAnswer::Pending(handles) => {
            let mut values = handles.0.values();
            assert!(handles.is_empty() || values.any(|text| text == "R-1"), "{handles:?}");
            "pending"
        }
        PostAnswer::Unknown(_) => "failed",
        PostAnswer::NotSent(_) => "not sent",
    };
    word.to_owned()
}

#[test]
fn every_example_is_read_by_its_presets_own_rules() {
    let mut wrong = Vec::new();
    for preset in presets() {
        let connector = connector(preset);
        let examples = preset.examples();
        for example in &examples {
            let read = read(&connector, example);
            if read != example.outcome {
                wrong.push(format!("{}: {example:?} is read as {read}", preset.name));
            }
        }
        let has = |stage: &str, outcome: &str| {
            examples.iter().any(|one| one.stage == stage && one.outcome == outcome)
        };
        assert!(has("post", "accepted") || has("post", "pending"), "{}", preset.name);
        assert_eq!(connector.has_ping(), has("ping", "bid"), "{}", preset.name);
        assert_eq!(connector.has_ping(), has("ping", "no_bid"), "{}", preset.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn calls_to_one_address_are_told_apart_by_what_the_preset_says() {
    for preset in presets() {
        let connector = connector(preset);
        if !connector.has_ping() {
            continue;
        }
        let (ping, post) = (ping_request(&connector), post_request(&connector, "T-1").0);
        let whole = |request: &Request| {
            format!("{}\n{}", request.uri, String::from_utf8_lossy(&request.body))
        };
        let told = preset.told_by();
        let stage_of = |text: &str| {
            let by_text = told.iter().find(|(_, mark)| text.contains(mark.as_str()));
            by_text.map(|(stage, _)| stage.clone())
        };
        if ping.uri.path() == post.uri.path() {
            assert_eq!(stage_of(&whole(&ping)).as_deref(), Some("ping"), "{}", preset.name);
            assert_eq!(stage_of(&whole(&post)).as_deref(), Some("post"), "{}", preset.name);
        }
    }
}

#[test]
fn maps_of_presets_have_names_of_their_own() {
    let mut seen = Vec::new();
    for preset in presets() {
        for line in preset
            .text
            .lines()
            .filter(|line| line.starts_with("[map.") || line.starts_with("[range."))
        {
            assert!(!seen.contains(&line), "{line} stands in two presets");
            seen.push(line);
        }
    }
}

#[test]
fn the_reference_lists_every_preset() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors.md");
    let page = std::fs::read_to_string(path).expect("the reference");
    for preset in presets() {
        let row = format!("| `{}` | {} |", preset.name, preset.title);
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn a_test_call_says_so_in_every_stage_and_a_lead_never_does() {
    let preset = Preset::named("boberdoo_xml").expect("a preset with a test switch");
    let document = document("buyer.toml", &buyer(preset));
    let uses = campaigns(&document, &vertical());
    let mut findings = Findings::new();
    let compiled = compile_for_test(&document, &uses, &|_| None, &secrets(), &mut findings);
    assert!(findings.is_empty(), "{}", listed(&findings));
    let test = compiled.iter().next().expect("one campaign").1;
    let live = connector(preset);
    let says = |request: &Request| String::from_utf8_lossy(&request.body).contains("Test_Lead=1");
    assert!(says(&ping_request(test)) && says(&post_request(test, "T-1").0));
    assert!(!says(&ping_request(&live)) && !says(&post_request(&live, "T-1").0));
}

#[test]
fn a_mistake_under_test_is_found_when_the_file_is_read() {
    let text = "[[campaign]]\nid = \"auto\"\nconnector = \"main\"\n[connector.main]\nextends = \"webhook\"\nvars.base = \"https://a.example\"\nsecrets.hook = \"fixture_key\"\ntest = { post = { bdy = { a = \"1\" } } }\n";
    let (_, findings) = compile_file("buyer.toml", text);
    let codes: Vec<_> = findings.sorted().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["unknown_key"], "{}", listed(&findings));
}

#[test]
fn a_fault_inside_a_preset_is_placed_in_the_preset() {
    let text = "[[campaign]]\nid = \"auto\"\nconnector = \"main\"\n[connector.main]\nextends = \"hubspot\"\nsecrets.token = \"fixture_key\"\nwithout = [\"post.url\"]\n";
    let (_, findings) = compile_file("buyer.toml", text);
    let place = findings.sorted().first().and_then(|finding| finding.place.clone());
    let place = place.expect("a place");
    assert_eq!(place.file.path, "preset:hubspot.toml", "{}", listed(&findings));
    assert_eq!(place.file.text.get(place.span), Some("post"));
}

/// Names of products are data: no file of the program's knows one.
#[test]
fn no_code_knows_a_preset_by_its_name() {
    let plain = ["generic", "rialto", "webhook", "adf"];
    let brands: Vec<&str> = presets()
        .iter()
        .map(|preset| preset.name.split('_').next().unwrap_or(preset.name))
        .filter(|name| !plain.contains(name))
        .chain(["prosper", "leadprosper", "salesforce", "clickpoint"])
        .filter(|name| *name != "lead")
        .collect();
    assert!(brands.contains(&"phonexa"));
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).expect("source").to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for brand in &brands {
            assert!(!words.contains(brand), "{} names {brand}", path.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else {
            all.push(path);
        }
    }
    all
}
