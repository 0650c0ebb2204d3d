//! Every template is rendered once at load, with the vertical's example lead, so that what can
//! fail at run time fails here first.

use std::collections::BTreeSet;
use std::time::Duration;

use exchange_model::outcome::{BidToken, Brand, Handles};
use exchange_model::timestamp::Date;
use exchange_model::{Findings, Lead, LeadId, Money, PingView, Place, Timestamp};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::shared::Shared;
use crate::after::{AfterContext, AfterValues, TokenValues};
use crate::body::Body;
use crate::call::Call;
use crate::ping::{PingContext, PingValues};
use crate::plan::Plan;
use crate::post::{ExampleValues, PostContext, PrePostValues};
use crate::template::{Escape, Values};

/// The day on which the example lead is taken in.
fn example_day() -> Date {
    "2026-01-05".parse().expect("a calendar day")
}

/// What earlier replies have named: an example for each name.
struct Replies {
    token: BidToken,
    pre: Handles,
    auth: Handles,
    post: Handles,
}

impl Replies {
    fn of(call: Call, shared: &Shared<'_>) -> Self {
        let names = &shared.names;
        let examples = |names: &BTreeSet<String>| {
            Handles(names.iter().map(|name| (name.clone(), "example".to_owned())).collect())
        };
        let pre = match call {
            Call::Ping => examples(&names.pre_ping),
            _ => examples(&names.pre_post),
        };
        let brand = Brand {
            id: Some("1".to_owned()),
            name: Some("Example & Co".to_owned()),
            price: Some(Money::zero(shared.vertical.currency())),
            token: Some("example".to_owned()),
        };
        let token = BidToken { tokens: examples(&names.ping), brands: vec![brand], lifetime: None };
        Self { token, pre, auth: examples(&names.token), post: examples(&names.post) }
    }

    fn ping(&self) -> PingContext<'_> {
        PingContext {
            ping_id: "ping_example",
            source_alias: "S1",
            now: example_moment(),
            floor: None,
            time_left: Duration::from_secs(1),
            callback_url: Some("https://leads.example/v1/callbacks/example"),
            pre: &self.pre,
            auth: &self.auth,
        }
    }

    fn post(&self, price: Money) -> PostContext<'_> {
        PostContext {
            ping_id: Some("ping_example"),
            token: Some(&self.token),
            price,
            floor: Some(price),
            source_alias: "S1",
            idempotency_key: "att_example_1",
            callback_url: Some("https://leads.example/v1/callbacks/example"),
            now: example_moment(),
            time_left: Duration::from_secs(1),
            today: example_day(),
            pre: &self.pre,
            auth: &self.auth,
        }
    }

    fn after(&self, price: Money) -> AfterContext<'_> {
        AfterContext {
            lead: LeadId::from_bytes([0; 16]),
            ping_id: Some("ping_example"),
            token: Some(&self.token),
            price,
            source_alias: "S1",
            idempotency_key: "att_example_1",
            handles: &self.post,
            now: example_moment(),
            auth: &self.auth,
        }
    }
}

/// Midnight of the example's day.
fn example_moment() -> Timestamp {
    Timestamp::from_civil_utc(example_day().at(0, 0, 0, 0))
}

/// Renders a stage with the vertical's example and reports what fails; otherwise says how long the
/// body is.
pub(super) fn check(
    call: Call,
    plan: &Plan,
    shared: &Shared<'_>,
    place: &Place,
    findings: &mut Findings,
) -> Option<usize> {
    let vertical = shared.vertical;
    let lead = Lead::example(vertical, example_day());
    let replies = Replies::of(call, shared);
    let price = Money::zero(vertical.currency());
    let mut check = |values: &dyn Values| checked(plan, values, place, findings);
    match call {
        Call::Token => check(&TokenValues { now: example_moment() }),
        Call::PrePing | Call::Ping => {
            let view = PingView::new(&lead, example_day());
            check(&PingValues { view: &view, context: &replies.ping() })
        }
        Call::PrePost => {
            let view = PingView::new(&lead, example_day());
            let context = replies.post(price);
            check(&PrePostValues { lead: lead.id(), view: &view, context: &context })
        }
        Call::Post => {
            check(&ExampleValues { vertical, lead: &lead, context: &replies.post(price) })
        }
        Call::Confirm | Call::Status | Call::Void => {
            check(&AfterValues { context: &replies.after(price) })
        }
    }
}

fn checked(
    plan: &Plan,
    values: &dyn Values,
    place: &Place,
    findings: &mut Findings,
) -> Option<usize> {
    let why = match plan.request(values) {
        Err(error) => error.to_string(),
        Ok(request) => match ill_formed(plan, &request.body) {
            None => return Some(request.body.len()),
            Some(why) => why,
        },
    };
    let message = format!("with the vertical's example lead: {why}");
    let help = "quotes belong around text placeholders, and every tag is closed".to_owned();
    findings.error("bad_template", place.clone(), message, help);
    None
}

/// What is wrong with a body as a document of its format.
fn ill_formed(plan: &Plan, body: &[u8]) -> Option<String> {
    match &plan.body {
        Body::Json(_) | Body::Text(_, Escape::Json) => exchange_model::strict_json::parse(body)
            .err()
            .map(|error| format!("the template makes no JSON: {error}")),
        Body::Xml(_) | Body::Text(_, Escape::Xml) => {
            (!is_well_formed(body)).then(|| "the template makes no well-formed XML".to_owned())
        }
        Body::Empty | Body::Text(..) | Body::Form(_) | Body::Multipart(_) => None,
    }
}

/// Whether a document has one root and every tag is closed.
fn is_well_formed(body: &[u8]) -> bool {
    let mut reader = Reader::from_reader(body);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Err(_) => return false,
            Ok(Event::Eof) => return depth == 0 && roots == 1,
            Ok(Event::Start(tag)) => {
                roots = roots.saturating_add(usize::from(depth == 0));
                depth = depth.saturating_add(1);
                if tag.attributes().any(|attribute| attribute.is_err()) {
                    return false;
                }
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Empty(tag)) => {
                roots = roots.saturating_add(usize::from(depth == 0));
                if tag.attributes().any(|attribute| attribute.is_err()) {
                    return false;
                }
            }
            Ok(Event::Text(text)) if depth == 0 && !text.trim_ascii().is_empty() => return false,
            Ok(_) => {}
        }
    }
}
