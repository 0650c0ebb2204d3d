//! Contact data leaves in a post and nowhere else, whatever a connector says.

use exchange_model::Finding;

use crate::one_buyer::{Dialect, body};
use crate::world::listed;

/// Whether the file is refused because of contact data.
fn is_refused(dialect: &Dialect) -> bool {
    let findings = dialect.findings();
    let is_leak = |finding: &Finding| {
        // An anonymiser that is not made for the field is refused before it is applied.
        finding.code == "contact_in_ping"
            || finding.message == "filter `last4` does not work on `first_name`"
    };
    findings.has_errors() && findings.sorted().into_iter().any(is_leak)
}

/// A stage beside a ping and a post.
fn stage(name: &str, keys: &str) -> Dialect {
    Dialect::new().more(&format!(
        "[connector.main.{name}]\nurl = \"https://bids.acme.example/x\"\n{keys}\nreply = {{ values = {{ x = {{ at = \"$.x\" }} }} }}"
    ))
}

const CONTACT: &[&str] = &[
    "{{ phone }}",
    "{{ phone | digits }}",
    "{{ phone | digits | last4 }}",
    "{{ phone | phone('e164') | sha256 }}",
    "{{ phone | md5 }}",
    "{{ phone | sha1 }}",
    "{{ phone | sha256 | cut(4) }}",
    "{{ email | before('@') }}",
    "{{ first_name | cut(1) }}",
    "{{ first_name | last4 }}",
    "{{ birth_date | date('%Y') }}",
    "{{ absent | else(phone) }}",
    "{{ zip | else(email) }}",
    "{{ zip | if(email, 'has', 'none') }}",
    "{{ zip | if(homeowner, email) }}",
    "{{ zip | if(homeowner, 'x', email) }}",
    "{{ zip | unless(email, 'x') }}",
    "{{ zip | unless(homeowner, email) }}",
    "{{ zip | default(phone) }}",
    "{{ zip | prefix(phone) }}",
    "{{ zip | suffix(phone) }}",
    "{{ zip | replace('7', phone) }}",
    "{{ zip | replace(phone, '') }}",
    "{{ zip | before(phone) }}",
    "{{ zip | split(phone, 1) }}",
    "{{ zip | omit(phone) }}",
    "{{ zip | only(phone, 'x') }}",
    "{{ vehicle_year | add(phone) }}",
    "{{ homeowner | bool(phone, 'x') }}",
    "{{ phone | last4 | else(email) }}",
    "{{ lead }}",
];

#[test]
fn no_text_of_a_ping_can_say_contact_data() {
    for text in CONTACT {
        for keys in [
            format!("body = {{ a = {text:?} }}"),
            format!("body = {{ a = {{ \"$if\" = {text:?}, \"$value\" = 1 }} }}"),
            format!("body = {{ a = {{ \"$form\" = {{ x = {text:?} }} }} }}"),
            format!("body = [[{text:?}]]"),
            format!("query = {{ a = {text:?} }}\nbody = {{}}"),
            format!("headers = {{ X-A = {text:?} }}\nbody = {{}}"),
            format!("url = {:?}\nbody = {{}}", format!("https://bids.acme.example/{text}")),
            format!("format = \"xml\"\nbody = {{ R = {{ \"@a\" = {text:?} }} }}"),
            format!("format = \"xml\"\nbody = {{ R = {{ \"#cdata\" = {text:?} }} }}"),
            format!("format = \"soap\"\nsoap_header = {{ A = {text:?} }}\nbody = {{ B = \"1\" }}"),
            format!("format = \"multipart\"\nbody = {{ a = [\"1\", {text:?}] }}"),
            format!("format = \"text\"\ntemplate = {text:?}"),
        ] {
            let dialect = Dialect::ping(&keys);
            assert!(is_refused(&dialect), "{keys}\n{}", listed(&dialect.findings()));
        }
    }
}

#[test]
fn nor_can_any_other_stage_but_the_post() {
    for text in CONTACT {
        for name in ["pre_ping", "pre_post", "token", "confirm", "status", "void"] {
            let dialect = stage(name, &format!("body = {{ a = {text:?} }}"));
            // Where no lead is at hand, its open fields are refused before the rest is looked at.
            let refused =
                is_refused(&dialect) || listed(&dialect.findings()).contains("lead is not at hand");
            assert!(refused, "{name} {text}\n{}", listed(&dialect.findings()));
        }
    }
}

#[test]
fn a_stage_without_a_lead_says_no_field_not_even_anonymised() {
    for name in ["token", "confirm", "status", "void"] {
        for text in ["{{ zip }}", "{{ birth_date | year }}", "{{ zip | else(state) }}"] {
            let dialect = stage(name, &format!("body = {{ a = {text:?} }}"));
            let found = listed(&dialect.findings());
            assert!(
                found.contains("not_known_here") || found.contains("contact_in_ping"),
                "{name} {text}\n{found}"
            );
        }
    }
}

#[test]
fn what_has_gone_through_an_anonymiser_may_leave_before_a_sale() {
    let keys = r#"allow_hashed = { phone = "agreed with their suppression list" }
body = { yob = "{{ birth_date | year }}", age = "{{ birth_date | age | range('ages') }}", last = "{{ phone | last4 | prefix('x') }}", area = "{{ phone | area_code }}", m = "{{ phone | md5 | upper }}", s = "{{ phone | sha1 }}", zip = { "$if" = "{{ state }}", "$value" = "{{ zip | zip3 }}" } }"#;
    let ranges = "[range.ages]\n30 = \"young\"\n\"*\" = \"old\"";
    let dialect = Dialect::ping(keys).more(ranges);
    let request = dialect.ping_request();
    assert_eq!(
        body(&request),
        r#"{"yob":1990,"age":"old","last":"x0134","area":"512","m":"4D72719460125445540637020008C46D","s":"4aac896880dd51a0bbc3ed339135cb7a31e7e2fb","zip":"787"}"#
    );
    let carried: Vec<String> =
        dialect.connector().ping_carries().iter().map(ToString::to_string).collect();
    assert_eq!(
        carried,
        [
            "zip (zip3)",
            "state",
            "birth_date (year)",
            "birth_date (age)",
            "phone (last4)",
            "phone (area_code)",
            "phone (sha1)",
            "phone (md5)"
        ]
    );
}

#[test]
fn nothing_of_contact_data_stands_in_the_bytes_of_a_full_ping() {
    let keys = r#"allow_hashed = { email = "agreed" }
query = { a = "{{ phone | area_code }}" }
headers = { X-Hash = "{{ email | sha256 }}" }
body = { zip = "{{ zip }}", yob = "{{ birth_date | year }}", make = "{{ vehicle_make | else(state) }}" }"#;
    let request = Dialect::ping(keys).ping_request();
    let all = format!("{} {:?} {}", request.uri, request.headers, body(&request));
    for contact in
        ["5125550134", "555013", "sample@example", "Sample", "Person", "1990-04", "cert."]
    {
        assert!(!all.contains(contact), "{contact} in {all}");
    }
}
