//! Texts of buyers, checked or cut before anybody keeps them.

use exchange_model::reason::BUYER_TEXT_MAX;

/// Longest token of a buyer, in bytes. A longer one cannot be cut and spoils the bid.
const TOKEN_MAX: usize = 1024;

/// A token goes back as it came, or not at all.
pub(super) fn token(text: String) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= TOKEN_MAX && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// A short text without control characters; nothing when it is empty.
pub(super) fn cut(text: &str) -> Option<String> {
    let mut kept = String::new();
    for character in text.trim().chars().filter(|c| !c.is_control()) {
        if kept.len().saturating_add(character.len_utf8()) > BUYER_TEXT_MAX {
            break;
        }
        kept.push(character);
    }
    (!kept.is_empty()).then_some(kept)
}

/// A buyer's words about a lead may repeat the lead: what looks like an e-mail address or holds
/// seven or more digits is masked before it is cut.
pub(super) fn words(text: &str) -> Option<String> {
    let masked: Vec<&str> = text.split_whitespace().map(mask).collect();
    cut(&mask_spread_digits(&masked.join(" ")))
}

const MASK: &str = "[masked]";

fn mask(word: &str) -> &str {
    let digits = word.chars().filter(|c| c.is_numeric()).count();
    if word.contains('@') || digits >= 7 { MASK } else { word }
}

/// A phone written with blanks spreads over several words.
fn mask_spread_digits(text: &str) -> String {
    let phone_like = |c: char| c.is_numeric() || " ()+-.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(phone_like) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|c| !phone_like(c)).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        out.push_str(before);
        let digits = run.chars().filter(|c| c.is_numeric()).count();
        if digits >= 7 {
            let blank = |is: bool| if is { " " } else { "" };
            let (before, after) = (blank(run.starts_with(' ')), blank(run.ends_with(' ')));
            out.extend([before, MASK, after]);
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyers_words_never_repeat_a_phone_or_an_address() {
        for said in ["call 5125550134", "dup a@b.example!", "no (512) 555 0134", "+1 512-555-0134"]
        {
            let kept = words(said).unwrap();
            assert!(kept.contains(MASK) && !kept.contains("0134") && !kept.contains('@'), "{kept}");
        }
        assert_eq!(words("dup 512 555 0134 known").as_deref(), Some("dup [masked] known"));
        assert_eq!(words(" cap 100 reached ").as_deref(), Some("cap 100 reached"));
        assert_eq!(words("\u{1}"), None);
        assert_eq!(words(&"é".repeat(500)).map(|kept| kept.len()), Some(BUYER_TEXT_MAX));
    }
}
