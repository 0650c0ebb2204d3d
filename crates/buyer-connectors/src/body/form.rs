//! Names and values.

use super::{Text, each_brand};
use crate::template::{Escape, See, Seen, Values};

/// Names and values, in order.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) pairs: Vec<Pair>,
}

/// One name and its value. A pair without a value is left out.
#[derive(Debug)]
pub(crate) struct Pair {
    /// As the buyer writes it.
    pub(crate) name: Box<str>,
    /// Escaped, with `=`.
    pub(crate) start: Box<str>,
    pub(crate) value: Text,
    /// Whether it is repeated for each bid.
    pub(crate) each: bool,
}

impl Pair {
    pub(crate) fn new(name: &str, value: Text, each: bool) -> Self {
        let mut start = String::with_capacity(name.len().saturating_add(1));
        Escape::Form.push(name, &mut start);
        start.push('=');
        Self { name: name.into(), start: start.into(), value, each }
    }
}

impl Form {
    /// Appends `a=b&c=d`.
    pub(crate) fn push(&self, values: &dyn Values, out: &mut String) {
        let empty = out.len();
        for pair in &self.pairs {
            if pair.each {
                each_brand(values, |values| push_pair(pair, values, empty, out));
            } else {
                push_pair(pair, values, empty, out);
            }
        }
    }

    pub(crate) fn visit(&self, see: See<'_>) {
        for pair in &self.pairs {
            see(Seen::Text(&pair.name));
            pair.value.visit(see);
        }
    }
}

fn push_pair(pair: &Pair, values: &dyn Values, empty: usize, out: &mut String) {
    let before = out.len();
    if before > empty {
        out.push('&');
    }
    out.push_str(&pair.start);
    if !pair.value.push(values, Escape::Form, out) {
        out.truncate(before);
    }
}
