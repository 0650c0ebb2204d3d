//! No ping, a form, a line of text: `OK 123` or `ERR duplicate`; the sample's Lone Star Agents.

use http::Method;

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{form, phone_digits};

pub(crate) struct DirectPost {
    pub(crate) key: String,
}

impl Dialect for DirectPost {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        (method == Method::POST && path == "/lead").then_some(RequestKind::Post)
    }

    fn read_ping(&self, _request: &Request) -> Result<Asked, Reply> {
        Err(Reply::not_found())
    }

    fn write_bid(&self, _request: &Request, _bid: &Bid<'_>) -> Reply {
        Reply::not_found()
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = form(&request.body);
        if fields.text("key") != self.key {
            return Err(Reply::text("ERR key".to_owned()));
        }
        if let Some(missing) = ["fn", "ln", "ph", "zip"].iter().find(|f| fields.text(f).is_empty())
        {
            return Err(Reply::text(format!("ERR missing {missing}")));
        }
        Ok(Offered {
            token: None,
            told: fields.told("price"),
            idempotency_key: request.idempotency_key(),
            phone: phone_digits(fields.text("ph")),
        })
    }

    fn write_decision(&self, _request: &Request, decision: &Decision<'_>) -> Reply {
        Reply::text(match decision {
            Decision::Bought { reference, .. } => format!("OK {reference}"),
            Decision::Refused(Refusal::Duplicate) => "ERR duplicate".to_owned(),
            Decision::Refused(Refusal::Price) => "ERR price".to_owned(),
            Decision::Refused(Refusal::UnknownToken | Refusal::Filter) => "ERR area".to_owned(),
        })
    }
}
