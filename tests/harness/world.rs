//! One test's world: a config written for it, its buyers, its exchange, its sellers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use exchange_lab::{MockBuyer, MockBuyers};
use serde_json::Value;

use super::buyer::TestBuyer;
use super::cli::{self, KeyMode, Ran};
use super::process::Serving;
use super::seller::Seller;
use super::site::{Site, SiteSettings};
use super::waiting::{eventually, now};

/// How far behind the answer a journey may be written.
const JOURNEY_PATIENCE: Duration = Duration::from_secs(15);

/// A world to be started.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    tiers: Vec<Vec<TestBuyer>>,
    promise: Option<String>,
    tree: Option<String>,
    ping_timeout: Option<String>,
    auction: Option<String>,
    places: BTreeMap<String, String>,
    source: String,
    vertical: String,
    shared: Option<u8>,
}

/// A world that runs. Everything in it ends with it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) serving: Serving,
    pub(crate) buyers: MockBuyers,
    /// `kart/search`, with a live key.
    pub(crate) seller: Seller,
}

impl Plan {
    /// A further tier with these buyers.
    pub(crate) fn tier(mut self, buyers: impl IntoIterator<Item = TestBuyer>) -> Self {
        self.tiers.push(buyers.into_iter().collect());
        self
    }

    /// How long a ping's promise lasts.
    pub(crate) fn promise(mut self, lifetime: &str) -> Self {
        self.promise = Some(lifetime.to_owned());
        self
    }

    /// The times of the tree, as lines, and how long its tiers wait for pings.
    pub(crate) fn times(mut self, lines: &str, ping_timeout: &str) -> Self {
        self.tree = Some(lines.to_owned());
        self.ping_timeout = Some(ping_timeout.to_owned());
        self
    }

    /// Every tier sells to two buyers at least, and to so many at most.
    pub(crate) fn shared(mut self, most: u8) -> Self {
        self.shared = Some(most);
        self
    }

    /// How the members of its tiers compete, as lines; and what the places of some buyers say.
    pub(crate) fn auction(mut self, lines: &str, places: &[(&str, &str)]) -> Self {
        self.auction = Some(lines.to_owned());
        let owned = |(name, says): &(&str, &str)| ((*name).to_owned(), (*says).to_owned());
        self.places = places.iter().map(owned).collect();
        self
    }

    /// Further lines of the source `kart/search`.
    pub(crate) fn source(mut self, lines: &str) -> Self {
        self.source = lines.to_owned();
        self
    }

    /// Further tables of the vertical.
    pub(crate) fn vertical(mut self, tables: &str) -> Self {
        self.vertical = tables.to_owned();
        self
    }

    /// Writes the config, starts the buyers and the exchange, makes a key.
    pub(crate) async fn start(self) -> World {
        let site = Site::new(&SiteSettings::default());
        let buyers = self.start_buyers(&site).await;
        self.write(&site);
        let serving = Serving::start(&site).await;
        let seller = Seller::new(site.seller, &cli::new_key(&site, "kart/search", KeyMode::Live));
        World { site, serving, buyers, seller }
    }

    async fn start_buyers(&self, site: &Site) -> MockBuyers {
        let members = || self.tiers.iter().flatten();
        let mocks = members().filter_map(TestBuyer::mock).collect();
        let buyers = MockBuyers::start(mocks).await.unwrap();
        let mut hosts: BTreeMap<String, SocketAddr> = buyers.hosts().into_iter().collect();
        hosts.extend(members().filter_map(TestBuyer::raw_host));
        site.write_hosts(&hosts);
        buyers
    }

    fn write(&self, site: &Site) {
        site.write_sample_vertical_and(&self.vertical);
        for buyer in self.tiers.iter().flatten() {
            site.write(&format!("buyers/{}.toml", buyer.name), &buyer.toml());
            let (name, text) = buyer.secret();
            site.write_secret(&name, &text);
        }
        site.write("trees/auto_main.toml", &self.tree_toml());
        site.write("sellers/kart.toml", &seller_toml("kart", "search", &self.source));
        site.write("sellers/rival.toml", &seller_toml("rival", "web", ""));
    }

    fn tree_toml(&self) -> String {
        let times = self.tree.as_deref().unwrap_or("deadline = \"12s\"\npost_reserve = \"8s\"\n");
        let pings = self.ping_timeout.as_deref().unwrap_or("3s");
        let promise = self.promise.as_deref().unwrap_or("60s");
        let mut text = format!(
            "schema = 1\nid = \"auto_main\"\nvertical = \"auto_insurance\"\ntitle = \"Auto\"\n\
             {times}\npromise_lifetime = \"{promise}\"\n"
        );
        let sale = match self.shared {
            Some(most) => format!("\"shared\"\nmax_sold = {most}"),
            None => "\"exclusive\"".to_owned(),
        };
        for (nth, tier) in self.tiers.iter().enumerate() {
            let members: Vec<String> = tier.iter().map(|buyer| self.place(buyer)).collect();
            let members = members.join(", ");
            let auction = self.auction.as_deref().unwrap_or("auction = \"highest_bid\"");
            text.push_str(&format!(
                "\n[[tier]]\nname = \"tier{nth}\"\nsale = {sale}\n{auction}\n\
                 ping_timeout = \"{pings}\"\nreserve = \"1.00\"\ncascade = 3\nmembers = [{members}]\n"
            ));
        }
        text
    }

    fn place(&self, buyer: &TestBuyer) -> String {
        match self.places.get(&buyer.name) {
            Some(says) => format!("{{ campaign = \"{}\", {says} }}", buyer.member()),
            None => format!("\"{}\"", buyer.member()),
        }
    }
}

fn seller_toml(seller: &str, source: &str, further: &str) -> String {
    format!(
        r#"schema = 1
id = "{seller}"
title = "Seller {seller}"
status = "live"

[[source]]
id = "{source}"
alias = "S-{seller}"
tree = "auto_main"
payout = {{ share = "80%" }}
duplicates = {{ window = "30d", on = ["phone", "email"] }}
{further}
"#
    )
}

impl World {
    /// A world with these buyers in one tier.
    pub(crate) fn of(buyers: impl IntoIterator<Item = TestBuyer>) -> Plan {
        Plan::default().tier(buyers)
    }

    /// The mock with this name.
    pub(crate) fn buyer(&self, name: &str) -> &MockBuyer {
        self.buyers.buyer(name).unwrap_or_else(|| panic!("no buyer is called {name}"))
    }

    /// A seller of this source with a new key.
    pub(crate) fn seller_of(&self, source: &str, mode: KeyMode) -> Seller {
        self.seller.with_key(&cli::new_key(&self.site, source, mode))
    }

    /// Runs a command on this site.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        cli::run(&self.site, arguments)
    }

    /// How a lead stands, as its seller sees it, once it has this status.
    pub(crate) async fn until_status(&self, lead: &str, status: &str) -> Value {
        eventually(&format!("`{lead}` to be {status}"), || async {
            let answer = self.seller.lead(lead).await;
            (answer.at("status") == status).then(|| answer.json())
        })
        .await
    }

    /// The journey of a lead, once it says this: it is written behind the answer.
    pub(crate) async fn journey_with(&self, lead: &str, word: &str) -> String {
        let began = now();
        loop {
            let shown = self.run(&["lead", "show", lead]).ok();
            if shown.contains(word) {
                return shown;
            }
            assert!(began.elapsed() < JOURNEY_PATIENCE, "`{word}` is not in:\n{shown}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The text of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        let seller = self.seller.at(self.site.operator);
        seller.answer(seller.bare(reqwest::Method::GET, "/metrics")).await.text()
    }

    /// Proves that the exchange still sells, with the lead of this number.
    pub(crate) async fn still_sells(&self, number: u32) {
        let answer = self.seller.post(&super::lead(number)).await;
        assert_eq!(answer.outcome(), "sold", "{}", answer.text());
    }

    /// Stops the exchange in good order and checks its books.
    pub(crate) async fn books_verify(&mut self) {
        self.serving.terminate();
        assert!(self.serving.ended().await.success(), "{}", self.site.log());
        self.run(&["ledger", "verify"]).ok();
    }
}
