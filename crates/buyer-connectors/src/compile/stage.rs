//! From a `[connector.<name>.ping]` or `.post` table to a plan of its requests.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::NodeKind;
use exchange_model::{Findings, Place, SourceFile, TableReader};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};

use super::auth::Auth;
use super::body::{self, Format, XmlOptions};
use super::scope::Scope;
use super::shared::Shared;
use super::url;
use super::{fields, sample};
use crate::body::{Body, Form};
use crate::call::Call;
use crate::plan::{HeaderTemplate, Plan};
use crate::template::{Escape, Source, Template};

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

/// The keys of which one says what is sent.
const BODIES: [&str; 3] = ["body", "template", "template_file"];

/// What a stage is given that names no timeout; the ping and the post name theirs.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

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
    let mut plan = request(table, &scope, auth, findings)?;
    plan.body_room = sample::check(call, &plan, shared, &place, findings)?;
    complete.then_some(plan)
}

fn request(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    auth: &Auth,
    findings: &mut Findings,
) -> Option<Plan> {
    let method_written = table.node("method").is_some();
    let format = format(table, findings);
    let url = url::address(table, scope, findings);
    let method = method(table, format, findings);
    let may_be_bare = matches!(method, Some(Method::GET | Method::DELETE)) && method_written;
    let timeout = timeout(table, scope.call, findings);
    let mut headers = base_headers(format);
    let query = match table.node("query") {
        Some(node) => body::pairs(scope, (table, node), findings),
        None => Some(Form::default()),
    };
    let body = body_of(table, scope, format, may_be_bare, findings);
    if format == Format::Soap {
        soap_headers(table, &mut headers, findings);
    }
    let templates = headers_of(table, scope, &mut headers, findings);
    let mut credentials = Vec::new();
    let auth_query = auth.apply(scope, &mut headers, &mut credentials, findings);
    let (origin, path) = url?;
    let mut header_templates = templates?;
    header_templates.extend(credentials.into_iter().map(HeaderTemplate::credential));
    let mut plan = Plan {
        method: method?,
        origin,
        path,
        query: query?,
        fixed_uri: None,
        auth_query: auth_query?,
        headers,
        header_templates,
        body: body?,
        body_is_query: format == Format::Query,
        timeout: timeout?,
        body_room: 0,
    };
    plan.fix_uri();
    Some(plan)
}

fn format(table: &mut TableReader<'_>, findings: &mut Findings) -> Format {
    let words = [
        ("json", Format::Json),
        ("form", Format::Form),
        ("query", Format::Query),
        ("xml", Format::Xml),
        ("soap", Format::Soap),
        ("multipart", Format::Multipart),
        ("text", Format::Text),
    ];
    table.one_of("format", &words, findings).map_or(Format::Json, |format| format.value)
}

fn method(table: &mut TableReader<'_>, format: Format, findings: &mut Findings) -> Option<Method> {
    let words = [("POST", 0_u8), ("GET", 1), ("PUT", 2), ("PATCH", 3), ("DELETE", 4)];
    if table.node("method").is_none() {
        return Some(if format == Format::Query { Method::GET } else { Method::POST });
    }
    let word = table.one_of("method", &words, findings)?;
    let method = match word.value {
        0 => Method::POST,
        1 => Method::GET,
        2 => Method::PUT,
        3 => Method::PATCH,
        _ => Method::DELETE,
    };
    let has_body = BODIES.iter().any(|kind| table.raw().get(kind).is_some());
    if method == Method::GET && format != Format::Query && has_body {
        let message = "a GET carries no body".to_owned();
        let help = "write `format = \"query\"`, or `method = \"POST\"`".to_owned();
        findings.error("bad_value", word.place, message, help);
        return None;
    }
    Some(method)
}

fn timeout(table: &mut TableReader<'_>, call: Call, findings: &mut Findings) -> Option<Duration> {
    if table.node("timeout").is_none() {
        if !matches!(call, Call::Ping | Call::Post) {
            return Some(TIMEOUT_DEFAULT);
        }
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

fn base_headers(format: Format) -> HeaderMap {
    let content_type = match format {
        Format::Json => "application/json",
        Format::Form => "application/x-www-form-urlencoded",
        Format::Xml => "application/xml",
        Format::Soap => "text/xml; charset=utf-8",
        // Every request of parts names its own boundary.
        Format::Multipart => "multipart/form-data",
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
) -> Option<Vec<HeaderTemplate>> {
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
            let template = template.map(|template| template.folded(Escape::None));
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
    templates: &mut Vec<HeaderTemplate>,
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
            let secret = template.holds_secret() && !template.holds_lead();
            templates.push(HeaderTemplate { name, text: template, secret });
            true
        }
    }
}

pub(super) fn header_name(text: &str, place: Place, findings: &mut Findings) -> Option<HeaderName> {
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

/// `idempotency_key = { header = "Idempotency-Key" }`, where a sale is asked for.
fn idempotency_header(
    table: &mut TableReader<'_>,
    call: Call,
    templates: &mut Vec<HeaderTemplate>,
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
    let text = Template::sole(Source::IdempotencyKey);
    templates.push(HeaderTemplate { name, text, secret: false });
    true
}

fn body_of(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    format: Format,
    may_be_bare: bool,
    findings: &mut Findings,
) -> Option<Body> {
    let xml = match format {
        Format::Soap => XmlOptions::read(table, true, findings)?,
        _ => XmlOptions::read(table, false, findings)?,
    };
    let named: Vec<&str> = BODIES.into_iter().filter(|kind| table.node(kind).is_some()).collect();
    match named.as_slice() {
        ["body"] if format == Format::Soap => soap(table, scope, &xml, findings),
        ["body"] => {
            let node = table.node("body")?;
            body::mapped(scope, format, &xml, (table, node), findings)
        }
        ["template"] => {
            let text = table.string("template", "'''...'''", findings)?;
            literal(scope, format, text.value, &text.place, findings)
        }
        ["template_file"] => file(table, scope, format, findings),
        [] if format == Format::Query || may_be_bare || table.node("query").is_some() => {
            Some(Body::Empty)
        }
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

/// The envelope around `body`, with `soap_header` where there is one.
fn soap(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    xml: &XmlOptions,
    findings: &mut Findings,
) -> Option<Body> {
    let header = match table.node("soap_header") {
        Some(node) => Some(body::elements(scope, xml, (table, node), findings)?),
        None => None,
    };
    let node = table.node("body")?;
    let inside = body::elements(scope, xml, (table, node), findings)?;
    let namespace = match soap_version(table, findings) {
        SoapVersion::V1_1 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V1_2 => "http://www.w3.org/2003/05/soap-envelope",
    };
    Some(Body::Xml(xml.document(body::envelope(namespace, header, inside))))
}

#[derive(Clone, Copy)]
enum SoapVersion {
    V1_1,
    V1_2,
}

fn soap_version(table: &mut TableReader<'_>, findings: &mut Findings) -> SoapVersion {
    let words = [("1.1", SoapVersion::V1_1), ("1.2", SoapVersion::V1_2)];
    table
        .one_of("soap_version", &words, findings)
        .map_or(SoapVersion::V1_1, |version| version.value)
}

/// The action: a header of its own in SOAP 1.1, a part of the content type in 1.2.
fn soap_headers(table: &mut TableReader<'_>, headers: &mut HeaderMap, findings: &mut Findings) {
    let action = table.string("soap_action", "\"urn:ping\"", findings);
    let version = soap_version(table, &mut Findings::new());
    let quoted = action.as_ref().map(|action| format!("\"{}\"", action.value));
    let (name, text) = match (version, quoted) {
        (SoapVersion::V1_1, None) => return,
        (SoapVersion::V1_1, Some(quoted)) => (HeaderName::from_static("soapaction"), quoted),
        (SoapVersion::V1_2, None) => (CONTENT_TYPE, SOAP_1_2.to_owned()),
        (SoapVersion::V1_2, Some(quoted)) => (CONTENT_TYPE, format!("{SOAP_1_2}; action={quoted}")),
    };
    let fits = action.as_ref().is_none_or(|action| !action.value.contains(['"', '\\']));
    match (HeaderValue::from_str(&text), action) {
        (Ok(value), _) if fits => {
            headers.insert(name, value);
        }
        (_, Some(action)) => {
            let message = "no header can hold this text".to_owned();
            findings.error("bad_value", action.place, message, "use printable ASCII".to_owned());
        }
        (_, None) => {}
    }
}

/// The media type of SOAP 1.2.
const SOAP_1_2: &str = "application/soap+xml; charset=utf-8";

fn file(
    table: &mut TableReader<'_>,
    scope: &Scope<'_>,
    format: Format,
    findings: &mut Findings,
) -> Option<Body> {
    let named = table.string("template_file", "\"buyer_post.xml\"", findings)?;
    let Some(file) = (scope.shared.files)(named.value) else {
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
        Format::Xml | Format::Soap => Escape::Xml,
        Format::Form | Format::Query => Escape::Form,
        Format::Text => Escape::None,
        Format::Multipart => {
            let message = "a multipart body is written as `body`".to_owned();
            let help = "write `body = { name = \"{{ field }}\" }`".to_owned();
            findings.error("bad_body", place.clone(), message, help);
            return None;
        }
    };
    let text = text.trim();
    let template = match format {
        Format::Json => scope.template(text, place, findings)?,
        _ => scope.text(text, place, findings)?,
    };
    Some(Body::Text(template.folded(escape), escape))
}
