//! Everything has a limit, and reaching it is said once.

use std::fmt::Write as _;

use ping_tree::{CAMPAIGNS_MAX, MEMBERS_MAX, TIERS_MAX};

use crate::exchange::Files;

/// A buyer `many` with so many campaigns, named `c0`, `c1` and so on.
fn many(count: usize) -> Files {
    let mut text = String::from(
        "schema = 1\nid = \"many\"\ntime_zone = \"UTC\"\n\
         billing = { terms = \"prepaid\" }\n[connector.main]\n",
    );
    for at in 0..count {
        write!(
            text,
            "[[campaign]]\nid = \"c{at}\"\nvertical = \"auto\"\nconnector = \"main\"\n\
             price = {{ mode = \"fixed\", base = \"9.00\" }}\nstatus = \"paused\"\n"
        )
        .unwrap();
    }
    Files::base().with("buyers/many.toml", &text)
}

/// A tree with one tier for each list of campaigns.
fn tree(tiers: &[Vec<usize>]) -> String {
    let mut text = String::from(
        "schema = 1\nid = \"wide\"\nvertical = \"auto\"\ndeadline = \"30s\"\npost_reserve = \"1s\"\n",
    );
    for (at, tier) in tiers.iter().enumerate() {
        let members: Vec<String> = tier.iter().map(|c| format!("\"many/c{c}\"")).collect();
        let members = members.join(", ");
        writeln!(
            text,
            "[[tier]]\nname = \"t{at}\"\nping_timeout = \"100ms\"\nmembers = [{members}]"
        )
        .unwrap();
    }
    text
}

fn codes(files: &Files) -> Vec<&'static str> {
    let exchange = files.load();
    exchange.findings.sorted().iter().map(|finding| finding.code).collect()
}

#[test]
fn campaigns_beyond_the_limit_are_refused() {
    let base = Files::base().load().routing.campaigns().count();
    assert_eq!(codes(&many(CAMPAIGNS_MAX - base)), [""; 0]);
    assert_eq!(codes(&many(CAMPAIGNS_MAX - base + 3)), ["too_many_campaigns"]);
}

/// A tree in which the first half of so many members stands a second time, under a condition.
fn twice(count: usize) -> String {
    let half = count.div_ceil(2);
    let members = |of: std::ops::Range<usize>, violations: usize| {
        let member =
            |c| format!("{{ campaign = \"many/c{c}\", when = {{ violations = {violations} }} }}");
        of.map(member).collect::<Vec<_>>().join(", ")
    };
    let (first, second) = (members(0..half, 1), members(0..count - half, 2));
    format!(
        "schema = 1\nid = \"wide\"\nvertical = \"auto\"\ndeadline = \"30s\"\npost_reserve = \"1s\"\n\
         [[tier]]\nname = \"t0\"\nping_timeout = \"100ms\"\nmembers = [{first}]\n\
         [[tier]]\nname = \"t1\"\nping_timeout = \"100ms\"\nmembers = [{second}]\n"
    )
}

#[test]
fn members_beyond_the_limit_are_refused() {
    let with =
        |count: usize| codes(&many(count.div_ceil(2)).with("trees/wide.toml", &twice(count)));
    assert_eq!(with(MEMBERS_MAX), ["tree_unused"]);
    assert_eq!(with(MEMBERS_MAX + 1), ["too_many_members"]);
}

#[test]
fn tiers_beyond_the_limit_are_refused() {
    let with = |count: usize| {
        let tiers: Vec<Vec<usize>> = (0..count).map(|at| vec![at]).collect();
        codes(&many(count).with("trees/wide.toml", &tree(&tiers)))
    };
    assert_eq!(with(TIERS_MAX), ["tree_unused"]);
    assert_eq!(with(TIERS_MAX + 1), ["bad_tier_count"]);
}
