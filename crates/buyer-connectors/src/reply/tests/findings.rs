//! Mistakes in a `reply` table, each with its line and its remedy.

use expect_test::{Expect, expect};

use super::{Speaker, findings_of};

fn in_ping(text: &str, expected: Expect) {
    expected.assert_eq(&findings_of(None, text));
}

fn in_post(text: &str, expected: Expect) {
    expected.assert_eq(&findings_of(Some(Speaker::Post), text));
}

fn condition(when: &str, expected: Expect) {
    in_ping(&format!("rules = [{{ when = {when}, then = \"bid\" }}]"), expected);
}

#[test]
fn a_reply_must_say_what_it_means() {
    in_ping(
        "price = { at = \"$.p\" }",
        expect![[r#"
        1 missing_key: `rules` is missing | add `rules = [{ when = { at = "$.status", is = ["OK"] }, then = "bid" }]`
    "#]],
    );
    in_ping(
        "rules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"accepted\" }, { then = \"bid\" }, { when = { at = \"$.s\", is = \"x\" } }]",
        expect![[r#"
        1 unknown_word: `then` cannot be "accepted" | allowed: bid, no_bid, error, failed, pending
        1 missing_key: `when` is missing | add `when = { at = "$.status", is = ["ACCEPTED"] }`
        1 missing_key: `then` is missing | add `then = "bid"`
    "#]],
    );
    in_ping(
        "rules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"no_bid\", class = \"dup\" }, { when = { at = \"$.s\", is = \"y\" }, then = \"error\", class = \"cap\" }]\notherwise = \"unknown\"",
        expect![[r#"
        1 unknown_word: this is no class of rejection | allowed: duplicate, cap, filter, invalid, price, other
        1 bad_value: only a refusal has a class | remove `class`; an `error` is always of class `invalid`
        2 unknown_word: `otherwise` cannot be "unknown" | allowed: bid, no_bid, error, failed, pending
    "#]],
    );
    in_post(
        "rules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"rejected\" }]",
        expect![[r#"
        1 never_accepted: the reply to this post never says `accepted` | add a rule: { when = { at = "$.status", is = ["SOLD"] }, then = "accepted" }
    "#]],
    );
    in_post(
        "rules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"voided\" }]",
        expect![[r#"
        1 unknown_word: `then` cannot be "voided" | allowed: accepted, rejected, error, failed, pending
    "#]],
    );
    in_post(
        "rules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"accepted\" }]",
        expect![[r#"
        1 never_rejected: the reply to this post never says `rejected` | every rejection is an unknown outcome and holds its lead: add a rule { when = { at = "$.status", is = ["REJECTED"] }, then = "rejected" }
    "#]],
    );
    in_post(
        "bid_when = { at = \"$.s\" }\nrules = [{ when = { at = \"$.s\", is = \"x\" }, then = \"accepted\", clas = \"cap\" }]",
        expect![[r#"
        1 unknown_key: unknown key `bid_when` | known keys here: as, charset, counter, currency, labels, legs, namespaces, otherwise, price, reason, redirect, redirects, ref, rules, rules_first, separator, unescape, unwrap, values
        1 never_rejected: the reply to this post never says `rejected` | every rejection is an unknown outcome and holds its lead: add a rule { when = { at = "$.status", is = ["REJECTED"] }, then = "rejected" }
        2 unknown_key: unknown key `clas` | did you mean `class`?
    "#]],
    );
}

#[test]
fn rules_in_a_risky_order_are_warned_about() {
    in_post(
        "rules = [\n  { when = { at = \"$.s\", is = \"ok\" }, then = \"accepted\" },\n  { when = { contains = \"dup\" }, then = \"rejected\", class = \"duplicate\" },\n  { when = { at = \"$.e\", exists = true }, then = \"error\" },\n  { when = { at = \"$.s\", is = [\"ok\"] }, then = \"rejected\" },\n]",
        expect![[r#"
            3 success_first: the rule for success in line 2 stands before this one for a duplicate | buyers repeat words of success in refusals: move this rule up
            4 success_first: the rule for success in line 2 stands before this one for an error | buyers repeat words of success in refusals: move this rule up
            5 dead_rule: this rule never holds: line 2 has the same condition | remove one of the two, or change its condition
        "#]],
    );
}

#[test]
fn a_success_that_an_empty_page_would_be_is_warned_about() {
    let warned = |when: &str| {
        let rules = format!(
            "rules = [{{ when = {when}, then = \"accepted\" }}]\notherwise = \"rejected\"\n"
        );
        findings_of(Some(Speaker::Post), &rules).contains("success_of_nothing")
    };
    for nothing in [
        "{ at = \"$.error\", exists = false }",
        "{ at = \"$.code\", is_not = [1] }",
        "{ not = { contains = \"error\" } }",
        "{ matches = \"^[a-z]*$\" }",
        "{ any = [{ at = \"$.ok\", is_true = true }, { at = \"$.error\", exists = false }] }",
    ] {
        assert!(warned(nothing), "{nothing}");
    }
    for something in [
        "{ at = \"$.ok\", is = [true] }",
        "{ status = [\"2xx\"] }",
        "{ all = [{ at = \"$.price\", above = \"0\" }, { at = \"$.error\", exists = false }] }",
        "{ at = \"$.id\", exists = true }",
    ] {
        assert!(!warned(something), "{something}");
    }
}

#[test]
fn a_condition_says_one_thing() {
    for (when, expected) in [
        (
            r#"{}"#,
            expect![[r#"
            1 missing_key: `is` is missing | add `is = ["ACCEPTED"]`
        "#]],
        ),
        (
            r#"{ at = "$.s" }"#,
            expect![[r#"
            1 missing_key: `is` is missing | add `is = ["ACCEPTED"]`
        "#]],
        ),
        (
            r#"{ at = "$.s", is = [] }"#,
            expect![[r#"
            1 wrong_type: `is` cannot be a list | write `is = ["ACCEPTED"]`
        "#]],
        ),
        (
            r#"{ at = "$.s", is = "x", exists = true }"#,
            expect![[r#"
            1 bad_value: `is` and `exists` exclude each other | keep one, or write `all = [{ ... }, { ... }]`
        "#]],
        ),
        (
            r#"{ at = "$.s", is = "x", status = [200] }"#,
            expect![[r#"
            1 bad_value: a condition says one thing | write `all = [{ ... }, { ... }]` or `any = [...]` around several
        "#]],
        ),
        (
            r#"{ all = [] }"#,
            expect![[r#"
            1 bad_value: `all` lists no condition | write `all = [{ at = "...", is = ["..."] }, ...]`
        "#]],
        ),
        (
            r#"{ all = [{ status = ["6xx"] }, { status = 99 }] }"#,
            expect![[r#"
            1 wrong_type: `status` cannot be a list | write `status = [200, "2xx"]`
            1 wrong_type: `status` cannot be a whole number | write `status = [200, "2xx"]`
        "#]],
        ),
        (
            r#"{ above = "5" }"#,
            expect![[r#"
            1 missing_key: `at` is missing | add `at = "$.status"`
        "#]],
        ),
        (
            r#"{ at = "$.s", above = 5.5 }"#,
            expect![[r#"
            1 wrong_type: `above` cannot be a number with a point | write `above = "10.00"`
        "#]],
        ),
        (
            r#"{ at = "$.s", is_true = false }"#,
            expect![[r#"
            1 bad_value: `is_true = false` is neither | write `is_false = true`, or `not = { ... }`
        "#]],
        ),
        (
            r#"{ contains = "" }"#,
            expect![[r#"
            1 bad_value: `contains` needs a word | write `contains = "duplicate"`
        "#]],
        ),
        (
            r#"{ matches = "(" }"#,
            expect![[r#"
            1 bad_value: `matches`: this is no regular expression, or too large a one | write `matches = "^OK"`
        "#]],
        ),
        (
            r#"{ at = "$.s", iz = "x" }"#,
            expect![[r#"
            1 missing_key: `is` is missing | add `is = ["ACCEPTED"]`
        "#]],
        ),
        (
            r#"{ at = "$.s", key = "x", is = "x" }"#,
            expect![[r#"
            1 bad_value: `at` and `key` exclude each other | keep one; a list in `at` tries several places
        "#]],
        ),
    ] {
        condition(when, expected);
    }
}

#[test]
fn paths_are_checked_at_load() {
    for (at, expected) in [
        (
            r#""status""#,
            expect![[r#"
            1 bad_value: `at`: `status` is no path | paths are $.bid.price, /reply/price, //price or /reply/@id
        "#]],
        ),
        (
            r#""$.a[""#,
            expect![[r#"
            1 bad_value: `at`: at position 3, parser error | a path of JSON is like $.bids[0].price
        "#]],
        ),
        (
            r#""$..a..b..c""#,
            expect![[r#"
            1 bad_value: `at`: too many `..` | name the steps; `..` may stand 2 times
        "#]],
        ),
        (
            r#""$[?match(@.a, 'x+')]""#,
            expect![[r#"
            1 bad_value: `at`: a path cannot hold a regular expression | take the values, and test them with `matches` or `regex`
        "#]],
        ),
        (
            r#""$.a[?$..b]""#,
            expect![[r#"
            1 bad_value: `at`: a path has one `$` | a filter looks at its item: `[?@.ok == true]`
        "#]],
        ),
        (r#""$['..', \"a..\\\"..b\", 'match($']""#, expect![[""]]),
        (
            r#""/a[0]""#,
            expect![[r#"
            1 bad_value: `at`: `[0]`: positions count from 1 | paths are $.bid.price, /reply/price, //price or /reply/@id
        "#]],
        ),
        (
            r#""//hp:Price""#,
            expect![[r#"
            1 bad_value: `at`: the prefix `hp` is not declared: write `Price`, or add `namespaces = { hp = "..." }` | paths are $.bid.price, /reply/price, //price or /reply/@id
        "#]],
        ),
        (
            r#""./a""#,
            expect![[r#"
            1 bad_value: `at`: there is no item here to start at | write `/a` without the `.`
        "#]],
        ),
        (
            r#"[]"#,
            expect![[r#"
            1 bad_value: `at` names 0 places | write one path, or a list of up to 16
        "#]],
        ),
        (
            r#"7"#,
            expect![[r#"
            1 bad_value: `at` names 0 places | write one path, or a list of up to 16
            1 wrong_type: `at` cannot be a whole number | write `at = ["...", "..."]`
        "#]],
        ),
    ] {
        condition(&format!("{{ at = {at}, exists = true }}"), expected);
    }
    condition(
        "{ column = 1, exists = true }",
        expect![[r#"
        1 bad_value: `column` needs a text that is cut into pieces | add `as = "delimited"` and `separator = "|"` to this reply
    "#]],
    );
    condition(
        "{ header = \"a b\", exists = true }",
        expect![[r#"
        1 bad_value: `header`: this is no name of a header | write `header = "Location"`
    "#]],
    );
    in_ping(
        "as = \"delimited\"\nrules = [{ when = { column = \"x..\", exists = true }, then = \"bid\" }]",
        expect![[r#"
        1 missing_key: `separator` is missing | add `separator = "|"`
        2 wrong_type: `column` cannot be a string | write `column = 2, or "3.." for all from the third`
    "#]],
    );
}

#[test]
fn the_parts_of_a_reply_are_checked_at_load() {
    const RULES: &str = "otherwise = \"bid\"\n";
    for (part, expected) in [
        (
            "price = { sign = \"$\" }",
            expect![[r#"
            2 missing_key: `at` is missing | add `at = "$.status"`
        "#]],
        ),
        (
            "price = { at = \"$.p\", group = \".\", pick = \"joined\", unit = \"mills\" }",
            expect![[r#"
            2 bad_value: a price cannot be joined from several | write `pick = "sum"` or `pick = "highest"`
            2 bad_value: `group` and `decimal` are both "." | write `group = ".", decimal = ","` for 1.234,50
            2 unknown_word: `unit` cannot be "mills" | allowed: cents, major
        "#]],
        ),
        (
            "currency = \"USD\"",
            expect![[r#"
            2 wrong_type: `currency` cannot be a string | write `currency = { ... }`
        "#]],
        ),
        (
            "tokens = { \"1a\" = { at = \"$.p\" }, id = { at = \"$.p\" } }",
            expect![[r#"
            2 bad_value: `1a` is no name | a name has letters, digits and `_`, like lead_id
            2 bad_value: `id` is no name for one of `tokens` | it means something else already: call it otherwise
        "#]],
        ),
        (
            "lifetime = \"soon\"",
            expect![[r#"
            2 bad_value: `lifetime`: a duration is a whole number and a unit: 900ms, 3s, 5m, 72h, 30d | write `lifetime = "60s"`
        "#]],
        ),
        (
            "bids = { id = { at = \"$.p\" }, choose = \"all\" }",
            expect![[r#"
            2 missing_key: `at` is missing | add `at = "$.bids[*]"`
            2 missing_key: `price_is` is missing | add `price_is = "total"`
        "#]],
        ),
        (
            "bids = { at = \"//b\", id = { at = \"//id\" }, token = { key = \"t\" }, price = { at = \"./p\" } }",
            expect![[r#"
            2 bad_value: `at`: a path inside an item starts at the item | write `.//id`
            2 bad_value: `key` looks at the whole reply, but this is inside an item | name the place in the item: `at = "$.id"` or `at = "./id"`
        "#]],
        ),
        (
            "bids = { at = \"//b\", choose = 99, price_is = \"stated\" }",
            expect![[r#"
            1 missing_key: `price_is = "stated"`, but the reply names no `price` | add `price = { at = "..." }` beside `bids`
            2 out_of_range: `choose` = 99 is outside 1 to 64 | write a whole number from 1 to 64
        "#]],
        ),
        (
            "reason = { at = \"$.r\", map = { A = \"dupe\" }, contains = { b = \"voided\" } }",
            expect![[r#"
            2 unknown_word: this is no class of rejection | allowed: duplicate, cap, filter, invalid, price, other
            2 unknown_word: this is no class of rejection | allowed: duplicate, cap, filter, invalid, price, other
        "#]],
        ),
        (
            "charset = \"klingon\"\nunescape = 5\nas = \"yaml\"",
            expect![[r#"
            2 bad_value: `charset`: this is no charset of the web | write `charset = "windows-1252"`
            3 out_of_range: `unescape` = 5 is outside 0 to 4 | write a whole number from 0 to 4
            4 unknown_word: `as` cannot be "yaml" | did you mean "html"? Allowed: auto, json, xml, html, form, delimited, json_lines, csv, text
        "#]],
        ),
        (
            "as = \"delimited\"",
            expect![[r#"
            1 missing_key: `separator` is missing | add `separator = "|"`
        "#]],
        ),
        (
            "separator = \"|\"",
            expect![[r#"
            2 bad_value: `separator` and `labels` are of a delimited text | add `as = "delimited"`, or remove them
        "#]],
        ),
        (
            "unwrap = [{ at = \"/a\" }, { at = \"/a\" }, { at = \"/a\" }, { at = \"/a\" }, { key = \"x\", iz = 1 }]",
            expect![[r#"
            1 too_many: 5 documents inside each other | up to 4 can be unwrapped
            2 unknown_key: unknown key `iz` | known keys here: at, column, filter, header, key, pick, regex, take
        "#]],
        ),
    ] {
        in_ping(&format!("{RULES}{part}"), expected);
    }
    const POST: &str =
        "rules = [{ when = { status = 400 }, then = \"rejected\" }]\notherwise = \"accepted\"\n";
    for (part, expected) in [
        (
            "redirect = { at = \"$.u\", base = \"ftp://x\" }",
            expect![[r#"
            3 bad_value: `base`: this is no web address | write `base = "https://www.acme.example/"`
        "#]],
        ),
        (
            "redirect = { template = \"https://x.example/{{ lead_id }}\" }",
            expect![[r#"
            3 bad_value: `template`: only `post.ref` and other `post.<name>` are known here | write `template = "https://thanks.example/{{ post.ref }}"`
        "#]],
        ),
        (
            "values = { ref = { at = \"$.id\" } }",
            expect![[r#"
            3 bad_value: `ref` is no name for one of `values` | it means something else already: call it otherwise
        "#]],
        ),
        (
            "counter = { at = \"$.p\", key = \"other\" }",
            expect![[r#"
            3 unknown_word: `key` cannot be "other" | allowed: same, new
        "#]],
        ),
        (
            "redirects = \"follow\"",
            expect![[r#"
            3 unknown_word: `redirects` cannot be "follow" | allowed: read
        "#]],
        ),
        (
            "legs = { at = \"$.l[*]\", id = { at = \"$.id\" } }",
            expect![[r#"
            3 missing_key: `accepted` is missing | add `accepted = { at = "$.status", is = ["ACCEPTED"] }`
        "#]],
        ),
    ] {
        in_post(&format!("{POST}{part}"), expected);
    }
}
