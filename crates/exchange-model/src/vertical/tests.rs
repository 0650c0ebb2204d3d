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
