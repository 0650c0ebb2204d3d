//! What `docs/openapi/seller.yaml` promises, compared with what is really said.

use serde_json::{Map, Value};

use super::binary::repository;
use super::seller::Answer;

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
        let mut yaml = Self { lines, at: 0 };
        let document = yaml.block(0);
        assert_eq!(yaml.at, yaml.lines.len(), "line {:?} cannot be read", yaml.lines.get(yaml.at));
        document
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
            self.lines[self.at] = (indent + 2, item);
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
            let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
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
            return items.map(|item| item.trim_matches('"')).collect();
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

/// The document.
#[derive(Debug)]
pub(crate) struct Contract(Value);

impl Contract {
    pub(crate) fn read() -> Self {
        let path = repository().join("docs/openapi/seller.yaml");
        Self(Yaml::read(&std::fs::read_to_string(path).unwrap()))
    }

    /// The names of a schema's properties, sorted.
    pub(crate) fn properties(&self, schema: &str) -> Vec<String> {
        let schema = &self.0["components"]["schemas"][schema]["properties"];
        let mut names: Vec<String> = schema.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    /// Every path and method that is documented.
    pub(crate) fn operations(&self) -> Vec<(String, String)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let methods = paths.flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone()))
        });
        methods.collect()
    }

    /// Checks that an answer is of the shape that the operation promises for its status.
    #[track_caller]
    pub(crate) fn holds(&self, path: &str, method: &str, answer: &Answer) {
        let operation = &self.0["paths"][path][method];
        let responses = operation["responses"].as_object().unwrap_or_else(|| panic!("no {path}"));
        let status = answer.status.to_string();
        let response = responses.get(&status).unwrap_or_else(|| &responses["default"]);
        let content = &self.follow(response)["content"];
        let kind = answer.header("content-type");
        let schema = &content[kind]["schema"];
        assert!(schema.is_object(), "{path} {status}: `{kind}` is not promised");
        self.check(schema, &answer.json(), &format!("{method} {path} {status}"));
    }

    fn follow<'v>(&'v self, node: &'v Value) -> &'v Value {
        let Some(path) = node.get("$ref").and_then(Value::as_str) else { return node };
        let path = path.trim_start_matches('#');
        self.0.pointer(path).unwrap_or_else(|| panic!("{path} is not there"))
    }

    /// Whether a value has the shape; every property must be a known one.
    #[track_caller]
    fn check(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.follow(schema);
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            other => panic!("{at}: no type: {other}"),
        };
        assert!(kinds.contains(&kind_of(value)), "{at}: {value} is no {kinds:?}");
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(allowed.contains(value), "{at}: {value} is not allowed");
        }
        if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str()) {
            let pattern = regex::Regex::new(pattern).unwrap();
            assert!(pattern.is_match(text), "{at}: {text} does not match {pattern}");
        }
        for (nth, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{nth}]"));
        }
        let Some(object) = value.as_object() else { return };
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(key.as_str().unwrap()), "{at}: {key} is missing");
        }
        for (key, inner) in object {
            let known = schema["properties"].get(key);
            let known = known.unwrap_or_else(|| panic!("{at}: {key} is unknown"));
            self.check(known, inner, &format!("{at}.{key}"));
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
