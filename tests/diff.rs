//! What a change of the config folder is said to do, and what it would have done with recorded leads.

use serde_json::json;

use crate::harness::{TestBuyer, World, lead};

/// Leads that are recorded and sold again.
const LEADS: u32 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_cap_hands_later_leads_to_the_next_bidder() {
    let capped = TestBuyer::plain("alpha", 3000).campaign("caps = { day = 1000 }");
    let world = World::of([capped, TestBuyer::nested("beta", 2000)]).start().await;
    for number in 0..LEADS {
        let answer = world.seller.post(&lead(number)).await;
        assert_eq!(answer.outcome(), "sold", "{}", answer.text());
        world.journey_with(&answer.at("lead_id"), "pinged").await;
    }
    let name = "buyers/alpha.toml";
    let text = std::fs::read_to_string(world.site.path(name)).unwrap();
    world.site.write(name, &text.replace("day = 1000", "day = 5"));

    let ran = world.run(&["diff", "--replay", "1h", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let change = &said["changes"][0];
    assert_eq!((&change["file"], &change["change"]), (&json!(name), &json!("1000 -> 5")), "{said}");
    assert_eq!(said["changes"].as_array().unwrap().len(), 1, "{said}");
    let replay = &said["replay"];
    assert_eq!(replay["leads"], LEADS, "{replay}");
    assert_eq!(replay["as_recorded"], LEADS, "the old files sell them as they were sold");
    assert_eq!(replay["change_hands"], LEADS - 5, "{replay}");
    // Beta was asked each time: its bids are known, nothing is guessed.
    assert_eq!(replay["revenue"], json!({ "before": "360.00", "after": "290.00" }), "{replay}");
    assert_eq!(replay["guessed_revenue"], "0.00", "{replay}");

    let ran = world.run(&["diff", "--replay", "1h"]);
    assert!(ran.stdout.contains("7 change hands"), "{}", ran.stdout);
    assert_eq!(world.run(&["diff", "--exit-code"]).code, Some(1), "there is a difference");
}
