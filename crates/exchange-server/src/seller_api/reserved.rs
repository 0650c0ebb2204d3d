//! The fields that the API keeps for itself: taken out of a body before the vertical sees it.

use std::time::Duration;

use exchange_model::lead::FieldError;
use exchange_model::reason::Invalid;
use exchange_model::{BrandList, Currency, LeadId, Money};
use ping_tree::BUYERS_MAX;
use url::Url;

use super::body::Fields;
use super::callback_url;

/// Longest `seller_lead_id` and `sub_id`, in bytes.
const ID_MAX: usize = 256;
const SUB_IDS: [&str; 5] = ["sub_id1", "sub_id2", "sub_id3", "sub_id4", "sub_id5"];

/// What a request says about itself.
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    /// The seller's own name for the lead: sealed, because it may identify a person.
    pub seller_lead_id: Option<String>,
    /// Sub-ids and the seller's id, kept sealed with the lead.
    pub sealed: Vec<(String, String)>,
    /// The least payout that is accepted.
    pub min_price: Option<Money>,
    /// A smaller budget than the tree's.
    pub max_time: Option<Duration>,
    /// Where to tell the outcome of a pending lead.
    pub callback_url: Option<Url>,
    /// Whom the consumer agreed to hear from.
    pub consented_to: Option<BrandList>,
    /// To how many buyers the lead may go at most.
    pub max_buyers: Option<u8>,
    /// Buyers and brands that have the lead already.
    pub exclude: Option<BrandList>,
    /// The lead that this one is posted again after.
    pub repost_of: Option<LeadId>,
}

/// Takes the reserved fields out; their faults join those of the body.
pub fn take(fields: &mut Fields, currency: Currency) -> Reserved {
    let mut reserved =
        Reserved { seller_lead_id: id(fields, "seller_lead_id"), ..Reserved::default() };
    if let Some(id) = &reserved.seller_lead_id {
        reserved.sealed.push(("seller_lead_id".to_owned(), id.clone()));
    }
    for name in SUB_IDS {
        if let Some(text) = id(fields, name) {
            reserved.sealed.push((name.to_owned(), text));
        }
    }
    reserved.min_price = parsed(fields, "min_price", |text| {
        Money::parse(text, currency).map_err(|_no_amount| "expected an amount like \"6.00\"")
    });
    reserved.max_time = parsed(fields, "max_time_ms", |text| {
        let millis = text.parse().ok().filter(|millis| *millis > 0);
        millis.map(Duration::from_millis).ok_or("expected a whole number of milliseconds above 0")
    });
    reserved.callback_url = parsed(fields, "callback_url", callback_url::check);
    reserved.consented_to = brands(fields, "consented_to");
    reserved.max_buyers = parsed(fields, "max_buyers", |text| {
        let most = text.parse().ok().filter(|most| (1..=BUYERS_MAX).contains(most));
        most.ok_or("expected a whole number from 1 to 10")
    });
    reserved.exclude = brands(fields, "exclude");
    reserved.repost_of = parsed(fields, "repost_of", |text| {
        text.parse().map_err(|_no_id| "expected the id of an earlier lead")
    });
    reserved
}

/// A list of names; one that is there and empty names nobody.
fn brands(fields: &mut Fields, name: &str) -> Option<BrandList> {
    let names = fields.take_list(name)?;
    match BrandList::new(names.iter().map(String::as_str)) {
        Ok(list) => Some(list),
        Err(refused) => {
            fields.errors.push(FieldError {
                field: name.to_owned(),
                code: Invalid::TooLarge,
                detail: refused.to_string(),
            });
            None
        }
    }
}

fn id(fields: &mut Fields, name: &str) -> Option<String> {
    let text = fields.take(name)?;
    if text.len() <= ID_MAX {
        return Some(text);
    }
    fields.errors.push(FieldError {
        field: name.to_owned(),
        code: Invalid::TooLarge,
        detail: format!("at most {ID_MAX} bytes"),
    });
    None
}

fn parsed<T>(
    fields: &mut Fields,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let text = fields.take(name)?;
    match read(text.trim()) {
        Ok(value) => Some(value),
        Err(wanted) => {
            fields.errors.push(FieldError {
                field: name.to_owned(),
                code: Invalid::BadValue,
                detail: wanted.to_owned(),
            });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_fields_leave_the_body_and_their_faults_stay() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut fields = Fields {
            pairs: vec![
                pair("zip", "78701"),
                pair("sub_id2", "s"),
                pair("min_price", "6,00"),
                pair("max_time_ms", "900"),
                pair("callback_url", "http://10.0.0.1/"),
                pair("max_buyers", "11"),
                pair("exclude", "Acme Mutual,Bolt"),
                pair("repost_of", "lead_x"),
            ],
            ..Fields::default()
        };
        let reserved = take(&mut fields, Currency::USD);
        assert_eq!(fields.pairs, [pair("zip", "78701")]);
        assert_eq!(reserved.sealed, [pair("sub_id2", "s")]);
        assert_eq!(reserved.max_time, Some(Duration::from_millis(900)));
        assert_eq!(reserved.exclude.unwrap().as_slice().len(), 2);
        let wrong: Vec<&str> = fields.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(wrong, ["min_price", "callback_url", "max_buyers", "repost_of"]);
    }
}
