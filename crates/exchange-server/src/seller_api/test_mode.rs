//! What test keys get: simulated outcomes, marked `test`, that reach no buyer and no book.
//!
//! The outcome is chosen by `Rialto-Simulate`, or by a zip for sellers who can only change a form:
//! `00001` sold, `00002` unsold, `00003` duplicate, `00004` sold after two seconds, `00005` rejected
//! by the best buyer and sold to the next, `00006` sold to two buyers. Everything else about the request is checked as usual.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use exchange_core::record::{Answer, Promise, SoldTo};
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::reason::{Invalid, LeadStatus};
use exchange_model::vertical::CheckKind;
use exchange_model::{Currency, Field, LeadId, Money, PingId, SourceId, Stage, Vertical};
use exchange_store::StoredReply;

use super::SellerApi;
use super::answer::Replied;
use super::ask::Kind;
use super::body::Fields;
use super::door::Call;
use super::problem::Problem;
use super::reply::{self, Frame};
use super::reserved;
use crate::intake::{day_of, new_lead_id};

/// Latest leads of test keys whose status can be asked for.
const LEADS_KEPT: usize = 1_000;
/// How long a slow outcome takes.
const SLOW: Duration = Duration::from_secs(2);
/// What a simulated sale pays, and one after a rejection.
const PAID: &str = "10.00";
const PAID_NEXT: &str = "8.00";
/// What a simulated sale to two pays in all: to the first and to the second.
const PAID_TWO: &str = "18.00";

/// A simulated outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Simulated {
    Sold,
    SoldSlowly,
    SoldToNext,
    SoldToTwo,
    Unsold,
    Duplicate,
    Rejected,
    Unknown,
    Timeout,
}

impl Simulated {
    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "sold" => Self::Sold,
            "shared" => Self::SoldToTwo,
            "unsold" => Self::Unsold,
            "duplicate" => Self::Duplicate,
            "rejected" => Self::Rejected,
            "unknown" => Self::Unknown,
            "timeout" => Self::Timeout,
            _ => return None,
        })
    }

    fn of_zip(zip: &str) -> Option<Self> {
        Some(match zip {
            "00001" => Self::Sold,
            "00002" => Self::Unsold,
            "00003" => Self::Duplicate,
            "00004" => Self::SoldSlowly,
            "00005" => Self::SoldToNext,
            "00006" => Self::SoldToTwo,
            _ => return None,
        })
    }

    fn delay(self) -> Duration {
        match self {
            Self::SoldSlowly | Self::Timeout => SLOW,
            Self::Sold
            | Self::SoldToNext
            | Self::SoldToTwo
            | Self::Unsold
            | Self::Duplicate
            | Self::Rejected
            | Self::Unknown => Duration::ZERO,
        }
    }

    fn answer(self, currency: Currency) -> Answer {
        let (status, pays, reason) = match self {
            Self::Sold | Self::SoldSlowly => (LeadStatus::Sold, Some(PAID), None),
            Self::SoldToNext => (LeadStatus::Sold, Some(PAID_NEXT), None),
            Self::SoldToTwo => (LeadStatus::Sold, Some(PAID_TWO), None),
            Self::Unsold => (LeadStatus::Unsold, None, Some("no_bid:declined")),
            Self::Duplicate => (LeadStatus::Duplicate, None, Some("ineligible:duplicate")),
            Self::Rejected => (LeadStatus::Unsold, None, Some("rejected:other")),
            Self::Unknown => (LeadStatus::Pending, None, Some("unknown:timeout")),
            Self::Timeout => (LeadStatus::Unsold, None, Some("no_bid:timeout")),
        };
        Answer {
            sales: self.sales(currency),
            status,
            payout: pays.and_then(|text| Money::parse(text, currency).ok()),
            redirect_url: None,
            reasons: reason.map(str::to_owned).into_iter().collect(),
        }
    }

    /// Each sale of a lead that is sold to several.
    fn sales(self, currency: Currency) -> Vec<SoldTo> {
        let paid: &[&str] = if self == Self::SoldToTwo { &[PAID, PAID_NEXT] } else { &[] };
        let sale = |text: &&str| {
            let payout = Money::parse(text, currency).ok()?;
            Some(SoldTo { payout, redirect_url: None, name: None })
        };
        paid.iter().filter_map(sale).collect()
    }

    fn bids(self) -> bool {
        !matches!(self, Self::Unsold | Self::Timeout)
    }
}

/// The latest leads of test keys.
#[derive(Debug, Default)]
pub struct TestLeads(Mutex<VecDeque<(SourceId, LeadId, StoredReply)>>);

impl TestLeads {
    /// The answer that was given for a lead of this source.
    #[must_use]
    pub fn find(&self, source: &SourceId, lead: LeadId) -> Option<StoredReply> {
        let leads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = leads.iter().find(|(whose, which, _)| whose == source && *which == lead);
        found.map(|(_, _, reply)| reply.clone())
    }

    fn keep(&self, source: SourceId, lead: LeadId, reply: StoredReply) {
        let mut leads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if leads.len() >= LEADS_KEPT {
            leads.pop_front();
        }
        leads.push_back((source, lead, reply));
    }
}

/// Answers a request made with a test key.
///
/// # Errors
/// The refusals a live request would get.
pub async fn answer(api: &SellerApi, kind: Kind, call: Call) -> Result<Replied, Problem> {
    let mut fields = call.fields.clone();
    let reserved = reserved::take(&mut fields, call.tree.vertical.currency());
    let simulated = chosen(&call, &mut fields)?;
    let unknown_fields = check(kind, &call, &fields, reserved.sealed)?;
    let delay = simulated.delay().min(reserved.max_time.unwrap_or(SLOW));
    api.engine.clock().sleep_until(api.engine.now().after(delay)).await;
    let currency = call.tree.vertical.currency();
    let frame = Frame { currency, test: true, unknown_fields };
    let id = match kind {
        Kind::Lead | Kind::Ping => new_lead_id(call.received_at),
        Kind::PostOn(ping) => LeadId::from_bytes(ping.to_bytes()),
    };
    let answer = simulated.answer(currency);
    if kind == Kind::Ping {
        return Ok(Replied::fresh(ping(&call, id, simulated, &frame)));
    }
    let reply = reply::lead(id, &answer, &frame);
    api.test_leads.keep(call.source.id.clone(), id, reply.clone());
    Ok(Replied::fresh(reply))
}

fn ping(call: &Call, id: LeadId, simulated: Simulated, frame: &Frame) -> StoredReply {
    let ping = PingId::from_bytes(id.to_bytes());
    let payout = simulated.answer(frame.currency).payout;
    match payout.or_else(|| Money::parse(PAID, frame.currency).ok()) {
        Some(payout) if simulated.bids() => {
            let expires_at = call.received_at.after(call.tree.promise_lifetime);
            reply::bid(&Promise { ping, payout, expires_at, bids: Vec::new() }, frame)
        }
        Some(_) | None => reply::no_bid(ping, &simulated.answer(frame.currency).reasons, frame),
    }
}

/// The outcome that the request asks for. A magic zip is no real one: the vertical's example takes
/// its place before the fields are checked.
fn chosen(call: &Call, fields: &mut Fields) -> Result<Simulated, Problem> {
    let by_zip = magic_zip(&call.tree.vertical, fields);
    let Some(header) = call.headers.get("rialto-simulate") else {
        return Ok(by_zip.unwrap_or(Simulated::Sold));
    };
    header.to_str().ok().and_then(|word| Simulated::of_word(word.trim())).ok_or_else(|| {
        let wanted = "expected sold, shared, unsold, duplicate, rejected, unknown or timeout";
        Problem::field("Rialto-Simulate", Invalid::BadValue, wanted)
    })
}

fn magic_zip(vertical: &Vertical, fields: &mut Fields) -> Option<Simulated> {
    let (_, text) = fields.pairs.iter_mut().find(|(name, _)| name == "zip")?;
    let simulated = Simulated::of_zip(text.trim())?;
    let example = vertical.field(vertical.index("zip")?).example.as_ref();
    *text = example.map_or_else(|| "78701".to_owned(), ToString::to_string);
    with_its_state(vertical, fields);
    Some(simulated)
}

/// Where the vertical asks that zip and state agree, the example's state comes with its zip.
fn with_its_state(vertical: &Vertical, fields: &mut Fields) {
    for check in vertical.checks() {
        let CheckKind::StateMatchesZip { state, .. } = check.kind else { continue };
        let Field { name, example: Some(example), .. } = vertical.field(state) else { continue };
        if let Some((_, text)) = fields.pairs.iter_mut().find(|(known, _)| known == name) {
            *text = example.to_string();
        }
    }
}

fn check(
    kind: Kind,
    call: &Call,
    fields: &Fields,
    sealed: Vec<(String, String)>,
) -> Result<Vec<String>, Problem> {
    let stage = if kind == Kind::Ping { Stage::Ping } else { Stage::Post };
    let today = day_of(call.received_at);
    let from = IntakeFields {
        stage,
        fields: &fields.pairs,
        sealed,
        pinged: None,
        ping_counts: false,
        today,
    };
    let taken = intake(new_lead_id(call.received_at), &call.tree.vertical, from);
    match taken {
        Ok(taken) if fields.errors.is_empty() => Ok(taken.unknown),
        Ok(_) => Err(Problem::fields(fields.errors.clone())),
        Err(mut errors) => {
            errors.extend(fields.errors.iter().cloned());
            Err(Problem::fields(errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_zips_and_words_choose_outcomes() {
        let of = |simulated: Simulated| simulated.answer(Currency::USD);
        assert_eq!(of(Simulated::of_zip("00001").unwrap()).status, LeadStatus::Sold);
        assert_eq!(of(Simulated::of_zip("00003").unwrap()).status, LeadStatus::Duplicate);
        let next = of(Simulated::of_zip("00005").unwrap());
        assert_eq!(next.payout.unwrap().amount_text(), "8.00");
        let two = of(Simulated::of_word("shared").unwrap());
        let each: Vec<String> = two.sales.iter().map(|sale| sale.payout.amount_text()).collect();
        assert_eq!(
            (each.join(" "), two.payout.unwrap().amount_text().as_str()),
            ("10.00 8.00".to_owned(), "18.00")
        );
        assert_eq!(of(Simulated::of_word("unknown").unwrap()).status, LeadStatus::Pending);
        assert_eq!(Simulated::of_word("SOLD"), None);
        assert_eq!(Simulated::of_zip("78701"), None);
    }

    #[test]
    fn only_the_latest_test_leads_are_kept_and_only_for_their_source() {
        let leads = TestLeads::default();
        let (mine, other): (SourceId, SourceId) =
            ("kart/a".parse().unwrap(), "kart/b".parse().unwrap());
        let id = |n: u16| LeadId::from_bytes(u128::from(n).to_be_bytes());
        let reply = StoredReply { http_status: 200, body: Vec::new() };
        for n in 0..=u16::try_from(LEADS_KEPT).unwrap() {
            leads.keep(mine.clone(), id(n), reply.clone());
        }
        assert_eq!(leads.find(&mine, id(0)), None);
        assert_eq!(leads.find(&mine, id(1)), Some(reply));
        assert_eq!(leads.find(&other, id(1)), None);
    }
}
