//! The sellers' API: what a seller sends and what it is told, over real HTTP.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::cli::KeyMode;
use crate::harness::{Answer, Seller, TestBuyer, World, eventually, lead, ping_of, with, without};

fn two_buyers() -> [TestBuyer; 2] {
    [TestBuyer::plain("alpha", 2000), TestBuyer::nested("beta", 1500)]
}

/// The lead as `application/x-www-form-urlencoded`.
fn form_of(lead: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let escape = |text: &str| -> String {
        let byte = |b: u8| {
            if b.is_ascii_alphanumeric() { char::from(b).into() } else { format!("%{b:02X}") }
        };
        text.bytes().map(byte).collect()
    };
    let pairs = lead.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| format!("{name}={}", escape(&text(value))))
        .collect::<Vec<_>>()
        .join("&")
}

fn is_rfc_3339(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let whole = shape.strip_suffix('Z').unwrap_or(&shape);
    whole.strip_prefix("0000-00-00T00:00:00").is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('.').is_some_and(|f| f.chars().all(|c| c == '0'))
    }) && shape.ends_with('Z')
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_in_json_and_one_in_a_form_are_sold_and_the_price_is_the_payout() {
    let mut world = World::of(two_buyers()).start().await;
    let json = world.seller.post(&lead(1)).await;
    let form = form_of(&lead(2));
    let form = world.seller.send("/v1/leads", "application/x-www-form-urlencoded", form, &[]).await;
    for answer in [json, form] {
        assert_eq!(answer.outcome(), "sold");
        assert!(answer.at("lead_id").starts_with("lead_"));
        // The best bid is 20.00 and the seller's share 80 %.
        assert_eq!((answer.at("price").as_str(), answer.at("currency").as_str()), ("16.00", "USD"));
        assert_eq!(answer.json()["test"], false);
        assert!(!answer.text().contains("20.00"), "the buyer's price is never shown");
    }
    let stats = world.buyer("alpha").stats();
    assert_eq!((stats.accepted, stats.posts), (2, 2));
    assert_eq!(world.buyer("beta").stats().posts, 0, "nobody but the winner gets the lead");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_a_promise_and_a_post_on_it_is_paid_as_promised() {
    let mut world = World::of(two_buyers()).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    assert_eq!(ping.outcome(), "bid");
    assert_eq!((ping.at("price").as_str(), ping.at("currency").as_str()), ("16.00", "USD"));
    assert!(is_rfc_3339(&ping.at("expires_at")), "{}", ping.text());
    assert_eq!(world.buyer("alpha").stats().posts, 0, "a ping posts nothing");
    let post = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(post.outcome(), "sold");
    assert_eq!(post.at("price"), "16.00");
    let stats = world.buyer("alpha").stats();
    assert_eq!((stats.pings, stats.accepted), (1, 1), "a post on a ping pings nobody again");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_on_a_ping_may_name_only_what_the_ping_left_out() {
    let world = World::of(two_buyers()).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    let rest =
        ["zip", "state", "birth_date", "currently_insured", "carrier", "credit", "homeowner"];
    let only_contact = rest.iter().fold(lead(1), |lead, name| without(lead, name));
    let post = world.seller.post_on(&ping.at("ping_id"), &only_contact).await;
    assert_eq!(post.outcome(), "sold", "{}", post.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_nobody_bids_on_says_why() {
    let world = World::of([TestBuyer::plain("alpha", 50)]).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    assert_eq!(ping.outcome(), "no_bid");
    assert!(ping.json()["price"].is_null());
    assert!(!ping.json()["reasons"].as_array().unwrap().is_empty(), "{}", ping.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_an_expired_ping_is_410_and_a_foreign_one_404() {
    let world = World::of(two_buyers()).promise("1s").start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await.at("ping_id");
    let rival = world.seller_of("rival/web", KeyMode::Live);
    let foreign = rival.post_on(&ping, &lead(1)).await;
    assert_eq!(foreign.problem(404), "not_found");
    let unknown = rival.post_on("ping_00000000000000000000000000", &lead(1)).await;
    assert_eq!(foreign.body, unknown.body, "a foreign ping is like none at all");
    let nonsense = rival.post_on("nonsense", &lead(1)).await;
    assert_eq!(nonsense.problem(404), "not_found");
    // A post that differs from its ping is refused and leaves it open, until it expires.
    let other = with(lead(1), "zip", "75201");
    let expired = eventually("the promise to end", || async {
        let answer = world.seller.post_on(&ping, &other).await;
        (answer.status != 422).then_some(answer)
    });
    assert_eq!(expired.await.problem(410), "ping_expired");
    assert_eq!(world.seller.post_on(&ping, &lead(1)).await.problem(410), "ping_expired");
    assert_eq!(world.buyer("alpha").stats().posts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_differs_from_its_ping_is_refused_with_every_field() {
    let world = World::of(two_buyers()).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await.at("ping_id");
    let other = with(with(lead(1), "zip", "75201"), "vehicle_year", 2005);
    let refused = world.seller.post_on(&ping, &other).await;
    assert_eq!(refused.problem(422), "ping_mismatch");
    assert_eq!(refused.wrong_fields(), ["vehicle_year", "zip"]);
    assert_eq!(world.buyer("alpha").stats().posts, 0);
    let corrected = world.seller.post_on(&ping, &lead(1)).await;
    assert_eq!(corrected.outcome(), "sold", "a refusal does not use the ping up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_posted_once() {
    let mut world = World::of(two_buyers()).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await.at("ping_id");
    let first = world.seller.post_on(&ping, &lead(1)).await;
    assert_eq!(first.outcome(), "sold");
    let again = world.seller.post_on(&ping, &lead(1)).await;
    // The same post again is a retry, another one is a conflict.
    let other = with(lead(1), "email", "another.person@example.com");
    let other = world.seller.post_on(&ping, &other).await;
    assert_eq!(other.problem(409), "ping_used");
    assert!(again.status == 409 || again.body == first.body, "{}", again.text());
    assert_eq!(world.buyer("alpha").stats().accepted, 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_posts_at_once_on_one_ping_under_different_keys_one_counts_and_none_disturbs_it() {
    let mut world = World::of(two_buyers()).start().await;
    for number in 1..=10 {
        let ping = world.seller.ping(&ping_of(&lead(number))).await.at("ping_id");
        let mut posts = tokio::task::JoinSet::new();
        for nth in 0..8 {
            let (seller, path) = (world.seller.clone(), format!("/v1/pings/{ping}/post"));
            posts.spawn(async move {
                let key = format!("k{number}-{nth}");
                seller.send_json(&path, &lead(number), &[("idempotency-key", &key)]).await
            });
        }
        let answers = posts.join_all().await;
        let (sold, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 200);
        let told: Vec<String> = sold.iter().map(Answer::outcome).collect();
        assert_eq!(told, ["sold"], "lead {number}");
        for answer in refused {
            assert_eq!(answer.problem(409), "ping_used");
        }
        assert_eq!(world.seller.lead(&sold[0].at("lead_id")).await.at("status"), "sold");
    }
    assert_eq!(world.buyer("alpha").stats().posts, 10);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sees_how_its_own_leads_stand_and_no_others() {
    let world = World::of(two_buyers()).start().await;
    let sold = world.seller.post(&lead(1)).await;
    let id = sold.at("lead_id");
    let status = world.seller.lead(&id).await;
    assert_eq!(status.outcome(), "sold");
    assert_eq!(status.at("price"), sold.at("price"));
    assert!(is_rfc_3339(&status.at("received_at")), "{}", status.text());
    let rival = world.seller_of("rival/web", KeyMode::Live);
    let foreign = rival.lead(&id).await;
    assert_eq!(foreign.problem(404), "not_found");
    let unknown = rival.lead("lead_00000000000000000000000000").await;
    assert_eq!(foreign.body, unknown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_concurrent_retries_join_one_auction_and_get_one_answer() {
    let mut world = World::of(two_buyers()).start().await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let seller = world.seller.clone();
        posts.spawn(async move { seller.post_keyed(&lead(1), "order-1").await });
    }
    let answers = posts.join_all().await;
    let first = &answers[0];
    assert_eq!(first.outcome(), "sold");
    assert!(answers.iter().all(|answer| answer.body == first.body));
    let stats = world.buyer("alpha").stats();
    assert_eq!((stats.pings, stats.posts, stats.accepted), (1, 1, 1));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_a_sequential_retry_is_answered_byte_for_byte_and_says_so() {
    let world = World::of(two_buyers()).start().await;
    let first = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.status, first.status);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(world.buyer("alpha").stats().posts, 1);
    let ping = || async {
        let headers = [("idempotency-key", "p")];
        world.seller.send_json("/v1/pings", &ping_of(&lead(2)), &headers).await
    };
    let pinged = ping().await;
    assert_eq!(ping().await.body, pinged.body, "a ping is replayed too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_same_key_other_body_is_refused() {
    let world = World::of(two_buyers()).start().await;
    let first = world.seller.post_keyed(&lead(1), "order-1").await;
    let refused = world.seller.post_keyed(&lead(2), "order-1").await;
    assert_eq!(refused.problem(422), "key_reused");
    assert_eq!(world.buyer("alpha").stats().posts, 1);
    let again = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(again.body, first.body, "the refusal changed nothing");
    let rival = world.seller_of("rival/web", KeyMode::Live);
    let other = rival.post_keyed(&lead(2), "order-1").await;
    assert_eq!(other.outcome(), "sold", "a key is each seller's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sellers_own_id_names_the_request_where_there_is_no_key() {
    let world = World::of(two_buyers()).start().await;
    let named = with(lead(1), "seller_lead_id", "mine-1");
    let first = world.seller.post(&named).await;
    assert_eq!(first.outcome(), "sold");
    let again = world.seller.post(&named).await;
    assert_eq!(
        (again.body, again.headers.contains_key("idempotency-replayed")),
        (first.body, true)
    );
    let other = world.seller.post(&with(lead(2), "seller_lead_id", "mine-1")).await;
    assert_eq!(other.problem(422), "key_reused");
    // Without either there is no name: the same person again is a duplicate, not a retry.
    let nameless = world.seller.post(&lead(3)).await;
    assert_eq!(nameless.outcome(), "sold");
    let again = world.seller.post(&lead(3)).await;
    assert_eq!(again.outcome(), "duplicate");
    assert_ne!(again.at("lead_id"), nameless.at("lead_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_lead_does_not_use_its_key_up() {
    let world = World::of(two_buyers()).start().await;
    let refused = world.seller.post_keyed(&without(lead(1), "phone"), "order-1").await;
    assert_eq!(refused.problem(422), "missing_field");
    let corrected = world.seller.post_keyed(&lead(1), "order-1").await;
    assert_eq!(corrected.outcome(), "sold");
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_keys_have_1_to_255_bytes() {
    let world = World::of(two_buyers()).start().await;
    let longest = "k".repeat(255);
    assert_eq!(world.seller.post_keyed(&lead(1), &longest).await.outcome(), "sold");
    let refused = world.seller.post_keyed(&lead(2), &"k".repeat(256)).await;
    assert!(matches!(refused.status, 400 | 422), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_the_same_person_again_is_a_duplicate_and_nobody_is_told_more() {
    let mut world = World::of(two_buyers()).start().await;
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "sold");
    let same_phone = with(lead(2), "phone", lead(1)["phone"].clone());
    let same_email = with(lead(3), "email", "SAMPLE.person.1@Example.com");
    for again in [same_phone, same_email] {
        let answer = world.seller.post(&again).await;
        assert_eq!(answer.outcome(), "duplicate", "{}", answer.text());
        assert!(answer.json()["price"].is_null());
        let first = world.seller.post_keyed(&lead(1), "never-used").await;
        assert_eq!(first.outcome(), "duplicate");
    }
    assert_eq!(world.buyer("alpha").stats().accepted, 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_at_once_with_a_code() {
    let world = World::of(two_buyers()).start().await;
    let wrong = without(with(with(lead(1), "zip", "12ab9"), "violations", "many"), "email");
    let wrong = with(with(wrong, "birth_date", "1990-02-31"), "credit", "superb");
    let refused = world.seller.post(&wrong).await;
    refused.problem(422);
    assert_eq!(refused.wrong_fields(), ["birth_date", "credit", "email", "violations", "zip"]);
    for error in refused.json()["errors"].as_array().unwrap() {
        assert!(error["code"].is_string() && error["detail"].is_string(), "{error}");
        let pointer = format!("/{}", error["field"].as_str().unwrap());
        assert_eq!(error["pointer"], pointer.as_str());
    }
    for value in ["12ab9", "many", "1990-02-31", "superb"] {
        assert!(!refused.text().contains(value), "`{value}` is repeated: {}", refused.text());
    }
    assert_eq!(world.buyer("alpha").stats().pings, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_needs_less_than_a_post() {
    let world = World::of(two_buyers()).start().await;
    let refused = world.seller.post(&ping_of(&lead(1))).await;
    refused.problem(422);
    let missing = ["email", "first_name", "last_name", "phone", "tcpa_text", "trustedform_url"];
    assert_eq!(refused.wrong_fields(), missing);
    assert_eq!(world.seller.ping(&ping_of(&lead(1))).await.outcome(), "bid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_unknown_fields_are_named_kept_from_pings_and_not_lost() {
    let world = World::of(two_buyers()).start().await;
    let marker = "Zanzibar-Marker-77";
    let odd = with(with(lead(1), "nickname", marker), "sub_id1", format!("{marker}-sub"));
    let answer = world.seller.post(&odd).await;
    assert_eq!(answer.outcome(), "sold");
    let warnings = answer.json()["warnings"].to_string();
    assert!(warnings.contains("nickname") && !warnings.contains("sub_id1"), "{warnings}");
    assert!(!answer.text().contains(marker));
    for buyer in world.buyers.iter() {
        for request in buyer.requests() {
            let text = String::from_utf8_lossy(&request.bytes).into_owned();
            assert!(!text.contains(marker), "{:?} of {} tells", request.kind, buyer.name());
        }
    }
    assert!(!world.site.log().contains(marker));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_whose_name_is_a_value_is_not_repeated() {
    let world = World::of(two_buyers()).start().await;
    let odd = with(lead(1), "jane.roe@example.com", "x");
    let answer = world.seller.post(&odd).await;
    assert_eq!(answer.outcome(), "sold");
    assert_eq!(answer.json()["warnings"].as_array().unwrap().len(), 1);
    assert!(!answer.text().contains("jane.roe"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_may_ask_for_more_money_and_less_time_never_the_reverse() {
    let world = World::of(two_buyers()).source("min_price = \"5.00\"").start().await;
    let dear = world.seller.post(&with(lead(1), "min_price", "16.01")).await;
    assert_eq!(dear.outcome(), "unsold", "{}", dear.text());
    assert_eq!(world.seller.post(&with(lead(2), "min_price", "16.00")).await.outcome(), "sold");
    assert_eq!(world.seller.post(&with(lead(3), "min_price", "0.01")).await.outcome(), "sold");
    let slow = world.seller.post(&with(lead(4), "max_time_ms", 3_600_000)).await;
    assert_eq!(slow.outcome(), "sold");
    for bad in ["6,00", "-1", "1e3", "six", "0x10"] {
        let refused = world.seller.post(&with(lead(5), "min_price", bad)).await;
        refused.problem(422);
        assert_eq!(refused.wrong_fields(), ["min_price"], "{bad}");
    }
    for bad in ["0", "-5", "1.5", "soon"] {
        let refused = world.seller.post(&with(lead(5), "max_time_ms", bad)).await;
        refused.problem(422);
        assert_eq!(refused.wrong_fields(), ["max_time_ms"], "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_budget_is_kept() {
    use exchange_lab::{Fault, FaultPlan};
    let slow = TestBuyer::plain("alpha", 2000).faults(FaultPlan::every_ping(Fault::Hang));
    let world = World::of([slow]).start().await;
    let began = crate::harness::waiting::now();
    let answer = world.seller.post(&with(lead(1), "max_time_ms", 500)).await;
    assert_eq!(answer.outcome(), "unsold", "{}", answer.text());
    // The tree alone would have waited three seconds for the ping.
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_url_is_a_public_https_address() {
    let world = World::of(two_buyers()).start().await;
    for bad in [
        "http://seller.example/cb",
        "https://127.0.0.1/cb",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:pw@seller.example/",
        "https://metadata.google.internal/",
        "javascript:alert(1)",
    ] {
        let refused = world.seller.post(&with(lead(1), "callback_url", bad)).await;
        refused.problem(422);
        assert_eq!(refused.wrong_fields(), ["callback_url"], "{bad}");
    }
    let good = with(lead(1), "callback_url", "https://seller.example/cb?id=1");
    assert_eq!(world.seller.post(&good).await.outcome(), "sold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_bad_keys_of_every_kind_get_one_and_the_same_401() {
    let world = World::of(two_buyers()).start().await;
    let good = world.seller.key.to_string();
    let revoked = world.seller_of("kart/search", KeyMode::Live);
    let id = revoked.key.split('_').nth(2).unwrap().to_owned();
    world.run(&["key", "revoke", &id]).ok();
    let swapped = if good.ends_with('a') { "b" } else { "a" };
    let typo = format!("{}{swapped}", good.split_at(good.len() - 1).0);
    let headers = [
        ("authorization", format!("Bearer {}", &*revoked.key)),
        ("authorization", format!("Bearer {typo}")),
        ("authorization", format!("Bearer {}", good.replace("_live_", "_test_"))),
        ("authorization", format!("Basic {good}")),
        ("authorization", "Bearer".to_owned()),
        ("authorization", "Bearer rialto_live_".to_owned()),
        ("authorization", "Bearer \u{e9}\u{e9}".to_owned()),
        ("authorization", good.clone()),
        ("x-api-key", typo.clone()),
        ("x-api-key", String::new()),
        ("cookie", format!("key={good}")),
    ];
    let bare =
        || world.seller.bare(Method::POST, "/v1/leads").header("content-type", "application/json");
    let body = lead(1).to_string();
    let none = world.seller.answer(bare().body(body.clone())).await;
    assert_eq!(none.problem(401), "unauthorised");
    assert_eq!(none.header("www-authenticate"), "Bearer");
    for (name, value) in headers {
        let answer = world.seller.answer(bare().header(name, value).body(body.clone())).await;
        assert_eq!((answer.status, &answer.body), (401, &none.body), "{name}: {}", answer.text());
    }
    for path in ["/v1/pings", "/v1/pings/ping_00000000000000000000000000/post"] {
        let request = world.seller.bare(Method::POST, path).body(body.clone());
        let answer = world.seller.answer(request.header("content-type", "application/json")).await;
        assert_eq!((answer.status, &answer.body), (401, &none.body), "{path}");
    }
    let by_query = world.seller.bare(Method::POST, &format!("/v1/leads?key={good}")).body(body);
    assert_eq!(world.seller.answer(by_query).await.status, 401, "a key in the URL is no key");
    let api_key = bare().header("x-api-key", good).body(lead(1).to_string());
    assert_eq!(world.seller.answer(api_key).await.outcome(), "sold");
    assert!(!world.site.log().contains(&*world.seller.key), "no key is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_made_while_the_exchange_runs_work_at_once() {
    let world = World::of(two_buyers()).start().await;
    let seller = world.seller_of("rival/web", KeyMode::Live);
    assert_eq!(seller.post(&lead(1)).await.outcome(), "sold");
    let listed = world.run(&["key", "list"]).ok();
    assert!(listed.contains("rival/web") && !listed.contains(&*seller.key), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn test_keys_never_reach_a_buyer_or_the_books() {
    let world = World::of(two_buyers()).start().await;
    let tester = world.seller_of("kart/search", KeyMode::Test);
    let sold = tester.post(&lead(1)).await;
    assert_eq!(sold.json()["test"], true, "{}", sold.text());
    let ping = tester.ping(&ping_of(&lead(2))).await;
    assert_eq!(ping.json()["test"], true, "{}", ping.text());
    for (word, outcome) in [
        ("sold", "sold"),
        ("rejected", "unsold"),
        ("duplicate", "duplicate"),
        ("unknown", "pending"),
    ] {
        let answer = simulate(&tester, word).await;
        assert_eq!((answer.outcome().as_str(), &answer.json()["test"]), (outcome, &json!(true)));
    }
    for (zip, outcome) in [("00001", "sold"), ("00002", "unsold"), ("00003", "duplicate")] {
        let answer = tester.post(&with(lead(3), "zip", zip)).await;
        assert_eq!((answer.outcome().as_str(), &answer.json()["test"]), (outcome, &json!(true)));
    }
    simulate(&tester, "win the lottery").await.problem(422);
    // A test key makes the same demands on a lead as a live one.
    let refused = tester.post(&without(lead(4), "zip")).await;
    assert_eq!(refused.problem(422), "missing_field");
    for buyer in world.buyers.iter() {
        assert_eq!(
            buyer.stats(),
            exchange_lab::mock_buyers::BuyerStats::default(),
            "{}",
            buyer.name()
        );
    }
    for table in ["ledger_transaction", "attempt", "hold", "person_claim"] {
        assert_eq!(world.site.rows(table), 0, "{table}");
    }
    let live = world.seller.post(&lead(1)).await;
    assert_eq!(live.outcome(), "sold", "the simulated lead claimed nothing");
}

/// A lead whose outcome the seller chooses.
async fn simulate(tester: &Seller, outcome: &str) -> Answer {
    tester.send_json("/v1/leads", &lead(3), &[("rialto-simulate", outcome)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_cannot_choose_its_outcome() {
    let world = World::of(two_buyers()).start().await;
    let answer = simulate(&world.seller, "sold").await;
    assert_eq!(answer.json()["test"], false, "{}", answer.text());
    assert_eq!(world.buyer("alpha").stats().posts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_a_floor_above_all_bids_is_unsold_with_reasons() {
    let world = World::of(two_buyers()).start().await;
    let answer = world.seller.post(&with(lead(1), "min_price", "99.00")).await;
    assert_eq!(answer.outcome(), "unsold");
    assert!(!answer.json()["reasons"].as_array().unwrap().is_empty(), "{}", answer.text());
    assert!(answer.json()["price"].is_null());
    let id = answer.at("lead_id");
    let journey = world.journey_with(&id, "alpha/auto").await;
    assert!(journey.contains("below_min_price"), "{journey}");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_text_and_unknown_paths_and_methods_are_problems() {
    let world = World::of(two_buyers()).start().await;
    let sold = world.seller.post(&lead(1)).await.json();
    assert_eq!(sold["price"], json!("16.00"));
    let lost = world.seller.answer(world.seller.request(Method::GET, "/v2/leads")).await;
    assert_eq!(lost.problem(404), "not_found");
    let method = world.seller.answer(world.seller.request(Method::DELETE, "/v1/leads")).await;
    assert_eq!(method.status, 405, "{}", method.text());
    assert_eq!(method.header("allow"), "POST");
    assert_eq!(method.header("content-type"), "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_listener_and_the_sellers_are_two() {
    let world = World::of(two_buyers()).start().await;
    let operator = world.seller.at(world.site.operator);
    for path in ["/metrics", "/livez", "/readyz"] {
        let there = operator.answer(operator.bare(Method::GET, path)).await;
        assert_eq!(there.status, 200, "{path}");
        let here = world.seller.answer(world.seller.bare(Method::GET, path)).await;
        assert_eq!(here.status, 404, "{path} is not for sellers");
    }
    assert_eq!(operator.post(&lead(1)).await.status, 404, "leads are not for the operator's door");
    world.still_sells(1).await;
    assert!(world.metrics().await.contains("rialto_leads_total"), "leads are counted");
}
