//! A buyer of a test: its file in the config, and the mock behind its host.

use std::net::SocketAddr;
use std::path::PathBuf;

use exchange_lab::mock_buyers::{Access, Appetite, Family};
use exchange_lab::{BuyerSpec, FaultPlan};

/// How a test buyer talks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Talk {
    /// Flat JSON with a bearer token; prices are texts.
    Plain,
    /// Nested JSON with a key in a header; prices are numbers.
    Nested,
}

/// How the calls of a buyer of flat JSON are read, in a body or a query.
const CALLBACK: &str = r#"
[connector.main.callback]
answer = { status = 202, body = "heard" }
reply = { rules = [
  { when = { at = "$.status", is = ["sold"] }, then = "accepted" },
  { when = { at = "$.status", is = ["no"] }, then = "rejected" },
  { when = { at = "$.status", is = ["wait"] }, then = "pending" },
  { when = { key = "status", is = ["sold"] }, then = "accepted" },
  { when = { key = "status", is = ["no"] }, then = "rejected" },
], price = { at = "$.price" }, ref = { at = "$.ref" } }
"#;

/// One buyer with one campaign called `auto`, in the file and on the wire. Healthy, eager, with a
/// wide credit line and no caps, unless a test says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct TestBuyer {
    pub(crate) name: String,
    talk: Talk,
    billing: String,
    campaign: String,
    price: String,
    resolve: String,
    ping_body: String,
    post_body: String,
    stages: String,
    ping_rule: String,
    ping_timeout: String,
    ping_least: String,
    post_timeout: String,
    url: Option<String>,
    raw: Option<SocketAddr>,
    dialect: Option<String>,
    spec: BuyerSpec,
}

impl TestBuyer {
    /// A buyer of flat JSON that bids this much for everything.
    pub(crate) fn plain(name: &str, bid_cents: u32) -> Self {
        let family = Family::PlainJson { access: Access::Bearer(secret(name)), priced: true };
        Self::new(name, Talk::Plain, family, bid_cents)
    }

    /// A buyer of nested JSON that bids this much for everything.
    pub(crate) fn nested(name: &str, bid_cents: u32) -> Self {
        let family = Family::JsonBidder { api_key: secret(name) };
        Self::new(name, Talk::Nested, family, bid_cents)
    }

    /// A buyer of flat JSON whose host is a server of the test's own.
    pub(crate) fn raw(name: &str, addr: SocketAddr) -> Self {
        Self { raw: Some(addr), ..Self::plain(name, 0) }
    }

    fn new(name: &str, talk: Talk, family: Family, bid_cents: u32) -> Self {
        let spec = BuyerSpec {
            appetite: Appetite {
                lowest_cents: bid_cents,
                highest_cents: bid_cents,
                ..Appetite::default()
            },
            keep_requests: true,
            ..BuyerSpec::new(name, &host(name), family)
        };
        Self {
            name: name.to_owned(),
            talk,
            billing: "terms = \"net7\"\ncredit_limit = \"9000000.00\"".to_owned(),
            campaign: String::new(),
            price: "{ mode = \"bid\", floor = \"1.00\", ceiling = \"100.00\" }".to_owned(),
            resolve: String::new(),
            ping_body: String::new(),
            post_body: String::new(),
            stages: String::new(),
            ping_rule: String::new(),
            ping_timeout: "3s".to_owned(),
            ping_least: String::new(),
            post_timeout: "3s".to_owned(),
            url: None,
            raw: None,
            dialect: None,
            spec,
        }
    }

    /// Speaks this instead: the tables of the connector `main`, in which `ORIGIN` is its address.
    pub(crate) fn dialect(mut self, tables: &str) -> Self {
        self.dialect = Some(tables.replace("ORIGIN", &self.origin_text()));
        self
    }

    /// How a lost answer of it is found out.
    pub(crate) fn resolves(mut self, ways: &[&str]) -> Self {
        self.resolve = ways.iter().map(|way| format!("\"{way}\"")).collect::<Vec<_>>().join(", ");
        self
    }

    /// Misbehaves by this plan.
    pub(crate) fn faults(mut self, plan: FaultPlan) -> Self {
        self.spec.faults = plan;
        self
    }

    /// Refuses so many posts in a thousand although it had bid.
    pub(crate) fn rejects(mut self, per_mille: u32) -> Self {
        self.spec.appetite.reject_per_mille = per_mille;
        self
    }

    /// Declares that a post may be sent again under its key.
    pub(crate) fn reposts(mut self) -> Self {
        self.resolve = "\"repost\"".to_owned();
        self
    }

    /// Is told where to call us, in this key of its posts and, if asked for, of its pings; what
    /// it says then is read like its replies to posts. For buyers of flat JSON.
    pub(crate) fn calls_back(mut self, in_pings: bool) -> Self {
        let told = ", cb = \"{{ callback_url }}\"";
        self.post_body = told.to_owned();
        self.ping_body = if in_pings { told.to_owned() } else { String::new() };
        self.resolve = "\"callback\"".to_owned();
        self.stage(CALLBACK)
    }

    /// Is told in its pings the least that it may bid. For buyers of flat JSON.
    pub(crate) fn told_floor(mut self) -> Self {
        self.ping_body = ", floor = \"{{ floor }}\"".to_owned();
        self
    }

    /// Further tables of its connector.
    pub(crate) fn stage(mut self, tables: &str) -> Self {
        self.stages.push_str(tables);
        self
    }

    /// Lines of its `[billing]` table.
    pub(crate) fn billing(mut self, lines: &str) -> Self {
        self.billing = lines.to_owned();
        self
    }

    /// Further lines of its campaign.
    pub(crate) fn campaign(mut self, lines: &str) -> Self {
        self.campaign = lines.to_owned();
        self
    }

    /// A further rule for reading its replies to pings.
    pub(crate) fn ping_rule(mut self, rule: &str) -> Self {
        self.ping_rule = format!(", {rule}");
        self
    }

    /// How long its pings may take.
    pub(crate) fn ping_timeout(mut self, timeout: &str) -> Self {
        self.ping_timeout = timeout.to_owned();
        self
    }

    /// Bids for none of its pings.
    pub(crate) fn never_bids(mut self) -> Self {
        self.spec.appetite.no_bid_per_mille = 1_000;
        self
    }

    /// The wait for its pings is learned, and never less than this. For buyers of flat JSON.
    pub(crate) fn waited_at_least(mut self, least: &str) -> Self {
        self.ping_least = format!("\nleast_timeout = \"{least}\"");
        self
    }

    /// How long its posts may take.
    pub(crate) fn post_timeout(mut self, timeout: &str) -> Self {
        self.post_timeout = timeout.to_owned();
        self
    }

    /// Is called at this origin instead of its own host.
    pub(crate) fn origin(mut self, origin: &str) -> Self {
        self.url = Some(origin.to_owned());
        self
    }

    /// Keeps its book in this file.
    pub(crate) fn book(mut self, path: PathBuf) -> Self {
        self.spec.book_path = Some(path);
        self
    }

    /// The mock behind its host; none where the test serves the host itself.
    pub(crate) fn mock(&self) -> Option<BuyerSpec> {
        (self.raw.is_none() && self.url.is_none()).then(|| self.spec.clone())
    }

    /// The host and address of a server of the test's own.
    pub(crate) fn raw_host(&self) -> Option<(String, SocketAddr)> {
        Some((host(&self.name), self.raw?))
    }

    /// The name and text of its secret.
    pub(crate) fn secret(&self) -> (String, String) {
        (format!("{}_token", self.name), secret(&self.name))
    }

    /// Its campaign's full name.
    pub(crate) fn member(&self) -> String {
        format!("{}/auto", self.name)
    }

    /// Its file.
    pub(crate) fn toml(&self) -> String {
        let Self { name, billing, campaign, price, resolve, stages, .. } = self;
        let connector = match (&self.dialect, self.talk) {
            (Some(dialect), _) => dialect.clone(),
            (None, Talk::Plain) => self.plain_connector(),
            (None, Talk::Nested) => self.nested_connector(),
        };
        format!(
            r#"schema = 1
id = "{name}"
title = "Buyer {name}"
status = "live"
time_zone = "UTC"

[billing]
{billing}

[[campaign]]
id = "auto"
vertical = "auto_insurance"
connector = "main"
price = {price}
hours = {{ mon-sun = "00:00-24:00" }}
{campaign}

[connector.main]
resolve = [{resolve}]
{connector}{stages}"#
        )
    }

    fn origin_text(&self) -> String {
        self.url.clone().unwrap_or_else(|| format!("https://{}", host(&self.name)))
    }

    fn plain_connector(&self) -> String {
        let (origin, ping, post) = (self.origin_text(), &self.ping_timeout, &self.post_timeout);
        let (secret, rule, least) = (self.secret().0, &self.ping_rule, &self.ping_least);
        let (ping_body, post_body) = (&self.ping_body, &self.post_body);
        format!(
            r#"auth = {{ scheme = "bearer", secret = "{secret}" }}

[connector.main.ping]
url = "{origin}/ping"
format = "json"
timeout = "{ping}"{least}
body = {{ zip = "{{{{ zip }}}}", st = "{{{{ state }}}}", age = "{{{{ age }}}}"{ping_body} }}
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [true] }}, then = "bid" }}], price = {{ at = "$.price" }}, currency = {{ at = "$.currency" }}, token = {{ at = "$.id" }}, reason = {{ at = "$.why" }}{rule} }}

[connector.main.post]
url = "{origin}/post"
format = "json"
timeout = "{post}"
idempotency_key = {{ header = "Idempotency-Key" }}
body = {{ id = "{{{{ ping.token }}}}", lead = "{{{{ lead }}}}"{post_body} }}
reply = {{ rules = [{{ when = {{ at = "$.ok", is = [false] }}, then = "rejected" }}, {{ when = {{ at = "$.ok", is = [true] }}, then = "accepted" }}, {{ when = {{ at = "$.wait", is = [true] }}, then = "pending" }}], price = {{ at = "$.price" }}, currency = {{ at = "$.currency" }}, ref = {{ at = "$.ref" }}, reason = {{ at = "$.why" }} }}
"#
        )
    }

    fn nested_connector(&self) -> String {
        let (origin, ping, post) = (self.origin_text(), &self.ping_timeout, &self.post_timeout);
        let secret = self.secret().0;
        format!(
            r#"auth = {{ scheme = "header", name = "X-Api-Key", secret = "{secret}" }}

[connector.main.ping]
url = "{origin}/v2/ping"
format = "json"
timeout = "{ping}"
body = {{ product = "AUTO", consumer = {{ zip = "{{{{ zip }}}}", birth_year = "{{{{ birth_date | year }}}}" }} }}
reply = {{ rules = [{{ when = {{ at = "$.status", is = ["ACCEPT"] }}, then = "bid" }}], price = {{ at = "$.bid.usd" }}, currency = {{ at = "$.bid.currency" }}, token = {{ at = "$.ref" }}, reason = {{ at = "$.reason" }} }}

[connector.main.post]
url = "{origin}/v2/post"
format = "json"
timeout = "{post}"
idempotency_key = {{ header = "Idempotency-Key" }}
body = {{ ref = "{{{{ ping.token }}}}", lead = "{{{{ lead }}}}" }}
reply = {{ rules = [{{ when = {{ at = "$.status", is = ["REJECTED", "ERROR"] }}, then = "rejected" }}, {{ when = {{ at = "$.status", is = ["SOLD"] }}, then = "accepted" }}], price = {{ at = "$.price" }}, currency = {{ at = "$.currency" }}, ref = {{ at = "$.id" }}, redirect = {{ at = "$.redirect_url" }}, reason = {{ at = "$.reason" }} }}
"#
        )
    }
}

fn host(name: &str) -> String {
    format!("api.{name}.example")
}

fn secret(name: &str) -> String {
    format!("lab-{name}-5f1c")
}
