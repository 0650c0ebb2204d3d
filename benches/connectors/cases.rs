//! What is measured: each request and reply with its floor, and the guard of a ping.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{Connector, PingContext, PostContext, RawReply, Request};
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer};
use exchange_model::{
    AttemptId, Currency, Lead, LeakGuard, Money, PingView, PostPermit, Timestamp,
};
use http::HeaderMap;
use regex::Regex;

use crate::Ran;
use crate::buyers::{BUYERS, Buyer};
use crate::ground::{Ground, today};

/// One thing that is measured, and what it is compared with.
pub(crate) struct Case<'g> {
    pub(crate) what: String,
    pub(crate) floor_name: &'static str,
    /// Of the body that is written or read.
    pub(crate) bytes: usize,
    pub(crate) subject: Box<dyn Fn() + 'g>,
    pub(crate) floor: Box<dyn Fn() + 'g>,
}

/// Every case, tried once: one that does not give its answer measures nothing.
pub(crate) fn cases(ground: &Ground) -> Ran<Vec<Case<'_>>> {
    let mut cases = Vec::new();
    for buyer in BUYERS {
        let connector =
            ground.connector(&buyer.file()).map_err(|e| format!("{}: {e}", buyer.name))?;
        cases.push(ping(buyer, &connector, &ground.lead)?);
        cases.push(post(buyer, &connector, &ground.lead)?);
        for (size, text) in [("small", buyer.small), ("typical", buyer.typical)] {
            cases.push(ping_reply(buyer, size, text, &connector)?);
            cases.push(post_reply(buyer, size, text, &connector)?);
        }
    }
    cases.extend(guard(ground)?);
    Ok(cases)
}

fn ping_request(connector: &Connector, lead: &Lead) -> Ran<Request> {
    let view = PingView::new(lead, today()?);
    let context = PingContext {
        ping_id: "ping_01kb2v3w4x5y6z7a8b9c0d1e2f",
        source_alias: "QK-1107",
        now: Timestamp::default(),
        floor: None,
        time_left: Duration::from_millis(650),
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    Ok(connector.encode_ping(&view, &context)?)
}

fn ping<'g>(buyer: &Buyer, connector: &Arc<Connector>, lead: &'g Lead) -> Ran<Case<'g>> {
    let body = ping_request(connector, lead)?.body;
    let connector = Arc::clone(connector);
    let subject = move || drop(black_box(ping_request(&connector, lead)));
    Ok(written(format!("ping {}", buyer.name), &body, Box::new(subject)))
}

fn post<'g>(buyer: &Buyer, connector: &Arc<Connector>, lead: &'g Lead) -> Ran<Case<'g>> {
    let permit = PostPermit::issue(AttemptId::new(lead.id(), 1), connector.campaign().clone());
    let (token, price) = (BidToken::single("01HV-77-9F"), Money::parse("12.50", Currency::USD)?);
    let today = today()?;
    let connector = Arc::clone(connector);
    let request = move || {
        let context = PostContext {
            ping_id: Some("ping_01kb2v3w4x5y6z7a8b9c0d1e2f"),
            token: Some(&token),
            price,
            source_alias: "QK-1107",
            idempotency_key: "att_01kb2v3w4x5y6z7a8b9c0d1e2f",
            floor: None,
            callback_url: None,
            now: Timestamp::default(),
            time_left: Duration::from_millis(4_650),
            today,
            pre: Handles::none(),
            auth: Handles::none(),
        };
        connector.encode_post(lead, &permit, &context)
    };
    let body = request()?.body;
    let subject = move || drop(black_box(request()));
    Ok(written(format!("post {}", buyer.name), &body, Box::new(subject)))
}

/// The floor of a request: the formatting machinery writes the same bytes, value by value.
fn written<'g>(what: String, body: &[u8], subject: Box<dyn Fn() + 'g>) -> Case<'g> {
    let text = String::from_utf8_lossy(body).into_owned();
    let ends = |c: char| "\"<>&=|".contains(c);
    let pieces: Vec<String> = text.split_inclusive(ends).map(str::to_owned).collect();
    let floor = move || {
        let mut out = String::new();
        for piece in &pieces {
            write!(out, "{piece}").expect("a string takes all");
        }
        drop(black_box(out));
    };
    let (floor_name, bytes) = ("write! of the same bytes", body.len());
    Case { what, floor_name, bytes, subject, floor: Box::new(floor) }
}

fn ping_reply<'g>(
    buyer: &Buyer,
    size: &str,
    text: &'static str,
    connector: &Arc<Connector>,
) -> Ran<Case<'g>> {
    let (connector, headers) = (Arc::clone(connector), HeaderMap::new());
    let read = move || {
        connector.read_ping(&RawReply { status: 200, headers: &headers, body: text.as_bytes() })
    };
    match read() {
        PingAnswer::Bid { token: Some(_), .. } => {}
        other => return Err(format!("{} {size}: {other:?}", buyer.name).into()),
    }
    let (what, subject) =
        (format!("{size} {} ping reply", buyer.name), move || drop(black_box(read())));
    Ok(parsed(what, buyer, text, Box::new(subject)))
}

fn post_reply<'g>(
    buyer: &Buyer,
    size: &str,
    text: &'static str,
    connector: &Arc<Connector>,
) -> Ran<Case<'g>> {
    let (connector, headers) = (Arc::clone(connector), HeaderMap::new());
    let read = move || {
        connector.read_post(&RawReply { status: 200, headers: &headers, body: text.as_bytes() })
    };
    match read() {
        PostAnswer::Accepted(accepted) if accepted.buyer_ref.is_some() => {}
        other => return Err(format!("{} {size}: {other:?}", buyer.name).into()),
    }
    let (what, subject) =
        (format!("{size} {} post reply", buyer.name), move || drop(black_box(read())));
    Ok(parsed(what, buyer, text, Box::new(subject)))
}

/// The floor of a reply: the bare parser of its format reads the same bytes.
fn parsed<'g>(
    what: String,
    buyer: &Buyer,
    text: &'static str,
    subject: Box<dyn Fn() + 'g>,
) -> Case<'g> {
    let (floor_name, floor): (_, Box<dyn Fn()>) = match buyer.name {
        "json" => ("serde_json to a Value", Box::new(move || bare_json(text))),
        "xml" => ("quick-xml, all events", Box::new(move || bare_xml(text))),
        "form" => ("form_urlencoded, all pairs", Box::new(move || bare_form(text))),
        _ => ("one regular expression", bare_text(text)),
    };
    Case { what, floor_name, bytes: text.len(), subject, floor }
}

fn bare_json(text: &str) {
    drop(black_box(serde_json::from_str::<serde_json::Value>(black_box(text))));
}

fn bare_xml(text: &str) {
    let mut reader = quick_xml::Reader::from_str(black_box(text));
    let mut events = 0_u64;
    while reader.read_event().is_ok_and(|event| event != quick_xml::events::Event::Eof) {
        events = events.saturating_add(1);
    }
    black_box(events);
}

fn bare_form(text: &str) {
    let pairs = form_urlencoded::parse(black_box(text).as_bytes());
    black_box(pairs.map(|(name, value)| name.len().saturating_add(value.len())).max());
}

/// What reads the price, and nothing else.
fn bare_text(text: &'static str) -> Box<dyn Fn()> {
    let price = Regex::new("price[=:] *([0-9.]+)").expect("it is one");
    Box::new(move || {
        black_box(price.captures(black_box(text)).and_then(|found| found.get(1)));
    })
}

/// What the guard of outgoing bytes costs: once per lead, and per ping.
fn guard(ground: &Ground) -> Ran<[Case<'_>; 2]> {
    let json = BUYERS.first().ok_or("no buyer")?;
    let body = ping_request(&*ground.connector(&json.file())?, &ground.lead)?.body;
    let (text, lead) = (String::from_utf8_lossy(&body).into_owned(), ground.again()?);
    if lead.leak_guard().find(&[&body], &[]).is_some() {
        return Err("the guard finds contact data in an honest ping".into());
    }
    let planted = format!("{text} (512) 555-0134");
    if lead.leak_guard().find(&[planted.as_bytes()], &[]).is_none() {
        return Err("the guard does not find a planted phone".into());
    }
    let raw = Regex::new(
        r"(?i)marguerite|bellweather|5125550134|m\.bellweather@example\.com|1990-04-02|01234567",
    )?;
    let make = Case {
        what: "guard: made for a lead".to_owned(),
        floor_name: "a copy of the lead",
        bytes: 0,
        subject: Box::new(|| drop(black_box(LeakGuard::new(&ground.lead)))),
        floor: Box::new(|| drop(black_box(ground.lead.clone()))),
    };
    let find = Case {
        what: "guard: a json ping".to_owned(),
        floor_name: "a regular expression of the raw values",
        bytes: body.len(),
        subject: Box::new(move || {
            black_box(lead.leak_guard().find(&[black_box(&body)], &[]));
        }),
        floor: Box::new(move || {
            black_box(raw.is_match(black_box(&text)));
        }),
    };
    Ok([make, find])
}
