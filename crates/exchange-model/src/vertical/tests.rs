//! What each field type accepts, in its one normal form.

use super::*;
use crate::reason::Invalid;

fn text(value: &str) -> Result<Value, Invalid> {
    Ok(Value::Text(value.to_owned()))
}

fn read(kind: &FieldType, input: &str) -> Result<Value, Invalid> {
    normalise(kind, input).map_err(|refused| refused.code)
}

#[test]
fn zips_exist_and_keep_their_leading_zero() {
    assert_eq!(read(&FieldType::UsZip, " 02134 "), text("02134"));
    assert_eq!(read(&FieldType::UsZip, "78701-1234"), text("78701"));
    for bad in ["2134", "00000", "7870a", "78701-12", "", "787011"] {
        assert_eq!(read(&FieldType::UsZip, bad), Err(Invalid::BadValue), "{bad}");
    }
    assert_eq!(state_of_zip("78701").collect::<Vec<_>>(), ["TX"]);
    assert_eq!(state_of_zip("20101").collect::<Vec<_>>(), ["DC", "VA"]);
}

#[test]
fn phones_follow_the_north_american_plan() {
    for good in ["5125550134", "(512) 555-0134", "+1 512.555.0134", "1-512-555-0134"] {
        assert_eq!(read(&FieldType::UsPhone, good), text("5125550134"), "{good}");
    }
    for bad in ["1125550134", "5121550134", "512555013", "51255501345", "9115550134", "abc"] {
        assert_eq!(read(&FieldType::UsPhone, bad), Err(Invalid::BadValue), "{bad}");
    }
}

#[test]
fn other_types_normalise_or_say_what_is_wanted() {
    assert_eq!(read(&FieldType::UsState, "tx"), text("TX"));
    assert_eq!(read(&FieldType::UsState, "ZZ"), Err(Invalid::BadValue));
    assert_eq!(read(&FieldType::Email, "Sample@Example.COM"), text("sample@example.com"));
    for bad in ["a@b", "@example.com", "a..b@example.com", "a b@example.com", "a@-x.com"] {
        assert_eq!(read(&FieldType::Email, bad), Err(Invalid::BadValue), "{bad}");
    }
    let day = Value::Date(Date::constant(1990, 4, 2));
    assert_eq!(read(&FieldType::Date, "1990-04-02"), Ok(day.clone()));
    assert_eq!(read(&FieldType::Date, "4/2/1990"), Ok(day));
    for bad in ["1990-02-30", "02/04/90", "1880-01-01", "yesterday"] {
        assert_eq!(read(&FieldType::Date, bad), Err(Invalid::BadValue), "{bad}");
    }
    assert_eq!(read(&FieldType::Boolean, "Y"), Ok(Value::Boolean(true)));
    assert_eq!(read(&FieldType::Boolean, "maybe"), Err(Invalid::BadType));
    let small = FieldType::Integer { min: 0, max: 20 };
    assert_eq!(read(&small, "20"), Ok(Value::Integer(20)));
    assert_eq!(read(&small, "21"), Err(Invalid::BadValue));
    assert_eq!(read(&small, "1.5"), Err(Invalid::BadType));
    assert_eq!(read(&FieldType::Text { max_length: 3 }, "abcd"), Err(Invalid::TooLarge));
    assert_eq!(read(&FieldType::Text { max_length: 9 }, "a\0b"), Err(Invalid::BadValue));
    assert!(read(&FieldType::Url, "https://cert.trustedform.com/0123").is_ok());
    for bad in ["ftp://x", "https://", "https://u@h/", "https://h/ x"] {
        assert_eq!(read(&FieldType::Url, bad), Err(Invalid::BadValue), "{bad}");
    }
}

#[test]
fn age_turns_on_the_birthday() {
    let born = Value::Date(Date::constant(1990, 4, 2));
    let rule = Derivation::YearsSince(FieldIdx(0));
    let on = |m, d| Vertical::derive(rule, &born, Date::constant(2026, m, d));
    assert_eq!(on(4, 1), Some(Value::Integer(35)));
    assert_eq!(on(4, 2), Some(Value::Integer(36)));
}

#[test]
fn a_vertical_reads_from_its_file_and_reports_every_mistake() {
    let body = r#"
schema = 1
id = "auto"
[field]
zip = { type = "us_zip", class = "open", ping = "required", post = "required", example = "78701" }
dob = { type = "date", class = "contact", ping = "required", post = "required", example = "1990-04-02" }
bad = { type = "int", class = "opne", ping = "no", post = "no", min = 0, max = 3, example = 9 }
[derived]
age = { from = "years_since(dob)", class = "open" }
oops = { from = "years_since(dbo)", class = "open" }
"#;
    let file = crate::SourceFile { path: "v.toml".into(), text: body.into() };
    let mut findings = crate::Findings::new();
    let document = crate::Document::parse(Arc::new(file), &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings).unwrap();
    assert_eq!(vertical.names().collect::<Vec<_>>(), ["zip", "dob", "age"]);
    let codes: Vec<_> = findings.sorted().iter().map(|f| f.code).collect();
    assert_eq!(codes, ["unknown_word", "bad_example", "bad_derivation"]);
}

#[test]
fn certificates_tokens_addresses_and_moments_are_checked_by_form() {
    let hex = "eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947";
    let whole = format!("https://cert.trustedform.com/{hex}");
    let tf = &FieldType::TrustedFormUrl;
    for good in [whole.clone(), format!("HTTPS://cert.TrustedForm.com/{}/", hex.to_uppercase())] {
        assert_eq!(read(tf, &good), text(&whole), "{good}");
    }
    assert!(read(tf, &format!("https://cert.trustedform.com/0.{hex}")).is_ok(), "another kind");
    let cut = whole.get(..whole.len() - 1).unwrap();
    for bad in [
        cut,
        hex,
        "https://ping.trustedform.com/0.abc",
        "https://cert.trustedform.com.evil.example/eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947",
        "https://cert.trustedform.com/",
        "https://cert.trustedform.com/../eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947",
    ] {
        assert_eq!(read(tf, bad), Err(Invalid::BadValue), "{bad}");
    }
    let token = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9";
    assert_eq!(read(&FieldType::LeadiD, &token.to_lowercase()), text(token));
    for bad in [&token.replace('-', ""), &token.replace('A', "G"), &format!("{{{token}}}")] {
        assert_eq!(read(&FieldType::LeadiD, bad), Err(Invalid::BadValue), "{bad}");
    }
    assert_eq!(read(&FieldType::Ip, "2001:DB8::0:1"), text("2001:db8::1"));
    assert_eq!(read(&FieldType::Ip, "::ffff:203.0.113.7"), text("203.0.113.7"));
    assert_eq!(read(&FieldType::Ip, "203.0.113.007"), Err(Invalid::BadValue));
    let utc = "2026-11-23T16:15:00Z";
    assert_eq!(read(&FieldType::DateTime, "2026-11-23T10:15:00-06:00"), text(utc));
    assert_eq!(read(&FieldType::DateTime, utc), text(utc));
    assert_eq!(read(&FieldType::DateTime, "2026-11-23T10:15:00"), Err(Invalid::BadValue));
}

const QUALITY: &str = r#"
schema = 1
id = "auto"
[field]
zip = { type = "us_zip", class = "open", ping = "optional", post = "required" }
state = { type = "us_state", class = "open", ping = "optional", post = "required" }
dob = { type = "date", class = "contact", ping = "optional", post = "required" }
phone = { type = "us_phone", class = "contact", ping = "optional", post = "required" }
[quality]
state_matches_zip = { of = ["state", "zip"], failed = "refuse" }
area_code_assigned = ["phone"]
area_code_matches_state = ["phone", "state"]
age = { of = "dob", min = 18, max = 110, failed = "refuse" }
[score]
base = 7
"#;

fn read_vertical(body: &str) -> (Option<Arc<Vertical>>, Vec<&'static str>) {
    let file = crate::SourceFile { path: "v.toml".into(), text: body.into() };
    let mut findings = crate::Findings::new();
    let document = crate::Document::parse(Arc::new(file), &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings);
    (vertical, findings.sorted().iter().map(|finding| finding.code).collect())
}

fn taken(
    vertical: &Arc<Vertical>,
    fields: &[(&str, &str)],
) -> Result<crate::Lead, Vec<(String, Invalid)>> {
    let fields: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let from = crate::lead::IntakeFields {
        stage: Stage::Ping,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: Date::constant(2026, 11, 23),
    };
    match crate::lead::intake(crate::LeadId::from_bytes([1; 16]), vertical, from) {
        Ok(taken) => Ok(taken.lead),
        Err(errors) => Err(errors.into_iter().map(|e| (e.field, e.code)).collect()),
    }
}

#[test]
fn a_check_that_refuses_names_its_field_and_one_whose_fields_are_absent_says_nothing() {
    let (vertical, codes) = read_vertical(QUALITY);
    let vertical = vertical.unwrap();
    assert_eq!(codes, Vec::<&str>::new());
    assert!(taken(&vertical, &[("zip", "78701")]).is_ok());
    assert!(taken(&vertical, &[("zip", "78701"), ("state", "TX")]).is_ok());
    assert!(taken(&vertical, &[("zip", "06390"), ("state", "NY")]).is_ok(), "across a border");
    let refused = taken(&vertical, &[("zip", "78701"), ("state", "OK"), ("dob", "2008-11-24")]);
    let bad = |field: &str| (field.to_owned(), Invalid::BadValue);
    assert_eq!(refused.unwrap_err(), [bad("zip"), bad("dob")]);
    assert!(taken(&vertical, &[("dob", "2008-11-23")]).is_ok(), "eighteen today");
}

#[test]
fn a_check_that_marks_is_an_open_field_that_filters_can_use() {
    let (vertical, _) = read_vertical(QUALITY);
    let vertical = vertical.unwrap();
    let mark = |fields: &[(&str, &str)], name: &str| {
        let lead = taken(&vertical, fields).unwrap();
        lead.attributes().get(vertical.index(name).unwrap()).cloned()
    };
    let (assigned, matches) = ("quality_area_code_assigned", "quality_area_code_matches_state");
    let texan = [("phone", "5125550134"), ("state", "TX")];
    assert_eq!(mark(&texan, matches), Some(Value::Boolean(true)));
    assert_eq!(mark(&texan, assigned), Some(Value::Boolean(true)));
    let moved = [("phone", "2125550134"), ("state", "TX")];
    assert_eq!(mark(&moved, matches), Some(Value::Boolean(false)));
    assert_eq!(mark(&[("phone", "5555550134")], assigned), Some(Value::Boolean(false)));
    assert_eq!(mark(&[("phone", "5555550134")], matches), None);
    assert!(vertical.index("quality_age").is_none(), "a check that refuses leaves no mark");
    assert_eq!(mark(&texan, "score"), Some(Value::Integer(7)), "the base, without rules");
}

#[test]
fn mistakes_in_quality_and_score_are_all_reported() {
    let wrong = QUALITY
        .replace("[\"state\", \"zip\"]", "[\"zip\", \"state\"]")
        .replace("[\"phone\"]", "[\"phon\"]")
        .replace("min = 18", "min = 120")
        .replace("base = 7", "base = 0\nrul = 1");
    let (_, codes) = read_vertical(&wrong);
    let expected = [
        "bad_quality",
        "bad_quality",
        "unknown_field",
        "never_matches",
        "out_of_range",
        "unknown_key",
    ];
    assert_eq!(codes, expected);
}
