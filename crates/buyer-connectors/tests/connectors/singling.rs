//! Open fields that together say who somebody is: a warning, unless the operator says why.

use std::sync::Arc;

use buyer_connectors::compile;
use exchange_model::{Findings, Vertical};

use crate::world::{campaigns, config, document, secrets};

/// The sample's vertical, where leads also have a gender and an income.
fn vertical() -> Arc<Vertical> {
    let path = config("verticals/auto_insurance.toml");
    let text = std::fs::read_to_string(path).expect("the sample vertical");
    let more = r#"[field]
gender = { type = "enum", class = "open", ping = "optional", post = "optional", values = ["f", "m", "x"], example = "f" }
yearly_income = { type = "int", class = "open", ping = "optional", post = "optional", min = 0, max = 900000, example = 64000 }"#;
    let mut findings = Findings::new();
    let document = document("v.toml", &text.replacen("[field]", more, 1));
    Vertical::read(&document, &mut findings).expect("a vertical")
}

/// The codes of what is found in a buyer whose ping has these lines.
fn found(ping: &str) -> Vec<String> {
    let text = format!(
        r#"id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = {{ mode = "bid" }}
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "200ms"
{ping}
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [false] }}, then = "no_bid" }}, {{ when = {{ at = "$.ok", is = [true] }}, then = "bid" }}], price = {{ at = "$.price" }} }}
[connector.main.post]
like = "ping"
url = "https://bids.acme.example/post"
"#
    );
    let document = document("buyer.toml", &text);
    let uses = campaigns(&document, &vertical());
    let mut findings = Findings::new();
    let connectors = compile(&document, &uses, &|_| None, &secrets(), &mut findings);
    assert_eq!(connectors.is_empty(), findings.has_errors());
    let told = findings.sorted().into_iter();
    told.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[test]
fn three_that_narrow_down_a_person_are_a_warning() {
    for (body, names) in [
        (
            r#"body = { z = "{{ zip }}", a = "{{ age }}", g = "{{ gender }}" }"#,
            "`gender`, `zip`, `age`",
        ),
        (
            r#"body = { z = "{{ zip }}", a = "{{ birth_date | age }}", i = "{{ yearly_income }}" }"#,
            "`yearly_income`, `zip`, `birth_date (age)`",
        ),
        (
            "query = { z = \"{{ zip }}\" }\nbody = { a = \"{{ age }}\", x = { \"$if\" = \"{{ gender }}\", y = \"1\" } }",
            "`gender`, `zip`, `age`",
        ),
    ] {
        assert_eq!(found(body), [format!("singles_out: {names} together single a person out")]);
    }
}

#[test]
fn bands_anonymisers_and_two_of_them_are_none() {
    for body in [
        r#"body = { z = "{{ zip }}", a = "{{ age }}", s = "{{ state }}" }"#,
        r#"body = { z = "{{ zip3 }}", a = "{{ age }}", g = "{{ gender }}" }"#,
        r#"body = { z = "{{ zip | zip3 }}", y = "{{ birth_date | year }}", g = "{{ gender }}" }"#,
    ] {
        assert_eq!(found(body), [""; 0], "{body}");
    }
}

#[test]
fn a_written_reason_settles_it_and_an_empty_one_does_not() {
    let body = r#"body = { z = "{{ zip }}", a = "{{ age }}", g = "{{ gender }}" }"#;
    let why = format!("{body}\nallow_combined = \"rated by all three; agreed with A. Buyer\"");
    assert_eq!(found(&why), [""; 0]);
    let empty = found(&format!("{body}\nallow_combined = \" \""));
    assert_eq!(empty, ["no_reason: `allow_combined` needs a written reason"]);
}
