//! Any bytes from a buyer and any text of an operator end in an answer or a finding, never in a
//! crash, and never in an answer that breaks a promise of its own.
//!
//! Bounded by default. `RIALTO_FUZZ_SECONDS=3600` goes on for that long with other numbers each
//! time, and `RIALTO_FUZZ_SEED=7` begins at a seed of yours. What fails is printed with its seed and
//! kept in `fixtures/crashes`, where it is tried first from then on.

#![expect(clippy::indexing_slicing, reason = "places are drawn below the length they point into")]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use buyer_connectors::{
    CallbackCall, CampaignUse, Connector, PostContext, Preset, RawReply, Secrets, compile,
    compile_for_test, presets,
};
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::outcome::{Acceptance, BidToken, Handles, PingAnswer, PostAnswer, Resolver};
use exchange_model::{
    Currency, Document, Findings, Lead, LeadId, Money, PingView, SourceFile, Stage, Timestamp,
    Vertical,
};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use self::dialects::{DIALECTS, Dialect};
use self::random::Random;
use crate::world;

mod dialects;
mod mutate;
mod random;
mod words;

/// Seconds for all targets together, unless the variable says otherwise.
const SECONDS: u64 = 20;
/// The seed of a bounded run.
const SEED: u64 = 1;
/// How long one case may take. A machine under load must not fail it.
const CASE_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 3 });

/// One case: a buyer's file, and perhaps a reply to be read.
#[derive(Clone, Debug)]
struct Case {
    buyer: Arc<str>,
    reply: Option<Reply>,
    /// Texts of the lead's open fields.
    open: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Case {
    fn of_file(buyer: &str) -> Self {
        Self { buyer: buyer.into(), reply: None, open: Vec::new() }
    }

    fn to_json(&self) -> Value {
        let reply = self.reply.as_ref().map(|reply| {
            json!({ "status": reply.status, "content_type": reply.content_type, "body": reply.body })
        });
        json!({ "buyer": &*self.buyer, "reply": reply, "open": self.open })
    }

    fn from_json(case: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let reply = case["reply"].as_object().map(|reply| Reply {
            status: u16::try_from(reply["status"].as_u64().expect("a status")).expect("a status"),
            content_type: text(&reply["content_type"]),
            body: serde_json::from_value(reply["body"].clone()).expect("bytes"),
        });
        let open = serde_json::from_value(case["open"].clone()).expect("pairs");
        Self { buyer: text(&case["buyer"]).into(), reply, open }
    }
}

/// What every case needs and none changes.
struct Ground {
    vertical: Arc<Vertical>,
    secrets: Secrets,
    /// Connectors of files that come again and again.
    known: BTreeMap<Arc<str>, Option<Arc<Connector>>>,
}

impl Ground {
    fn new() -> Self {
        let vertical = world::vertical();
        Self { vertical, secrets: world::secrets(), known: BTreeMap::new() }
    }

    /// Compiles these once and for all.
    fn know(&mut self, buyers: &[Arc<str>]) {
        for buyer in buyers {
            let connector = self.compiled(buyer);
            self.known.insert(Arc::clone(buyer), connector);
        }
    }

    fn connector(&self, buyer: &Arc<str>) -> Option<Arc<Connector>> {
        match self.known.get(buyer) {
            Some(known) => known.clone(),
            None => self.compiled(buyer),
        }
    }

    /// The first connector of a buyer's file, if there is one; every finding is shown once.
    fn compiled(&self, buyer: &str) -> Option<Arc<Connector>> {
        let mut findings = Findings::new();
        let file = Arc::new(SourceFile { path: "buyer.toml".to_owned(), text: buyer.to_owned() });
        let document = Document::parse(file, &mut findings)?;
        let uses = self.uses(&document);
        let files = |name: &str| {
            let text = "<r>{{ zip }}</r>".to_owned();
            Some(Arc::new(SourceFile { path: name.to_owned(), text }))
        };
        let connectors = compile(&document, &uses, &files, &self.secrets, &mut findings);
        drop(compile_for_test(&document, &uses, &files, &self.secrets, &mut findings));
        drop(world::listed(&findings));
        connectors.iter().next().map(|(_, connector)| Arc::clone(connector))
    }

    fn uses(&self, document: &Document) -> Vec<CampaignUse> {
        let mut findings = Findings::new();
        let mut root = document.reader();
        let tables = root.tables("campaign", &mut findings);
        let names = tables.into_iter().filter_map(|mut campaign| {
            let connector = campaign.string("connector", "", &mut findings)?;
            let mut price = campaign.table("price", &mut findings);
            let mode = price.as_mut().and_then(|price| price.string("mode", "", &mut findings));
            let bids = mode.is_some_and(|mode| mode.value == "bid");
            Some((connector.value.to_owned(), connector.place, bids))
        });
        let uses = names.enumerate().map(|(nth, (connector, place, bids))| CampaignUse {
            campaign: format!("acme/c{nth}").parse().expect("a campaign's name"),
            vertical: Arc::clone(&self.vertical),
            connector,
            place,
            bids,
        });
        uses.take(4).collect()
    }

    fn lead(&self, open: &[(String, String)]) -> Lead {
        let from = IntakeFields {
            stage: Stage::Ping,
            fields: open,
            sealed: Vec::new(),
            pinged: Some(&Lead::example(&self.vertical, world::today())),
            ping_counts: false,
            today: world::today(),
        };
        let taken = intake(LeadId::from_bytes([7; 16]), &self.vertical, from);
        taken.map_or_else(
            |_refused| Lead::example(&self.vertical, world::today()),
            |taken| taken.lead,
        )
    }

    /// Tries a case; what it returns is a broken promise.
    fn check(&self, case: &Case) -> Result<(), String> {
        let Some(connector) = self.connector(&case.buyer) else { return Ok(()) };
        match &case.reply {
            Some(reply) => read(&connector, reply),
            None => self.write(&connector, &self.lead(&case.open)),
        }
    }

    /// Writes every request there is.
    fn write(&self, connector: &Connector, lead: &Lead) -> Result<(), String> {
        let view = PingView::new(lead, world::today());
        if let Ok(ping) = connector.encode_ping(&view, &world::ping_context()) {
            sound_request(&ping)?;
        }
        let permit = world::permit(lead, connector.campaign());
        let token = BidToken::single("t");
        if let Ok(post) = connector.encode_post(lead, &permit, &post_context(&token)) {
            sound_request(&post)?;
        }
        Ok(())
    }
}

fn post_context(token: &BidToken) -> PostContext<'_> {
    PostContext {
        ping_id: Some("ping_1"),
        token: Some(token),
        price: Money::parse("12.50", Currency::USD).expect("an amount"),
        floor: None,
        source_alias: "S1",
        idempotency_key: "att_1",
        callback_url: Some("https://leads.example/v1/callbacks/x"),
        now: Timestamp::default(),
        time_left: Duration::from_millis(700),
        today: world::today(),
        pre: Handles::none(),
        auth: Handles::none(),
    }
}

fn sound_request(request: &buyer_connectors::Request) -> Result<(), String> {
    let text = String::from_utf8_lossy(&request.body);
    let json =
        request.headers.get("content-type").is_some_and(|t| t.as_bytes().ends_with(b"/json"));
    if json && !text.is_empty() && serde_json::from_str::<Value>(&text).is_err() {
        return Err(format!("no JSON is sent: {text}"));
    }
    Ok(())
}

/// Reads the reply as the answer to every call.
fn read(connector: &Connector, reply: &Reply) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&reply.content_type) {
        headers.insert("content-type", value);
    }
    headers.insert("x-result", HeaderValue::from_static("12.50"));
    let raw = RawReply { status: reply.status, headers: &headers, body: &reply.body };
    sound_ping(&connector.read_ping(&raw))?;
    sound_post(&connector.read_post(&raw))?;
    for how in Resolver::ALL {
        sound_post(&connector.read_ask(*how, &raw))?;
    }
    let query = String::from_utf8_lossy(&reply.body);
    let body = if reply.status == 200 { &[] } else { reply.body.as_slice() };
    sound_post(&connector.read_callback(&CallbackCall { query: &query, headers: &headers, body }))
}

fn sound_ping(answer: &PingAnswer) -> Result<(), String> {
    let token = match answer {
        PingAnswer::Bid { price, .. } if !price.is_positive() => {
            return Err(format!("a bid of {}", price.amount_text()));
        }
        PingAnswer::Bid { token, .. } | PingAnswer::Available { token } => token,
        PingAnswer::NoBid(_) => return Ok(()),
    };
    let Some(token) = token else { return Ok(()) };
    bounded("a token", token.tokens.0.values(), 1024)?;
    let brands = &token.brands;
    bounded("a brand's token", brands.iter().filter_map(|brand| brand.token.as_ref()), 1024)?;
    let stored = BidToken::from_text(&token.to_text());
    match () {
        () if token.tokens.0.len() > 16 => Err("more than 16 tokens".to_owned()),
        () if brands.len() > 64 => Err("more than 64 bids".to_owned()),
        () if brands.iter().any(|b| b.price.is_some_and(|p| !p.is_positive())) => {
            Err("a brand's price".to_owned())
        }
        () if stored.as_ref() != Some(token) => Err("a token that is not stored whole".to_owned()),
        () => Ok(()),
    }
}

fn sound_post(answer: &PostAnswer) -> Result<(), String> {
    match answer {
        PostAnswer::Accepted(accepted) => sound_acceptance(accepted),
        PostAnswer::Rejected(why) => {
            bounded("a reason", why.text.iter(), 1024)?;
            match why.counter {
                Some(price) if !price.is_positive() => Err("a counter-offer of nothing".to_owned()),
                _ => Ok(()),
            }
        }
        PostAnswer::Pending(handles) => bounded("a handle", handles.0.values(), 1024),
        PostAnswer::Unknown(_) => Ok(()),
        PostAnswer::NotSent(why) => Err(format!("a reply that was not sent: {why}")),
    }
}

fn sound_acceptance(accepted: &Acceptance) -> Result<(), String> {
    bounded("a reference", accepted.buyer_ref.iter(), 256)?;
    bounded("a redirect", accepted.redirect_url.iter(), 2048)?;
    bounded("a handle", accepted.handles.0.values(), 1024)?;
    let safe = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    match &accepted.redirect_url {
        Some(url) if !safe(url) => Err(format!("a redirect to `{url}`")),
        _ if accepted.price.is_some_and(|price| !price.is_positive()) => {
            Err("a price of nothing".to_owned())
        }
        _ if accepted.legs.len() > 64 => Err("more than 64 legs".to_owned()),
        _ => Ok(()),
    }
}

fn bounded<'a>(
    what: &str,
    texts: impl Iterator<Item = &'a String>,
    limit: usize,
) -> Result<(), String> {
    for text in texts {
        if text.len() > limit {
            return Err(format!("{what} of {} bytes", text.len()));
        }
        if text.chars().any(|c| c.is_control()) {
            return Err(format!("{what} with control characters: {text:?}"));
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the fuzzer runs is no part of the exchange"
)]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a bound on the fuzzer's own time")]
fn now() -> Instant {
    Instant::now()
}

/// Tries cases for this share of the time, in percent.
fn fuzz(target: &str, percent: u32, ground: &Ground, make: impl Fn(&mut Random) -> Case) {
    let asked = number("RIALTO_FUZZ_SECONDS");
    let limit = Duration::from_secs(asked.unwrap_or(SECONDS)) * percent / 100;
    let drawn = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    let first = number("RIALTO_FUZZ_SEED").unwrap_or_else(|| asked.map_or(SEED, |_| drawn()));
    let (began, mut cases, mut slowest) = (now(), 0_u64, (Duration::ZERO, first));
    while began.elapsed() < limit {
        let seed = first.wrapping_add(cases);
        slowest = slowest.max((run(target, seed, ground, &make(&mut Random::new(seed))), seed));
        cases += 1;
    }
    let (took, at) = slowest;
    told(&format!("fuzz {target}: {cases} cases from seed {first}, the slowest {took:?} at {at}"));
    assert!(cases > 0);
}

/// Past the test harness, which keeps the output of tests that pass.
fn told(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

fn run(target: &str, seed: u64, ground: &Ground, case: &Case) -> Duration {
    let began = now();
    let checked = std::panic::catch_unwind(AssertUnwindSafe(|| ground.check(case)));
    let took = began.elapsed();
    let why = match checked {
        Ok(Ok(())) if took > CASE_MAX => format!("took {took:?}"),
        Ok(Ok(())) => return took,
        Ok(Err(broken)) => broken,
        Err(_panic) => "panicked".to_owned(),
    };
    let kept = crashes().join(format!("{target}-{seed:016x}.json"));
    std::fs::create_dir_all(crashes()).expect("a folder");
    std::fs::write(&kept, case.to_json().to_string()).expect("a file");
    panic!("{target}, RIALTO_FUZZ_SEED={seed}: {why}; the case is kept in {}", kept.display());
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn crashes() -> PathBuf {
    fixtures().join("crashes")
}

/// Every file under the fixtures, apart from kept cases: buyers' files, and replies.
fn recorded() -> (Vec<Arc<str>>, Vec<Vec<u8>>) {
    let (mut buyers, mut replies, mut folders) = (Vec::new(), Vec::new(), vec![fixtures()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a folder");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| *path != crashes()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                buyers.push(std::fs::read_to_string(&path).expect("a text").into());
            } else {
                replies.push(std::fs::read(&path).expect("a file"));
            }
        }
    }
    assert!(!replies.is_empty());
    (buyers, replies)
}

/// The shortest file of a buyer that extends this preset. A value that the preset sets itself is set
/// once more, which does no harm.
fn extending(preset: &'static Preset) -> Arc<str> {
    let bases = || std::iter::successors(Some(preset), |preset| preset.base());
    let needed = bases().flat_map(Preset::needs);
    let vars: BTreeMap<String, String> =
        needed.map(|need| (need.name, words::quoted(&need.example))).collect();
    let secrets: BTreeSet<String> =
        bases().flat_map(Preset::secrets).map(|secret| secret.name).collect();
    let vars: Vec<String> = vars.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    let secrets: Vec<String> =
        secrets.iter().map(|name| format!("{name} = \"acme_api_key\"")).collect();
    let (name, vars, secrets) = (preset.name, vars.join(", "), secrets.join(", "));
    let pings = bases().any(|preset| preset.text.contains("[connector.ping"));
    let mode = if pings { "bid" } else { "fixed" };
    format!(
        "id = \"acme\"\n[[campaign]]\nid = \"auto\"\nconnector = \"main\"\n\
         price = {{ mode = \"{mode}\" }}\n[connector.main]\nextends = \"{name}\"\n\
         vars = {{ {vars} }}\nsecrets = {{ {secrets} }}\n"
    )
    .into()
}

fn buyers() -> Vec<Arc<str>> {
    let own = DIALECTS.iter().map(|dialect| dialect.buyer().into());
    own.chain(presets().iter().map(extending)).chain(recorded().0).collect()
}

fn replies() -> Vec<Vec<u8>> {
    let own = DIALECTS.iter().flat_map(|dialect| [dialect.happy.to_vec(), dialect.sad.to_vec()]);
    let examples =
        presets().iter().flat_map(Preset::examples).map(|example| example.body.into_bytes());
    own.chain(examples).chain(recorded().1).collect()
}

#[test]
fn what_broke_once_does_not_break_again() {
    let ground = Ground::new();
    let Ok(entries) = std::fs::read_dir(crashes()) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let text = std::fs::read(&path).expect("a file");
        let case = Case::from_json(&serde_json::from_slice(&text).expect("a case"));
        let checked = ground.check(&case);
        assert_eq!(checked, Ok(()), "{}", path.display());
    }
}

/// Otherwise nothing but refusals would be tried.
#[test]
fn every_dialect_of_the_fuzzer_buys_and_refuses() {
    let ground = Ground::new();
    for (nth, Dialect { happy, sad, .. }) in DIALECTS.iter().enumerate() {
        let text = DIALECTS[nth].buyer();
        let (connectors, findings) = world::compile_file("buyer.toml", &text);
        assert!(!findings.has_errors(), "dialect {nth}: {}", world::listed(&findings));
        let connector = connectors.iter().next().expect("one campaign").1;
        let bid = world::read_ping(connector, 200, happy);
        assert!(matches!(bid, PingAnswer::Bid { .. }), "dialect {nth}: {bid:?}");
        let sale = world::read_post(connector, 200, happy);
        assert!(matches!(sale, PostAnswer::Accepted(_)), "dialect {nth}: {sale:?}");
        let none = world::read_ping(connector, 200, sad);
        assert!(matches!(none, PingAnswer::NoBid(_)), "dialect {nth}: {none:?}");
        assert!(ground.compiled(&text).is_some(), "dialect {nth}");
    }
}

#[test]
fn every_preset_compiles_for_the_fuzzer() {
    for preset in presets() {
        let (connectors, findings) = world::compile_file("buyer.toml", &extending(preset));
        assert_eq!(connectors.len(), 1, "{}: {}", preset.name, world::listed(&findings));
    }
}

#[test]
fn fuzzed_replies_are_read_by_every_decoder_and_extractor() {
    let (buyers, replies) = (buyers(), replies());
    let mut ground = Ground::new();
    ground.know(&buyers);
    const TYPES: &[&str] = &[
        "",
        "application/json",
        "text/xml; charset=utf-8",
        "text/html; charset=\"windows-1252\"",
        "text/plain; charset=utf-16",
        "application/x-www-form-urlencoded",
        "text/xml; charset=none;;=",
    ];
    const STATUS: &[u16] = &[200, 200, 200, 201, 202, 204, 302, 400, 422, 500];
    fuzz("replies", 50, &ground, |random| {
        let own = random.below(DIALECTS.len());
        // Half of the time a dialect reads what it knows, else anything.
        let (buyer, seed) = if random.one_in(2) {
            let Dialect { happy, sad, .. } = DIALECTS[own];
            (&buyers[own], if random.one_in(3) { sad } else { happy })
        } else {
            (&buyers[random.below(buyers.len())], replies[random.below(replies.len())].as_slice())
        };
        let reply = Reply {
            status: STATUS[random.below(STATUS.len())],
            content_type: random.pick(TYPES).to_owned(),
            body: mutate::mutated(seed, &replies, random),
        };
        Case { buyer: Arc::clone(buyer), reply: Some(reply), open: Vec::new() }
    });
}

#[test]
fn fuzzed_templates_compile_or_are_refused_and_write_any_lead() {
    let ground = Ground::new();
    fuzz("templates", 15, &ground, |random| {
        let mut quoted = || words::quoted(&words::template(random));
        let (a, b, c, d, e, f) = (quoted(), quoted(), quoted(), quoted(), quoted(), quoted());
        let format = random.pick(&["json", "form", "xml", "soap", "query", "multipart"]);
        let buyer = format!(
            "id = \"acme\"\n[[campaign]]\nid = \"auto\"\nconnector = \"main\"\nprice = {{ mode = \"bid\" }}\n\
             [map.m]\nTX = \"Texas\"\n\"*\" = \"?\"\n[range.r]\n\"100\" = \"low\"\n\"*\" = \"high\"\n\
             [connector.main]\nvars = {{ base = \"https://a.example\" }}\n\
             [connector.main.ping]\nurl = \"https://a.example/p\"\nformat = \"{format}\"\ntimeout = \"1s\"\n\
             body = {{ a = {a}, b = [{b}, \"x\"], c = {{ \"$if\" = {c}, d = {d} }} }}\n\
             [connector.main.ping.reply]\nrules = [{{ when = {{ at = \"$.ok\", is = [true] }}, then = \"bid\" }}]\nprice = {{ at = \"$.p\" }}\n\
             [connector.main.post]\nurl = \"https://a.example/q\"\nformat = \"{format}\"\ntimeout = \"1s\"\n\
             headers = {{ X-A = {e} }}\nbody = {{ lead = {{ f = {f}, j = {{ \"$json\" = {{ a = {a} }} }} }} }}\n\
             [connector.main.post.reply]\nrules = [{{ when = {{ at = \"$.ok\", is = [true] }}, then = \"accepted\" }}]\n"
        );
        let names = ["carrier", "vehicle_make", "homeowner", "vehicle_year"];
        let open = names.iter().map(|name| ((*name).to_owned(), words::value(random))).collect();
        Case { open, ..Case::of_file(&buyer) }
    });
}

#[test]
fn fuzzed_paths_and_expressions_compile_or_are_refused_and_read_any_reply() {
    let (ground, replies) = (Ground::new(), replies());
    fuzz("paths", 15, &ground, |random| {
        let mut path = || words::quoted(&words::path(random));
        let (a, b, c, d) = (path(), path(), path(), path());
        let how = random.pick(&["json", "xml", "html", "text", "auto"]);
        let reply = format!(
            "as = \"{how}\"\nrules = [{{ when = {{ any = [{{ at = {a}, exists = true }}, {{ matches = {b} }}] }}, then = \"THEN\" }}]\n\
             price = {{ at = [{c}, {a}], regex = {d} }}\nreason = {{ at = {c}, pick = \"joined\" }}\n"
        );
        let dialect = |stage: &str, then: &str| {
            format!(
                "[connector.main.{stage}]\nurl = \"https://a.example/p\"\ntimeout = \"1s\"\nbody = {{ a = \"1\" }}\n[connector.main.{stage}.reply]\n{}",
                reply.replace("THEN", then)
            )
        };
        let buyer = format!(
            "id = \"acme\"\n[[campaign]]\nid = \"auto\"\nconnector = \"main\"\nprice = {{ mode = \"bid\" }}\n{}{}",
            dialect("ping", "bid"),
            dialect("post", "accepted")
        );
        let body = mutate::mutated(&replies[random.below(replies.len())], &replies, random);
        let reply = Reply { status: 200, content_type: String::new(), body };
        Case { reply: Some(reply), ..Case::of_file(&buyer) }
    });
}

#[test]
fn fuzzed_buyer_files_end_in_connectors_or_findings() {
    let ground = Ground::new();
    let whole = |preset: &Preset| Arc::<str>::from(preset.text);
    let files: Vec<Vec<u8>> = buyers()
        .into_iter()
        .chain(presets().iter().map(whole))
        .map(|text| text.as_bytes().to_vec())
        .collect();
    fuzz("files", 20, &ground, |random| {
        let seed = &files[random.below(files.len())];
        let text = if random.one_in(3) {
            mutate::mutated(seed, &files, random)
        } else {
            lines(seed, &files, random)
        };
        Case::of_file(&String::from_utf8_lossy(&text))
    });
}

/// Whole lines removed, repeated, moved or taken from another file, or given another value.
fn lines(text: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let split = |text: &[u8]| text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut lines = split(text);
    let other = split(&others[random.below(others.len())]);
    for _ in 0..=random.below(4) {
        let (at, from) = (random.below(lines.len()), random.below(other.len()));
        match random.below(5) {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines.insert(at, other[from].clone()),
            3 => {
                let to = random.below(lines.len());
                lines.swap(at, to);
            }
            _ => {
                let values = [
                    "true",
                    "-1",
                    "\"\"",
                    "[]",
                    "{}",
                    "[[1]]",
                    "{ at = \"$.a\" }",
                    "99999999999",
                    "\"{{ zip }}\"",
                    "1.5",
                    "2026-01-01",
                ];
                let key = lines[at].split(|b| *b == b'=').next().unwrap_or_default().to_vec();
                lines[at] = [&key, b"= ".as_slice(), random.pick(&values).as_bytes()].concat();
            }
        }
    }
    lines.join(&b'\n')
}
