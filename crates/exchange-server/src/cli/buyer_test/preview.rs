//! The requests of a connector as they would leave, without sending any.
//!
//! What earlier replies would have given is stood in for by its own name: `ping.token` stands where
//! the buyer's token will.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use buyer_connectors::{
    AfterContext, Connector, EncodeError, PingContext, PostContext, Preset, Request,
};
use exchange_model::outcome::{BidToken, Brand, Handles, Resolver};
use exchange_model::timestamp::Date;
use exchange_model::{AttemptId, Lead, Money, PingView, Timestamp};
use exchange_store::rehearsal_permit;
use ping_tree::Campaign;

/// What the requests are written from, beside the lead.
pub(crate) struct Sample {
    pub(crate) now: Timestamp,
    pub(crate) today: Date,
    pub(crate) source_alias: String,
    pub(crate) price: Money,
    pub(crate) floor: Option<Money>,
    pub(crate) key: String,
}

/// A stage and its request, or why there is none.
pub(crate) type Written = (&'static str, Result<Request, EncodeError>);

/// Values named after themselves.
struct Handed {
    token: BidToken,
    pre: Handles,
    auth: Handles,
    post: Handles,
}

/// Where the buyer may call us, in a test that nobody calls back.
pub(crate) const CALLBACK_URL: &str = "https://exchange.example/v1/callbacks/buyer-test";
/// Our handle of a ping.
pub(crate) const PING_ID: &str = "ping_test";

/// Every stage of the connector that sends something, in the order of a delivery.
pub(crate) fn requests(
    connector: &Connector,
    campaign: &Campaign,
    lead: &Lead,
    sample: &Sample,
) -> Vec<Written> {
    let handed = Handed::of(campaign);
    let ping_time = connector.ping_timeout().unwrap_or_default();
    let ping = handed.ping(sample, ping_time);
    let post = handed.post(sample, connector.post_timeout());
    let after = handed.after(sample, lead);
    let view = PingView::new(lead, sample.today);
    let permit = rehearsal_permit(AttemptId::new(lead.id(), 0), campaign.id.clone());
    let stages = connector.stages().into_iter();
    let written = stages.filter_map(|stage| {
        let request = match stage {
            "pre_ping" => connector.encode_pre_ping(&view, &ping),
            "ping" => connector.encode_ping(&view, &ping),
            "pre_post" => connector.encode_pre_post(lead, &post),
            "post" => connector.encode_post(lead, &permit, &post),
            "confirm" => connector.encode_confirm(&after),
            "status" => connector.encode_ask(Resolver::Status, &after),
            "void" => connector.encode_ask(Resolver::Void, &after),
            _ => return None,
        };
        Some((stage, request))
    });
    written.collect()
}

impl Handed {
    fn of(campaign: &Campaign) -> Self {
        let texts = texts_of(campaign);
        let ping = named(&texts, "ping", &["token"]);
        let brand = Brand {
            id: Some("brand.id".to_owned()),
            name: Some("brand.name".to_owned()),
            price: None,
            token: Some("brand.token".to_owned()),
        };
        Self {
            token: BidToken { tokens: ping, brands: vec![brand], lifetime: None },
            pre: named(&texts, "pre", &[]),
            auth: named(&texts, "token", &["token", "access_token"]),
            post: named(&texts, "post", &["ref"]),
        }
    }

    fn ping<'a>(&'a self, sample: &'a Sample, time_left: Duration) -> PingContext<'a> {
        PingContext {
            ping_id: PING_ID,
            source_alias: &sample.source_alias,
            now: sample.now,
            floor: sample.floor,
            time_left,
            callback_url: Some(CALLBACK_URL),
            pre: &self.pre,
            auth: &self.auth,
        }
    }

    fn post<'a>(&'a self, sample: &'a Sample, time_left: Duration) -> PostContext<'a> {
        PostContext {
            ping_id: Some(PING_ID),
            token: Some(&self.token),
            price: sample.price,
            floor: sample.floor,
            source_alias: &sample.source_alias,
            idempotency_key: &sample.key,
            callback_url: Some(CALLBACK_URL),
            now: sample.now,
            time_left,
            today: sample.today,
            pre: &self.pre,
            auth: &self.auth,
        }
    }

    fn after<'a>(&'a self, sample: &'a Sample, lead: &Lead) -> AfterContext<'a> {
        AfterContext {
            lead: lead.id(),
            ping_id: Some(PING_ID),
            token: Some(&self.token),
            price: sample.price,
            source_alias: &sample.source_alias,
            idempotency_key: &sample.key,
            handles: &self.post,
            now: sample.now,
            auth: &self.auth,
        }
    }
}

/// The buyer's file and the presets that it may stand on.
fn texts_of(campaign: &Campaign) -> Vec<String> {
    let own = campaign.place.file.text.clone();
    let presets = buyer_connectors::presets().iter();
    let used = presets.filter(|preset| own.contains(preset.name));
    let bases = used.flat_map(|preset| std::iter::successors(Some(preset), |p: &&Preset| p.base()));
    let texts: Vec<String> = bases.map(|preset| preset.text.to_owned()).collect();
    texts.into_iter().chain([own]).collect()
}

/// Every `source.name` of the templates, standing for itself.
fn named(texts: &[String], source: &str, always: &[&str]) -> Handles {
    let start = format!("{source}.");
    let mut names: BTreeSet<&str> = always.iter().copied().collect();
    for text in texts {
        for placeholder in text.split("{{").skip(1) {
            let inside = placeholder.split("}}").next().unwrap_or_default();
            let words = inside.split(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)));
            names.extend(words.filter_map(|word| word.strip_prefix(start.as_str())));
        }
    }
    let each = names.into_iter().map(|name| (name.to_owned(), format!("{source}.{name}")));
    Handles(each.collect::<BTreeMap<_, _>>())
}
