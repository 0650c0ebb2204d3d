//! The exchange's own buyer protocol: what the preset sends and the answers that it reads are of the
//! shape that `docs/openapi/buyer.yaml` promises to whoever builds the other side.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{AfterContext, Connector, PingContext, PostContext, Preset, Request};
use exchange_model::outcome::{BidToken, Handles, Resolver};
use exchange_model::{Currency, Money, PingView, Timestamp};
use regex::Regex;
use serde_json::{Map, Value};

use crate::presets::connector;
use crate::world::{lead, permit, today};

/// As much YAML as the document is written in: nested maps, lists of one-line items, folded texts,
/// quoted and plain scalars, `[a, b]`.
struct Yaml<'t> {
    lines: Vec<(usize, &'t str)>,
    at: usize,
}

impl<'t> Yaml<'t> {
    fn read(text: &'t str) -> Value {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines = lines.map(|line| (line.len() - line.trim_start().len(), line.trim())).collect();
        Self { lines, at: 0 }.block(0)
    }

    fn next_indent(&self) -> usize {
        self.lines.get(self.at).map_or(0, |(indent, _)| *indent)
    }

    fn block(&mut self, indent: usize) -> Value {
        match self.lines.get(self.at) {
            Some((_, line)) if line.starts_with("- ") => self.list(indent),
            _ => self.map(indent),
        }
    }

    fn list(&mut self, indent: usize) -> Value {
        let mut items = Vec::new();
        while let Some((own, line)) = self.lines.get(self.at).copied() {
            let Some(item) = line.strip_prefix("- ").filter(|_| own == indent) else { break };
            // The item's first line stands two further in, behind the dash.
            if let Some(line) = self.lines.get_mut(self.at) {
                *line = (indent + 2, item);
            }
            items.push(self.map(indent + 2));
        }
        Value::Array(items)
    }

    fn map(&mut self, indent: usize) -> Value {
        let mut map = Map::new();
        while let Some((own, line)) = self.lines.get(self.at).copied() {
            if own != indent || line.starts_with("- ") {
                break;
            }
            let (key, value) = line.split_once(':').expect("a key");
            self.at += 1;
            let value = match value.trim() {
                "" => self.block(self.next_indent()),
                ">-" => self.folded(indent),
                scalar => Self::scalar(scalar),
            };
            let known = map.insert(key.trim_matches('"').to_owned(), value);
            assert!(known.is_none(), "{key} twice");
        }
        Value::Object(map)
    }

    fn folded(&mut self, indent: usize) -> Value {
        let mut lines = Vec::new();
        while let Some((_, line)) = self.lines.get(self.at).filter(|(own, _)| *own > indent) {
            lines.push(*line);
            self.at += 1;
        }
        Value::String(lines.join(" "))
    }

    fn scalar(text: &str) -> Value {
        if let Some(list) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
            return Value::Array(items.map(|item| Value::String(item.to_owned())).collect());
        }
        match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => match text.parse::<u64>() {
                Ok(number) => Value::from(number),
                Err(_text) => Value::String(text.trim_matches('"').to_owned()),
            },
        }
    }
}

struct Contract(Value);

impl Contract {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/buyer.yaml");
        Self(Yaml::read(&std::fs::read_to_string(path).expect("the contract")))
    }

    fn follow<'v>(&'v self, node: &'v Value) -> &'v Value {
        match node.get("$ref").and_then(Value::as_str) {
            Some(path) => {
                self.0.pointer(path.trim_start_matches('#')).expect("what is referred to")
            }
            None => node,
        }
    }

    fn operation(&self, path: &str, method: &str) -> &Value {
        let operation = self.0.get("paths").and_then(|paths| paths.get(path)?.get(method));
        operation.unwrap_or_else(|| panic!("no {method} {path}"))
    }

    fn schema<'v>(&'v self, holder: &'v Value) -> &'v Value {
        let schema = holder.pointer("/content/application~1json/schema").expect("a schema");
        self.follow(schema)
    }

    fn answer(&self, operation: &Value, status: u16) -> &Value {
        let responses = operation.get("responses").expect("responses");
        let response = responses.get(status.to_string()).or_else(|| responses.get("default")).map(
            |response| {
                self.0.get("paths").expect("paths");
                response.clone()
            },
        );
        let response = response.unwrap_or_else(|| panic!("no answer {status}"));
        let name = response.pointer("/content/application~1json/schema/$ref");
        let path = name.and_then(Value::as_str).expect("a named schema");
        self.0.pointer(path.trim_start_matches('#')).expect("a schema")
    }

    /// Whether a value has the shape; every property must be a known one.
    fn check(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.follow(schema);
        let kind = schema.get("type").and_then(Value::as_str).expect("a type");
        let fits = match kind {
            "object" => value.is_object(),
            "string" => value.is_string(),
            "integer" => value.as_i64().is_some(),
            "boolean" => value.is_boolean(),
            other => panic!("{at}: no check for {other}"),
        };
        assert!(fits, "{at}: {value} is no {kind}");
        if let (Some(allowed), Value::String(_)) = (schema.get("enum"), value) {
            assert!(allowed.as_array().expect("a list").contains(value), "{at}: {value}");
        }
        if let (Some(pattern), Some(text)) = (schema.get("pattern"), value.as_str()) {
            let pattern = Regex::new(pattern.as_str().expect("a text")).expect("a pattern");
            assert!(pattern.is_match(text), "{at}: {text} does not match {pattern}");
        }
        let Some(object) = value.as_object() else { return };
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            assert!(object.contains_key(key.as_str().expect("a key")), "{at}: {key} is missing");
        }
        let Some(properties) = schema.get("properties") else { return };
        for (key, inner) in object {
            let known = properties.get(key).unwrap_or_else(|| panic!("{at}: {key} is unknown"));
            self.check(known, inner, &format!("{at}.{key}"));
        }
    }
}

fn native() -> (&'static Preset, Arc<Connector>) {
    let preset = Preset::named("rialto").expect("the native preset");
    (preset, connector(preset))
}

fn money(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("an amount")
}

fn ping(connector: &Connector) -> Request {
    let lead = lead();
    let context = PingContext {
        ping_id: "ping_1",
        source_alias: "S1",
        now: Timestamp::default(),
        floor: Some(money("9.00")),
        time_left: Duration::from_millis(640),
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    connector.encode_ping(&PingView::new(&lead, today()), &context).expect("a ping")
}

fn post(connector: &Connector) -> Request {
    let lead = lead();
    let token = BidToken::single("T-1");
    let context = PostContext {
        ping_id: Some("ping_1"),
        token: Some(&token),
        price: money("12.50"),
        floor: None,
        source_alias: "S1",
        idempotency_key: "att_1",
        callback_url: Some("https://exchange.example/v1/callbacks/a/b/c"),
        now: Timestamp::default(),
        time_left: Duration::from_secs(8),
        today: today(),
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let permit = permit(&lead, connector.campaign());
    connector.encode_post(&lead, &permit, &context).expect("a post")
}

fn ask(connector: &Connector, how: Resolver) -> Request {
    let lead = lead();
    let context = AfterContext {
        lead: lead.id(),
        ping_id: Some("ping_1"),
        token: None,
        price: money("12.50"),
        source_alias: "S1",
        idempotency_key: "att_1",
        handles: Handles::none(),
        now: Timestamp::default(),
        auth: Handles::none(),
    };
    connector.encode_ask(how, &context).expect("a question")
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

#[test]
fn what_the_preset_sends_is_what_the_contract_promises() {
    let (_, connector) = native();
    let contract = Contract::read();
    let base = "/rialto/v1";
    for (request, path, method, template) in [
        (ping(&connector), "/pings", "post", "/pings"),
        (post(&connector), "/posts", "post", "/posts"),
        (ask(&connector, Resolver::Status), "/posts/att_1", "get", "/posts/{key}"),
        (ask(&connector, Resolver::Void), "/posts/att_1/void", "post", "/posts/{key}/void"),
    ] {
        assert_eq!(request.uri.path(), format!("{base}{path}"));
        assert_eq!(request.method.as_str().to_lowercase(), method);
        let operation = contract.operation(template, method);
        match operation.get("requestBody") {
            Some(holder) => contract.check(contract.schema(holder), &body(&request), template),
            None => assert!(request.body.is_empty(), "{template}"),
        }
    }
    let sent = post(&connector);
    assert_eq!(
        sent.headers.get("idempotency-key").and_then(|key| key.to_str().ok()),
        Some("att_1")
    );
    assert_eq!(body(&ping(&connector)).get("min_price"), Some(&Value::from("9.00")));
    assert_eq!(body(&sent).get("price"), Some(&Value::from("12.50")));
}

#[test]
fn the_answers_that_the_preset_knows_are_of_the_contract() {
    let (preset, _) = native();
    let contract = Contract::read();
    let values = [("price", "12.50"), ("token", "T-1"), ("ref", "R-1"), ("reason", "no")];
    for example in preset.examples() {
        let example = example.filled(&values);
        let value: Value = serde_json::from_str(&example.body).expect("JSON");
        let schema = match example.stage.as_str() {
            "ping" => contract.answer(contract.operation("/pings", "post"), example.status),
            "post" => contract.answer(contract.operation("/posts", "post"), example.status),
            "status" => contract.answer(contract.operation("/posts/{key}", "get"), example.status),
            "void" => {
                contract.answer(contract.operation("/posts/{key}/void", "post"), example.status)
            }
            _ => {
                let body = contract.0.pointer("/webhooks/outcome/post/requestBody");
                contract.schema(body.expect("the call of the buyer"))
            }
        };
        contract.check(schema, &value, &format!("{} {}", example.stage, example.outcome));
    }
}

#[test]
fn every_word_of_the_contract_has_a_rule() {
    let (preset, _) = native();
    let contract = Contract::read();
    for schema in ["PingAnswer", "PostAnswer", "StatusAnswer", "VoidAnswer", "Callback"] {
        let path = format!("/components/schemas/{schema}/properties/outcome/enum");
        let words = contract.0.pointer(&path).and_then(Value::as_array).expect("words");
        for word in words {
            let quoted = format!("\"{}\"", word.as_str().expect("a word"));
            assert!(preset.text.contains(&quoted), "{schema}: {quoted}");
        }
    }
}
