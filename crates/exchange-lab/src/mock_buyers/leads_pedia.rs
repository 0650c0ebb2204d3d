//! LeadsPedia `ping.do` and `post.do`; the sample's Sunbelt Marketplace.
//!
//! Fields are always a form; the answer is XML unless `lp_response=JSON`. A refused ping carries a
//! `ping_id` and a price of `0.00`, which must not be taken for a bid.

use http::Method;

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{Fields, form, json_text, phone_digits, xml_text};

pub(crate) struct LeadsPedia {
    pub(crate) campaign_id: String,
    pub(crate) campaign_key: String,
}

/// The one answer of this dialect, before it is written as JSON or XML.
struct Answer<'a> {
    accepted: bool,
    msg: &'a str,
    id: (&'a str, &'a str),
    price: &'a str,
    error: Option<&'a str>,
}

impl LeadsPedia {
    fn read(&self, request: &Request, required: &[&str]) -> Result<Fields, Reply> {
        let fields = form(&request.body);
        let known = fields.text("lp_campaign_id") == self.campaign_id
            && fields.text("lp_campaign_key") == self.campaign_key;
        if !known {
            return Err(failed(request, "Invalid campaign"));
        }
        match required.iter().find(|name| fields.text(name).is_empty()) {
            Some(missing) => Err(failed(request, &format!("{missing} is required"))),
            None => Ok(fields),
        }
    }
}

impl Dialect for LeadsPedia {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        match (method, path) {
            (&Method::POST, "/ping.do") => Some(RequestKind::Ping),
            (&Method::POST, "/post.do") => Some(RequestKind::Post),
            _ => None,
        }
    }

    fn read_ping(&self, request: &Request) -> Result<Asked, Reply> {
        let fields = self.read(request, &["zip_code", "state"])?;
        let content = ["zip_code", "state", "birth_year", "vehicle_year", "home_owner"];
        Ok(Asked { content: fields.line(&content) })
    }

    fn write_bid(&self, request: &Request, bid: &Bid<'_>) -> Reply {
        let answer = match bid {
            Bid::Offer { price, token, .. } => Answer {
                accepted: true,
                msg: "Ping Accepted",
                id: ("ping_id", token),
                price,
                error: None,
            },
            Bid::Pass { token } => Answer {
                accepted: false,
                msg: "Ping Rejected",
                id: ("ping_id", token),
                price: "0.00",
                error: Some("No coverage"),
            },
        };
        answer.write(request)
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = self.read(request, &["lp_ping_id", "phone_home"])?;
        Ok(Offered {
            token: Some(fields.text("lp_ping_id").to_owned()),
            told: fields.told("price"),
            idempotency_key: request.idempotency_key(),
            phone: phone_digits(fields.text("phone_home")),
        })
    }

    fn write_decision(&self, request: &Request, decision: &Decision<'_>) -> Reply {
        let answer = match decision {
            Decision::Bought { price, reference, .. } => Answer {
                accepted: true,
                msg: "Lead Accepted",
                id: ("lead_id", reference),
                price,
                error: None,
            },
            Decision::Refused(refusal) => Answer {
                accepted: false,
                msg: "Lead Rejected",
                id: ("lead_id", ""),
                price: "0.00",
                error: Some(words(*refusal)),
            },
        };
        answer.write(request)
    }
}

impl Answer<'_> {
    fn write(&self, request: &Request) -> Reply {
        if form(&request.body).text("lp_response") == "JSON" { self.json() } else { self.xml() }
    }

    fn json(&self) -> Reply {
        let (id_name, id) = self.id;
        let errors = self
            .error
            .map_or_else(String::new, |error| format!(r#"{{"error":{}}}"#, json_text(error)));
        Reply::json(format!(
            r#"{{"result":"{}","msg":"{}","{id_name}":{},"price":"{}","errors":[{errors}]}}"#,
            self.result(),
            self.msg,
            json_text(id),
            self.price,
        ))
    }

    fn xml(&self) -> Reply {
        let (id_name, id) = self.id;
        let errors = self.error.map_or_else(String::new, |error| {
            format!("<errors><error>{}</error></errors>", xml_text(error))
        });
        Reply::xml(format!(
            "<?xml version=\"1.0\"?><response><result>{}</result><msg>{}</msg><{id_name}>{}</{id_name}><price>{}</price>{errors}</response>",
            self.result(),
            self.msg,
            xml_text(id),
            self.price,
        ))
    }

    const fn result(&self) -> &'static str {
        if self.accepted { "success" } else { "failed" }
    }
}

const fn words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Duplicate => "Duplicate",
        Refusal::UnknownToken => "Invalid ping id",
        Refusal::Filter => "No coverage",
        Refusal::Price => "Price above bid",
    }
}

fn failed(request: &Request, error: &str) -> Reply {
    let answer = Answer {
        accepted: false,
        msg: "Invalid Request",
        id: ("ping_id", ""),
        price: "0.00",
        error: Some(error),
    };
    answer.write(request)
}
