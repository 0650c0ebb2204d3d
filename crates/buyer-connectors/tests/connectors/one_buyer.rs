//! A buyer's file around the parts that a test is about, and requests in it.

use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    Connector, Connectors, PingContext, PostContext, Request, Secrets, compile,
};
use exchange_model::outcome::{BidToken, Brand, Handles};
use exchange_model::{Currency, Findings, Money, PingView, SourceFile, Timestamp};

use crate::world::{campaigns, document, lead, listed, permit, today, vertical};

const BID: &str = r#"rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }], price = { at = "$.price" }, token = { at = "$.token" }, tokens = { offer = { at = "$.offer" } }"#;
const SOLD: &str = r#"rules = [{ when = { at = "$.ok", is = [false] }, then = "rejected" }, { when = { at = "$.ok", is = [true] }, then = "accepted" }]"#;

/// The parts of a buyer's file that tests change.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// Keys of the connector itself.
    pub(crate) own: String,
    /// Keys of its ping, but for the reply.
    pub(crate) ping: String,
    /// Keys of its post, but for the reply.
    pub(crate) post: String,
    /// Tables beside them.
    pub(crate) more: String,
}

impl Dialect {
    pub(crate) fn new() -> Self {
        let stage = |name: &str| format!("url = \"https://bids.acme.example/{name}\"\nbody = {{}}");
        Self { own: String::new(), ping: stage("ping"), post: stage("post"), more: String::new() }
    }

    /// With this ping; its address is said unless it says one.
    pub(crate) fn ping(keys: &str) -> Self {
        Self { ping: addressed(keys, "ping"), ..Self::new() }
    }

    /// With this post.
    pub(crate) fn post(keys: &str) -> Self {
        Self { post: addressed(keys, "post"), ..Self::new() }
    }

    pub(crate) fn own(self, own: &str) -> Self {
        Self { own: own.to_owned(), ..self }
    }

    pub(crate) fn more(self, more: &str) -> Self {
        Self { more: more.to_owned(), ..self }
    }

    /// The file; the parts begin in lines 10, 13 and so on.
    pub(crate) fn text(&self) -> String {
        let Self { own, ping, post, more } = self;
        format!(
            r#"id = "acme"

[[campaign]]
id = "auto"
connector = "main"
price = {{ mode = "bid" }}

[connector.main]
vars = {{ base = "https://bids.acme.example:8443/v2", campaign = "77", key = "a&b" }}
{own}

[connector.main.ping]
timeout = "200ms"
reply = {{ {BID} }}
{ping}

[connector.main.post]
timeout = "200ms"
reply = {{ {SOLD}, ref = {{ at = "$.id" }}, values = {{ queue = {{ at = "$.queue" }} }} }}
{post}

{more}
"#
        )
    }

    pub(crate) fn findings(&self) -> Findings {
        self.compiled().1
    }

    pub(crate) fn connector(&self) -> Arc<Connector> {
        let (connectors, findings) = self.compiled();
        assert!(!findings.has_errors(), "{}", listed(&findings));
        let (_, connector) = connectors.iter().next().expect("one campaign");
        Arc::clone(connector)
    }

    fn compiled(&self) -> (Connectors, Findings) {
        let document = document("buyer.toml", &self.text());
        let uses = campaigns(&document, &vertical());
        let secrets = Secrets::from_pairs([("acme_key", "k/1"), ("other_key", "O")]);
        let mut findings = Findings::new();
        let connectors = compile(&document, &uses, &file, &secrets, &mut findings);
        (connectors, findings)
    }

    pub(crate) fn ping_request(&self) -> Request {
        let (lead, pre, auth) = (lead(), handles("session", "s 1"), handles("token", "T0"));
        let context = PingContext {
            ping_id: "ping_1",
            source_alias: "S1",
            now: now(),
            floor: Some(dollars("10")),
            time_left: Duration::from_millis(2_750),
            callback_url: Some("https://leads.example/v1/callbacks/acme/1/x"),
            pre: &pre,
            auth: &auth,
        };
        let view = PingView::new(&lead, today());
        self.connector().encode_ping(&view, &context).expect("the example encodes")
    }

    pub(crate) fn post_request(&self) -> Request {
        self.post_with(&token())
    }

    pub(crate) fn post_with(&self, token: &BidToken) -> Request {
        let (lead, pre, auth) = (lead(), handles("session", "s 1"), handles("token", "T0"));
        let context = PostContext {
            ping_id: Some("ping_1"),
            token: Some(token),
            price: dollars("12.50"),
            floor: Some(dollars("10")),
            source_alias: "S1",
            idempotency_key: "att_1",
            callback_url: Some("https://leads.example/v1/callbacks/acme/1/x"),
            now: now(),
            time_left: Duration::from_millis(2_750),
            today: today(),
            pre: &pre,
            auth: &auth,
        };
        let connector = self.connector();
        let permit = permit(&lead, connector.campaign());
        connector.encode_post(&lead, &permit, &context).expect("the example encodes")
    }
}

/// A file beside the buyer's.
fn file(name: &str) -> Option<Arc<SourceFile>> {
    let text = match name {
        "cities.csv" => "# zip,city\n78701,Austin\n\"99999\",\"Else\"\"where\"\n",
        "broken.csv" => "78701,Austin\n78702\n",
        "post.xml" => {
            "<lead>\n  <zip>{{ zip }}</zip>\n  <st kind=\"{{ state }}\">{{ var.key }}</st>\n</lead>\n"
        }
        _ => return None,
    };
    Some(Arc::new(SourceFile { path: name.to_owned(), text: text.to_owned() }))
}

fn addressed(keys: &str, name: &str) -> String {
    if keys.lines().any(|line| line.starts_with("url ")) {
        return keys.to_owned();
    }
    format!("url = \"https://bids.acme.example/{name}\"\n{keys}")
}

pub(crate) fn handles(name: &str, text: &str) -> Handles {
    Handles([(name.to_owned(), text.to_owned())].into())
}

pub(crate) fn dollars(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("an amount")
}

pub(crate) fn now() -> Timestamp {
    "2026-07-25T14:05:09.250Z".parse().expect("a moment")
}

/// Two bids and two tokens.
pub(crate) fn token() -> BidToken {
    let brand = |id: &str, name: &str, price: &str| Brand {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        price: Some(dollars(price)),
        token: None,
    };
    let mut token = BidToken::single("t|1");
    token.tokens.0.insert("offer".to_owned(), "o-9".to_owned());
    token.brands = vec![brand("41", "Roof & Co", "19.5"), brand("42", "Best \"Roofs\"", "11")];
    token
}

pub(crate) fn body(request: &Request) -> String {
    String::from_utf8(request.body.to_vec()).expect("UTF-8")
}

pub(crate) fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
}
