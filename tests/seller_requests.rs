//! What a request may ask beside the lead: of how many and of whom, twice, and again for less.

use serde_json::{Value, json};

use crate::harness::cli::KeyMode;
use crate::harness::contract::Contract;
use crate::harness::{TestBuyer, World, lead, ping_of, with};

/// MD5 of `buyer alpha`, its title in lower case.
const ALPHA: &str = "9d04ede55fbf5dcd0536b4d95f3236dc";

/// Bids of 30 and 10 dollars: the seller would be paid 24 and 8.
fn two_buyers() -> [TestBuyer; 2] {
    [TestBuyer::plain("alpha", 3000), TestBuyer::nested("beta", 1000)]
}

/// A ping that says who it is.
fn ping_by_name(number: u32) -> Value {
    with(ping_of(&lead(number)), "phone", lead(number)["phone"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_lead_already_is_not_asked_by_name_or_hash_in_json_or_a_form() {
    let world = World::of(two_buyers()).start().await;
    let told = [json!(["Buyer Alpha"]), json!(["alpha"]), json!("nobody,ALPHA"), json!([ALPHA])];
    for (number, exclude) in (1..).zip(told) {
        let sold = world.seller.post(&with(lead(number), "exclude", exclude.clone())).await;
        assert_eq!(sold.at("price"), "8.00", "{exclude}: {}", sold.text());
    }
    let pairs = lead(9);
    let mut form: Vec<String> = pairs
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", text.replace('@', "%40").replace(' ', "+").replace(':', "%3A"))
        })
        .collect();
    form.extend(["exclude=Bolt".to_owned(), "exclude=Buyer+Alpha".to_owned()]);
    let kind = "application/x-www-form-urlencoded";
    let sold = world.seller.send("/v1/leads", kind, form.join("&"), &[]).await;
    assert_eq!(sold.at("price"), "8.00", "{}", sold.text());
    assert_eq!(world.buyer("alpha").stats().pings, 0);
    world.journey_with(&sold.at("lead_id"), "excluded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_excludes_for_its_post_as_well() {
    let world = World::of(two_buyers()).start().await;
    let ping = with(ping_of(&lead(1)), "exclude", json!(["Buyer Alpha"]));
    let bid = world.seller.ping(&ping).await;
    assert_eq!(bid.at("price"), "8.00");
    let id = bid.at("ping_id");
    let other = world.seller.post_on(&id, &with(lead(1), "exclude", json!(["Buyer Beta"]))).await;
    assert_eq!(other.problem(422), "ping_mismatch");
    assert_eq!(other.wrong_fields(), ["exclude"]);
    let sold = world.seller.post_on(&id, &lead(1)).await;
    assert_eq!((sold.outcome().as_str(), sold.at("price").as_str()), ("sold", "8.00"));
    assert_eq!(world.buyer("alpha").stats().pings, 0);
}

fn sales(answer: &crate::harness::Answer) -> usize {
    answer.json()["sales"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_lowers_to_how_many_a_lead_is_sold_and_its_post_is_held_to_it() {
    let three = [("alpha", 3000), ("beta", 2000), ("gamma", 1000)];
    let buyers = three.map(|(name, cents)| TestBuyer::plain(name, cents));
    let mut world = World::of(buyers).shared(3).start().await;
    let all = world.seller.post(&lead(1)).await;
    assert_eq!((all.at("price").as_str(), sales(&all)), ("48.00", 3), "{}", all.text());
    let two = world.seller.post(&with(lead(2), "max_buyers", 2)).await;
    assert_eq!((two.at("price").as_str(), sales(&two)), ("40.00", 2), "{}", two.text());
    let alone = world.seller.post(&with(lead(3), "max_buyers", 1)).await;
    assert_eq!(alone.outcome(), "unsold", "the tier sells to two at least");

    let bid = world.seller.ping(&with(ping_of(&lead(4)), "max_buyers", 2)).await;
    assert_eq!(bid.at("price"), "40.00", "{}", bid.text());
    let id = bid.at("ping_id");
    let more = world.seller.post_on(&id, &with(lead(4), "max_buyers", 3)).await;
    assert_eq!(more.problem(422), "ping_mismatch");
    let sold = world.seller.post_on(&id, &lead(4)).await;
    assert_eq!((sold.at("price").as_str(), sales(&sold)), ("40.00", 2), "{}", sold.text());
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_by_its_name() {
    let world = World::of(two_buyers()).start().await;
    let asked =
        [("max_buyers", json!(11)), ("max_buyers", json!("two")), ("repost_of", json!("A-1"))];
    for (name, value) in asked {
        let refused = world.seller.post(&with(lead(1), name, value)).await;
        assert_eq!(refused.problem(422), "bad_value");
        assert_eq!(refused.wrong_fields(), [name]);
    }
    let listed = world.seller.post(&with(lead(1), "exclude", json!([7]))).await;
    assert_eq!(listed.problem(422), "bad_type");
    let ping = with(ping_of(&lead(1)), "repost_of", "lead_00000000000000000000000000");
    assert_eq!(world.seller.ping(&ping).await.wrong_fields(), ["repost_of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_ping_gets_the_same_promise_until_that_is_used() {
    let world = World::of(two_buyers()).start().await;
    let first = world.seller.ping(&ping_by_name(1)).await;
    assert_eq!(first.outcome(), "bid");
    let again = world.seller.ping(&ping_by_name(1)).await;
    assert_eq!(again.text(), first.text());
    assert_eq!(world.buyer("alpha").stats().pings, 1);

    let limited = world.seller.ping(&with(ping_by_name(1), "min_price", "5.00")).await;
    let elsewhere = world.seller_of("rival/web", KeyMode::Live).ping(&ping_by_name(1)).await;
    let somebody = world.seller.ping(&ping_by_name(2)).await;
    for other in [limited, elsewhere, somebody] {
        assert_ne!(other.at("ping_id"), first.at("ping_id"));
    }
    assert_eq!(world.buyer("alpha").stats().pings, 4);

    let sold = world.seller.post_on(&first.at("ping_id"), &lead(1)).await;
    assert_eq!(sold.outcome(), "sold");
    let after = world.seller.ping(&ping_by_name(1)).await;
    assert_ne!(after.at("ping_id"), first.at("ping_id"), "{}", after.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_that_name_nobody_are_never_the_same() {
    let world = World::of(two_buyers()).start().await;
    let first = world.seller.ping(&ping_of(&lead(1))).await;
    let again = world.seller.ping(&ping_of(&lead(1))).await;
    assert_ne!(first.at("ping_id"), again.at("ping_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pinged_counts_where_the_source_says_so() {
    let world = World::of(two_buyers()).source("on_mismatch = \"ignore\"").start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await.at("ping_id");
    let other = with(with(lead(1), "zip", "75201"), "state", "OK");
    let sold = world.seller.post_on(&ping, &other).await;
    assert_eq!(sold.outcome(), "sold", "{}", sold.text());
    let shown = world.run(&["lead", "show", &sold.at("lead_id"), "--json"]).ok();
    assert!(shown.contains("78701") && !shown.contains("75201"), "{shown}");
}

fn for_less(number: u32, earlier: &str, min_price: &str) -> Value {
    with(with(lead(number), "repost_of", earlier), "min_price", min_price)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_was_too_dear_is_sold_for_less_and_who_refused_it_is_not_asked_again() {
    let buyers = [TestBuyer::plain("alpha", 3000).rejects(1000), TestBuyer::nested("beta", 1000)];
    let mut world = World::of(buyers)
        .source("resubmissions = { window = \"5m\", on = [\"phone\"] }")
        .start()
        .await;
    let dear = world.seller.post(&with(lead(1), "min_price", "9.00")).await;
    assert_eq!(dear.outcome(), "unsold", "{}", dear.text());
    let id = dear.at("lead_id");
    let still = world.seller.post(&for_less(1, &id, "8.50")).await;
    assert_eq!(still.outcome(), "unsold", "{}", still.text());
    let sold = world.seller.post(&for_less(1, &still.at("lead_id"), "7.50")).await;
    assert_eq!((sold.outcome().as_str(), sold.at("price").as_str()), ("sold", "8.00"));
    world.journey_with(&sold.at("lead_id"), "posted_before, tier").await;
    assert_eq!((world.buyer("alpha").stats().pings, world.buyer("alpha").stats().posts), (1, 1));

    let again = world.seller.post(&for_less(1, &id, "7.00")).await;
    assert_eq!(again.problem(422), "bad_value");
    assert_eq!(again.wrong_fields(), ["repost_of"], "it is sold");
    let rival = world.seller_of("rival/web", KeyMode::Live);
    assert_eq!(rival.post(&for_less(1, &id, "7.00")).await.wrong_fields(), ["repost_of"]);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declined_is_asked_again_only_where_it_is_told_a_lower_floor() {
    let untold = TestBuyer::plain("untold", 1000).never_bids();
    let told = TestBuyer::plain("told", 1000).told_floor().never_bids();
    let world = World::of([untold, told]).start().await;
    let pings = |name: &str| world.buyer(name).stats().pings;
    let first = world.seller.post(&with(lead(1), "min_price", "9.00")).await;
    let id = first.at("lead_id");
    assert_eq!(first.outcome(), "unsold");
    world.journey_with(&id, "declined(").await;
    let same = world.seller.post(&for_less(1, &id, "9.00")).await;
    assert_eq!(same.outcome(), "unsold", "{}", same.text());
    assert_eq!((pings("untold"), pings("told")), (1, 1));
    world.journey_with(&same.at("lead_id"), "declined_before, tier").await;
    world.seller.post(&for_less(1, &id, "8.00")).await;
    assert_eq!((pings("untold"), pings("told")), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_posted_again_eight_times_and_never_twice_at_once() {
    let mut world = World::of([TestBuyer::plain("alpha", 1000)]).start().await;
    let first = world.seller.post(&with(lead(1), "min_price", "50.00")).await.at("lead_id");
    for cents in 0..8 {
        let again = world.seller.post(&for_less(1, &first, &format!("4{cents}.00"))).await;
        assert_eq!(again.outcome(), "unsold", "{}", again.text());
    }
    let ninth = world.seller.post(&for_less(1, &first, "6.00")).await;
    assert_eq!(ninth.wrong_fields(), ["repost_of"]);

    let first = world.seller.post(&with(lead(2), "min_price", "50.00")).await.at("lead_id");
    let mut posts = tokio::task::JoinSet::new();
    for nth in 0..8 {
        let (seller, again) = (world.seller.clone(), for_less(2, &first, "6.00"));
        posts.spawn(async move { seller.post_keyed(&again, &format!("again-{nth}")).await });
    }
    let answers = posts.join_all().await;
    let sold = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(sold, 1);
    assert_eq!(world.buyer("alpha").stats().accepted, 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_of_the_shape_that_the_contract_promises() {
    let contract = Contract::read();
    let (leads, one, pings, post) =
        ("/v1/leads", "/v1/leads/{lead_id}", "/v1/pings", "/v1/pings/{ping_id}/post");
    let paths: Vec<String> = contract.operations().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, [leads, one, pings, post]);

    let buyers = [TestBuyer::plain("alpha", 3000), TestBuyer::plain("beta", 1000)];
    let world = World::of(buyers).shared(2).start().await;
    let sold = world.seller.post(&with(lead(1), "nickname", "x")).await;
    assert_eq!(sales(&sold), 2, "{}", sold.text());
    contract.holds(leads, "post", &sold);
    contract.holds(one, "get", &world.seller.lead(&sold.at("lead_id")).await);
    let dear = world.seller.post(&with(lead(2), "min_price", "90.00")).await;
    assert_eq!(dear.outcome(), "unsold");
    contract.holds(leads, "post", &dear);
    contract.holds(leads, "post", &world.seller.post(&json!({ "zip": "x" })).await);
    contract.holds(one, "get", &world.seller.lead("lead_00000000000000000000000000").await);
    let bid = world.seller.ping(&ping_of(&lead(3))).await;
    assert_eq!(bid.outcome(), "bid");
    contract.holds(pings, "post", &bid);
    let refused = world.seller.ping(&with(ping_of(&lead(3)), "min_price", "90.00")).await;
    assert_eq!(refused.outcome(), "no_bid");
    contract.holds(pings, "post", &refused);
    let other = with(lead(3), "zip", "75201");
    contract.holds(post, "post", &world.seller.post_on(&bid.at("ping_id"), &other).await);
    contract.holds(post, "post", &world.seller.post_on(&bid.at("ping_id"), &lead(3)).await);
    contract.holds(pings, "post", &world.seller.with_key("none").ping(&ping_of(&lead(3))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_the_contract_is_one_that_the_api_keeps_for_itself() {
    let world = World::of(two_buyers()).start().await;
    let names = Contract::read().properties("LeadRequest");
    let too_long = "x".repeat(300);
    let wrong = names.iter().fold(lead(1), |lead, name| with(lead, name, too_long.as_str()));
    let refused = world.seller.post(&wrong).await;
    assert_eq!(refused.wrong_fields(), names);
}
