//! No buyer sees contact data before it has won, and nobody else sees it ever.
//!
//! Ten thousand leads with values that occur nowhere else go through all dialects of the sample.
//! Afterwards everything that left the house or stayed in it is searched for every form of every
//! value. The search itself is proved by leaks that are planted on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange_lab::load::{self, LoadPlan};
use exchange_lab::mock_buyers::{RecordedRequest, sample_buyers};
use exchange_lab::{FaultPlan, Lead, LeadPlan, Leads, MockBuyers, RequestKind};

use crate::harness::cli::{self, KeyMode};
use crate::harness::process::Serving;
use crate::harness::search::{Hit, Reach, Search, base64, hex};
use crate::harness::seller::Seller;
use crate::harness::site::{Site, SiteSettings};
use crate::harness::{TestBuyer, World, lead, leads, within};

const LEADS: u64 = 10_000;
/// The whole run; what takes longer hangs.
const RUN_MAX: Duration = Duration::from_secs(400);

fn canaries() -> LeadPlan {
    LeadPlan { seed: 77, canaries: true, invalid_per_mille: 20, ..LeadPlan::default() }
}

/// The sample's buyers, healthy and at once, keeping everything they hear.
async fn listening_buyers() -> MockBuyers {
    let mut specs = sample_buyers(1);
    for spec in &mut specs {
        spec.faults = FaultPlan::healthy();
        spec.latency = (Duration::ZERO, Duration::ZERO);
        spec.keep_requests = true;
    }
    MockBuyers::start(specs).await.unwrap()
}

/// The bodies of answers, with the indices of their leads.
type Answers = Vec<(u64, Vec<u8>)>;

/// Everything the exchange said and kept.
struct Everything {
    buyers: Vec<(String, Vec<RecordedRequest>)>,
    answers: Vec<Vec<u8>>,
    statuses: BTreeMap<String, u64>,
    files: Vec<(String, Vec<u8>)>,
    /// Which buyer has a durable right to which lead, by the lead's index.
    entitled: BTreeSet<(String, u64)>,
}

async fn run_through_the_sample() -> Everything {
    let site = Site::of_sample(&SiteSettings::default());
    // The files of a config are kept in the database: their example must be nobody's number.
    let vertical = std::fs::read_to_string(site.path("verticals/auto_insurance.toml")).unwrap();
    site.write("verticals/auto_insurance.toml", &vertical.replace("5125550134", "5125540134"));
    let buyers = listening_buyers().await;
    site.write_hosts(&buyers.hosts().into_iter().collect());
    let mut serving = Serving::start(&site).await;
    let key = cli::new_key(&site, "quotekart/search", KeyMode::Live);
    let heard: Arc<Mutex<Answers>> = Arc::default();
    let keep = Arc::clone(&heard);
    let plan = LoadPlan {
        rate_per_second: 2_000,
        total: LEADS,
        concurrency: 48,
        leads: canaries(),
        on_answer: Some(Arc::new(move |answered: &load::Answered| {
            if let Ok(answer) = &answered.answer {
                keep.lock().unwrap().push((answered.lead.index(), answer.body.clone()));
            }
        })),
        ..LoadPlan::new(&format!("http://{}/v1/leads", site.seller), &key)
    };
    let report = within(RUN_MAX, "the run", load::run(plan)).await.unwrap();
    println!("{report}");
    assert_eq!(report.answered, LEADS, "{report}");
    let operator = Seller::new(site.operator, &key);
    let metrics = operator.answer(operator.bare(reqwest::Method::GET, "/metrics")).await;
    serving.terminate();
    assert!(within(RUN_MAX, "the drain", serving.ended()).await.success());
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    let entitled = entitled(&site, &heard);
    let mut files = vec![("metrics".to_owned(), metrics.body)];
    files.extend(files_of(&site));
    Everything {
        buyers: buyers.iter().map(|b| (b.name().to_owned(), b.requests())).collect(),
        answers: heard.into_iter().map(|(_, body)| body).collect(),
        statuses: report.outcomes,
        files,
        entitled,
    }
}

/// The log, the database and whatever else lies in the exchange's own folder.
fn files_of(site: &Site) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(site.path("var")).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

/// Buyers with a durable commit A, and the index of the lead it is for.
fn entitled(site: &Site, heard: &[(u64, Vec<u8>)]) -> BTreeSet<(String, u64)> {
    let id_of = |body: &[u8]| {
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        body["lead_id"].as_str()?.parse::<exchange_model::LeadId>().ok()
    };
    let by_id: BTreeMap<Vec<u8>, u64> = heard
        .iter()
        .filter_map(|(index, body)| Some((id_of(body)?.to_bytes().to_vec(), *index)))
        .collect();
    let database = site.database();
    let mut query = database.prepare("SELECT campaign, lead FROM attempt").unwrap();
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
    rows.unwrap()
        .map(|row| row.unwrap())
        .map(|(campaign, lead)| (campaign.split('/').next().unwrap().to_owned(), by_id[&lead]))
        .collect()
}

/// The same bytes without moments: microseconds since 1970, sixteen digits that begin with 17 or
/// 18. Among so many of them, ten digits in a row are somebody's number by chance.
fn without_moments(bytes: &[u8]) -> Vec<u8> {
    let mut kept = bytes.to_vec();
    for run in kept.chunk_by_mut(|one, next| one.is_ascii_digit() && next.is_ascii_digit()) {
        if run.len() == 16 && (run.starts_with(b"17") || run.starts_with(b"18")) {
            run.fill(b'-');
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_leads_leave_no_trace_of_contact_data_where_it_must_not_be() {
    let everything = run_through_the_sample().await;
    let sold = everything.statuses.get("sold").copied().unwrap_or(0);
    assert!(sold > LEADS / 2, "the run was real: {:?}", everything.statuses);
    let leads: Vec<Lead> = Leads::new(canaries()).take(usize::try_from(LEADS).unwrap()).collect();
    no_ping_carries_any(&everything, &Search::of(&leads, Reach::Pings));
    let search = Search::of(&leads, Reach::Files);
    println!("{} forms searched for", search.forms());
    only_the_entitled_are_posted_to(&everything, &search);
    for body in &everything.answers {
        assert_eq!(search.hits(body), [], "an answer tells: {}", String::from_utf8_lossy(body));
    }
    let mut searched = 0;
    for (name, bytes) in &everything.files {
        assert_eq!(search.hits(&without_moments(bytes)).first(), None, "{name} tells");
        searched += bytes.len();
    }
    println!("{searched} bytes of {} files searched", everything.files.len());
    assert!(
        everything
            .files
            .iter()
            .any(|(name, bytes)| name.ends_with("rialto.db") && bytes.len() > 1 << 20)
    );
    assert!(
        everything
            .files
            .iter()
            .any(|(name, bytes)| name.ends_with("rialto.log") && !bytes.is_empty())
    );
}

fn no_ping_carries_any(everything: &Everything, search: &Search) {
    for (buyer, requests) in &everything.buyers {
        let pings = requests.iter().filter(|request| request.kind != RequestKind::Post);
        let mut count = 0_u64;
        for ping in pings {
            assert_eq!(
                search.hits(&ping.bytes),
                [],
                "a ping tells {buyer}: {}",
                String::from_utf8_lossy(&ping.bytes)
            );
            count += 1;
        }
        assert!(count > 100 || buyer == "lonestar_agents", "{buyer} heard {count} pings");
    }
}

/// A post holds the values of one lead, to whose buyer commit A gave the right.
fn only_the_entitled_are_posted_to(everything: &Everything, search: &Search) {
    let mut found = BTreeSet::new();
    for (buyer, requests) in &everything.buyers {
        for post in requests.iter().filter(|request| request.kind == RequestKind::Post) {
            for Hit { lead, what } in search.hits(&post.bytes) {
                let who = (buyer.clone(), lead);
                assert!(everything.entitled.contains(&who), "{buyer} got {what} of lead {lead}");
                found.insert(who);
            }
        }
    }
    // The search sees: every post that a buyer was entitled to was recognised by its values.
    assert_eq!(found.len(), everything.entitled.len(), "posts without the contact data of a lead");
}

#[test]
fn a_leak_in_any_form_is_found_and_ordinary_text_is_not_one() {
    let leads: Vec<Lead> = Leads::new(canaries()).take(200).collect();
    let search = Search::of(&leads, Reach::Pings);
    let lead = &leads[123];
    let (phone, email) = (lead.field("phone"), lead.field("email"));
    let (area, local) = phone.split_at(3);
    let (exchange, line) = local.split_at(3);
    let sha256 = |text: &str| {
        use sha2::Digest as _;
        hex(&sha2::Sha256::digest(text.as_bytes()))
    };
    let leaks = [
        phone.clone(),
        local.to_owned(),
        format!("({area}) {exchange}-{line}"),
        email.clone(),
        email.to_uppercase(),
        email.replace('@', "%40"),
        base64(email.as_bytes()),
        base64(format!("{{\"email\":\"{email}\"}}").as_bytes()),
        base64(format!("x{}", lead.field("last_name")).as_bytes()),
        hex(phone.as_bytes()),
        sha256(&email),
        sha256(&phone).to_uppercase(),
        sha256(&format!("+1{phone}")),
        hex(&crate::harness::digests::md5(email.as_bytes())),
        hex(&crate::harness::digests::sha1(phone.as_bytes())),
        lead.field("first_name").to_lowercase(),
        lead.field("last_name"),
        lead.field("trustedform_url"),
    ];
    for leak in leaks {
        let ping = format!(r#"{{"zip":"78701","age":36,"ref":"{leak}","source":"QK-1107"}}"#);
        let hits = search.hits(ping.as_bytes());
        assert!(hits.iter().any(|hit| hit.lead == lead.index()), "`{leak}` is not found");
    }
    let ordinary = br#"{"zip":"78701","age":36,"source":"QK-1107","make":"Honda","year":2019}"#;
    assert_eq!(search.hits(ordinary), []);
}

/// Plants a leak in the config of a world with one buyer, whose pings would carry this template.
fn leaking_buyer(template: &str) -> String {
    let honest = TestBuyer::plain("alpha", 2000).toml();
    let leaking = honest.replace("age = \"{{ age }}\"", &format!("age = \"{template}\""));
    assert_ne!(leaking, honest);
    leaking
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_whose_pings_would_carry_contact_data_is_refused() {
    let world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    for template in [
        "{{ phone }}",
        "{{ email }}",
        "{{ first_name }}",
        "{{ birth_date }}",
        "{{ trustedform_url }}",
        "{{ email | lower }}",
        "{{ phone | digits }}",
        "{{ lead }}",
    ] {
        world.site.write("buyers/alpha.toml", &leaking_buyer(template));
        let checked = world.run(&["check", "--plain"]);
        assert_eq!(checked.code, Some(78), "{template}: {}{}", checked.stdout, checked.stderr);
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert!(said.contains("buyers/alpha.toml"), "{template}: {said}");
    }
}

/// The leak that no check can see: the operator has declared an address to be no contact data.
#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_a_real_leak_that_is_planted_in_the_config() {
    let world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let vertical =
        std::fs::read_to_string(world.site.path("verticals/auto_insurance.toml")).unwrap();
    let email = r#"email = { type = "email", class = "contact""#;
    assert!(vertical.contains(email));
    let open =
        email.replace("email\", class = \"contact\"", "text\", max_length = 80, class = \"open\"");
    world.site.write("verticals/auto_insurance.toml", &vertical.replace(email, &open));
    world.site.write("buyers/alpha.toml", &leaking_buyer("{{ email | upper }}"));
    let seller = std::fs::read_to_string(world.site.path("sellers/kart.toml")).unwrap();
    for name in ["kart", "rival"] {
        let seller =
            std::fs::read_to_string(world.site.path(&format!("sellers/{name}.toml"))).unwrap();
        let on_phone = seller.replace("[\"phone\", \"email\"]", "[\"phone\"]");
        world.site.write(&format!("sellers/{name}.toml"), &on_phone);
    }
    drop(seller);
    let mut world = world;
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    world.serving = Serving::start(&world.site).await;
    let leads: Vec<Lead> =
        Leads::new(LeadPlan { canaries: true, ..LeadPlan::default() }).take(3).collect();
    for lead in &leads {
        assert_eq!(world.seller.post(&lead.json()).await.outcome(), "sold");
    }
    let search = Search::of(&leads, Reach::Pings);
    let requests = world.buyer("alpha").requests();
    let pings = requests.iter().filter(|request| request.kind == RequestKind::Ping);
    let found: BTreeSet<u64> =
        pings.flat_map(|ping| search.hits(&ping.bytes)).map(|hit| hit.lead).collect();
    assert_eq!(found, BTreeSet::from([0, 1, 2]), "the planted leak is found in every ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_lead_is_sealed_for_good_and_its_books_still_stand() {
    let mut world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let sold = world.seller.post(&lead(1)).await;
    let id = sold.at("lead_id");
    assert_eq!(world.run(&["lead", "erase", &id]).code, Some(2), "it asks whether you mean it");
    world.run(&["lead", "erase", &id, "--yes"]).ok();
    let keys = world.site.rows("lead_key");
    assert_eq!(keys, 0, "the key is destroyed");
    let journey = world.run(&["lead", "show", &id]).ok();
    for value in ["5125550001", "Person1", "sample.person.1"] {
        assert!(!journey.contains(value), "{journey}");
    }
    assert_eq!(world.seller.lead(&id).await.outcome(), "sold", "the sale stands");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_shown_to_an_operator_is_masked() {
    let world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let sample = leads::realistic(5, 1).remove(0);
    let id = world.seller.post(&sample.json()).await.at("lead_id");
    for arguments in [vec!["lead", "show", &id], vec!["--json", "lead", "show", &id]] {
        let shown = world.run(&arguments).ok();
        for field in ["phone", "email", "trustedform_url", "birth_date"] {
            assert!(!shown.contains(&sample.field(field)), "{field}: {shown}");
        }
    }
}
