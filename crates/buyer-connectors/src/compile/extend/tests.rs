//! Tables before and after.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use exchange_model::document::{Node, NodeKind, Table};
use exchange_model::{Document, Findings, SourceFile};
use expect_test::{Expect, expect};

use super::{Extended, Purpose, extended};
use crate::secrets::Secrets;

fn worked_out(text: &str, purpose: Purpose) -> (Extended, Findings) {
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: "buyer.toml".to_owned(), text: text.to_owned() });
    let document = Document::parse(file, &mut findings).expect("TOML");
    let used = BTreeSet::from(["main"]);
    let secrets = Secrets::from_pairs([("in_folder", "x")]);
    let done = extended(&document, &used, purpose, &secrets, &mut findings);
    (done, findings)
}

fn value(node: &Node) -> String {
    match &node.kind {
        NodeKind::String(text) => format!("{text:?}"),
        NodeKind::Integer(number) => number.to_string(),
        NodeKind::Float(text) | NodeKind::Datetime(text) => text.clone(),
        NodeKind::Boolean(yes) => yes.to_string(),
        NodeKind::Array(items) => {
            format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        NodeKind::Table(table) => {
            let pair = |entry: &exchange_model::document::Entry| {
                format!("{} = {}", entry.key, value(&entry.value))
            };
            format!("{{{}}}", table.entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// `main` line by line, then the findings.
fn shown(text: &str, purpose: Purpose) -> String {
    let (done, findings) = worked_out(text, purpose);
    let mut out = String::new();
    let main = inner(&done.document.root, "connector").and_then(|all| inner(all, "main"));
    for entry in main.iter().flat_map(|main| &main.entries) {
        match &entry.value.kind {
            NodeKind::Table(stage) => {
                for inner in &stage.entries {
                    writeln!(out, "{}.{} = {}", entry.key, inner.key, value(&inner.value))
                        .expect("a string");
                }
            }
            _ => writeln!(out, "{} = {}", entry.key, value(&entry.value)).expect("a string"),
        }
    }
    out + &listed(&findings)
}

fn listed(findings: &Findings) -> String {
    findings.sorted().into_iter().fold(String::new(), |mut out, finding| {
        let place = finding.place.as_ref().map(exchange_model::Place::file_line);
        let place = place.unwrap_or_default();
        writeln!(out, "{place} {}: {} | {}", finding.code, finding.message, finding.help)
            .expect("a string");
        out
    })
}

fn inner<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    match &table.get(key)?.value.kind {
        NodeKind::Table(inner) => Some(inner),
        _ => None,
    }
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&shown(text, Purpose::Live));
}

#[test]
fn tables_are_merged_in_the_order_of_the_base_and_the_rest_is_replaced() {
    check(
        r#"
        [connector.base]
        vars = { a = "1", b = "2" }
        ping = { url = "u", body = { zip = "{{ zip }}", at = "x", list = [1, 2] } }

        [connector.main]
        extends = "base"
        vars = { b = "3", c = "4" }
        ping = { timeout = "1s", body = { key = "k", list = [3] } }
        "#,
        expect![[r#"
            vars.a = "1"
            vars.b = "3"
            vars.c = "4"
            ping.url = "u"
            ping.body = {zip = "{{ zip }}", at = "x", list = [3], key = "k"}
            ping.timeout = "1s"
        "#]],
    );
}

#[test]
fn a_place_in_a_reply_takes_the_place_of_the_bases() {
    check(
        r#"
        [connector.base]
        auth = { scheme = "header", name = "X", secret = "s" }
        ping.body = { a = "1" }
        ping.reply = { price = { at = "$.p", sign = "$" }, reason = { at = "$.r", map = { at = "cap" } } }

        [connector.main]
        extends = "base"
        auth = { scheme = "bearer", secret = "t" }
        ping.template = "text"
        ping.reply = { price = { header = "x-price" }, reason = { map = { key = "cap" } } }
        "#,
        expect![[r#"
            auth.scheme = "bearer"
            auth.secret = "t"
            ping.reply = {price = {sign = "$", header = "x-price"}, reason = {at = "$.r", map = {at = "cap", key = "cap"}}}
            ping.template = "text"
        "#]],
    );
}

#[test]
fn first_rules_go_before_those_of_the_base_at_every_step() {
    check(
        r#"
        [connector.one]
        post.reply = { rules = ["one"] }
        [connector.two]
        extends = "one"
        post.reply = { rules_first = ["two"] }
        [connector.main]
        extends = "two"
        post.reply = { rules_first = ["main"] }
        "#,
        expect![[r#"
            post.reply = {rules = ["main", "two", "one"]}
        "#]],
    );
    check(
        r#"
        [connector.one]
        post.reply = { rules_first = ["one"] }
        [connector.main]
        extends = "one"
        post.reply = { rules = ["main"] }
        "#,
        expect![[r#"
            post.reply = {rules = ["main"]}
        "#]],
    );
}

#[test]
fn without_removes_what_the_base_has_and_says_when_it_has_not() {
    check(
        r#"
        [connector.base]
        ping = { url = "u", body = { sub_id = "s", "Lead.Zip" = "z", b = "b" } }
        [connector.main]
        extends = "base"
        without = ["ping.body.sub_id", "ping.body.Lead.Zip", "ping.body", "ping.bod"]
        ping.body = { c = "c" }
        "#,
        expect![[r#"
            ping.url = "u"
            ping.body = {c = "c"}
            buyer.toml:6 unknown_without: the base has no `ping.bod` | did you mean `ping.body`?
        "#]],
    );
}

#[test]
fn a_stage_like_another_follows_what_is_said_of_that_one() {
    check(
        r#"
        [connector.base]
        ping.url = "u"
        ping.allow_hashed = { phone = "y" }
        ping.body = { mode = "ping", zip = "z", x = "x" }
        ping.reply = { tokens = { a = "t" }, rules = [{ then = "no_bid" }, { then = "bid" }], otherwise = "no_bid" }
        post = { like = "ping", body = { mode = "post" } }
        [connector.main]
        extends = "base"
        without = ["post.body.x"]
        ping.body = { roof = "{{ roof }}" }
        post.reply.rules_first = [{ then = "error" }]
        "#,
        expect![[r#"
            ping.url = "u"
            ping.allow_hashed = {phone = "y"}
            ping.body = {mode = "ping", zip = "z", x = "x", roof = "{{ roof }}"}
            ping.reply = {tokens = {a = "t"}, rules = [{then = "no_bid"}, {then = "bid"}], otherwise = "no_bid"}
            post.url = "u"
            post.body = {mode = "post", zip = "z", roof = "{{ roof }}"}
            post.reply = {rules = [{then = "error"}, {then = "rejected"}, {then = "accepted"}], otherwise = "rejected"}
        "#]],
    );
}

#[test]
fn for_a_test_what_stands_under_test_is_laid_over_all() {
    let text = r#"
        [connector.base]
        test = { ping = { body = { lp_test = "1", mode = "0" } } }
        ping = { body = { mode = "1" } }
        post = { like = "ping" }
        [connector.main]
        extends = "base"
        ping.body.mode = "2"
        "#;
    let live = expect![[r#"
        ping.body = {mode = "2"}
        post.body = {mode = "2"}
    "#]];
    live.assert_eq(&shown(text, Purpose::Live));
    let test = expect![[r#"
        ping.body = {mode = "0", lp_test = "1"}
        post.body = {mode = "0", lp_test = "1"}
    "#]];
    test.assert_eq(&shown(text, Purpose::Test));
}

#[test]
fn mistakes_name_their_line_and_the_nearest_name() {
    check(
        "[connector.main]\nextends = \"generic_jsn\"\n",
        expect![[r#"
            extends = "generic_jsn"
            buyer.toml:2 unknown_base: there is no preset and no connector called `generic_jsn` | did you mean `generic_json`?
        "#]],
    );
    check(
        "[connector.main]\nextends = \"b\"\n[connector.b]\nextends = \"main\"\n",
        expect![[r#"
            extends = "b"
            buyer.toml:2 extends_cycle: `b` extends itself, through connector b, connector main | a base has a base of its own, or none
            buyer.toml:4 extends_cycle: `main` extends itself, through connector main, connector b | a base has a base of its own, or none
        "#]],
    );
    check(
        "[connector.main]\nping.like = \"post\"\npost.like = \"ping\"\nvoid.like = \"pots\"\n",
        expect![[r#"
            buyer.toml:3 like_cycle: `post` and `ping` are each like the other | write one of them out
            buyer.toml:4 unknown_stage: there is no stage `pots` | did you mean `post`?
        "#]],
    );
}

#[test]
fn what_a_preset_needs_is_asked_for_by_name() {
    let (done, findings) =
        worked_out("[connector.main]\nextends = \"generic_json\"\n", Purpose::Live);
    let expected = expect![[r#"
        buyer.toml:1 preset_needs: preset `generic_json` needs `vars.base`: where /ping and /post are | add `vars = { base = "https://api.acme.example" }`
    "#]];
    expected.assert_eq(&listed(&findings));
    assert_eq!(done.document.sources.first().path, "buyer.toml");
    let (_, findings) = worked_out(
        "[connector.main]\nextends = \"generic_json\"\nvars = { bases = \"https://b.example\" }\n",
        Purpose::Live,
    );
    let expected = expect![[r#"
        buyer.toml:1 preset_needs: preset `generic_json` needs `vars.base`: where /ping and /post are | did you mean it by `bases`? It is called `base`
    "#]];
    expected.assert_eq(&listed(&findings));
    // A connector that no campaign names may leave it to those that extend it.
    let (_, findings) = worked_out(
        "[connector.half]\nextends = \"generic_json\"\n[connector.main]\nextends = \"half\"\nvars.base = \"b\"\n",
        Purpose::Live,
    );
    assert_eq!(listed(&findings), "");
}

#[test]
fn maps_of_a_preset_come_along_below_those_of_the_file() {
    let table = |text: &str| {
        let file = Arc::new(SourceFile { path: "x.toml".to_owned(), text: text.to_owned() });
        Document::parse(file, &mut Findings::new()).expect("TOML").root
    };
    let mut root = table("[map.a]\nat = \"own\"\n[map.b]\nx = \"own\"\n");
    let preset = table("[a]\nat = \"base\"\nkey = \"base\"\n[c]\ny = \"base\"\n");
    super::words(&mut root, "map", preset.clone());
    super::words(&mut root, "range", preset);
    let shown: Vec<String> = root
        .entries
        .iter()
        .map(|entry| format!("{} = {}", entry.key, value(&entry.value)))
        .collect();
    assert_eq!(
        shown,
        [
            r#"map = {a = {at = "own", key = "base"}, c = {y = "base"}, b = {x = "own"}}"#,
            r#"range = {a = {at = "base", key = "base"}, c = {y = "base"}}"#,
        ]
    );
}

#[test]
fn what_comes_from_a_preset_is_placed_in_the_preset() {
    let text = "[connector.generic_json]\nextends = \"generic_json\"\nvars.base = \"b\"\nping.body = { zip = \"z\" }\n";
    let (done, findings) = worked_out(text, Purpose::Live);
    assert_eq!(listed(&findings), "");
    let all = inner(&done.document.root, "connector").expect("connectors");
    let ping = inner(all, "generic_json").and_then(|main| inner(main, "ping")).expect("a ping");
    let place = |entry: Option<&exchange_model::document::Entry>| {
        done.document.sources.place(entry.expect("a key").value.span.clone())
    };
    let url = place(ping.get("url"));
    assert_eq!(url.file.path, "preset:generic_json.toml");
    assert_eq!(url.file.text.get(url.span), Some("\"{{ var.base }}/ping\""));
    let body = inner(ping, "body").expect("a body");
    assert_eq!(place(body.get("zip")).file_line(), "buyer.toml:4");
    assert_eq!(place(body.get("min_price")).file.path, "preset:generic_json.toml");
}
