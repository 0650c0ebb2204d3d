//! The page that the consumer may be sent to. We never follow it.

use url::Url;

use super::locator::{Locator, Scope};

/// Longest redirect address, in bytes.
const REDIRECT_MAX: usize = 2048;

/// Where the address comes from.
#[derive(Debug)]
pub(crate) enum RedirectRule {
    /// From the reply; relative ones belong to the base.
    At(Locator, Option<Url>),
    /// Put together from values of the reply.
    Template(Vec<Piece>),
}

/// A piece of such a template.
#[derive(Debug)]
pub(crate) enum Piece {
    Literal(String),
    /// `{{ post.ref }}` or `{{ post.<name> }}`.
    Value(String),
}

impl RedirectRule {
    /// The address; nothing when there is none that a consumer may be sent to.
    pub(super) fn read(
        &self,
        scope: &Scope<'_>,
        value: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        match self {
            Self::At(at, base) => address(&at.one_text(scope)?, base.as_ref()),
            Self::Template(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Value(name) => text.extend(
                            form_urlencoded::byte_serialize(value(name)?.as_bytes())
                                .map(|part| part.replace('+', "%20")),
                        ),
                    }
                }
                address(&text, None)
            }
        }
    }
}

/// A web address without a user and a password, and no other.
pub(super) fn address(text: &str, base: Option<&Url>) -> Option<String> {
    if text.len() > REDIRECT_MAX {
        return None;
    }
    let url = match base {
        Some(base) => base.join(text).ok()?,
        None => Url::parse(text).ok()?,
    };
    let safe = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    safe.then(|| url.to_string()).filter(|url| url.len() <= REDIRECT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_passed_on() {
        for good in ["https://thanks.example/a?b=c", "http://a.example/"] {
            assert_eq!(address(good, None).as_deref(), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "ftp://a.example/",
            "data:text/html,x",
            "/thanks",
            "https://u:p@a.example/",
        ] {
            assert_eq!(address(bad, None), None, "{bad}");
        }
        assert_eq!(address(&format!("https://a.example/{}", "x".repeat(2048)), None), None);
    }

    #[test]
    fn a_relative_address_belongs_to_the_base_and_cannot_leave_the_web() {
        let base = Url::parse("https://a.example/x/").unwrap();
        let joined = |text| address(text, Some(&base));
        assert_eq!(joined("../y?z=1").as_deref(), Some("https://a.example/y?z=1"));
        assert_eq!(joined("https://b.example/").as_deref(), Some("https://b.example/"));
        assert_eq!(joined("javascript:alert(1)"), None);
        assert_eq!(joined("//u@evil.example/"), None);
    }
}
