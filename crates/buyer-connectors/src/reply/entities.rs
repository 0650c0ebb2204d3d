//! Entities of a text that was escaped as a whole.

/// The named ones; everything else that is named stays as it is.
const NAMED: &[(&str, char)] =
    &[("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}')];
/// Longest entity, in bytes: no text is searched for its end any further.
const LENGTH_MAX: usize = 10;

/// The text with its entities resolved once. It is never longer than it was.
pub(super) fn resolve(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        resolved.push_str(before);
        match entity(after) {
            Some((character, after)) => {
                resolved.push(character);
                rest = after;
            }
            None => {
                resolved.push('&');
                rest = after;
            }
        }
    }
    resolved + rest
}

fn entity(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(LENGTH_MAX).position(|b| b == b';')?;
    let (name, after) = (text.get(..end)?, text.get(end.saturating_add(1)..)?);
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
        None => NAMED.iter().find(|(own, _)| *own == name)?.1,
    };
    Some((character, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_resolved_once_and_the_rest_stays() {
        let text = "&lt;a b=&quot;&#65;&#x42;&quot;&gt; &amp;amp; & &x; &#0; &#xD800; &lt";
        assert_eq!(resolve(text), "<a b=\"AB\"> &amp; & &x; &#0; &#xD800; &lt");
    }
}
