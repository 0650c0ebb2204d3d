//! A small exchange read from files, of which a test may replace some.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use exchange_model::lead::{IntakeFields, intake};
use exchange_model::{
    BuyerId, CampaignId, Document, Findings, Lead, LeadId, MinorUnits, Severity, SourceFile, Stage,
    Timestamp, Vertical, VerticalId,
};
use ping_tree::{
    CapLimit, CapScope, Routing, Sources, Standing, Tally, TestFile, compile, with_score,
};

/// Files by path, as an operator would write it: `buyers/acme_mutual.toml`.
#[derive(Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Arc<SourceFile>>);

impl Files {
    /// The exchange that most tests start from.
    pub(crate) fn base() -> Self {
        Self::under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/base"))
    }

    /// Every file of a config folder.
    pub(crate) fn under(root: &Path) -> Self {
        let mut files = Self::default();
        for folder in ["verticals", "buyers", "sellers", "trees", "lists", "tests"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                files = files.with(&name, &std::fs::read_to_string(&path).unwrap());
            }
        }
        files
    }

    /// The same with one file added or replaced.
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        self.0.insert(path.to_owned(), Arc::new(file));
        self
    }

    /// The same with a piece of one file replaced.
    pub(crate) fn edited(self, path: &str, from: &str, to: &str) -> Self {
        let text = self.0[path].text.clone();
        assert!(text.contains(from), "{path} has no {from}");
        self.with(path, &text.replacen(from, to, 1))
    }

    fn documents(&self, folder: &str, findings: &mut Findings) -> Vec<Document> {
        let inside = self
            .0
            .iter()
            .filter(|(path, _)| path.starts_with(&format!("{folder}/")) && path.ends_with(".toml"));
        inside.filter_map(|(_, file)| Document::parse(Arc::clone(file), findings)).collect()
    }

    /// Everything compiled, the tests included.
    pub(crate) fn load(&self) -> Exchange {
        let mut findings = Findings::new();
        let lists = |path: &str| self.0.get(path).cloned();
        let verticals: BTreeMap<VerticalId, Arc<Vertical>> = self
            .documents("verticals", &mut findings)
            .iter()
            .filter_map(|document| {
                let vertical = Vertical::read(document, &mut findings)?;
                Some(with_score(vertical, document, &lists, &mut findings))
            })
            .map(|vertical| (vertical.id().clone(), vertical))
            .collect();
        let buyers = self.documents("buyers", &mut findings);
        let sellers = self.documents("sellers", &mut findings);
        let trees = self.documents("trees", &mut findings);
        let groups = self.0.get("groups.toml").map(Arc::clone);
        let groups = groups.and_then(|file| Document::parse(file, &mut findings));
        let sources = Sources {
            verticals: &verticals,
            buyers: &buyers,
            sellers: &sellers,
            trees: &trees,
            groups: groups.as_ref(),
            lists: &lists,
        };
        let routing = compile(&sources, &mut findings);
        let tests = self.documents("tests", &mut findings);
        let tests =
            tests.iter().map(|test| TestFile::read(test, &routing, &mut findings)).collect();
        Exchange { routing, tests, findings }
    }
}

/// What came of the files.
pub(crate) struct Exchange {
    pub(crate) routing: Routing,
    pub(crate) tests: Vec<TestFile>,
    pub(crate) findings: Findings,
}

impl Exchange {
    /// One finding a line: `path:line:column severity code message | help`.
    pub(crate) fn rendered(&self) -> String {
        let mut text = String::new();
        for finding in self.findings.sorted() {
            let place = finding.place.as_ref().unwrap();
            let (line, column) = place.line_column();
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let (path, code) = (&place.file.path, finding.code);
            write!(text, "{path}:{line}:{column} {severity}[{code}] {}", finding.message).unwrap();
            if !finding.label.is_empty() {
                write!(text, " ({})", finding.label).unwrap();
            }
            writeln!(text, " | {}", finding.help).unwrap();
        }
        text
    }

    /// A whole lead of the base exchange, some fields of which are given; empty: left out.
    pub(crate) fn lead(&self, given: &[(&str, &str)]) -> Lead {
        let vertical = &self.routing.trees().next().unwrap().vertical;
        lead(vertical, given)
    }
}

/// The vertical's example with some fields replaced; an empty one is left out.
pub(crate) fn lead(vertical: &Arc<Vertical>, given: &[(&str, &str)]) -> Lead {
    let examples = vertical.fields().filter(|(_, field)| field.derived.is_none());
    let fields: Vec<(String, String)> = examples
        .filter_map(|(_, field)| {
            let own = given.iter().find(|(name, _)| *name == field.name);
            let example = || field.example.as_ref().map(ToString::to_string);
            let text = own.map(|(_, text)| (*text).to_owned()).or_else(example)?;
            Some((field.name.clone(), text))
        })
        .collect();
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: "2026-11-23".parse().unwrap(),
    };
    intake(LeadId::from_bytes([1; 16]), vertical, from).unwrap().lead
}

/// Where everything that was sold came from.
pub(crate) const SOURCE: &str = "quotekart/search";

/// What was sold so far, and who is stopped.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) paused: Vec<CampaignId>,
    pub(crate) sales: Vec<(CampaignId, Timestamp, MinorUnits)>,
    pub(crate) available: BTreeMap<BuyerId, MinorUnits>,
}

impl Books {
    /// So many sales to a campaign at one moment, at one price in cents.
    pub(crate) fn sold(mut self, campaign: &str, at: &str, count: usize, cents: i64) -> Self {
        let sale = (id(campaign), time(at), MinorUnits::new(cents));
        self.sales.extend(std::iter::repeat_n(sale, count));
        self
    }

    pub(crate) fn left(mut self, buyer: &str, cents: i64) -> Self {
        self.available.insert(BuyerId::new(buyer).unwrap(), MinorUnits::new(cents));
        self
    }
}

impl Standing for Books {
    fn paused(&self, campaign: &CampaignId) -> bool {
        self.paused.contains(campaign)
    }

    /// Everything was sold from [`SOURCE`], and nothing is finished.
    fn used(&self, cap: &CapLimit) -> Tally {
        let counts = |who: &CampaignId| match &cap.scope {
            CapScope::Campaign(campaign) => who == campaign,
            CapScope::Source(campaign, source) => who == campaign && source.as_str() == SOURCE,
            CapScope::Buyer(buyer) => who.buyer() == *buyer,
            CapScope::Group(group) => group.members.contains(who),
            CapScope::Inbound(_) => false,
        };
        let inside =
            self.sales.iter().filter(|(who, at, _)| counts(who) && cap.window.contains(*at));
        inside.fold(Tally::default(), |tally, (_, _, price)| Tally {
            leads: tally.leads + 1,
            spend: tally.spend.checked_add(*price).unwrap(),
        })
    }

    fn available(&self, buyer: &BuyerId) -> Option<MinorUnits> {
        self.available.get(buyer).copied()
    }
}

pub(crate) fn id(campaign: &str) -> CampaignId {
    campaign.parse().unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
