//! Dialects that nobody had in mind when the language was made: each is a buyer's file and nothing
//! else.
//!
//! `fixtures/unseen/<name>/buyer.toml` is the file, `replies.toml` lists replies and what must come
//! of each, `requests.txt` what is sent. The values that a later call names are those of the first
//! replies, as on the day.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    AfterContext, CallbackCall, Connector, PingContext, PostContext, RawReply, Request,
};
use exchange_model::document::{NodeKind, Table};
use exchange_model::outcome::{BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::reason::{NoBid, Rejection};
use exchange_model::{Money, PingView};
use expect_test::expect_file;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::one_buyer::{dollars, now};
use crate::sample::shown;
use crate::world::{connector, document, lead, permit, today};

const CALLBACK: &str = "https://leads.example/v1/callbacks/b/auto/1/x";

/// A reply and what must come of it.
struct Reply {
    stage: String,
    status: u16,
    query: String,
    headers: HeaderMap,
    body: String,
    then: String,
}

/// One buyer's file and its replies.
struct Dialect {
    name: String,
    folder: PathBuf,
    connector: Arc<Connector>,
    /// What the `token` stage has fetched.
    auth: Handles,
    replies: Vec<Reply>,
}

fn text(table: &Table, key: &str) -> String {
    match table.get(key).map(|entry| &entry.value.kind) {
        Some(NodeKind::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn pairs(table: &Table, key: &str) -> Vec<(String, String)> {
    let Some(NodeKind::Table(inner)) = table.get(key).map(|entry| &entry.value.kind) else {
        return Vec::new();
    };
    inner.entries.iter().map(|entry| (entry.key.clone(), text(inner, &entry.key))).collect()
}

fn reply(table: &Table) -> Reply {
    let status = match table.get("status").map(|entry| &entry.value.kind) {
        Some(NodeKind::Integer(status)) => u16::try_from(*status).expect("a status"),
        _ => 200,
    };
    let header = |(name, value): (String, String)| {
        let name = HeaderName::try_from(name).expect("a header's name");
        (name, HeaderValue::try_from(value).expect("a header's value"))
    };
    let headers = pairs(table, "headers").into_iter().map(header);
    Reply {
        stage: text(table, "stage"),
        status,
        query: text(table, "query"),
        headers: headers.collect(),
        body: text(table, "body"),
        then: text(table, "then"),
    }
}

impl Dialect {
    fn read(folder: PathBuf) -> Self {
        let file = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
        let replies = document("replies.toml", &file("replies.toml"));
        let NodeKind::Array(items) = &replies.root.get("reply").expect("replies").value.kind else {
            panic!("a list of replies");
        };
        let replies_read = items.iter().map(|item| match &item.kind {
            NodeKind::Table(table) => reply(table),
            _ => panic!("a reply"),
        });
        Self {
            name: folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned(),
            connector: connector(&file("buyer.toml")),
            auth: Handles(pairs(&replies.root, "token").into_iter().collect()),
            replies: replies_read.collect(),
            folder,
        }
    }

    /// What comes of a reply, in one line.
    fn reading(&self, reply: &Reply) -> String {
        let raw = raw(reply);
        let connector = &self.connector;
        match reply.stage.as_str() {
            "pre_ping" => values(connector.read_pre_ping(&raw)),
            "ping" => ping(connector.read_ping(&raw)),
            "pre_post" => values(connector.read_pre_post(&raw)),
            "post" => post(connector.read_post(&raw)),
            "confirm" => {
                post(connector.read_confirm(&raw, exchange_model::outcome::Acceptance::default()))
            }
            "status" => post(connector.read_ask(Resolver::Status, &raw)),
            "void" => post(connector.read_ask(Resolver::Void, &raw)),
            "callback" => post(connector.read_callback(&CallbackCall {
                query: &reply.query,
                headers: &reply.headers,
                body: reply.body.as_bytes(),
            })),
            other => panic!("{}: no stage is called `{other}`", self.name),
        }
    }

    fn first<T>(&self, stage: &str, read: impl Fn(&RawReply<'_>) -> Option<T>) -> Option<T> {
        let replies = self.replies.iter().filter(|reply| reply.stage == stage);
        replies.map(raw).find_map(|raw| read(&raw))
    }

    fn bid(&self) -> (Money, Option<BidToken>) {
        let bid = self.first("ping", |raw| match self.connector.read_ping(raw) {
            PingAnswer::Bid { price, token } => Some((price, token)),
            PingAnswer::Available { token } => Some((dollars("20"), token)),
            PingAnswer::NoBid(_) => None,
        });
        bid.unwrap_or_else(|| (dollars("20"), None))
    }

    /// What later calls know of the post.
    fn handles(&self) -> Handles {
        let handles = self.first("post", |raw| match self.connector.read_post(raw) {
            PostAnswer::Accepted(accepted) => Some(accepted.handles),
            PostAnswer::Pending(handles) => Some(handles),
            _ => None,
        });
        handles.unwrap_or_default()
    }

    /// All that is sent, in the order in which it would be.
    fn requests(&self) -> String {
        let mut out = String::new();
        let mut add = |stage: &str, request: Request| {
            writeln!(out, "=== {stage}").expect("writing to a string");
            shown(&request, &mut out);
        };
        let connector = &self.connector;
        let stages = connector.stages();
        let has = |stage: &str| stages.contains(&stage);
        let lead = lead();
        let view = PingView::new(&lead, today());
        let nothing = Handles::default();
        let mut context = PingContext {
            ping_id: "ping_1",
            source_alias: "S1",
            now: now(),
            floor: Some(dollars("10")),
            time_left: Duration::from_millis(2_750),
            callback_url: Some(CALLBACK),
            pre: &nothing,
            auth: &self.auth,
        };
        let pre = self.first("pre_ping", |raw| connector.read_pre_ping(raw)).unwrap_or_default();
        if has("pre_ping") {
            add("pre_ping", connector.encode_pre_ping(&view, &context).expect("encodes"));
        }
        context.pre = &pre;
        if has("ping") {
            add("ping", connector.encode_ping(&view, &context).expect("encodes"));
        }
        let (price, token) = self.bid();
        let mut context = PostContext {
            ping_id: Some("ping_1"),
            token: token.as_ref(),
            price,
            floor: Some(dollars("10")),
            source_alias: "S1",
            idempotency_key: "att_1",
            callback_url: Some(CALLBACK),
            now: now(),
            time_left: Duration::from_millis(2_750),
            today: today(),
            pre: &nothing,
            auth: &self.auth,
        };
        let pre = self.first("pre_post", |raw| connector.read_pre_post(raw)).unwrap_or_default();
        if has("pre_post") {
            add("pre_post", connector.encode_pre_post(&lead, &context).expect("encodes"));
        }
        context.pre = &pre;
        let permit = permit(&lead, connector.campaign());
        add("post", connector.encode_post(&lead, &permit, &context).expect("encodes"));
        let handles = self.handles();
        let after = AfterContext {
            lead: lead.id(),
            ping_id: Some("ping_1"),
            token: token.as_ref(),
            price,
            source_alias: "S1",
            idempotency_key: "att_1",
            handles: &handles,
            now: now(),
            auth: &self.auth,
        };
        if has("confirm") {
            add("confirm", connector.encode_confirm(&after).expect("encodes"));
        }
        for (stage, how) in [("status", Resolver::Status), ("void", Resolver::Void)] {
            if has(stage) {
                add(stage, connector.encode_ask(how, &after).expect("encodes"));
            }
        }
        out.replace('\r', "")
    }
}

fn raw(reply: &Reply) -> RawReply<'_> {
    RawReply { status: reply.status, headers: &reply.headers, body: reply.body.as_bytes() }
}

fn values(read: Option<Handles>) -> String {
    read.map_or_else(|| "nothing".to_owned(), |read| format!("values{}", named(&read)))
}

fn named(handles: &Handles) -> String {
    handles.0.iter().fold(String::new(), |text, (name, value)| format!("{text} {name}={value}"))
}

fn bid_token(token: Option<BidToken>) -> String {
    let token = token.unwrap_or_default();
    let mut text = named(&token.tokens);
    for brand in &token.brands {
        let price = brand.price.map(|price| price.amount_text());
        let parts = [brand.id.clone(), price, brand.name.clone(), brand.token.clone()];
        let parts: Vec<String> = parts.into_iter().map(|part| part.unwrap_or_default()).collect();
        write!(text, " [{}]", parts.join(",")).expect("writing to a string");
    }
    if let Some(life) = token.lifetime {
        write!(text, " for {}s", life.as_secs()).expect("writing to a string");
    }
    text
}

fn refusal(why: &Rejection) -> String {
    let said = why.text.as_ref().map(|text| format!(" \"{text}\"")).unwrap_or_default();
    let counter = why.counter.map(|price| format!(" counter {}", price.amount_text()));
    format!("{}{said}{}", why.class, counter.unwrap_or_default())
}

fn ping(answer: PingAnswer) -> String {
    match answer {
        PingAnswer::Bid { price, token } => {
            format!("bid {}{}", price.amount_text(), bid_token(token))
        }
        PingAnswer::Available { token } => format!("available{}", bid_token(token)),
        PingAnswer::NoBid(NoBid::Declined(why)) => format!("no bid {}", refusal(&why)),
        PingAnswer::NoBid(why) => format!("no bid ({why})"),
    }
}

fn post(answer: PostAnswer) -> String {
    match answer {
        PostAnswer::Accepted(accepted) => {
            let mut text = "accepted".to_owned();
            let parts = [
                ("", accepted.price.map(|price| price.amount_text())),
                ("ref ", accepted.buyer_ref),
                ("to ", accepted.redirect_url),
            ];
            for (word, part) in parts {
                text.extend(part.map(|part| format!(" {word}{part}")));
            }
            for leg in accepted.legs {
                let brand = leg.brand;
                let parts = [brand.id, brand.price.map(|price| price.amount_text()), brand.name];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                let word = if leg.accepted { "sold" } else { "not" };
                write!(text, " [{word} {}]", parts.join(",")).expect("writing to a string");
            }
            let mut handles = accepted.handles;
            handles.0.remove("ref");
            text + &named(&handles)
        }
        PostAnswer::Rejected(why) => format!("rejected {}", refusal(&why)),
        PostAnswer::Unknown(why) => format!("unknown ({why})"),
        PostAnswer::Pending(handles) => format!("pending{}", named(&handles)),
        PostAnswer::NotSent(why) => format!("not sent ({why})"),
    }
}

fn dialects() -> Vec<Dialect> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/unseen");
    let entries = std::fs::read_dir(root).expect("the dialects");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    folders.into_iter().map(Dialect::read).collect()
}

#[test]
fn every_reply_of_every_dialect_is_read_as_its_file_says() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for dialect in dialects() {
        for reply in &dialect.replies {
            read += 1;
            let reading = dialect.reading(reply);
            if reading != reply.then {
                let (name, stage, body) = (&dialect.name, &reply.stage, &reply.body);
                let then = &reply.then;
                wrong.push(format!("{name} {stage} {body:.80}\n  is   {reading}\n  must {then}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(read >= 100, "{read}");
}

#[test]
fn every_request_of_every_dialect_is_as_recorded() {
    let dialects = dialects();
    assert!(dialects.len() >= 30, "{}", dialects.len());
    for dialect in dialects {
        expect_file![dialect.folder.join("requests.txt")].assert_eq(&dialect.requests());
    }
}

/// The findings about a ping in a connector with such texts of its own.
fn findings(lets: &str, ping: &str) -> String {
    crate::world::listed(&crate::one_buyer::Dialect::ping(ping).own(lets).findings())
}

#[test]
fn contact_data_cannot_slip_into_a_ping_by_a_text_of_ones_own_or_a_signature() {
    let lets = r#"let = { who = "{{ first_name }} {{ zip }}", sum = "{{ let.who | hash('md5') }}", tail = "{{ phone | last4 }}{{ zip }}" }"#;
    for body in [
        "{{ let.who }}",
        "{{ let.sum }}",
        "{{ zip | hmac('sha256', let.who) }}",
        "{{ phone | hash('sha256') }}",
        "{{ zip | hmac('sha256', phone) }}",
        "{{ email | base64 }}",
    ] {
        let found = findings(lets, &format!("body = {{ a = \"{body}\" }}"));
        assert!(found.contains("contact_in_ping"), "{body}: {found}");
    }
    assert_eq!(findings(lets, r#"body = { a = "{{ let.tail | hash('sha256') }}" }"#), "");
}

#[test]
fn mistakes_in_the_new_words_are_reported_with_their_remedy() {
    for (lets, ping, found) in [
        (
            r#"let = { a = "{{ let.b }}", b = "x{{ let.a }}" }"#,
            r#"body = { a = "{{ let.a }}" }"#,
            "let_too_deep: `let` texts stand in each other more than 4 deep",
        ),
        (
            r#"let = { signed = "x" }"#,
            r#"body = { a = "{{ let.singed }}" }"#,
            "the connector has no `let.singed` | did you mean `let.signed`?",
        ),
        (
            "",
            r#"body = { a = "{{ zip | hmac('md5', var.key) }}" }"#,
            "filter `hmac` cannot use md5",
        ),
        (
            "",
            r#"body = { a = "{{ now | date('%H', 'Texas') }}" }"#,
            "knows no time zone `Texas`; they are like `America/Chicago`",
        ),
        ("", r#"body = { a = "{{ violations | mod(0) }}" }"#, "cannot divide by zero"),
    ] {
        let all = findings(lets, ping);
        assert!(all.contains(found), "{found}:\n{all}");
    }
    let reply = r#"reply = { rules = [{ when = { at = "$.a", filter = "prefix(zip)", is = [1] }, then = "bid" }], price = { at = "$.p", filter = "dvi(100)" } }"#;
    let all = replaced(reply);
    for found in [
        "`zip` is not known here | take a text, a number or `var.name`",
        "no filter is called `dvi`",
    ] {
        assert!(all.contains(found), "{found}:\n{all}");
    }
}

/// The findings of a file whose ping has this reply instead of the usual one.
fn replaced(reply: &str) -> String {
    let text = crate::one_buyer::Dialect::ping("body = {}").text();
    let start = text.find("reply = {").expect("a reply");
    let (before, rest) = text.split_at(start);
    let (_, after) = rest.split_once('\n').expect("its end");
    let text = format!("{before}{reply}\n{after}");
    crate::world::listed(&crate::world::compile_file("buyer.toml", &text).1)
}
