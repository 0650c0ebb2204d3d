//! 429: a source that sends too fast, or more than its cap.
//!
//! Says when to come again, and by which rule, in the header fields of the IETF's draft on rate
//! limits: `RateLimit-Policy: "rate";q=50;w=1` and `RateLimit: "rate";r=0;t=1`.

use std::time::Duration;

use exchange_model::reason::Invalid;
use exchange_model::{RateLimit, Timestamp};
use exchange_store::{ExchangeStore, FullCap};
use http::{HeaderMap, HeaderName, HeaderValue};
use ping_tree::{CapAmount, END, Source, Tree};

use super::problem::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// When a source whose cap has no end may ask again, in seconds: somebody may have raised it.
const NO_END: u32 = 86_400;

/// The rule that a request ran into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    name: &'static str,
    most: u32,
    /// How long it counts, in seconds; nothing for all time.
    window: Option<u32>,
    /// When something may come again, in seconds; nothing where time alone decides nothing.
    reset: Option<u32>,
}

impl Quota {
    /// As header fields.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Self { name, most, window, reset } = self;
        let window = window.map(|seconds| format!(";w={seconds}")).unwrap_or_default();
        let reset = reset.map(|seconds| format!(";t={seconds}")).unwrap_or_default();
        for (field, text) in [
            (POLICY, format!("\"{name}\";q={most}{window}")),
            (LIMIT, format!("\"{name}\";r=0{reset}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(field, value);
            }
        }
    }
}

/// More requests than the source's rate allows.
#[must_use]
pub fn rate_limited(rate: RateLimit, wait: Duration) -> Problem {
    let seconds = whole_seconds(wait);
    let quota = Quota {
        name: "rate",
        most: rate.count(),
        window: Some(whole_seconds(rate.per())),
        reset: Some(seconds),
    };
    let detail = format!("this source may send {rate}");
    Problem::new(Invalid::RateLimited, &detail).limited_by(quota, seconds)
}

/// More leads than a cap of the source allows.
#[must_use]
pub fn source_cap(full: FullCap, now: Timestamp) -> Problem {
    let ends = full.window.end < END;
    let until_end = whole_seconds(full.window.end.since(now));
    let quota = Quota {
        name: full.kind.code(),
        most: match full.limit {
            CapAmount::Leads(most) => most,
            CapAmount::Spend(_) => 0,
        },
        window: ends.then(|| whole_seconds(full.window.end.since(full.window.start))),
        reset: ends.then_some(until_end),
    };
    let detail = format!("this source has sent as many leads as its cap `{}` allows", full.kind);
    let again = if ends { until_end } else { NO_END };
    Problem::new(Invalid::SourceCap, &detail).limited_by(quota, again)
}

/// The cap of a source that is full already: an early look, decided again when the lead is written.
#[must_use]
pub fn full_cap(
    store: &dyn ExchangeStore,
    source: &Source,
    tree: &Tree,
    at: Timestamp,
) -> Option<FullCap> {
    let full = source.caps_at(at, &tree.zone).into_iter().find(|cap| match cap.limit {
        CapAmount::Leads(most) => store.used(cap).leads >= most,
        CapAmount::Spend(_) => false,
    });
    full.map(|cap| FullCap { kind: cap.kind, window: cap.window, limit: cap.limit })
}

fn whole_seconds(span: Duration) -> u32 {
    let up = span.as_micros().div_ceil(1_000_000);
    u32::try_from(up).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use exchange_model::reason::CapKind;
    use ping_tree::{BEGINNING, Window};

    use super::*;

    fn fields(problem: &Problem) -> Vec<String> {
        let response = problem.response();
        assert_eq!(response.status(), 429);
        let field = |name: &str| {
            let value = response.headers().get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        ["retry-after", "ratelimit-policy", "ratelimit"].map(field).into()
    }

    #[test]
    fn a_source_that_is_too_fast_hears_its_rate_and_when_to_come_again() {
        let problem = rate_limited("50/s".parse().unwrap(), Duration::from_millis(20));
        assert_eq!(fields(&problem), ["1", "\"rate\";q=50;w=1", "\"rate\";r=0;t=1"]);
        let problem = rate_limited("6/m".parse().unwrap(), Duration::from_millis(9_001));
        assert_eq!(fields(&problem), ["10", "\"rate\";q=6;w=60", "\"rate\";r=0;t=10"]);
    }

    #[test]
    fn a_full_cap_says_when_its_window_ends_and_all_time_that_it_does_not() {
        let now = Timestamp::from_unix_millis(1_000_000);
        let window = Window { start: now, end: now.after(Duration::from_secs(3_600)) };
        let limit = CapAmount::Leads(5_000);
        let hour = FullCap { kind: CapKind::Hour, window, limit };
        let later = now.after(Duration::from_secs(600));
        assert_eq!(
            fields(&source_cap(hour, later)),
            ["3000", "\"hour\";q=5000;w=3600", "\"hour\";r=0;t=3000"]
        );
        let window = Window { start: BEGINNING, end: END };
        let total = FullCap { kind: CapKind::Total, window, limit };
        assert_eq!(
            fields(&source_cap(total, later)),
            ["86400", "\"total\";q=5000", "\"total\";r=0"]
        );
    }
}
