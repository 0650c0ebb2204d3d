//! From a `[connector.<name>.ping]` or `.post` table to a plan of its requests.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::{NodeKind, Spanned};
use exchange_model::{Findings, Place, SourceFile, TableReader};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};

use super::auth::Auth;
use super::body::{self, Format};
use super::scope::Scope;
use super::shared::Shared;
use super::{fields, sample};
use super::url::{checked_url, split_origin};
use crate::body::Body;
use crate::call::Call;
use crate::plan::Plan;
use crate::template::{Escape, Placeholder, Segment, Source, Template};

/// Gives the text of a file that a buyer's file names.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Option<Arc<SourceFile>>;

/// Headers that belong to the transport.
const OWN_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// Longest a buyer may be given.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Reads everything of a stage but its reply and its `poll`, and renders it once with the
/// vertical's example.
pub(super) fn plan(
    table: &mut TableReader<'_>,
    call: Call,
    shared: &Shared<'_>,
    auth: &Auth,
    findings: &mut Findings,
) -> Option<Plan> {
    let place = table.own_place();
    let mut scope = shared.scope(call);
    let mut complete = true;
    if call.carries_contact() {
        let lead = fields::carried(table, shared.vertical, findings);
        complete = lead.is_some();
        scope.lead = lead.unwrap_or_else(|| Arc::from([]));
    } else {
        scope.hashed = fields::hashed(table, shared.vertical, findings);
    }
    let plan = request(table, &scope, auth, findings)?;
    sample::check(call, &plan, shared, &place, findings)?;
    complete.then_some(plan)
}

fn request(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    auth: &Auth,
    findings: &mut Findings,
) -> Option<Plan> {
    let files = scope.shared.files;
    let format = format(table, findings);
    let url = url(table, scope, findings);
    let method = method(table, format, findings);
    let timeout = timeout(table, findings);
    let mut headers = base_headers(format);
    let templates = headers_of(table, scope, &mut headers, findings);
    let body = body_of(table, scope, format, files, findings);
    let auth_query = apply_auth(auth, &mut headers);
    let (origin, path) = url?;
    let mut plan = Plan {
        method: method?,
        origin,
        path,
        fixed_uri: None,
        auth_query,
        headers,
        header_templates: templates?,
        body: body?,
        body_is_query: format == Format::Query,
        timeout: timeout?,
    };
    plan.fix_uri();
    Some(plan)
}

fn format(table: &mut TableReader<'_>, findings: &mut Findings) -> Format {
    let words = [
        ("json", Format::Json),
        ("form", Format::Form),
        ("xml", Format::Xml),
        ("query", Format::Query),
        ("text", Format::Text),
    ];
    table.one_of("format", &words, findings).map_or(Format::Json, |format| format.value)
}

fn method(table: &mut TableReader<'_>, format: Format, findings: &mut Findings) -> Option<Method> {
    let words = [("POST", 0_u8), ("GET", 1), ("PUT", 2)];
    if table.node("method").is_none() {
        return Some(if format == Format::Query { Method::GET } else { Method::POST });
    }
    let word = table.one_of("method", &words, findings)?;
    let method = match word.value {
        0 => Method::POST,
        1 => Method::GET,
        _ => Method::PUT,
    };
    if method == Method::GET && format != Format::Query {
        let message = "a GET carries no body".to_owned();
        let help = "write `format = \"query\"`, or `method = \"POST\"`".to_owned();
        findings.error("bad_value", word.place, message, help);
        return None;
    }
    Some(method)
}

fn timeout(table: &mut TableReader<'_>, findings: &mut Findings) -> Option<Duration> {
    if table.node("timeout").is_none() {
        table.missing("timeout", "\"700ms\"", findings);
        return None;
    }
    let timeout = table.duration("timeout", findings)?;
    if timeout.value.is_zero() || timeout.value > TIMEOUT_MAX {
        let message = "a timeout is more than nothing and at most 60s".to_owned();
        let help = "write `timeout = \"700ms\"` for a ping, `\"8s\"` for a post".to_owned();
        findings.error("out_of_range", timeout.place, message, help);
        return None;
    }
    Some(timeout.value)
}

fn url(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    findings: &mut Findings,
) -> Option<(Box<str>, Template)> {
    let text = table.required_string("url", "\"https://bids.buyer.example/ping\"", findings)?;
    let (origin, path) = split_origin(text.value);
    if origin.contains("{{") {
        let message = "scheme and host of an address are fixed".to_owned();
        let help = "use placeholders in the path and the query only".to_owned();
        findings.error("bad_url", text.place, message, help);
        return None;
    }
    if path.contains('#') {
        checked_url(text.value, &text.place, findings);
        return None;
    }
    let template = path_template(path, &text, scope, findings);
    let url = checked_url(origin, &text.place, findings)?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let origin = format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or(""));
    Some((origin.into(), template?))
}

fn path_template(
    path: &str,
    text: &Spanned<&str>,
    scope: &Scope<'_>,
    findings: &mut Findings,
) -> Option<Template> {
    let mut template = scope.text(path, &text.place, findings)?;
    if !path.starts_with('/') {
        template.segments.insert(0, Segment::Literal("/".into()));
    }
    Some(template)
}

fn base_headers(format: Format) -> HeaderMap {
    let content_type = match format {
        Format::Json => "application/json",
        Format::Form => "application/x-www-form-urlencoded",
        Format::Xml => "application/xml",
        Format::Query | Format::Text => "text/plain; charset=utf-8",
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("rialto"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers
}

/// Adds fixed headers to `fixed` and returns the ones with placeholders.
fn headers_of(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    fixed: &mut HeaderMap,
    findings: &mut Findings,
) -> Option<Vec<(HeaderName, Template)>> {
    let mut templates = Vec::new();
    let mut complete = true;
    if let Some(headers) = table.table("headers", findings) {
        for entry in &headers.raw().entries {
            let NodeKind::String(text) = &entry.value.kind else {
                headers.wrong_type(&entry.value, &entry.key, "\"...\"", findings);
                complete = false;
                continue;
            };
            let key_place = headers.place(entry.key_span.clone());
            let place = headers.place(entry.value.span.clone());
            let name = header_name(&entry.key, key_place, findings);
            let template = scope.text(text, &place, findings);
            match name.zip(template) {
                Some((name, template)) => {
                    complete &= add_header(name, template, &place, fixed, &mut templates, findings);
                }
                None => complete = false,
            }
        }
    }
    complete &= idempotency_header(table, scope.call, &mut templates, findings);
    complete.then_some(templates)
}

#[expect(clippy::too_many_arguments, reason = "the two header lists and the place of one entry")]
fn add_header(
    name: HeaderName,
    template: Template,
    place: &Place,
    fixed: &mut HeaderMap,
    templates: &mut Vec<(HeaderName, Template)>,
    findings: &mut Findings,
) -> bool {
    match template.literal().map(|text| HeaderValue::from_str(&text)) {
        Some(Ok(value)) => {
            fixed.insert(name, value);
            true
        }
        Some(Err(_invalid)) => {
            let message = "no header can hold this text".to_owned();
            findings.error("bad_value", place.clone(), message, "use printable ASCII".to_owned());
            false
        }
        None => {
            templates.push((name, template));
            true
        }
    }
}

fn header_name(text: &str, place: Place, findings: &mut Findings) -> Option<HeaderName> {
    let name = HeaderName::try_from(text).ok();
    let refused = match &name {
        None => "is no header's name",
        Some(name) if OWN_HEADERS.contains(&name.as_str()) => "is set by the transport",
        Some(_) => return name,
    };
    let help = "leave it out".to_owned();
    findings.error("header_not_allowed", place, format!("`{text}` {refused}"), help);
    None
}

/// `idempotency_key = { header = "Idempotency-Key" }`, in a post only.
fn idempotency_header(
    table: &mut TableReader<'_>,
    call: Call,
    templates: &mut Vec<(HeaderName, Template)>,
    findings: &mut Findings,
) -> bool {
    if !call.has_sale() {
        return true;
    }
    if table.node("idempotency_key").is_none() {
        return true;
    }
    let Some(mut key) = table.table("idempotency_key", findings) else { return false };
    let name = key.required_string("header", "\"Idempotency-Key\"", findings);
    let name = name.and_then(|name| header_name(name.value, name.place, findings));
    key.finish(findings);
    let Some(name) = name else { return false };
    let placeholder = Placeholder { source: Source::IdempotencyKey, filters: Vec::new() };
    templates.push((name, Template { segments: vec![Segment::Value(placeholder)] }));
    true
}

/// Puts the credential where it belongs; a query credential is returned.
fn apply_auth(auth: &Auth, headers: &mut HeaderMap) -> Option<Box<str>> {
    match auth {
        Auth::Header(name, value) => {
            headers.insert(name.clone(), value.clone());
            None
        }
        Auth::Query(pair) => Some(pair.reveal().into()),
        Auth::None | Auth::OAuth2(_) => None,
    }
}

fn body_of(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    format: Format,
    files: Files<'_>,
    findings: &mut Findings,
) -> Option<Body> {
    let kinds = ["body", "template", "template_file"];
    let named: Vec<&str> = kinds.into_iter().filter(|kind| table.node(kind).is_some()).collect();
    match named.as_slice() {
        ["body"] => body::mapped(scope, format, &table.table("body", findings)?, findings),
        ["template"] => {
            let text = table.string("template", "'''...'''", findings)?;
            literal(scope, format, text.value, &text.place, findings)
        }
        ["template_file"] => file(table, scope, format, files, findings),
        [] if format == Format::Query => Some(Body::Empty),
        [] => {
            table.missing("body", "{ zip = \"{{ zip }}\" }", findings);
            None
        }
        _ => {
            let message = format!("{} exclude each other", named.join(" and "));
            let help = "keep one of body, template and template_file".to_owned();
            findings.error("body_twice", table.own_place(), message, help);
            None
        }
    }
}

fn file(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    format: Format,
    files: Files<'_>,
    findings: &mut Findings,
) -> Option<Body> {
    let named = table.string("template_file", "\"buyer_post.xml\"", findings)?;
    let Some(file) = files(named.value) else {
        let message = format!("there is no file `{}` beside this one", named.value);
        let help = "a template file stands in the same folder as its buyer's file".to_owned();
        findings.error("no_template_file", named.place, message, help);
        return None;
    };
    let span = 0..file.text.len();
    let place = Place { file: Arc::clone(&file), span };
    literal(scope, format, &file.text, &place, findings)
}

/// A literal text; blanks around it are not sent.
fn literal(
    scope: &Scope<'_>,
    format: Format,
    text: &str,
    place: &Place,
    findings: &mut Findings,
) -> Option<Body> {
    let escape = match format {
        Format::Json => Escape::Json,
        Format::Xml => Escape::Xml,
        Format::Form | Format::Query => Escape::Form,
        Format::Text => Escape::None,
    };
    let text = text.trim();
    let template = match format {
        Format::Json => scope.template(text, place, findings)?,
        Format::Form | Format::Xml | Format::Query | Format::Text => {
            scope.text(text, place, findings)?
        }
    };
    Some(Body::Text(template, escape))
}
