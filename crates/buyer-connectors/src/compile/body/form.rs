//! Forms, queries and multipart bodies.

use exchange_model::document::{Node, NodeKind};

use super::BodyReader;
use super::special::own_name;
use crate::body::{Form, Pair};
use crate::template::Escape;

impl BodyReader<'_, '_> {
    /// Names and values; a list repeats its name.
    pub(super) fn form(&mut self, node: &Node, escape: Escape) -> Option<Form> {
        let table = self.table(node)?;
        let mut form = Form::default();
        let mut complete = true;
        for entry in &table.entries {
            if entry.key.starts_with('$') && !entry.key.starts_with("$$") {
                let help = "put it into the table of one name: { name = { \"$if\" = ..., \"$value\" = ... } }";
                self.refuse(&entry.value, "a whole form has no condition", help);
                return None;
            }
            let values = match &entry.value.kind {
                NodeKind::Array(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for value in values {
                match self.pair(own_name(&entry.key), value, escape) {
                    Some(pair) => form.pairs.push(pair),
                    None => complete = false,
                }
            }
        }
        complete.then_some(form)
    }

    fn pair(&mut self, name: &str, node: &Node, escape: Escape) -> Option<Pair> {
        let NodeKind::Table(table) = &node.kind else {
            return Some(Pair::new(name, self.text(node, escape)?, false));
        };
        let special = self.special(table, node)?;
        let each = special.each;
        let brand = self.scope.brand;
        let text = self.special_text(special, node, escape);
        self.scope.brand = brand && !each;
        Some(Pair::new(name, text?, each))
    }
}
