//! Every shipped preset against a mock that plays it, over real HTTP on loopback: what the preset
//! writes the mock understands, and what the mock answers the preset reads.
#![cfg(test)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use buyer_connectors::{
    AskJob, CampaignUse, Connector, PingJob, PostJob, Preset, Secrets, Transport,
    TransportSettings, compile, presets,
};
use exchange_lab::preset_mocks::{Counter, Happened, Listener, Part, PresetMock};
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, RejectClass};
use exchange_model::timestamp::Date;
use exchange_model::{
    AttemptId, BuyerId, CampaignId, Currency, Document, Findings, Lead, Money, PostPermit,
    SourceFile, Timestamp, Vertical,
};

const TODAY: Date = Date::constant(2026, 11, 23);
const TIMEOUT: Duration = Duration::from_secs(10);

fn vertical() -> Arc<Vertical> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/verticals");
    let text = std::fs::read_to_string(path.join("auto_insurance.toml")).unwrap();
    let mut findings = Findings::new();
    let file = SourceFile { path: "auto_insurance.toml".into(), text };
    let document = Document::parse(Arc::new(file), &mut findings).unwrap();
    Vertical::read(&document, &mut findings).unwrap()
}

fn campaign() -> CampaignId {
    CampaignId::new(&BuyerId::new("mock").unwrap(), "auto").unwrap()
}

/// What a buyer's file must say to use a preset, with the examples that the preset itself gives.
fn buyer_file(preset: &Preset) -> (String, Secrets) {
    let bases = std::iter::successors(Some(*preset), |preset| preset.base().copied());
    let bases: Vec<Preset> = bases.collect();
    let needs = bases.iter().flat_map(Preset::needs);
    let vars: String = needs.map(|need| format!("{} = {:?}\n", need.name, need.example)).collect();
    let secrets: Vec<String> =
        bases.iter().flat_map(Preset::secrets).map(|need| need.name).collect();
    let named: String = secrets.iter().map(|name| format!("{name} = \"mock_{name}\"\n")).collect();
    let text = format!(
        "id = \"mock\"\n[connector.main]\nextends = {:?}\n[connector.main.vars]\n{vars}\
         [connector.main.secrets]\n{named}",
        preset.name
    );
    let values = secrets.iter().map(|name| (format!("mock_{name}"), format!("secret-{name}")));
    (text, Secrets::from_pairs(values))
}

fn connector(preset: &Preset, vertical: &Arc<Vertical>) -> Arc<Connector> {
    let (text, secrets) = buyer_file(preset);
    let mut findings = Findings::new();
    let file = SourceFile { path: "mock.toml".into(), text: text.clone() };
    let document = Document::parse(Arc::new(file), &mut findings).unwrap();
    let usage = |bids| CampaignUse {
        campaign: campaign(),
        vertical: Arc::clone(vertical),
        connector: "main".to_owned(),
        place: document.reader().own_place(),
        bids,
    };
    let no_files = |_: &str| None;
    // A preset without a ping is for campaigns with a fixed price.
    let mut unbid = Findings::new();
    let bidding = compile(&document, &[usage(true)], &no_files, &secrets, &mut findings);
    let compiled = match bidding.get(&campaign()) {
        Some(_) => bidding,
        None => compile(&document, &[usage(false)], &no_files, &secrets, &mut unbid),
    };
    let found = compiled.get(&campaign()).cloned();
    found.unwrap_or_else(|| panic!("{}: {:#?}\n{text}", preset.name, unbid.sorted()))
}

/// Every host that the preset or its examples of values name.
fn hosts(preset: &Preset, addr: SocketAddr) -> HashMap<String, SocketAddr> {
    let (text, _) = buyer_file(preset);
    let bases = std::iter::successors(Some(*preset), |preset| preset.base().copied());
    let texts: Vec<String> = bases.map(|preset| preset.text.to_owned()).chain([text]).collect();
    let mut hosts = HashMap::new();
    for text in texts {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        let names = words.filter(|word| word.contains('.') && !word.starts_with('.'));
        hosts.extend(names.map(|name| (name.to_owned(), addr)));
    }
    hosts
}

struct Stand {
    mock: PresetMock,
    log: Arc<Mutex<Vec<Happened>>>,
    connector: Arc<Connector>,
    transport: Transport,
    lead: Arc<Lead>,
}

impl Stand {
    async fn of(part: Part) -> Self {
        let vertical = vertical();
        let (preset, log) = (part.preset, Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&log);
        let listener: Listener = Arc::new(move |happened| kept.lock().unwrap().push(happened));
        let mock = PresetMock::start(part, listener).await.unwrap();
        let settings = TransportSettings {
            hosts: hosts(preset, mock.addr()),
            allow_private: true,
            ..TransportSettings::default()
        };
        Self {
            connector: connector(preset, &vertical),
            transport: Transport::new(settings).unwrap(),
            lead: Arc::new(Lead::example(&vertical, TODAY)),
            log,
            mock,
        }
    }

    async fn ping(&self) -> PingAnswer {
        let job = PingJob {
            lead: Arc::clone(&self.lead),
            today: TODAY,
            ping_id: "ping-1".to_owned(),
            source_alias: "QK-1107".to_owned(),
            floor: None,
            callback_url: None,
            now: Timestamp::default(),
        };
        self.transport.ping(&self.connector, job, TIMEOUT).await.answer
    }

    async fn post(&self, price: Money, token: Option<BidToken>, key: &str) -> PostAnswer {
        let job = PostJob {
            lead: Arc::clone(&self.lead),
            today: TODAY,
            ping_id: Some("ping-1".to_owned()),
            source_alias: "QK-1107".to_owned(),
            token,
            price,
            floor: None,
            idempotency_key: key.to_owned(),
            callback_url: Some("https://rialto.example/v1/callbacks/1".to_owned()),
            now: Timestamp::default(),
        };
        let permit = PostPermit::issue(AttemptId::new(self.lead.id(), 0), campaign());
        self.transport.post(&self.connector, job, permit, TIMEOUT).await.answer
    }

    async fn status(&self, token: Option<BidToken>, handles: Handles) -> PostAnswer {
        let job = AskJob {
            lead: self.lead.id(),
            ping_id: Some("ping-1".to_owned()),
            source_alias: "QK-1107".to_owned(),
            token,
            price: usd("12.50"),
            idempotency_key: "key-1".to_owned(),
            handles,
            now: Timestamp::default(),
        };
        self.transport.ask(&self.connector, Resolver::Status, job, TIMEOUT).await.answer
    }

    /// A ping and what it bids; the contract's price where there is none.
    async fn bid(&self) -> (Money, Option<BidToken>) {
        if !self.connector.has_ping() {
            return (usd("12.50"), None);
        }
        match self.ping().await {
            PingAnswer::Bid { price, token } => (price, token),
            PingAnswer::Available { token } => (usd("12.50"), token),
            PingAnswer::NoBid(why) => panic!("{}: {why:?} {:?}", self.mock.name(), self.log()),
        }
    }

    fn log(&self) -> Vec<Happened> {
        self.log.lock().unwrap().clone()
    }
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn has(preset: &Preset, stage: &str, outcome: &str) -> bool {
    let examples = preset.examples();
    examples.iter().any(|example| example.stage == stage && example.outcome == outcome)
}

#[tokio::test]
async fn every_preset_is_bid_on_bought_once_and_then_a_duplicate() {
    for preset in presets() {
        let stand = Stand::of(Part::new(preset)).await;
        let (price, token) = stand.bid().await;
        assert_eq!(price, usd("12.50"), "{}", preset.name);
        let sale = stand.post(price, token.clone(), "key-1").await;
        // Some only ever queue.
        let taken = match sale {
            PostAnswer::Accepted(_) => has(preset, "post", "accepted"),
            PostAnswer::Pending(_) => !has(preset, "post", "accepted"),
            _ => false,
        };
        assert!(taken, "{}: {sale:?} {:?}", preset.name, stand.log());
        if !has(preset, "post", "duplicate") {
            continue;
        }
        let (price, token) = stand.bid().await;
        let again = stand.post(price, token, "key-2").await;
        let PostAnswer::Rejected(rejection) = again else { panic!("{}: {again:?}", preset.name) };
        assert_eq!(rejection.class, RejectClass::Duplicate, "{}", preset.name);
    }
}

#[tokio::test]
async fn every_preset_reads_no_bid_from_its_mock() {
    for preset in presets().iter().filter(|preset| has(preset, "ping", "no_bid")) {
        let stand = Stand::of(Part { no_bid: 1000, ..Part::new(preset) }).await;
        let answer = stand.ping().await;
        assert!(
            matches!(answer, PingAnswer::NoBid(NoBid::Declined(_))),
            "{}: {answer:?}",
            preset.name
        );
    }
}

#[tokio::test]
async fn every_preset_reads_a_rejection_from_its_mock() {
    for preset in presets().iter().filter(|preset| has(preset, "post", "rejected")) {
        let stand = Stand::of(Part { reject: 1000, ..Part::new(preset) }).await;
        let (price, token) = stand.bid().await;
        let answer = stand.post(price, token, "key-1").await;
        assert!(matches!(answer, PostAnswer::Rejected(_)), "{}: {answer:?}", preset.name);
    }
}

#[tokio::test]
async fn every_preset_that_counters_is_bought_at_the_lower_price() {
    let offer = Counter { rate: 1000, price: "9.00".parse().unwrap() };
    for preset in presets().iter().filter(|preset| has(preset, "post", "counter")) {
        let stand = Stand::of(Part { counter: Some(offer), ..Part::new(preset) }).await;
        let (price, token) = stand.bid().await;
        let PostAnswer::Rejected(rejection) = stand.post(price, token.clone(), "key-1").await
        else {
            panic!("{}: {:?}", preset.name, stand.log());
        };
        assert_eq!(rejection.counter, Some(usd("9.00")), "{}", preset.name);
        let key = if stand.connector.counter_key_same() { "key-1" } else { "key-2" };
        let sale = stand.post(usd("9.00"), token, key).await;
        assert!(matches!(sale, PostAnswer::Accepted(_)), "{}: {sale:?}", preset.name);
    }
}

#[tokio::test]
async fn every_preset_that_queues_is_asked_until_the_mock_has_decided() {
    let queues =
        |preset: &&Preset| has(preset, "post", "pending") && has(preset, "status", "accepted");
    for preset in presets().iter().filter(queues) {
        let stand = Stand::of(Part { pending: 1000, pending_asks: 1, ..Part::new(preset) }).await;
        let (price, token) = stand.bid().await;
        let PostAnswer::Pending(handles) = stand.post(price, token.clone(), "key-1").await else {
            panic!("{}: {:?}", preset.name, stand.log());
        };
        let first = stand.status(token.clone(), handles.clone()).await;
        if has(preset, "status", "pending") {
            assert!(matches!(first, PostAnswer::Pending(_)), "{}: {first:?}", preset.name);
        }
        let second = stand.status(token, handles).await;
        assert!(matches!(second, PostAnswer::Accepted(_)), "{}: {second:?}", preset.name);
    }
}

#[tokio::test]
async fn a_post_with_a_token_that_the_mock_never_gave_is_an_error() {
    let preset = Preset::named("generic_json").unwrap();
    let stand = Stand::of(Part::new(preset)).await;
    let answer = stand.post(usd("12.50"), Some(BidToken::single("mk000000000000")), "key-1").await;
    let PostAnswer::Rejected(rejection) = answer else { panic!("{answer:?}") };
    assert_eq!(rejection.class, RejectClass::Invalid);
    let told = stand.log().pop().unwrap();
    assert_eq!((told.stage.as_str(), told.outcome.as_str()), ("post", "error"));
    assert_eq!(told.note.as_deref(), Some("no token of ours"));
}

#[tokio::test]
async fn the_same_part_and_requests_make_the_same_answers() {
    let preset = Preset::named("generic_json").unwrap();
    let bid = exchange_lab::preset_mocks::DecimalRange::new(
        "8.00".parse().unwrap(),
        "25.00".parse().unwrap(),
    );
    let part = Part { bid: bid.unwrap(), no_bid: 300, ..Part::new(preset) };
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let stand = Stand::of(Part { seed, ..part.clone() }).await;
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(format!("{:?}", stand.ping().await));
        }
        runs.push(answers);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn what_a_mock_tells_holds_nothing_of_the_lead() {
    let stand = Stand::of(Part::new(Preset::named("generic_json").unwrap())).await;
    let (price, token) = stand.bid().await;
    drop(stand.post(price, token, "key-1").await);
    let told = format!("{:?}", stand.log());
    for value in ["5125550134", "sample@example.com", "Sample", "78701"] {
        assert!(!told.contains(value), "{told}");
    }
}
