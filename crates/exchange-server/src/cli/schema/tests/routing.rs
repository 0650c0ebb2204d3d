//! Every key that the readers of trees, sellers and tests know is in their schemas, and every
//! example of a test or tree that loads fits them.

use std::collections::{BTreeMap, BTreeSet};

use exchange_model::{Document, Findings};
use ping_tree::{Routing, Sources, TestFile};

use super::super::Kind;
use super::{document, document_vertical, fits, schema, value_of};

const BUYER: &str = "id = \"a\"\ntime_zone = \"UTC\"\nbilling = { terms = \"prepaid\" }\n\
    [connector.c]\n[[campaign]]\nid = \"b\"\nvertical = \"v\"\nconnector = \"c\"\n\
    price = { mode = \"bid\", ceiling = \"9.00\" }\n";
const TREE: &str = "id = \"t\"\nvertical = \"v\"\ndeadline = \"3s\"\npost_reserve = \"1s\"\n";
const TIER: &str = "[[tier]]\nname = \"x\"\nping_timeout = \"1s\"\n";
const SELLER: &str = "id = \"s\"\n[[source]]\nid = \"u\"\nalias = \"S\"\n";
const TEST: &str = "source = \"s/u\"\n[lead.l]\n[[test]]\nname = \"n\"\n\
    at = 2026-11-23T10:15:00-06:00\nlead = \"l\"\n";

/// Files of one exchange.
struct Files {
    buyer: String,
    tree: String,
    seller: String,
}

impl Files {
    fn sound() -> Self {
        Self {
            buyer: BUYER.to_owned(),
            tree: format!("{TREE}{TIER}members = [\"a/b\"]\n"),
            seller: format!("{SELLER}tree = \"t\"\npayout = {{ share = \"80%\" }}\n"),
        }
    }

    fn compile(&self, findings: &mut Findings) -> Routing {
        let one = |path: &str, text: &str| -> [Document; 1] { [document(path, text)] };
        let buyers = one("buyer.toml", &self.buyer);
        let trees = one("tree.toml", &self.tree);
        let sellers = one("seller.toml", &self.seller);
        let verticals = BTreeMap::from([("v".parse().unwrap(), document_vertical())]);
        let sources = Sources {
            verticals: &verticals,
            buyers: &buyers,
            sellers: &sellers,
            trees: &trees,
            groups: None,
            lists: &|_| None,
        };
        ping_tree::compile(&sources, findings)
    }

    fn known(&self) -> BTreeSet<String> {
        let mut findings = Findings::new();
        drop(self.compile(&mut findings));
        keys_named(&self.tree, &findings).unwrap_or_else(|| panic!("{:#?}", findings.sorted()))
    }
}

/// The keys in the finding about a key that no reader knows.
fn keys_named(text: &str, findings: &Findings) -> Option<BTreeSet<String>> {
    let all = findings.sorted();
    let unknown = all.iter().find(|finding| finding.message.contains("`zzzzzzzz`"));
    let keys = unknown?.help.strip_prefix("known keys here: ");
    let keys = keys.unwrap_or_else(|| panic!("{text}\n{all:#?}"));
    Some(keys.split(", ").map(str::to_owned).collect())
}

fn absent(kind: Kind, pointer: &str, known: BTreeSet<String>) -> Vec<String> {
    let root = schema(kind);
    let table = root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let described = |key: &String| table["properties"].get(key).is_some();
    known.into_iter().filter(|key| !described(key)).collect()
}

#[test]
fn every_key_that_the_reader_of_trees_knows_is_in_the_schema() {
    let member = "members = [{ campaign = \"a/b\", zzzzzzzz = 1 }]\n";
    for (pointer, tree) in [
        ("", format!("zzzzzzzz = 1\n{TREE}{TIER}members = [\"a/b\"]\n")),
        ("/$defs/tier", format!("{TREE}{TIER}members = [\"a/b\"]\nzzzzzzzz = 1\n")),
        ("/$defs/member_table", format!("{TREE}{TIER}{member}")),
    ] {
        let known = Files { tree, ..Files::sound() }.known();
        assert_eq!(absent(Kind::Tree, pointer, known), [""; 0], "not in the schema: {pointer}");
    }
}

#[test]
fn every_key_that_the_reader_of_sellers_knows_is_in_the_schema() {
    let share = "payout = { share = \"80%\" }";
    for (pointer, lines) in [
        ("/$defs/source", format!("tree = \"t\"\n{share}\nzzzzzzzz = 1\n")),
        (
            "/$defs/payout_rule",
            "tree = \"t\"\npayout = { share = \"80%\", zzzzzzzz = 1 }\n".to_owned(),
        ),
        (
            "/$defs/payout_band",
            "tree = \"t\"\npayout = { bands = [{ from = \"0\", share = \"1%\", zzzzzzzz = 1 }] }\n"
                .to_owned(),
        ),
    ] {
        let known = Files { seller: format!("{SELLER}{lines}"), ..Files::sound() }.known();
        let mut absent = absent(Kind::Seller, pointer, known);
        // Refused inside of a band, with a remedy of its own.
        absent.retain(|key| pointer != "/$defs/payout_band" || key != "bands");
        assert_eq!(absent, [""; 0], "not in the schema: {pointer}");
    }
}

#[test]
fn every_key_that_the_reader_of_price_rules_knows_is_in_the_schema() {
    let rule = "adjust = [{ add = \"1.50\", zzzzzzzz = 1 }] }";
    let buyer = BUYER.replace("ceiling = \"9.00\" }", &format!("ceiling = \"9.00\", {rule}"));
    let known = Files { buyer, ..Files::sound() }.known();
    assert_eq!(absent(Kind::Buyer, "/$defs/adjust", known), [""; 0]);
    let buyer = format!("zzzzzzzz = 1\n{BUYER}");
    let known = Files { buyer, ..Files::sound() }.known();
    assert_eq!(absent(Kind::Buyer, "", known), [""; 0]);
}

#[test]
fn every_key_that_the_reader_of_tests_knows_is_in_the_schema() {
    let mut findings = Findings::new();
    let routing = Files::sound().compile(&mut findings);
    assert!(!findings.has_errors(), "{:#?}", findings.sorted());
    let expect = "expect = { status = \"unsold\" }\n";
    let test = "/$defs/test/properties";
    let bid = format!("{test}/bids/additionalProperties/anyOf/2");
    let post = format!("{test}/posts/additionalProperties/anyOf/1");
    for (pointer, lines) in [
        ("/$defs/test".to_owned(), format!("{expect}zzzzzzzz = 1\n")),
        (format!("{test}/expect"), "expect = { zzzzzzzz = 1 }\n".to_owned()),
        ("/$defs/history".to_owned(), format!("{expect}history = {{ zzzzzzzz = 1 }}\n")),
        (bid, format!("{expect}bids = {{ \"a/b\" = {{ price = \"5.00\", zzzzzzzz = 1 }} }}\n")),
        (post, format!("{expect}posts = {{ \"a/b\" = {{ rejected = \"cap\", zzzzzzzz = 1 }} }}\n")),
        (
            "/$defs/brands/items".to_owned(),
            format!(
                "{expect}bids = {{ \"a/b\" = [{{ name = \"A\", price = \"5.00\", zzzzzzzz = 1 }}] }}\n"
            ),
        ),
    ] {
        let text = format!("{TEST}{lines}");
        let mut findings = Findings::new();
        drop(TestFile::read(&document("test.toml", &text), &routing, &mut findings));
        let known = keys_named(&text, &findings).unwrap_or_else(|| panic!("{pointer}: {text}"));
        assert_eq!(absent(Kind::Test, &pointer, known), [""; 0], "not in the schema: {pointer}");
    }
}

#[test]
fn trees_sellers_and_buyers_in_every_form_fit_their_schemas() {
    let tree = format!(
        "least_margin = \"5%\"\ntime_zone = \"America/Chicago\"\n{TREE}{TIER}\
         when = {{ any = [{{ f = [\"x\"] }}, {{ not = {{ g = {{ present = true }} }} }}] }}\n\
         auction = \"weighted\"\nsale = \"shared\"\nmax_sold = 3\nwindow = \"7d\"\n\
         ties = [\"accept_rate\"]\nrank = \"expected\"\nearly_close = false\n\
         members = [\"a/b\", {{ campaign = \"a/c\", weight = 3, handicap = \"10%\" }}]\n"
    );
    let bands = "payout = { bands = [{ from = \"0\", share = \"70%\" }, { from = \"9\", margin = \"1.00\" }] }";
    let seller = format!(
        "{SELLER}split = {{ a = \"90%\", b = \"10%\" }}\n{bands}\non_mismatch = \"ignore\"\n\
         payout_for = {{ a = {{ per_sale = \"4.00\" }}, \"a/b\" = {{ fixed = \"9.00\" }} }}\n"
    );
    let buyer = BUYER.replace("price = ", "haircut = \"5%\"\nshares = { 1 = \"100%\", 3 = \"14.00\" }\nsources = { not = [\"s/u\"] }\nprice = ")
        .replace("\"9.00\" }", "\"9.00\", adjust = [{ hours = { sat = \"08:00-12:00\" }, add = \"-5%\" }] }");
    for (kind, text) in [(Kind::Tree, tree), (Kind::Seller, seller), (Kind::Buyer, buyer)] {
        let value = value_of(&document("a.toml", &text).root);
        assert_eq!(fits(kind, &value, false), [""; 0], "{text}");
    }
    for (kind, wrong) in [
        (Kind::Tree, format!("{TREE}{TIER}members = [\"a/b\"]\nsale = \"both\"\n")),
        (Kind::Tree, format!("{TREE}{TIER}members = [{{ campaign = \"a\" }}]\n")),
        (Kind::Seller, format!("{SELLER}tree = \"t\"\npayout = {{ share = \"80\" }}\n")),
        (Kind::Seller, format!("{SELLER}split = {{ t = 90 }}\npayout = {{ share = \"80%\" }}\n")),
    ] {
        let value = value_of(&document("a.toml", &wrong).root);
        assert!(!fits(kind, &value, false).is_empty(), "{wrong}");
    }
}
