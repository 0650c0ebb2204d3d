//! The store as a whole, through its trait: every test ends with books that verify.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exchange_core::duplicates::{self, Claim, Person, Print, Within};
use exchange_core::price_terms::PriceTerms;
use exchange_core::record::{
    Answer, AttemptOutcome, CapAmount, CapLimit, CapScope, Commit, Concluded, Durable, Intent,
    Next, PayoutRule, PriceChange, Sale, Tally, UnknownPolicy, Window,
};
use exchange_model::lead::{IntakeFields, intake};
use exchange_model::outcome::{Acceptance, Handles};
use exchange_model::reason::{CapKind, LeadStatus, Refused, RejectClass, Rejection, Unknown};
use exchange_model::{
    AttemptId, BillingTerms, CampaignId, Currency, Date, Document, Findings, Lead, LeadId, Money,
    PostPermit, Rate, SourceFile, SourceId, Stage, Timestamp, Vertical,
};
use settlement_ledger::Stamp;
use settlement_ledger::account::BankName;
use settlement_ledger::top_up::WireTopUp;

use super::{SqliteStore, StoreOptions};
use crate::error::StoreError;
use crate::intake::{BuyerLimits, IdempotencyKey, Intake, IntakeKind, IntakeReply, StoredReply};
use crate::recovery::Recovered;
use crate::store::{Committed, ExchangeStore};
use crate::vault::RootKey;
use crate::view::{LeadStanding, LeadView};

mod cap_schedules;
mod caps;
mod caps_on_record;
mod chaos;
mod commits;
mod erasing;
mod failing;
mod opening;
mod operators;
mod people;
mod prices;
mod recovering;
mod requests;
mod scores;
mod served;
mod sharing;

const TODAY: Date = Date::constant(2026, 11, 23);
const ROOT: [u8; 32] = [7; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_764_000_000_000 + seconds * 1_000)
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn source() -> SourceId {
    "leadgen/web".parse().unwrap()
}

fn campaign(name: &str) -> CampaignId {
    name.parse().unwrap()
}

fn lead_id(number: u8) -> LeadId {
    LeadId::new(at(i64::from(number)), [number; 10])
}

fn attempt(number: u8, step: u8) -> AttemptId {
    AttemptId::new(lead_id(number), step)
}

fn vertical() -> Arc<Vertical> {
    let text = r#"
id = "auto"
[field]
zip = { type = "us_zip", class = "open", ping = "required", post = "required", example = "78701" }
phone = { type = "us_phone", class = "contact", ping = "no", post = "required", example = "5125550134" }
"#;
    let mut findings = Findings::new();
    let file = Arc::new(SourceFile { path: "v.toml".into(), text: text.into() });
    let document = Document::parse(file, &mut findings).unwrap();
    let vertical = Vertical::read(&document, &mut findings).unwrap();
    assert!(findings.is_empty());
    vertical
}

fn lead(number: u8, phone: &str) -> Lead {
    let fields = [("zip", "78701"), ("phone", phone)].map(|(a, b)| (a.to_owned(), b.to_owned()));
    let from = IntakeFields {
        stage: Stage::Post,
        fields: &fields,
        sealed: vec![("sub_id1".to_owned(), "planted-canary".to_owned())],
        pinged: None,
        ping_counts: false,
        today: TODAY,
    };
    intake(lead_id(number), &vertical(), from).unwrap().lead
}

/// A phone number of its own for each lead.
fn phone(number: u8) -> String {
    format!("512555{:04}", u32::from(number) + 100)
}

fn prepaid() -> BillingTerms {
    BillingTerms::Prepaid { credit_line: usd("0") }
}

fn generous() -> BillingTerms {
    BillingTerms::Net { days: 30, credit_limit: usd("100000") }
}

/// Between 8 and 20, of which the seller gets half.
fn on_price(change: PriceChange) -> PriceTerms {
    PriceTerms {
        change,
        floor: usd("8"),
        ceiling: usd("20"),
        value: exchange_core::auction::pricing::ValueRule::default(),
        payout: PayoutRule::Share(Rate::parse_percent("50%").unwrap()),
        least_margin: None,
        least: None,
        stretches: false,
    }
}

fn intent(number: u8, step: u8, buyer: &str, price: &str) -> Intent {
    Intent {
        attempt: attempt(number, step),
        campaign: campaign(&format!("{buyer}/auto")),
        tree: "main".to_owned(),
        tier: "exclusive".to_owned(),
        request_key: attempt(number, step),
        price: usd(price),
        payout: usd("5.00"),
        hold: usd(price),
        on_price: on_price(PriceChange::Bid),
        token: None,
        caps: Vec::new(),
        terms: generous(),
        buyers: 1,
        legs: Vec::new(),
        person: Person::default(),
        unknown: UnknownPolicy::Hold,
        resolve_by: at(86_400),
    }
}

fn day() -> Window {
    let start = Timestamp::from_unix_millis(1_763_942_400_000);
    Window { start, end: start.after(Duration::from_hours(24)) }
}

/// A cap of a buyer's one campaign.
fn cap(buyer: &str, kind: CapKind, limit: CapAmount) -> CapLimit {
    let scope = CapScope::Campaign(campaign(&format!("{buyer}/auto")));
    CapLimit { scope, kind, window: day(), limit }
}

fn leads_a_day(most: u32) -> CapLimit {
    cap("acme", CapKind::Day, CapAmount::Leads(most))
}

/// Accepted without a word about the price; [`Desk::try_step`] books it by the stored terms.
fn accepted() -> AttemptOutcome {
    accepted_at(None)
}

fn accepted_at(price: Option<&str>) -> AttemptOutcome {
    let acceptance = Acceptance { price: price.map(usd), ..Acceptance::default() };
    AttemptOutcome::Accepted(Sale {
        price: usd("12.00"),
        payout: usd("5.00"),
        acceptance,
        legs: Vec::new(),
    })
}

fn rejected() -> AttemptOutcome {
    AttemptOutcome::Rejected(Rejection { class: RejectClass::Filter, text: None, counter: None })
}

fn lost() -> AttemptOutcome {
    AttemptOutcome::Unknown(Unknown::Timeout, Handles::default())
}

fn concluded(attempt: AttemptId, outcome: AttemptOutcome) -> Concluded {
    Concluded { attempt, outcome }
}

fn answer(status: LeadStatus) -> Answer {
    let payout = (status == LeadStatus::Sold).then(|| usd("5.00"));
    Answer { status, payout, redirect_url: None, sales: Vec::new(), reasons: Vec::new() }
}

fn stored_reply(text: &str) -> StoredReply {
    StoredReply { http_status: 200, body: text.as_bytes().to_vec() }
}

/// A store in a folder of its own, and the words to talk to it.
struct Desk {
    folder: tempfile::TempDir,
    store: Option<SqliteStore>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self { folder, store: None };
        assert_eq!(desk.open(), Recovered::default());
        desk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rialto.db")
    }

    fn try_open(&self) -> Result<(SqliteStore, Recovered), StoreError> {
        SqliteStore::open(StoreOptions::new(self.path()), RootKey::from_bytes(ROOT), at(500))
    }

    fn open(&mut self) -> Recovered {
        let (store, recovered) = self.try_open().unwrap();
        self.store = Some(store);
        recovered
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    /// The process dies; a new one opens the file.
    fn crash(&mut self) -> Recovered {
        self.store.take().unwrap().kill();
        self.open()
    }

    fn intake_of(&self, number: u8, phone: &str) -> Intake {
        let lead = lead(number, phone);
        let keys = self.store().keys();
        Intake {
            lead: Arc::new(lead),
            kind: IntakeKind::Lead,
            source: source(),
            idempotency: Some(
                IdempotencyKey::new(IntakeKind::Lead, &format!("k{number}")).unwrap(),
            ),
            fingerprint: keys.body_fingerprint(&[number]),
            received_at: at(i64::from(number)),
            config_version: "v1".to_owned(),
            callback_url: Some("https://seller.example/cb".to_owned()),
            resubmission: Vec::new(),
            caps: Vec::new(),
            limits: BuyerLimits::default(),
            repost_of: None,
        }
    }

    /// What a post of this lead asks about its person, by its source's rule since `since`.
    fn person(&self, phone: &str, since: Timestamp) -> Person {
        let lead = lead(1, phone);
        let prints = duplicates::prints(&lead, &[], self.store().keys().fingerprints());
        let within = Within::Source(source());
        let claim = |print: &Print| Claim { within: within.clone(), print: print.clone(), since };
        let claims = prints.iter().map(claim).collect();
        Person { prints, claims, ..Person::default() }
    }

    fn take_in(&self, number: u8) {
        let reply = self.store().intake(self.intake_of(number, &phone(number))).blocking_wait();
        assert_eq!(reply.unwrap(), IntakeReply::Accepted);
    }

    fn try_step(
        &self,
        number: u8,
        concluded: Option<Concluded>,
        next: Next,
    ) -> Result<Committed, StoreError> {
        let concluded = concluded.map(|concluded| self.by_stored_terms(concluded));
        let at = at(i64::from(number) + 1);
        let step = Commit { lead: lead_id(number), at, concluded, qualified: Vec::new(), next };
        let reply = matches!(step.next, Next::Answer(_)).then(|| stored_reply("the answer").into());
        self.store().commit(step, reply).blocking_wait()
    }

    /// What the core makes of an acceptance, from what the store gives it.
    fn by_stored_terms(&self, concluded: Concluded) -> Concluded {
        let Concluded { attempt, outcome } = concluded;
        let record = self.store().attempt(attempt).blocking_wait().unwrap();
        let outcome = match (outcome, record) {
            (AttemptOutcome::Accepted(sale), Some(record)) => {
                record.attempt.intent.accepted(sale.acceptance)
            }
            (outcome, _) => outcome,
        };
        Concluded { attempt, outcome }
    }

    fn step(&self, number: u8, concluded: Option<Concluded>, next: Next) -> Durable {
        self.try_step(number, concluded, next).unwrap().durable
    }

    fn prepare(&self, intent: Intent) -> Result<PostPermit, Refused> {
        let number = intent.attempt.lead().to_bytes()[15];
        let done = self.try_step(number, None, Next::Prepare(Box::new(intent))).unwrap();
        match done.durable {
            Durable::Done => Ok(done.permit.unwrap()),
            Durable::Refused(why) => {
                assert!(done.permit.is_none(), "a refused intent gives no permit");
                Err(why)
            }
        }
    }

    fn answer(&self, number: u8, concluded: Concluded, status: LeadStatus) {
        let done = self.step(number, Some(concluded), Next::Answer(answer(status)));
        assert_eq!(done, Durable::Done);
    }

    /// Takes a lead in and sells it.
    fn sell(&self, number: u8, buyer: &str, price: &str) {
        self.take_in(number);
        self.prepare(intent(number, 1, buyer, price)).unwrap();
        self.answer(number, concluded(attempt(number, 1), accepted()), LeadStatus::Sold);
    }

    fn standing(&self, number: u8) -> LeadStanding {
        self.store().status(&source(), lead_id(number)).blocking_wait().unwrap().unwrap()
    }

    fn status(&self, number: u8) -> Option<LeadStatus> {
        self.standing(number).status
    }

    fn view(&self, number: u8) -> LeadView {
        self.store().flush().blocking_wait().unwrap();
        self.store().lead_view(lead_id(number)).blocking_wait().unwrap().unwrap()
    }

    fn states(&self, number: u8) -> Vec<String> {
        self.view(number).attempts.into_iter().map(|attempt| attempt.state).collect()
    }

    fn exceptions(&self) -> Vec<String> {
        let found = self.store().exceptions(100).blocking_wait().unwrap();
        found.into_iter().map(|exception| exception.kind).collect()
    }

    /// What others must be told.
    fn to_tell(&self) -> Vec<String> {
        let asked = self.store().write(|txn| {
            let sql = "SELECT kind || ' ' || url FROM outbox ORDER BY id";
            super::columns::all(txn.conn, sql, [], |row| Ok(row.get(0)?))
        });
        asked.blocking_wait().unwrap()
    }

    /// Holds the writer up until the sender is dropped.
    fn stall(&self) -> std::sync::mpsc::Sender<()> {
        let (sender, until) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = std::sync::mpsc::channel::<()>();
        drop(self.store().write(move |_txn| {
            drop(begun);
            until.recv().unwrap_err();
            Ok(())
        }));
        begins.recv().unwrap_err();
        sender
    }

    fn top_up(&self, buyer: &str, amount: &str, bank_ref: &str) -> Result<bool, StoreError> {
        let top_up = WireTopUp {
            buyer: buyer.parse().unwrap(),
            bank: BankName::new("main").unwrap(),
            bank_ref: bank_ref.to_owned(),
            amount: usd(amount),
            stamp: Stamp::at(at(0), "cli"),
            memo: String::new(),
        };
        self.store().top_up(top_up).blocking_wait()
    }

    fn used(&self, buyer: &str) -> u32 {
        self.tally(buyer).leads
    }

    fn tally(&self, buyer: &str) -> Tally {
        self.store().used(&cap(buyer, CapKind::Day, CapAmount::Leads(0)))
    }

    fn available(&self, buyer: &str, terms: &BillingTerms) -> i64 {
        let buyer = buyer.parse().unwrap();
        self.store().available(&buyer, terms, Currency::USD).unwrap().get()
    }

    fn held(&self) -> Vec<AttemptId> {
        let holds = self.store().open_holds().blocking_wait().unwrap();
        holds.into_iter().map(|hold| hold.attempt).collect()
    }

    /// The books are sound, and open again without a complaint.
    fn verify(&self) {
        let report = self.store().verify().blocking_wait().unwrap();
        assert!(report.sound(), "{report}");
    }
}
