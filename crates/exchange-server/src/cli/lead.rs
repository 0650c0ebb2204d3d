//! `rialto lead`: the whole journey of one lead, and its erasure.

use clap::{Args, Subcommand};
use exchange_core::record::{LegOffer, SoldTo};
use exchange_core::trace::Trace;
use exchange_model::{LeadId, Money, Timestamp};
use exchange_store::{AttemptView, LeadView, StoredTransaction};
use serde::Serialize;
use settlement_ledger::{Entry, Transaction};

use crate::cli::books::{Books, Desk};
use crate::cli::context::{Context, load_without_secrets};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::journey;
use crate::cli::output::{BOLD, DIM, Output, YELLOW, painted};

/// What to do with a lead.
#[derive(Debug, Subcommand)]
pub(crate) enum Lead {
    /// Everything that happened to a lead, and why; contact data stays sealed
    Show(Show),
    /// Destroy the key of a lead's contact data: nobody can read it again
    Erase(Erase),
}

/// Options of `rialto lead show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The lead
    id: LeadId,
}

/// Options of `rialto lead erase`.
#[derive(Args, Debug)]
pub(crate) struct Erase {
    /// The lead
    id: LeadId,
    /// Yes, for good
    #[arg(long)]
    yes: bool,
}

/// Runs `rialto lead`.
pub(crate) fn run(command: &Lead, context: &Context) -> Ran {
    match command {
        Lead::Show(options) => show(options.id, context),
        Lead::Erase(options) => erase(options, context),
    }
}

fn erase(options: &Erase, context: &Context) -> Ran {
    if !options.yes {
        return Err(Failure::usage("erasing cannot be undone")
            .help(format!("if you mean it: rialto lead erase {} --yes", options.id)));
    }
    match Desk::open(context)?.erase(options.id)? {
        None => Err(no_lead(options.id)),
        Some(at) => {
            context.out.note(format!("contact data of {} is erased since {at}", options.id));
            Ok(Exit::Done)
        }
    }
}

fn no_lead(id: LeadId) -> Failure {
    Failure::failed(format!("there is no lead `{id}` in this database"))
}

fn show(id: LeadId, context: &Context) -> Ran {
    let books = Books::open(context)?;
    let view = books.store().lead_view(id).blocking_wait()?.ok_or_else(|| no_lead(id))?;
    if context.out.json {
        context.out.json(&json(&view))?;
    } else {
        head(&view, context.out)?;
        body(&view, context.out)?;
        forgotten(&view, context)?;
    }
    Ok(Exit::Done)
}

fn head(view: &LeadView, out: Output) -> std::io::Result<()> {
    let standing = &view.standing;
    let payout = standing.payout.map(|payout| format!(", {payout} to the seller"));
    let why = match standing.reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join(", ")),
    };
    let status = status(view);
    out.data(painted(
        BOLD,
        format!("{} {status}{why}{}", view.parts.id, payout.unwrap_or_default()),
    ))?;
    for sale in &standing.sales {
        let name = sale.name.as_deref().map(|name| format!(" for {name}")).unwrap_or_default();
        row(out, "sale", &format!("{} to the seller{name}", sale.payout))?;
    }
    row(out, "source", view.source.as_str())?;
    row(out, "config", &view.config_version)?;
    row(out, "received", &standing.received_at.to_string())?;
    if let Some(at) = standing.answered_at {
        let took = at.since(standing.received_at).as_micros();
        let took = journey::millis(u64::try_from(took).unwrap_or(u64::MAX));
        row(out, "settled", &format!("{at}, {took} later"))?;
    }
    if let Some(ping) = &view.ping {
        row(out, "ping", &ping.ping.to_string())?;
    }
    let open: Vec<String> = view.parts.open.iter().map(|(n, v)| format!("{n}={v}")).collect();
    row(out, "open", &open.join(" "))?;
    row(out, "contact", &contact(view))
}

fn status(view: &LeadView) -> &'static str {
    view.standing.status.map_or("running", |status| status.code())
}

/// Contact data is never shown: only whether it is still there.
fn contact(view: &LeadView) -> String {
    match (view.erased_at, &view.parts.sealed) {
        (Some(at), _) => format!("erased {at}"),
        (None, Some(_)) => "sealed".to_owned(),
        (None, None) => "none".to_owned(),
    }
}

fn row(out: Output, name: &str, text: &str) -> std::io::Result<()> {
    out.data(format!("  {name:9} {text}"))
}

fn body(view: &LeadView, out: Output) -> std::io::Result<()> {
    for trace in &view.traces {
        heading(out, &format!("journey through {}", trace.tree))?;
        for line in journey::steps(trace) {
            out.data(line)?;
        }
    }
    if !view.attempts.is_empty() {
        heading(out, "posts")?;
        for attempt in &view.attempts {
            out.data(format!("  {}", attempt_line(attempt)))?;
            for leg in &attempt.legs {
                out.data(format!("     {}", leg_line(leg, attempt)))?;
            }
        }
    }
    if !view.transactions.is_empty() {
        heading(out, "booked")?;
        for stored in &view.transactions {
            transaction(stored, out)?;
        }
    }
    for exception in &view.exceptions {
        let (kind, detail) = (&exception.kind, &exception.detail);
        out.data(painted(YELLOW, format!("look at {}: {kind}, {detail}", exception.attempt)))?;
    }
    Ok(())
}

/// Posts without an answer whose campaigns have left the config: nobody asks their buyers.
fn forgotten(view: &LeadView, context: &Context) -> std::io::Result<()> {
    let unknown: Vec<&AttemptView> =
        view.attempts.iter().filter(|attempt| attempt.state == "unknown").collect();
    if unknown.is_empty() {
        return Ok(());
    }
    // A config that does not load says nothing about it.
    let Some(config) = context.settings(&[]).ok().and_then(|s| load_without_secrets(&s).0) else {
        return Ok(());
    };
    for AttemptView { attempt, campaign, .. } in unknown {
        if config.connectors.get(campaign).is_none() {
            let text = "the config does not know its campaign: its buyer is not asked";
            context.out.data(painted(YELLOW, format!("look at {attempt}: {text}")))?;
        }
    }
    Ok(())
}

fn heading(out: Output, text: &str) -> std::io::Result<()> {
    out.data(format!("\n{}", painted(BOLD, text)))
}

fn attempt_line(attempt: &AttemptView) -> String {
    let (id, campaign, tier) = (attempt.attempt, &attempt.campaign, &attempt.tier);
    let (price, payout, state) = (attempt.price, attempt.payout, &attempt.state);
    let mut line = format!("{id}  {campaign} ({tier})  {price}, payout {payout}  {state}");
    if attempt.buyers > 1 {
        line = format!("{line}, one of at most {}", attempt.buyers);
    }
    if let Some((sold, paid)) = attempt.sold.filter(|(sold, _paid)| *sold != price) {
        line.push_str(&format!(" at {sold}, payout {paid}"));
    }
    let booked = attempt.sold.map_or(price, |(sold, _paid)| sold);
    if let Some(named) = attempt.reply_price.filter(|named| *named != booked) {
        line.push_str(&format!(", the buyer named {named}"));
    }
    if let Some(reason) = &attempt.reason {
        line.push_str(&format!(" {reason}"));
    }
    if let Some(text) = &attempt.text {
        line.push_str(&format!(" \"{text}\""));
    }
    if let Some(reference) = &attempt.buyer_ref {
        line.push_str(&format!(", the buyer calls it {reference}"));
    }
    line
}

/// A company behind the buyer: what it was offered at, and whether it bought.
fn leg_line(leg: &LegOffer, attempt: &AttemptView) -> String {
    let line = format!("{}  {}, payout {}", company(leg), leg.price, leg.payout);
    match sold_leg(leg, attempt) {
        Some(sold) if (sold.price, sold.payout) == (leg.price, leg.payout) => {
            format!("{line}  sold")
        }
        Some(sold) => format!("{line}  sold at {}, payout {}", sold.price, sold.payout),
        None if attempt.sold.is_some() => format!("{line}  not sold"),
        None => line,
    }
}

fn company(leg: &LegOffer) -> &str {
    let brand = &leg.brand;
    brand.name.as_deref().or(brand.id.as_deref()).unwrap_or("a company without a name")
}

fn sold_leg<'a>(leg: &LegOffer, attempt: &'a AttemptView) -> Option<&'a LegOffer> {
    attempt.sold_legs.iter().find(|sold| sold.brand == leg.brand)
}

fn transaction(stored: &StoredTransaction, out: Output) -> std::io::Result<()> {
    let booked = &stored.transaction;
    out.data(format!("  #{} {} {}", stored.sequence, booked.kind(), painted(DIM, booked.key())))?;
    for entry in booked.entries() {
        out.data(format!("     {}", entry_line(entry, booked)))?;
    }
    Ok(())
}

fn entry_line(entry: &Entry, transaction: &Transaction) -> String {
    let amount = Money::from_minor(entry.minor, transaction.currency());
    let (layer, side, account) =
        (entry.layer.to_string(), entry.side.to_string(), entry.account.to_string());
    format!("{layer:7} {side:6} {account:34} {amount:>14}", amount = amount.to_string())
}

#[derive(Debug, Serialize)]
struct JsonLead<'a> {
    lead_id: String,
    source: String,
    config_version: &'a str,
    status: &'static str,
    reasons: &'a [String],
    payout: Option<String>,
    sales: Vec<JsonSale<'a>>,
    received_at: String,
    answered_at: Option<String>,
    ping_id: Option<String>,
    open: serde_json::Map<String, serde_json::Value>,
    contact: String,
    journeys: &'a [Trace],
    posts: Vec<JsonAttempt<'a>>,
    booked: Vec<JsonTransaction>,
    exceptions: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonSale<'a> {
    payout: String,
    redirect_url: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct JsonLeg<'a> {
    company: &'a str,
    price: String,
    payout: String,
    sold_price: Option<String>,
    sold_payout: Option<String>,
}

#[derive(Debug, Serialize)]
struct JsonAttempt<'a> {
    attempt_id: String,
    campaign: String,
    tier: &'a str,
    price: String,
    payout: String,
    reply_price: Option<String>,
    sold_price: Option<String>,
    sold_payout: Option<String>,
    state: &'a str,
    reason: Option<&'a str>,
    text: Option<&'a str>,
    buyer_ref: Option<&'a str>,
    prepared_at: String,
    concluded_at: Option<String>,
    buyers: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legs: Vec<JsonLeg<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonTransaction {
    sequence: u64,
    kind: String,
    key: String,
    entries: Vec<JsonEntry>,
}

#[derive(Debug, Serialize)]
struct JsonEntry {
    layer: String,
    side: String,
    account: String,
    amount: String,
}

fn json(view: &LeadView) -> JsonLead<'_> {
    let standing = &view.standing;
    let open = view.parts.open.iter().map(|(name, text)| (name.clone(), text.clone().into()));
    let exceptions = view.exceptions.iter();
    JsonLead {
        lead_id: view.parts.id.to_string(),
        source: view.source.to_string(),
        config_version: &view.config_version,
        status: status(view),
        reasons: &standing.reasons,
        payout: standing.payout.map(|payout| payout.to_string()),
        sales: standing.sales.iter().map(json_sale).collect(),
        received_at: standing.received_at.to_string(),
        answered_at: standing.answered_at.map(|at| at.to_string()),
        ping_id: view.ping.as_ref().map(|ping| ping.ping.to_string()),
        open: open.collect(),
        contact: contact(view),
        journeys: &view.traces,
        posts: view.attempts.iter().map(json_attempt).collect(),
        booked: view.transactions.iter().map(json_transaction).collect(),
        exceptions: exceptions.map(|e| format!("{}: {}", e.kind, e.detail)).collect(),
    }
}

fn json_sale(sale: &SoldTo) -> JsonSale<'_> {
    JsonSale {
        payout: sale.payout.to_string(),
        redirect_url: sale.redirect_url.as_deref(),
        name: sale.name.as_deref(),
    }
}

fn json_leg<'a>(leg: &'a LegOffer, attempt: &AttemptView) -> JsonLeg<'a> {
    let sold = sold_leg(leg, attempt);
    JsonLeg {
        company: company(leg),
        price: leg.price.to_string(),
        payout: leg.payout.to_string(),
        sold_price: sold.map(|sold| sold.price.to_string()),
        sold_payout: sold.map(|sold| sold.payout.to_string()),
    }
}

fn json_attempt(attempt: &AttemptView) -> JsonAttempt<'_> {
    JsonAttempt {
        attempt_id: attempt.attempt.to_string(),
        campaign: attempt.campaign.to_string(),
        tier: &attempt.tier,
        price: attempt.price.to_string(),
        payout: attempt.payout.to_string(),
        reply_price: attempt.reply_price.map(|price| price.to_string()),
        sold_price: attempt.sold.map(|(price, _payout)| price.to_string()),
        sold_payout: attempt.sold.map(|(_price, payout)| payout.to_string()),
        state: &attempt.state,
        reason: attempt.reason.as_deref(),
        text: attempt.text.as_deref(),
        buyer_ref: attempt.buyer_ref.as_deref(),
        prepared_at: attempt.prepared_at.to_string(),
        concluded_at: attempt.concluded_at.map(|at: Timestamp| at.to_string()),
        buyers: attempt.buyers,
        legs: attempt.legs.iter().map(|leg| json_leg(leg, attempt)).collect(),
    }
}

fn json_transaction(stored: &StoredTransaction) -> JsonTransaction {
    let booked = &stored.transaction;
    let entries = booked.entries().iter().map(|entry| JsonEntry {
        layer: entry.layer.to_string(),
        side: entry.side.to_string(),
        account: entry.account.to_string(),
        amount: Money::from_minor(entry.minor, booked.currency()).to_string(),
    });
    JsonTransaction {
        sequence: stored.sequence,
        kind: booked.kind().to_string(),
        key: booked.key().to_owned(),
        entries: entries.collect(),
    }
}
