//! Buyers that take leads' data and buy nothing: they are pinged less, and everybody can see why.

use exchange_lab::MockBuyer;
use serde_json::Value;

use crate::harness::process::Serving;
use crate::harness::{TestBuyer, World, eventually, lead};

/// A rule that a short test can break; a throttled buyer is pinged for nothing.
const STRICT: &str = "\n[harvest]\npings = 8\nposts = 5\nkeep = \"0%\"\n";

/// The scorecard of a buyer, as the running exchange has it.
async fn score(world: &World, buyer: &str) -> Value {
    let operator = world.seller.at(world.site.operator);
    let request = operator.bare(reqwest::Method::GET, "/api/buyers/scores");
    let scores = operator.answer(request).await.json();
    let cards = scores["buyers"].as_array().unwrap();
    cards.iter().find(|card| card["buyer"] == buyer).cloned().unwrap()
}

async fn until_throttled(world: &World, buyer: &str) -> Value {
    eventually(&format!("`{buyer}` to be throttled"), || async {
        let card = score(world, buyer).await;
        (!card["throttled"].is_null()).then_some(card)
    })
    .await
}

fn pings(world: &World, buyer: &str) -> u64 {
    MockBuyer::stats(world.buyer(buyer)).pings
}

#[tokio::test(flavor = "multi_thread")]
async fn b16_a_buyer_that_never_bids_is_throttled_and_its_scorecard_says_why_after_a_restart_too() {
    let harvester = TestBuyer::plain("harvester", 9000).never_bids().stage(STRICT);
    let mut world = World::of([harvester, TestBuyer::nested("honest", 2000)]).start().await;
    for number in 1..=8 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "sold");
    }
    let card = until_throttled(&world, "harvester").await;
    assert_eq!((&card["pings"], &card["bids"]), (&Value::from(8), &Value::from(0)));
    assert_eq!(card["throttled"], "never_bids");
    let honest = score(&world, "honest").await;
    assert_eq!((&honest["bids"], &honest["accepted"]), (&Value::from(8), &Value::from(8)));
    assert!(honest["throttled"].is_null());

    // It sees no more leads, and every lead says so.
    let answer = world.seller.post(&lead(9)).await;
    assert_eq!(answer.outcome(), "sold");
    world.journey_with(&answer.at("lead_id"), "throttled").await;
    assert_eq!(pings(&world, "harvester"), 8);
    let metrics = world.metrics().await;
    assert!(metrics.contains("rialto_buyer_throttled{buyer=\"harvester\"} 1"), "{metrics}");
    assert!(metrics.contains("rialto_buyer_throttled{buyer=\"honest\"} 0"), "{metrics}");
    let told = || world.site.log().matches("it is throttled").count();
    assert_eq!(told(), 1, "{}", world.site.log());

    // Another process knows as much from its first lead on.
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    world.serving = Serving::start(&world.site).await;
    let answer = world.seller.post(&lead(10)).await;
    assert_eq!(answer.outcome(), "sold");
    world.journey_with(&answer.at("lead_id"), "throttled").await;
    assert_eq!(pings(&world, "harvester"), 8);
    let cards = world.run(&["buyer", "score", "harvester", "--json"]).json();
    assert_eq!(
        (&cards[0]["pings"], &cards[0]["throttled"]),
        (&Value::from(8), &Value::from("never_bids"))
    );
    let table = world.run(&["buyer", "score"]).ok();
    assert!(table.contains("throttled: it hardly ever bids"), "{table}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b16_a_buyer_that_bids_high_and_refuses_is_throttled() {
    let harvester = TestBuyer::plain("harvester", 9000).rejects(1000).stage(STRICT);
    let mut world = World::of([harvester, TestBuyer::nested("honest", 2000)]).start().await;
    for number in 1..=5 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "sold");
    }
    let card = until_throttled(&world, "harvester").await;
    let counts = ["pings", "bids", "wins", "posts", "accepted", "rejected", "unknown"];
    assert_eq!(counts.map(|name| card[name].as_u64().unwrap()), [5, 5, 5, 5, 0, 5, 0]);
    assert_eq!(card["throttled"], "refuses");
    assert_eq!(world.seller.post(&lead(6)).await.outcome(), "sold");
    assert_eq!(pings(&world, "harvester"), 5, "the honest buyer gets it at once");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_whose_file_says_so_is_never_throttled() {
    let spared = format!("{STRICT}enabled = false\n");
    let quiet = TestBuyer::plain("quiet", 9000).never_bids().stage(&spared);
    let watched = TestBuyer::plain("watched", 9000).never_bids().stage(STRICT);
    let mut world = World::of([quiet, watched, TestBuyer::nested("honest", 2000)]).start().await;
    for number in 1..=8 {
        world.seller.post(&lead(number)).await;
    }
    until_throttled(&world, "watched").await;
    world.seller.post(&lead(9)).await;
    assert_eq!((pings(&world, "quiet"), pings(&world, "watched")), (9, 8));
    world.books_verify().await;
}
