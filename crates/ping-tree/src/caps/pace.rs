//! An even pace: what a day's cap allows by this hour.

use std::time::Duration;

use exchange_model::MinorUnits;

use crate::caps::CapAmount;
use crate::schedule::OpenTime;

/// How far ahead of the elapsed share leads may run.
const AHEAD: Duration = Duration::from_hours(1);

/// What of a day's cap may be used by now: the elapsed share of the day's open time plus one hour's
/// worth, rounded up to a whole lead or minor unit, and never more than the cap.
#[must_use]
pub fn pace(day: CapAmount, open: OpenTime) -> CapAmount {
    let by_now = open.elapsed.saturating_add(AHEAD);
    match day {
        CapAmount::Leads(most) => {
            let leads = share(i64::from(most), by_now, open.total);
            CapAmount::Leads(u32::try_from(leads).unwrap_or(most))
        }
        CapAmount::Spend(most) => {
            CapAmount::Spend(MinorUnits::new(share(most.get(), by_now, open.total)))
        }
    }
}

fn share(most: i64, by_now: Duration, total: Duration) -> i64 {
    if by_now >= total {
        return most;
    }
    let micros = |time: Duration| i128::try_from(time.as_micros()).unwrap_or(i128::MAX);
    // `total` is more than `by_now`, so it is not nothing.
    let scaled = i128::from(most).saturating_mul(micros(by_now));
    let whole = scaled.checked_div(micros(total)).unwrap_or(0);
    let rest = scaled.checked_rem(micros(total)).unwrap_or(0);
    i64::try_from(whole.saturating_add(i128::from(rest > 0))).unwrap_or(most).min(most)
}
