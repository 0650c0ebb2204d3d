//! What the guard finds, what it lets pass, and both over random leads.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::id::LeadId;
use crate::lead::{IntakeFields, intake};
use crate::ping_value::{Anonymiser, PingView};
use crate::vertical::Stage;
use crate::{Date, Document, Findings, SourceFile};

const TODAY: Date = Date::constant(2026, 11, 23);

fn vertical() -> Arc<Vertical> {
    let field = |name: &str, kind: &str, class: &str| {
        format!(
            "{name} = {{ type = \"{kind}\", class = \"{class}\", ping = \"optional\", post = \"optional\" }}\n"
        )
    };
    let mut body = "id = \"auto\"\n[field]\n".to_owned();
    for (name, kind) in [
        ("zip", "us_zip"),
        ("year", "decimal"),
        ("make", "text"),
        ("carrier", "text"),
        ("own", "bool"),
    ] {
        body += &field(name, kind, "open");
    }
    for (name, kind) in [
        ("first_name", "text"),
        ("last_name", "text"),
        ("street", "text"),
        ("phone", "us_phone"),
        ("email", "email"),
        ("dob", "date"),
        ("cert", "url"),
        ("ip", "text"),
        ("ssn", "text"),
    ] {
        body += &field(name, kind, "contact");
    }
    body += "[derived]\nage = { from = \"years_since(dob)\", class = \"open\" }\n";
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: "v.toml".into(), text: body });
    let document = Document::parse(file, &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings).unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    vertical
}

fn lead(pairs: &[(&str, &str)]) -> Lead {
    let fields: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: TODAY,
    };
    intake(LeadId::from_bytes([7; 16]), &vertical(), from).unwrap().lead
}

const PERSON: &[(&str, &str)] = &[
    ("zip", "78701"),
    ("make", "Honda"),
    ("carrier", "State Farm"),
    ("first_name", "José"),
    ("last_name", "O'Neil"),
    ("street", "12 Elm Street, Apt 4"),
    ("phone", "5125550134"),
    ("email", "jo77.on@example.com"),
    ("dob", "1990-04-02"),
    ("cert", "https://cert.trustedform.com/0123456789abcdef"),
    ("ip", "203.0.113.7"),
    ("ssn", "078-05-1120"),
    ("Mobile 2", "(737) 555-0199"),
    ("other mail", "second@example.org"),
    ("sub", "banner-7"),
];

fn found(lead: &Lead, text: &str) -> Option<String> {
    let leak = lead.leak_guard().find(&[b"http://buyer.example/ping", text.as_bytes()], &[])?;
    Some(leak.field(lead.vertical()).to_owned())
}

#[test]
fn contact_values_are_found_in_every_spelling() {
    let person = lead(PERSON);
    for (text, field) in [
        (r#"{"phone":"5125550134"}"#, "phone"),
        ("<p>(512) 555-0134</p>", "phone"),
        ("p=%2B1+512.555.0134", "phone"),
        ("call 15125550134x", "phone"),
        ("512&#160;555&#xA0;0134", "phone"),
        ("tel:555-0134", "phone"),
        ("local 5550134.", "phone"),
        (r#"{"m":"JO77.ON@Example.com"}"#, "email"),
        ("m=jo77.on%40example.com", "email"),
        ("m=jo77.on%2540example.com", "email"),
        ("dob=1990-04-02", "dob"),
        ("dob=04%2F02%2F1990", "dob"),
        (r#""4\/2\/1990""#, "dob"),
        ("|04/02/90|", "dob"),
        ("April 2, 1990", "dob"),
        ("02-Apr-1990", "dob"),
        ("19900402", "dob"),
        ("1990-04-02T00:00:00Z", "dob"),
        (r#"{"n":"Jos\u00e9"}"#, "first_name"),
        ("n=JOS%C9", "first_name"),
        ("<n>jose&#769;</n>", "first_name"),
        ("jose_x", "first_name"),
        ("O&apos;NEIL", "last_name"),
        ("o-neil", "last_name"),
        ("12 elm street apt 4", "street"),
        ("12+Elm+Street%2C+Apt+4", "street"),
        ("//cert.trustedform.com/0123456789abcdef", "cert"),
        ("id 0123456789ABCDEF", "cert"),
        ("203.0.113.7", "ip"),
        ("078051120", "ssn"),
        ("078 05 1120", "ssn"),
        ("7375550199", "unknown"),
        ("Second@Example.org", "unknown"),
        // base64 of `call 512-555-0134`, alone and in a path; hex of `O'Neil`.
        (r#"{"x":"Y2FsbCA1MTItNTU1LTAxMzQ="}"#, "phone"),
        ("/ping/Y2FsbCA1MTItNTU1LTAxMzQ/x", "phone"),
        ("x=4f274e65696c", "last_name"),
    ] {
        assert_eq!(found(&person, text).as_deref(), Some(field), "{text}");
    }
}

#[test]
fn what_a_ping_may_say_is_let_pass() {
    let person = lead(PERSON);
    for text in [
        "",
        "born 1990, age 36, area 512, last four 0134, zip 78701",
        "512|0134",
        "the time is 04:02:90, on 2026-11-22",
        "Josefina and Josés brother, ONeill",
        "x@example.com, example.com, cert.trustedform.com",
        "12 Elm Street",
        "512555013",
        "5125 55019 4444",
        "banner-7",
        // SHA-256 of the phone.
        "f0c6fcc4f4a4a9bbd1a92bbd0ed0b3f0d6c9b1a5f3f3e8ae0f5c8ad3b1e0d1c2",
        "%zz%4 \\q \\u12 &; &#; &#x110000; &nothing; %",
    ] {
        assert_eq!(found(&person, text), None, "{text}");
    }
}

#[test]
fn an_open_value_and_a_fixed_word_excuse_a_name_and_nothing_else() {
    let named = lead(&[
        ("make", "Honda Civic"),
        ("carrier", "call 512-555-0134 after 6 or write to a.b@example.com"),
        ("first_name", "Price"),
        ("last_name", "HONDA"),
        ("phone", "5125550134"),
        ("email", "a.b@example.com"),
    ]);
    let guard = named.leak_guard();
    let ping = br#"{"price":"1","make":"Honda Civic"}"#;
    assert_eq!(guard.find(&[ping], &[br#"{"price":"","make":"Ford"}"#]), None);
    assert!(guard.find(&[ping], &[]).is_some(), "nobody said that `price` is the connector's word");
    assert_eq!(found(&named, "call 512-555-0134 after 6").as_deref(), Some("phone"));
    assert_eq!(found(&named, "write to a.b@example.com").as_deref(), Some("email"));
}

#[test]
fn a_name_in_a_sentence_excuses_nothing() {
    let talked_about =
        lead(&[("carrier", "please ask for Mrs Smithson herself"), ("last_name", "Smithson")]);
    assert_eq!(found(&talked_about, "ask for Mrs Smithson").as_deref(), Some("last_name"));
}

#[test]
fn short_values_and_short_numbers_are_not_searched() {
    let short =
        lead(&[("first_name", "Al"), ("last_name", "O'B"), ("street", "12 A"), ("ssn", "1")]);
    assert_eq!(found(&short, "Al O'B 12 A 1"), None);
}

#[test]
fn the_guard_shows_no_value() {
    let person = lead(PERSON);
    let shown = format!("{:?} {person:?}", person.leak_guard());
    for value in ["5125550134", "jo77", "neil", "elm", "1990 04 02", "555"] {
        assert!(!shown.to_lowercase().contains(value), "{shown}");
    }
}

/// A random person, with the values that a lead must not lose.
#[derive(Clone, Debug)]
struct Person {
    open: Vec<(&'static str, String)>,
    contact: Vec<(&'static str, String)>,
}

impl Person {
    fn lead(&self) -> Lead {
        let pairs: Vec<_> =
            self.open.iter().chain(&self.contact).map(|(n, v)| (*n, v.as_str())).collect();
        lead(&pairs)
    }
}

fn person() -> impl Strategy<Value = Person> {
    let name = || {
        prop_oneof![
            "[A-Z][a-z]{3,11}",
            "[A-Z][a-z]{2,5}[- ][A-Z][a-z]{2,6}",
            "O'[A-Z][a-zé]{3,8}",
            select(vec!["Price", "Zipper", "Year", "Honda", "Ford", "Make", "Farm", "Young"])
                .prop_map(str::to_owned)
        ]
    };
    let open = (
        select(vec!["78701", "10001", "94105"]),
        1950..2027_i32,
        select(vec!["Honda", "Ford", "Chevrolet", "Mercedes-Benz"]),
        select(vec![
            "State Farm",
            "Young America",
            "21st Century",
            "Geico & Sons",
            "No \"one\" <else>",
        ]),
    )
        .prop_map(|(zip, year, make, carrier)| {
            vec![
                ("zip", zip.to_owned()),
                ("year", year.to_string()),
                ("make", make.to_owned()),
                ("carrier", carrier.to_owned()),
                ("own", "true".to_owned()),
            ]
        });
    let contact = (
        name(),
        name(),
        "[1-9][0-9]{2,4} [A-Z][a-z]{3,9} (St|Ave|Blvd)",
        "[2-9][0-9][02-9][2-9][0-9]0[0-9]{4}",
        "[a-z][a-z0-9]{2,9}[.+_%-][a-z0-9]{2,9}@[a-z]{3,9}\\.(com|net|org)",
        (1930..2008, 1..=12, 1..=28),
    )
        .prop_map(|(first, last, street, phone, email, (y, m, d))| {
            vec![
                ("first_name", first),
                ("last_name", last),
                ("street", street),
                ("phone", phone),
                ("email", email),
                ("dob", format!("{y}-{m:02}-{d:02}")),
            ]
        });
    (open, contact).prop_map(|(open, contact)| Person { open, contact })
}

/// An honest ping of this lead: every open field, and contact data behind an anonymiser.
fn honest(lead: &Lead, form: bool, id: u128) -> String {
    let view = PingView::new(lead, TODAY);
    let at = |name| lead.vertical().index(name).unwrap();
    let mut text = format!("ping_id={id:032x}&id64={}&max_price=12.50", base64(&id.to_be_bytes()));
    for (at, field) in lead.vertical().fields() {
        let Some(value) = view.value(at) else { continue };
        if form {
            write!(text, "&{}={}", field.name, percent(&value.to_string())).unwrap();
        } else {
            write!(text, "\n\"{}\": {}", field.name, serde_json::json!(value.to_string())).unwrap();
        }
    }
    for (name, how) in [
        ("dob", Anonymiser::Year),
        ("dob", Anonymiser::Age),
        ("phone", Anonymiser::Last4),
        ("phone", Anonymiser::AreaCode),
        ("phone", Anonymiser::Sha256),
        ("email", Anonymiser::Sha256),
    ] {
        if let Some(value) = view.anonymised(at(name), how) {
            write!(text, "&{name}_x={value}").unwrap();
        }
    }
    text
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        match b {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            b => write!(out, "%{b:02X}").unwrap(),
        }
        out
    })
}

fn entities(text: &str) -> String {
    text.chars()
        .map(
            |c| {
                if c.is_ascii_alphanumeric() {
                    c.to_string()
                } else {
                    format!("&#{};", u32::from(c))
                }
            },
        )
        .collect()
}

fn json(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_string()
            } else {
                format!("\\u{:04x}", u32::from(c))
            }
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let get = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = get(0) << 16 | get(1) << 8 | get(2);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS[usize::try_from(bits >> shift & 63).unwrap()];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

type Coding = (&'static str, fn(&str) -> String);

const CODINGS: &[Coding] = &[
    ("as is", str::to_owned),
    ("upper", |t| t.to_uppercase()),
    ("lower", |t| t.to_lowercase()),
    ("percent", percent),
    ("entities", entities),
    ("json", json),
    ("json in a form", |t| percent(&serde_json::json!({ "a": t }).to_string())),
    ("xml in json", |t| serde_json::json!(format!("<a>{}</a>", entities(t))).to_string()),
    ("form in json in a form", |t| percent(&json(&percent(t)))),
    ("base64", |t| base64(t.as_bytes())),
    ("base64 of a sentence", |t| base64(format!("I am {t}, yes").as_bytes())),
    ("hex", |t| hex::encode(t)),
];

/// Ways to write one field's value.
fn spelling(field: &str, value: &str, way: u8) -> String {
    let part = |from: usize, to: usize| value.get(from..to).unwrap_or_default();
    match (field, way) {
        ("phone", 1) => format!("({}) {}-{}", part(0, 3), part(3, 6), part(6, 10)),
        ("phone", 2) => format!("+1{value}"),
        ("phone", 3) => format!("{}.{}.{}", part(0, 3), part(3, 6), part(6, 10)),
        ("dob", 1) => format!("{}/{}/{}", part(5, 7), part(8, 10), part(0, 4)),
        ("dob", 2) => value.replace('-', ""),
        ("dob", 3) => format!("{value}T00:00:00Z"),
        ("first_name" | "last_name" | "street", 1) => value.replace(' ', "   "),
        _ => value.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_ping_is_never_blocked(person in person(), form: bool, id: u128) {
        let lead = person.lead();
        let blank = honest(&Lead::blank(lead.id(), lead.vertical()), form, 0);
        let fixed = format!("{blank} zip year make carrier own age dob_x phone_x email_x");
        let ping = honest(&lead, form, id);
        prop_assert_eq!(lead.leak_guard().find(&[ping.as_bytes()], &[fixed.as_bytes()]), None, "{}", ping);
    }

    #[test]
    fn a_planted_contact_value_is_always_found(
        person in person(),
        which in 0..6_usize,
        way in 0..4_u8,
        coding in 0..CODINGS.len(),
        form: bool,
    ) {
        let lead = person.lead();
        let (field, value) = &person.contact[which];
        let (name, code) = CODINGS[coding];
        let excused = field.ends_with("name")
            && person.open.iter().any(|(_, open)| words(open.as_bytes()).contains(&words(value.as_bytes())));
        prop_assume!(!excused);
        let ping = format!("{}&note={}&end=1", honest(&lead, form, 1), code(&spelling(field, value, way)));
        prop_assert!(lead.leak_guard().find(&[ping.as_bytes()], &[]).is_some(), "{} {}: {}", field, name, ping);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[%&\\\\#;ux0-9a-f@ +/=.]{0,120}") {
        let person = lead(PERSON);
        let _found = person.leak_guard().find(&[&bytes, text.as_bytes()], &[&bytes]);
    }
}
