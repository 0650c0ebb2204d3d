//! Mistakes in a connector: each with its place and its remedy, all at once.

use std::path::Path;

use buyer_connectors::Secrets;
use exchange_model::{Findings, Severity};
use expect_test::{Expect, expect};

use crate::world::{compile_file, listed};

/// A buyer whose lines 12 (ping) and 18 (post) are what a test says.
fn buyer(ping: &str, post: &str) -> String {
    format!(
        r#"id = "acme"

[[campaign]]
id = "auto"
connector = "main"
price = {{ mode = "bid" }}

[connector.main]

[connector.main.ping]
url = "https://bids.acme.example/ping"
{ping}
timeout = "200ms"
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [true] }}, then = "bid" }}], price = {{ at = "$.price" }} }}

[connector.main.post]
url = "https://bids.acme.example/post"
{post}
timeout = "200ms"
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [false] }}, then = "rejected" }}, {{ when = {{ at = "$.ok", is = [true] }}, then = "accepted" }}] }}
"#
    )
}

const PING: &str = r#"body = { zip = "{{ zip }}" }"#;
const POST: &str = r#"body = { lead = "{{ lead }}" }"#;

fn check(text: &str, expected: Expect) {
    let (connectors, findings) = compile_file("buyer.toml", text);
    assert_eq!(connectors.is_empty(), findings.has_errors(), "{}", listed(&findings));
    expected.assert_eq(&listed(&findings));
}

fn in_ping(ping: &str, expected: Expect) {
    check(&buyer(ping, POST), expected);
}

fn in_post(post: &str, expected: Expect) {
    check(&buyer(PING, post), expected);
}

#[test]
fn contact_data_in_a_ping_is_an_error_wherever_it_stands() {
    in_ping(
        r#"body = { yob = "{{ birth_date }}", zip = "{{ zip }}" }"#,
        expect![[r#"
        12:16 contact_in_ping: `birth_date` is contact data and may not leave in a ping | send an anonymised form, for example "{{ birth_date | year }}", or move it to the post body
    "#]],
    );
    in_ping(
        r#"body = { a = { b = ["{{ phone | upper }}", "{{ email | default('x') }}"] } }"#,
        expect![[r#"
        12:21 contact_in_ping: `phone` is contact data and may not leave in a ping | send an anonymised form, for example "{{ phone | last4 }}", or move it to the post body
        12:44 contact_in_ping: `email` is contact data and may not leave in a ping | leave it out, or move it to the post body
    "#]],
    );
    in_ping(
        r#"body = { l = "{{ lead }}", h = "{{ phone | sha256 }}" }"#,
        expect![[r#"
        12:14 contact_in_ping: `lead` holds contact data and may not leave in a ping | name the open fields one by one, or move it to the post body
        12:32 contact_in_ping: a hash of `phone` is not anonymous and may not leave in a ping | add `allow_hashed = { phone = "why, and who agreed" }` to this ping, or leave it out
    "#]],
    );
    in_ping(
        "headers = { X-Who = \"{{ first_name }}\" }\nbody = {}",
        expect![[r#"
        12:21 contact_in_ping: `first_name` is contact data and may not leave in a ping | leave it out, or move it to the post body
    "#]],
    );
    in_ping(
        "format = \"xml\"\ntemplate = '''\n<a>\n  <b>{{ zip }}</b><c>{{ phone }}</c>\n</a>'''",
        expect![[r#"
        15:22 contact_in_ping: `phone` is contact data and may not leave in a ping | send an anonymised form, for example "{{ phone | last4 }}", or move it to the post body
    "#]],
    );
    check(
        &buyer(PING, POST).replace("/ping\"", "/ping/{{ email }}?z={{ last_name | digits }}\""),
        expect![[r#"
        11:7 contact_in_ping: `email` is contact data and may not leave in a ping | leave it out, or move it to the post body
        11:7 contact_in_ping: `last_name` is contact data and may not leave in a ping | leave it out, or move it to the post body
    "#]],
    );
}

#[test]
fn anonymised_contact_data_and_declared_hashes_may_be_pinged() {
    in_ping(
        "allow_hashed = { phone = \"agreed with their suppression list\" }\nbody = { a = \"{{ birth_date | year }}\", b = \"{{ birth_date | age }}\", c = \"{{ phone | last4 }}\", d = \"{{ phone | area_code }}\", e = \"{{ phone | sha256 | upper }}\", f = \"{{ zip | zip3 }}\" }",
        expect![[""]],
    );
    in_ping(
        "allow_hashed = { phone = \"\", fone = \"x\" }\nbody = { e = \"{{ phone | sha256 }}\" }",
        expect![[r#"
        12:26 no_reason: a hash of `phone` needs a written reason | write `phone = "why, and who agreed"`
        12:30 unknown_field: vertical `auto_insurance` has no field `fone` | did you mean `phone`?
        13:14 contact_in_ping: a hash of `phone` is not anonymous and may not leave in a ping | add `allow_hashed = { phone = "why, and who agreed" }` to this ping, or leave it out
    "#]],
    );
}

#[test]
fn words_that_do_not_exist_are_named_with_the_nearest_one() {
    in_ping(
        r#"body = { a = "{{ zipp }}", b = "{{ zip | uper }}", c = "{{ credit | map('acme') }}", d = "{{ secret.nope }}", e = "{{ ping.token }}" }"#,
        expect![[r#"
        12:14 unknown_field: vertical `auto_insurance` has no field `zipp` | did you mean `zip`?
        12:32 unknown_filter: no filter is called `uper` | did you mean `upper`?
        12:56 unknown_map: there is no map called `acme` | add a table `[map.acme]` to this file
        12:90 no_secret: there is no secret called `nope` | create the file `secrets/nope` with the secret's text, mode 600
        12:115 not_in_ping: `ping.token` is not known when a ping is sent | move it to the post; a ping has `ping.id` and `source.alias`
    "#]],
    );
    in_post(
        r#"body = { a = "{{ first_name | last4 }}", b = "{{ zip | date('%H') }}", c = "{{ zip | upper('x') }}", d = "{{ zip | default }}", e = "{{ phone | upper | last4 }}", f = "{{ zip" }"#,
        expect![[r#"
            18:46 bad_filter: filter `date` does not work on `zip`, which is no date | write `date('%m/%d/%Y')`, for example
            18:76 bad_filter: filter `upper` takes no argument | write `upper`
            18:106 bad_filter: filter `default` needs an argument | write `default('x')`
            18:168 bad_template: `{{` has no `}}` | write "{{ field }}" or "{{ field | filter }}"
        "#]],
    );
    let grades = "\n[map.grades]\ngood = \"B\"\n";
    let post = r#"body = { a = "{{ zip | date('%m') }}", b = "{{ credit | map('grades') }}", c = "{{ credit | map('grades') | default('?') }}" }"#;
    check(
        &(buyer(PING, post) + grades),
        expect![[r#"
            18:14 bad_filter: filter `date` does not work on `zip`, which is no date | write `date('%m/%d/%Y')`, for example
            18:44 map_incomplete: the map has no word for `credit` = excellent, fair, poor | add them to the map, or a `default('...')`; without it nothing is sent
        "#]],
    );
    in_post(
        "fields = [\"zip\", \"frist_name\"]\nbody = { lead = \"x {{ lead }}\" }",
        expect![[r#"
        18:18 unknown_field: vertical `auto_insurance` has no field `frist_name` | did you mean `first_name`?
        19:17 lead_not_here: `lead` is an object and cannot stand inside a text | write "{{ lead }}" and nothing else
    "#]],
    );
    check(
        &buyer(PING, POST).replace("connector = \"main\"", "connector = \"mian\""),
        expect![[r#"
        5:13 unknown_connector: no connector is called `mian` | did you mean `main`?
        8:12 unused_connector: no campaign uses the connector `main` | name it in a [[campaign]], or remove it
    "#]],
    );
    check(
        &buyer(PING, POST).replace(
            "timeout = \"200ms\"\nreply = { rules = [{ when = { at = \"$.ok\", is = [false]",
            "timeot = \"200ms\"\nreply = { rules = [{ when = { at = \"$.ok\", is = [false]",
        ),
        expect![[r#"
        16:17 missing_key: `timeout` is missing | add `timeout = "700ms"`
        19:1 unknown_key: unknown key `timeot` | did you mean `timeout`?
    "#]],
    );
}

#[test]
fn a_post_should_say_what_a_rejection_looks_like() {
    check(
        &buyer(PING, POST)
            .replace("{ when = { at = \"$.ok\", is = [false] }, then = \"rejected\" }, ", ""),
        expect![[r#"
            20:1 never_rejected: the reply to this post never says `rejected` | every rejection is an unknown outcome and holds its lead: add a rule { when = { at = "$.status", is = ["REJECTED"] }, then = "rejected" }
        "#]],
    );
}

#[test]
fn rules_are_checked_when_they_are_read() {
    check(
        &buyer(PING, POST).replace("at = \"$.price\"", "at = \"$.[price\""),
        expect![[r#"
            14:91 bad_value: `at`: at position 2, in dot member name, must start with lowercase alpha or '_' | a path of JSON is like $.bids[0].price
        "#]],
    );
    check(
        &buyer(PING, POST).replace("at = \"$.price\"", "at = \"price\""),
        expect![[r#"
            14:91 bad_value: `at`: `price` is no path | paths are $.bid.price, /reply/price, //price or /reply/@id
        "#]],
    );
    check(
        &buyer(PING, POST).replace("at = \"$.price\"", "regex = \"(\""),
        expect![[r#"
            14:94 bad_value: `regex`: this is no regular expression, or too large a one | write `regex = "^OK (.*)$"`
        "#]],
    );
    check(
        &buyer(PING, POST).replace(", is = [false]", ""),
        expect![[r#"
            20:22 missing_key: `is` is missing | add `is = ["ACCEPTED"]`
        "#]],
    );
    check(
        &buyer(PING, POST).replace(", is = [false]", ", is = []"),
        expect![[r#"
            20:49 wrong_type: `is` cannot be a list | write `is = ["ACCEPTED"]`
        "#]],
    );
    check(
        &buyer(PING, POST).replace(
            "{ at = \"$.price\" } }",
            "{ at = \"$.price\" }, reason = { at = \"$.why\", map = { DUP = \"duplicat\" } } }",
        ),
        expect![[r#"
            14:143 unknown_word: this is no class of rejection | did you mean "duplicate"? Allowed: duplicate, cap, filter, invalid, price, other
        "#]],
    );
}

#[test]
fn a_bid_needs_a_ping_that_names_a_price() {
    check(
        &buyer(PING, POST).replace(", price = { at = \"$.price\" }", ""),
        expect![[r#"
        8:12 no_price: campaign `acme/auto` takes its price from the bid, but the reply to its ping names no `price` | add `price = { at = "..." }` to ping.reply, or give the campaign a fixed price
    "#]],
    );
}

#[test]
fn addresses_are_checked_as_far_as_they_can_be() {
    let with = |url: &str| buyer(PING, POST).replace("https://bids.acme.example/ping", url);
    check(
        &with("http://bids.acme.example/ping"),
        expect![[r#"
        11:7 plain_http: leads to this buyer would travel unencrypted, and are refused | write https; plain http is called only where private addresses are allowed
    "#]],
    );
    check(
        &with("https://{{ zip }}.acme.example/ping"),
        expect![[r#"
            11:7 bad_url: scheme and host of an address are fixed | use `{{ var.x }}` there, and placeholders in the path and the query only
        "#]],
    );
    check(
        &with("https://user:pass@acme.example/ping"),
        expect![[r#"
        11:7 bad_url: this is no usable address: a name or password does not belong here, use `auth` | write "https://host/path"
    "#]],
    );
    check(
        &with("ftp://acme.example/ping"),
        expect![[r#"
        11:7 bad_url: this is no usable address: only https addresses are called | write "https://host/path"
    "#]],
    );
    check(
        &with("https://acme.example/ping#top"),
        expect![[r#"
        11:7 bad_url: this is no usable address: a `#` part is never sent | write "https://host/path"
    "#]],
    );
    check(
        &with("https://acme.example/a b"),
        expect![[r#"
        10:17 bad_template: with the vertical's example lead: the url cannot hold these values | quotes belong around text placeholders, and every tag is closed
    "#]],
    );
    check(&with("https://acme.example?zip={{ zip }}"), expect![[""]]);
}

#[test]
fn bodies_are_checked_by_format() {
    in_post(
        "format = \"form\"\nbody = { a = { b = \"x\" }, lead = \"{{ lead }}\" }",
        expect![[r#"
            19:14 bad_body: a table cannot stand here | a value with a condition is { "$if" = "{{ field }}", "$value" = "..." }
            19:34 lead_not_here: `lead` is an object and cannot stand inside a text | name the fields one by one, or send it in a JSON body
        "#]],
    );
    in_post(
        "format = \"xml\"\nbody = { a = \"x\", b = \"y\" }",
        expect![[r#"
            19:8 bad_body: an XML body has exactly one root element | put everything under one key: that is the root element
        "#]],
    );
    in_post(
        "format = \"xml\"\nbody = { a = { '@id' = \"1\", '1b' = \"y\" } }",
        expect![[r#"
        19:36 bad_body: `1b` cannot be the name of an XML element or attribute | names start with a letter and go on with letters, digits, `_ - . :`
    "#]],
    );
    in_post(
        "format = \"text\"\nbody = { a = \"x\" }",
        expect![[r#"
            19:8 bad_body: a text body is written as `template` | write `template = '''...'''`
        "#]],
    );
    in_post(
        "template = '{\"a\": {{ zip }}, \"b\": \"{{ phone }}\", \"c\": {{ first_name }}}'",
        expect![[r#"
        16:17 bad_template: with the vertical's example lead: the template makes no JSON: not valid JSON at line 1, column 38 | quotes belong around text placeholders, and every tag is closed
    "#]],
    );
    in_post(
        "format = \"xml\"\ntemplate = '<a><b>{{ zip }}</a>'",
        expect![[r#"
        16:17 bad_template: with the vertical's example lead: the template makes no well-formed XML | quotes belong around text placeholders, and every tag is closed
    "#]],
    );
    in_post(
        "template_file = \"nope.json\"",
        expect![[r#"
        18:17 no_template_file: there is no file `nope.json` beside this one | a template file stands in the same folder as its buyer's file
    "#]],
    );
    in_post(
        "body = { a = 1 }\ntemplate = '{}'",
        expect![[r#"
        16:17 body_twice: body and template exclude each other | keep one of body, template and template_file
    "#]],
    );
    in_post(
        "",
        expect![[r#"
        16:17 missing_key: `body` is missing | add `body = { zip = "{{ zip }}" }`
    "#]],
    );
    in_post(
        "headers = { Host = \"x\", \"a b\" = \"y\", X-A = \"z\\n\" }\nbody = {}",
        expect![[r#"
        18:13 header_not_allowed: `Host` is set by the transport | leave it out
        18:25 header_not_allowed: `a b` is no header's name | leave it out
        18:44 bad_value: no header can hold this text | use printable ASCII
    "#]],
    );
    in_post(
        "method = \"GET\"\nbody = {}",
        expect![[r#"
        18:10 bad_value: a GET carries no body | write `format = "query"`, or `method = "POST"`
    "#]],
    );
}

#[test]
fn credentials_and_resolvers_are_checked() {
    let with = |lines: &str| {
        buyer(PING, POST).replace("[connector.main]\n", &format!("[connector.main]\n{lines}\n"))
    };
    check(
        &with("auth = { scheme = \"bearer\", secret = \"nope\" }"),
        expect![[r#"
        9:38 no_secret: there is no secret called `nope` | create the file `secrets/nope` with the secret's text, mode 600
    "#]],
    );
    check(
        &with("auth = { scheme = \"bear\", secret = \"granite_token\" }"),
        expect![[r#"
            9:19 unknown_word: `scheme` cannot be "bear" | did you mean "bearer"? Allowed: header, query, basic, bearer, oauth2, token, standard_webhooks, hmac, digest, client_certificate
        "#]],
    );
    check(
        &with("auth = { scheme = \"header\", secret = \"granite_token\" }"),
        expect![[r#"
        9:1 missing_key: `name` is missing | add `name = "X-Api-Key"`
    "#]],
    );
    check(
        &with("auth = { scheme = \"oauth2\", secret = \"granite_token\", token_url = \"x\" }"),
        expect![[r#"
        9:1 missing_key: `client_id` is missing | add `client_id = "rialto"`
        9:67 bad_url: this is no usable address: relative URL without a base | write "https://host/path"
    "#]],
    );
    check(
        &with("auth = { scheme = \"basic\", user = \"u\", secret = \"../x\", name = \"y\" }"),
        expect![[r#"
        9:49 bad_value: `../x` is no name of a secret | a secret's name is made of a-z, 0-9 and `_`
        9:57 unknown_key: unknown key `name` | known keys here: scheme, secret, user
    "#]],
    );
    check(
        &with("resolve = [\"repost\", \"status\"]"),
        expect![[r#"
            9:12 no_idempotency_key: `repost` sends a post again, which needs an idempotency key | add `idempotency_key = { header = "Idempotency-Key" }` to the post
            9:22 no_stage: `status` asks the buyer, but the connector has no `status` stage | add a table `status` with `url` and `reply`
        "#]],
    );
    check(
        &with("resolve = [\"repost\"]"),
        expect![[r#"
            9:12 no_idempotency_key: `repost` sends a post again, which needs an idempotency key | add `idempotency_key = { header = "Idempotency-Key" }` to the post
        "#]],
    );
    check(
        &(buyer(PING, POST) + "\n[connector.spare]\n"),
        expect![[r#"
        22:12 unused_connector: no campaign uses the connector `spare` | name it in a [[campaign]], or remove it
    "#]],
    );
}

#[test]
fn a_mistake_that_two_campaigns_share_is_reported_once() {
    let second = "[[campaign]]\nid = \"home\"\nconnector = \"main\"\n\n[connector.main]";
    let text = buyer(r#"body = { a = "{{ phone }}" }"#, POST).replace("[connector.main]", second);
    check(
        &text,
        expect![[r#"
        16:14 contact_in_ping: `phone` is contact data and may not leave in a ping | send an anonymised form, for example "{{ phone | last4 }}", or move it to the post body
    "#]],
    );
}

fn write(directory: &Path, name: &str, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = directory.join(name);
    std::fs::write(&path, text).expect("writable");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn secrets_are_files_of_one_line_that_nobody_else_reads() {
    let directory = tempfile::tempdir().expect("a folder");
    write(directory.path(), "good", "s3cret\n", 0o600);
    write(directory.path(), "open", "s3cret", 0o644);
    write(directory.path(), "empty", "\n", 0o600);
    write(directory.path(), "Not-A-Secret", "x", 0o600);
    let mut findings = Findings::new();
    let secrets = Secrets::load(directory.path(), &mut findings);
    let found: Vec<_> = findings.sorted().iter().map(|f| (f.severity, f.code)).collect();
    let expected = [(Severity::Error, "secret_unusable"), (Severity::Warning, "secret_readable")];
    assert_eq!(found, expected);
    assert!(secrets.get("good").is_some() && secrets.get("open").is_some());
    assert!(secrets.get("empty").is_none() && secrets.get("Not-A-Secret").is_none());
    assert_eq!(secrets.get("good"), secrets.get("open"), "one trailing newline is not part of it");
    assert!(!format!("{secrets:?}").contains("s3cret"));
}

#[test]
fn a_learned_wait_has_a_ceiling_and_belongs_to_a_ping() {
    in_ping(
        "body = { zip = \"{{ zip }}\" }\nleast_timeout = \"201ms\"",
        expect![[r#"
            13:17 out_of_range: `least_timeout` is more than nothing and at most `timeout` | write `timeout = "700ms"` and `least_timeout = "150ms"`, for example
        "#]],
    );
    in_post(
        "body = { lead = \"{{ lead }}\" }\nleast_timeout = \"100ms\"",
        expect![[r#"
            19:1 unknown_key: unknown key `least_timeout` | known keys here: body, fields, format, headers, idempotency_key, method, query, reply, template, template_file, timeout, url, xml
        "#]],
    );
}
