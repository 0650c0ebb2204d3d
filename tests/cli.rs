//! The command line as its users meet it: what it prints, where, and with which exit code.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::cli::{KeyMode, Ran, run};
use crate::harness::site::{Site, SiteSettings};
use crate::harness::{TestBuyer, World, lead};

fn sample() -> Site {
    let site = Site::of_sample(&SiteSettings::default());
    std::fs::create_dir_all(site.path("tests")).unwrap();
    site
}

/// Replaces a text that must be there.
fn spoil(site: &Site, name: &str, before: &str, after: &str) {
    let text = std::fs::read_to_string(site.path(name)).unwrap();
    assert!(text.contains(before), "{name} has no `{before}`");
    site.write(name, &text.replace(before, after));
}

#[track_caller]
fn ended(ran: &Ran, code: i32) {
    assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn check_names_every_mistake_with_its_place_and_a_remedy() {
    let site = sample();
    spoil(&site, "trees/auto_main.toml", "\"metro_direct/auto\"", "\"metro_direct/auot\"");
    spoil(&site, "buyers/acme_mutual.toml", "{{ birth_date | year }}", "{{ birth_date }}");
    spoil(&site, "rialto.toml", "drain = \"10s\"", "drain = 10");
    let ran = run(&site, &["check"]);
    ended(&ran, 78);
    for part in [
        "error[unknown_campaign]: no campaign is called `metro_direct/auot`",
        "trees/auto_main.toml:19:3",
        "^^^^^^^^^^^^^^^^^^^ used in tier `preferred`",
        "did you mean `metro_direct/auto`?",
        "error[contact_in_ping]: `birth_date` is contact data and may not leave in a ping",
        "{{ birth_date | year }}",
        "error[bad_setting]: setting `server.drain`",
        "3 errors",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
    let plain = run(&site, &["check", "--plain"]);
    assert!(!plain.stdout.contains("^^^"), "{}", plain.stdout);
    assert!(plain.stdout.contains("line 19 column 3"), "{}", plain.stdout);
}

#[test]
fn check_says_the_same_as_json() {
    let site = sample();
    spoil(&site, "trees/auto_main.toml", "\"metro_direct/auto\"", "\"metro_direct/auot\"");
    let ran = run(&site, &["--json", "check"]);
    ended(&ran, 78);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&report["ok"], &report["errors"]), (&false.into(), &1.into()), "{report}");
    assert_eq!(finding["code"], "unknown_campaign");
    assert_eq!((&finding["line"], &finding["column"]), (&19.into(), &3.into()));
}

#[test]
fn a_sound_config_is_ok_and_warnings_can_be_denied() {
    let site = sample();
    let untested = run(&site, &["check"]).ok();
    assert!(untested.contains("warning[tree_untested]"), "{untested}");
    for (tree, source) in [("auto_main", "quotekart/search"), ("auto_shared", "rateharbor/mail")] {
        let test = format!(
            "schema = 1\ntree = \"{tree}\"\nsource = \"{source}\"\n[lead.any]\ncredit = \"good\"\n\
             [[test]]\nname = \"sold\"\nat = 2026-11-23T10:15:00-06:00\nlead = \"any\"\n\
             bids = {{ \"metro_direct/auto\" = \"28.50\" }}\nexpect = {{ status = \"sold\" }}\n"
        );
        site.write(&format!("tests/{tree}.toml"), &test);
    }
    let sound = run(&site, &["check"]).ok();
    assert!(sound.starts_with("ok "), "{sound}");
    std::fs::remove_dir_all(site.path("secrets")).unwrap();
    let ran = run(&site, &["check"]);
    ended(&ran, 78);
    assert!(ran.stdout.contains("error[no_secret]"), "{}", ran.stdout);
    assert!(run(&site, &["check", "--without-secrets"]).ok().starts_with("ok "));
    spoil(
        &site,
        "buyers/granite_network.toml",
        "accepts = {}",
        "accepts = {}\nunknown = \"cascade\"",
    );
    let warned = run(&site, &["check", "--without-secrets"]).ok();
    assert!(warned.contains("warning[double_risk]"), "{warned}");
    ended(&run(&site, &["check", "--without-secrets", "--deny-warnings"]), 78);
}

#[test]
fn the_operators_tests_pass_and_a_wrong_expectation_names_its_line() {
    let site = sample();
    let test = "schema = 1\ntree = \"auto_main\"\nsource = \"quotekart/search\"\n[lead.prime]\ncredit = \"good\"\n\
                [[test]]\nname = \"the best bid wins\"\nat = 2026-11-23T10:15:00-06:00\nlead = \"prime\"\n\
                bids = { \"metro_direct/auto\" = \"28.50\" }\nexpect = { winner = \"metro_direct/auto\", price = \"28.50\" }\n";
    site.write("tests/auto.toml", test);
    let passed = run(&site, &["test"]).ok();
    assert!(passed.contains("pass  the best bid wins"), "{passed}");
    site.write("tests/auto.toml", &test.replace("price = \"28.50\" }", "price = \"99.00\" }"));
    let ran = run(&site, &["test"]);
    ended(&ran, 1);
    for part in ["FAIL  the best bid wins", "auto.toml:11", "99.00", "28.50", "0 passed, 1 failed"]
    {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
    ended(&run(&site, &["test", "other.toml"]), 2);
}

#[test]
fn explain_says_for_every_campaign_what_it_would_do_and_which_line_decides() {
    let site = sample();
    let text = run(&site, &["explain", "--at", "2026-11-23T10:15:00-06:00", "credit=fair"]).ok();
    for part in [
        "tier 1 preferred   reserve 14.00",
        "acme_mutual/auto-tx",
        "filtered: credit is \"fair\", accepts excellent, good",
        "buyers/acme_mutual.toml:",
        "metro_direct/auto           would ping",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    let explained = run(&site, &["--json", "explain", "state=CA", "zip=90001"]).json();
    let tiers = &explained["tiers"];
    let refused = &tiers[0]["members"][0]["refusals"][0];
    assert_eq!(refused["reason"], "filtered(state)", "{tiers}");
}

#[test]
fn a_typing_error_on_the_command_line_is_answered_with_the_nearest_name() {
    let site = sample();
    for (arguments, near) in [
        (&["explain", "stat=TX"][..], "did you mean `state`?"),
        (&["explain", "--source", "quotekart/serch"], "did you mean `quotekart/search`?"),
        (&["key", "new", "quotekart/serch"], "did you mean `quotekart/search`?"),
        (&["buyer", "top-up", "acme_mutal", "5.00", "--ref", "W"], "did you mean `acme_mutual`?"),
        (&["chek"], "'check'"),
    ] {
        let ran = run(&site, arguments);
        ended(&ran, 2);
        assert!(ran.stderr.contains(near), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "messages belong to standard error: {}", ran.stdout);
    }
}

#[test]
fn a_folder_that_is_not_there_and_a_database_that_is_not_there_are_said() {
    let site = sample();
    let nowhere = run(&site, &["--config", "/nowhere/at/all", "check"]);
    ended(&nowhere, 78);
    assert!(nowhere.stderr.contains("/nowhere/at/all"), "{}", nowhere.stderr);
    let unborn = run(&site, &["ledger", "verify"]);
    ended(&unborn, 1);
    assert!(unborn.stderr.contains("there is no database"), "{}", unborn.stderr);
}

#[test]
fn every_shell_gets_its_completions() {
    let site = sample();
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&site, &["completions", shell]).ok().contains("rialto"), "{shell}");
    }
}

/// The same commands beside a running exchange and without one.
#[tokio::test(flavor = "multi_thread")]
async fn commands_write_through_the_running_exchange_and_by_themselves_without_it() {
    let mut world =
        World::of([TestBuyer::plain("alpha", 1000).billing("terms = \"prepaid\"")]).start().await;
    everything(&world, "WIRE-1");
    ended(&world.run(&["health"]), 0);
    world.serving.terminate();
    assert!(world.serving.ended().await.success());
    ended(&world.run(&["health"]), 1);
    everything(&world, "WIRE-2");
    world.run(&["ledger", "verify"]).ok();
}

fn everything(world: &World, reference: &str) {
    let top_up = ["buyer", "top-up", "alpha", "100.00", "--ref", reference];
    assert!(world.run(&top_up).stderr.contains("booked 100.00 USD"));
    let again = world.run(&top_up);
    ended(&again, 0);
    assert!(again.stderr.contains("booked before"), "{}", again.stderr);
    let before = working(world);
    let made = world.run(&["--json", "key", "new", "kart/search"]).json();
    let id = made["id"].as_str().unwrap();
    assert!(working(world).contains(id));
    world.run(&["key", "revoke", id]).ok();
    assert_eq!(working(world), before);
    ended(&world.run(&["key", "revoke", "0000000000"]), 1);
}

/// The keys that work.
fn working(world: &World) -> BTreeSet<String> {
    let keys = world.run(&["--json", "key", "list"]).json();
    let works = keys.as_array().unwrap().iter().filter(|key| key["revoked_at"].is_null());
    works.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_by_the_exchange_that_runs() {
    let world = World::of([TestBuyer::plain("alpha", 1000)]).start().await;
    let seller = world.seller_of("kart/search", KeyMode::Live);
    assert_eq!(seller.post(&lead(1)).await.outcome(), "sold");
    for id in working(&world) {
        world.run(&["key", "revoke", &id]).ok();
    }
    seller.post(&lead(2)).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_of_a_lead_is_shown_without_its_contact_data() {
    let world =
        World::of([TestBuyer::plain("alpha", 3000), TestBuyer::nested("beta", 2000)]).start().await;
    let sent = lead(1);
    let answer = world.seller.post(&sent).await;
    let id = answer.at("lead_id");
    let text = world.journey_with(&id, "answered").await;
    for part in [
        "sold",
        "pinged",
        "bid",
        "30.00 USD",
        "ranked",
        "commit A",
        "posted",
        "accepted",
        "booked",
        "sealed",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    let json = world.run(&["--json", "lead", "show", &id]).ok();
    for field in ["first_name", "last_name", "phone", "email"] {
        let value = sent[field].as_str().unwrap();
        assert!(!text.contains(value) && !json.contains(value), "{field} is shown");
    }
    ended(&world.run(&["lead", "erase", &id]), 2);
    world.run(&["lead", "erase", &id, "--yes"]).ok();
    assert!(world.run(&["lead", "show", &id]).ok().contains("erased 20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn load_reports_how_late_the_latest_answer_was() {
    let world = World::of([TestBuyer::plain("alpha", 1000)]).start().await;
    let key = world.run(&["key", "new", "kart/search"]).ok();
    world.site.write("key.txt", &key);
    let file = world.site.path("key.txt");
    let url = format!("http://{}/v1/leads", world.site.seller);
    let load = ["--json", "load", "--url", &url, "--key-file", file.to_str().unwrap()];
    let report = world.run(&[&load[..], &["--leads", "20", "--rate", "40"]].concat()).json();
    assert_eq!((&report["sent"], &report["answered"]), (&20.into(), &20.into()), "{report}");
    assert_eq!(report["outcomes"]["sold"], 20, "{report}");
    assert!(report["latest_us"].is_u64() && report["p99_us"].is_u64(), "{report}");
}
