//! Hiding secrets in what is shown to an operator.
//!
//! A secret is looked for as it is and in every form in which a request may carry it; what is
//! signed or hashed with it cannot be turned back and is left alone.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::secrets::Secrets;
use crate::template::Escape;

/// Shorter secrets stand in too many places by chance; what they are part of is readable then.
const HIDDEN_MIN: usize = 4;

impl Secrets {
    /// The text with `[secret name]` in place of every secret.
    #[must_use]
    pub fn hidden_in(&self, text: &str) -> String {
        let mut forms: Vec<(String, &str)> = Vec::new();
        for (name, secret) in self.all() {
            let secret = secret.reveal();
            if secret.len() >= HIDDEN_MIN {
                forms.extend(written(secret).into_iter().map(|form| (form, name)));
            }
        }
        // A secret may be part of another: the longest goes first.
        forms.sort_by(|one, other| other.0.len().cmp(&one.0.len()).then_with(|| one.cmp(other)));
        let mut shown = text.to_owned();
        for (form, name) in forms {
            if shown.contains(&form) {
                shown = shown.replace(&form, &format!("[secret {name}]"));
            }
        }
        shown
    }
}

/// The forms in which a request or a reply may hold a secret.
fn written(secret: &str) -> Vec<String> {
    let mut forms = escaped(secret);
    forms.extend(forms.clone().iter().flat_map(|once| escaped(once)));
    forms.extend([
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        secret.to_ascii_lowercase(),
        secret.to_ascii_uppercase(),
    ]);
    forms.sort();
    forms.dedup();
    forms
}

/// A text as it is, and as each part of a request writes it; twice over, it is in a document inside
/// of a value.
fn escaped(text: &str) -> Vec<String> {
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let written = [Escape::None, Escape::Json, Escape::Xml, Escape::Url].map(|escape| {
        let mut out = String::new();
        escape.push(text, &mut out);
        out
    });
    written.into_iter().chain([form.replace('+', "%20"), form]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_of_it() {
        let secrets = Secrets::from_pairs([("key", "a/b \"c\"&d"), ("long", "a/b \"c\"&d-more")]);
        for text in [
            "https://x.example/a/b \"c\"&d",
            "{\"k\":\"a/b \\\"c\\\"&d\"}",
            "<k>a/b &quot;c&quot;&amp;d</k>",
            "k=a%2Fb+%22c%22%26d",
            "k=a%2Fb%20%22c%22%26d",
            "Basic YS9iICJjIiZk",
            "A/B \"C\"&D",
        ] {
            let hidden = secrets.hidden_in(text);
            assert!(hidden.contains("[secret key]"), "{text} -> {hidden}");
        }
        assert_eq!(secrets.hidden_in("a/b \"c\"&d-more"), "[secret long]");
        assert_eq!(secrets.hidden_in("nothing here"), "nothing here");
    }

    #[test]
    fn a_secret_is_hidden_as_requests_write_it() {
        let secret = "p~s*s\"&w";
        let secrets = Secrets::from_pairs([("key", secret)]);
        let pushed = |escape: Escape, text: &str| {
            let mut out = String::new();
            escape.push(text, &mut out);
            out
        };
        let escapes = [Escape::Json, Escape::Xml, Escape::Url, Escape::Form];
        for outer in escapes {
            for inner in escapes {
                let text = pushed(outer, &format!("x {}", pushed(inner, secret)));
                let hidden = secrets.hidden_in(&text);
                assert!(hidden.contains("[secret key]"), "{inner:?} in {outer:?}: {hidden}");
            }
        }
    }
}
