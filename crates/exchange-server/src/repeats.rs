//! Pings that are asked twice: the same ping within its promise gets the same promise.
//!
//! Kept in memory by a keyed hash of everything that a promise was made for, so that no value of a
//! person is here. Only pings that name a person count: two consumers of one zip and age are not
//! one. A restart forgets; then the ping is a new one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use exchange_core::record::Promise;
use exchange_model::{FieldClass, FieldType, Lead, Money, PingId, SourceId, Timestamp};
use exchange_store::StoredReply;
use exchange_store::vault::DerivedKeys;
use ping_tree::Wishes;

/// Most promises that are remembered; the oldest go first.
const KEPT_MAX: usize = 20_000;

/// A keyed hash of what a ping says.
pub type Repeat = [u8; 32];

/// What makes two pings the same, beside their lead.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whose.
    pub source: &'a SourceId,
    /// The least payout.
    pub min_price: Option<Money>,
    /// What it asks of buyers.
    pub wishes: &'a Wishes,
    /// The fields that its answer names as unknown.
    pub unknown: &'a [String],
}

/// What a ping is recognised by; nothing when it names nobody by phone or e-mail.
#[must_use]
pub fn of(lead: &Lead, asked: Asked<'_>, keys: &DerivedKeys) -> Option<Repeat> {
    let vertical = lead.vertical();
    let print = |name: &str| lead.contact().fingerprint(vertical, name, keys.fingerprints());
    let mut names_somebody = false;
    let mut contact = Vec::new();
    for (_, field) in vertical.fields().filter(|(_, field)| field.class != FieldClass::Open) {
        let Some(print) = print(&field.name) else { continue };
        names_somebody |= matches!(field.kind, FieldType::UsPhone | FieldType::Email);
        contact.push((&field.name, hex::encode(print.as_bytes())));
    }
    let Asked { source, min_price, wishes, unknown } = asked;
    let open: Vec<(&str, String)> = lead.attributes().pairs(vertical).collect();
    let consented_to = lead.consented_to().map(exchange_model::BrandList::as_slice);
    let said = serde_json::json!([
        source.as_str(),
        vertical.id().as_str(),
        open,
        contact,
        consented_to,
        min_price.map(|price| price.to_string()),
        wishes.max_buyers,
        wishes.exclude.as_slice(),
        unknown,
    ]);
    names_somebody.then(|| keys.body_fingerprint(format!("repeat\n{said}").as_bytes()))
}

/// A promise that was given.
#[derive(Clone, Debug)]
struct Kept {
    ping: PingId,
    expires_at: Timestamp,
    reply: StoredReply,
}

/// The latest promises.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    promises: HashMap<Repeat, Kept>,
    /// In the order in which they were given.
    order: VecDeque<(Repeat, PingId)>,
}

impl Repeats {
    /// Remembers what a ping was promised.
    pub fn keep(&self, repeat: Repeat, promise: &Promise, reply: StoredReply) {
        let Promise { ping, expires_at, .. } = *promise;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.promises.insert(repeat, Kept { ping, expires_at, reply });
        known.order.push_back((repeat, ping));
        while known.order.len() > KEPT_MAX {
            known.drop_oldest();
        }
    }

    /// What the same ping was promised, if that holds at this moment.
    #[must_use]
    pub fn find(&self, repeat: &Repeat, now: Timestamp) -> Option<(PingId, StoredReply)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = known.promises.get(repeat).filter(|kept| kept.expires_at > now)?;
        Some((kept.ping, kept.reply.clone()))
    }
}

impl Known {
    /// The same ping may have been promised something since: that stays.
    fn drop_oldest(&mut self) {
        let Some((repeat, ping)) = self.order.pop_front() else { return };
        if self.promises.get(&repeat).is_some_and(|kept| kept.ping == ping) {
            self.promises.remove(&repeat);
        }
    }
}

#[cfg(test)]
mod tests {
    use exchange_model::Currency;

    use super::*;

    fn promise(number: u8) -> Promise {
        Promise {
            ping: PingId::from_bytes([number; 16]),
            payout: Money::parse("8.00", Currency::USD).unwrap(),
            expires_at: Timestamp::from_unix_millis(1_000),
            bids: Vec::new(),
        }
    }

    #[test]
    fn a_promise_is_found_until_it_ends_and_the_oldest_go_first() {
        let repeats = Repeats::default();
        let reply = StoredReply { http_status: 200, body: b"{}".to_vec() };
        repeats.keep([1; 32], &promise(1), reply.clone());
        let found = repeats.find(&[1; 32], Timestamp::from_unix_millis(999));
        assert_eq!(found, Some((PingId::from_bytes([1; 16]), reply.clone())));
        assert_eq!(repeats.find(&[1; 32], Timestamp::from_unix_millis(1_000)), None);
        for number in 0..KEPT_MAX {
            let mut other = [0; 32];
            other[..8].copy_from_slice(&number.to_be_bytes());
            repeats.keep(other, &promise(2), reply.clone());
        }
        assert_eq!(repeats.find(&[1; 32], Timestamp::from_unix_millis(0)), None);
        assert_eq!(repeats.0.lock().unwrap().promises.len(), KEPT_MAX);
    }
}
