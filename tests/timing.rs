//! How long buyers are waited for, and what waiting longer would have earned.

use std::time::Duration;

use exchange_lab::{Fault, FaultPlan};
use serde_json::Value;

use crate::harness::waiting::now;
use crate::harness::{TestBuyer, World, lead};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_answered_quickly_is_not_waited_for_as_long_as_it_might_be() {
    let quick = TestBuyer::plain("quick", 3000).ping_timeout("3s").waited_at_least("200ms");
    let mut world = World::of([quick, TestBuyer::nested("honest", 2000)]).start().await;
    for number in 1..=25 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "sold");
    }
    world.buyer("quick").set_faults(FaultPlan::every_ping(Fault::Hang));
    // Side by side: two unanswered pings in a row would bring the full wait back.
    let timed = |number| {
        let seller = world.seller.clone();
        async move {
            let began = now();
            assert_eq!(seller.post(&lead(number)).await.outcome(), "sold");
            began.elapsed()
        }
    };
    let (a, b, c, d) = tokio::join!(timed(31), timed(32), timed(33), timed(34));
    let took = [a, b, c, d];
    let patient = took.iter().filter(|took| **took >= ms(3_000)).count();
    assert!(patient <= 3, "one lead in twenty waits for the ceiling: {took:?}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_is_too_slow_for_the_time_left_is_not_called() {
    let slow = TestBuyer::plain("slow", 3000)
        .faults(FaultPlan::every_ping(Fault::Delay(ms(700))))
        .ping_timeout("2s");
    let mut world = World::of([slow, TestBuyer::nested("honest", 2000)])
        .times("deadline = \"12s\"\npost_reserve = \"8s\"\n", "500ms")
        .start()
        .await;
    let posts = (1..=24).map(|number| {
        let seller = world.seller.clone();
        tokio::spawn(async move { seller.post(&lead(number)).await.outcome() })
    });
    for post in posts.collect::<Vec<_>>() {
        assert_eq!(post.await.unwrap(), "sold");
    }
    // Its answers were late and were read all the same. One lead in twenty asks it anyway.
    for number in 31..=36 {
        let before = world.buyer("slow").stats().pings;
        let answer = world.seller.post(&lead(number)).await;
        if world.buyer("slow").stats().pings == before {
            world.journey_with(&answer.at("lead_id"), "no_time_left").await;
            return world.books_verify().await;
        }
    }
    panic!("it is called every time:\n{}", world.site.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_waiting_longer_would_have_earned() {
    let late = TestBuyer::plain("late", 5000)
        .faults(FaultPlan::every_ping(Fault::Delay(ms(700))))
        .ping_timeout("500ms");
    let mut world = World::of([late, TestBuyer::nested("honest", 2000)]).start().await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "sold");
    assert!(answer.text().contains("16.00"), "{}", answer.text());
    world.journey_with(&answer.at("lead_id"), "too late, would have won").await;

    let report = |more: &str| world.run(&["report", "late", "--more", more, "--json"]).json();
    let long = report("2s");
    let row = &long["buyers"][0];
    let counts = ["late", "in_time", "would_have_won", "sold_otherwise", "open"];
    assert_eq!(counts.map(|name| row[name].as_u64().unwrap()), [1, 1, 1, 1, 0], "{long}");
    assert_eq!((&row["buyer"], &row["revenue"]), (&Value::from("late"), &Value::from("30.00")));
    assert_eq!(row["payout"], "24.00", "40.00 less the 16.00 that were paid");
    let short = report("10ms");
    assert_eq!(
        (&short["leads"], &short["buyers"][0]["in_time"]),
        (&Value::from(1), &Value::from(0))
    );
    let table = world.run(&["report", "late", "--more", "2s"]).ok();
    assert!(table.contains("What 2000 ms more would have earned"), "{table}");
    let none = world.run(&["report", "late", "--more", "2s", "--since", "0ms"]).ok();
    assert!(none.contains("No bid came late"), "{none}");

    let operator = world.seller.at(world.site.operator);
    let ask = |path: &str| operator.answer(operator.bare(reqwest::Method::GET, path));
    let told = ask("/api/reports/late?more=2s&since=1h").await.json();
    assert_eq!(told["buyers"], long["buyers"]);
    assert_eq!(ask("/api/reports/late").await.status, 422);
    assert_eq!(ask("/api/reports/late?more=soon").await.status, 422);
    world.books_verify().await;
}
