//! `rialto demo`: an exchange to watch, with nothing to set up.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use exchange_core::trace::Trace;
use exchange_lab::load::{Answer, Answered, Histogram, LEADS_MAX};
use exchange_lab::mock_buyers::sample_buyers;
use exchange_lab::{Lead, LeadPlan, Leads, load};
use exchange_model::{LeadId, Money};
use exchange_store::{AttemptView, LeadView, StoreReader};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::cli::business_hours;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::journey::{self, millis};
use crate::cli::lab::{Agreement, Closing, Lab, Seller};
use crate::cli::output::{BOLD, DIM, GREEN, Output, PLAIN, RED, YELLOW, counted, painted};
use crate::cli::{block_on, books};
use crate::clock::Clock;

/// Answers that may wait to be printed.
const ANSWERS_WAITING_MAX: usize = 1_000;
/// When an answer is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the database is asked for a journey that is written behind.
const JOURNEY_TRIES: u32 = 40;
/// How long between two tries.
const JOURNEY_PAUSE: Duration = Duration::from_millis(25);
/// Most leads under way at once.
const CONCURRENCY: usize = 500;

/// The lead that the reader is invited to post.
const EXAMPLE: &str = r#"{"zip":"78701","state":"TX","birth_date":"1990-04-02","currently_insured":true,"credit":"good","homeowner":true,"vehicle_year":2019,"vehicle_make":"Honda","violations":0,"first_name":"Sample","last_name":"Person","phone":"5125550134","email":"sample@example.com","trustedform_url":"https://cert.trustedform.com/0123","tcpa_text":"I agree to be contacted"}"#;

/// Options of `rialto demo`.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Stop after this many leads; without it, at Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=LEADS_MAX))]
    leads: Option<u64>,
    /// Makes leads, bids and faults: the same seed, the same demo
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leads per second
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
}

/// Runs the demo.
pub(crate) fn run(options: &Demo, context: &Context) -> Ran {
    block_on(watch(options, context))
}

async fn watch(options: &Demo, context: &Context) -> Ran {
    let clock = Clock::system();
    let out = context.out;
    let exchange_clock = business_hours::clock();
    let lab = Lab::start(context, sample_buyers(options.seed), exchange_clock.clone()).await?;
    introduce(&lab, &exchange_clock, out);
    let began = clock.now();
    let mut tally = Tally::default();
    let (sender, mut answers) = mpsc::channel(ANSWERS_WAITING_MAX);
    let sending = send(options, &lab, sender);
    let printing = print_all(&lab, &mut answers, &mut tally, out);
    tokio::select! {
        (sent, printed) = async { tokio::join!(sending, printing) } => { sent?; printed?; }
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            out.note("\nstopping: the auctions under way finish first");
        }
    }
    tally.elapsed = clock.now().since(began);
    tally.budget = lab.sellers.iter().map(|seller| seller.budget).max().unwrap_or_default();
    let operator = lab.operator();
    let closing = lab.stop().await?;
    if out.json {
        out.json_line(&json_summary(&tally, &closing))?;
    } else {
        summary(&tally, &closing, out)?;
        out.note(painted(DIM, format!("the operator's listener was http://{operator}")));
    }
    if closing.sound() { Ok(Exit::Done) } else { Err(Failure::silent(Exit::Failed)) }
}

fn introduce(lab: &Lab, clock: &Clock, out: Output) {
    let buyers: Vec<&str> = lab.buyers.iter().map(exchange_lab::MockBuyer::name).collect();
    let sources: Vec<&str> = lab.sellers.iter().map(|seller| seller.source.as_str()).collect();
    out.note(format!("{} mock buyers: {}", buyers.len(), buyers.join(", ")));
    out.note(format!("sellers post to {} as {}", lab.url(), sources.join(", ")));
    let operator = lab.operator();
    out.note(format!("metrics and health: http://{operator}/metrics http://{operator}/readyz"));
    out.note(format!("its clock says {}", business_hours::shown(clock.now())));
    if let Some(seller) = lab.sellers.first() {
        out.note(format!(
            "post a lead of your own:\n  curl {} -H 'Authorization: Bearer {}' \\\n    --json '{}'",
            lab.url(),
            seller.key,
            EXAMPLE
        ));
    }
    out.note(format!("config {}; Ctrl-C stops\n", lab.exchange.version));
}

/// An answer with the source it was for.
type Told = (Seller, Answered);

/// Sends the leads of one stream at an even rate, dealt out among the sources in turn.
async fn send(options: &Demo, lab: &Lab, sender: mpsc::Sender<Told>) -> Result<(), Failure> {
    let post = Post { client: books::client(PATIENCE)?, url: lab.url(), clock: Clock::system() };
    let total = usize::try_from(options.leads.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let leads = Leads::new(LeadPlan::realistic(options.seed)).take(total);
    let mut due = tokio::time::interval(Duration::from_secs(1) / options.rate);
    let room = Arc::new(Semaphore::new(CONCURRENCY));
    let mut under_way = JoinSet::new();
    for (lead, seller) in leads.zip(lab.sellers.iter().cycle()) {
        due.tick().await;
        let permit = Arc::clone(&room).acquire_owned().await.map_err(Failure::failed)?;
        let (post, seller, sender) = (post.clone(), seller.clone(), sender.clone());
        under_way.spawn(async move {
            let answered = post.lead(&seller, lead).await;
            drop(permit);
            // Nobody prints any more once the demo was told to stop.
            drop(sender.send((seller, answered)).await);
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
    Ok(())
}

/// Posts leads and takes the time.
#[derive(Clone, Debug)]
struct Post {
    client: reqwest::Client,
    url: String,
    clock: Clock,
}

impl Post {
    /// Every other lead is sent as a form.
    async fn lead(&self, seller: &Seller, lead: Lead) -> Answered {
        let (kind, body) = if lead.index() % 4 < 2 {
            ("application/json", lead.json().to_string())
        } else {
            ("application/x-www-form-urlencoded", lead.form())
        };
        let request = self.client.post(&self.url).bearer_auth(&seller.key);
        let began = self.clock.now();
        let sent = request.header("content-type", kind).body(body).send().await;
        let answer = match sent {
            Ok(answer) => read(answer).await,
            Err(error) => Err(failure(&error)),
        };
        Answered { lead, answer, took: self.clock.now().since(began), lag: Duration::ZERO }
    }
}

async fn read(answer: reqwest::Response) -> Result<Answer, load::Failure> {
    let status = answer.status();
    match answer.bytes().await {
        Ok(body) => Ok(Answer { status, body: body.to_vec() }),
        Err(error) => Err(failure(&error)),
    }
}

fn failure(error: &reqwest::Error) -> load::Failure {
    match error {
        error if error.is_connect() => load::Failure::Connect,
        error if error.is_timeout() => load::Failure::Timeout,
        _ => load::Failure::Broken,
    }
}

async fn print_all(
    lab: &Lab,
    answers: &mut mpsc::Receiver<Told>,
    tally: &mut Tally,
    out: Output,
) -> Result<(), Failure> {
    let books = lab.books()?;
    while let Some((seller, answered)) = answers.recv().await {
        let told = Story::read(&seller, &answered, books.store()).await?;
        tally.note(&told);
        if out.json {
            out.json_line(&told.json())?;
        } else {
            told.print(tally.leads, out)?;
        }
    }
    Ok(())
}

/// One lead, from its answer and its record.
#[derive(Debug)]
struct Story {
    source: String,
    /// `sold`, `unsold`, `duplicate`, `pending`, `invalid`, the code of another problem, or why
    /// there is no answer.
    outcome: String,
    about: String,
    lead_ref: String,
    took: Duration,
    problem: String,
    view: Option<LeadView>,
}

impl Story {
    async fn read(
        seller: &Seller,
        answered: &Answered,
        store: &StoreReader,
    ) -> Result<Self, Failure> {
        let lead = &answered.lead;
        let outcome = match &answered.answer {
            Ok(answer) if answer.status == http::StatusCode::UNPROCESSABLE_ENTITY => {
                "invalid".to_owned()
            }
            Ok(answer) => answer.outcome().unwrap_or_else(|| answer.status.to_string()),
            Err(failure) => failure.code().to_owned(),
        };
        let view = match answered.answer.as_ref().ok().and_then(lead_id) {
            Some(id) => recorded(store, id).await?,
            None => None,
        };
        let about = [lead.field("state"), lead.field("vehicle_year"), lead.field("vehicle_make")];
        Ok(Self {
            source: seller.source.to_string(),
            outcome,
            about: about.join(" "),
            lead_ref: masked(&lead.field("seller_lead_id")),
            took: answered.took,
            problem: answered.answer.as_ref().map(problem).unwrap_or_default(),
            view,
        })
    }

    fn print(&self, number: u64, out: Output) -> io::Result<()> {
        let colour = match self.outcome.as_str() {
            "sold" => GREEN,
            "unsold" | "duplicate" => DIM,
            "pending" => YELLOW,
            _ => RED,
        };
        let outcome = format!("{colour}{BOLD}{:9}{PLAIN}", self.outcome);
        let took = millis(micros(self.took));
        let (about, whose, reference) = (&self.about, &self.source, &self.lead_ref);
        let earned = self.earned();
        out.data(format!(
            "{outcome} #{number:<4} {about:22} {took:>8}  {whose} ref {reference}  {earned}"
        ))?;
        for line in self.lines() {
            out.data(format!("           {line}"))?;
        }
        Ok(())
    }

    fn earned(&self) -> String {
        let payout = self.view.as_ref().and_then(|view| view.standing.payout);
        payout.map(|payout| painted(GREEN, format!("earns {payout}"))).unwrap_or_default()
    }

    fn lines(&self) -> Vec<String> {
        let Some(view) = &self.view else { return self.problem_line() };
        let mut lines: Vec<String> = view.traces.iter().flat_map(journey::brief).collect();
        lines.extend(self.paid());
        if lines.is_empty() && !view.standing.reasons.is_empty() {
            lines.push(painted(DIM, view.standing.reasons.join(", ")));
        }
        lines
    }

    /// Who pays what, and what becomes of it.
    fn paid(&self) -> Option<String> {
        let sales: Vec<(&AttemptView, (Money, Money))> =
            self.sales().map(|sale| (sale, booked(sale))).collect();
        let sum = |sum: Option<(Money, Money)>, (price, payout): (Money, Money)| match sum {
            None => Some((price, payout)),
            Some((prices, payouts)) => {
                Some((prices.checked_add(price).ok()?, payouts.checked_add(payout).ok()?))
            }
        };
        let (price, payout) = sales.iter().map(|(_sale, booked)| *booked).fold(None, sum)?;
        let margin = price.checked_sub(payout).ok()?.amount_text();
        let each = sales
            .iter()
            .map(|(sale, (price, _))| format!("{} pays {price}", sale.campaign.buyer()));
        let each = each.collect::<Vec<_>>().join(", ");
        Some(format!("paid       {each}, the seller gets {payout}, margin {margin}"))
    }

    fn problem_line(&self) -> Vec<String> {
        if self.problem.is_empty() { Vec::new() } else { vec![painted(DIM, &self.problem)] }
    }

    /// Every sale of the lead, in the order of its posts.
    fn sales(&self) -> impl Iterator<Item = &AttemptView> {
        let attempts = self.view.iter().flat_map(|view| &view.attempts);
        attempts.filter(|attempt| attempt.state == "accepted")
    }

    fn json(&self) -> JsonStory<'_> {
        let payout = self.view.as_ref().and_then(|view| view.standing.payout);
        JsonStory {
            outcome: &self.outcome,
            source: &self.source,
            lead_id: self.view.as_ref().map(|view| view.parts.id.to_string()),
            took_ms: self.took.as_millis(),
            buyer: self.sales().next().map(|sale| sale.campaign.to_string()),
            price: self.sales().next().map(|sale| booked(sale).0.to_string()),
            sales: self.sales().map(JsonSale::of).collect(),
            payout: payout.map(|payout| payout.to_string()),
            journeys: self.view.as_ref().map(|view| view.traces.as_slice()).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Serialize)]
struct JsonStory<'a> {
    outcome: &'a str,
    source: &'a str,
    lead_id: Option<String>,
    took_ms: u128,
    buyer: Option<String>,
    price: Option<String>,
    /// All of them; `buyer` and `price` are the first one's.
    sales: Vec<JsonSale>,
    payout: Option<String>,
    journeys: &'a [Trace],
}

#[derive(Debug, Serialize)]
struct JsonSale {
    buyer: String,
    price: String,
    payout: String,
}

impl JsonSale {
    fn of(sale: &AttemptView) -> Self {
        let (price, payout) = booked(sale);
        Self {
            buyer: sale.campaign.to_string(),
            price: price.to_string(),
            payout: payout.to_string(),
        }
    }
}

/// Price and payout of a sale: the buyer's answer may have changed what was posted.
fn booked(sale: &AttemptView) -> (Money, Money) {
    sale.sold.unwrap_or((sale.price, sale.payout))
}

/// The lead's record. Its journey is written behind, so it may take a moment.
async fn recorded(store: &StoreReader, id: LeadId) -> Result<Option<LeadView>, Failure> {
    let mut view = None;
    for _try in 0..JOURNEY_TRIES {
        view = store.lead_view(id).await?;
        if view.as_ref().is_some_and(|view| !view.traces.is_empty()) {
            break;
        }
        tokio::time::sleep(JOURNEY_PAUSE).await;
    }
    Ok(view)
}

fn lead_id(answer: &Answer) -> Option<LeadId> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    body.get("lead_id")?.as_str()?.parse().ok()
}

/// `zip missing_field, phone bad_value` of a problem's errors.
fn problem(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = body.get("errors").and_then(|errors| errors.as_array());
    let text = |error: &serde_json::Value, name: &str| {
        error.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    let each = errors.into_iter().flatten();
    let each = each.map(|error| format!("{} {}", text(error, "field"), text(error, "code")));
    each.collect::<Vec<_>>().join(", ")
}

/// The seller's own reference: its ends are enough to find it again.
fn masked(reference: &str) -> String {
    let shown = |part: &str, keep: usize| part.chars().take(keep).collect::<String>();
    let tail = reference.rsplit('-').next().unwrap_or_default();
    format!("{}..{}", shown(reference, 3), shown(tail, 6))
}

/// Everything counted.
#[derive(Debug, Default)]
struct Tally {
    leads: u64,
    outcomes: BTreeMap<String, u64>,
    latencies: Histogram,
    elapsed: Duration,
    budget: Duration,
}

impl Tally {
    fn note(&mut self, story: &Story) {
        self.leads = self.leads.saturating_add(1);
        let count = self.outcomes.entry(story.outcome.clone()).or_default();
        *count = count.saturating_add(1);
        self.latencies.record(story.took);
    }

    fn of(&self, outcome: &str) -> u64 {
        self.outcomes.get(outcome).copied().unwrap_or(0)
    }

    /// `77.5 %` of all leads.
    fn sold_share(&self) -> String {
        let per_mille = self.of("sold").saturating_mul(1_000).checked_div(self.leads).unwrap_or(0);
        format!("{}.{} %", per_mille / 10, per_mille % 10)
    }
}

fn summary(tally: &Tally, closing: &Closing, out: Output) -> io::Result<()> {
    let outcomes: Vec<String> =
        tally.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let leads = counted(usize::try_from(tally.leads).unwrap_or(usize::MAX), "lead");
    let seconds = tally.elapsed.as_millis();
    let (whole, tenths) = (seconds / 1_000, seconds % 1_000 / 100);
    out.data(format!(
        "\n{}  {leads} in {whole}.{tenths} s: {}",
        painted(BOLD, format!("sold {}", tally.sold_share())),
        outcomes.join(", ")
    ))?;
    let margin = closing.revenue.checked_sub(closing.payout).map(|margin| margin.amount_text());
    let (revenue, payout) = (closing.revenue, closing.payout);
    out.data(format!(
        "revenue {revenue}   payout {payout}   margin {} {}",
        margin.unwrap_or_default(),
        revenue.currency()
    ))?;
    out.data(latency(tally))?;
    verdict(closing, out)
}

/// `answer  p50 214 ms  p95 ...  of a budget of 3000 ms, none late`.
fn latency(tally: &Tally) -> String {
    let at = |per_mille: u32| millis(micros(tally.latencies.per_mille(per_mille)));
    let max = tally.latencies.max();
    let over = max.saturating_sub(tally.budget);
    let late = if over.is_zero() {
        "none late".to_owned()
    } else {
        painted(RED, format!("the latest {} over it", millis(micros(over))))
    };
    format!(
        "answer  p50 {}  p95 {}  p99 {}  max {}  of a budget of {} ms, {late}",
        at(500),
        at(950),
        at(990),
        millis(micros(max)),
        tally.budget.as_millis(),
    )
}

/// The books, against themselves and against each buyer.
fn verdict(closing: &Closing, out: Output) -> io::Result<()> {
    let word = |good: bool| if good { painted(GREEN, "ok ") } else { painted(RED, "BAD") };
    out.data(format!("{}  ledger: {}", word(closing.verified.sound()), closing.verified))?;
    for agreement in &closing.agreements {
        out.data(format!("{}  {}", word(agreement.holds()), line(agreement)))?;
    }
    Ok(())
}

fn line(agreement: &Agreement) -> String {
    let Agreement { buyer, theirs, ours, open } = agreement;
    let lost = match open.0 {
        0 => String::new(),
        lost => {
            let posts = counted(lost, "post");
            painted(YELLOW, format!("; {posts} without an answer, {} held", open.1))
        }
    };
    let name = format!("{buyer}:");
    let bought = counted(theirs.0, "lead");
    format!(
        "{name:21} {bought}, {} in its own book; {}, {} in ours{lost}",
        theirs.1, ours.0, ours.1
    )
}

#[derive(Debug, Serialize)]
struct JsonSummary<'a> {
    leads: u64,
    outcomes: &'a BTreeMap<String, u64>,
    revenue: String,
    payout: String,
    p50_us: u64,
    p95_us: u64,
    p99_us: u64,
    max_us: u64,
    budget_us: u64,
    books_sound: bool,
}

fn json_summary<'a>(tally: &'a Tally, closing: &Closing) -> JsonSummary<'a> {
    let at = |per_mille: u32| micros(tally.latencies.per_mille(per_mille));
    JsonSummary {
        leads: tally.leads,
        outcomes: &tally.outcomes,
        revenue: closing.revenue.to_string(),
        payout: closing.payout.to_string(),
        p50_us: at(500),
        p95_us: at(950),
        p99_us: at(990),
        max_us: micros(tally.latencies.max()),
        budget_us: micros(tally.budget),
        books_sound: closing.sound(),
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
