//! Buyers that answer badly, late, twice or not at all: to pings, to posts, below HTTP.
//!
//! `honest` always bids less than the hostile one, so it wins exactly when the hostile bid is no
//! bid. After a post whose answer is lost it must get nothing at all.

use std::time::Duration;

use exchange_lab::{Fault, FaultPlan, RequestKind};

use crate::harness::raw_buyer::{Act, RawBuyer, ok_json};
use crate::harness::tls::SelfSigned;
use crate::harness::waiting::now;
use crate::harness::{Answer, TestBuyer, World, lead, ping_of, with};

/// What `honest` bids, and what its seller then gets.
const HONEST: u32 = 1000;
const HONEST_PAYS: &str = "8.00";

async fn against(hostile: TestBuyer) -> World {
    World::of([hostile, TestBuyer::nested("honest", HONEST)]).start().await
}

/// The hostile bid counted for nothing and the honest buyer bought.
fn honest_won(answer: &Answer) {
    assert_eq!(answer.outcome(), "sold", "{}", answer.text());
    assert_eq!(answer.at("price"), HONEST_PAYS, "{}", answer.text());
}

/// Every lead goes to the honest buyer under each of these faults on pings; the reasons are named.
async fn pings_are_no_bids(cases: Vec<(Fault, &str)>) {
    let mut world = against(TestBuyer::nested("hostile", 5000).ping_timeout("1500ms")).await;
    for (number, (fault, code)) in (1..).zip(cases) {
        world.buyer("hostile").set_faults(FaultPlan::every_ping(fault.clone()));
        let answer = world.seller.post(&lead(number)).await;
        honest_won(&answer);
        world.journey_with(&answer.at("lead_id"), code).await;
    }
    assert_eq!(world.buyer("hostile").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b01_a_buyer_that_hangs_or_drips_is_late_and_ignored() {
    let drip = Fault::Drip { bytes: 1, every: Duration::from_millis(200) };
    pings_are_no_bids(vec![
        (Fault::Hang, "timeout"),
        (Fault::Delay(Duration::from_millis(2_500)), "timeout"),
        (drip, "timeout"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_huge_endless_and_compressed_replies_are_cut() {
    pings_are_no_bids(vec![
        (Fault::HugeBody, "bad_reply"),
        (Fault::EndlessChunks, "bad_reply"),
        (Fault::GzipBomb, "bad_reply"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_readable_bid_in_a_body_over_the_limit_is_none() {
    let padded = |bytes: usize| {
        let pad = "a".repeat(bytes);
        let bid =
            format!(r#"{{"ok":true,"id":"t","price":"50.00","currency":"USD","pad":"{pad}"}}"#);
        RawBuyer::start(move |_| Act::Say(ok_json(&bid)))
    };
    let (large, too_large) = (padded(60 * 1024).await, padded(70 * 1024).await);
    let world = against(TestBuyer::raw("large", large.addr)).await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    assert_eq!(ping.at("price"), "40.00", "60 KiB are read: {}", ping.text());
    let world = against(TestBuyer::raw("large", too_large.addr)).await;
    honest_won(&world.seller.post(&lead(1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_megabyte_of_headers_is_cut() {
    let flood = RawBuyer::start(|_| {
        let headers: String =
            (0..20_000).map(|n| format!("x-{n}: {}\r\n", "a".repeat(40))).collect();
        Act::SayAndClose(format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes())
    });
    let flood = flood.await;
    let world = against(TestBuyer::raw("hostile", flood.addr)).await;
    honest_won(&world.seller.post(&lead(1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_flood_of_1xx_answers_is_cut() {
    let flood =
        RawBuyer::start(|_| Act::SayForever(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())).await;
    let world = against(TestBuyer::raw("hostile", flood.addr).ping_timeout("1500ms")).await;
    honest_won(&world.seller.post(&lead(1)).await);
    honest_won(&world.seller.post(&lead(2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_prices_that_are_none_are_never_coerced() {
    let bad = |text: &str, code| (Fault::BadPrice(text.to_owned()), code);
    pings_are_no_bids(vec![
        // Zero or less is a way to say no.
        bad("-1", "declined"),
        bad("NaN", "bad_reply"),
        bad("1e400", "bad_reply"),
        bad("1e1", "bad_reply"),
        bad("33.333333333333333333", "bad_reply"),
        bad("\"1,000\"", "bad_reply"),
        bad("\"$20\"", "bad_reply"),
        bad("\"\"", "bad_reply"),
        bad("null", "bad_reply"),
        bad("[20]", "bad_reply"),
        bad("true", "bad_reply"),
        bad("\"\u{0662}\u{0660}\"", "bad_reply"),
        bad("20,\"usd\":30", "bad_reply"),
        bad("1000000000", "bad_reply"),
        bad("100.01", "above_ceiling"),
        bad("0.99", "below_floor"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_replies_that_are_no_document_are_no_bids() {
    pings_are_no_bids(vec![
        (Fault::Garbage, "bad_reply"),
        (Fault::HtmlPage, "bad_reply"),
        (Fault::EmptyBody, "bad_reply"),
        (Fault::Truncate, "bad_reply"),
        (Fault::Status(500), "http_error"),
        (Fault::Status(204), "declined"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_bid_in_another_currency_or_none_is_no_bid() {
    let raw =
        RawBuyer::start(|_| Act::Say(ok_json(r#"{"ok":true,"id":"t","price":"50.00"}"#))).await;
    let world = against(TestBuyer::raw("hostile", raw.addr)).await;
    let answer = world.seller.post(&lead(1)).await;
    honest_won(&answer);
    pings_are_no_bids(vec![(Fault::WrongCurrency, "wrong_currency")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b06_a_bid_for_another_ping_is_no_bid() {
    let confused = RawBuyer::start(|_| {
        let other = "ping_01kb2v3w4x5y6z7a8b9c0d1e2f";
        let bid =
            format!(r#"{{"ok":true,"id":"t","price":"50.00","currency":"USD","for":"{other}"}}"#);
        Act::Say(ok_json(&bid))
    });
    let confused = confused.await;
    let hostile =
        TestBuyer::raw("hostile", confused.addr).ping_rule("ping_id = { at = \"$.for\" }");
    let world = against(hostile).await;
    let answer = world.seller.post(&lead(1)).await;
    honest_won(&answer);
    world.journey_with(&answer.at("lead_id"), "bad_reply").await;
}

/// A name that nobody has, or whose server does not answer: both end within the connect budget.
#[tokio::test(flavor = "multi_thread")]
async fn b08_a_buyer_whose_name_is_not_found_in_time_is_no_bid() {
    let hostile = TestBuyer::plain("hostile", 5000).origin("https://nobody.invalid");
    let mut world = against(hostile).await;
    let began = now();
    let answer = world.seller.post(&lead(1)).await;
    honest_won(&answer);
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    world.journey_with(&answer.at("lead_id"), "connect_error").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_a_buyer_with_a_certificate_nobody_signed_is_told_nothing() {
    let server = SelfSigned::start().await;
    let hostile = TestBuyer::plain("hostile", 5000)
        .origin(&format!("https://localhost:{}", server.addr.port()));
    let world = against(hostile).await;
    let answer = world.seller.post(&lead(1)).await;
    honest_won(&answer);
    assert!(server.connections() > 0, "it was tried");
    assert_eq!(server.heard(), 0, "not a byte of a request left");
    world.journey_with(&answer.at("lead_id"), "connect_error(tls)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_a_buyer_that_resets_is_no_bid_and_others_are_unharmed() {
    pings_are_no_bids(vec![
        (Fault::Reset, "reset"),
        (Fault::ResetAfterRead, "reset"),
        (Fault::AcceptThenDrop, "reset"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_a_buyer_that_closes_after_every_answer_loses_no_lead() {
    let closing = RawBuyer::start(|request| {
        Act::SayAndClose(if request.path == "/ping" {
            ok_json(r#"{"ok":true,"id":"t","price":"50.00","currency":"USD"}"#)
        } else {
            ok_json(r#"{"ok":true,"ref":"r","price":"50.00","currency":"USD"}"#)
        })
    });
    let closing = closing.await;
    let mut world = against(TestBuyer::raw("closing", closing.addr)).await;
    for number in 1..=30 {
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!(answer.outcome(), "sold", "an idle connection that closed lost a lead");
        assert_eq!(answer.at("price"), "40.00");
    }
    assert_eq!(closing.requests("/post").len(), 30);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_a_redirect_to_an_internal_address_is_not_followed() {
    let inside = RawBuyer::start(|_| Act::Say(ok_json("{}"))).await;
    let to = format!("http://{}/admin", inside.addr);
    let hostile =
        TestBuyer::plain("hostile", 5000).faults(FaultPlan::every_ping(Fault::Redirect(to)));
    let world = against(hostile).await;
    honest_won(&world.seller.post(&lead(1)).await);
    assert_eq!(inside.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_a_lost_acceptance_is_resolved_by_asking_again_under_the_same_key() {
    let forgetful = FaultPlan::script(|kind, nth| match (kind, nth) {
        (RequestKind::Post, 0) => Fault::AcceptThenDrop,
        _ => Fault::None,
    });
    let mut world = against(TestBuyer::plain("lossy", 5000).reposts().faults(forgetful)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "sold", "asked again within the budget");
    let standing = world.until_status(&answer.at("lead_id"), "sold").await;
    assert_eq!(standing["price"], "40.00");
    let lossy = world.buyer("lossy");
    assert_eq!(lossy.book().purchases().len(), 1, "asked twice, bought once");
    assert!(lossy.stats().repeats >= 1);
    assert_eq!(world.buyer("honest").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_a_lost_acceptance_that_cannot_be_asked_again_is_held_and_nobody_else_gets_the_lead() {
    let mut world = against(
        TestBuyer::plain("lossy", 5000).faults(FaultPlan::every_post(Fault::AcceptThenDrop)),
    )
    .await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "pending");
    assert!(answer.json()["price"].is_null(), "we do not guess");
    assert_eq!(world.buyer("lossy").stats().posts, 1, "never posted again without leave");
    assert_eq!(world.buyer("honest").stats().posts, 0);
    assert_eq!(world.seller.lead(&answer.at("lead_id")).await.at("status"), "pending");
    world.journey_with(&answer.at("lead_id"), "unknown").await;
    world.books_verify().await;
}

/// The lead is held under each of these faults on posts, and nobody else gets it.
async fn posts_are_unknown(cases: Vec<Fault>) {
    let mut world = against(TestBuyer::plain("lossy", 5000).post_timeout("1s")).await;
    for (number, fault) in (1..).zip(cases) {
        world.buyer("lossy").set_faults(FaultPlan::every_post(fault.clone()));
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!(answer.outcome(), "pending", "{fault:?}: {}", answer.text());
    }
    assert_eq!(world.buyer("honest").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_answers_that_say_nothing_are_unknown() {
    posts_are_unknown(vec![
        Fault::HtmlPage,
        Fault::EmptyBody,
        Fault::Garbage,
        Fault::Truncate,
        Fault::Status(500),
        Fault::Status(503),
        Fault::HugeBody,
        Fault::ResetAfterRead,
        Fault::Hang,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_acceptance_is_taken_when_it_comes() {
    let late = Fault::Delay(Duration::from_millis(1_500));
    let slow =
        TestBuyer::plain("slow", 5000).post_timeout("1s").faults(FaultPlan::every_post(late));
    let mut world = against(slow).await;
    let answer = world.seller.post(&lead(1)).await;
    let standing = world.until_status(&answer.at("lead_id"), "sold").await;
    assert_eq!(standing["price"], "40.00");
    assert_eq!(world.buyer("honest").stats().posts, 0);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c02_an_acceptance_said_twice_is_one_sale() {
    let stutter = RawBuyer::start(|request| {
        if request.path == "/ping" {
            return Act::Say(ok_json(r#"{"ok":true,"id":"t","price":"50.00","currency":"USD"}"#));
        }
        let one = ok_json(r#"{"ok":true,"ref":"r","price":"50.00","currency":"USD"}"#);
        let two = ok_json(r#"{"ok":true,"ref":"r2","price":"60.00","currency":"USD"}"#);
        Act::Say([one, two].concat())
    });
    let stutter = stutter.await;
    let mut world = against(TestBuyer::raw("stutter", stutter.addr)).await;
    for number in 1..=5 {
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "40.00"));
    }
    assert_eq!(stutter.requests("/post").len(), 5);
    world.books_verify().await;
    let sales = world.site.rows("attempt WHERE state = 'accepted'");
    assert_eq!(sales, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_another_price_than_the_bid_is_booked_at_the_bid_and_flagged() {
    let fickle = RawBuyer::start(|request| {
        Act::Say(if request.path == "/ping" {
            ok_json(r#"{"ok":true,"id":"t","price":"50.00","currency":"USD"}"#)
        } else {
            ok_json(r#"{"ok":true,"ref":"r","price":"45.00","currency":"USD"}"#)
        })
    });
    let fickle = fickle.await;
    let mut world = against(TestBuyer::raw("fickle", fickle.addr)).await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "40.00"));
    world.journey_with(&answer.at("lead_id"), "price_differs").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_redirected_post_is_a_rejection_and_not_followed() {
    let inside = RawBuyer::start(|_| Act::Say(ok_json("{}"))).await;
    let to = format!("http://{}/elsewhere", inside.addr);
    let hostile =
        TestBuyer::plain("hostile", 5000).faults(FaultPlan::every_post(Fault::Redirect(to)));
    let mut world = against(hostile).await;
    honest_won(&world.seller.post(&lead(1)).await);
    assert_eq!(inside.connections(), 0, "the lead went nowhere else");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b13_a_buyer_that_fails_again_and_again_is_left_alone_and_others_are_not() {
    let failing =
        TestBuyer::plain("failing", 5000).faults(FaultPlan::every_ping(Fault::Status(500)));
    let mut world =
        World::of([failing, TestBuyer::nested("honest", HONEST), TestBuyer::plain("third", 900)])
            .start()
            .await;
    for number in 1..=5 {
        honest_won(&world.seller.post(&lead(number)).await);
    }
    let answer = world.seller.post(&lead(6)).await;
    honest_won(&answer);
    world.journey_with(&answer.at("lead_id"), "breaker_open").await;
    assert_eq!(world.buyer("failing").stats().pings, 5, "five failures in a row, then none");
    // It is healthy again, but the pause is not over.
    world.buyer("failing").set_faults(FaultPlan::healthy());
    honest_won(&world.seller.post(&lead(7)).await);
    assert_eq!(world.buyer("failing").stats().pings, 5);
    let metrics = world.metrics().await;
    let gauge = |buyer: &str| {
        let label = format!("\"{buyer}\"");
        let line = metrics
            .lines()
            .find(|line| line.starts_with("rialto_buyer_breaker{") && line.contains(&label));
        line.and_then(|line| line.split(' ').next_back()).map(str::to_owned)
    };
    assert_eq!(gauge("failing").as_deref(), Some("2"), "{metrics}");
    assert_ne!(gauge("honest").as_deref(), Some("2"));
    world.books_verify().await;
}

/// When most buyers fail at once it is our network: nobody is left alone, and when it is back so
/// is every buyer.
#[tokio::test(flavor = "multi_thread")]
async fn b13_when_most_buyers_fail_at_once_none_is_left_alone() {
    let names = ["alpha", "beta", "gamma", "delta"];
    let mut world = World::of(names.map(|name| TestBuyer::plain(name, 2000))).start().await;
    let fail = FaultPlan::every_ping(Fault::Status(500));
    world.buyers.iter().for_each(|buyer| buyer.set_faults(fail.clone()));
    for number in 1..=10 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "unsold");
    }
    for name in names {
        assert_eq!(world.buyer(name).stats().pings, 10, "{name} was left alone");
    }
    world.buyers.iter().for_each(|buyer| buyer.set_faults(FaultPlan::healthy()));
    world.still_sells(11).await;
    world.books_verify().await;
}

/// No check can see what a seller writes into an open text; the bytes are looked at as well.
#[tokio::test(flavor = "multi_thread")]
async fn c13_a_ping_that_would_tell_contact_data_is_stopped_and_alarmed() {
    let leaky = RawBuyer::start(|_| Act::Say(ok_json(r#"{"price":"50.00"}"#))).await;
    let hostile = TestBuyer::raw("leaky", leaky.addr).dialect(
        r#"
[connector.main.ping]
url = "ORIGIN/ping"
format = "json"
timeout = "3s"
body = { zip = "{{ zip }}", now_with = "{{ carrier }}" }
[connector.main.ping.reply]
as = "json"
rules = [{ when = { at = "$.price", exists = true }, then = "bid" }]
price = { at = "$.price" }
[connector.main.post]
url = "ORIGIN/post"
format = "json"
timeout = "3s"
body = { lead = "{{ lead }}" }
[connector.main.post.reply]
as = "json"
rules = [{ when = { at = "$.price", exists = true }, then = "accepted" }]
"#,
    );
    let mut world = against(hostile).await;
    let answer = world.seller.post(&with(lead(1), "carrier", "none, call 512.555.0001")).await;
    honest_won(&answer);
    assert_eq!(leaky.connections(), 0, "not a byte has left");
    world.journey_with(&answer.at("lead_id"), "contact_in_ping").await;
    let counted = |metrics: &str| {
        let line = metrics.lines().find(|line| line.starts_with("rialto_contact_in_ping_total"));
        line.and_then(|line| line.split(' ').next_back()).map(str::to_owned)
    };
    let metrics = world.metrics().await;
    assert_eq!(counted(&metrics).as_deref(), Some("1"), "{metrics}");
    let log = world.site.log();
    let alarm = log.lines().find(|line| line.contains("\"ERROR\"") && line.contains("contact"));
    assert!(alarm.is_some_and(|line| line.contains("phone") && line.contains("leaky")), "{log}");
    assert!(!log.contains("512.555.0001") && !log.contains("5125550001"));
    // An honest ping to the same buyer goes out as before.
    let answer = world.seller.post(&lead(2)).await;
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "40.00"));
    assert_eq!(counted(&world.metrics().await).as_deref(), Some("1"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b14_when_every_buyer_is_down_the_lead_is_unsold_and_sells_again_when_they_are_back() {
    // Three: of fewer, each may have its own trouble, and is left alone for a while.
    let buyers = [
        TestBuyer::plain("alpha", 2000),
        TestBuyer::nested("beta", 1000),
        TestBuyer::plain("gamma", 900),
    ];
    let mut world = World::of(buyers).start().await;
    for buyer in world.buyers.iter() {
        buyer.set_faults(FaultPlan::every_ping(Fault::Reset));
    }
    for number in 1..=5 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "unsold");
    }
    for buyer in world.buyers.iter() {
        buyer.set_faults(FaultPlan::healthy());
    }
    world.still_sells(9_000).await;
    world.books_verify().await;
}
