//! A vertical, a lead and a way to compile a buyer's file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    CampaignUse, Connector, Connectors, PingContext, PingJob, PostContext, PostJob, RawReply,
    Request, Secrets, compile,
};
use exchange_model::document::NodeKind;
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer};
use exchange_model::timestamp::Date;
use exchange_model::{
    AttemptId, CampaignId, Currency, Document, Findings, Lead, Money, PostPermit, SourceFile,
    Timestamp, Vertical,
};

pub(crate) fn config(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config").join(path)
}

pub(crate) fn document(path: &str, text: &str) -> Document {
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() });
    let parsed = Document::parse(file, &mut findings);
    parsed.unwrap_or_else(|| panic!("{}", listed(&findings)))
}

pub(crate) fn vertical() -> Arc<Vertical> {
    let path = config("verticals/auto_insurance.toml");
    let text = std::fs::read_to_string(&path).expect("the sample vertical");
    let mut findings = Findings::new();
    let vertical = Vertical::read(&document("auto_insurance.toml", &text), &mut findings);
    vertical.unwrap_or_else(|| panic!("{}", listed(&findings)))
}

pub(crate) fn today() -> Date {
    "2026-07-25".parse().expect("a day")
}

pub(crate) fn lead() -> Lead {
    Lead::example(&vertical(), today())
}

/// Every secret the sample and the fixtures name.
pub(crate) fn secrets() -> Secrets {
    Secrets::from_pairs(
        [
            "acme_api_key",
            "bluebonnet_key",
            "coastal_password",
            "fixture_key",
            "granite_token",
            "lonestar_key",
            "metro_client_secret",
            "prairie_key",
            "sunbelt_campaign_key",
        ]
        .map(|name| (name, format!("S-{name}"))),
    )
}

/// The campaigns of a file, as its reader in another crate would give them.
pub(crate) fn campaigns(document: &Document, vertical: &Arc<Vertical>) -> Vec<CampaignUse> {
    let mut findings = Findings::new();
    let mut root = document.reader();
    let buyer = root.string("id", "", &mut findings).map_or("acme", |id| id.value);
    let mut uses = Vec::new();
    for mut campaign in root.tables("campaign", &mut findings) {
        let id = campaign.string("id", "", &mut findings).expect("an id").value;
        let connector = campaign.string("connector", "", &mut findings).expect("a connector");
        let bids = campaign.table("price", &mut findings).is_some_and(|mut price| {
            matches!(price.node("mode").map(|mode| &mode.kind), Some(NodeKind::String(mode)) if mode == "bid")
        });
        uses.push(CampaignUse {
            campaign: format!("{buyer}/{id}").parse().expect("a campaign's name"),
            vertical: Arc::clone(vertical),
            connector: connector.value.to_owned(),
            place: connector.place,
            bids,
        });
    }
    uses
}

pub(crate) fn compile_file(path: &str, text: &str) -> (Connectors, Findings) {
    let document = document(path, text);
    let uses = campaigns(&document, &vertical());
    let files = |name: &str| {
        let text = std::fs::read_to_string(config("buyers").join(name)).ok()?;
        Some(Arc::new(SourceFile { path: name.to_owned(), text }))
    };
    let mut findings = Findings::new();
    let connectors = compile(&document, &uses, &files, &secrets(), &mut findings);
    (connectors, findings)
}

/// The connector of the only campaign of a file without mistakes.
pub(crate) fn connector(text: &str) -> Arc<Connector> {
    let (connectors, findings) = compile_file("buyer.toml", text);
    assert!(!findings.has_errors(), "{}", listed(&findings));
    let (_, connector) = connectors.iter().next().expect("one campaign");
    Arc::clone(connector)
}

pub(crate) fn listed(findings: &Findings) -> String {
    findings.sorted().into_iter().fold(String::new(), |mut text, finding| {
        let (line, column) = finding.place.as_ref().map_or((0, 0), |place| place.line_column());
        writeln!(text, "{line}:{column} {}: {} | {}", finding.code, finding.message, finding.help)
            .expect("writing to a string");
        text
    })
}

pub(crate) fn permit(lead: &Lead, campaign: &CampaignId) -> PostPermit {
    PostPermit::issue(AttemptId::new(lead.id(), 1), campaign.clone())
}

pub(crate) fn post_request(connector: &Connector, token: &str) -> (Request, PostPermit) {
    let lead = lead();
    let permit = permit(&lead, connector.campaign());
    let token = BidToken::single(token);
    let context = PostContext {
        ping_id: Some("ping_1"),
        token: Some(&token),
        price: Money::parse("12.50", Currency::USD).expect("an amount"),
        source_alias: "S1",
        idempotency_key: "att_1",
        floor: None,
        callback_url: None,
        now: Timestamp::default(),
        time_left: Duration::ZERO,
        today: today(),
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let request = connector.encode_post(&lead, &permit, &context).expect("the example encodes");
    (request, permit)
}

pub(crate) fn ping_request(connector: &Connector) -> Request {
    let lead = lead();
    let view = exchange_model::PingView::new(&lead, today());
    connector.encode_ping(&view, &ping_context()).expect("the example encodes")
}

/// What a ping's reply without headers is read as.
pub(crate) fn read_ping(connector: &Connector, status: u16, body: &[u8]) -> PingAnswer {
    connector.read_ping(&RawReply { status, headers: &http::HeaderMap::new(), body })
}

/// The same, of a post.
pub(crate) fn read_post(connector: &Connector, status: u16, body: &[u8]) -> PostAnswer {
    connector.read_post(&RawReply { status, headers: &http::HeaderMap::new(), body })
}

/// What a ping says beside the lead.
pub(crate) fn ping_context() -> PingContext<'static> {
    PingContext {
        ping_id: "ping_1",
        source_alias: "S1",
        now: Timestamp::default(),
        floor: None,
        time_left: Duration::ZERO,
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    }
}

/// A ping of the example lead.
pub(crate) fn ping_job() -> PingJob {
    PingJob {
        lead: Arc::new(lead()),
        today: today(),
        ping_id: "ping_1".to_owned(),
        source_alias: "S1".to_owned(),
        floor: None,
        callback_url: None,
        now: Timestamp::default(),
    }
}

/// A post of the example lead to the connector's campaign, and its permit.
pub(crate) fn post_job(connector: &Connector) -> (PostJob, PostPermit) {
    let lead = Arc::new(lead());
    let permit = permit(&lead, connector.campaign());
    let job = PostJob {
        lead,
        today: today(),
        ping_id: Some("ping_1".to_owned()),
        source_alias: "S1".to_owned(),
        token: Some(BidToken::single("t")),
        price: Money::parse("12.50", Currency::USD).expect("an amount"),
        floor: None,
        idempotency_key: "att_1".to_owned(),
        callback_url: None,
        now: Timestamp::default(),
    };
    (job, permit)
}

/// The example lead with another value in an open field.
pub(crate) fn lead_with(field: &str, text: &str) -> Lead {
    let (vertical, lead) = (vertical(), lead());
    let own: Vec<(String, String)> = lead
        .attributes()
        .pairs(&vertical)
        .map(|(name, value)| (name.to_owned(), value))
        .filter(|(name, _)| name != field)
        .chain([(field.to_owned(), text.to_owned())])
        .collect();
    let open = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Lead::restore(lead.id(), &vertical, open, lead.contact().clone(), today())
}
