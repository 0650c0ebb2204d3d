//! The presets that are shipped: dialects that many buyers share.
//!
//! A preset is a file of `presets/` and nothing else; no code knows one by its name. A buyer's file
//! names it in `extends` and adds what is its own. The file holds
//!
//! - `title`, and comments for its reader;
//! - `[needs]` and `[secrets]`: what the buyer's file must give, `name = "example: what it is"`;
//! - `[connector]`, and the `[map.*]` and `[range.*]` that it uses;
//! - `[mock]` and `[[example]]`: how such a buyer answers, for tests and for mock buyers.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::document::{NodeKind, Table};
use exchange_model::{Document, Findings, SourceFile, TableReader};

/// A shipped dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Preset {
    /// What `extends` names it by: the name of its file.
    pub name: &'static str,
    /// One line for a list.
    pub title: &'static str,
    /// The whole file, comments included.
    pub text: &'static str,
}

/// What a buyer's file must give: a value of `vars`, or a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// A value as it may look.
    pub example: String,
    /// What it is.
    pub what: String,
}

/// One answer of such a buyer.
///
/// Its texts may hold `{{ price }}` (of a counter-offer: the price offered), `{{ token }}`,
/// `{{ ref }}` and `{{ reason }}`, for whoever plays the buyer to fill in; none of the values needs
/// escaping when it is made of letters, digits, blanks and `.-_`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// The stage that is answered: `ping`, `post`, `status` ...
    pub stage: String,
    /// `bid`, `no_bid`, `accepted`, `rejected`, `duplicate`, `error`, `pending`, `counter`,
    /// `failed`, `voided`, or `value` for a stage that only gives values.
    pub outcome: String,
    /// The HTTP status.
    pub status: u16,
    /// Headers, the content type among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Example {
    /// The headers and the body with the values filled in: `(name, value)`, like
    /// `("price", "12.50")`. Names that are not given become empty texts.
    #[must_use]
    pub fn filled(&self, values: &[(&str, &str)]) -> Self {
        let fill = |text: &str| filled(text, values);
        let headers = self.headers.iter().map(|(name, text)| (name.clone(), fill(text))).collect();
        Self { headers, body: fill(&self.body), ..self.clone() }
    }
}

fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        let value = values.iter().find(|(known, _)| *known == name.trim());
        out.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Every preset, by name.
#[must_use]
pub const fn presets() -> &'static [Preset] {
    PRESETS
}

const PRESETS: &[Preset] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

impl Preset {
    /// The preset of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Its file, as findings name it.
    #[must_use]
    pub fn file(&self) -> Arc<SourceFile> {
        let path = format!("preset:{}.toml", self.name);
        Arc::new(SourceFile { path, text: self.text.to_owned() })
    }

    /// The values of `vars` that a buyer's file must give. Those of a preset that this one extends
    /// are not among them.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        self.read(|root, findings| needs(root, "needs", findings))
    }

    /// The secrets that a buyer's file must name.
    #[must_use]
    pub fn secrets(&self) -> Vec<Need> {
        self.read(|root, findings| needs(root, "secrets", findings))
    }

    /// The preset that this one extends.
    #[must_use]
    pub fn base(&self) -> Option<&'static Self> {
        let name = self.read(|root, findings| {
            let mut connector = root.table("connector", findings)?;
            let base = connector.string("extends", "\"generic_json\"", findings)?;
            Some(base.value.to_owned())
        });
        Self::named(&name?)
    }

    /// How such a buyer answers. A preset without examples of a stage answers it as its base does.
    #[must_use]
    pub fn examples(&self) -> Vec<Example> {
        let own: Vec<Example> = self.read(|root, findings| {
            root.tables("example", findings)
                .into_iter()
                .filter_map(|table| example(table, findings))
                .collect()
        });
        let inherited = self.base().map(Self::examples).unwrap_or_default();
        let stages: Vec<String> = own.iter().map(|example| example.stage.clone()).collect();
        let missing = inherited.into_iter().filter(|example| !stages.contains(&example.stage));
        own.into_iter().chain(missing).collect()
    }

    /// What tells the calls apart that go to one address: a stage, and a text that stands in the
    /// target or in the body of its calls and of no other's. A call that holds none of the texts is
    /// of the stage whose address it is.
    #[must_use]
    pub fn told_by(&self) -> BTreeMap<String, String> {
        let own: BTreeMap<String, String> = self.read(|root, findings| {
            let mock = root.table("mock", findings);
            mock.map(|mock| texts(mock.raw()).collect()).unwrap_or_default()
        });
        match self.base() {
            Some(base) if own.is_empty() => base.told_by(),
            _ => own,
        }
    }

    fn read<T: Default>(&self, read: impl FnOnce(&mut TableReader<'_>, &mut Findings) -> T) -> T {
        let mut findings = Findings::new();
        match Document::parse(self.file(), &mut findings) {
            Some(document) => read(&mut document.reader(), &mut findings),
            None => T::default(),
        }
    }
}

fn needs(root: &mut TableReader<'_>, key: &'static str, findings: &mut Findings) -> Vec<Need> {
    let Some(table) = root.table(key, findings) else { return Vec::new() };
    texts(table.raw()).map(|(name, text)| need(name, &text)).collect()
}

/// `example: what it is`.
pub(crate) fn need(name: String, text: &str) -> Need {
    let (example, what) = text.split_once(": ").unwrap_or(("...", text));
    Need { name, example: example.to_owned(), what: what.to_owned() }
}

fn texts(table: &Table) -> impl Iterator<Item = (String, String)> {
    table.entries.iter().filter_map(|entry| match &entry.value.kind {
        NodeKind::String(text) => Some((entry.key.clone(), text.clone())),
        _ => None,
    })
}

fn example(mut table: TableReader<'_>, findings: &mut Findings) -> Option<Example> {
    let stage = table.required_string("stage", "\"ping\"", findings)?.value.to_owned();
    let outcome = table.required_string("outcome", "\"bid\"", findings)?.value.to_owned();
    let status = table.integer("status", 100..=599, findings).map_or(200, |status| status.value);
    let mut headers = Vec::new();
    if let Some(kind) = table.string("content_type", "\"text/xml\"", findings) {
        headers.push(("content-type".to_owned(), kind.value.to_owned()));
    }
    if let Some(more) = table.table("headers", findings) {
        headers.extend(texts(more.raw()));
    }
    let body = table.string("body", "'''...'''", findings).map_or("", |body| body.value);
    table.finish(findings);
    let status = u16::try_from(status).unwrap_or(200);
    Some(Example { stage, outcome, status, headers, body: body.to_owned() })
}
