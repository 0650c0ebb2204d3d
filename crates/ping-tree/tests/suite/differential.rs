//! Filter, index and plan decide what is written, whatever is written: a million decisions beside an
//! interpreter that knows nothing of how filters are compiled.
//!
//! Everything is drawn from one seed, so that a failure comes again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use exchange_model::Lead;
use ping_tree::{LeadRequest, Plan, Tree, Wishes, plan, sift};

use crate::exchange::{Books, Exchange, Files, id, time};

mod draw;
mod written;

use draw::Draw;
use written::{Given, KINDS, Kind, Lists, Table};

const SEED: u64 = 20_261_122;

/// A campaign as drawn, and its places in the two tiers.
struct Drawn {
    name: String,
    paused: bool,
    accepts: Table,
    /// For each tier, whether it stands there, and under which condition.
    places: [Option<Table>; 2],
}

/// What an exchange is drawn from.
#[derive(Clone, Copy)]
struct Size {
    campaigns: usize,
    leads: usize,
    most_lines: usize,
}

struct World {
    exchange: Exchange,
    drawn: Vec<Drawn>,
    lists: Lists,
}

impl World {
    fn drawn(draw: &mut Draw, size: Size) -> Self {
        let lists = Lists::drawn(draw);
        let drawn: Vec<Drawn> = (0..size.campaigns)
            .map(|at| Drawn {
                name: format!("c{at}"),
                paused: draw.one_in(20),
                accepts: Table::drawn(draw, &lists, size.most_lines, 3),
                places: places(draw, &lists, at),
            })
            .collect();
        let files = lists.files(Files::base());
        let files =
            files.with("buyers/many.toml", &buyer(&drawn)).with("trees/wide.toml", &tree(&drawn));
        let exchange = files.load();
        assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
        Self { exchange, drawn, lists }
    }

    fn tree(&self) -> &Arc<Tree> {
        self.exchange.routing.tree(&"wide".parse().unwrap()).unwrap()
    }

    fn lead(&self, given: &Given) -> Lead {
        let texts: Vec<(&str, String)> =
            KINDS.iter().map(|kind| (kind.sent(), given.text_of(*kind))).collect();
        let texts: Vec<(&str, &str)> =
            texts.iter().map(|(field, text)| (*field, text.as_str())).collect();
        self.exchange.lead(&texts)
    }

    /// Compares everything with the interpreter; how many decisions that were.
    fn compare(&self, given: &Given, nth: usize) -> usize {
        let lead = self.lead(given);
        let tree = self.tree();
        let matching = tree.places.matching(lead.attributes());
        let members = tree.tiers.iter().enumerate();
        let members = members.flat_map(|(tier, t)| t.members.iter().map(move |m| (tier, m)));
        let by_name: BTreeMap<&str, &Drawn> =
            self.drawn.iter().map(|drawn| (drawn.name.as_str(), drawn)).collect();
        let mut taking = Vec::new();
        let mut decisions = 0;
        for (slot, (tier, member)) in members.enumerate() {
            let campaign = &member.campaign;
            let drawn = by_name[campaign.id.as_str().strip_prefix("many/").unwrap()];
            let wanted = drawn.accepts.holds(given, &self.lists);
            let shown = || format!("{} and {given:?}", drawn.accepts.toml());
            assert_eq!(campaign.accepts.matches(lead.attributes()), wanted, "filter: {}", shown());
            assert_eq!(matching.contains(slot), wanted, "index: {}", shown());
            if wanted && !drawn.paused && drawn.tier(given, &self.lists) == Some(tier) {
                taking.push((tier, campaign.id.to_string()));
            }
            decisions += 1;
        }
        self.compare_plans(&lead, &taking, nth);
        decisions
    }

    fn compare_plans(&self, lead: &Lead, taking: &[(usize, String)], nth: usize) {
        let source = self.exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
        let at = time("2026-11-23T16:00:00Z");
        let request = LeadRequest { lead, source, at, wishes: Wishes::none() };
        let books = Books::default();
        let scanned = plan(self.tree(), &request, &books);
        assert_eq!(members(&scanned), taking, "plan");
        // With every reason, with none, or with some: who takes part is the same.
        let half = self.drawn.len() / 2;
        let reasons = [0, usize::MAX, 0, half][nth % 4];
        let sifted = sift(self.tree(), &request, &books, reasons);
        assert_eq!(members(&sifted), taking, "sift");
        let (named, all) = (&sifted.ineligible, &scanned.ineligible);
        let mut told = all.iter();
        assert!(named.iter().all(|reason| told.any(|known| known == reason)), "reasons");
        assert!(reasons != usize::MAX || named.len() == all.len(), "reasons");
    }
}

impl Drawn {
    /// The first tier whose condition holds.
    fn tier(&self, given: &Given, lists: &Lists) -> Option<usize> {
        let holds = |when: &Option<Table>| when.as_ref().is_some_and(|w| w.holds(given, lists));
        self.places.iter().position(holds)
    }
}

/// No tier is empty: the first campaigns stand in one each.
fn places(draw: &mut Draw, lists: &Lists, at: usize) -> [Option<Table>; 2] {
    match (at, draw.below(4)) {
        (0, _) | (2.., 0) => [Some(Table::default()), None],
        (1, _) | (2.., 1) => [None, Some(Table::default())],
        _ => [0, 1].map(|_| Some(Table::drawn(draw, lists, 1, 1))),
    }
}

fn buyer(drawn: &[Drawn]) -> String {
    let mut text = String::from(
        "schema = 1\nid = \"many\"\ntime_zone = \"UTC\"\n\
         billing = { terms = \"prepaid\" }\n[connector.main]\n",
    );
    for Drawn { name, paused, accepts, .. } in drawn {
        let status = if *paused { "paused" } else { "live" };
        let accepts = accepts.toml();
        write!(
            text,
            "[[campaign]]\nid = \"{name}\"\nvertical = \"auto\"\nconnector = \"main\"\n\
             price = {{ mode = \"fixed\", base = \"9.00\" }}\nstatus = \"{status}\"\n\
             accepts = {accepts}\n"
        )
        .unwrap();
    }
    text
}

fn tree(drawn: &[Drawn]) -> String {
    let mut text = String::from(
        "schema = 1\nid = \"wide\"\nvertical = \"auto\"\ndeadline = \"30s\"\npost_reserve = \"1s\"\n",
    );
    for tier in [0, 1] {
        writeln!(text, "[[tier]]\nname = \"t{tier}\"\nping_timeout = \"100ms\"\nmembers = [")
            .unwrap();
        for drawn in drawn {
            match &drawn.places[tier] {
                Some(when) if when.is_empty() => writeln!(text, "\"many/{}\",", drawn.name),
                Some(when) => writeln!(
                    text,
                    "{{ campaign = \"many/{}\", when = {} }},",
                    drawn.name,
                    when.toml()
                ),
                None => Ok(()),
            }
            .unwrap();
        }
        text.push_str("]\n");
    }
    text
}

fn members(plan: &Plan) -> Vec<(usize, String)> {
    let tiers = plan.tiers.iter().enumerate();
    tiers
        .flat_map(|(at, tier)| tier.members.iter().map(move |m| (at, m.campaign.id.to_string())))
        .collect()
}

fn compared(draw: &mut Draw, size: Size) -> usize {
    let world = World::drawn(draw, size);
    (0..size.leads).map(|nth| world.compare(&Given::drawn(draw), nth)).sum()
}

#[test]
fn filter_index_and_plan_decide_what_is_written_a_million_times() {
    let mut draw = Draw::new(SEED);
    let small = Size { campaigns: 3, leads: 200, most_lines: 4 };
    let large = Size { campaigns: 400, leads: 250, most_lines: 4 };
    let few: usize = (0..50).map(|_| compared(&mut draw, small)).sum();
    let many: usize = (0..7).map(|_| compared(&mut draw, large)).sum();
    assert!(few + many >= 1_000_000, "only {few} and {many} decisions");
}

#[test]
fn more_bounds_than_an_index_cuts_at_are_asked_again() {
    let mut draw = Draw::new(SEED);
    let mut accepts = String::new();
    for at in 0..1_500 {
        let (low, width) = (draw.below(9_000), draw.below(3_000));
        writeln!(
            accepts,
            "[[campaign]]\nid = \"r{at}\"\nvertical = \"auto\"\nconnector = \"main\"\n\
             price = {{ mode = \"fixed\", base = \"9.00\" }}\n\
             accepts = {{ income = {{ min = {low}, max = {} }} }}",
            low + width
        )
        .unwrap();
    }
    let names: Vec<String> = (0..1_500).map(|at| format!("\"coastal_call/r{at}\"")).collect();
    let members = format!("members = [{}, \"coastal_call/auto\"]", names.join(", "));
    let exchange = Files::base()
        .edited(
            "buyers/coastal_call.toml",
            "[connector.main]",
            &format!("{accepts}[connector.main]"),
        )
        .edited("trees/auto_main.toml", "members = [\"coastal_call/auto\"]", &members)
        .load();
    assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
    let tree = exchange.routing.trees().next().unwrap();
    let probe = exchange.routing.campaign(&id("coastal_call/r0")).unwrap();
    assert!(!probe.accepts.is_empty());
    for _ in 0..60 {
        let lead = exchange.lead(&[("income", &draw.below(12_000).to_string())]);
        let matching = tree.places.matching(lead.attributes());
        for (slot, (_, campaign)) in tree.members().enumerate() {
            let wanted = campaign.accepts.matches(lead.attributes());
            assert_eq!(matching.contains(slot), wanted, "{}", campaign.id);
        }
    }
}

#[test]
fn an_index_of_nobody_matches_nobody() {
    let index = ping_tree::index::Index::new([]);
    let exchange = Files::base().load();
    assert_eq!(index.matching(exchange.lead(&[]).attributes()).count(), 0);
    assert!(Kind::Zip.text(0).len() == 5);
}
