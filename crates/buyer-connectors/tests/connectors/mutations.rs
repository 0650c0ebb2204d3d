//! Recorded replies with damage: every one of them is read as something, and never as more than it
//! was. A damaged no-bid is no bid, a damaged rejection no acceptance, and half a reply has no other
//! price than the whole.

use std::sync::Arc;

use buyer_connectors::{Connector, RawReply};
use exchange_model::Money;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::dialects::{Fixture, index};

/// What a reply is worth.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Worth {
    /// A bid, or an acceptance, and the price it names.
    Buys(Option<Money>),
    Refuses,
    /// Pending or unknown: nothing is won and nothing is lost.
    Open,
}

fn worth(connector: &Connector, stage: &str, reply: &RawReply<'_>) -> Worth {
    if stage == "ping" {
        return match connector.read_ping(reply) {
            PingAnswer::Bid { price, .. } => Worth::Buys(Some(price)),
            PingAnswer::Available { .. } => Worth::Buys(None),
            PingAnswer::NoBid(_) => Worth::Refuses,
        };
    }
    match connector.read_post(reply) {
        PostAnswer::Accepted(accepted) => Worth::Buys(accepted.price),
        PostAnswer::Rejected(_) => Worth::Refuses,
        PostAnswer::Pending(_) | PostAnswer::Unknown(_) => Worth::Open,
        PostAnswer::NotSent(why) => panic!("a reply says that nothing was sent: {why}"),
    }
}

/// A recorded reply with its reader, and what it is worth undamaged.
struct Case {
    fixture: Fixture,
    connector: Arc<Connector>,
    stage: &'static str,
    whole: Worth,
}

impl Case {
    fn of(&self, headers: &HeaderMap, body: &[u8]) -> Worth {
        let reply = RawReply { status: self.fixture.status, headers, body };
        worth(&self.connector, self.stage, &reply)
    }

    /// Damage never adds: what did not buy does not buy, and what bought does at its own price or
    /// not at all.
    fn is_no_more(&self, what: &str, body: &[u8]) {
        let damaged = self.of(&self.fixture.headers(), body);
        let Worth::Buys(price) = &damaged else { return };
        let Worth::Buys(own) = &self.whole else {
            panic!("{} {what}: {:?} became {damaged:?}", self.fixture.id, self.whole)
        };
        assert!(price.is_none() || price == own, "{} {what}: {damaged:?}", self.fixture.id);
        // A bid without a price would be taken at the campaign's own.
        let lost = self.stage == "ping" && price.is_none() && own.is_some();
        assert!(!lost, "{} {what}: the price is lost", self.fixture.id);
    }

    fn is_the_same(&self, what: &str, headers: &HeaderMap, body: &[u8]) {
        assert_eq!(self.of(headers, body), self.whole, "{} {what}", self.fixture.id);
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for one in index().iter().filter(|fixture| fixture.is_ours()) {
        for stage in one.stages() {
            let fixture = index().into_iter().find(|again| again.id == one.id).expect("itself");
            let connector = fixture.connector();
            let headers = fixture.headers();
            let reply = RawReply { status: fixture.status, headers: &headers, body: &fixture.body };
            let whole = worth(&connector, stage, &reply);
            cases.push(Case { connector, stage, whole, fixture });
        }
    }
    cases
}

#[test]
fn marks_blanks_line_ends_and_wrong_content_types_change_nothing() {
    for case in cases() {
        let (headers, body) = (case.fixture.headers(), &case.fixture.body);
        case.is_the_same("marked", &headers, &[b"\xef\xbb\xbf", body.as_slice()].concat());
        case.is_the_same(
            "indented",
            &headers,
            &[b"\r\n \t", body.as_slice(), b"\r\n\r\n "].concat(),
        );
        for wrong in ["text/html; charset=utf-8", "application/json", "text/xml", "image/png"] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, wrong.parse().expect("a content type"));
            case.is_the_same(wrong, &headers, body);
        }
        case.is_the_same("without a type", &HeaderMap::new(), body);
        // Line ends inside a document are layout, except inside the text of one.
        let text = String::from_utf8_lossy(body).replace('\n', "\r\n");
        case.is_the_same("with CRLF", &headers, text.as_bytes());
    }
}

#[test]
fn a_reply_that_is_cut_off_never_says_more_nor_another_price() {
    for case in cases() {
        let body = case.fixture.body.trim_ascii_end();
        for cut in (0..body.len()).step_by(7).chain(body.len().saturating_sub(8)..body.len()) {
            let (half, _) = body.split_at(cut);
            case.is_no_more(&format!("cut at {cut}"), half);
        }
    }
}

#[test]
fn what_stands_behind_a_reply_never_says_more() {
    for case in cases() {
        for behind in [
            "garbage",
            "<script>success</script>",
            "{\"status\":\"success\",\"price\":\"99.00\"}",
            "\n<response><status>Matched</status><price>99.00</price></response>",
            "\0\0\0",
            "|99.00",
            ",https://evil.example/",
        ] {
            let body = [case.fixture.body.trim_ascii_end(), behind.as_bytes()].concat();
            case.is_no_more(&format!("followed by {behind}"), &body);
        }
    }
}

#[test]
fn an_endless_or_bottomless_reply_says_nothing() {
    for case in cases() {
        let body = &case.fixture.body;
        let long = [body.as_slice(), &vec![b' '; 70 * 1024]].concat();
        case.is_no_more("70 KiB long", &long);
        let deep = [&b"{\"a\":["[..]; 5_000].concat();
        case.is_no_more("deep JSON", &deep);
        let deep = [&b"<a>"[..]; 5_000].concat();
        case.is_no_more("deep XML", &deep);
        let wrapped = [b"[".repeat(40).as_slice(), body, b"]".repeat(40).as_slice()].concat();
        case.is_no_more("wrapped in lists", &wrapped);
    }
}

#[test]
fn bytes_of_other_charsets_never_say_more() {
    for case in cases() {
        let text = String::from_utf8_lossy(&case.fixture.body).into_owned();
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        case.is_no_more("UTF-16 without a mark", &little);
        case.is_no_more("UTF-16, the other way round", &big);
        case.is_no_more("UTF-16 with a mark", &[b"\xff\xfe", little.as_slice()].concat());
        case.is_no_more("UTF-16, with the other mark", &[b"\xfe\xff", big.as_slice()].concat());
        let latin = text.replace("Sample", "S\u{e9}mple");
        let latin: Vec<u8> =
            latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        case.is_no_more("Latin-1", &latin);
        let broken = [b"\xe9\xff\x80".as_slice(), &case.fixture.body].concat();
        case.is_no_more("broken bytes in front", &broken);
    }
}

#[test]
fn no_single_changed_byte_turns_a_refusal_into_a_purchase_of_another_price() {
    for case in cases().iter().filter(|case| matches!(case.whole, Worth::Refuses)) {
        let body = &case.fixture.body;
        for at in (0..body.len()).step_by(3) {
            let mut changed = body.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 0x20;
            }
            // Another case of a letter may be another word; never one that buys.
            case.is_no_more(&format!("with another byte at {at}"), &changed);
        }
    }
}
