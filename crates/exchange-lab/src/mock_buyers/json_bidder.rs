//! A carrier with nested JSON behind an `X-Api-Key` header; the sample's Acme Mutual.

use http::{Method, StatusCode};

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{Fields, json, json_text, phone_digits};

pub(crate) struct JsonBidder {
    pub(crate) api_key: String,
}

impl JsonBidder {
    fn read(&self, request: &Request) -> Result<Fields, Reply> {
        if request.header("x-api-key") != self.api_key {
            return Err(error(StatusCode::UNAUTHORIZED, "unknown key"));
        }
        json(&request.body).ok_or_else(|| error(StatusCode::BAD_REQUEST, "not a JSON object"))
    }
}

impl Dialect for JsonBidder {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        match (method, path) {
            (&Method::POST, "/v2/ping") => Some(RequestKind::Ping),
            (&Method::POST, "/v2/post") => Some(RequestKind::Post),
            _ => None,
        }
    }

    fn read_ping(&self, request: &Request) -> Result<Asked, Reply> {
        let fields = self.read(request)?;
        if fields.text("consumer.zip").is_empty() || fields.text("consumer.birth_year").is_empty() {
            return Err(error(StatusCode::OK, "consumer.zip and consumer.birth_year are required"));
        }
        let content =
            ["consumer.zip", "consumer.birth_year", "consumer.credit", "consumer.insured"];
        Ok(Asked { content: fields.line(&content) })
    }

    fn write_bid(&self, _request: &Request, bid: &Bid<'_>) -> Reply {
        Reply::json(match bid {
            Bid::Offer { price, currency, token } => format!(
                r#"{{"status":"ACCEPT","ref":{},"bid":{{"usd":{price},"currency":{}}}}}"#,
                json_text(token),
                json_text(currency)
            ),
            Bid::Pass { token } => {
                format!(r#"{{"status":"DECLINE","ref":{},"reason":"FLT"}}"#, json_text(token))
            }
        })
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = self.read(request)?;
        if fields.text("lead.phone").is_empty() || fields.text("ref").is_empty() {
            return Err(error(StatusCode::OK, "ref and lead.phone are required"));
        }
        Ok(Offered {
            token: Some(fields.text("ref").to_owned()),
            told: fields.told("price"),
            idempotency_key: request.idempotency_key(),
            phone: phone_digits(fields.text("lead.phone")),
        })
    }

    fn write_decision(&self, _request: &Request, decision: &Decision<'_>) -> Reply {
        Reply::json(match decision {
            Decision::Bought { price, currency, reference } => format!(
                r#"{{"status":"SOLD","id":{id},"price":{price},"currency":{},"redirect_url":"https://www.acme.example/thanks?id={reference}"}}"#,
                json_text(currency),
                id = json_text(&format!("AM-{reference}")),
            ),
            Decision::Refused(refusal) => {
                format!(r#"{{"status":"REJECTED","reason":"{}"}}"#, code(*refusal))
            }
        })
    }
}

const fn code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Duplicate => "DUP",
        Refusal::UnknownToken => "REF",
        Refusal::Filter => "FLT",
        Refusal::Price => "PRC",
    }
}

fn error(status: StatusCode, what: &str) -> Reply {
    Reply::json(format!(r#"{{"status":"ERROR","error":{}}}"#, json_text(what))).with_status(status)
}
