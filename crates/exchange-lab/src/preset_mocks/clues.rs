//! What a mock finds in a request of any dialect: whom it is about, and which handles it names.
//!
//! A mock reads no dialect. It looks for what has the shape of an e-mail address or of a phone
//! number, and for words that it has handed out itself. Of a person it keeps a number that cannot
//! be turned back.

use crate::mock_buyers::answer::Request;
use crate::random::hash;

/// Every handle of a mock starts with this; the digits after it are its own.
const HANDLE_MARK: &str = "mk";
/// Digits of a handle.
const HANDLE_DIGITS: usize = 12;
/// One more than the largest number of a handle.
const HANDLES: u64 = 1_000_000_000_000;

/// A handle made of this number.
pub(crate) fn handle(number: u64) -> String {
    format!("{HANDLE_MARK}{:0HANDLE_DIGITS$}", number % HANDLES)
}

/// A request's text: target and body, decoded where they are a query or a form, and the values of
/// headers.
pub(crate) fn text_of(request: &Request) -> String {
    let mut text = format!("{}\n{}", request.path, decoded(request.query.as_bytes()));
    if request.header("content-type").contains("urlencoded") {
        text.push_str(&decoded(&request.body));
    } else {
        text.push_str(&String::from_utf8_lossy(&request.body));
    }
    for value in request.headers.values() {
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    text
}

/// `name=value` in lines.
fn decoded(form: &[u8]) -> String {
    let pairs = form_urlencoded::parse(form);
    pairs.map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// What a request says, its handles left out: two posts that differ in nothing else are the same.
pub(crate) fn content(request: &Request) -> u64 {
    let text = format!("{}\n{}", request.query, String::from_utf8_lossy(&request.body));
    let named: Vec<String> = handles(&text).map(str::to_owned).collect();
    let bare = named.iter().fold(text, |text, handle| text.replace(handle.as_str(), ""));
    hash(3, bare.as_bytes())
}

/// The words of a text that may be names of something: what stands between other characters than
/// letters, digits, `-`, `_` and `.`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let stops = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
    text.split(stops).filter(|word| !word.is_empty())
}

/// The handles that a text names, in order.
pub(crate) fn handles(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices(HANDLE_MARK).map(|(at, _)| at);
    starts.filter_map(|at| {
        let word = text.get(at..at + HANDLE_MARK.len() + HANDLE_DIGITS)?;
        let digits = word.strip_prefix(HANDLE_MARK)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(word)
    })
}

/// The person a post is about: by e-mail address, else by phone number. `None` when the text has
/// neither.
pub(crate) fn person(text: &str) -> Option<u64> {
    let email = text.match_indices('@').find_map(|(at, _)| email_around(text, at));
    let found = email.or_else(|| phone(text))?;
    Some(hash(0, found.as_bytes()))
}

fn email_around(text: &str, at: usize) -> Option<String> {
    let local = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let domain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
    let start = before.rfind(|c| !local(c)).map_or(0, |last| last + 1);
    let end = after.find(|c| !domain(c)).unwrap_or(after.len());
    let (name, host) = (before.get(start..)?, after.get(..end)?);
    let whole = !name.is_empty() && host.trim_matches('.').contains('.');
    whole.then(|| format!("{name}@{host}").to_ascii_lowercase())
}

/// The first ten digits that have the shape of a North American number.
fn phone(text: &str) -> Option<String> {
    let stops = |c: char| !(c.is_ascii_digit() || " ()-.+".contains(c));
    text.split(stops).find_map(|run| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let digits = match digits.strip_prefix('1') {
            Some(rest) if rest.len() == 10 => rest.to_owned(),
            _ => digits,
        };
        let geographic = |at: usize| digits.as_bytes().get(at).is_some_and(|d| *d >= b'2');
        (digits.len() == 10 && geographic(0) && geographic(3)).then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_same_in_every_dialect() {
        let same = [
            "email=Sample@Example.com\nphone=5125550134\n",
            "{\"e\":\"sample@example.com\",\"p\":\"+1 (512) 555-0199\"}",
            "<E a='x'>sample@example.com</E>",
        ];
        let people: Vec<_> = same.iter().map(|text| person(text)).collect();
        assert!(people.iter().all(|one| one.is_some() && *one == people[0]), "{people:?}");
        let phones = ["{\"p\":\"+1 (512) 555-0134\"}", "Phone=512.555.0134\n", "15125550134|TX"];
        let people: Vec<_> = phones.iter().map(|text| person(text)).collect();
        assert!(people.iter().all(|one| one.is_some() && *one == people[0]), "{people:?}");
    }

    #[test]
    fn what_only_looks_like_a_person_is_none() {
        for text in ["", "@", "a@b", "at=1763800000\n", "lead 1234567890 and 512555013", "x@."] {
            assert_eq!(person(text), None, "{text}");
        }
    }

    #[test]
    fn handles_are_found_wherever_they_stand() {
        let (one, two) = (handle(7), handle(u64::MAX));
        let text = format!("/confirm/{one}?t={two} mk mk12 mk00000000000x");
        assert_eq!(handles(&text).collect::<Vec<_>>(), [one, two]);
    }
}
