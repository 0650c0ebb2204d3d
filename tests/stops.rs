//! Pause, kill and resume while leads are sold; and the record of who did it.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::raw_buyer::{Act, RawBuyer, RawRequest, ok_json};
use crate::harness::{Answer, TestBuyer, World, eventually, lead};

/// How long a held bid waits at most, so that a test that fails also ends.
const HELD_MAX: Duration = Duration::from_secs(30);

/// A buyer whose bid of 50.00 is held back until the test lets it go.
async fn held_bidder() -> (RawBuyer, Sender<()>) {
    let (go, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let script = move |request: &RawRequest| {
        if request.path == "/ping" {
            // The worker's other tasks go on meanwhile.
            let wait = || gate.lock().unwrap().recv_timeout(HELD_MAX);
            let _free_or_late = tokio::task::block_in_place(wait);
        }
        Act::Say(ok_json(r#"{"ok":true,"id":"t","price":"50.00","currency":"USD","ref":"r"}"#))
    };
    (RawBuyer::start(script).await, go)
}

/// Posts a lead and asks for this stop while the bid of the held buyer is awaited.
async fn while_pinged(stop: &Value, others: Vec<TestBuyer>) -> (World, Arc<RawBuyer>, Answer) {
    let (raw, go) = held_bidder().await;
    let raw = Arc::new(raw);
    let alpha = TestBuyer::raw("alpha", raw.addr).ping_timeout("25s");
    let buyers = [alpha].into_iter().chain(others);
    let world = World::of(buyers).times("deadline = \"40s\"\npost_reserve = \"12s\"\n", "25s");
    let world = world.start().await;
    let seller = world.seller.clone();
    let posting = tokio::spawn(async move { seller.post(&lead(1)).await });
    eventually("the ping", || async { (!raw.requests("/ping").is_empty()).then_some(()) }).await;
    let operator = world.seller.at(world.site.operator);
    let stopped = operator.bare(reqwest::Method::POST, "/api/stops").json(stop);
    assert_eq!(operator.answer(stopped).await.status, 200);
    go.send(()).unwrap();
    let answer = posting.await.unwrap();
    (world, raw, answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c08_a_kill_reaches_a_lead_between_its_ping_and_its_post() {
    let kill =
        json!({ "action": "kill", "kind": "buyer", "name": "alpha", "why": "wrong company" });
    let others = vec![TestBuyer::nested("beta", 1000)];
    let (mut world, alpha, answer) = while_pinged(&kill, others).await;
    assert_eq!(answer.outcome(), "sold", "{}", answer.text());
    assert_eq!(answer.at("price"), "8.00", "80 % of what the other buyer bid");
    assert_eq!(alpha.requests("/post").len(), 0, "no contact data left for the killed buyer");
    world.journey_with(&answer.at("lead_id"), "stopped").await;
    world.run(&["resume", "buyer", "alpha"]).ok();
    let audit = world.run(&["audit", "--json"]).json();
    let actions: Vec<&str> =
        audit.as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert!(actions.ends_with(&["kill", "resume"]), "{actions:?}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c08_a_kill_of_everything_ends_what_runs_unsold() {
    let others = vec![TestBuyer::nested("beta", 1000)];
    let (mut world, alpha, answer) =
        while_pinged(&json!({ "action": "kill", "kind": "all" }), others).await;
    assert_eq!(answer.outcome(), "unsold", "{}", answer.text());
    assert_eq!(alpha.requests("/post").len(), 0);
    assert_eq!(world.buyer("beta").stats().posts, 0);
    let refused = world.seller.post(&lead(2)).await;
    assert_eq!(refused.problem(403), "source_disabled");
    world.run(&["resume", "all"]).ok();
    let refused = world.seller.post(&lead(2)).await;
    assert_ne!(refused.status, 403, "{}", refused.text());
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c08_a_pause_leaves_what_runs_alone() {
    let pause = json!({ "action": "pause", "kind": "buyer", "name": "alpha" });
    let (mut world, alpha, answer) = while_pinged(&pause, Vec::new()).await;
    assert_eq!(answer.at("price"), "40.00", "{}", answer.text());
    assert_eq!(alpha.requests("/post").len(), 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_keeps_new_leads_away_until_its_time_and_survives_a_restart() {
    let buyers = [TestBuyer::plain("alpha", 3000), TestBuyer::nested("beta", 1000)];
    let mut world = World::of(buyers).start().await;
    world.run(&["pause", "campaign", "alpha/auto", "--until", "1h", "--why", "their server"]).ok();
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "8.00");
    world.serving.kill();
    world.serving = crate::harness::process::Serving::start(&world.site).await;
    assert_eq!(world.seller.post(&lead(2)).await.at("price"), "8.00");
    assert_eq!(world.buyer("alpha").stats().pings, 0);
    let shown = world.run(&["stops", "--json"]).json();
    assert_eq!(shown[0]["name"], "alpha/auto");
    assert!(world.run(&["check"]).stderr.contains("their server"));
    let explained = world.run(&["explain", "state=TX"]).ok();
    assert!(explained.contains("paused"), "{explained}");
    world.run(&["resume", "campaign", "alpha/auto"]).ok();
    assert_eq!(world.seller.post(&lead(3)).await.at("price"), "24.00");
    assert_eq!(world.run(&["resume", "campaign", "alpha/auto"]).code, Some(1));
    world.run(&["pause", "buyer", "alpha", "--until", "1s"]).ok();
    eventually("the pause to end by itself", || async {
        let listed: Value = world.run(&["stops", "--json"]).json();
        listed.as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;
    assert_eq!(world.seller.post(&lead(4)).await.at("price"), "24.00");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_source_is_told_until_when_and_not_why() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    let pause = ["pause", "source", "kart/search", "--until", "2h", "--why", "fraud suspected"];
    world.run(&pause).ok();
    let refused = world.seller.post(&lead(1)).await;
    assert_eq!(refused.problem(403), "source_disabled");
    assert!(refused.text().contains("paused by an operator until"), "{}", refused.text());
    assert!(!refused.text().contains("fraud"), "{}", refused.text());
    let other = world.seller_of("rival/web", crate::harness::cli::KeyMode::Live);
    assert_eq!(other.post(&lead(2)).await.outcome(), "sold");
    assert_eq!(world.run(&["pause", "buyer", "nobody"]).code, Some(1));
    world.books_verify().await;
}
