//! A carrier with XML both ways and words of its own; the sample's Bluebonnet.

use http::Method;

use super::RequestKind;
use super::answer::{Asked, Bid, Decision, Dialect, Offered, Refusal, Reply, Request};
use super::wire::{Fields, phone_digits, xml, xml_text};

pub(crate) struct XmlBidder {
    pub(crate) key: String,
}

impl XmlBidder {
    fn read(&self, request: &Request, root: &str) -> Result<Fields, Reply> {
        let fields = xml(&request.body).ok_or_else(|| error("the request is not readable XML"))?;
        if fields.text(&format!("/{root}/Key")) != self.key {
            return Err(error("invalid key"));
        }
        Ok(fields)
    }
}

impl Dialect for XmlBidder {
    fn kind(&self, method: &Method, path: &str, _query: &str) -> Option<RequestKind> {
        match (method, path) {
            (&Method::POST, "/ping.aspx") => Some(RequestKind::Ping),
            (&Method::POST, "/post.aspx") => Some(RequestKind::Post),
            _ => None,
        }
    }

    fn read_ping(&self, request: &Request) -> Result<Asked, Reply> {
        let fields = self.read(request, "Ping")?;
        if fields.text("/Ping/Zip").is_empty() {
            return Err(error("Required value Zip is missing"));
        }
        let content = ["/Ping/Zip", "/Ping/Yob", "/Ping/Vehicle/@year", "/Ping/Vehicle/@make"];
        Ok(Asked { content: fields.line(&content) })
    }

    fn write_bid(&self, _request: &Request, bid: &Bid<'_>) -> Reply {
        response(&match bid {
            Bid::Offer { price, token, .. } => format!(
                "<status>Matched</status><lead_id>{}</lead_id><price>{price}</price>",
                xml_text(token)
            ),
            Bid::Pass { token } => {
                format!("<status>Unmatched</status><lead_id>{}</lead_id>", xml_text(token))
            }
        })
    }

    fn read_post(&self, request: &Request) -> Result<Offered, Reply> {
        let fields = self.read(request, "Post")?;
        Ok(Offered {
            token: Some(fields.text("/Post/LeadId").to_owned()),
            told: fields.told("/Post/Price"),
            idempotency_key: request.idempotency_key(),
            phone: phone_digits(fields.text("/Post/Phone")),
        })
    }

    fn write_decision(&self, _request: &Request, decision: &Decision<'_>) -> Reply {
        response(&match decision {
            Decision::Bought { price, reference, .. } => format!(
                "<status>Sold</status><lead_id>{}</lead_id><price>{price}</price>",
                xml_text(reference)
            ),
            Decision::Refused(Refusal::Duplicate) => {
                "<status>Duplicate</status><error>Duplicate consumer</error>".to_owned()
            }
            Decision::Refused(Refusal::UnknownToken) => {
                "<status>Unmatched</status><error>Unknown LeadId</error>".to_owned()
            }
            Decision::Refused(Refusal::Filter) => {
                "<status>Unmatched</status><error>Underwriting</error>".to_owned()
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
