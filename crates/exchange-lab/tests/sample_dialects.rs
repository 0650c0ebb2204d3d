//! The sample's buyers as the connectors meet them: every campaign of `config/` pings, posts and is
//! answered by the mock buyer that stands for its host.
#![cfg(test)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    CampaignUse, Connector, Connectors, PingContext, PostContext, RawReply, Request, Secrets,
    compile,
};
use exchange_lab::mock_buyers::{sample_buyers, sample_secrets};
use exchange_lab::{BuyerSpec, FaultPlan, MockBuyers};
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::RejectClass;
use exchange_model::timestamp::Date;
use exchange_model::{
    AttemptId, BuyerId, CampaignId, Currency, Document, Findings, Lead, Money, PingView,
    PostPermit, SourceFile, Timestamp, Vertical,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const TODAY: Date = Date::constant(2026, 11, 23);
/// What the dialler would make of the buyers' hosts.
type Hosts = HashMap<String, SocketAddr>;

/// Campaign, connector, whether its price is a bid.
const CAMPAIGNS: [(&str, &str, &str, bool); 9] = [
    ("acme_mutual", "auto-tx", "bids", true),
    ("acme_mutual", "auto-southeast", "bids", true),
    ("bluebonnet", "preferred", "xml", true),
    ("metro_direct", "auto", "main", true),
    ("sunbelt_marketplace", "auto", "leadspedia", true),
    ("lonestar_agents", "agents-tx", "form", false),
    ("coastal_call", "auto", "main", false),
    ("granite_network", "auto", "main", true),
    ("prairie_leads", "auto-plains", "boberdoo", true),
];

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn file(path: &str) -> Option<Arc<SourceFile>> {
    let text = std::fs::read_to_string(config().join(path)).ok()?;
    Some(Arc::new(SourceFile { path: path.into(), text }))
}

fn document(path: &str, findings: &mut Findings) -> Document {
    Document::parse(file(path).unwrap(), findings).unwrap()
}

fn vertical(findings: &mut Findings) -> Arc<Vertical> {
    Vertical::read(&document("verticals/auto_insurance.toml", findings), findings).unwrap()
}

fn campaign(buyer: &str, name: &str) -> CampaignId {
    CampaignId::new(&BuyerId::new(buyer).unwrap(), name).unwrap()
}

/// Every connector of the sample, compiled without a finding.
fn connectors(vertical: &Arc<Vertical>, findings: &mut Findings) -> Connectors {
    let secrets = Secrets::from_pairs(sample_secrets().iter().map(|s| (s.name, s.value)));
    let mut all = Connectors::default();
    for (buyer, name, connector, bids) in CAMPAIGNS {
        let document = document(&format!("buyers/{buyer}.toml"), findings);
        let uses: Vec<_> = CAMPAIGNS
            .iter()
            .filter(|(other, ..)| *other == buyer)
            .map(|(_, name, connector, bids)| CampaignUse {
                campaign: campaign(buyer, name),
                vertical: Arc::clone(vertical),
                connector: (*connector).to_owned(),
                place: document.reader().own_place(),
                bids: *bids,
            })
            .collect();
        let beside = |name: &str| file(&format!("buyers/{name}"));
        all.extend(compile(&document, &uses, &beside, &secrets, findings));
        assert!(all.get(&campaign(buyer, name)).is_some(), "{buyer}/{name} {connector} {bids}");
    }
    all
}

/// The sample's buyers in the mood to buy everything, at once.
fn eager(mut spec: BuyerSpec) -> BuyerSpec {
    spec.faults = FaultPlan::healthy();
    spec.latency = (Duration::ZERO, Duration::ZERO);
    spec.appetite.no_bid_per_mille = 0;
    spec.appetite.reject_per_mille = 0;
    spec
}

/// Sends one request to the address that stands for its host.
async fn send(hosts: &Hosts, request: Request) -> (u16, Bytes) {
    let host = request.uri.host().unwrap().to_owned();
    let mut message = http::Request::new(Full::new(request.body));
    *message.method_mut() = request.method;
    *message.uri_mut() = request.uri.path_and_query().unwrap().as_str().parse().unwrap();
    *message.headers_mut() = request.headers;
    if host == "api.metro-direct.example" {
        let bearer = format!("Bearer {}", metro_token(hosts).await);
        message.headers_mut().insert("authorization", bearer.parse().unwrap());
    }
    exchange(hosts, &host, message).await
}

/// A token of the one buyer that wants one; fetching it is the transport's work otherwise.
async fn metro_token(hosts: &Hosts) -> String {
    let secret = sample_secrets().iter().find(|s| s.name == "metro_client_secret").unwrap().value;
    let form = format!("grant_type=client_credentials&client_id=rialto&client_secret={secret}");
    let message = http::Request::post("/token").body(Full::new(form.into())).unwrap();
    let (_, body) = exchange(hosts, "id.metro.example", message).await;
    let token: serde_json::Value = serde_json::from_slice(&body).unwrap();
    token["access_token"].as_str().unwrap().to_owned()
}

async fn exchange(
    hosts: &Hosts,
    host: &str,
    mut message: http::Request<Full<Bytes>>,
) -> (u16, Bytes) {
    message.headers_mut().insert("host", host.parse().unwrap());
    let stream = TcpStream::connect(hosts[host]).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(message).await.unwrap();
    (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes())
}

async fn ping(
    hosts: &Hosts,
    connector: &Arc<Connector>,
    lead: &Lead,
) -> (Option<Money>, Option<BidToken>) {
    let context = PingContext {
        ping_id: "ping-1",
        source_alias: "QK-1107",
        now: Timestamp::default(),
        floor: None,
        time_left: Duration::ZERO,
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let request = connector.encode_ping(&PingView::new(lead, TODAY), &context).unwrap();
    let (status, body) = send(hosts, request).await;
    let reply = RawReply { status, headers: &http::HeaderMap::new(), body: &body };
    match connector.read_ping(&reply) {
        PingAnswer::Bid { price, token } => (Some(price), token),
        PingAnswer::Available { token } => (None, token),
        PingAnswer::NoBid(why) => panic!("{}: {why}", connector.campaign()),
    }
}

async fn post(
    hosts: &Hosts,
    connector: &Arc<Connector>,
    lead: &Lead,
    (price, token, key): (Money, Option<&BidToken>, &str),
) -> PostAnswer {
    let context = PostContext {
        ping_id: Some("ping-1"),
        token,
        price,
        source_alias: "QK-1107",
        idempotency_key: key,
        floor: None,
        callback_url: None,
        now: Timestamp::default(),
        time_left: Duration::ZERO,
        today: TODAY,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let permit = PostPermit::issue(AttemptId::new(lead.id(), 0), connector.campaign().clone());
    let request = connector.encode_post(lead, &permit, &context).unwrap();
    let (status, body) = send(hosts, request).await;
    connector.read_post(&RawReply { status, headers: &http::HeaderMap::new(), body: &body })
}

#[tokio::test]
async fn every_campaign_is_bid_on_bought_and_recognised_as_a_duplicate() {
    let mut findings = Findings::new();
    let vertical = vertical(&mut findings);
    let connectors = connectors(&vertical, &mut findings);
    assert!(findings.is_empty(), "{:#?}", findings.sorted());
    let lead = Lead::example(&vertical, TODAY);
    for (buyer, name, _, bids) in CAMPAIGNS {
        let buyers = MockBuyers::start(sample_buyers(1).into_iter().map(eager).collect());
        let buyers = buyers.await.unwrap();
        let connector = connectors.get(&campaign(buyer, name)).unwrap();
        buys_once(&buyers, connector, &lead, bids).await;
        assert_eq!(buyers.buyer(buyer).unwrap().book().purchases().len(), 1, "{buyer}/{name}");
    }
}

/// Pings, posts, posts again under the same key, and then under another.
async fn buys_once(buyers: &MockBuyers, connector: &Arc<Connector>, lead: &Lead, bids: bool) {
    let (hosts, name) = (buyers.hosts(), connector.campaign());
    let (bid, token) =
        if connector.has_ping() { ping(&hosts, connector, lead).await } else { (None, None) };
    assert_eq!(bid.is_some(), bids, "{name}");
    // The least that each contract of the sample says.
    let price = bid.unwrap_or_else(|| Money::parse("6.75", Currency::USD).unwrap());
    let sale = post(&hosts, connector, lead, (price, token.as_ref(), "key-1")).await;
    assert!(matches!(&sale, PostAnswer::Accepted(_)), "{name}: {sale:?}");
    let owed = buyers.buyer(connector.buyer().as_str()).unwrap().book().total();
    assert_eq!(price.amount(), owed, "{name}");
    if connector.resolvers().contains(&Resolver::Repost) {
        let again = post(&hosts, connector, lead, (price, token.as_ref(), "key-1")).await;
        assert_eq!(again, sale, "{name}");
    }
    let other = post(&hosts, connector, lead, (price, token.as_ref(), "key-2")).await;
    let PostAnswer::Rejected(rejection) = other else { panic!("{name}: {other:?}") };
    assert_eq!(rejection.class, RejectClass::Duplicate, "{name}");
}

/// The campaigns that are told another price than they bid: a share of it, or the second price.
const TOLD: [(&str, &str); 5] = [
    ("bluebonnet", "preferred"),
    ("metro_direct", "auto"),
    ("granite_network", "auto"),
    ("lonestar_agents", "agents-tx"),
    ("prairie_leads", "auto-plains"),
];

#[tokio::test]
async fn a_buyer_books_the_price_it_is_told_and_refuses_one_it_never_bid() {
    let mut findings = Findings::new();
    let vertical = vertical(&mut findings);
    let connectors = connectors(&vertical, &mut findings);
    let lead = Lead::example(&vertical, TODAY);
    for (buyer, name) in TOLD {
        let buyers = MockBuyers::start(sample_buyers(1).into_iter().map(eager).collect());
        let buyers = buyers.await.unwrap();
        let (hosts, connector) = (buyers.hosts(), connectors.get(&campaign(buyer, name)).unwrap());
        let token =
            if connector.has_ping() { ping(&hosts, connector, &lead).await.1 } else { None };
        let told = |text| (Money::parse(text, Currency::USD).unwrap(), token.as_ref(), "key-1");
        let dear = post(&hosts, connector, &lead, told("99.00")).await;
        let PostAnswer::Rejected(rejection) = dear else { panic!("{buyer}/{name}: {dear:?}") };
        assert_eq!(rejection.class, RejectClass::Price, "{buyer}/{name}");
        let sale = post(&hosts, connector, &lead, told("4.56")).await;
        assert!(matches!(&sale, PostAnswer::Accepted(_)), "{buyer}/{name}: {sale:?}");
        let owed = buyers.buyer(buyer).unwrap().book().total();
        assert_eq!(owed.to_string(), "4.56", "{buyer}/{name}");
    }
}
