//! Replies read by whole `reply` tables, as they stand in a buyer's file.

use std::sync::Arc;

use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::{Currency, Document, Findings, SourceFile};
use http::HeaderMap;

use super::{Around, PingReply, PostReply, RawReply, Speaker, compile_ping, compile_post};

mod bidding;
mod conditions;
mod decoding;
mod explained;
mod findings;
mod locating;
mod misread;
mod outcomes;

/// No reply here has a filter.
const AROUND: Around<'static> = Around { currency: Currency::USD, filters: &|_, _, _| None };

fn document(text: &str) -> Document {
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: "acme.toml".into(), text: text.into() });
    Document::parse(file, &mut findings).unwrap_or_else(|| panic!("{}", listed(&findings)))
}

fn listed(findings: &Findings) -> String {
    let line = |finding: &exchange_model::Finding| {
        let (line, _) = finding.place.as_ref().map_or((0, 0), |place| place.line_column());
        format!("{line} {}: {} | {}\n", finding.code, finding.message, finding.help)
    };
    findings.sorted().into_iter().map(line).collect()
}

/// The findings about a table.
fn findings_of(speaker: Option<Speaker>, text: &str) -> String {
    let document = document(text);
    let mut findings = Findings::new();
    match speaker {
        None => drop(compile_ping(document.reader(), AROUND, &mut findings)),
        Some(speaker) => {
            drop(compile_post(document.reader(), speaker, AROUND, &mut findings));
        }
    }
    listed(&findings)
}

fn ping(text: &str) -> PingReply {
    let mut findings = Findings::new();
    let reply = compile_ping(document(text).reader(), AROUND, &mut findings);
    assert!(!findings.has_errors(), "{}", listed(&findings));
    reply.unwrap()
}

fn post_of(speaker: Speaker, text: &str) -> PostReply {
    let mut findings = Findings::new();
    let reply = compile_post(document(text).reader(), speaker, AROUND, &mut findings);
    assert!(!findings.has_errors(), "{}", listed(&findings));
    reply.unwrap()
}

fn post(text: &str) -> PostReply {
    post_of(Speaker::Post, text)
}

fn raw<'a>(status: u16, headers: &'a HeaderMap, body: &'a [u8]) -> RawReply<'a> {
    RawReply { status, headers, body }
}

fn pinged(reply: &PingReply, status: u16, body: &[u8]) -> PingAnswer {
    reply.read(&raw(status, &HeaderMap::new(), body), None)
}

fn posted(reply: &PostReply, status: u16, body: &[u8]) -> PostAnswer {
    reply.read(&raw(status, &HeaderMap::new(), body))
}

/// In short.
fn said(answer: &PingAnswer) -> String {
    match answer {
        PingAnswer::Bid { price, .. } => format!("bid {}", price.amount_text()),
        PingAnswer::Available { .. } => "available".to_owned(),
        PingAnswer::NoBid(why) => why.to_string(),
    }
}

/// In short.
fn told(answer: &PostAnswer) -> String {
    match answer {
        PostAnswer::Accepted(_) => "accepted".to_owned(),
        PostAnswer::Rejected(why) => format!("rejected({})", why.class),
        PostAnswer::Pending(_) => "pending".to_owned(),
        PostAnswer::Unknown(why) => format!("unknown({why})"),
        PostAnswer::NotSent(why) => format!("not_sent({why})"),
    }
}

/// Whether one condition holds for a reply; `extra` are other keys of the table.
fn holds(extra: &str, when: &str, body: &str) -> bool {
    let table = format!("{extra}\nrules = [{{ when = {when}, then = \"error\" }}]");
    let answer = pinged(&ping(&table), 200, body.as_bytes());
    matches!(
        answer,
        PingAnswer::NoBid(exchange_model::reason::NoBid::Declined(why))
            if why.class == exchange_model::reason::RejectClass::Invalid
    )
}

/// The reference that a post's reply is read to hold.
fn reference(extra: &str, at: &str, body: &[u8]) -> Option<String> {
    let table = format!("{extra}\nref = {at}\nrules = []\notherwise = \"accepted\"");
    match posted(&post(&table), 200, body) {
        PostAnswer::Accepted(acceptance) => acceptance.buyer_ref,
        other => panic!("{other:?}"),
    }
}
