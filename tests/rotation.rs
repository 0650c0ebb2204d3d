//! Tiers that take turns: who gets how many of sixty leads, killed and restarted in the middle.

use crate::harness::process::Serving;
use crate::harness::{TestBuyer, World, lead};

const LEADS: u32 = 60;
/// The exchange is killed after these: in the middle of a round, so that whoever forgets begins it
/// anew.
const KILLED_AFTER: [u32; 3] = [1, 31, 44];

/// Posts leads one after the other; the exchange is killed in between.
async fn sell_sixty(world: &mut World) {
    for number in 1..=LEADS {
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!(answer.outcome(), "sold", "lead {number}: {}", answer.text());
        if KILLED_AFTER.contains(&number) {
            world.serving.kill();
            world.serving = Serving::start(&world.site).await;
        }
    }
}

fn posts<const N: usize>(world: &World, names: [&str; N]) -> [u64; N] {
    names.map(|name| world.buyer(name).stats().posts)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_that_take_turns_get_a_third_each_whatever_they_bid_and_after_a_kill() {
    let buyers = [
        TestBuyer::plain("alpha", 3000),
        TestBuyer::nested("beta", 2000),
        TestBuyer::plain("gamma", 1000),
    ];
    let mut world = World::of(buyers).auction("auction = \"round_robin\"", &[]).start().await;
    sell_sixty(&mut world).await;
    assert_eq!(posts(&world, ["alpha", "beta", "gamma"]), [20, 20, 20]);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_weighs_three_times_as_much_gets_three_times_as_many_after_a_kill() {
    let buyers = [TestBuyer::plain("light", 3000), TestBuyer::nested("heavy", 2000)];
    let weights = [("light", "weight = 1"), ("heavy", "weight = 3")];
    let mut world = World::of(buyers).auction("auction = \"weighted\"", &weights).start().await;
    sell_sixty(&mut world).await;
    assert_eq!(posts(&world, ["heavy", "light"]), [45, 15]);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_its_share_of_the_leads_that_it_bid_for_after_a_kill() {
    let buyers = [
        TestBuyer::plain("half", 3000),
        TestBuyer::nested("fifth", 2000),
        TestBuyer::plain("rest", 1000),
    ];
    let shares =
        [("half", "share = \"50%\""), ("fifth", "share = \"20%\""), ("rest", "share = \"30%\"")];
    let mut world = World::of(buyers).auction("auction = \"share\"", &shares).start().await;
    sell_sixty(&mut world).await;
    assert_eq!(posts(&world, ["half", "fifth", "rest"]), [30, 12, 18]);
    let counted = world.site.rows("qualified");
    assert!((3..=9).contains(&counted), "a row for each quarter of an hour: {counted}");
    world.books_verify().await;
}
