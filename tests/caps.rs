//! Caps and rates from outside: what a seller hears, what an operator says, what a restart forgets.

use exchange_lab::MockBuyer;

use crate::harness::process::Serving;
use crate::harness::{TestBuyer, World, lead, ping_of};

async fn restart(world: &mut World) {
    world.serving.terminate();
    assert!(world.serving.ended().await.success(), "{}", world.site.log());
    world.serving = Serving::start(&world.site).await;
}

fn posts(buyer: &MockBuyer) -> u64 {
    buyer.stats().posts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_sends_too_fast_is_told_when_to_come_again() {
    let plan = World::of([TestBuyer::nested("honest", 2000)]).source("rate_limit = \"1/m\"\n");
    let mut world = plan.start().await;
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "sold");
    let refused = world.seller.post(&lead(2)).await;
    assert_eq!(refused.problem(429), "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"rate\";q=1;w=60");
    let again: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&again), "{again}");
    assert_eq!(refused.header("ratelimit"), format!("\"rate\";r=0;t={again}"));
    assert_eq!(posts(world.buyer("honest")), 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_s_cap_counts_leads_taken_in_and_survives_a_restart() {
    let plan = World::of([TestBuyer::nested("honest", 2000)]).source("caps = { total = 2 }\n");
    let mut world = plan.start().await;
    assert_eq!(world.seller.post_keyed(&lead(1), "one").await.outcome(), "sold");
    assert_eq!(world.seller.ping(&ping_of(&lead(7))).await.outcome(), "bid");
    assert_eq!(world.seller.post_keyed(&lead(2), "two").await.outcome(), "sold");
    let full = world.seller.post(&lead(3)).await;
    assert_eq!(full.problem(429), "source_cap");
    assert_eq!(full.header("ratelimit-policy"), "\"total\";q=2");
    // Who asks again for a lead that was taken in hears of that lead.
    assert_eq!(world.seller.post_keyed(&lead(2), "two").await.outcome(), "sold");
    restart(&mut world).await;
    assert_eq!(world.seller.post(&lead(4)).await.problem(429), "source_cap");
    assert_eq!(world.seller.ping(&ping_of(&lead(8))).await.outcome(), "bid");
    assert_eq!(posts(world.buyer("honest")), 2);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_with_its_hands_full_gets_the_next_lead_when_it_is_done_with_one() {
    let busy = TestBuyer::nested("busy", 3000).campaign("caps = { open = 1, open_for = \"1h\" }\n");
    let mut world = World::of([busy, TestBuyer::plain("honest", 2000)]).start().await;
    let first = world.seller.post(&lead(1)).await;
    assert_eq!(first.outcome(), "sold");
    let second = world.seller.post(&lead(2)).await;
    assert_eq!(second.outcome(), "sold");
    world.journey_with(&second.at("lead_id"), "cap(open)").await;
    let done = world.run(&["campaign", "finished", "busy/auto", &first.at("lead_id"), "--json"]);
    assert_eq!(done.json()["finished"], true);
    restart(&mut world).await;
    assert_eq!(world.seller.post(&lead(3)).await.outcome(), "sold");
    assert_eq!((posts(world.buyer("busy")), posts(world.buyer("honest"))), (2, 1));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_too_many_does_not_leave_and_the_lead_is_sold_to_others() {
    let slow = TestBuyer::nested("slow", 3000).campaign("ping_rate = \"1/m\"\n");
    let mut world = World::of([slow, TestBuyer::plain("honest", 2000)]).start().await;
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "sold");
    let second = world.seller.post(&lead(2)).await;
    assert_eq!(second.outcome(), "sold");
    world.journey_with(&second.at("lead_id"), "ping_rate").await;
    assert_eq!(world.buyer("slow").stats().pings, 1);
    assert_eq!((posts(world.buyer("slow")), posts(world.buyer("honest"))), (1, 1));
    world.books_verify().await;
}
