//! A small part of XPath, for XML and HTML: enough to say where a value stands.
//!
//! `/a/b`, `//b`, `*`, `[2]`, `[last()]`, `[@id='x']`, `[name='x']`, `text()`, `/a/@b`, and `./b`
//! inside an item. Each step visits an element once, so a path costs what its document costs.

use super::tree::{Element, NameTest};

mod parse;

pub(super) use parse::Namespaces;

/// Where a path begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Start {
    /// At the document.
    Document,
    /// At the item that is looked at.
    Item,
}

/// What stands at its end.
#[derive(Clone, Debug, Eq, PartialEq)]
enum End {
    /// The elements.
    Elements,
    /// Their own texts; with `true` those of all elements inside too.
    Texts(bool),
    /// Their attributes; with `true` those of all elements inside too.
    Attributes(NameTest, bool),
}

/// `b[1]`, and whether it may stand at any depth.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Step {
    anywhere: bool,
    name: NameTest,
    predicates: Vec<Predicate>,
}

/// What stands in brackets.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Predicate {
    /// `[2]`, from 1.
    Position(usize),
    /// `[last()]`.
    Last,
    /// `[@id]`, `[name]`.
    Has(Operand),
    /// `[@id='x']`; with `false` `[@id!='x']`.
    Is(Operand, String, bool),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Operand {
    Attribute(NameTest),
    Child(NameTest),
    /// `.` or `text()`.
    Own,
}

/// A compiled path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct XPath {
    start: Start,
    steps: Vec<Step>,
    end: End,
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(super) enum Reached<'t> {
    /// An element.
    Element(Element<'t>),
    /// A text or an attribute.
    Text(String),
}

impl XPath {
    /// Whether it begins at the item that is looked at.
    pub(super) fn is_relative(&self) -> bool {
        self.start == Start::Item
    }

    /// What stands there, in document order.
    pub(super) fn find<'t>(&self, item: Element<'t>) -> Vec<Reached<'t>> {
        let start = match self.start {
            Start::Document => item.document(),
            Start::Item => item,
        };
        let mut at = vec![start];
        for step in &self.steps {
            at = step.from(&at);
        }
        match &self.end {
            End::Elements => at.into_iter().map(Reached::Element).collect(),
            End::Texts(inside) => {
                let texts = widened(at, *inside).into_iter().map(Element::own_text);
                texts.filter(|text| !text.is_empty()).map(Reached::Text).collect()
            }
            End::Attributes(name, inside) => widened(at, *inside)
                .into_iter()
                .flat_map(|element| attributes(element, name))
                .map(|value| Reached::Text(value.to_owned()))
                .collect(),
        }
    }
}

fn attributes<'t>(element: Element<'t>, name: &NameTest) -> impl Iterator<Item = &'t str> {
    let named = element.attributes().filter(move |(own, _)| element.is_name(name, own));
    named.map(|(_, value)| value)
}

/// The elements, or also all inside of them, each once and in document order.
fn widened<'t>(at: Vec<Element<'t>>, inside: bool) -> Vec<Element<'t>> {
    let Some(any) = at.first().copied().filter(|_| inside) else { return at };
    let mut seen = vec![false; any.siblings()];
    let mut waiting = at;
    while let Some(element) = waiting.pop() {
        if let Some(seen) = seen.get_mut(element.number())
            && !std::mem::replace(seen, true)
        {
            waiting.extend(element.children());
        }
    }
    let numbered = seen.into_iter().enumerate().filter(|(_, seen)| *seen);
    numbered.map(|(number, _)| any.sibling(number)).collect()
}

impl Step {
    fn from<'t>(&self, at: &[Element<'t>]) -> Vec<Element<'t>> {
        let parents = widened(at.to_vec(), self.anywhere);
        let mut found = Vec::new();
        for parent in parents {
            let mut here: Vec<Element<'t>> =
                parent.children().filter(|child| child.is_called(&self.name)).collect();
            for predicate in &self.predicates {
                here = predicate.keep(here);
            }
            found.extend(here);
        }
        found
    }
}

impl Predicate {
    fn keep<'t>(&self, here: Vec<Element<'t>>) -> Vec<Element<'t>> {
        match self {
            Self::Position(from_one) => {
                let index = from_one.saturating_sub(1);
                here.get(index).copied().into_iter().collect()
            }
            Self::Last => here.last().copied().into_iter().collect(),
            Self::Has(operand) => {
                here.into_iter().filter(|element| !operand.values(*element).is_empty()).collect()
            }
            Self::Is(operand, wanted, equal) => here
                .into_iter()
                .filter(|element| {
                    operand.values(*element).iter().any(|value| (value.trim() == wanted) == *equal)
                })
                .collect(),
        }
    }
}

impl Operand {
    fn values(&self, element: Element<'_>) -> Vec<String> {
        match self {
            Self::Own => vec![element.own_text()],
            Self::Attribute(name) => attributes(element, name).map(str::to_owned).collect(),
            Self::Child(name) => element
                .children()
                .filter(|child| child.is_called(name))
                .map(Element::text)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{html, tree::Tree, xml};
    use super::*;

    fn texts(path: &str, tree: &Tree) -> Vec<String> {
        let namespaces = Namespaces(vec![("p".to_owned(), "u".to_owned())]);
        let path = XPath::parse(path, &namespaces).unwrap();
        let found = path.find(tree.document()).into_iter();
        found
            .map(|reached| match reached {
                Reached::Element(element) => element.text(),
                Reached::Text(text) => text,
            })
            .collect()
    }

    const REPLY: &str = "<?xml version='1.0'?><r:response xmlns:r='u' ok='1'><a n='1'><b>x &amp; \
                         &#65;</b><b><![CDATA[<y>]]></b></a><a n='2'><b id='k'>z</b><who>me</who>\
                         </a><c/>tail</r:response>\n";

    #[test]
    fn paths_find_elements_texts_and_attributes() {
        let tree = xml::parse(REPLY).unwrap();
        for (path, found) in [
            ("/response/a/b", vec!["x & A", "<y>", "z"]),
            ("/p:response/a/b", vec!["x & A", "<y>", "z"]),
            ("/p:response/p:a", vec![]),
            ("//b", vec!["x & A", "<y>", "z"]),
            ("//a/b", vec!["x & A", "<y>", "z"]),
            ("/response/@ok", vec!["1"]),
            ("//@n", vec!["1", "2"]),
            ("//@*", vec!["u", "1", "1", "2", "k"]),
            ("/response/a[2]/b", vec!["z"]),
            ("/response/a[last()]/@n", vec!["2"]),
            ("//b[1]", vec!["x & A", "z"]),
            ("//b[@id='k']", vec!["z"]),
            ("//b[@id]", vec!["z"]),
            ("//a[who='me']/@n", vec!["2"]),
            ("//a[@n!='2']/@n", vec!["1"]),
            ("//b[.=\"z\"]/@id", vec!["k"]),
            ("//b[text()='z'][1]", vec!["z"]),
            ("/*/a/*", vec!["x & A", "<y>", "z", "me"]),
            ("/response/text()", vec!["tail"]),
            ("/response/c", vec![""]),
            ("/a/b", vec![]),
            ("/response/a[9]", vec![]),
        ] {
            assert_eq!(texts(path, &tree), found, "{path}");
        }
    }

    #[test]
    fn pages_are_looked_into_like_documents_and_in_any_case() {
        let page = html::parse("<form><INPUT Name='result' value='Sold'><br>x</form>");
        assert_eq!(texts("//input[@name='result']/@value", &page), ["Sold"]);
        assert_eq!(texts("//INPUT/@NAME", &page), ["result"]);
        assert_eq!(texts("//form", &page), ["x"]);
    }

    #[test]
    fn a_path_visits_each_element_once() {
        let deep = "<a>".repeat(31) + &"<b/>".repeat(9_000) + &"</a>".repeat(31);
        let tree = xml::parse(&deep).unwrap();
        assert_eq!(texts("//a//a//a//a//a//a//b", &tree).len(), 9_000);
    }
}
