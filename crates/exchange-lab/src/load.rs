//! An open-loop load generator: it sends on schedule, however slowly the answers come.
//!
//! A generator that waits for answers hides the very delays it should measure. This one sends the
//! n-th lead when it is due, reports how late it was itself, and counts every answer against the
//! budget. It holds its own keep-alive connections and has no opinion on what is inside.
//!
//! > A run whose generator lagged is a statement about the generator.

mod client;
mod histogram;
mod report;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use histogram::Histogram;
pub use report::LoadReport;

use crate::leads::{Lead, LeadPlan, Leads};
use client::Client;

/// Most leads of one run.
pub const LEADS_MAX: u64 = 10_000_000;
/// Most leads under way at once.
pub const CONCURRENCY_MAX: usize = 20_000;

/// What is called with each answer.
pub type OnAnswer = Arc<dyn Fn(&Answered) + Send + Sync>;

/// How a lead is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BodyFormat {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// One run.
#[derive(Clone)]
pub struct LoadPlan {
    /// Where leads are posted, such as `http://127.0.0.1:8080/v1/leads`; plain HTTP only.
    pub url: String,
    /// The source's key, sent as a bearer token.
    pub key: String,
    /// Leads due per second, at least 1.
    pub rate_per_second: u32,
    /// Leads in all, at most [`LEADS_MAX`].
    pub total: u64,
    /// Most leads under way at once, from 1 to [`CONCURRENCY_MAX`]; a lead that is due waits here,
    /// and the wait is reported as the generator's lag.
    pub concurrency: usize,
    /// How soon each answer should come, counted from sending.
    pub budget: Duration,
    /// When an answer is given up.
    pub timeout: Duration,
    /// How leads are written.
    pub format: BodyFormat,
    /// The leads.
    pub leads: LeadPlan,
    /// Called with each answer as it comes.
    pub on_answer: Option<OnAnswer>,
}

impl fmt::Debug for LoadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadPlan")
            .field("url", &self.url)
            .field("rate_per_second", &self.rate_per_second)
            .field("total", &self.total)
            .field("concurrency", &self.concurrency)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl LoadPlan {
    /// 100 good leads, 50 a second, with a budget of 3 s.
    #[must_use]
    pub fn new(url: &str, key: &str) -> Self {
        Self {
            url: url.to_owned(),
            key: key.to_owned(),
            rate_per_second: 50,
            total: 100,
            concurrency: 200,
            budget: Duration::from_secs(3),
            timeout: Duration::from_secs(30),
            format: BodyFormat::default(),
            leads: LeadPlan::default(),
            on_answer: None,
        }
    }
}

/// One lead and what came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was sent.
    pub lead: Lead,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// From sending to the end of the answer.
    pub took: Duration,
    /// How much later than due it was sent.
    pub lag: Duration,
}

/// An answer of the exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, at most 256 KiB.
    pub body: Vec<u8>,
}

impl Answer {
    /// The business outcome: the `status` of a 200, or the `code` of a problem.
    #[must_use]
    pub fn outcome(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let name = if self.status == StatusCode::OK { "status" } else { "code" };
        Some(body.get(name)?.as_str()?.to_owned())
    }
}

/// Why a lead got no answer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("no connection")]
    Connect,
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Broken,
    /// Nothing came within the plan's timeout.
    #[error("no answer in time")]
    Timeout,
}

impl Failure {
    /// The name in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Broken => "broken",
            Self::Timeout => "timeout",
        }
    }
}

/// Why a plan was not run.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Not `http://host:port/path`.
    #[error("`{0}` is not a plain HTTP URL")]
    Url(String),
    /// The key cannot be a header's value.
    #[error("the key has characters that no header carries")]
    Key,
    /// A number is outside its limits.
    #[error("`{0}` is out of range")]
    Number(&'static str),
}

/// Runs the plan to its end.
///
/// # Errors
/// [`PlanError`]; whatever the exchange does is in the report.
pub async fn run(plan: LoadPlan) -> Result<LoadReport, PlanError> {
    check(&plan)?;
    let client = Arc::new(Client::new(&plan)?);
    let report = Arc::new(Mutex::new(LoadReport::new(&plan)));
    let room = Arc::new(Semaphore::new(plan.concurrency));
    let mut under_way = JoinSet::new();
    let start = now();
    for (nth, lead) in (0..plan.total).zip(Leads::new(plan.leads.clone())) {
        let due = start + due_after(nth, plan.rate_per_second);
        tokio::time::sleep_until(due).await;
        let permit =
            Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
        let (client, report, on_answer) =
            (Arc::clone(&client), Arc::clone(&report), plan.on_answer.clone());
        under_way.spawn(async move {
            let answered = send(&client, lead, due).await;
            drop(permit);
            if let Some(on_answer) = on_answer {
                on_answer(&answered);
            }
            report.lock().unwrap_or_else(PoisonError::into_inner).note(&answered);
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner).clone();
    report.finish(now() - start);
    Ok(report)
}

fn check(plan: &LoadPlan) -> Result<(), PlanError> {
    match plan {
        _ if plan.rate_per_second == 0 => Err(PlanError::Number("rate_per_second")),
        _ if plan.total > LEADS_MAX => Err(PlanError::Number("total")),
        _ if !(1..=CONCURRENCY_MAX).contains(&plan.concurrency) => {
            Err(PlanError::Number("concurrency"))
        }
        _ => Ok(()),
    }
}

async fn send(client: &Client, lead: Lead, due: Instant) -> Answered {
    let sent = now();
    let answer = client.post(&lead).await;
    Answered { lead, answer, took: now() - sent, lag: sent - due }
}

/// When the n-th lead is due, exact over the whole run.
fn due_after(nth: u64, rate_per_second: u32) -> Duration {
    let nanos = u128::from(nth) * 1_000_000_000 / u128::from(rate_per_second);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
fn now() -> Instant {
    Instant::now()
}
