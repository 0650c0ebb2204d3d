//! A mock at work: it tells what a request is for, decides, and answers with an example.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buyer_connectors::Example;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use rust_decimal::Decimal;
use tokio::sync::Notify;

use super::memory::{Answered, Deal, Memory, State};
use super::stages::Stages;
use super::{Happened, Listener, Part, Repeats, clues};
use crate::faults::Fault;
use crate::mock_buyers::RequestKind;
use crate::mock_buyers::answer::Request;
use crate::mock_buyers::body::ReplyBody;
use crate::mock_buyers::server::{
    Host, HttpRequest, HttpResponse, misbehave, read, reset_connection,
};
use crate::random::{Random, hash};

/// A text that no example holds.
const MARK: &str = "\u{1}";

/// A mock behind its socket.
pub(crate) struct Player {
    part: Part,
    stages: Stages,
    examples: Vec<Example>,
    /// Whether bids carry a handle, so that a post must name one.
    has_tokens: bool,
    memory: Mutex<Memory>,
    /// Requests of each stage so far: what makes draws differ.
    counts: Mutex<HashMap<String, u64>>,
    minted: AtomicU64,
    listener: Listener,
}

/// A decision, to be said in the preset's words.
struct Decision {
    outcome: &'static str,
    price: Option<Decimal>,
    token: String,
    reference: String,
    reason: &'static str,
    note: Option<String>,
}

impl Decision {
    fn new(outcome: &'static str, reason: &'static str) -> Self {
        let empty = String::new;
        Self { outcome, price: None, token: empty(), reference: empty(), reason, note: None }
    }

    fn noted(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }
}

/// An answer as it will be sent, and what to say of it.
struct Act {
    example: Example,
    price: Option<String>,
    note: Option<String>,
}

impl Host for Player {
    async fn handle(self: Arc<Self>, reset: Arc<Notify>, request: HttpRequest) -> HttpResponse {
        let Some(request) = read(request).await else {
            return bare(StatusCode::PAYLOAD_TOO_LARGE, "too large");
        };
        let text = clues::text_of(&request);
        let Some(stage) = self.stages.stage(&request.path, &text).map(str::to_owned) else {
            let known = self.stages.names().join(", ");
            self.tell("unknown", "not found", Told::noted(404, format!("it answers {known}")));
            return bare(StatusCode::NOT_FOUND, "not found");
        };
        let nth = self.count(&stage);
        let fault = self.fault(&stage, nth);
        let pause = self.pause(&stage, nth);
        if !fault.books() {
            self.tell(&stage, fault_name(&fault), Told { after: pause, ..Told::default() });
            tokio::time::sleep(pause).await;
            return misbehave(&fault, &reset).await;
        }
        let act = self.act(&stage, nth, &request, &text);
        tokio::time::sleep(pause).await;
        let Some(act) = act else {
            let note = format!("the preset has no example of `{stage}`");
            self.tell(&stage, "not found", Told::noted(404, note));
            return bare(StatusCode::NOT_FOUND, "no example");
        };
        self.told(&stage, &act, &fault, pause);
        self.send(&act.example, &fault, &reset).await
    }
}

/// What is said of a request beside its stage and its outcome.
#[derive(Default)]
struct Told {
    status: u16,
    price: Option<String>,
    note: Option<String>,
    after: Duration,
}

impl Told {
    fn noted(status: u16, note: String) -> Self {
        Self { status, note: Some(note), ..Self::default() }
    }
}

impl Player {
    pub(crate) fn new(part: Part, listener: Listener) -> Self {
        let examples = part.preset.examples();
        let tokened = |example: &Example| {
            let filled = example.filled(&[("token", MARK)]);
            let texts = filled.headers.iter().map(|(_, text)| text).chain([&filled.body]);
            let mut texts = texts.filter(|text| text.contains(MARK));
            example.stage == "ping" && example.outcome == "bid" && texts.next().is_some()
        };
        Self {
            stages: Stages::of(part.preset),
            has_tokens: examples.iter().any(tokened),
            examples,
            memory: Mutex::default(),
            counts: Mutex::default(),
            minted: AtomicU64::new(0),
            listener,
            part,
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this request among those of its stage, from 0.
    fn count(&self, stage: &str) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(stage.to_owned()).or_insert(0);
        let nth = *count;
        *count += 1;
        nth
    }

    fn random(&self, stage: &str, nth: u64) -> Random {
        let seed = hash(self.part.seed, self.part.name.as_bytes());
        Random::new(hash(seed ^ nth, stage.as_bytes()))
    }

    fn fault(&self, stage: &str, nth: u64) -> Fault {
        match stage {
            "ping" => self.part.faults.fault(RequestKind::Ping, nth),
            "post" => self.part.faults.fault(RequestKind::Post, nth),
            _ => Fault::None,
        }
    }

    fn pause(&self, stage: &str, nth: u64) -> Duration {
        let (least, most) = self.part.latency;
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(0);
        let mut random = self.random(&format!("pause {stage}"), nth);
        least + Duration::from_micros(random.between(0, span))
    }

    fn mint(&self) -> String {
        let nth = self.minted.fetch_add(1, Ordering::Relaxed);
        clues::handle(self.random("handle", nth).next_u64())
    }

    fn act(&self, stage: &str, nth: u64, request: &Request, text: &str) -> Option<Act> {
        let key = (stage == "post").then(|| self.key_of(request)).flatten();
        if let Some(before) = key.and_then(|key| self.memory().answered(key)) {
            let note = Some("the same post again, the same answer".to_owned());
            return Some(Act {
                example: before.example.clone(),
                price: before.price.clone(),
                note,
            });
        }
        let mut random = self.random(stage, nth);
        let decision = match stage {
            "ping" => self.on_ping(&mut random),
            "post" => self.on_post(&mut random, request, text),
            "status" => self.on_status(text),
            "void" => self.on_void(text),
            _ => self.on_call(stage),
        };
        let example = self.example(stage, decision.outcome)?;
        let price = decision.price.map(|price| price.to_string());
        let values = [
            ("price", price.as_deref().unwrap_or("0.00")),
            ("token", decision.token.as_str()),
            ("ref", decision.reference.as_str()),
            ("reason", decision.reason),
        ];
        let example = example.filled(&values);
        if let (Some(header), true) = (request.idempotency_key(), stage == "post") {
            self.memory().name(header, &decision.token);
        }
        // A counter-offer may be taken under the key of the post that it answers.
        if let Some(key) = key.filter(|_| decision.outcome != "counter") {
            let (example, price) = (example.clone(), price.clone());
            self.memory().keep(key, Answered { example, price });
        }
        Some(Act { example, price, note: decision.note })
    }

    /// What makes two posts the same one.
    fn key_of(&self, request: &Request) -> Option<u64> {
        match request.idempotency_key() {
            Some(key) => Some(hash(1, key.as_bytes())),
            None if self.part.repeats == Repeats::Same => {
                Some(hash(2, &[request.query.as_bytes(), b"\n", &request.body].concat()))
            }
            None => None,
        }
    }

    fn on_ping(&self, random: &mut Random) -> Decision {
        let declined = random.chance(self.part.no_bid);
        let price = self.part.bid.price(random.next_u64());
        let token = self.mint();
        if declined {
            return Decision { token, ..Decision::new("no_bid", "Filtered") };
        }
        let deal = Deal { price, state: State::Bid, reference: None };
        self.memory().open(&token, deal);
        Decision { price: Some(price), token, ..Decision::new("bid", "") }
    }

    fn on_post(&self, random: &mut Random, request: &Request, text: &str) -> Decision {
        let mut memory = self.memory();
        let named = memory.find(clues::handles(text));
        let (token, deal) = match named {
            Some(found) => found,
            None if self.has_tokens => {
                return Decision::new("error", "Unknown id").noted("no token of ours");
            }
            None => self.untold(&mut memory, random),
        };
        let draws = [self.part.pending, self.counter_rate(), self.part.reject];
        let [pending, counter, reject] = draws.map(|rate| random.chance(rate));
        let person = clues::person(text).unwrap_or_else(|| clues::content(request));
        if memory.knows(person) {
            return self.decided(&mut memory, (&token, deal), State::Rejected, "duplicate");
        }
        if let (State::Bid, true, Some(offer)) = (deal.state, counter, self.part.counter) {
            let deal = Deal { price: offer.price, ..deal };
            return self.decided(&mut memory, (&token, deal), State::Countered, "counter");
        }
        if deal.state == State::Bid && reject {
            return self.decided(&mut memory, (&token, deal), State::Rejected, "rejected");
        }
        memory.meet(person);
        if pending {
            let asks = State::Pending(self.part.pending_asks);
            return self.decided(&mut memory, (&token, deal), asks, "pending");
        }
        self.decided(&mut memory, (&token, deal), State::Accepted, "accepted")
    }

    fn counter_rate(&self) -> u32 {
        self.part.counter.map_or(0, |counter| counter.rate)
    }

    /// The deal of a post that names none: the bid made last, or the price of the contract.
    fn untold(&self, memory: &mut Memory, random: &mut Random) -> (String, Deal) {
        let last =
            memory.last().filter(|(_, deal)| matches!(deal.state, State::Bid | State::Countered));
        last.unwrap_or_else(|| {
            let price = self.part.bid.price(random.next_u64());
            (self.mint(), Deal { price, state: State::Bid, reference: None })
        })
    }

    /// Writes the deal down and says what came of it.
    fn decided(
        &self,
        memory: &mut Memory,
        (token, deal): (&str, Deal),
        state: State,
        outcome: &'static str,
    ) -> Decision {
        let reference = deal.reference.clone().unwrap_or_else(|| self.mint());
        let deal = Deal { state, reference: Some(reference.clone()), ..deal };
        let price = Some(deal.price);
        memory.open(token, deal);
        let reason = match outcome {
            "duplicate" => "Duplicate",
            "counter" => "Price too high",
            "rejected" => "Filtered",
            _ => "",
        };
        let price = price.filter(|_| matches!(outcome, "accepted" | "counter" | "pending"));
        Decision { price, token: token.to_owned(), reference, ..Decision::new(outcome, reason) }
    }

    /// The deal that a question is about: by a handle, else by the key of its post.
    fn asked(memory: &Memory, text: &str) -> Option<(String, Deal)> {
        memory.find(clues::handles(text)).or_else(|| memory.find(clues::words(text)))
    }

    fn on_status(&self, text: &str) -> Decision {
        let mut memory = self.memory();
        let Some((token, deal)) = Self::asked(&memory, text) else {
            return Decision::new("error", "Unknown id").noted("no post of ours");
        };
        let (outcome, reason) = match deal.state {
            State::Pending(0) => {
                memory.set(&token, State::Accepted);
                ("accepted", "")
            }
            State::Pending(asks) => {
                memory.set(&token, State::Pending(asks - 1));
                ("pending", "")
            }
            State::Accepted => ("accepted", ""),
            State::Voided => ("rejected", "Cancelled"),
            State::Bid | State::Countered | State::Rejected => ("rejected", "Filtered"),
        };
        let price = (outcome == "accepted").then_some(deal.price);
        let reference = deal.reference.unwrap_or_default();
        Decision { price, token, reference, ..Decision::new(outcome, reason) }
    }

    fn on_void(&self, text: &str) -> Decision {
        let mut memory = self.memory();
        let found = Self::asked(&memory, text);
        let Some((token, deal)) = found.filter(|(_, deal)| deal.state != State::Rejected) else {
            return Decision::new("error", "Unknown id").noted("no post of ours");
        };
        memory.set(&token, State::Voided);
        let reference = deal.reference.unwrap_or_default();
        Decision { token, reference, ..Decision::new("voided", "Cancelled") }
    }

    /// A call that only gives values, or a `confirm`.
    fn on_call(&self, stage: &str) -> Decision {
        let outcome = if stage == "confirm" { "accepted" } else { "value" };
        let last = self.memory().last();
        let price = last.as_ref().map(|(_, deal)| deal.price);
        let reference = last.and_then(|(_, deal)| deal.reference).unwrap_or_else(|| self.mint());
        Decision { price, token: self.mint(), reference, ..Decision::new(outcome, "") }
    }

    /// The first example of the outcome, or of what is nearest to it.
    fn example(&self, stage: &str, outcome: &str) -> Option<&Example> {
        let of = |wanted: &str| {
            self.examples.iter().find(|example| example.stage == stage && example.outcome == wanted)
        };
        let nearest: &[&str] = match outcome {
            "duplicate" | "counter" | "error" => &["rejected", "error", "no_bid"],
            "rejected" => &["duplicate", "error"],
            "no_bid" => &["error", "rejected"],
            "pending" | "voided" => &["accepted", "value"],
            "accepted" => &["value", "pending"],
            "value" => &["accepted"],
            _ => &[],
        };
        of(outcome).or_else(|| nearest.iter().find_map(|other| of(other)))
    }

    async fn send(&self, example: &Example, fault: &Fault, reset: &Notify) -> HttpResponse {
        let body = || Bytes::from(example.body.clone());
        let body = match fault {
            Fault::AcceptThenDrop => return reset_connection(reset).await,
            Fault::Delay(pause) => {
                tokio::time::sleep(*pause).await;
                ReplyBody::whole(body())
            }
            Fault::Drip { bytes, every } => ReplyBody::drip(body(), *bytes, *every),
            Fault::Truncate => ReplyBody::truncated(&body()),
            _ => ReplyBody::whole(body()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(example.status).unwrap_or(StatusCode::OK);
        for (name, value) in &example.headers {
            let named =
                (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
            if let (Ok(name), Ok(value)) = named {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    fn told(&self, stage: &str, act: &Act, fault: &Fault, after: Duration) {
        let outcome = act.example.outcome.clone();
        let note = match fault {
            Fault::None => act.note.clone(),
            fault => Some(fault_name(fault).to_owned()),
        };
        let told = Told { status: act.example.status, price: act.price.clone(), note, after };
        self.tell(stage, &outcome, told);
    }

    fn tell(&self, stage: &str, outcome: &str, told: Told) {
        let Told { status, price, note, after } = told;
        let (buyer, stage, outcome) =
            (self.part.name.clone(), stage.to_owned(), outcome.to_owned());
        (self.listener)(Happened { buyer, stage, outcome, price, note, status, after });
    }
}

fn bare(status: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = Response::new(ReplyBody::whole(text.as_bytes()));
    *response.status_mut() = status;
    response
}

/// A fault in a word.
pub(crate) fn fault_name(fault: &Fault) -> &'static str {
    match fault {
        Fault::None => "none",
        Fault::Delay(_) => "late",
        Fault::Hang => "hang",
        Fault::Drip { .. } => "drip",
        Fault::Reset | Fault::ResetAfterRead => "reset",
        Fault::Truncate => "truncate",
        Fault::Garbage => "garbage",
        Fault::HugeBody => "huge",
        Fault::EndlessChunks => "endless",
        Fault::GzipBomb => "gzip_bomb",
        Fault::Status(_) => "5xx",
        Fault::Redirect(_) => "redirect",
        Fault::AcceptThenDrop => "lost",
        Fault::BadPrice(_) => "bad_price",
        Fault::WrongCurrency => "wrong_currency",
        Fault::HtmlPage => "html",
        Fault::EmptyBody => "empty",
    }
}
