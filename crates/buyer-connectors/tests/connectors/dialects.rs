//! Recorded replies of many dialects, each read by the buyer's file of its format.
//!
//! `fixtures/replies/index.toml` says of each reply what it is; `fixtures/buyers/F01.toml` reads
//! those whose id begins so, unless there is a file for the very id. No dialect has code of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::{Connector, Explained, RawReply};
use exchange_model::document::{Node, NodeKind, Table};
use exchange_model::outcome::{BidToken, Brand, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, RejectClass, Rejection};
use exchange_model::{Currency, Money};
use expect_test::expect;
use http::HeaderMap;

use crate::world::{connector, document};

/// Stages that are read from a buyer.
const STAGES: [&str; 3] = ["ping", "post", "ping-or-post"];

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A recorded reply.
pub(crate) struct Fixture {
    pub(crate) id: String,
    pub(crate) stage: String,
    side: String,
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    expect: Table,
}

fn text(table: &Table, key: &str) -> Option<String> {
    match &table.get(key)?.value.kind {
        NodeKind::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(table: &Table, key: &str) -> Option<u64> {
    match &table.get(key)?.value.kind {
        NodeKind::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn items<'t>(table: &'t Table, key: &str) -> &'t [Node] {
    match table.get(key).map(|entry| &entry.value.kind) {
        Some(NodeKind::Array(items)) => items,
        _ => &[],
    }
}

fn inner(node: &Node) -> &Table {
    match &node.kind {
        NodeKind::Table(table) => table,
        _ => panic!("a table"),
    }
}

pub(crate) fn index() -> Vec<Fixture> {
    let folder = fixtures().join("replies");
    let text_of_index = std::fs::read_to_string(folder.join("index.toml")).expect("the index");
    let index = document("index.toml", &text_of_index);
    let fixture = |node: &Node| {
        let table = inner(node);
        let file = text(table, "file").expect("a file");
        Fixture {
            id: text(table, "id").expect("an id"),
            stage: text(table, "stage").expect("a stage"),
            side: text(table, "side").expect("a side"),
            status: number(table, "status").and_then(|n| u16::try_from(n).ok()).unwrap_or(200),
            content_type: text(table, "content_type"),
            body: std::fs::read(folder.join(file)).expect("a reply"),
            expect: inner(&table.get("expect").expect("what to expect").value).clone(),
        }
    };
    items(&index.root, "fixture").iter().map(fixture).collect()
}

impl Fixture {
    /// Whether a buyer sent it to us, and connectors read it.
    pub(crate) fn is_ours(&self) -> bool {
        self.side == "buyer" && STAGES.contains(&self.stage.as_str())
    }

    /// The stages in which it is read.
    pub(crate) fn stages(&self) -> &'static [&'static str] {
        match self.stage.as_str() {
            "ping" => &["ping"],
            "post" => &["post"],
            _ => &["ping", "post"],
        }
    }

    /// The buyer's file that reads it.
    pub(crate) fn buyer(&self) -> String {
        let format = self.id.split('-').next().expect("a format");
        let mut name = self.id.as_str();
        loop {
            if fixtures().join("buyers").join(format!("{name}.toml")).is_file() {
                return name.to_owned();
            }
            name = name.rsplit_once('-').map_or(format, |(shorter, _)| shorter);
        }
    }

    pub(crate) fn connector(&self) -> Arc<Connector> {
        let path = fixtures().join("buyers").join(format!("{}.toml", self.buyer()));
        connector(&std::fs::read_to_string(path).expect("a buyer's file"))
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(kind) = &self.content_type {
            headers.insert(http::header::CONTENT_TYPE, kind.parse().expect("a content type"));
        }
        headers
    }

    /// Everything in which a reading differs from what is expected.
    fn differences(&self, connector: &Connector) -> Vec<String> {
        let headers = self.headers();
        let reply = RawReply { status: self.status, headers: &headers, body: &self.body };
        let mut all = Vec::new();
        for stage in self.stages() {
            let mut check = Check { expect: &self.expect, differs: Vec::new() };
            if *stage == "ping" {
                check.ping(&connector.read_ping(&reply));
                check.said(&connector.explain_ping(&reply).expect("a ping"));
            } else {
                check.post(&connector.read_post(&reply));
                check.said(&connector.explain_post(&reply));
            }
            all.extend(check.differs.into_iter().map(|what| format!("{stage}: {what}")));
        }
        all
    }
}

struct Check<'a> {
    expect: &'a Table,
    differs: Vec<String>,
}

fn class(name: &str) -> Option<RejectClass> {
    RejectClass::from_code(name)
}

impl Check<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, read: T, expected: T) {
        if read != expected {
            self.differs.push(format!("{what} is {read:?}, not {expected:?}"));
        }
    }

    fn outcome(&mut self, read: &str) {
        let expected = text(self.expect, "outcome").expect("an outcome");
        self.same("outcome", read.to_owned(), expected);
    }

    fn money(&self, key: &str) -> Option<Money> {
        let amount = text(self.expect, key)?;
        Some(Money::parse(&amount, Currency::USD).expect("an amount"))
    }

    fn ping(&mut self, answer: &PingAnswer) {
        match answer {
            PingAnswer::Bid { price, token } => {
                self.outcome("bid");
                self.same("price", Some(*price), self.money("price"));
                self.token(token.as_ref());
            }
            PingAnswer::Available { token } => {
                self.outcome("bid");
                let from = text(self.expect, "price_from");
                self.same("price_from", from.as_deref(), Some("contract"));
                self.token(token.as_ref());
            }
            PingAnswer::NoBid(NoBid::Declined(why)) => self.refusal(why, "no_bid"),
            PingAnswer::NoBid(why) => self.differs.push(format!("unread: {why}")),
        }
    }

    fn token(&mut self, token: Option<&BidToken>) {
        let none = BidToken::default();
        let token = token.unwrap_or(&none);
        if let Some(entry) = self.expect.get("tokens") {
            for entry in &inner(&entry.value).entries {
                let NodeKind::String(expected) = &entry.value.kind else { continue };
                // `id` means our own id: a token of that name is called `ID`.
                let names = [entry.key.as_str(), &entry.key.to_uppercase()];
                let read = names.iter().find_map(|name| token.tokens.get(name));
                self.same(&entry.key, read, Some(expected.as_str()));
            }
        }
        if let Some(transfer) = text(self.expect, "transfer_to") {
            self.same("transfer_to", token.tokens.get("transfer_to"), Some(transfer.as_str()));
        }
        let life = number(self.expect, "ttl_seconds");
        if life.is_some() {
            self.same("lifetime", token.lifetime.map(|life| life.as_secs()), life);
        }
        let expected: Vec<Brand> =
            items(self.expect, "bids").iter().map(|node| brand(inner(node))).collect();
        self.same("bids", token.brands.clone(), expected);
    }

    fn post(&mut self, answer: &PostAnswer) {
        match answer {
            PostAnswer::Accepted(accepted) => {
                self.outcome("accepted");
                self.same("price", accepted.price, self.money("price"));
                self.same("ref", accepted.buyer_ref.clone(), text(self.expect, "lead_id"));
                let redirect = text(self.expect, "redirect");
                self.same("redirect", accepted.redirect_url.clone(), redirect);
                let legs: Vec<(Brand, bool)> =
                    accepted.legs.iter().map(|leg| (leg.brand.clone(), leg.accepted)).collect();
                let expected: Vec<(Brand, bool)> = items(self.expect, "legs")
                    .iter()
                    .map(|node| (brand(inner(node)), is_accepted(inner(node))))
                    .collect();
                self.same("legs", legs, expected);
            }
            PostAnswer::Rejected(why) => {
                self.same("counter", why.counter, self.money("counter_price"));
                self.refusal(why, "rejected");
            }
            PostAnswer::Pending(handles) => {
                self.outcome("pending");
                self.same(
                    "ref",
                    handles.get("ref").map(str::to_owned),
                    text(self.expect, "lead_id"),
                );
                if let Some(entry) = self.expect.get("tokens") {
                    for entry in &inner(&entry.value).entries {
                        let NodeKind::String(expected) = &entry.value.kind else { continue };
                        self.same(&entry.key, handles.get(&entry.key), Some(expected.as_str()));
                    }
                }
            }
            PostAnswer::Unknown(why) => self.differs.push(format!("unread: {why}")),
            PostAnswer::NotSent(why) => self.differs.push(format!("not sent: {why}")),
        }
    }

    /// An `error` is a refusal of class invalid that an `error` rule has made.
    fn refusal(&mut self, why: &Rejection, word: &str) {
        let outcome = text(self.expect, "outcome").expect("an outcome");
        if outcome != "error" {
            self.outcome(word);
        }
        let expected = text(self.expect, "reason_class").and_then(|name| class(&name));
        self.same("class", why.class, expected.unwrap_or(RejectClass::Other));
        let reasons: Vec<&str> = items(self.expect, "reasons")
            .iter()
            .filter_map(|node| match &node.kind {
                NodeKind::String(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if !reasons.is_empty() {
            self.same("reasons", why.text.clone(), Some(reasons.join("; ")));
        }
    }

    /// An error is an error and no mere rejection.
    fn said(&mut self, explained: &Explained) {
        let rule = explained.decided_by.and_then(|at| explained.rules.get(at));
        let error = text(self.expect, "outcome").as_deref() == Some("error");
        self.same("error", rule.is_some_and(|rule| rule.then == "error"), error);
    }
}

fn brand(table: &Table) -> Brand {
    let price = text(table, "price");
    Brand {
        id: text(table, "id"),
        name: text(table, "name"),
        price: price.map(|price| Money::parse(&price, Currency::USD).expect("an amount")),
        token: None,
    }
}

fn is_accepted(table: &Table) -> bool {
    matches!(table.get("accepted").map(|entry| &entry.value.kind), Some(NodeKind::Boolean(true)))
}

#[test]
fn every_recorded_reply_is_read_as_the_index_says() {
    let mut wrong = Vec::new();
    let mut read: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut of_others = Vec::new();
    for fixture in index() {
        if !fixture.is_ours() {
            of_others.push(fixture.id);
            continue;
        }
        let differs = fixture.differences(&fixture.connector());
        let (right, all) = read.entry(fixture.buyer()).or_default();
        *right += u32::from(differs.is_empty());
        *all += 1;
        wrong.extend(differs.into_iter().map(|what| format!("{}: {what}", fixture.id)));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let lines = read.iter().map(|(buyer, (right, all))| format!("{buyer} {right} of {all}"));
    let right: u32 = read.values().map(|(right, _)| right).sum();
    let all: u32 = read.values().map(|(_, all)| all).sum();
    let listed = lines.chain([format!("all {right} of {all}")]).collect::<Vec<_>>().join("\n");
    expect![[r#"
        F01 5 of 5
        F02 2 of 2
        F03 1 of 1
        F04 4 of 4
        F05 1 of 1
        F06 6 of 6
        F07 4 of 4
        F08 3 of 3
        F08-matchping 1 of 1
        F10 4 of 4
        F11 1 of 1
        F12 1 of 1
        F12-buyer-low 1 of 1
        F13 2 of 2
        F15 3 of 3
        F16 2 of 2
        F18 2 of 2
        F19 2 of 2
        F22 1 of 1
        F23 1 of 1
        F24 1 of 1
        F25 3 of 3
        F26 2 of 2
        F27 1 of 1
        F29 2 of 2
        F34 3 of 3
        F35 1 of 1
        F36 2 of 2
        F36-string-bool 1 of 1
        F37 2 of 2
        F41 1 of 1
        F44 1 of 1
        F45 1 of 1
        F51 2 of 2
        all 70 of 70"#]]
    .assert_eq(&listed);
    // A return is no answer to a call of ours; the others are traffic of sellers.
    assert_eq!(of_others, ["F12-return", "F47-in", "F61-out", "F64-out"]);
}

#[test]
fn every_buyers_file_reads_a_reply() {
    let read: Vec<String> =
        index().iter().filter(|one| one.is_ours()).map(Fixture::buyer).collect();
    for entry in std::fs::read_dir(fixtures().join("buyers")).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        assert!(read.contains(&name), "{name} reads none");
    }
}
