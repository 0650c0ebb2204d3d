//! `rialto explain`: for one lead, what every campaign would do, and the line that decides.

use std::sync::Arc;

use clap::Args;
use exchange_model::finding::nearest;
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::{BrandList, Lead, LeadId, Place, SourceId, Stage, Timestamp, Vertical};
use ping_tree::explain::{Explanation, explain};
use ping_tree::{LeadRequest, Routing, Source, Tree, Wishes};
use serde::Serialize;

use crate::cli::books;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::stop;
use crate::clock::Clock;

mod quality;

use quality::Quality;

/// Options of `rialto explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The tree; without it, the source's, or that of the first source there is
    #[arg(long)]
    tree: Option<String>,
    /// Whose lead it is, as seller/source; without it, the first source of the tree
    #[arg(long)]
    source: Option<SourceId>,
    /// When it arrives: 2026-11-23T10:15:00-06:00, or without the zone on the clock of the books; without it, now
    #[arg(long)]
    at: Option<String>,
    /// To how many buyers the request lets the lead go, at most
    #[arg(long, value_name = "N")]
    max_buyers: Option<u8>,
    /// A buyer that has the lead already, by name, title, or hash of either; may be repeated
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Fields of the lead, as name=value; the others take the vertical's examples
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
}

/// Explains one lead.
pub(crate) fn run(options: &Explain, context: &Context) -> Ran {
    let exchange = context.exchange()?;
    let settings = context.settings(&[])?;
    let (tree, source) = route(options, &exchange.routing)?;
    let at = moment(options.at.as_deref(), &context.time_zone()?)?;
    let lead = lead(&tree.vertical, &options.fields, at)?;
    let standing = books::standing(&settings, &exchange.routing, at, context)?;
    stop::note_all(&standing.stops(), at, context);
    let wishes = wishes(options)?;
    let request = LeadRequest { lead: &lead, source: &source, at, wishes: &wishes };
    let explanation = explain(&tree, &request, &standing);
    if context.out.json {
        context
            .out
            .json(&JsonExplanation { quality: Quality::of(&lead), tiers: json(&explanation) })?;
    } else {
        for line in Quality::of(&lead).lines() {
            context.out.data(line)?;
        }
        context.out.raw(&explanation.to_string())?;
    }
    Ok(Exit::Done)
}

/// What the request would ask of whoever buys.
fn wishes(options: &Explain) -> Result<Wishes, Failure> {
    let names = options.exclude.iter().map(String::as_str);
    let exclude = BrandList::new(names).map_err(Failure::usage)?;
    Ok(Wishes { max_buyers: options.max_buyers, exclude })
}

/// The tree and the source: each may be left out where the other, or the config, says it.
fn route(options: &Explain, routing: &Routing) -> Result<(Arc<Tree>, Arc<Source>), Failure> {
    let source = match &options.source {
        Some(id) => Some(named_source(id, routing)?),
        None => None,
    };
    let tree = match (&options.tree, &source) {
        (Some(name), _) => named_tree(name, routing)?,
        (None, Some(source)) => named_tree(source.first_tree().as_str(), routing)?,
        (None, None) => first_tree(routing)?,
    };
    let source = source
        .or_else(|| {
            routing.sources().find(|source| source.trees().any(|id| *id == tree.id)).cloned()
        })
        .ok_or_else(|| Failure::usage(format!("no source uses tree `{}`", tree.id)))?;
    Ok((tree, source))
}

fn named_source(id: &SourceId, routing: &Routing) -> Result<Arc<Source>, Failure> {
    let names = || routing.sources().map(|source| source.id.as_str());
    routing.source(id).cloned().ok_or_else(|| unknown("source", id.as_str(), names()))
}

fn named_tree(name: &str, routing: &Routing) -> Result<Arc<Tree>, Failure> {
    let names = || routing.trees().map(|tree| tree.id.as_str());
    let found = routing.trees().find(|tree| tree.id.as_str() == name);
    found.cloned().ok_or_else(|| unknown("tree", name, names()))
}

/// The only tree, or that of the first source.
fn first_tree(routing: &Routing) -> Result<Arc<Tree>, Failure> {
    let of_source = routing.sources().next().and_then(|source| routing.tree(source.first_tree()));
    let tree = of_source.or_else(|| routing.trees().next());
    tree.cloned().ok_or_else(|| Failure::bad_config("the config has no tree"))
}

/// `no source is called ...`, with the nearest name that there is.
pub(crate) fn unknown<'a>(
    what: &str,
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Failure {
    let names: Vec<&str> = names.into_iter().collect();
    let failure = Failure::usage(format!("no {what} is called `{name}`"));
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help(format!("known here: {}", names.join(", "))),
    }
}

/// A moment with its zone, or by the clock of the books; none is now.
fn moment(text: Option<&str>, zone: &jiff::tz::TimeZone) -> Result<Timestamp, Failure> {
    let Some(text) = text else { return Ok(Clock::system().now()) };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let refused = || {
        Failure::usage(format!("`{text}` is no time"))
            .help("write 2026-11-23T10:15:00-06:00, or 2026-11-23T10:15 on the clock of the books")
    };
    let civil: jiff::civil::DateTime = text.parse().map_err(|_not_a_time| refused())?;
    let zoned = civil.to_zoned(zone.clone()).map_err(|_off_the_calendar| refused())?;
    Ok(Timestamp::from_jiff(zoned.timestamp()))
}

/// The vertical's example lead with these fields instead.
fn lead(vertical: &Arc<Vertical>, given: &[String], at: Timestamp) -> Result<Lead, Failure> {
    let mut fields = examples(vertical);
    let mut consented_to = None;
    for text in given {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{text}` is no field")).help("write name=value, as state=TX")
        })?;
        if name == "consented_to" {
            let names = BrandList::new(value.split(',')).map_err(Failure::usage)?;
            consented_to = Some(names);
            continue;
        }
        let known = vertical.index(name).map(|at| vertical.field(at));
        let Some(field) = known else {
            return Err(unknown("field", name, vertical.names()));
        };
        if field.derived.is_some() {
            return Err(Failure::usage(format!("`{name}` is computed from other fields")));
        }
        fields.retain(|(field, _)| field != name);
        fields.push((name.to_owned(), value.to_owned()));
    }
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: Vec::new(),
        pinged: None,
        ping_counts: false,
        today: at.date_in(&jiff::tz::TimeZone::UTC),
    };
    let taken = intake(LeadId::from_bytes([0; 16]), vertical, from).map_err(|wrong| {
        let each = wrong.iter().map(|w| format!("`{}` {}: {}", w.field, w.code, w.detail));
        Failure::usage(each.collect::<Vec<_>>().join("\n"))
    })?;
    Ok(taken.lead.with_consent(consented_to))
}

fn examples(vertical: &Vertical) -> Vec<(String, String)> {
    let written = vertical.fields().filter(|(_, field)| field.derived.is_none());
    written
        .filter_map(|(_, field)| Some((field.name.clone(), field.example.as_ref()?.to_string())))
        .collect()
}

#[derive(Debug, Serialize)]
struct JsonExplanation {
    quality: Quality,
    tiers: Vec<JsonTier>,
}

#[derive(Debug, Serialize)]
struct JsonTier {
    tier: String,
    auction: &'static str,
    /// Most buyers of one lead.
    buyers: u8,
    reserve: Option<String>,
    members: Vec<JsonVerdict>,
}

#[derive(Debug, Serialize)]
struct JsonVerdict {
    campaign: String,
    eligible: bool,
    /// `ineligible`, `would ping` or `in auction`.
    verdict: &'static str,
    hours: String,
    caps: Vec<String>,
    pricing: JsonPricing,
    refusals: Vec<JsonRefusal>,
}

/// What a bid would come to.
#[derive(Debug, Serialize)]
struct JsonPricing {
    /// The fixed or contract price, with the rules that hold.
    price: Option<String>,
    /// What changes price, value, payout and order, in that order.
    steps: Vec<String>,
    payout: String,
    payout_from: String,
}

fn json_pricing(pricing: &ping_tree::explain::Pricing) -> JsonPricing {
    JsonPricing {
        price: pricing.price.map(|price| price.amount_text()),
        steps: pricing.steps(),
        payout: pricing.payout.to_string(),
        payout_from: pricing.payout_from.to_string(),
    }
}

#[derive(Debug, Serialize)]
struct JsonRefusal {
    reason: String,
    detail: String,
    place: Option<String>,
    remedy: String,
}

fn json(explanation: &Explanation) -> Vec<JsonTier> {
    let tiers = explanation.tiers.iter().map(|tier| JsonTier {
        tier: tier.name.clone(),
        auction: tier.method.code(),
        buyers: *tier.sale.buyers().end(),
        reserve: tier.reserve.map(|reserve| reserve.amount_text()),
        members: tier.members.iter().map(json_verdict).collect(),
    });
    tiers.collect()
}

fn json_verdict(verdict: &ping_tree::explain::Verdict) -> JsonVerdict {
    let refusals = verdict.refusals.iter().map(|refusal| JsonRefusal {
        reason: refusal.reason.to_string(),
        detail: refusal.detail.clone(),
        place: refusal.place.as_ref().map(Place::file_line),
        remedy: refusal.remedy.clone(),
    });
    JsonVerdict {
        campaign: verdict.campaign.to_string(),
        eligible: verdict.is_eligible(),
        verdict: verdict.word(),
        hours: verdict.hours.text.clone(),
        caps: verdict.caps.iter().map(ToString::to_string).collect(),
        pricing: json_pricing(&verdict.pricing),
        refusals: refusals.collect(),
    }
}
