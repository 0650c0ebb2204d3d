//! HTML replies, read leniently: whatever the tags are, there is a tree.
//!
//! Void elements hold nothing, an end closes what it names and all inside it, and an end that
//! names nothing is ignored. What is nested too deeply stays at the deepest level.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, StartTag, Token, Tokenizer};

use super::tree::{ATTRIBUTES_MAX, DEPTH_MAX, ELEMENTS_MAX, Name, Tree};

/// Elements that never hold anything.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements that end where the next of the same name begins.
const ENDED_BY_ITSELF: &[&str] = &["dd", "dt", "li", "option", "p", "td", "th", "tr"];

/// Reads a page.
pub(super) fn parse(text: &str) -> Tree {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut building = Building { tree: Tree::new(true), open: Vec::new() };
    for token in Tokenizer::new_with_emitter(text, emitter) {
        let token = match token {
            Ok(token) => token,
            Err(never) => match never {},
        };
        match token {
            Token::StartTag(tag) => building.open(&tag),
            Token::EndTag(tag) => building.close(&owned(&tag.name)),
            Token::String(text) => building.text(&owned(&text.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    building.tree
}

fn owned(text: &HtmlString) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn name(local: String) -> Name {
    Name { local, namespace: None }
}

struct Building {
    tree: Tree,
    open: Vec<(usize, String)>,
}

impl Building {
    fn at(&self) -> usize {
        self.open.last().map_or(0, |(at, _)| *at)
    }

    fn open(&mut self, tag: &StartTag<()>) {
        if self.tree.len() >= ELEMENTS_MAX {
            return;
        }
        let local = owned(&tag.name);
        let ends_last = self.open.last().is_some_and(|(_, last)| *last == local);
        if ends_last && ENDED_BY_ITSELF.contains(&local.as_str()) {
            self.open.pop();
        }
        let attributes = tag.attributes.iter().take(ATTRIBUTES_MAX);
        let attributes =
            attributes.map(|(key, value)| (name(owned(key)), owned(&value.value))).collect();
        let at = self.tree.add(self.at(), name(local.clone()), attributes);
        let holds = !tag.self_closing && !VOID.contains(&local.as_str());
        if holds && self.open.len() < DEPTH_MAX {
            self.open.push((at, local));
        }
    }

    fn close(&mut self, local: &str) {
        if let Some(at) = self.open.iter().rposition(|(_, open)| open == local) {
            self.open.truncate(at);
        }
    }

    fn text(&mut self, text: &str) {
        self.tree.add_text(self.at(), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_a_tree_whatever_its_tags_are() {
        let page = "<!doctype html><BODY><form><input NAME=result value='a&amp;b'><p>one<p>two\
                    </b></form><script>if (a<b) {}</script>end";
        let tree = parse(page);
        let body = tree.document().children().next().unwrap();
        let names: Vec<&str> =
            body.children().map(super::super::tree::Element::local_name).collect();
        assert_eq!(names, ["form", "script"]);
        assert_eq!(body.text(), "onetwoif (a<b) {}end");
    }

    #[test]
    fn hostile_pages_stay_within_the_limits() {
        let deep = parse(&"<div>".repeat(5_000));
        assert_eq!(deep.len(), 5_000);
        assert_eq!(deep.document().text(), "");
        assert_eq!(parse(&"<i>".repeat(ELEMENTS_MAX * 2)).len(), ELEMENTS_MAX);
        assert_eq!(parse("<").len(), 0);
    }
}
