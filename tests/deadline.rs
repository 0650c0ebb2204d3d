//! A third of the buyers hang, drip or reset: every lead is answered with a named status.
//!
//! How soon is proved by logic where time can be paused; here only that nobody waits for ever. How
//! late the latest answer was on a machine of one's own is what `rialto load --faulty` prints.

use std::time::Duration;

use exchange_lab::load::{self, LoadPlan};
use exchange_lab::{Fault, FaultPlan, LeadPlan, RequestKind};

use crate::harness::{TestBuyer, World};

/// The tree's deadline.
const DEADLINE: Duration = Duration::from_secs(4);
const LEADS: u64 = 300;

fn faulty(name: &str, cents: u32, fault: Fault) -> TestBuyer {
    let plan = FaultPlan::script(move |kind, nth| match kind {
        RequestKind::Ping => fault.clone(),
        RequestKind::Post if nth % 3 == 0 => Fault::Hang,
        RequestKind::Post | RequestKind::Token => Fault::None,
    });
    TestBuyer::plain(name, cents).faults(plan).ping_timeout("800ms").post_timeout("800ms")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lead_is_answered_though_a_third_of_the_buyers_hang_drip_or_reset() {
    let drip = Fault::Drip { bytes: 2, every: Duration::from_millis(150) };
    let healthy = ["a", "b", "c", "d", "e", "f"].map(|name| TestBuyer::nested(name, 1500));
    let sick = [
        faulty("hanging", 4000, Fault::Hang),
        faulty("dripping", 3500, drip),
        faulty("resetting", 3000, Fault::Reset),
    ];
    let mut world = World::of(healthy.into_iter().chain(sick))
        .times("deadline = \"4s\"\npost_reserve = \"2500ms\"", "800ms")
        .start()
        .await;
    let plan = LoadPlan {
        rate_per_second: 60,
        total: LEADS,
        concurrency: 40,
        budget: DEADLINE,
        timeout: DEADLINE * 3,
        leads: LeadPlan::default(),
        ..LoadPlan::new(&format!("http://{}/v1/leads", world.seller.addr), &world.seller.key)
    };
    let report = load::run(plan).await.unwrap();
    assert_eq!(report.answered, LEADS, "{report}");
    assert!(report.failures.is_empty(), "somebody waited for ever: {report}");
    let named = ["sold", "unsold", "duplicate", "pending"];
    assert!(report.outcomes.keys().all(|outcome| named.contains(&outcome.as_str())), "{report}");
    assert!(report.outcomes.get("sold").is_some_and(|sold| *sold > LEADS / 2), "{report}");
    world.books_verify().await;
}
