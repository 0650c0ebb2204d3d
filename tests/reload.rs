//! Reloads of the running exchange: under load, of broken files, back, and from a bad folder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::harness::process::Serving;
use crate::harness::seller::Seller;
use crate::harness::{Answer, TestBuyer, World, eventually, lead};

/// Reloads that change what is routed by.
const RELOADS: u32 = 1_000;
/// One set in so many is refused.
const BAD_EVERY: u32 = 8;
/// Sellers that post one lead after the other meanwhile.
const SELLERS: u32 = 4;

/// The two configs: what the seller is paid, and the name of the tree's tier.
const SETS: [(&str, &str); 2] = [("10.00", "tier_a"), ("11.00", "tier_b")];

fn write_set(world: &World, (payout, tier): (&str, &str)) {
    let site = &world.site;
    let rewrite = |name: &str, from: &dyn Fn(&str) -> bool, line: &str| {
        let text = std::fs::read_to_string(site.path(name)).unwrap();
        let lines =
            text.lines().map(|old| if from(old) { line.to_owned() } else { old.to_owned() });
        site.write(name, &(lines.collect::<Vec<_>>().join("\n") + "\n"));
    };
    let payout = format!("payout = {{ fixed = \"{payout}\" }}");
    rewrite("sellers/kart.toml", &|line| line.starts_with("payout"), &payout);
    let tier = format!("name = \"{tier}\"");
    rewrite("trees/auto_main.toml", &|line| line.starts_with("name = \"tier"), &tier);
}

async fn ask(operator: &Seller, path: &str, body: &Value) -> Answer {
    operator.answer(operator.bare(Method::POST, path).json(body)).await
}

/// What sellers send and hear meanwhile.
struct Traffic {
    seller: Seller,
    next: AtomicU32,
    open: AtomicBool,
}

impl Traffic {
    async fn flow(self: Arc<Self>) -> u32 {
        let mut sold = 0;
        while self.open.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let answer = self.seller.post(&lead(number)).await;
            assert_eq!(answer.outcome(), "sold", "{}", answer.text());
            sold += 1;
        }
        sold
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reloads_under_load_fail_no_lead_and_each_is_routed_by_one_version() {
    let buyers = [TestBuyer::plain("alpha", 3000), TestBuyer::nested("beta", 2000)];
    let mut world = World::of(buyers).start().await;
    let traffic = Arc::new(Traffic {
        seller: world.seller.clone(),
        next: AtomicU32::new(0),
        open: AtomicBool::new(true),
    });
    write_set(&world, SETS[1]);
    let operator = world.seller.at(world.site.operator);
    ask(&operator, "/-/reload", &json!({})).await;
    let mut sellers = JoinSet::new();
    for _ in 0..SELLERS {
        sellers.spawn(Arc::clone(&traffic).flow());
    }
    for nth in 0..RELOADS {
        if nth % BAD_EVERY == 0 {
            refused_set(&world, &operator).await;
        }
        let set = if nth % 2 == 0 { SETS[0] } else { SETS[1] };
        write_set(&world, set);
        let answer = ask(&operator, "/-/reload", &json!({})).await;
        assert_eq!(
            (answer.status, answer.at("outcome").as_str()),
            (200, "applied"),
            "{}",
            answer.text()
        );
    }
    traffic.open.store(false, Ordering::Relaxed);
    let sold: u32 = sellers.join_all().await.into_iter().sum();
    assert!(sold > 100, "{sold} leads are no load");
    let metrics = world.metrics().await;
    let refused = RELOADS / BAD_EVERY;
    let counted = format!("rialto_config_reload_total{{outcome=\"bad_config\"}} {refused}");
    assert!(metrics.contains(&counted), "{metrics}");
    world.books_verify().await;
    let checked = check_versions(&world);
    assert_eq!(checked, sold, "every lead was looked at");
}

/// A set with an error is refused whole, and nothing changes.
async fn refused_set(world: &World, operator: &Seller) {
    let name = "trees/auto_main.toml";
    let good = std::fs::read_to_string(world.site.path(name)).unwrap();
    world.site.write(name, &good.replace("alpha/auto", "alpha/auot"));
    let before = world.site.rows("config_version");
    let answer = ask(operator, "/-/reload", &json!({})).await;
    assert_eq!((answer.status, answer.at("outcome").as_str()), (422, "bad_config"));
    assert!(answer.text().contains("did you mean"), "{}", answer.text());
    assert_eq!(world.site.rows("config_version"), before);
    world.site.write(name, &good);
}

/// One applied version, from the store.
struct Version {
    set: String,
    applied_at: i64,
    payout: String,
}

/// Compares what every lead was paid, and in which tier, with the files of the version that stands
/// in its record; and that the version was live while the lead was at the door.
fn check_versions(world: &World) -> u32 {
    let database = world.site.database();
    let sql = "SELECT v.number, v.set_hash, v.applied_at, c.text FROM config_version v
               JOIN config_file f ON f.set_hash = v.set_hash AND f.name = 'sellers/kart.toml'
               JOIN config_content c ON c.hash = f.content";
    let mut statement = database.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        let text: String = row.get(3)?;
        let payout = text.lines().find(|line| line.starts_with("payout")).unwrap_or_default();
        let payout = payout.split('"').nth(1).unwrap_or_default().to_owned();
        let number: i64 = row.get(0)?;
        Ok((number, Version { set: row.get(1)?, applied_at: row.get(2)?, payout }))
    };
    let versions = statement.query_map([], read).unwrap();
    let versions: BTreeMap<i64, Version> = versions.map(Result::unwrap).collect();
    assert!(versions.len() > RELOADS.try_into().unwrap(), "{} versions", versions.len());
    let sql = "SELECT l.config_version, l.payout, a.tier, l.received_at, l.answered_at FROM lead l
               JOIN attempt a ON a.lead = l.id AND a.state = 'accepted'";
    let mut statement = database.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut checked = 0;
    while let Some(row) = rows.next().unwrap() {
        let label: String = row.get(0).unwrap();
        let (number, short) = label.strip_prefix('v').unwrap().split_once('-').unwrap();
        let number: i64 = number.parse().unwrap();
        let version = &versions[&number];
        assert!(version.set.starts_with(short), "{label}");
        let (payout, tier): (String, String) = (row.get(1).unwrap(), row.get(2).unwrap());
        assert_eq!(payout, version.payout, "{label}");
        let of_set = SETS.iter().find(|(paid, _)| *paid == payout).unwrap();
        assert_eq!(tier, of_set.1, "{label}: one lead, one version");
        let (received, answered): (i64, i64) = (row.get(3).unwrap(), row.get(4).unwrap());
        assert!(answered >= version.applied_at, "{label} was not live yet");
        // It is live until the next is exchanged for it, which is done before a further one begins.
        let after_next = versions.get(&(number + 2));
        assert!(after_next.is_none_or(|after| received <= after.applied_at), "{label} was over");
        checked += 1;
    }
    checked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_prints_what_check_prints_and_exits_78() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    let tree = std::fs::read_to_string(world.site.path("trees/auto_main.toml")).unwrap();
    world.site.write("trees/auto_main.toml", &tree.replace("alpha/auto", "alpha/auot"));
    let (checked, reloaded) = (world.run(&["check"]), world.run(&["reload"]));
    assert_eq!((checked.code, reloaded.code), (Some(78), Some(78)));
    let finding = |text: &str| text.split("= help").next().unwrap_or_default().to_owned();
    assert_eq!(finding(&reloaded.stdout), finding(&checked.stdout));
    world.still_sells(1).await;
    world.site.write("trees/auto_main.toml", &tree);
    let unchanged = world.run(&["reload", "--json"]).json();
    assert_eq!(unchanged["outcome"], "unchanged");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_whose_tests_fail_is_not_routed_by() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    std::fs::create_dir_all(world.site.path("tests")).unwrap();
    world.site.write("tests/ours.toml", FAILING_TEST);
    write_set(&world, SETS[0]);
    let reloaded = world.run(&["reload"]);
    assert_eq!(reloaded.code, Some(78), "{}{}", reloaded.stdout, reloaded.stderr);
    assert!(reloaded.stdout.contains("it sells for a million"), "{}", reloaded.stdout);
    world.still_sells(1).await;
    // Nor does it come in by a restart.
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    let strict = world.run(&["serve", "--strict"]);
    assert_eq!(strict.code, Some(78), "{}{}", strict.stdout, strict.stderr);
    world.serving = Serving::start(&world.site).await;
    world.still_sells(2).await;
    let operator = world.seller.at(world.site.operator);
    let ready = operator.answer(operator.bare(Method::GET, "/readyz?verbose")).await;
    assert!(ready.text().contains("NOT as the files on disk"), "{}", ready.text());
    let versions = world.run(&["versions", "--json"]).json();
    assert!(!versions.to_string().contains("tests/ours.toml"), "{versions}");
    std::fs::remove_file(world.site.path("tests/ours.toml")).unwrap();
    world.run(&["reload"]).ok();
    world.books_verify().await;
}

/// A test that no config passes.
const FAILING_TEST: &str = r#"
schema = 1
tree = "auto_main"
source = "kart/search"

[lead.any]
state = "TX"

[[test]]
name = "it sells for a million"
at = 2026-11-23T10:15:00-06:00
lead = "any"
bids = { "alpha/auto" = "30.00" }
expect = { status = "sold", winner = "alpha/auto", price = "1000000.00" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_routes_by_the_old_files_and_leaves_those_on_disk() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    write_set(&world, SETS[0]);
    world.run(&["reload"]).ok();
    write_set(&world, SETS[1]);
    world.run(&["reload"]).ok();
    assert_eq!(world.seller.post(&lead(1)).await.at("price"), "11.00");
    let back = world.run(&["rollback", "2"]);
    assert!(back.stderr.contains("files on disk"), "{}", back.stderr);
    back.ok();
    assert_eq!(world.seller.post(&lead(2)).await.at("price"), "10.00");
    let on_disk = std::fs::read_to_string(world.site.path("sellers/kart.toml")).unwrap();
    assert!(on_disk.contains("11.00"), "{on_disk}");
    let kept = world.run(&["versions", "show", "2", "sellers/kart.toml"]).ok();
    assert!(kept.contains("10.00"), "{kept}");
    let versions = world.run(&["versions", "--json"]).json();
    assert_eq!((&versions[0]["cause"], &versions[0]["again_of"]), (&json!("rollback"), &json!(2)));
    world.run(&["reload"]).ok();
    assert_eq!(world.seller.post(&lead(3)).await.at("price"), "11.00");
    assert_eq!(world.run(&["rollback", "99"]).code, Some(1));
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bad_folder_the_last_good_set_is_started_and_strict_refuses() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    let tree = std::fs::read_to_string(world.site.path("trees/auto_main.toml")).unwrap();
    world.site.write("trees/auto_main.toml", "schema = 1\nid = \n");
    assert_eq!(world.run(&["serve", "--strict"]).code, Some(78));
    world.serving = Serving::start(&world.site).await;
    world.still_sells(1).await;
    let operator = world.seller.at(world.site.operator);
    let ready = operator.answer(operator.bare(Method::GET, "/readyz?verbose")).await;
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("NOT as the files on disk"), "{}", ready.text());
    world.site.write("trees/auto_main.toml", &tree);
    world.run(&["reload"]).ok();
    let ready = operator.answer(operator.bare(Method::GET, "/readyz?verbose")).await;
    assert!(!ready.text().contains("NOT as the files"), "{}", ready.text());
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_and_so_does_a_watched_folder() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    write_set(&world, SETS[0]);
    world.serving.hang_up();
    until_paid(&world, "10.00", 100).await;
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    let settings = std::fs::read_to_string(world.site.path("rialto.toml")).unwrap();
    world.site.write("rialto.toml", &settings.replace("[routing]\n", "[routing]\nwatch = true\n"));
    world.serving = Serving::start(&world.site).await;
    write_set(&world, SETS[1]);
    until_paid(&world, "11.00", 1_000).await;
    let audit = world.run(&["audit", "--json"]).json();
    let actors: Vec<&str> =
        audit.as_array().unwrap().iter().filter_map(|entry| entry["actor"].as_str()).collect();
    assert!(actors.contains(&"signal") && actors.contains(&"watch"), "{actors:?}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_whose_asker_hangs_up_is_finished_and_the_store_and_the_exchange_agree() {
    let mut world = World::of([TestBuyer::plain("alpha", 3000)]).start().await;
    let address = world.site.operator;
    for nth in 0..10 {
        write_set(&world, SETS[nth % 2]);
        let mut asker = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST /-/reload HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        asker.write_all(request.as_bytes()).await.unwrap();
        drop(asker);
        until_paid(&world, SETS[nth % 2].0, u32::try_from(1_000 * (nth + 1)).unwrap()).await;
    }
    let operator = world.seller.at(address);
    let ready = operator.answer(operator.bare(Method::GET, "/readyz?verbose")).await;
    let versions = world.run(&["versions", "--json"]).json();
    let newest = versions[0]["version"].as_str().unwrap();
    assert!(ready.text().contains(newest), "{} is not {newest}", ready.text());
    world.books_verify().await;
}

/// Posts leads, from this number on, until one is paid this.
async fn until_paid(world: &World, price: &str, from: u32) {
    let next = AtomicU32::new(from);
    eventually(&format!("a price of {price}"), || async {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!(answer.outcome(), "sold", "{}", answer.text());
        (answer.at("price") == price).then_some(())
    })
    .await;
}
