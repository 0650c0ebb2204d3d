//! The schemas say what the readers read: every shipped file fits them, and every key that a reader
//! knows is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::{CampaignUse, Secrets, compile, presets};
use exchange_model::document::{Node, NodeKind, Table};
use exchange_model::{BuyerId, CampaignId, Document, Findings, SourceFile, Vertical};
use ping_tree::Sources;
use serde_json::{Map, Value, json};

use clap::ValueEnum as _;

use super::Kind;

mod routing;

fn schema(kind: Kind) -> Value {
    serde_json::from_str(kind.file().1).unwrap()
}

fn document(path: &str, text: &str) -> Document {
    let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
    let mut findings = Findings::new();
    let document = Document::parse(Arc::new(file), &mut findings);
    document.unwrap_or_else(|| panic!("{path}: {:#?}", findings.sorted()))
}

fn value_of(table: &Table) -> Value {
    let entries = table.entries.iter().map(|entry| (entry.key.clone(), node_value(&entry.value)));
    Value::Object(entries.collect())
}

fn node_value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::String(text) | NodeKind::Datetime(text) => json!(text),
        NodeKind::Integer(number) => json!(number),
        NodeKind::Float(digits) => serde_json::from_str(digits).unwrap(),
        NodeKind::Boolean(yes) => json!(yes),
        NodeKind::Array(items) => Value::Array(items.iter().map(node_value).collect()),
        NodeKind::Table(table) => value_of(table),
    }
}

/// A checker of the part of JSON Schema that the schemas use; a keyword that it does not know fails.
struct Checker<'a> {
    root: &'a Value,
    /// Whether absent keys are let go: files that only hold a part.
    partial: bool,
}

impl Checker<'_> {
    fn problems(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let Value::Object(keywords) = schema else {
            return if *schema == json!(false) {
                vec![format!("{at}: not allowed")]
            } else {
                vec![]
            };
        };
        let mut found = Vec::new();
        for (keyword, wanted) in keywords {
            found.extend(self.problem(keyword, wanted, (keywords, value, at)));
        }
        found
    }

    fn problem(
        &self,
        keyword: &str,
        wanted: &Value,
        (keywords, value, at): (&Map<String, Value>, &Value, &str),
    ) -> Vec<String> {
        let fails =
            |fails: bool| if fails { vec![format!("{at}: {keyword} {wanted}")] } else { vec![] };
        let object = value.as_object();
        let items = value.as_array();
        let text = value.as_str();
        let count = |many: Option<usize>| many.map(|many| u64::try_from(many).unwrap());
        match keyword {
            "$schema" | "$id" | "title" | "description" | "$defs" | "then"
            | "patternProperties" => {
                vec![]
            }
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                let target = self.root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
                self.problems(target, value, at)
            }
            "type" => fails(!is_of_type(wanted, value)),
            "const" => fails(value != wanted),
            "enum" => fails(!wanted.as_array().unwrap().contains(value)),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                fails(text.is_some_and(|text| !pattern.is_match(text)))
            }
            "minLength" => fails(text.is_some_and(|text| text.len() < number(wanted))),
            "maxLength" => fails(text.is_some_and(|text| text.len() > number(wanted))),
            "minimum" => {
                fails(value.as_i64().is_some_and(|number| number < wanted.as_i64().unwrap()))
            }
            "maximum" => {
                fails(value.as_i64().is_some_and(|number| number > wanted.as_i64().unwrap()))
            }
            "minItems" => {
                fails(count(items.map(Vec::len)).is_some_and(|n| n < wanted.as_u64().unwrap()))
            }
            "maxItems" => {
                fails(count(items.map(Vec::len)).is_some_and(|n| n > wanted.as_u64().unwrap()))
            }
            "minProperties" => {
                fails(count(object.map(Map::len)).is_some_and(|n| n < wanted.as_u64().unwrap()))
            }
            "maxProperties" => {
                fails(count(object.map(Map::len)).is_some_and(|n| n > wanted.as_u64().unwrap()))
            }
            "required" => {
                let absent =
                    |name: &Value| object.is_some_and(|o| !o.contains_key(name.as_str().unwrap()));
                fails(!self.partial && wanted.as_array().unwrap().iter().any(absent))
            }
            "items" => {
                let each = items.into_iter().flatten().enumerate();
                each.flat_map(|(nth, item)| self.problems(wanted, item, &format!("{at}/{nth}")))
                    .collect()
            }
            "properties" | "additionalProperties" => self.members(keyword, keywords, value, at),
            "propertyNames" => {
                let names = object.into_iter().flat_map(Map::keys);
                names
                    .flat_map(|name| self.problems(wanted, &json!(name), &format!("{at}/{name}")))
                    .collect()
            }
            "anyOf" => {
                let tried: Vec<_> = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|s| self.problems(s, value, at))
                    .collect();
                if tried.iter().any(Vec::is_empty) {
                    return vec![];
                }
                tried.into_iter().flatten().collect()
            }
            "if" => {
                let strict = Checker { root: self.root, partial: false };
                let holds = strict.problems(wanted, value, at).is_empty();
                if holds { self.problems(&keywords["then"], value, at) } else { vec![] }
            }
            other => panic!("{at}: the checker does not know `{other}`"),
        }
    }

    fn members(
        &self,
        keyword: &str,
        keywords: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Vec<String> {
        let Some(object) = value.as_object() else { return vec![] };
        let named = keywords.get("properties").and_then(Value::as_object);
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        let mut found = Vec::new();
        for (name, member) in object {
            let at = format!("{at}/{name}");
            let by_name = named.and_then(|named| named.get(name));
            let by_pattern = patterns
                .into_iter()
                .flatten()
                .find(|(pattern, _)| regex::Regex::new(pattern).unwrap().is_match(name));
            match (keyword, by_name, by_pattern) {
                ("properties", Some(schema), _) => found.extend(self.problems(schema, member, &at)),
                ("additionalProperties", None, Some((_, schema))) => {
                    found.extend(self.problems(schema, member, &at));
                }
                ("additionalProperties", None, None) => {
                    found.extend(self.problems(&keywords[keyword], member, &at));
                }
                _ => {}
            }
        }
        found
    }
}

fn number(wanted: &Value) -> usize {
    usize::try_from(wanted.as_u64().unwrap()).unwrap()
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    let is = |word: &str| match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("no type {other}"),
    };
    match wanted {
        Value::String(word) => is(word),
        Value::Array(words) => words.iter().any(|word| is(word.as_str().unwrap())),
        _ => panic!("a type is a word or a list of words"),
    }
}

fn fits(kind: Kind, value: &Value, partial: bool) -> Vec<String> {
    let root = schema(kind);
    Checker { root: &root, partial }.problems(&root, value, "")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every TOML file of a folder and its folders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|ext| ext == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    value_of(&document(&path.display().to_string(), &text).root)
}

#[test]
fn every_file_of_the_sample_fits_its_schema() {
    let config = repository().join("config");
    for (folder, kind) in [
        ("buyers", Kind::Buyer),
        ("verticals", Kind::Vertical),
        ("sellers", Kind::Seller),
        ("trees", Kind::Tree),
        ("tests", Kind::Test),
    ] {
        for path in files(&config.join(folder)) {
            assert_eq!(fits(kind, &read(&path), false), [""; 0], "{}", path.display());
        }
    }
    assert_eq!(fits(Kind::Rialto, &read(&config.join("rialto.toml")), false), [""; 0]);
}

#[test]
fn every_buyer_of_the_recorded_replies_fits_the_schema() {
    let fixtures = files(&repository().join("crates/buyer-connectors/fixtures"));
    let mut read_files = 0;
    for path in fixtures {
        let file = read(&path);
        if file.get("connector").is_none() {
            continue;
        }
        assert_eq!(fits(Kind::Buyer, &file, true), [""; 0], "{}", path.display());
        read_files += 1;
    }
    assert!(read_files > 30, "{read_files}");
}

#[test]
fn every_preset_fits_the_schema() {
    for preset in presets() {
        let root = document(preset.name, preset.text).root;
        let Value::Object(mut file) = value_of(&root) else { unreachable!() };
        let connector = file.remove("connector").unwrap();
        let mut buyer = Map::from_iter([("connector".to_owned(), json!({ "main": connector }))]);
        for key in ["map", "range"] {
            buyer.extend(file.remove(key).map(|words| (key.to_owned(), words)));
        }
        assert_eq!(fits(Kind::Buyer, &Value::Object(buyer), true), [""; 0], "{}", preset.name);
    }
}

#[test]
fn what_a_reader_refuses_the_schema_marks() {
    let base = "id = \"a\"\ntime_zone = \"UTC\"\nbilling = { terms = \"prepaid\" }\n";
    for wrong in [
        "titel = \"A\"",
        "status = \"test\"",
        "[connector.main.ping.reply]\nrule = []",
        "[connector.main.ping.reply]\nrules = [{ when = { at = \"$.a\", equals = 1 }, then = \"bid\" }]",
        "[connector.main.ping.reply]\nrules = [{ then = \"sold\" }]",
        "[connector.main]\nresolve = [\"ask\"]",
        "[connector.main.post]\nmethod = \"FETCH\"",
        "[connector.main]\nauth = { scheme = \"beerer\" }",
        "[[campaign]]\nid = \"x\"",
        "[[campaign]]\nid = \"x\"\nvertical = \"v\"\nconnector = \"c\"\nprice = { mode = \"bid\", ceiling = 60 }",
    ] {
        let value = value_of(&document("a.toml", &format!("{base}{wrong}\n")).root);
        assert!(!fits(Kind::Buyer, &value, false).is_empty(), "{wrong}");
    }
    let value = value_of(&document("a.toml", base).root);
    assert_eq!(fits(Kind::Buyer, &value, false), [""; 0]);
}

/// A file whose every table can be read, with marks where more may stand.
const PLANTING: &str = "
[connector.main]
#CONNECTOR
[connector.main.ping]
url = \"https://a.example/ping\"
timeout = \"1s\"
#PING
[connector.main.post]
url = \"https://a.example/post\"
timeout = \"1s\"
#POST
#END
";
/// A stage that can be read.
const STAGE: &str = "url = \"https://a.example/x\"\nmethod = \"GET\"";
/// A body and its format.
const JSON: &str = "format = \"json\"\nbody = { a = \"b\" }";
const XML: &str = "format = \"xml\"\nbody = { a = { b = \"c\" } }";

/// What a reply says at least.
const RULES: &str = "rules = [{ when = { status = [200] }, then = \"error\" }]";

/// Where in the schema of a buyer a table is described; where in [`PLANTING`] a text is put that
/// gives the table the key `planted`, which no reader knows; and the text.
fn planted() -> Vec<(&'static str, &'static str, String)> {
    let mut all = vec![
        ("connector", "#CONNECTOR", "planted = 1".to_owned()),
        ("stage", "#PING", format!("{JSON}\nplanted = 1")),
        ("stage", "#POST", format!("{JSON}\nplanted = 1")),
        ("stage", "#POST", format!("{XML}\nplanted = 1")),
        ("stage", "#POST", format!("{}\nplanted = 1", XML.replace("xml", "soap"))),
        ("xml", "#POST", format!("{XML}\nxml = {{ planted = 1 }}")),
        ("callback", "#END", "[connector.main.callback]\nplanted = 1".to_owned()),
    ];
    for stage in ["status", "confirm", "pre_ping", "pre_post", "void", "token"] {
        let head = format!("[connector.main.{stage}]\n{STAGE}\n");
        all.push(("stage", "#END", format!("{head}planted = 1")));
        all.push(("reply", "#END", format!("{head}reply = {{ {RULES}, planted = 1 }}")));
    }
    for (table, reply) in [
        ("reply", "rules = [{ when = { status = [200] }, then = \"error\" }], planted = 1"),
        ("rule", "rules = [{ planted = 1, then = \"error\" }]"),
        (
            "condition",
            "rules = [{ when = { at = \"$.a\", is = [1], planted = 1 }, then = \"error\" }]",
        ),
        ("price", "price = { at = \"$.a\", planted = 1 }"),
        ("locator", "token = { at = \"$.a\", planted = 1 }"),
        ("reason", "reason = { at = \"$.a\", planted = 1 }"),
        ("bids", "bids = { at = \"$.a[*]\", planted = 1 }"),
    ] {
        all.push((table, "#PING", format!("{JSON}\nreply = {{ {reply} }}")));
    }
    for (table, reply) in [
        ("reply", "rules = [{ when = { status = [200] }, then = \"error\" }], planted = 1"),
        ("locator", "ref = { at = \"$.a\", planted = 1 }"),
        ("redirect", "redirect = { at = \"$.a\", planted = 1 }"),
        ("counter", "counter = { at = \"$.a\", planted = 1 }"),
        ("bids", "legs = { at = \"$.a[*]\", planted = 1 }"),
    ] {
        all.push((table, "#POST", format!("{JSON}\nreply = {{ {reply} }}")));
    }
    for scheme in [
        "header",
        "query",
        "basic",
        "bearer",
        "oauth2",
        "token",
        "standard_webhooks",
        "hmac",
        "client_certificate",
    ] {
        let auth = format!("auth = {{ scheme = \"{scheme}\", planted = 1 }}");
        all.push(("auth", "#CONNECTOR", auth));
    }
    all
}

/// The keys that the reader of the planted table names as those it knows.
fn known_keys(text: &str) -> Option<BTreeSet<String>> {
    let document = document("planted.toml", text);
    let vertical = document_vertical();
    let campaign = CampaignId::new(&BuyerId::new("a").unwrap(), "b").unwrap();
    let usage = CampaignUse {
        campaign,
        vertical,
        connector: "main".to_owned(),
        place: document.reader().own_place(),
        bids: true,
    };
    let mut findings = Findings::new();
    let secrets = Secrets::default();
    drop(compile(&document, &[usage], &|_| None, &secrets, &mut findings));
    keys_named(text, &findings)
}

/// The keys in the finding about the planted one.
fn keys_named(text: &str, findings: &Findings) -> Option<BTreeSet<String>> {
    let all = findings.sorted();
    let planted = all.iter().find(|finding| finding.message.contains("`planted`"));
    let keys = planted?.help.strip_prefix("known keys here: ");
    let keys = keys.unwrap_or_else(|| panic!("{text}\n{all:#?}"));
    Some(keys.split(", ").map(str::to_owned).collect())
}

/// The same of a buyer's own tables.
fn known_to_routing(text: &str) -> Option<BTreeSet<String>> {
    let buyers = [document("planted.toml", text)];
    let verticals = BTreeMap::from([("v".parse().unwrap(), document_vertical())]);
    let (sellers, trees, lists) = (&[], &[], &|_: &str| None);
    let groups = None;
    let sources = Sources { verticals: &verticals, buyers: &buyers, sellers, trees, groups, lists };
    let mut findings = Findings::new();
    drop(ping_tree::compile(&sources, &mut findings));
    keys_named(text, &findings)
}

#[test]
fn every_key_that_the_reader_of_campaigns_knows_is_in_the_schema() {
    let base = "id = \"a\"\ntime_zone = \"UTC\"\nbilling = { terms = \"prepaid\" }\n\
                [[campaign]]\nid = \"b\"\nvertical = \"v\"\nconnector = \"c\"\n";
    let root = schema(Kind::Buyer);
    let bid = "price = { mode = \"bid\", floor = \"1.00\", ceiling = \"9.00\"";
    for (table, text) in [
        ("campaign", format!("{base}{bid} }}\nplanted = 1\n")),
        ("campaign_price", format!("{base}{bid}, planted = 1 }}\n")),
    ] {
        let known = known_to_routing(&text).expect(&text);
        let described = |key: &String| root["$defs"][table]["properties"].get(key).is_some();
        // Read only to be refused with a remedy of their own.
        let refused = |key: &String| key == "fields";
        let absent: Vec<String> =
            known.into_iter().filter(|key| !described(key) && !refused(key)).collect();
        assert_eq!(absent, [""; 0], "not in the schema: {table}");
    }
}

fn document_vertical() -> Arc<Vertical> {
    let text = include_str!("../connector/any_vertical.toml");
    Vertical::read(&document("any_vertical.toml", text), &mut Findings::new()).unwrap()
}

#[test]
fn every_key_that_a_reader_of_connectors_knows_is_in_the_schema() {
    let root = schema(Kind::Buyer);
    let (mut reached, mut absent, mut unread) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (table, mark, text) in planted() {
        let file = PLANTING.replace(mark, &text);
        let Some(known) = known_keys(&file) else {
            unread.push(text);
            continue;
        };
        for key in known {
            let described = root["$defs"][table]["properties"].get(&key).is_some();
            if described { &mut reached } else { &mut absent }.insert((table, key));
        }
    }
    assert_eq!(unread, [""; 0], "nothing has found what was planted there");
    assert!(absent.is_empty(), "not in the schema: {absent:#?}");
    assert!(reached.len() > 80, "{}", reached.len());
}

#[test]
fn groups_fit_their_schema_and_what_their_reader_refuses_is_marked() {
    let group =
        "[group.texas]\ntime_zone = \"America/Chicago\"\ncaps = { day = 500, pace = \"even\" }\n";
    let value = |text: &str| value_of(&document("groups.toml", text).root);
    assert_eq!(fits(Kind::Groups, &value(group), false), [""; 0]);
    for wrong in [
        "planted = 1\n",
        "[group.b]\ncaps = { day = 1 }\n",
        "[group.b]\ntime_zone = \"UTC\"\ncaps = { open = 1 }\n",
    ] {
        assert!(!fits(Kind::Groups, &value(wrong), false).is_empty(), "{wrong}");
    }
}

#[test]
fn every_key_of_the_schema_says_what_it_is() {
    for kind in Kind::value_variants().iter().copied() {
        let root = schema(kind);
        let mut bare = Vec::new();
        undescribed(&root, &root, "", &mut bare);
        assert_eq!(bare, [""; 0], "{}", kind.file().0);
    }
}

/// Properties without a description, neither of their own nor of what they refer to.
fn undescribed(root: &Value, schema: &Value, at: &str, bare: &mut Vec<String>) {
    for (name, inner) in schema.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        if let Some(properties) = inner.as_object().filter(|_| name == "properties") {
            for (key, property) in properties {
                let target =
                    property["$ref"].as_str().and_then(|to| root.pointer(to.strip_prefix('#')?));
                let described = |schema: &Value| schema["description"].is_string();
                if !described(property) && !target.is_some_and(described) {
                    bare.push(format!("{at}/{key}"));
                }
                undescribed(root, property, &format!("{at}/{key}"), bare);
            }
        } else {
            undescribed(root, inner, &at, bare);
        }
    }
}
