//! `kill -9` of the real binary at random moments under load, and good order afterwards.
//!
//! Three books are compared: what sellers were told, what the ledger says, and what the buyers
//! themselves wrote down before they answered. No acknowledged lead may be lost, no exclusive lead
//! may be sold twice, and the books verify after every restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange_lab::mock_buyers::{Book, Purchase};
use exchange_lab::random::Random;
use exchange_lab::{Fault, FaultPlan};
use exchange_model::LeadId;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::harness::process::{Serving, tail};
use crate::harness::seller::Seller;
use crate::harness::waiting::PATIENCE;
use crate::harness::wire::Wire;
use crate::harness::{Answer, TestBuyer, World, eventually, lead, within};

const CYCLES: u32 = 50;
/// Sellers that post one lead after the other.
const SELLERS: u32 = 12;
/// The moment of the kill, in milliseconds after the exchange was ready.
const MOMENTS: (u64, u64) = (20, 500);
/// Restarts draw their moments from this seed.
const SEED: u64 = 4;

/// One lead as its seller knows it.
#[derive(Clone, Debug)]
struct Told {
    /// The number it was made from; also its idempotency key.
    number: u32,
    lead: String,
    status: String,
    price: String,
}

/// What sellers did and heard.
#[derive(Debug, Default)]
struct Ledger {
    sent: BTreeSet<u32>,
    told: Vec<Told>,
}

/// Everything the sellers share.
struct Market {
    seller: Seller,
    next: AtomicU32,
    open: AtomicBool,
    ledger: Mutex<Ledger>,
}

impl Market {
    /// Posts one lead after the other until the market closes. A lead whose answer was lost is sent
    /// again under its key, as a seller would.
    async fn post_until_closed(self: Arc<Self>) {
        while self.open.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.ledger.lock().unwrap().sent.insert(number);
            for _try in 0..3 {
                if self.post(number).await || !self.open.load(Ordering::Relaxed) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
    }

    /// Whether there was an answer that settles this request.
    async fn post(&self, number: u32) -> bool {
        let answer = self.seller.try_post(&lead(number), &key(number)).await;
        let Ok(answer) = answer else { return false };
        self.note(number, &answer)
    }

    fn note(&self, number: u32, answer: &Answer) -> bool {
        if answer.status == 503 {
            return false;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = Told {
            number,
            lead: answer.at("lead_id"),
            status: answer.at("status"),
            price: answer.at("price"),
        };
        self.ledger.lock().unwrap().told.push(told);
        true
    }
}

fn key(number: u32) -> String {
    format!("order-{number}")
}

/// Three buyers: one that refuses some leads, loses answers and can be asked again, one that does
/// the same and cannot be asked, and one that takes everything.
fn buyers(books: &TempDir) -> [TestBuyer; 3] {
    let book = |name: &str| books.path().join(format!("{name}.jsonl"));
    let now_and_then = |seed| FaultPlan::rates(seed, vec![], vec![(Fault::AcceptThenDrop, 60)]);
    [
        TestBuyer::plain("alpha", 3000)
            .reposts()
            .rejects(300)
            .faults(now_and_then(1))
            .book(book("alpha")),
        TestBuyer::nested("beta", 2000).faults(now_and_then(2)).rejects(200).book(book("beta")),
        TestBuyer::plain("gamma", 1000).book(book("gamma")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn d01_fifty_kills_under_load_lose_no_acknowledged_lead_and_sell_none_twice() {
    let books = tempfile::tempdir().unwrap();
    let mut world = World::of(buyers(&books)).start().await;
    let market = Arc::new(Market {
        seller: world.seller.clone(),
        next: AtomicU32::new(0),
        open: AtomicBool::new(true),
        ledger: Mutex::default(),
    });
    let mut sellers = JoinSet::new();
    for _ in 0..SELLERS {
        sellers.spawn(Arc::clone(&market).post_until_closed());
    }
    let mut random = Random::new(SEED);
    for cycle in 0..CYCLES {
        tokio::time::sleep(Duration::from_millis(random.between(MOMENTS.0, MOMENTS.1))).await;
        world.serving.kill();
        let verified = world.run(&["ledger", "verify"]);
        assert_eq!(
            verified.code,
            Some(0),
            "after kill {cycle}: {}{}",
            verified.stdout,
            verified.stderr
        );
        world.serving = Serving::start(&world.site).await;
    }
    market.open.store(false, Ordering::Relaxed);
    within(PATIENCE, "the last answers", sellers.join_all()).await;
    until_settled(&world).await;
    ask_again_for_every_lead(&market).await;
    until_settled(&world).await;
    world.books_verify().await;
    let market = market.ledger.lock().unwrap();
    compare(&world, &market, &books);
}

/// Waits until nothing is out any more but what nobody can ask for.
async fn until_settled(world: &World) {
    eventually("unknown posts of a buyer that can be asked again", || async {
        let open = world.site.rows(
            "attempt WHERE state = 'prepared' OR state = 'unknown' AND campaign = 'alpha/auto'",
        );
        (open == 0).then_some(())
    })
    .await;
}

/// Every lead that was ever sent is sent once more: the stored answer, or a safe new auction.
async fn ask_again_for_every_lead(market: &Arc<Market>) {
    let sent: Vec<u32> = market.ledger.lock().unwrap().sent.iter().copied().collect();
    let mut asking = JoinSet::new();
    for chunk in sent.chunks(sent.len().div_ceil(8).max(1)) {
        let (market, chunk) = (Arc::clone(market), chunk.to_vec());
        asking.spawn(async move {
            for number in chunk {
                eventually("an answer", || async { market.post(number).await.then_some(()) }).await;
            }
        });
    }
    asking.join_all().await;
}

/// One attempt as the exchange knows it.
#[derive(Clone, Debug)]
struct Attempt {
    lead: String,
    step: u8,
    buyer: String,
    price: String,
    payout: String,
    state: String,
}

fn attempts(world: &World) -> Vec<Attempt> {
    let database = world.site.database();
    let mut query =
        database.prepare("SELECT lead, step, campaign, price, payout, state FROM attempt").unwrap();
    let rows = query.query_map([], |row| {
        let bits: [u8; 16] = row.get(0)?;
        let campaign: String = row.get(2)?;
        Ok(Attempt {
            lead: LeadId::from_bytes(bits).to_string(),
            step: row.get(1)?,
            buyer: campaign.split('/').next().unwrap().to_owned(),
            price: row.get(3)?,
            payout: row.get(4)?,
            state: row.get(5)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn compare(world: &World, market: &Ledger, books: &TempDir) {
    let attempts = attempts(world);
    let purchases: Vec<(String, Purchase)> = ["alpha", "beta", "gamma"]
        .into_iter()
        .flat_map(|name| {
            let lines = Book::read(&books.path().join(format!("{name}.jsonl"))).unwrap();
            let bought = lines.into_iter().filter(|line| !line.repeat);
            bought.map(move |line| (name.to_owned(), line))
        })
        .collect();
    let sold = attempts.iter().filter(|attempt| attempt.state == "accepted").count();
    let unknown: Vec<&Attempt> = attempts.iter().filter(|a| a.state == "unknown").collect();
    println!(
        "{CYCLES} kills: {} leads sent, {} answers, {sold} sold, {} bought by the buyers' books, {} unknown",
        market.sent.len(),
        market.told.len(),
        purchases.len(),
        unknown.len()
    );
    assert!(sold > 200, "the run was real");
    nothing_is_sold_twice(&purchases, &attempts);
    buyers_and_exchange_agree(&purchases, &attempts);
    sellers_and_exchange_agree(world, market, &attempts);
    ledger_and_attempts_agree(world, &attempts);
    assert!(unknown.iter().all(|attempt| attempt.buyer != "alpha"), "alpha can be asked again");
}

fn nothing_is_sold_twice(purchases: &[(String, Purchase)], attempts: &[Attempt]) {
    let mut bought: BTreeMap<&str, &str> = BTreeMap::new();
    for (buyer, purchase) in purchases {
        let before = bought.insert(&purchase.phone, buyer);
        assert_eq!(before, None, "a lead was bought twice, the second time by {buyer}");
    }
    let mut with_a_buyer = BTreeSet::new();
    for attempt in attempts.iter().filter(|a| matches!(a.state.as_str(), "accepted" | "unknown")) {
        assert!(with_a_buyer.insert(&attempt.lead), "{} may be with two buyers", attempt.lead);
    }
}

/// Every purchase is a sale or an unknown, at the same price; every sale is a purchase.
fn buyers_and_exchange_agree(purchases: &[(String, Purchase)], attempts: &[Attempt]) {
    let by_key: BTreeMap<String, &Attempt> = attempts
        .iter()
        .map(|a| (format!("{}_{}", a.lead.replacen("lead_", "att_", 1), a.step), a))
        .collect();
    let mut bought = BTreeSet::new();
    for (buyer, purchase) in purchases {
        let key = purchase.idempotency_key.as_ref().expect("every post carries a key");
        let attempt =
            by_key.get(key).unwrap_or_else(|| panic!("{buyer} bought {key}: no commit A"));
        assert_eq!(attempt.buyer, *buyer);
        assert!(
            matches!(attempt.state.as_str(), "accepted" | "unknown"),
            "{buyer} bought {attempt:?}"
        );
        assert_eq!(attempt.price, purchase.price.to_string(), "{key}");
        bought.insert(key.clone());
    }
    for (key, attempt) in by_key.iter().filter(|(_, attempt)| attempt.state == "accepted") {
        assert!(bought.contains(key), "{attempt:?} is in nobody's book");
    }
}

/// What a seller was told still holds, whatever was killed in between.
fn sellers_and_exchange_agree(world: &World, market: &Ledger, attempts: &[Attempt]) {
    let database = world.site.database();
    let payouts: BTreeMap<&str, &str> = attempts
        .iter()
        .filter(|attempt| attempt.state == "accepted")
        .map(|attempt| (attempt.lead.as_str(), attempt.payout.as_str()))
        .collect();
    let mut leads: BTreeMap<u32, &str> = BTreeMap::new();
    for told in &market.told {
        let first = leads.entry(told.number).or_insert(&told.lead);
        assert_eq!(*first, told.lead, "lead {} was acknowledged under two ids", told.number);
        let id: LeadId = told.lead.parse().unwrap();
        let status: String = database
            .query_row("SELECT status FROM lead WHERE id = ?1", [id.to_bytes()], |row| row.get(0))
            .unwrap_or_else(|error| panic!("{told:?} is lost: {error}"));
        let holds = told.status == status || told.status == "pending";
        assert!(holds, "{told:?} is now {status}");
        if told.status == "sold" {
            let payout = payouts.get(told.lead.as_str());
            assert_eq!(payout, Some(&told.price.as_str()), "{told:?}");
        }
    }
    assert_eq!(leads.len(), market.sent.len(), "every lead was answered in the end");
}

/// Each sale was booked once, and nothing else was.
fn ledger_and_attempts_agree(world: &World, attempts: &[Attempt]) {
    let database = world.site.database();
    let mut query =
        database.prepare("SELECT lead, step FROM ledger_transaction WHERE kind = 'sale'").unwrap();
    let booked = query
        .query_map([], |row| {
            Ok((LeadId::from_bytes(row.get(0)?).to_string(), row.get::<_, u8>(1)?))
        })
        .unwrap()
        .map(Result::unwrap);
    let mut booked: Vec<(String, u8)> = booked.collect();
    let accepted = attempts.iter().filter(|attempt| attempt.state == "accepted");
    let mut sold: Vec<(String, u8)> = accepted.map(|a| (a.lead.clone(), a.step)).collect();
    booked.sort();
    sold.sort();
    assert_eq!(booked, sold);
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_a_retry_after_a_crash_gets_the_stored_answer() {
    let mut world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let first = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(first.outcome(), "sold");
    world.serving.kill();
    world.serving = Serving::start(&world.site).await;
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, "true"));
    assert_eq!(world.buyer("alpha").stats().posts, 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_a_retry_after_a_crash_before_anything_left_runs_a_new_auction() {
    let hanging = TestBuyer::plain("alpha", 2000).faults(FaultPlan::every_ping(Fault::Hang));
    let mut world = World::of([hanging]).start().await;
    let seller = world.seller.clone();
    let cut = tokio::spawn(async move { seller.try_post(&lead(1), "order-1").await });
    eventually("the ping", || async { (world.buyer("alpha").stats().pings > 0).then_some(()) })
        .await;
    world.serving.kill();
    assert!(cut.await.unwrap().is_err(), "the first try got no answer");
    world.buyer("alpha").set_faults(FaultPlan::healthy());
    world.serving = Serving::start(&world.site).await;
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(again.outcome(), "sold");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_a_post_is_out_is_unknown_and_never_posted_elsewhere() {
    let hanging = TestBuyer::plain("alpha", 2000).faults(FaultPlan::every_post(Fault::Hang));
    let mut world = World::of([hanging, TestBuyer::nested("beta", 1000)]).start().await;
    let seller = world.seller.clone();
    let cut = tokio::spawn(async move { seller.try_post(&lead(1), "order-1").await });
    eventually("the post", || async { (world.buyer("alpha").stats().posts > 0).then_some(()) })
        .await;
    world.serving.kill();
    assert!(cut.await.unwrap().is_err());
    world.serving = Serving::start(&world.site).await;
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(again.outcome(), "pending", "{}", again.text());
    assert_eq!(world.buyer("beta").stats().posts, 0);
    assert_eq!(world.buyer("alpha").stats().posts, 1, "it cannot be asked again");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_survives_a_crash() {
    let mut world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let ping = world.seller.ping(&crate::harness::ping_of(&lead(1))).await;
    world.serving.kill();
    world.serving = Serving::start(&world.site).await;
    let post = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!((post.outcome().as_str(), post.at("price").as_str()), ("sold", "16.00"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d08_a_second_process_on_the_same_store_is_refused_and_the_first_goes_on() {
    let mut world = World::of([TestBuyer::plain("alpha", 2000)]).start().await;
    let mut second = Serving::spawn_elsewhere(&world.site);
    let ended = second.ended().await;
    assert!(!ended.success(), "the second process was let in");
    let log = world.site.log();
    assert!(log.contains("another process"), "{}", tail(&log));
    assert!(world.serving.is_running());
    world.still_sells(1).await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_sigterm_finishes_the_auctions_under_way_and_exits_with_0() {
    let slow = Fault::Delay(Duration::from_millis(1_200));
    let alpha = TestBuyer::plain("alpha", 2000).faults(FaultPlan::every_post(slow));
    let mut world = World::of([alpha]).start().await;
    let mut under_way = JoinSet::new();
    for number in 0..10 {
        let seller = world.seller.clone();
        under_way.spawn(async move { seller.try_post(&lead(number), &key(number)).await });
    }
    eventually("ten posts", || async { (world.buyer("alpha").stats().posts == 10).then_some(()) })
        .await;
    let began = crate::harness::waiting::now();
    world.serving.terminate();
    for answer in under_way.join_all().await {
        assert_eq!(answer.expect("nobody is hung up on").outcome(), "sold");
    }
    assert!(world.serving.ended().await.success());
    // The tree's deadline is 12 s, and a tidy end takes 2 s more at most.
    assert!(began.elapsed() < Duration::from_secs(14), "{:?}", began.elapsed());
    world.run(&["ledger", "verify"]).ok();
    world.serving = Serving::start(&world.site).await;
    world.still_sells(9_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_a_request_that_was_let_in_before_sigterm_is_answered_when_its_body_ends() {
    let slow = Fault::Delay(Duration::from_secs(3));
    let alpha =
        TestBuyer::plain("alpha", 2000).post_timeout("8s").faults(FaultPlan::every_post(slow));
    let mut world = World::of([alpha]).start().await;
    let body = lead(1).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /v1/leads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        world.seller.key,
        body.len()
    );
    let mut wire = Wire::connect(world.seller.addr).await;
    assert!(wire.write(head.as_bytes()).await);
    let let_in =
        || async { world.metrics().await.contains("rialto_inflight_auctions 1").then_some(()) };
    eventually("the request to be let in", let_in).await;
    world.serving.terminate();
    let stopping = || async { world.site.log().contains("stopping").then_some(()) };
    eventually("the exchange to stop", stopping).await;
    assert!(wire.write(rest.as_bytes()).await);
    let heard = wire.hear(PATIENCE).await;
    assert!(heard.text().contains("\"status\":\"sold\""), "{}", heard.text());
    assert!(world.serving.ended().await.success());
    world.run(&["ledger", "verify"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn d13_a_second_sigterm_stops_at_once_and_is_still_safe() {
    let hanging = TestBuyer::plain("alpha", 2000).faults(FaultPlan::every_post(Fault::Hang));
    let mut world = World::of([hanging.post_timeout("8s")]).start().await;
    let seller = world.seller.clone();
    let cut = tokio::spawn(async move { seller.try_post(&lead(1), "order-1").await });
    eventually("the post", || async { (world.buyer("alpha").stats().posts > 0).then_some(()) })
        .await;
    let began = crate::harness::waiting::now();
    world.serving.terminate();
    // Two signals that are both still on their way count as one.
    let operator = world.seller.at(world.site.operator);
    eventually("the drain to begin", || async {
        let ready = operator.bare(reqwest::Method::GET, "/readyz").send().await;
        (!ready.is_ok_and(|answer| answer.status() == 200)).then_some(())
    })
    .await;
    world.serving.terminate();
    world.serving.ended().await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    drop(cut.await.unwrap());
    world.run(&["ledger", "verify"]).ok();
    world.serving = Serving::start(&world.site).await;
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(again.outcome(), "pending", "what was out is unknown, not lost");
}
