//! The tree that XML and HTML replies are read into.
//!
//! Elements stand in document order, the first is the document itself. Depth, attributes and
//! elements are bounded by whoever builds it.

/// Deepest nesting of a document.
pub(super) const DEPTH_MAX: usize = 32;
/// Most attributes of one element.
pub(super) const ATTRIBUTES_MAX: usize = 64;
/// Most elements of a document.
pub(super) const ELEMENTS_MAX: usize = 10_000;

/// A name without its prefix, and the namespace that the prefix stands for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Name {
    pub(super) local: String,
    pub(super) namespace: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    name: Name,
    attributes: Vec<(Name, String)>,
    children: Vec<Child>,
}

#[derive(Clone, Debug)]
enum Child {
    Element(usize),
    Text(String),
}

/// A whole document.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    elements: Vec<Inner>,
    /// HTML: names are the same in any case.
    any_case: bool,
}

impl Tree {
    /// A document without elements.
    pub(super) fn new(any_case: bool) -> Self {
        Self { elements: vec![Inner::default()], any_case }
    }

    /// Whether it is HTML.
    pub(super) fn is_page(&self) -> bool {
        self.any_case
    }

    /// How many elements it has.
    pub(super) fn len(&self) -> usize {
        self.elements.len().saturating_sub(1)
    }

    /// The document, whose child is the root element.
    pub(super) fn document(&self) -> Element<'_> {
        Element { tree: self, at: 0 }
    }

    /// Adds an element under `parent`; its number.
    pub(super) fn add(
        &mut self,
        parent: usize,
        name: Name,
        attributes: Vec<(Name, String)>,
    ) -> usize {
        let at = self.elements.len();
        self.elements.push(Inner { name, attributes, children: Vec::new() });
        self.add_child(parent, Child::Element(at));
        at
    }

    /// Adds text under `parent`.
    pub(super) fn add_text(&mut self, parent: usize, text: &str) {
        if let Some(Child::Text(last)) =
            self.elements.get_mut(parent).and_then(|element| element.children.last_mut())
        {
            last.push_str(text);
        } else {
            self.add_child(parent, Child::Text(text.to_owned()));
        }
    }

    fn add_child(&mut self, parent: usize, child: Child) {
        if let Some(parent) = self.elements.get_mut(parent) {
            parent.children.push(child);
        }
    }

    /// The document whose root is this element of this tree.
    pub(super) fn below(root: Element<'_>) -> Self {
        let mut tree = Self::new(root.tree.any_case);
        copy(root, &mut tree, 0);
        tree
    }
}

/// As deep as the tree, which is bounded.
fn copy(from: Element<'_>, into: &mut Tree, parent: usize) {
    let Some(inner) = from.inner() else { return };
    let at = into.add(parent, inner.name.clone(), inner.attributes.clone());
    for child in &inner.children {
        match child {
            Child::Text(text) => into.add_text(at, text),
            Child::Element(child) => copy(Element { tree: from.tree, at: *child }, into, at),
        }
    }
}

/// One element of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'t> {
    tree: &'t Tree,
    at: usize,
}

impl<'t> Element<'t> {
    fn inner(self) -> Option<&'t Inner> {
        self.tree.elements.get(self.at)
    }

    /// Its number: elements are numbered in document order.
    pub(super) fn number(self) -> usize {
        self.at
    }

    /// The document that it is in.
    pub(super) fn document(self) -> Self {
        self.tree.document()
    }

    /// How many elements its tree has, the document among them.
    pub(super) fn siblings(self) -> usize {
        self.tree.elements.len()
    }

    /// The element of the same tree with this number.
    pub(super) fn sibling(self, at: usize) -> Self {
        Self { tree: self.tree, at }
    }

    /// Its name, without a prefix.
    pub(super) fn local_name(self) -> &'t str {
        self.inner().map_or("", |inner| &inner.name.local)
    }

    /// Its child elements.
    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let children = self.inner().map_or(&[][..], |inner| &inner.children);
        children.iter().filter_map(move |child| match child {
            Child::Element(at) => Some(Self { tree: self.tree, at: *at }),
            Child::Text(_) => None,
        })
    }

    /// Whether it has child elements.
    pub(super) fn has_children(self) -> bool {
        self.children().next().is_some()
    }

    /// Its attributes.
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'t Name, &'t str)> {
        let attributes = self.inner().map_or(&[][..], |inner| &inner.attributes);
        attributes.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// Whether its own name is this one.
    pub(super) fn is_called(self, name: &NameTest) -> bool {
        self.inner().is_some_and(|inner| self.is_name(name, &inner.name))
    }

    /// Whether a name of this tree is the wanted one.
    pub(super) fn is_name(self, wanted: &NameTest, name: &Name) -> bool {
        let local = match &wanted.local {
            None => true,
            Some(local) if self.tree.any_case => local.eq_ignore_ascii_case(&name.local),
            Some(local) => *local == name.local,
        };
        local && (wanted.namespace.is_none() || wanted.namespace == name.namespace)
    }

    /// Whether it says that it has no value.
    pub(super) fn is_nil(self) -> bool {
        self.attributes().any(|(name, value)| name.local == "nil" && matches!(value, "true" | "1"))
    }

    /// All text in it, that of its children included.
    pub(super) fn text(self) -> String {
        let mut text = String::new();
        self.push_text(&mut text);
        text
    }

    /// As deep as the tree, which is bounded.
    fn push_text(self, text: &mut String) {
        for child in self.inner().map_or(&[][..], |inner| &inner.children) {
            match child {
                Child::Text(own) => text.push_str(own),
                Child::Element(at) => self.sibling(*at).push_text(text),
            }
        }
    }

    /// Whether several elements of an XML document have brought its text: put together, their
    /// digits would be a number that nobody has said. In a page markup stands within numbers.
    pub(super) fn is_in_pieces(self) -> bool {
        !self.tree.any_case && self.pieces() > 1
    }

    /// As deep as the tree, which is bounded.
    fn pieces(self) -> usize {
        let children = self.inner().map_or(&[][..], |inner| &inner.children).iter();
        children.fold(0, |pieces: usize, child| {
            pieces.saturating_add(match child {
                Child::Text(text) => usize::from(!text.trim().is_empty()),
                Child::Element(at) => self.sibling(*at).pieces(),
            })
        })
    }

    /// Its text, without that of its children.
    pub(super) fn own_text(self) -> String {
        let own = self.inner().map_or(&[][..], |inner| &inner.children).iter();
        own.filter_map(|child| match child {
            Child::Text(text) => Some(text.as_str()),
            Child::Element(_) => None,
        })
        .collect()
    }
}

/// Which names are meant: a name without a namespace is meant in every namespace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct NameTest {
    /// Nothing for `*`.
    pub(super) local: Option<String>,
    pub(super) namespace: Option<String>,
}
