//! The person behind a lead: not sold twice, not sold to who does not want it or is not agreed to.

use serde_json::json;

use crate::harness::cli::KeyMode;
use crate::harness::{TestBuyer, World, lead, ping_of, with};

const ON_PHONE: &str = "duplicates = { window = \"60d\", on = [\"phone\", \"email\"] }";

fn alpha(campaign: &str) -> TestBuyer {
    TestBuyer::plain("alpha", 3000).campaign(campaign)
}

/// Alpha with these lines, and beta that takes what alpha does not.
async fn world(campaign: &str) -> World {
    World::of([alpha(campaign), TestBuyer::nested("beta", 1000)]).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_not_asked_for_whom_it_bought_and_the_others_are() {
    let mut world = world(ON_PHONE).await;
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "24.00");
    let rival = world.seller_of("rival/web", KeyMode::Live);
    let again = rival.post(&lead(1)).await;
    assert_eq!((again.outcome().as_str(), again.at("price").as_str()), ("sold", "8.00"));
    assert_eq!(world.buyer("alpha").stats().pings, 1, "known before anybody is asked");
    world.journey_with(&again.at("lead_id"), "duplicate").await;
    assert_eq!(rival.post(&lead(2)).await.at("price"), "24.00", "another person");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_refused_a_person_is_asked_again() {
    let refuser = alpha(ON_PHONE).rejects(1000);
    let world = World::of([refuser, TestBuyer::nested("beta", 1000)]).start().await;
    world.seller.post(&lead(1)).await;
    world.seller_of("rival/web", KeyMode::Live).post(&lead(1)).await;
    assert_eq!(world.buyer("alpha").stats().posts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_that_shows_only_in_the_post_is_found_then() {
    let world = World::of([alpha(ON_PHONE)]).start().await;
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "sold");
    let rival = world.seller_of("rival/web", KeyMode::Live);
    let ping = rival.ping(&ping_of(&lead(1))).await;
    assert_eq!(ping.at("price"), "24.00", "nobody knows who it is");
    assert_eq!(rival.post_on(&ping.at("ping_id"), &lead(1)).await.outcome(), "unsold");
    assert_eq!(world.buyer("alpha").stats().posts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_leads_of_one_person_at_once_a_campaign_buys_one() {
    let by_name = "duplicates = { window = \"60d\", on = [\"last_name\"] }";
    let mut world = world(by_name).await;
    let mut posts = tokio::task::JoinSet::new();
    for number in 0..16 {
        let seller = world.seller.clone();
        let lead = with(lead(number), "last_name", "Samesame");
        posts.spawn(async move { seller.post(&lead).await.outcome() });
    }
    assert!(posts.join_all().await.iter().all(|outcome| outcome == "sold"));
    assert_eq!(world.buyer("alpha").stats().accepted, 1);
    assert_eq!(world.buyer("alpha").stats().posts, 1, "the others did not even leave");
    assert_eq!(world.buyer("beta").stats().accepted, 15);
    world.books_verify().await;
}

const RESUBMISSIONS: &str = "resubmissions = { window = \"5m\", on = [\"phone\"] }";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sent_again_is_asked_for_nowhere_even_if_nobody_bought() {
    let refuser = TestBuyer::plain("alpha", 3000).rejects(1000);
    let mut world = World::of([refuser]).source(RESUBMISSIONS).start().await;
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "unsold");
    let again = with(lead(1), "email", "another@example.com");
    assert_eq!(world.seller.post(&again).await.outcome(), "duplicate");
    assert_eq!(world.buyer("alpha").stats().pings, 1);
    let rival = world.seller_of("rival/web", KeyMode::Live);
    assert_eq!(rival.post(&again).await.outcome(), "unsold", "another source");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_person_sent_many_times_at_once_one_runs() {
    let refuser = TestBuyer::plain("alpha", 3000).rejects(1000);
    let mut world = World::of([refuser]).source(RESUBMISSIONS).start().await;
    let mut posts = tokio::task::JoinSet::new();
    for number in 0..24 {
        let seller = world.seller.clone();
        let lead = with(lead(number), "phone", "5125550134");
        posts.spawn(async move { seller.post(&lead).await.outcome() });
    }
    let outcomes = posts.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "unsold").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "duplicate").count(), 23);
    assert_eq!(world.buyer("alpha").stats().pings, 1);
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_and_its_post_are_no_resubmission_and_a_second_post_of_the_person_is() {
    let world = World::of([TestBuyer::plain("alpha", 3000)]).source(RESUBMISSIONS).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    let sold = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(sold.outcome(), "sold");
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    let again = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(again.outcome(), "duplicate");
}

fn phone_of(number: u32) -> String {
    lead(number)["phone"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_on_a_list_is_asked_for_or_posted_and_no_value_is_kept() {
    let mut world = world("suppress = [\"customers\"]").await;
    let warned = world.run(&["check", "--plain"]).ok();
    assert!(warned.contains("list_not_imported"), "{warned}");
    let text = format!("# customers\n({}) 555-0007\nnonsense\n\n+1{}\n", 512, phone_of(8));
    world.site.write("customers.txt", &text);
    let file = world.site.path("customers.txt").display().to_string();
    let import = ["--json", "suppress", "import", "alpha", "customers", &file, "--field", "phone"];
    let dry = world.run(&[&import[..], &["--dry-run"]].concat()).json();
    assert_eq!((&dry["read"], &dry["unreadable"]), (&json!(2), &json!(1)));
    assert_eq!(world.run(&["--json", "suppress", "list"]).json(), json!([]), "nothing was written");
    let counts = world.run(&import).json();
    assert_eq!(counts["unreadable_lines"], json!([3]), "{counts}");
    assert_eq!((&counts["added"], &counts["already_there"]), (&json!(2), &json!(0)));
    let again = world.run(&import).json();
    assert_eq!((&again["added"], &again["already_there"]), (&json!(0), &json!(2)));
    assert!(!world.run(&["check", "--plain"]).ok().contains("list_not_imported"));

    let told = world.seller.post(&lead(7)).await;
    assert_eq!(told.at("price"), "8.00", "beta has no list");
    assert_eq!(world.seller.post(&lead(9)).await.at("price"), "24.00");
    assert_eq!(world.buyer("alpha").stats().pings, 1);
    world.journey_with(&told.at("lead_id"), "suppressed").await;
    assert!(!told.text().contains("suppressed"), "nobody is told: {}", told.text());
    world.books_verify().await;
    std::fs::remove_file(&file).unwrap();
    for entry in std::fs::read_dir(world.site.path("var")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for value in [phone_of(7), phone_of(8), "555-0007".to_owned()] {
            let holds = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!holds, "a value is kept");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_listed_between_ping_and_post_is_not_posted() {
    let world = World::of([alpha("suppress = [\"customers\"]")]).start().await;
    let ping = world.seller.ping(&ping_of(&lead(1))).await;
    assert_eq!(ping.at("price"), "24.00");
    world.site.write("customers.txt", &phone_of(1));
    let file = world.site.path("customers.txt").display().to_string();
    world.run(&["suppress", "import", "alpha", "customers", &file, "--field", "phone"]).ok();
    let unsold = world.seller.post_on(&ping.at("ping_id"), &lead(1)).await;
    assert_eq!(unsold.outcome(), "unsold");
    assert!(!unsold.text().contains("suppressed"), "nobody is told: {}", unsold.text());
    assert_eq!(world.buyer("alpha").stats().posts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_come_as_hashes_take_anothers_place_and_be_taken_away() {
    let mut world = world("suppress = [\"customers\"]").await;
    let import = |world: &World, text: &str, options: &[&str]| {
        world.site.write("list.txt", text);
        let file = world.site.path("list.txt").display().to_string();
        let begin = ["--json", "suppress", "import", "alpha", "customers", &file];
        world.run(&[&begin[..], options].concat())
    };
    world.site.write("list.txt", &phone_of(1));
    import(&world, &phone_of(1), &["--field", "phone"]).ok();
    // SHA-1 of sample.person.2@example.com, as another system wrote it.
    let sha1 = sha1_hex("sample.person.2@example.com").to_uppercase();
    let options = ["--field", "email", "--hashed", "sha1", "--replace"];
    let counts = import(&world, &format!("{sha1}\nabc\n"), &options).json();
    assert_eq!((&counts["replaced"], &counts["added"]), (&json!(true), &json!(1)));
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "24.00", "no longer listed");
    assert_eq!(world.seller.post(&lead(2)).await.at("price"), "8.00");
    let none = import(&world, "nonsense\n", &["--field", "phone", "--replace"]);
    assert_eq!(none.code, Some(1), "a file without a value changes nothing: {}", none.stderr);
    let lists = world.run(&["--json", "suppress", "list"]).json();
    assert_eq!((&lists[0]["list"], &lists[0]["entries"]), (&json!("customers"), &json!(1)));
    assert_eq!(world.run(&["suppress", "remove", "alpha", "customers"]).code, Some(2));
    world.run(&["suppress", "remove", "alpha", "customers", "--yes"]).ok();
    assert_eq!(world.seller.post(&lead(3)).await.at("price"), "24.00");
    assert_eq!(world.run(&["--json", "suppress", "list"]).json(), json!([]));
    world.books_verify().await;
}

fn sha1_hex(text: &str) -> String {
    let digest = exchange_model::lead::HashForm::Sha1.digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_asks_for_consent_gets_only_whom_it_is_named_for() {
    let world = world("consent = \"named\"\nconsent_names = [\"Alpha Mutual\"]").await;
    let price = |lead: serde_json::Value| {
        let seller = world.seller.clone();
        async move { seller.post(&lead).await.at("price") }
    };
    assert_eq!(price(lead(1)).await, "8.00", "nobody is named");
    let named = |number, list: serde_json::Value| with(lead(number), "consented_to", list);
    assert_eq!(price(named(2, json!(["Beta"]))).await, "8.00");
    assert_eq!(price(named(3, json!(["Beta", "ALPHA mutual"]))).await, "24.00");
    assert_eq!(price(named(4, json!("Beta, Alpha Mutual"))).await, "24.00");
    let attributes = with(ping_of(&lead(5)), "consented_to", json!(["alpha mutual"]));
    let ping = world.seller.ping(&attributes).await;
    assert_eq!(ping.at("price"), "24.00");
    let sold = world.seller.post_on(&ping.at("ping_id"), &lead(5)).await;
    assert_eq!(sold.outcome(), "sold", "what the ping said counts: {}", sold.text());
    let wrong = world.seller.post(&named(6, json!([7]))).await;
    assert_eq!(wrong.problem(422), "bad_type");
    assert_eq!(wrong.wrong_fields(), ["consented_to"]);
}

const QUALITY: &str = r#"
[quality]
state_matches_zip = { of = ["state", "zip"], failed = "refuse" }
age = { of = "birth_date", min = 18, max = 110, failed = "refuse" }
area_code_matches_state = ["phone", "state"]

[score]
base = 5
[[score.rule]]
when = { quality_area_code_matches_state = false }
add = -3
[[score.rule]]
when = { credit = ["excellent"] }
add = 4
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_cannot_be_true_is_refused_and_a_doubtful_one_is_marked() {
    let buyers = [
        TestBuyer::plain("alpha", 3000).campaign("accepts = { score = { min = 5 } }"),
        TestBuyer::nested("beta", 1000),
    ];
    let world = World::of(buyers).vertical(QUALITY).start().await;
    let elsewhere = world.seller.post(&with(lead(1), "zip", "10001")).await;
    assert_eq!(elsewhere.problem(422), "bad_value");
    assert_eq!(elsewhere.wrong_fields(), ["zip"]);
    assert!(elsewhere.text().contains("a zip that lies in `state`"), "{}", elsewhere.text());
    let child = world.seller.post(&with(lead(1), "birth_date", "2020-01-01")).await;
    assert_eq!(child.wrong_fields(), ["birth_date"]);
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "24.00");
    let moved = with(lead(2), "phone", "2125550134");
    assert_eq!(world.seller.post(&moved).await.at("price"), "8.00", "scores 2");
    let rich = with(with(lead(3), "phone", "2125550135"), "credit", "excellent");
    assert_eq!(world.seller.post(&rich).await.at("price"), "24.00", "scores 6");
    let explained = world.run(&["explain", "phone=2125550134", "credit=excellent"]).ok();
    for part in ["score 6   base 5, -3 by ", "quality_area_code_matches_state false"] {
        assert!(explained.contains(part), "no `{part}` in:\n{explained}");
    }
    let explained = world.run(&["--json", "explain", "credit=fair"]).json();
    assert_eq!(explained["quality"]["score"], 5);
    let test = world.seller_of("kart/search", KeyMode::Test);
    let magic = test.post(&with(with(lead(4), "zip", "00001"), "state", "NY")).await;
    assert_eq!(magic.outcome(), "sold", "a magic zip lies anywhere: {}", magic.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_remembered_by_nothing() {
    let world = World::of([alpha(ON_PHONE)]).source(RESUBMISSIONS).start().await;
    let sold = world.seller.post(&with(lead(1), "consented_to", json!(["Alpha"]))).await;
    assert!(world.site.rows("person_claim") > 0 && world.site.rows("resubmission") > 0);
    assert_eq!(world.site.rows("lead WHERE consented_to IS NOT NULL"), 1);
    world.run(&["lead", "erase", &sold.at("lead_id"), "--yes"]).ok();
    for from in ["person_claim", "resubmission", "lead WHERE consented_to IS NOT NULL"] {
        assert_eq!(world.site.rows(from), 0, "{from}");
    }
}
