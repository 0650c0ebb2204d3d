//! Campaigns, the tree that holds them all, and leads.

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange_model::lead::{IntakeFields, intake};
use exchange_model::{
    BuyerId, CampaignId, Document, Findings, Lead, LeadId, MinorUnits, SourceFile, Stage,
    Timestamp, Vertical,
};
use ping_tree::index::Places;
use ping_tree::{
    CapLimit, Filter, LeadRequest, REASONS_MAX, Source, Sources, Standing, Tally, Tree, Wishes,
    compile, sift,
};

use crate::Ran;
use crate::chance::Chance;
use crate::measure::cpu_nanos;
use crate::scan::Scan;
use crate::words::{WORDS, zip_list, zips};

/// Leads of one case, looked at in turn, so that no branch is learnt by heart.
const LEADS: usize = 64;
/// Campaigns in one buyer's file.
const PER_BUYER: usize = 100;

/// What one case is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) campaigns: usize,
    /// Tests of each campaign's filter, the list of zips included.
    pub(crate) tests: usize,
    pub(crate) zips: usize,
}

pub(crate) struct Ground {
    pub(crate) size: Size,
    tree: Arc<Tree>,
    source: Arc<Source>,
    at: Timestamp,
    filters: Vec<Filter>,
    scan: Scan,
    leads: Vec<Lead>,
    /// CPU time of reading and compiling everything, and of the index alone, in nanoseconds.
    pub(crate) compiled_in: u64,
    pub(crate) indexed_in: u64,
}

impl Ground {
    pub(crate) fn new(size: Size) -> Ran<Self> {
        let mut findings = Findings::new();
        let vertical = document("verticals/bench.toml", vertical(), &mut findings)?;
        let vertical = Vertical::read(&vertical, &mut findings).ok_or("the vertical is wrong")?;
        let verticals = BTreeMap::from([(vertical.id().clone(), Arc::clone(&vertical))]);
        let all = zips();
        let buyers = buyers(size, &mut findings)?;
        let trees = [document("trees/wide.toml", wide(size), &mut findings)?];
        let sellers = [document("sellers/s.toml", SELLER.to_owned(), &mut findings)?];
        let lists = |path: &str| {
            let number: u64 = path.strip_prefix("lists/")?.strip_suffix(".txt")?.parse().ok()?;
            let text = zip_list(&all, size.zips, number);
            Some(Arc::new(SourceFile { path: path.to_owned(), text }))
        };
        let lists = read_before(size, &lists);
        let find = |path: &str| lists.get(path).cloned();
        let sources = Sources {
            verticals: &verticals,
            buyers: &buyers,
            sellers: &sellers,
            trees: &trees,
            groups: None,
            lists: &find,
        };
        let began = cpu_nanos()?;
        let routing = compile(&sources, &mut findings);
        let compiled_in = cpu_nanos()?.saturating_sub(began);
        drop(lists);
        if let Some(error) = findings.sorted().first().filter(|_| findings.has_errors()) {
            return Err(format!("{}: {}; {}", error.code, error.message, error.help).into());
        }
        let tree = Arc::clone(routing.trees().next().ok_or("no tree")?);
        let source = Arc::clone(routing.sources().next().ok_or("no source")?);
        let at = "2026-07-25T12:00:00Z".parse()?;
        let began = cpu_nanos()?;
        let again = Places::new(&tree.tiers);
        let indexed_in = cpu_nanos()?.saturating_sub(began);
        if again.len() != size.campaigns {
            return Err(format!("{} places of {} campaigns", again.len(), size.campaigns).into());
        }
        let filters: Vec<Filter> =
            tree.members().map(|(_, campaign)| campaign.accepts.clone()).collect();
        let scan = Scan::new(&vertical, &filters)?;
        let leads = leads(&vertical, &all)?;
        Ok(Self { size, tree, source, at, filters, scan, leads, compiled_in, indexed_in })
    }

    /// Bytes of the index.
    pub(crate) fn bytes(&self) -> usize {
        self.tree.places.bytes()
    }

    pub(crate) fn lead(&self, at: usize) -> Option<&Lead> {
        self.leads.get(at % LEADS)
    }

    /// How many the index names.
    pub(crate) fn indexed(&self, lead: &Lead) -> usize {
        self.tree.places.matching(lead.attributes()).iter().count()
    }

    /// How many the scan names.
    pub(crate) fn scanned(&self, lead: &Lead) -> usize {
        self.scan.accepting(lead.attributes()).len()
    }

    /// How many may be pinged: every gate after the filters, and the reasons of the others that a
    /// record names.
    pub(crate) fn planned(&self, lead: &Lead) -> usize {
        let (source, at, wishes) = (&self.source, self.at, Wishes::none());
        let request = LeadRequest { lead, source, at, wishes };
        let plan = sift(&self.tree, &request, &Nothing, REASONS_MAX);
        plan.tiers.iter().map(|tier| tier.members.len()).sum()
    }

    /// How many say so themselves, asked through their own filters.
    pub(crate) fn asked(&self, lead: &Lead) -> usize {
        self.ask(lead).len()
    }

    fn ask(&self, lead: &Lead) -> Vec<usize> {
        let filters = self.filters.iter().enumerate();
        let accepting = filters.filter(|(_, filter)| filter.matches(lead.attributes()));
        accepting.map(|(slot, _)| slot).collect()
    }

    /// Whether all three name the same for every lead; how many that are.
    pub(crate) fn check(&self) -> Ran<usize> {
        let mut found = 0_usize;
        for lead in &self.leads {
            let wanted = self.ask(lead);
            let named: Vec<usize> = self.tree.places.matching(lead.attributes()).iter().collect();
            if wanted != named || self.scan.accepting(lead.attributes()) != wanted {
                return Err(format!("filters, index and scan disagree in {:?}", self.size).into());
            }
            found = found.saturating_add(named.len());
        }
        Ok(found)
    }

    /// How many accept ten leads.
    pub(crate) fn accepting(&self) -> Ran<usize> {
        Ok(self.check()?.saturating_mul(10) / LEADS)
    }
}

/// An exchange where nothing was sold and nobody is stopped.
struct Nothing;

impl Standing for Nothing {
    fn paused(&self, _: &CampaignId) -> bool {
        false
    }

    fn used(&self, _: &CapLimit) -> Tally {
        Tally::default()
    }

    fn available(&self, _: &BuyerId) -> Option<MinorUnits> {
        None
    }
}

/// Every list, so that making them up is not measured.
fn read_before(
    size: Size,
    lists: &dyn Fn(&str) -> Option<Arc<SourceFile>>,
) -> BTreeMap<String, Arc<SourceFile>> {
    let paths = (0..size.campaigns).map(|at| format!("lists/{at}.txt"));
    paths.filter_map(|path| Some((path.clone(), lists(&path)?))).collect()
}

const SELLER: &str = "schema = 1\nid = \"s\"\ntitle = \"S\"\n[[source]]\nid = \"web\"\n\
    alias = \"S-1\"\ntree = \"wide\"\npayout = { share = \"80%\" }\n";

fn document(path: &str, text: String, findings: &mut Findings) -> Ran<Document> {
    let file = Arc::new(SourceFile { path: path.to_owned(), text });
    Ok(Document::parse(file, findings).ok_or("no TOML")?)
}

fn vertical() -> String {
    let mut text = String::from("schema = 1\nid = \"bench\"\ntitle = \"Bench\"\n[field]\n");
    let zip = ("zip", r#"type = "us_zip""#);
    for (name, kind) in WORDS.iter().map(|word| (word.name, word.kind)).chain([zip]) {
        text.push_str(&format!(
            "{name} = {{ {kind}, class = \"open\", ping = \"optional\", post = \"optional\" }}\n"
        ));
    }
    text
}

fn buyers(size: Size, findings: &mut Findings) -> Ran<Vec<Document>> {
    let mut chance = Chance::new(7);
    let mut documents = Vec::new();
    for first in (0..size.campaigns).step_by(PER_BUYER) {
        let buyer = first / PER_BUYER;
        let mut text = format!(
            "schema = 1\nid = \"b{buyer}\"\ntime_zone = \"UTC\"\n\
             billing = {{ terms = \"prepaid\" }}\n[connector.main]\n"
        );
        for at in first..first.saturating_add(PER_BUYER).min(size.campaigns) {
            text.push_str(&format!(
                "[[campaign]]\nid = \"c{at}\"\nvertical = \"bench\"\nconnector = \"main\"\n\
                 price = {{ mode = \"fixed\", base = \"9.00\" }}\n[campaign.accepts]\n"
            ));
            for word in WORDS.iter().take(size.tests.saturating_sub(1)) {
                text.push_str(&format!("{} = {}\n", word.name, (word.asked)(&mut chance)));
            }
            text.push_str(&format!("zip = {{ in_file = \"lists/{at}.txt\" }}\n"));
        }
        documents.push(document(&format!("buyers/b{buyer}.toml"), text, findings)?);
    }
    Ok(documents)
}

fn wide(size: Size) -> String {
    let members = (0..size.campaigns).map(|at| format!("\"b{}/c{at}\"", at / PER_BUYER));
    format!(
        "schema = 1\nid = \"wide\"\nvertical = \"bench\"\ndeadline = \"5s\"\npost_reserve = \"2s\"\n\
         [[tier]]\nname = \"all\"\nping_timeout = \"900ms\"\nmembers = [{}]\n",
        members.collect::<Vec<_>>().join(", ")
    )
}

fn leads(vertical: &Arc<Vertical>, zips: &[String]) -> Ran<Vec<Lead>> {
    let mut chance = Chance::new(99);
    let mut leads = Vec::with_capacity(LEADS);
    for _ in 0..LEADS {
        let said = WORDS.iter().map(|word| (word.name.to_owned(), (word.said)(&mut chance)));
        let mut fields: Vec<(String, String)> = said.collect();
        let zip = zips.get(chance.below(zips.len())).ok_or("no zips")?;
        fields.push(("zip".to_owned(), zip.clone()));
        let from = IntakeFields {
            stage: Stage::Ping,
            fields: &fields,
            sealed: Vec::new(),
            pinged: None,
            ping_counts: false,
            today: "2026-07-25".parse()?,
        };
        let taken = intake(LeadId::from_bytes([7; 16]), vertical, from);
        leads.push(taken.map_err(|wrong| format!("{wrong:?}"))?.lead);
    }
    Ok(leads)
}
