//! The books: statements, verification, exports, and the demo from end to end.

use std::process::Command;

use serde_json::Value;

use crate::harness::binary::repository;
use crate::harness::process::command;
use crate::harness::{TestBuyer, World, lead};

/// A day long before and one long after every test.
const PERIOD: [&str; 4] = ["--from", "2020-01-01", "--to", "2099-12-31"];

/// Ten leads: six for `alpha` at 30.00 (prepaid), four for `beta` at 20.01 (on terms).
async fn ten_sales() -> World {
    let alpha = TestBuyer::plain("alpha", 3000)
        .billing("terms = \"prepaid\"\ncredit_line = \"0.00\"")
        .campaign("caps = { day = 6 }");
    let world = World::of([alpha, TestBuyer::nested("beta", 2001)]).start().await;
    world.run(&["buyer", "top-up", "alpha", "500.00", "--ref", "WIRE-1"]).ok();
    for number in 1..=10 {
        assert_eq!(world.seller.post(&lead(number)).await.outcome(), "sold");
    }
    world
}

fn statement(world: &World, whose: &str, id: &str) -> Value {
    let arguments = [&["--json", "statement", whose, id][..], &PERIOD].concat();
    world.run(&arguments).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_say_what_was_bought_and_earned_to_the_cent() {
    let mut world = ten_sales().await;
    let alpha = statement(&world, "buyer", "alpha");
    assert_eq!(alpha["closing"], "320.00", "500.00 less six times 30.00: {alpha}");
    let beta = statement(&world, "buyer", "beta");
    assert_eq!(beta["closing"], "80.04", "{beta}");
    assert_eq!(beta["lines"].as_array().unwrap().len(), 4);
    let kart = statement(&world, "seller", "kart");
    // 80 % of 30.00 is 24.00, of 20.01 is 16.01 rounded half to even.
    assert_eq!(kart["closing"], "208.04", "{kart}");
    assert_eq!(statement(&world, "seller", "rival")["closing"], "0.00");
    let text = world.run(&[&["statement", "buyer", "beta"][..], &PERIOD].concat()).ok();
    assert!(text.contains("80.04"), "{text}");
    let csv = world.run(&[&["statement", "buyer", "beta", "--csv"][..], &PERIOD].concat()).ok();
    assert!(csv.contains("20.01") && csv.lines().count() >= 5, "{csv}");
    world.books_verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_buyers_bought_by_their_own_books_is_what_the_ledger_says() {
    let world = ten_sales().await;
    for (name, closing) in [("alpha", "180.00"), ("beta", "80.04")] {
        assert_eq!(world.buyer(name).book().total().to_string(), closing);
    }
    let verified = world.run(&["--json", "ledger", "verify"]).json();
    assert_eq!(verified["sound"], true, "{verified}");
    // A top-up, and a hold and a sale for each lead.
    assert_eq!(verified["transactions"], 21, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_survive_a_restart_and_an_altered_record_is_found() {
    let mut world = ten_sales().await;
    world.books_verify().await;
    let before = statement(&world, "seller", "kart");
    world.serving = crate::harness::process::Serving::start(&world.site).await;
    assert_eq!(statement(&world, "seller", "kart"), before);
    world.still_sells(11).await;
    world.books_verify().await;
    let path = world.site.path("var/rialto.db");
    let changed = rusqlite::Connection::open(path)
        .unwrap()
        .execute("UPDATE ledger_entry SET minor = minor + 1 WHERE sequence = 5", [])
        .unwrap();
    assert!(changed > 0);
    let verified = world.run(&["ledger", "verify"]);
    assert_eq!(verified.code, Some(1), "{}{}", verified.stdout, verified.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn hledger_accepts_the_export() {
    if !hledger_is_here() {
        return;
    }
    let world = ten_sales().await;
    let journal = world.site.path("books.journal");
    let path = journal.to_str().unwrap();
    world.run(&["ledger", "export", "--format", "hledger", "--out", path]).ok();
    let hledger = |arguments: &[&str]| {
        let output = Command::new("hledger").args(["-f", path]).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    hledger(&["check", "--strict"]);
    let sales = hledger(&["balance", "revenues", "--no-elide", "-N", "--flat"]);
    // Six times 30.00 and four times 20.01.
    assert!(sales.contains("260.04"), "{sales}");
    let owed = hledger(&["balance", "liabilities:seller-accrued", "-N", "--flat"]);
    assert!(owed.contains("208.04"), "{owed}");
}

/// Whether hledger is installed. Where the environment insists on it, it must be.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the test run, not a setting of the exchange"
)]
fn hledger_is_here() -> bool {
    let here = Command::new("hledger").arg("--version").output().is_ok();
    let insisted = std::env::var("RIALTO_TESTS_INSIST")
        .is_ok_and(|names| names.split(' ').any(|name| name == "hledger"));
    assert!(here || !insisted, "hledger is not installed");
    if !here {
        println!("skipped: hledger is not installed");
    }
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_sells_and_its_books_are_verified() {
    let output = command(&repository().join("config"))
        .args(["demo", "--leads", "40", "--rate", "20"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}{errors}");
    for word in ["sold", "p50", "p95", "p99", "revenue", "payout", "margin", "verified"] {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
}
