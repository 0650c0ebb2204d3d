//! Every filter, on the example lead, in a JSON post.

use crate::one_buyer::{Dialect, body};
use crate::world::listed;
use expect_test::expect;

const WORDS: &str = r#"
[map.credit]
good = "B"
"*" = "Z"

[map.partial]
excellent = "A"

[map.city]
file = "cities.csv"
99999 = "Nowhere"

[range.years]
"2000" = "old"
"2019" = "up to 2019"
"*" = "new"

[range.low]
"10" = "ten"
"12.50" = "twelve fifty"
"#;

/// The JSON value of each text in a post, or `-` where it is left out.
fn values(texts: &[&str]) -> Vec<String> {
    let keys: Vec<String> =
        texts.iter().enumerate().map(|(at, text)| format!("k{at} = {text:?}")).collect();
    let dialect = Dialect::post(&format!("body = {{ {} }}", keys.join(", "))).more(WORDS);
    let body = body(&dialect.post_request());
    let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    (0..texts.len())
        .map(|at| json.get(format!("k{at}")).map_or_else(|| "-".to_owned(), ToString::to_string))
        .collect()
}

fn check(table: &[(&str, &str)]) {
    let texts: Vec<String> = table.iter().map(|(text, _)| format!("{{{{ {text} }}}}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for ((text, expected), found) in table.iter().zip(values(&texts)) {
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn texts() {
    check(&[
        ("vehicle_make | upper", r#""HONDA""#),
        ("vehicle_make | lower", r#""honda""#),
        ("tcpa_text | lower | title", r#""I Agree To Be Contacted""#),
        ("tcpa_text | cut(7) | trim", r#""I agree""#),
        ("zip | last(2)", r#""01""#),
        ("zip | slice(2, 3)", r#""870""#),
        ("zip | slice(9, 3)", r#""""#),
        ("email | before('@')", r#""sample""#),
        ("email | before('#')", r#""sample@example.com""#),
        ("email | after('@')", r#""example.com""#),
        ("email | after('#')", "-"),
        ("email | split('@', 2)", r#""example.com""#),
        ("email | split('@', 3)", "-"),
        ("tcpa_text | replace(' to be ', '-')", r#""I agree-contacted""#),
        ("email | regex('@(.*)[.]')", r#""example""#),
        ("email | regex('^nobody')", "-"),
        ("email | regex('(\\w+)@(\\w+)', '$2 at $1')", r#""example at sample.com""#),
        ("state | pad(4, '_')", r#""__TX""#),
        ("state | prefix('US-')", r#""US-TX""#),
        ("state | prefix(zip) | suffix('!')", r#""78701TX!""#),
        ("absent | prefix('US-')", "-"),
    ]);
}

#[test]
fn other_alphabets_are_folded_to_ascii() {
    check(&[
        ("absent | default('Zoë Łódź Straße') | ascii", r#""Zoe Lodz Strasse""#),
        ("vehicle_year | ascii", "2019"),
    ]);
}

#[test]
fn phones() {
    check(&[
        ("phone", r#""5125550134""#),
        ("phone | phone('10')", r#""5125550134""#),
        ("phone | phone('11')", r#""15125550134""#),
        ("phone | phone('e164')", r#""+15125550134""#),
        ("phone | phone('dashed')", r#""512-555-0134""#),
        ("phone | phone('dotted')", r#""512.555.0134""#),
        ("phone | phone('paren')", r#""(512) 555-0134""#),
        ("phone | phone('e164') | phone('dashed')", r#""512-555-0134""#),
        ("phone | phone('paren') | digits", r#""5125550134""#),
        ("phone | area_code", r#""512""#),
        ("phone | exchange", r#""555""#),
        ("phone | line", r#""0134""#),
        ("phone | last4", r#""0134""#),
        ("phone | digits | last4", r#""0134""#),
        ("first_name | phone('dashed')", r#""Sample""#),
        ("first_name | area_code", "-"),
    ]);
}

#[test]
fn dates() {
    check(&[
        ("birth_date", r#""1990-04-02""#),
        ("birth_date | date('%m/%d/%Y')", r#""04/02/1990""#),
        ("birth_date | date('%y%m%d %e %b %B %j 100%%')", r#""900402 2 Apr April 092 100%""#),
        ("birth_date | date('%m')", r#""04""#),
        ("birth_date | year", "1990"),
        ("birth_date | age", "36"),
        ("birth_date | epoch", "639014400"),
        ("now", r#""2026-07-25T14:05:09.250Z""#),
        ("now | date('%Y-%m-%d %H:%M:%S %I %p')", r#""2026-07-25 14:05:09 02 PM""#),
        ("now | epoch", "1784988309"),
        ("now | epoch_ms", "1784988309250"),
        ("tcpa_text | date('%Y')", r#""I agree to be contacted""#),
    ]);
}

#[test]
fn numbers_are_exact() {
    check(&[
        ("price", r#""12.50""#),
        ("price | number", "12.50"),
        ("price | times(12)", "150.00"),
        ("price | add(0.1) | sub('0.2')", "12.40"),
        ("price | div(3) | round(2)", "4.17"),
        ("price | div(5)", "2.5"),
        ("price | add(floor)", "22.50"),
        ("vehicle_year | sub(violations)", "2019"),
        ("vehicle_year | div(violations)", "-"),
        ("first_name | add(1)", "-"),
        ("vehicle_year | round(1)", "2019.0"),
        ("vehicle_year | range('years')", r#""up to 2019""#),
        ("vehicle_year | add(1) | range('years')", r#""new""#),
        ("violations | range('years')", r#""old""#),
        ("price | range('low')", r#""twelve fifty""#),
        ("vehicle_year | range('low')", "-"),
    ]);
}

#[test]
fn yes_and_no_and_types() {
    check(&[
        ("currently_insured", "true"),
        ("homeowner", "false"),
        ("currently_insured | yn", r#""Y""#),
        ("homeowner | yn", r#""N""#),
        ("homeowner | truefalse", r#""false""#),
        ("homeowner | onezero", r#""0""#),
        ("homeowner | onezero | number", "0"),
        ("homeowner | bool('Yes', 'No')", r#""No""#),
        ("homeowner | bool('1', '2') | number", "2"),
        ("homeowner | text", r#""false""#),
        ("homeowner | yn | boolean", "false"),
        ("zip | number", "78701"),
        ("vehicle_year | text", r#""2019""#),
        ("first_name | number", r#""Sample""#),
        ("absent | default('02134') | number", "2134"),
        ("absent | default('1_000') | number", r#""1_000""#),
        ("absent | default('1e3') | add(1)", "-"),
        ("absent | or_null", "null"),
        ("zip | or_null", r#""78701""#),
    ]);
}

#[test]
fn choices() {
    check(&[
        ("credit | map('credit')", r#""B""#),
        ("state | map('credit')", r#""Z""#),
        ("state | map('partial')", "-"),
        ("state | map('partial') | default('n/a')", r#""n/a""#),
        ("zip | map('city')", r#""Austin""#),
        ("absent | else(zip)", r#""78701""#),
        ("absent | else(absent) | else(vehicle_year)", "2019"),
        ("credit | else(zip)", r#""good""#),
        ("credit | if(homeowner, 'own', 'rent')", r#""rent""#),
        ("absent | if(currently_insured, 'in', 'un')", r#""in""#),
        ("credit | if(homeowner, 'own')", r#""good""#),
        ("credit | if(violations, 'some', zip)", r#""78701""#),
        ("credit | unless(homeowner, 'no owner')", r#""no owner""#),
        ("credit | unless(currently_insured, 'x')", r#""good""#),
        ("credit | omit('fair', 'good')", "-"),
        ("credit | omit('poor')", r#""good""#),
        ("credit | only('fair', 'good')", r#""good""#),
        ("credit | only('poor')", "-"),
        ("credit | replace('good', '') | default('it''s empty')", r#""it's empty""#),
    ]);
}

#[test]
fn codings() {
    check(&[
        ("email | md5", r#""45e67126a4c44c6ae030279e21437c79""#),
        ("email | sha1", r#""9eb7513bf998f1998cafd8ec9f40e590561add1d""#),
        ("email | upper | prefix(' ') | md5", r#""45e67126a4c44c6ae030279e21437c79""#),
        ("email | base64", r#""c2FtcGxlQGV4YW1wbGUuY29t""#),
        ("email | url", r#""sample%40example.com""#),
        ("var.key | xml", r#""a&amp;b""#),
        ("absent | default('a\"b') | json", r#""a\\\"b""#),
        (
            "var.key | sha256",
            r#""4e012385d7caf8417f8a9dcba73af72dbd063e3ce7cd766811e06680118c8782""#,
        ),
    ]);
}

#[test]
fn a_filter_with_wrong_arguments_is_an_error_with_an_example() {
    let keys = [
        "zip | cut",
        "zip | cut('x')",
        "zip | split('-', 0)",
        "zip | pad(5, 'ab')",
        "zip | regex('(')",
        "phone | phone('e146')",
        "zip | date('%Q')",
        "price | times('x')",
        "price | div(0)",
        "zip | map(credit)",
        "zip | map('credi')",
        "zip | range('yers')",
        "zip | else('text')",
        "zip | else(fone)",
        "zip | defualt('x')",
        "homeowner | add(1)",
        "zip | digits | zip3",
        "var.camapign",
        "ping.ofer",
        "post.queue",
        "brand.id",
    ];
    let keys: Vec<String> =
        keys.iter().enumerate().map(|(at, text)| format!("k{at} = \"{{{{ {text} }}}}\"")).collect();
    let dialect = Dialect::post(&format!("body = {{ {} }}", keys.join(", "))).more(WORDS);
    let found = listed(&dialect.findings());
    let found: Vec<&str> =
        found.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest)).collect();
    expect![[r#"
        bad_filter: filter `cut` needs an argument | write `cut(20)`
        bad_filter: filter `cut` takes a whole number up to 10000 here, not `x` | write `cut(20)`, for example
        bad_filter: filter `split` counts from 1 | write `split('-', 1)`, for example
        bad_filter: filter `pad` fills up with one character | write `pad(5, '0')`, for example
        bad_filter: filter `regex` cannot use this pattern: unclosed group | write `regex('[^0-9]', '')`, for example
        bad_filter: filter `phone` knows no form `e146`; did you mean `e164`? | write `phone('dashed')`, for example
        bad_filter: filter `date` does not work on `zip`, which is no date | write `date('%m/%d/%Y')`, for example
        bad_filter: filter `times` takes a number or the name of a source, not `x` | write `times(12)`, for example
        bad_filter: filter `div` cannot divide by zero | write `div(12)`, for example
        bad_filter: filter `map` takes a text here: write 'credit' | write `map('name')`, for example
        unknown_map: there is no map called `credi` | did you mean `credit`?
        bad_filter: filter `range` does not work on `zip`, which is no number | write `range('name')`, for example
        bad_filter: filter `else` takes the name of another source, without quotes | write `else(other_field)`, for example
        unknown_field: vertical `auto_insurance` has no field `fone` | did you mean `phone`?
        unknown_filter: no filter is called `defualt` | did you mean `default`?
        bad_filter: filter `add` does not work on `homeowner`, which is no number | write `add(1)`, for example
        bad_filter: filter `zip3` works on a field itself and must come first | write "{{ field | zip3 }}", other filters after it
        unknown_var: the connector has no var `camapign` | did you mean `var.campaign`?
        unknown_source: no reply of `ping` names a value `ofer` | did you mean `ping.offer`?
        not_known_here: `post.queue` is not known in `post` | known here are ping.id, source.alias, lead_id, now, floor, time_left_ms, time_left_s, price, ping.brand_ids, ping.brand_names, idempotency_key, callback_url, absent
        not_known_here: `brand.id` is known inside `$each` only | write { "$each" = "ping.brands", ... } around it"#]].assert_eq(&found.join("\n"));
}
