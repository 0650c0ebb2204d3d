//! The tools that connect a buyer: recorded replies, requests that are shown, buyers that are
//! played.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::cli::{Ran, run};
use crate::harness::process::command;
use crate::harness::site::{Site, SiteSettings};

const BUYER: &str = r#"
id = "tried"
time_zone = "America/Chicago"
billing = { terms = "prepaid" }

[[campaign]]
id = "auto"
vertical = "auto_insurance"
connector = "main"
price = { mode = "bid", ceiling = "60.00" }

[connector.main]
extends = "generic_json"
vars = { base = "https://api.tried.example" }
auth = [
  { scheme = "basic", user = "us", secret = "tried_password" },
  { scheme = "query", name = "key", secret = "tried_key" },
]
test = { ping = { body = { test = true } }, post = { body = { test = true } } }

[connector.main.ping.body]
zip = "{{ zip }}"
year = "{{ birth_date | year }}"
"#;
const SECRETS: [(&str, &str); 2] =
    [("tried_password", "pass-5d1f/77"), ("tried_key", "key-a8d5&60f4")];
/// The contact data of the sample vertical's example lead.
const CONTACT: [&str; 4] = ["5125550134", "sample@example.com", "1990-04-02", "Person"];

fn site() -> Site {
    let site = Site::of_sample(&SiteSettings::default());
    site.write("buyers/tried.toml", BUYER);
    for (name, value) in SECRETS {
        site.write(&format!("secrets/{name}"), value);
    }
    site
}

#[track_caller]
fn ended(ran: &Ran, code: i32) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
}

/// Runs `connector try` on one reply to a post.
fn tried(site: &Site, name: &str, reply: &str) -> Ran {
    site.write(name, reply);
    let file = site.path(name).display().to_string();
    let buyer = site.path("buyers/tried.toml").display().to_string();
    run(site, &["--json", "connector", "try", "--connector", &buyer, "--post-reply", &file])
}

#[test]
fn recorded_replies_are_read_by_the_buyers_file_alone() {
    let site = site();
    for (name, reply, code, outcome) in [
        ("sold.json", "{\"status\":\"accepted\",\"price\":\"12.50\"}", 0, "accepted"),
        (
            "dup.json",
            "{\"status\":\"rejected\",\"reason\":\"duplicate lead\"}",
            0,
            "rejected(duplicate)",
        ),
        ("bad.400.json", "{\"status\":\"error\"}", 1, "rejected(invalid)"),
        ("busy.503.html", "<html>busy</html>", 1, "unknown(http_5xx)"),
        ("cut.json", "{\"status\":\"acce", 1, "unknown(unreadable)"),
        (
            "curl.txt",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"success\":true}",
            0,
            "accepted",
        ),
    ] {
        let ran = tried(&site, name, reply);
        ended(&ran, code);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["replies"][0]["outcome"], outcome, "{name}: {}", ran.stdout);
    }
}

#[test]
fn a_reply_cannot_write_to_the_operators_terminal() {
    let site = site();
    site.write("evil.json", "{\"status\":\"rejected\",\"reason\":\"\\u001b[31mred\\u009b2J\"}");
    let file = site.path("evil.json").display().to_string();
    let buyer = site.path("buyers/tried.toml").display().to_string();
    let ran = run(&site, &["connector", "try", "--connector", &buyer, "--post-reply", &file]);
    ended(&ran, 0);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{9b}']), "{:?}", ran.stdout);
}

#[test]
fn every_request_is_shown_without_a_secret_and_none_is_sent() {
    let site = site();
    let ran = run(&site, &["buyer", "test", "tried/auto"]);
    ended(&ran, 0);
    for part in [
        "the ping carries zip, birth_date (year)",
        "POST https://api.tried.example/ping?key=[secret tried_key]",
        "authorization: Basic [hidden]",
        "\"year\": 1990",
        "POST https://api.tried.example/post?key=[secret tried_key]",
        "\"ping_id\": \"ping.token\"",
        "\"email\": \"sample@example.com\"",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("\"test\": true"), "{}", ran.stdout);
}

#[test]
fn a_post_to_a_live_buyer_wants_a_yes() {
    let ran = run(&site(), &["buyer", "test", "tried/auto", "--send", "all"]);
    ended(&ran, 2);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
}

/// A mock of a preset as a process, and the address where it listens.
struct Mock {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Mock {
    fn of(site: &Site, arguments: &[&str]) -> Self {
        let mut process = command(site.config())
            .args(["--json", "mock-buyers"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["mocks"][0]["address"].as_str().unwrap().to_owned();
        Self { process, output, address }
    }

    /// What it said of one request.
    fn told(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_delivery_to_a_mock_is_shown_with_every_reply_and_how_it_was_read() {
    let site = site();
    let mut mock = Mock::of(&site, &["--preset", "generic_json"]);
    let send = |json: &str| {
        let to = mock.address.as_str();
        let mut arguments = vec!["buyer", "test", "tried/auto", "--send", "all", "--to", to];
        arguments.extend((!json.is_empty()).then_some(json));
        run(&site, &arguments)
    };
    let first = send("");
    ended(&first, 0);
    for part in ["\"test\": true", "ping: bid 12.50 USD", "post: accepted at 12.50 USD"] {
        assert!(first.stdout.contains(part), "no `{part}` in:\n{}", first.stdout);
    }
    let second = send("--json").json();
    assert_eq!(second["outcomes"][1]["outcome"], "rejected(duplicate)", "{second:#}");
    assert_eq!(second["calls"][1]["read"]["verdict"], "refused", "{second:#}");
    let told: String = (0..4).map(|_| mock.told()).collect();
    assert!(told.contains("\"outcome\":\"duplicate\""), "{told}");
    for value in CONTACT {
        assert!(!told.contains(value), "{told}");
    }
}

#[test]
fn a_secret_that_a_buyer_repeats_is_not_shown() {
    let site = site();
    let mock = Mock::of(&site, &["--preset", "generic_json"]);
    let port = mock.address.rsplit(':').next().unwrap().to_owned();
    site.write(
        "buyers/tried.toml",
        &BUYER.replace("https://api.tried.example", &format!("http://127.0.0.1:{port}")),
    );
    let settings = std::fs::read_to_string(site.path("rialto.toml")).unwrap();
    if !settings.contains("allow_private = true") {
        site.write("rialto.toml", &format!("{settings}\n[buyers]\nallow_private = true\n"));
    }
    let ran = run(&site, &["buyer", "test", "tried/auto", "--send", "ping"]);
    ended(&ran, 0);
    assert!(ran.stdout.contains("[secret tried_key]"), "{}", ran.stdout);
    for (name, value) in SECRETS {
        assert!(!ran.stdout.contains(value), "{name}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("key-a8d5"), "{}", ran.stdout);
}

#[test]
fn a_mistake_in_a_script_is_shown_with_its_line() {
    let site = site();
    site.write("mocks.toml", "[[buyer]]\npreset = \"generic_json\"\nbid = 12.5\n");
    let file = site.path("mocks.toml").display().to_string();
    let ran = run(&site, &["mock-buyers", "--script", &file]);
    ended(&ran, 78);
    assert!(ran.stdout.contains("mocks.toml:3"), "{}", ran.stdout);
}

#[test]
fn the_schemas_are_written_for_an_editor() {
    let site = site();
    let folder = site.path("schema").display().to_string();
    let ran = run(&site, &["schema", "--out", &folder]);
    ended(&ran, 0);
    let buyer = std::fs::read_to_string(site.path("schema/buyer.json")).unwrap();
    assert_eq!(buyer, run(&site, &["schema", "buyer"]).ok());
}
