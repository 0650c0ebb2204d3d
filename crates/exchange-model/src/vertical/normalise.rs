//! From what a seller sent to a value in its one normal form.
//!
//! Refusals say what is wanted, never what was sent: the text may be contact data.

use std::net::IpAddr;

use crate::money::parse_amount;
use crate::reason::Invalid;
use crate::timestamp::Date;
use crate::value::Value;
use crate::vertical::{FieldType, us};

/// Longest e-mail address (RFC 5321), in bytes.
const EMAIL_MAX: usize = 254;
/// Longest URL, in bytes.
const URL_MAX: usize = 2_048;

/// What every certificate's address begins with.
const TRUSTED_FORM: &str = "https://cert.trustedform.com/";
/// Digits of the id of a web form's certificate.
const TRUSTED_FORM_HEX: usize = 40;
/// Shortest id of another kind of certificate that is believed to be whole.
const TRUSTED_FORM_ID_LEAST: usize = 32;
/// Longest id of any certificate.
const TRUSTED_FORM_ID_MAX: usize = 255;
/// Lengths of the groups of a LeadiD token.
const LEADID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Why a value is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadField {
    /// [`Invalid::BadType`], [`Invalid::BadValue`] or [`Invalid::TooLarge`].
    pub code: Invalid,
    /// What is wanted, as a sentence fragment.
    pub wanted: String,
}

fn bad(code: Invalid, wanted: impl Into<String>) -> BadField {
    BadField { code, wanted: wanted.into() }
}

/// Reads `text` as a value of this type.
///
/// # Errors
/// What is wanted instead.
pub fn normalise(kind: &FieldType, text: &str) -> Result<Value, BadField> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(bad(Invalid::BadValue, "text without control characters"));
    }
    match kind {
        FieldType::UsZip => zip(text),
        FieldType::UsState => state(text),
        FieldType::UsPhone => phone(text),
        FieldType::Email => email(text),
        FieldType::Date => date(text),
        FieldType::Enum(words) => word(words, text),
        FieldType::Integer { min, max } => integer(*min, *max, text),
        FieldType::Decimal => parse_amount(text)
            .map(Value::Decimal)
            .map_err(|_unreadable| bad(Invalid::BadValue, "an amount in digits, like 14.00")),
        FieldType::Boolean => boolean(text),
        FieldType::Text { max_length } => plain(*max_length, text),
        FieldType::Url => url(text),
        FieldType::TrustedFormUrl => trusted_form(text),
        FieldType::LeadiD => leadid(text),
        FieldType::Ip => ip(text),
        FieldType::DateTime => moment(text),
    }
}

fn zip(text: &str) -> Result<Value, BadField> {
    let five = match text.split_once('-') {
        Some((five, four)) if four.len() == 4 && all_digits(four) => five,
        Some(_) => "",
        None => text,
    };
    if five.len() != 5 || !all_digits(five) {
        return Err(bad(Invalid::BadValue, "a zip of five digits, like \"78701\""));
    }
    if us::state_of_zip(five).next().is_none() {
        return Err(bad(Invalid::BadValue, "a zip that exists; this range is not in use"));
    }
    Ok(Value::Text(five.to_owned()))
}

fn state(text: &str) -> Result<Value, BadField> {
    let code = text.to_ascii_uppercase();
    if us::is_state(&code) {
        Ok(Value::Text(code))
    } else {
        Err(bad(Invalid::BadValue, "a state of two letters, like \"TX\""))
    }
}

/// Ten digits; area and exchange codes start with 2 to 9 and are no service code (NANP).
fn phone(text: &str) -> Result<Value, BadField> {
    let refused = || bad(Invalid::BadValue, "a phone number of ten digits, like \"5125550134\"");
    if text.len() > 32 || !text.bytes().all(|b| b.is_ascii_digit() || b" ()-.+".contains(&b)) {
        return Err(refused());
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let ten = match digits.strip_prefix('1') {
        Some(rest) if digits.len() == 11 => rest,
        _ => digits.as_str(),
    };
    let (Some(area), Some(exchange)) = (ten.get(..3), ten.get(3..6)) else { return Err(refused()) };
    let plausible = |code: &str| !code.starts_with(['0', '1']) && !code.ends_with("11");
    if ten.len() == 10 && plausible(area) && plausible(exchange) {
        Ok(Value::Text(ten.to_owned()))
    } else {
        Err(refused())
    }
}

fn email(text: &str) -> Result<Value, BadField> {
    let refused = || bad(Invalid::BadValue, "an e-mail address, like \"sample@example.com\"");
    let (local, domain) = text.rsplit_once('@').ok_or_else(refused)?;
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
    if text.len() <= EMAIL_MAX && local_ok && domain_ok {
        Ok(Value::Text(text.to_ascii_lowercase()))
    } else {
        Err(refused())
    }
}

/// `1990-04-02`, and the American `04/02/1990`.
fn date(text: &str) -> Result<Value, BadField> {
    let american = || {
        let mut parts = text.split('/');
        let month: i8 = parts.next()?.parse().ok()?;
        let day: i8 = parts.next()?.parse().ok()?;
        let year = parts.next().filter(|y| y.len() == 4)?.parse().ok()?;
        if parts.next().is_some() { None } else { Date::new(year, month, day).ok() }
    };
    let iso = || if text.len() == 10 { text.parse::<Date>().ok() } else { None };
    iso()
        .or_else(american)
        .filter(|date| (1900..=2100).contains(&date.year()))
        .map(Value::Date)
        .ok_or_else(|| bad(Invalid::BadValue, "a date, like \"1990-04-02\""))
}

fn word(words: &[String], text: &str) -> Result<Value, BadField> {
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(text))
        .map(|word| Value::Text(word.clone()))
        .ok_or_else(|| bad(Invalid::BadValue, format!("one of {}", words.join(", "))))
}

fn integer(min: i64, max: i64, text: &str) -> Result<Value, BadField> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !all_digits(digits) {
        return Err(bad(Invalid::BadType, "a whole number"));
    }
    text.parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .map(Value::Integer)
        .ok_or_else(|| bad(Invalid::BadValue, format!("a whole number from {min} to {max}")))
}

fn boolean(text: &str) -> Result<Value, BadField> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(Value::Boolean(true)),
        "false" | "no" | "n" | "0" => Ok(Value::Boolean(false)),
        _ => Err(bad(Invalid::BadType, "true or false")),
    }
}

fn plain(max_length: u32, text: &str) -> Result<Value, BadField> {
    let allowed = usize::try_from(max_length).unwrap_or(usize::MAX);
    if text.chars().count() > allowed {
        return Err(bad(Invalid::TooLarge, format!("at most {max_length} characters")));
    }
    Ok(Value::Text(text.to_owned()))
}

fn url(text: &str) -> Result<Value, BadField> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host_ok = rest.and_then(|r| r.split(['/', '?', '#']).next()).is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b))
    });
    let printable = text.bytes().all(|b| b.is_ascii_graphic());
    if host_ok && printable && text.len() <= URL_MAX {
        Ok(Value::Text(text.to_owned()))
    } else {
        Err(bad(Invalid::BadValue, "an address that starts with https://"))
    }
}

/// Host and scheme count without case, the id of a web certificate in lower case.
fn trusted_form(text: &str) -> Result<Value, BadField> {
    let refused = || {
        let wanted =
            "a TrustedForm certificate, https://cert.trustedform.com/ and 40 hexadecimal digits";
        bad(Invalid::BadValue, wanted)
    };
    let (host, id) = text.split_at_checked(TRUSTED_FORM.len()).ok_or_else(refused)?;
    let id = id.strip_suffix('/').unwrap_or(id);
    let is_hex = id.bytes().all(|b| b.is_ascii_hexdigit());
    let other = (TRUSTED_FORM_ID_LEAST..=TRUSTED_FORM_ID_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !host.eq_ignore_ascii_case(TRUSTED_FORM) {
        Err(refused())
    } else if is_hex && id.len() == TRUSTED_FORM_HEX {
        Ok(Value::Text(format!("{TRUSTED_FORM}{}", id.to_ascii_lowercase())))
    } else if !is_hex && other {
        Ok(Value::Text(format!("{TRUSTED_FORM}{id}")))
    } else {
        Err(refused())
    }
}

/// In upper case, as the script of its issuer writes it.
fn leadid(text: &str) -> Result<Value, BadField> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex && lengths == LEADID_GROUPS {
        Ok(Value::Text(text.to_ascii_uppercase()))
    } else {
        Err(bad(Invalid::BadValue, "a LeadiD token, 36 characters in groups of 8-4-4-4-12"))
    }
}

fn ip(text: &str) -> Result<Value, BadField> {
    text.parse::<IpAddr>()
        .map(|address| Value::Text(address.to_canonical().to_string()))
        .map_err(|_no_address| bad(Invalid::BadValue, "an IP address, like \"203.0.113.7\""))
}

/// In UTC, so that equal moments are equal texts.
fn moment(text: &str) -> Result<Value, BadField> {
    text.parse::<jiff::Timestamp>().map(|moment| Value::Text(moment.to_string())).map_err(
        |_no_moment| {
            bad(
                Invalid::BadValue,
                "a date and time with its offset, like \"2026-11-23T10:15:00-06:00\"",
            )
        },
    )
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}
