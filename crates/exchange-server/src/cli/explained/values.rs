//! What was read of a reply beside its outcome, by the names that config gives it.
//!
//! Nothing is masked here: whoever reads this has the reply itself before them.

use exchange_model::outcome::{Acceptance, BidToken, Handles, PingAnswer, PostAnswer};
use exchange_model::reason::{NoBid, Rejection};

type Values = Vec<(String, String)>;

/// Of a ping's answer.
pub(super) fn of_ping(answer: &PingAnswer) -> Values {
    let mut values = Values::new();
    match answer {
        PingAnswer::Bid { price, token } => {
            add(&mut values, "price", Some(price));
            token.iter().for_each(|token| tokens(&mut values, token));
        }
        PingAnswer::Available { token } => {
            token.iter().for_each(|token| tokens(&mut values, token));
        }
        PingAnswer::NoBid(NoBid::Declined(why)) => rejection(&mut values, why),
        PingAnswer::NoBid(_) => {}
    }
    values
}

/// Of a post's answer.
pub(super) fn of_post(answer: &PostAnswer) -> Values {
    let mut values = Values::new();
    match answer {
        PostAnswer::Accepted(accepted) => acceptance(&mut values, accepted),
        PostAnswer::Rejected(why) => rejection(&mut values, why),
        PostAnswer::Pending(given) => handles(&mut values, "values", given),
        PostAnswer::NotSent(_) | PostAnswer::Unknown(_) => {}
    }
    values
}

fn add(values: &mut Values, name: &str, value: Option<impl ToString>) {
    values.extend(value.map(|value| (name.to_owned(), value.to_string())));
}

fn handles(values: &mut Values, under: &str, given: &Handles) {
    for (name, value) in &given.0 {
        add(values, &format!("{under}.{name}"), Some(value));
    }
}

fn tokens(values: &mut Values, token: &BidToken) {
    handles(values, "tokens", &token.tokens);
    for brand in &token.brands {
        let parts = [brand.id.clone(), brand.name.clone(), brand.price.map(|p| p.to_string())];
        add(values, "bid", Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    }
    add(values, "lifetime", token.lifetime.map(|life| format!("{} s", life.as_secs())));
}

fn rejection(values: &mut Values, why: &Rejection) {
    add(values, "class", Some(why.class));
    add(values, "reason", why.text.as_ref());
    add(values, "counter", why.counter.as_ref());
}

fn acceptance(values: &mut Values, accepted: &Acceptance) {
    add(values, "price", accepted.price.as_ref());
    add(values, "ref", accepted.buyer_ref.as_ref());
    add(values, "redirect", accepted.redirect_url.as_ref());
    let named = |name: &str| name != "ref" || accepted.buyer_ref.is_none();
    for (name, value) in accepted.handles.0.iter().filter(|(name, _)| named(name)) {
        add(values, &format!("values.{name}"), Some(value));
    }
    for leg in &accepted.legs {
        let id = leg.brand.id.as_deref().unwrap_or_default();
        let said = if leg.accepted { "accepted" } else { "not accepted" };
        add(values, "leg", Some(format!("{id} {said}").trim()));
    }
}
