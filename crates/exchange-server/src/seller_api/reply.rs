//! Business answers as JSON bytes: what is stored with a commit and sent to the seller.
//!
//! `price` is what the seller is paid. What the buyer pays appears nowhere here.

use exchange_core::record::{Answer, Promise, SoldTo};
use exchange_model::reason::LeadStatus;
use exchange_model::{Currency, LeadId, Money, PingId};
use exchange_store::{LeadStanding, StoredReply};
use serde_json::{Value, json};

use super::problem::printable_name;

/// What every answer to one request says besides its outcome.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The currency of the vertical.
    pub currency: Currency,
    /// Whether nothing of this was real.
    pub test: bool,
    /// Names of fields that the vertical does not know.
    pub unknown_fields: Vec<String>,
}

impl Frame {
    fn warnings(&self) -> Vec<Value> {
        self.unknown_fields
            .iter()
            .map(|name| {
                json!({
                    "field": printable_name(name),
                    "code": "unknown_field",
                    "detail": "kept sealed with the lead and never pinged",
                })
            })
            .collect()
    }
}

/// The amount as it is booked: whole minor units.
fn amount(money: Option<Money>) -> Option<String> {
    money.map(|money| money.rounded().amount_text())
}

/// Each sale of a lead that may go to several buyers.
fn sales(sold: &[SoldTo]) -> Vec<Value> {
    let sale = |sold: &SoldTo| {
        json!({
            "price": amount(Some(sold.payout)),
            "redirect_url": sold.redirect_url,
            "name": sold.name,
        })
    };
    sold.iter().map(sale).collect()
}

/// A lead that was sold exclusively has no list: its answer is that of every exclusive lead.
fn with_sales(mut body: Value, sold: &[SoldTo]) -> Value {
    if let (Some(fields), false) = (body.as_object_mut(), sold.is_empty()) {
        fields.insert("sales".to_owned(), sales(sold).into());
    }
    body
}

fn stored(body: &Value) -> StoredReply {
    StoredReply { http_status: 200, body: body.to_string().into_bytes() }
}

/// The answer to a post.
#[must_use]
pub fn lead(lead: LeadId, answer: &Answer, frame: &Frame) -> StoredReply {
    let body = json!({
        "lead_id": lead.to_string(),
        "status": answer.status.code(),
        "price": amount(answer.payout),
        "currency": frame.currency.as_str(),
        "redirect_url": answer.redirect_url,
        "test": frame.test,
        "reasons": answer.reasons,
        "warnings": frame.warnings(),
    });
    stored(&with_sales(body, &answer.sales))
}

/// The answer to a post whose outcome is not durable yet, or will be known later.
#[must_use]
pub fn pending(id: LeadId, frame: &Frame) -> StoredReply {
    let answer = Answer {
        sales: Vec::new(),
        status: LeadStatus::Pending,
        payout: None,
        redirect_url: None,
        reasons: Vec::new(),
    };
    lead(id, &answer, frame)
}

/// The answer to a ping that somebody bid on.
#[must_use]
pub fn bid(promise: &Promise, frame: &Frame) -> StoredReply {
    stored(&json!({
        "ping_id": promise.ping.to_string(),
        "status": "bid",
        "price": amount(Some(promise.payout)),
        "currency": frame.currency.as_str(),
        "expires_at": promise.expires_at.to_string(),
        "test": frame.test,
        "reasons": [],
        "warnings": frame.warnings(),
    }))
}

/// The answer to a ping that nobody bid on.
#[must_use]
pub fn no_bid(ping: PingId, reasons: &[String], frame: &Frame) -> StoredReply {
    stored(&json!({
        "ping_id": ping.to_string(),
        "status": "no_bid",
        "price": null,
        "currency": frame.currency.as_str(),
        "expires_at": null,
        "test": frame.test,
        "reasons": reasons,
        "warnings": frame.warnings(),
    }))
}

/// How a lead stands. While its auction runs it is `pending`.
#[must_use]
pub fn standing(standing: &LeadStanding, currency: Currency) -> StoredReply {
    let status = standing.status.unwrap_or(LeadStatus::Pending);
    let currency = standing.payout.map_or(currency, |payout| payout.currency());
    let body = json!({
        "lead_id": standing.lead.to_string(),
        "status": status.code(),
        "price": amount(standing.payout),
        "currency": currency.as_str(),
        "redirect_url": standing.redirect_url,
        "test": false,
        "reasons": standing.reasons,
        "received_at": standing.received_at.to_string(),
        "answered_at": standing.answered_at.map(|at| at.to_string()),
    });
    stored(&with_sales(body, &standing.sales))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_what_is_booked_and_unknown_fields_are_named() {
        let answer = Answer {
            sales: Vec::new(),
            status: LeadStatus::Sold,
            payout: Some(Money::parse("25.096", Currency::USD).unwrap()),
            redirect_url: None,
            reasons: Vec::new(),
        };
        let frame = Frame {
            currency: Currency::USD,
            test: false,
            unknown_fields: vec!["nickname".to_owned(), "jane@example.com".to_owned()],
        };
        let body = String::from_utf8(lead(LeadId::from_bytes([0; 16]), &answer, &frame).body);
        let body = body.unwrap();
        assert!(body.starts_with(r#"{"lead_id":"lead_"#), "{body}");
        assert!(body.contains(r#""status":"sold","price":"25.10","currency":"USD""#), "{body}");
        assert!(body.contains("nickname") && !body.contains("jane"), "{body}");
        assert!(!body.contains("sales"), "an exclusive sale is one: {body}");
    }

    #[test]
    fn a_lead_that_went_to_several_names_the_total_and_each_sale() {
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        let sold = |payout, url: Option<&str>, name: Option<&str>| SoldTo {
            payout: usd(payout),
            redirect_url: url.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        let url = "https://roof.example/thanks";
        let answer = Answer {
            status: LeadStatus::Sold,
            payout: Some(usd("20.50")),
            redirect_url: Some(url.to_owned()),
            sales: vec![sold("12", Some(url), Some("Roof Co")), sold("8.5", None, None)],
            reasons: Vec::new(),
        };
        let frame = Frame { currency: Currency::USD, test: false, unknown_fields: Vec::new() };
        let body = lead(LeadId::from_bytes([0; 16]), &answer, &frame).body;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["price"], &body["redirect_url"]), (&json!("20.50"), &json!(url)));
        let expected = json!([
            { "price": "12.00", "redirect_url": url, "name": "Roof Co" },
            { "price": "8.50", "redirect_url": null, "name": null },
        ]);
        assert_eq!(body["sales"], expected);
    }
}
