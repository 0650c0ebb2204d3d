//! From the text of a path to its steps. Only at load.

use super::super::tree::NameTest;
use super::{End, Operand, Predicate, Start, Step, XPath};

/// Most steps of a path.
const STEPS_MAX: usize = 32;
/// Most `//` in one path: each visits every element.
const DESCENTS_MAX: usize = 8;

/// The prefixes that a connector declares: each with its namespace.
#[derive(Clone, Debug, Default)]
pub(in crate::reply) struct Namespaces(pub(in crate::reply) Vec<(String, String)>);

impl Namespaces {
    /// `hp:Price`, `Price` or `*`.
    fn name(&self, text: &str) -> Result<NameTest, String> {
        let (prefix, local) = match text.split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, text),
        };
        if local != "*" && !is_name(local) {
            return Err(format!("`{text}` is no name"));
        }
        let namespace = match prefix {
            None => None,
            Some(prefix) => match self.0.iter().find(|(own, _)| own == prefix) {
                Some((_, namespace)) => Some(namespace.clone()),
                None => {
                    return Err(format!(
                        "the prefix `{prefix}` is not declared: write `{local}`, or add \
                         `namespaces = {{ {prefix} = \"...\" }}`"
                    ));
                }
            },
        };
        Ok(NameTest { local: (local != "*").then(|| local.to_owned()), namespace })
    }
}

fn is_name(text: &str) -> bool {
    let starts_well = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    starts_well && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl XPath {
    /// Reads a path.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(in crate::reply) fn parse(text: &str, namespaces: &Namespaces) -> Result<Self, String> {
        let (start, rest) = match text.strip_prefix('.') {
            Some(rest) => (Start::Item, rest),
            None => (Start::Document, text),
        };
        let mut path = Self { start, steps: Vec::new(), end: End::Elements };
        if rest.is_empty() && start == Start::Item {
            return Ok(path);
        }
        let mut rest = rest;
        let mut descents = 0_usize;
        while !rest.is_empty() {
            descents = descents.saturating_add(usize::from(rest.starts_with("//")));
            if descents > DESCENTS_MAX {
                return Err(format!("`//` may stand {DESCENTS_MAX} times in a path"));
            }
            let (anywhere, step) = if let Some(step) = rest.strip_prefix("//") {
                (true, step)
            } else if let Some(step) = rest.strip_prefix('/') {
                (false, step)
            } else {
                return Err(format!("`/` is missing before `{rest}`"));
            };
            if path.end != End::Elements || path.steps.len() >= STEPS_MAX {
                return Err(format!("nothing can follow before `{step}`"));
            }
            let (step, after) = step.split_at(end_of_step(step));
            path.add(anywhere, step, namespaces)?;
            rest = after;
        }
        let leads_somewhere = !path.steps.is_empty() || path.end != End::Elements;
        leads_somewhere.then_some(path).ok_or_else(|| "the path names nothing".to_owned())
    }

    fn add(&mut self, anywhere: bool, step: &str, namespaces: &Namespaces) -> Result<(), String> {
        if step == "text()" {
            self.end = End::Texts(anywhere);
        } else if let Some(name) = step.strip_prefix('@') {
            self.end = End::Attributes(namespaces.name(name)?, anywhere);
        } else {
            let (name, predicates) = step.split_at(step.find('[').unwrap_or(step.len()));
            self.steps.push(Step {
                anywhere,
                name: namespaces.name(name)?,
                predicates: predicates_of(predicates, namespaces)?,
            });
        }
        Ok(())
    }
}

/// The next `/` outside of brackets and quotes.
fn end_of_step(text: &str) -> usize {
    let mut quote = None;
    let mut inside = false;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if inside => quote = Some(character),
            (None, '[') => inside = true,
            (None, ']') => inside = false,
            (None, '/') if !inside => return at,
            (None, _) => {}
        }
    }
    text.len()
}

fn predicates_of(text: &str, namespaces: &Namespaces) -> Result<Vec<Predicate>, String> {
    let mut predicates = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('[').and_then(|inside| {
            let end = end_of_predicate(inside)?;
            Some((inside.get(..end)?, inside.get(end..)?.strip_prefix(']')?))
        });
        let Some((inside, after)) = inside else {
            return Err(format!("`{rest}` is no `[...]`"));
        };
        predicates.push(predicate(inside.trim(), namespaces)?);
        rest = after.trim_start();
    }
    Ok(predicates)
}

fn end_of_predicate(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, character)| match (quote, character) {
        (Some(open), close) if open == close => {
            quote = None;
            None
        }
        (None, '\'' | '"') => {
            quote = Some(character);
            None
        }
        (None, ']') => Some(at),
        _ => None,
    })
}

fn predicate(text: &str, namespaces: &Namespaces) -> Result<Predicate, String> {
    if text == "last()" {
        return Ok(Predicate::Last);
    }
    if let Ok(position) = text.parse::<usize>() {
        let counts_from_one = || format!("`[{text}]`: positions count from 1");
        return (position > 0).then_some(Predicate::Position(position)).ok_or_else(counts_from_one);
    }
    let Some((left, right)) = text.split_once('=') else {
        return operand(text, namespaces).map(Predicate::Has);
    };
    let (left, equal) = match left.strip_suffix('!') {
        Some(left) => (left, false),
        None => (left, true),
    };
    let right = right.trim();
    let quoted = ['\'', '"'].into_iter().find_map(|quote| {
        right.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote))
    });
    let Some(value) = quoted else {
        return Err(format!("`[{text}]`: write the value in quotes, like [@id='x']"));
    };
    Ok(Predicate::Is(operand(left.trim(), namespaces)?, value.trim().to_owned(), equal))
}

fn operand(text: &str, namespaces: &Namespaces) -> Result<Operand, String> {
    match text.strip_prefix('@') {
        Some(name) => namespaces.name(name).map(Operand::Attribute),
        None if matches!(text, "." | "text()") => Ok(Operand::Own),
        None => namespaces.name(text).map(Operand::Child),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_looks_everywhere_only_so_often() {
        let read = |times: usize| XPath::parse(&"//a".repeat(times), &Namespaces::default());
        assert!(read(8).is_ok());
        assert_eq!(read(9), Err("`//` may stand 8 times in a path".to_owned()));
    }

    #[test]
    fn other_paths_are_refused() {
        for bad in [
            "a/b",
            "/",
            "//",
            "/a//",
            "/a/",
            "///a",
            "/@a/b",
            "/text()/b",
            "/a[",
            "/a[0]",
            "/a[-1]",
            "/a[@id=x]",
            "/a[@id='x]",
            "/a]",
            "/x:a",
            "/a[x:b='1']",
            "/1a",
            "/a b",
            "/a[]",
            "/..",
            "/a[1]b",
            "",
            ".a",
            "/a[contains(.,'x')]",
            "/a|/b",
        ] {
            assert!(XPath::parse(bad, &Namespaces::default()).is_err(), "{bad}");
        }
        for good in [".", "./a", ".//a/@b", "/a[b='/']/c", "/a[@b = \"]\"]", "/é", "./text()"] {
            let read = XPath::parse(good, &Namespaces::default());
            assert!(read.is_ok(), "{good}: {read:?}");
        }
    }
}
