//! Each warning, by the smallest exchange that deserves it.

use std::path::Path;

use buyer_connectors::Secrets;

use super::*;
use crate::load::{FileSet, compile};

const VERTICAL: &str = "schema = 1\nid = \"auto\"\ntitle = \"Auto\"\ncurrency = \"USD\"\n[field]\n\
    state = { type = \"us_state\", class = \"open\", ping = \"required\", post = \"required\", example = \"TX\" }\n\
    plan = { type = \"text\", class = \"open\", ping = \"no\", post = \"optional\", max_length = 9, example = \"A\" }\n\
    phone = { type = \"us_phone\", class = \"contact\", ping = \"no\", post = \"required\", example = \"5125550134\" }\n";
const BUYER: &str = "schema = 1\nid = \"acme\"\ntitle = \"Acme\"\nstatus = \"live\"\ntime_zone = \"UTC\"\n\
    [billing]\nterms = \"net30\"\ncredit_limit = \"100.00\"\n\
    [[campaign]]\nid = \"tx\"\nvertical = \"auto\"\nconnector = \"main\"\nprice = { mode = \"fixed\", base = \"4.00\" }\nACCEPTS\n\
    [connector.main]\nresolve = []\n\
    [connector.main.ping]\nurl = \"https://acme.example/ping\"\nformat = \"json\"\ntimeout = \"500ms\"\nbody = { state = \"{{ state }}\" }\n\
    [connector.main.ping.reply]\nrules = [{ when = { at = \"$.ok\", is = [\"yes\"] }, then = \"bid\" }]\n\
    [connector.main.post]\nurl = \"https://acme.example/post\"\nformat = \"json\"\ntimeout = \"5s\"\nbody = { phone = \"{{ phone }}\" }\n\
    [connector.main.post.reply]\nrules = [{ when = { at = \"$.ok\", is = [\"no\"] }, then = \"rejected\" }, { when = { at = \"$.ok\", is = [\"yes\"] }, then = \"accepted\" }]\n";
const TREE: &str = "schema = 1\nid = \"main\"\nvertical = \"auto\"\ntitle = \"Main\"\ndeadline = \"DEADLINE\"\npost_reserve = \"RESERVE\"\n\
    [[tier]]\nname = \"all\"\nping_timeout = \"WAIT\"\nmembers = [\"acme/tx\"]\n";
const SELLER: &str = "schema = 1\nid = \"kart\"\ntitle = \"Kart\"\nstatus = \"live\"\n\
    [[source]]\nid = \"web\"\nalias = \"K1\"\ntree = \"main\"\npayout = { fixed = \"PAYOUT\" }\n";

fn codes(words: &[(&str, &str)]) -> Vec<&'static str> {
    let (_exchange, findings) = loaded(words);
    findings.sorted().into_iter().map(|finding| finding.code).collect()
}

fn loaded(words: &[(&str, &str)]) -> (Exchange, Findings) {
    let filled = |text: &str| {
        let plain = [
            ("ACCEPTS", ""),
            ("DEADLINE", "15s"),
            ("RESERVE", "14s"),
            ("WAIT", "1s"),
            ("PAYOUT", "3.00"),
        ];
        let all = words.iter().chain(&plain);
        all.fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    };
    let test = "schema = 1\ntree = \"main\"\nsource = \"kart/web\"\n[lead.any]\nstate = \"TX\"\n\
        [[test]]\nname = \"sold\"\nat = 2026-11-23T10:15:00Z\nlead = \"any\"\nexpect = { status = \"sold\" }\n";
    let mut files = vec![
        ("verticals/auto.toml", VERTICAL.to_owned()),
        ("buyers/acme.toml", filled(BUYER)),
        ("trees/main.toml", filled(TREE)),
        ("sellers/kart.toml", filled(SELLER)),
    ];
    if words.contains(&("LIST", "unused")) {
        files.push(("lists/zips.txt", "78701\n".to_owned()));
    }
    if !words.contains(&("TESTS", "none")) {
        files.push(("tests/main.toml", test.to_owned()));
    }
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text));
    let mut findings = Findings::new();
    let files = FileSet::of(Path::new("config"), files);
    let settings = Settings::defaults();
    let exchange = compile(
        &files,
        &settings,
        &Secrets::from_pairs(Vec::<(String, String)>::new()),
        &mut findings,
    );
    let exchange = exchange.unwrap_or_else(|| panic!("{:?}", findings.sorted()));
    (exchange, findings)
}

#[test]
fn a_sound_exchange_has_no_warnings() {
    assert_eq!(codes(&[]), Vec::<&str>::new());
}

#[test]
fn each_thing_that_is_hardly_meant_is_named() {
    for (words, code) in [
        (&[("TESTS", "none")][..], "tree_untested"),
        (&[("WAIT", "40ms")], "buyer_slower_than_tier"),
        (&[("RESERVE", "40ms")], "post_longer_than_reserve"),
        (&[("PAYOUT", "4.50")], "payout_above_price"),
        (&[("ACCEPTS", "accepts = { plan = [\"A\"] }")], "field_not_pinged"),
        (&[("LIST", "unused")], "list_unused"),
        (&[("DEADLINE", "40s"), ("RESERVE", "39s")], "drain_too_short"),
    ] {
        assert_eq!(codes(words), [code], "{words:?}");
    }
}

/// Day caps of 100 beside what the days before brought: the last day first.
fn of_records(days: &[u32]) -> Vec<&'static str> {
    let accepts = ("ACCEPTS", "caps = { day = 100 }");
    let (exchange, mut findings) = loaded(&[accepts]);
    let now = "2026-11-23T10:15:00Z".parse().unwrap();
    let used = |cap: &ping_tree::CapLimit| {
        let ago = exchange_model::Timestamp::since(now, cap.window.start).as_secs() / 86_400;
        let leads = usize::try_from(ago).ok().and_then(|ago| days.get(ago.checked_sub(1)?));
        ping_tree::Tally { leads: leads.copied().unwrap_or(0), ..Default::default() }
    };
    records::lint(&exchange, &used, now, &mut findings);
    findings.sorted().into_iter().map(|finding| finding.code).collect()
}

#[test]
fn caps_are_compared_with_what_the_days_before_brought() {
    assert_eq!(of_records(&[120]), ["cap_below_yesterday"]);
    assert_eq!(of_records(&[20; 30]), ["cap_never_reached"]);
    assert_eq!(of_records(&[60; 30]), Vec::<&str>::new());
    assert_eq!(of_records(&[20; 5]), Vec::<&str>::new(), "a new campaign has time");
}

const BIDS: (&str, &str) = (
    "mode = \"fixed\", base = \"4.00\"",
    "mode = \"bid\", floor = \"4.00\", ceiling = \"5.00\", base = \"4.50\"",
);
const SHARES: (&str, &str) = ("ACCEPTS", "shares = { 1 = \"100%\", 2 = \"90%\" }");
const WHOLE: (&str, &str) = ("ACCEPTS", "shares = { 1 = \"100%\", 2 = \"100%\" }");
const HYBRID: (&str, &str) = ("WAIT", "1s\"\nmax_sold = 2\nsale = \"hybrid");
const SECOND_PRICE: (&str, &str) = ("WAIT", "1s\"\nauction = \"second_price");
const SAID: (&str, &str) = ("{{ phone }}\" }", "{{ phone }}\", cost = \"{{ price }}\" }");

#[test]
fn a_buyer_that_pays_another_price_than_it_bid_must_be_told() {
    for words in [&[BIDS, SECOND_PRICE][..], &[BIDS, SHARES, HYBRID], &[SHARES, HYBRID]] {
        assert_eq!(codes(words), ["price_not_told"], "{words:?}");
        let told: Vec<_> = words.iter().copied().chain([SAID]).collect();
        assert_eq!(codes(&told), Vec::<&str>::new(), "{told:?}");
    }
}

#[test]
fn a_buyer_that_pays_what_it_bid_need_not_be_told() {
    for words in [&[BIDS][..], &[BIDS, HYBRID], &[BIDS, WHOLE, HYBRID], &[SHARES], &[SECOND_PRICE]]
    {
        assert_eq!(codes(words), Vec::<&str>::new(), "{words:?}");
    }
}
