//! boberdoo `pingPostLead`: one address for everything; the sample's Prairie Leads.
//!
//! A ping is a GET with everything in the query, a post is a form. As with the real one, no price
//! comes back without `Return_Best_Price=1`, and an unmatched answer carries a `lead_id` too.

use http::Method;

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{Fields, form, phone_digits, xml_text};

pub(crate) struct Boberdoo {
    pub(crate) key: String,
}

impl Boberdoo {
    fn check(&self, fields: &Fields, required: &[&str]) -> Result<(), Reply> {
        if fields.text("Key") != self.key || fields.text("API_Action") != "pingPostLead" {
            return Err(error("Invalid Key or API_Action"));
        }
        match required.iter().find(|name| fields.text(name).is_empty()) {
            Some(missing) => Err(error(&format!("Required value {missing} is missing"))),
            None => Ok(()),
        }
    }
}

impl Dialect for Boberdoo {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        match (method, path) {
            (&Method::GET, "/new_api/api.php") => Some(RequestKind::Ping),
            (&Method::POST, "/new_api/api.php") => Some(RequestKind::Post),
            _ => None,
        }
    }

    fn read_ping(&self, request: &Request) -> Result<Asked, Reply> {
        let fields = form(request.query.as_bytes());
        self.check(&fields, &["TYPE", "SRC", "Zip"])?;
        if fields.text("Mode") != "ping" {
            return Err(error("Invalid Mode"));
        }
        let content = ["Zip", "State", "Age", "Insured", "Vehicle_Year"];
        Ok(Asked { content: fields.line(&content) })
    }

    fn write_bid(&self, request: &Request, bid: &Bid<'_>) -> Reply {
        let priced = form(request.query.as_bytes()).text("Return_Best_Price") == "1";
        response(&match bid {
            Bid::Offer { price, token, .. } if priced => format!(
                "<status>Matched</status><lead_id>{}</lead_id><price>{price}</price>",
                xml_text(token)
            ),
            Bid::Offer { token, .. } => {
                format!("<status>Matched</status><lead_id>{}</lead_id>", xml_text(token))
            }
            Bid::Pass { token } => {
                format!("<status>Unmatched</status><lead_id>{}</lead_id>", xml_text(token))
            }
        })
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = form(&request.body);
        self.check(&fields, &["TYPE", "SRC", "Lead_ID", "Primary_Phone"])?;
        if fields.text("Mode") != "post" {
            return Err(error("Invalid Mode"));
        }
        Ok(Offered {
            token: Some(fields.text("Lead_ID").to_owned()),
            told: fields.told("Price"),
            idempotency_key: request.idempotency_key(),
            phone: phone_digits(fields.text("Primary_Phone")),
        })
    }

    fn write_decision(&self, _request: &Request, decision: &Decision<'_>) -> Reply {
        response(&match decision {
            Decision::Bought { reference, .. } => {
                format!("<status>Matched</status><lead_id>{}</lead_id>", xml_text(reference))
            }
            Decision::Refused(Refusal::Duplicate) => {
                "<status>Unmatched</status><error>Duplicate lead</error>".to_owned()
            }
            Decision::Refused(Refusal::UnknownToken) => {
                "<status>Error</status><error>Invalid Lead_ID</error>".to_owned()
            }
            Decision::Refused(Refusal::Filter) => {
                "<status>Unmatched</status><error>No buyer</error>".to_owned()
            }
            Decision::Refused(Refusal::Price) => {
                "<status>Unmatched</status><error>Price above bid</error>".to_owned()
            }
        })
    }
}

fn error(what: &str) -> Reply {
    response(&format!("<status>Error</status><error>{}</error>", xml_text(what)))
}

fn response(inner: &str) -> Reply {
    Reply::xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>{inner}</response>"))
}
