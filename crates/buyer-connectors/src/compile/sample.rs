//! Every template is rendered once at load, with the vertical's example lead, so that what can
//! fail at run time fails here first.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::{BidToken, Handles};
use exchange_model::timestamp::Date;
use exchange_model::{Findings, Lead, Money, PingView, Place, Timestamp, Vertical};

use super::shared::Shared;
use crate::body::Body;
use crate::call::Call;
use crate::ping::{PingContext, PingValues};
use crate::plan::Plan;
use crate::post::{ExampleValues, PostContext};
use crate::reply::is_readable_xml;
use crate::template::{Escape, Values};

/// The day on which the example lead is taken in.
fn example_day() -> Date {
    "2026-01-05".parse().expect("a calendar day")
}

/// Renders a stage with the vertical's example and reports what fails.
pub(super) fn check(
    call: Call,
    plan: &Plan,
    shared: &Shared<'_>,
    place: &Place,
    findings: &mut Findings,
) -> Option<()> {
    if call == Call::Post {
        return check_post(plan, shared.vertical, place, findings);
    }
    check_ping(plan, shared.vertical, place, findings)
}

fn check_ping(
    plan: &Plan,
    vertical: &Arc<Vertical>,
    place: &Place,
    findings: &mut Findings,
) -> Option<()> {
    let today = example_day();
    let lead = Lead::example(vertical, today);
    let view = PingView::new(&lead, today);
    let context = PingContext {
        ping_id: "ping_example",
        source_alias: "S1",
        now: Timestamp::default(),
        floor: None,
        time_left: Duration::ZERO,
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    check_with(plan, &PingValues { view: &view, context: &context }, place, findings)
}

fn check_post(
    plan: &Plan,
    vertical: &Arc<Vertical>,
    place: &Place,
    findings: &mut Findings,
) -> Option<()> {
    let today = example_day();
    let lead = Lead::example(vertical, today);
    let token = BidToken::single("token");
    let context = PostContext {
        ping_id: Some("ping_example"),
        token: Some(&token),
        price: Money::zero(vertical.currency()),
        source_alias: "S1",
        idempotency_key: "att_example_1",
        floor: None,
        callback_url: None,
        now: Timestamp::default(),
        time_left: Duration::ZERO,
        today,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    check_with(plan, &ExampleValues { vertical, lead: &lead, context: &context }, place, findings)
}

fn check_with(plan: &Plan, values: &dyn Values, place: &Place, findings: &mut Findings) -> Option<()> {
    let why = match plan.request(values) {
        Err(error) => Some(error.to_string()),
        Ok(request) => match &plan.body {
            Body::Text(_, Escape::Json) => exchange_model::strict_json::parse(&request.body)
                .err()
                .map(|error| format!("the template makes no JSON: {error}")),
            Body::Text(_, Escape::Xml) | Body::Xml(_) => (!is_readable_xml(&request.body))
                .then(|| "the template makes no well-formed XML".to_owned()),
            Body::Empty | Body::Text(..) | Body::Json(_) | Body::Form(_) => None,
        },
    };
    match why {
        None => Some(()),
        Some(why) => {
            let message = format!("with the vertical's example lead: {why}");
            let help = "quotes belong around text placeholders, and every tag is closed".to_owned();
            findings.error("bad_template", place.clone(), message, help);
            None
        }
    }
}
