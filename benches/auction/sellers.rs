//! The sellers: a closed loop of valid leads, no two alike.
//!
//! Each seller sends the next lead when the last one was answered. That measures what a system can
//! take; it says little about latency under a given load, because a slow answer slows its seller.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Ran;
use crate::clock::now;
use crate::wire::{Message, Wire};

/// How long after its end a window waits for the answers under way.
const DRAIN_MAX: Duration = Duration::from_secs(15);

/// Where leads go, and what the answer to a sold one contains.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) sold: Vec<String>,
}

/// How long to send, and how hard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pressure {
    pub(crate) sellers: usize,
    /// Sent before anything is counted.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) counted: Duration,
}

/// What a window of sending saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Leads sold within the counted part.
    pub(crate) sold: u64,
    /// CPU time of the system in the counted part, in nanoseconds.
    pub(crate) cpu_nanos: u64,
    /// Length of the counted part, in microseconds.
    pub(crate) micros: u64,
    /// Microseconds of each counted answer.
    pub(crate) latencies: Vec<u64>,
    /// Leads sold in all, the uncounted parts included.
    pub(crate) sold_in_all: u64,
    /// Answers other than the expected one, in all.
    pub(crate) other: u64,
    /// One such answer.
    pub(crate) example: Option<String>,
}

/// Numbers of leads: each is used once in a run.
pub(crate) type Numbers = Arc<AtomicU64>;

#[derive(Debug, Default)]
struct Signals {
    counting: AtomicBool,
    stop: AtomicBool,
    sold: AtomicU64,
}

/// Sends for one window; `cpu` reads the CPU time of the system.
pub(crate) async fn send(
    door: &Door,
    numbers: &Numbers,
    pressure: Pressure,
    cpu: impl Fn() -> Ran<u64>,
) -> Ran<Seen> {
    let (door, signals) = (Arc::new(door.clone()), Arc::new(Signals::default()));
    let mut sellers = JoinSet::new();
    for _ in 0..pressure.sellers {
        sellers.spawn(sell(Arc::clone(&door), Arc::clone(numbers), Arc::clone(&signals)));
    }
    sleep(pressure.warm_up).await;
    signals.counting.store(true, Ordering::Relaxed);
    let (began, cpu_before) = (now(), cpu()?);
    let sold_before = signals.sold.load(Ordering::Relaxed);
    sleep(pressure.counted).await;
    let (ended, cpu_after) = (now(), cpu()?);
    let sold_after = signals.sold.load(Ordering::Relaxed);
    signals.counting.store(false, Ordering::Relaxed);
    signals.stop.store(true, Ordering::Relaxed);
    let mut seen = Seen {
        sold: sold_after.saturating_sub(sold_before),
        cpu_nanos: cpu_after.saturating_sub(cpu_before),
        micros: u64::try_from((ended - began).as_micros())?,
        ..Seen::default()
    };
    let drained = timeout(DRAIN_MAX, async {
        while let Some(tally) = sellers.join_next().await {
            seen.add(tally??);
        }
        Ran::Ok(())
    });
    drained.await.map_err(|_late| "answers did not come within 15 s")??;
    Ok(seen)
}

#[derive(Debug, Default)]
struct Tally {
    latencies: Vec<u64>,
    sold: u64,
    other: u64,
    example: Option<String>,
}

impl Seen {
    fn add(&mut self, tally: Tally) {
        self.latencies.extend(tally.latencies);
        self.sold_in_all = self.sold_in_all.saturating_add(tally.sold);
        self.other = self.other.saturating_add(tally.other);
        self.example = self.example.take().or(tally.example);
    }
}

async fn sell(door: Arc<Door>, numbers: Numbers, signals: Arc<Signals>) -> Ran<Tally> {
    let mut wire = Wire::new(TcpStream::connect(door.address).await?)?;
    let mut tally = Tally::default();
    while !signals.stop.load(Ordering::Relaxed) {
        let request = request(&door, numbers.fetch_add(1, Ordering::Relaxed));
        let sent = now();
        wire.send(request.as_bytes()).await?;
        let answer = wire.receive().await?.ok_or("the system closed a seller's connection")?;
        let took = now() - sent;
        if door.has_sold(&answer) {
            tally.sold = tally.sold.saturating_add(1);
            signals.sold.fetch_add(1, Ordering::Relaxed);
        } else {
            tally.other = tally.other.saturating_add(1);
            tally.example.get_or_insert_with(|| shown(&answer));
        }
        if signals.counting.load(Ordering::Relaxed) {
            tally.latencies.push(u64::try_from(took.as_micros())?);
        }
    }
    Ok(tally)
}

impl Door {
    fn has_sold(&self, answer: &Message) -> bool {
        let body = std::str::from_utf8(&answer.body).unwrap_or_default();
        answer.head.starts_with(b"HTTP/1.1 200 ")
            && self.sold.iter().all(|part| body.contains(part))
    }
}

fn shown(answer: &Message) -> String {
    let line = answer.head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    format!("{} {}", String::from_utf8_lossy(line), String::from_utf8_lossy(&answer.body))
}

fn request(door: &Door, number: u64) -> String {
    let Door { address, key, .. } = door;
    let lead = lead(number);
    format!(
        "POST /v1/leads HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\nidempotency-key: bench-{number}\r\n\
         content-length: {}\r\n\r\n{lead}",
        lead.len()
    )
}

/// A valid lead whose phone and e-mail nobody else has: invented, in the state of every buyer.
pub(crate) fn lead(number: u64) -> String {
    // Seven digits after the area code, the first of them at least 2; then the next area code.
    let (area, line) = (number / 8_000_000, 2_000_000 + number % 8_000_000);
    let area = if area == 0 { 512 } else { 737 };
    format!(
        "{{\"zip\":\"78701\",\"state\":\"TX\",\"birth_date\":\"1990-04-02\",\
         \"currently_insured\":true,\"carrier\":\"Progressive\",\"credit\":\"good\",\
         \"homeowner\":false,\"vehicle_year\":2019,\"vehicle_make\":\"Honda\",\"violations\":0,\
         \"first_name\":\"Sample\",\"last_name\":\"Person\",\"phone\":\"{area}{line}\",\
         \"email\":\"p{number}@example.com\",\
         \"trustedform_url\":\"https://cert.trustedform.com/{number}\",\
         \"tcpa_text\":\"I agree to be contacted\",\"seller_lead_id\":\"bench-{number}\"}}"
    )
}
