//! What happens after a buyer says no, and that nobody ever gets more than it was allowed.

use crate::harness::{TestBuyer, World, lead};

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_post_goes_to_the_next_best_bidder() {
    let refuser = TestBuyer::plain("alpha", 3000).rejects(1000);
    let mut world =
        World::of([refuser, TestBuyer::nested("beta", 2000), TestBuyer::plain("gamma", 1000)])
            .start()
            .await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "sold");
    assert_eq!(answer.at("price"), "16.00", "80 % of the second bid");
    let posts = |name: &str| world.buyer(name).stats().posts;
    assert_eq!([posts("alpha"), posts("beta"), posts("gamma")], [1, 1, 0]);
    world.journey_with(&answer.at("lead_id"), "rejected").await;
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_whole_tier_rejects_the_next_one_is_asked() {
    let refuser = |name: &str| TestBuyer::plain(name, 3000).rejects(1000);
    let mut world = World::of([refuser("alpha"), refuser("beta")])
        .tier([TestBuyer::nested("gamma", 1000)])
        .start()
        .await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!((answer.outcome().as_str(), answer.at("price").as_str()), ("sold", "8.00"));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_tier_is_not_pinged_when_a_higher_one_buys() {
    let world = World::of([TestBuyer::plain("alpha", 1000)])
        .tier([TestBuyer::plain("beta", 9000)])
        .start()
        .await;
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "8.00");
    assert_eq!(world.buyer("beta").stats().pings, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everybody_rejects_the_lead_is_unsold_and_may_be_sent_again() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000).rejects(1000)]).start().await;
    let answer = world.seller.post(&lead(1)).await;
    assert_eq!(answer.outcome(), "unsold");
    assert!(!answer.json()["reasons"].as_array().unwrap().is_empty());
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_is_kept_or_the_lead_is_unsold_never_paid_less() {
    let refuser = TestBuyer::plain("alpha", 3000).rejects(1000);
    let mut world = World::of([refuser, TestBuyer::nested("beta", 2000)]).start().await;
    let ping = world.seller.ping(&crate::harness::ping_of(&lead(1))).await;
    assert_eq!(ping.at("price"), "24.00");
    let post = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(post.outcome(), "unsold", "{}", post.text());
    assert_eq!(world.buyer("beta").stats().posts, 0, "16.00 would break the promise of 24.00");
    world.books_verify().await;
}

/// Posts this many leads at once and says how many were sold.
async fn sold_at_once(world: &World, count: u32) -> usize {
    let mut posts = tokio::task::JoinSet::new();
    for number in 0..count {
        let seller = world.seller.clone();
        posts.spawn(async move { seller.post(&lead(number)).await.outcome() });
    }
    let outcomes = posts.join_all().await;
    let named = ["sold", "unsold"];
    assert!(outcomes.iter().all(|o| named.contains(&o.as_str())), "{outcomes:?}");
    outcomes.iter().filter(|outcome| *outcome == "sold").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_cap_of_one_is_never_oversold_by_64_leads_at_once() {
    let capped = TestBuyer::plain("alpha", 3000).campaign("caps = { day = 1 }");
    let mut world = World::of([capped, TestBuyer::nested("beta", 1000)]).start().await;
    assert_eq!(sold_at_once(&world, 64).await, 64, "the others go to the next bidder");
    assert_eq!(world.buyer("alpha").stats().accepted, 1);
    assert_eq!(world.buyer("alpha").stats().posts, 1, "a lead over the cap does not even leave");
    assert_eq!(world.buyer("beta").stats().accepted, 63);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_spend_cap_is_never_exceeded() {
    let capped = TestBuyer::plain("alpha", 3000).campaign("caps = { day_spend = \"100.00\" }");
    let mut world = World::of([capped]).start().await;
    assert_eq!(sold_at_once(&world, 64).await, 3, "three times 30.00 fit into 100.00");
    assert_eq!(world.buyer("alpha").stats().posts, 3);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_prepaid_buyer_out_of_credit_is_refused_inside_the_write() {
    let prepaid =
        TestBuyer::plain("alpha", 3000).billing("terms = \"prepaid\"\ncredit_line = \"0.00\"");
    let mut world = World::of([prepaid]).start().await;
    assert_eq!(sold_at_once(&world, 8).await, 0, "nothing was paid in advance");
    assert_eq!(world.buyer("alpha").stats().posts, 0);
    world.run(&["buyer", "top-up", "alpha", "100.00", "--ref", "WIRE-1"]).ok();
    world.run(&["buyer", "top-up", "alpha", "100.00", "--ref", "WIRE-1"]).ok();
    let sold = {
        let mut posts = tokio::task::JoinSet::new();
        for number in 100..164 {
            let seller = world.seller.clone();
            posts.spawn(async move { seller.post(&lead(number)).await.outcome() });
        }
        posts.join_all().await.into_iter().filter(|outcome| outcome == "sold").count()
    };
    assert_eq!(sold, 3, "100.00, booked once, buys three leads at 30.00");
    assert_eq!(world.buyer("alpha").stats().posts, 3);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_a_credit_limit_is_never_exceeded() {
    let limited =
        TestBuyer::plain("alpha", 3000).billing("terms = \"net7\"\ncredit_limit = \"90.00\"");
    let mut world = World::of([limited]).start().await;
    assert_eq!(sold_at_once(&world, 64).await, 3);
    assert_eq!(world.buyer("alpha").stats().posts, 3);
    world.books_verify().await;
}
