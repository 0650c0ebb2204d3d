//! The generator against a server that answers, is slow, or does not answer.

use super::*;
use crate::faults::{Fault, FaultPlan};
use crate::mock_buyers::{BuyerSpec, Family, MockBuyer};

#[test]
fn leads_are_due_at_an_even_rate_without_drift() {
    assert_eq!(due_after(0, 3), Duration::ZERO);
    assert_eq!(due_after(3_000_000, 3), Duration::from_secs(1_000_000));
    assert_eq!(due_after(1, 1000), Duration::from_millis(1));
}

#[test]
fn an_outcome_is_the_status_of_a_200_or_the_code_of_a_problem() {
    let answer = |status: StatusCode, body: &str| Answer { status, body: body.into() };
    let sold = answer(StatusCode::OK, r#"{"status":"sold"}"#);
    assert_eq!(sold.outcome().as_deref(), Some("sold"));
    let invalid = answer(StatusCode::UNPROCESSABLE_ENTITY, r#"{"status":422,"code":"invalid"}"#);
    assert_eq!(invalid.outcome().as_deref(), Some("invalid"));
    assert_eq!(answer(StatusCode::OK, "<html>").outcome(), None);
}

#[tokio::test]
async fn a_plan_that_cannot_run_says_why() {
    let plan = |url: &str| LoadPlan::new(url, "k");
    let https = run(plan("https://exchange.example/v1/leads")).await;
    assert!(matches!(https, Err(PlanError::Url(_))));
    let crowd = LoadPlan { concurrency: 0, ..plan("http://127.0.0.1:9/") };
    assert_eq!(run(crowd).await.unwrap_err(), PlanError::Number("concurrency"));
    let key = LoadPlan { key: "a\nb".to_owned(), ..plan("http://127.0.0.1:9/") };
    assert_eq!(run(key).await.unwrap_err(), PlanError::Key);
}

/// A server that takes posts of leads: a mock buyer that refuses the key, which is an answer too.
async fn server(fault: Fault) -> MockBuyer {
    let family = Family::JsonBidder { api_key: "k".to_owned() };
    let spec = BuyerSpec {
        faults: FaultPlan::every_post(fault),
        keep_requests: true,
        ..BuyerSpec::new("exchange", "exchange.example", family)
    };
    MockBuyer::start(spec).await.unwrap()
}

fn plan(server: &MockBuyer) -> LoadPlan {
    let url = format!("http://{}/v2/post", server.addr());
    LoadPlan { rate_per_second: 2000, total: 100, ..LoadPlan::new(&url, "rialto_live_x") }
}

#[tokio::test]
async fn every_lead_is_sent_once_and_every_answer_counted() {
    let server = server(Fault::None).await;
    let seen = Arc::new(Mutex::new(0u64));
    let count = Arc::clone(&seen);
    let on_answer: OnAnswer = Arc::new(move |answered| {
        assert!(answered.answer.is_ok());
        *count.lock().unwrap() += 1;
    });
    let report = run(LoadPlan { on_answer: Some(on_answer), ..plan(&server) }).await.unwrap();
    assert_eq!((report.sent, report.answered, *seen.lock().unwrap()), (100, 100, 100));
    assert_eq!(report.statuses.get(&401), Some(&100));
    assert_eq!(report.latencies.count(), 100);
    assert!(report.p50_us <= report.p95_us && report.p95_us <= report.p99_us);
    assert!(report.p99_us <= report.max_us && report.max_us > 0);
    assert_eq!(server.requests().len(), 100);
}

#[tokio::test]
async fn a_request_carries_key_idempotency_key_and_lead() {
    let server = server(Fault::None).await;
    for (format, part) in [(BodyFormat::Json, "\"zip\":\""), (BodyFormat::Form, "&zip=")] {
        server.clear_requests();
        run(LoadPlan { format, total: 1, ..plan(&server) }).await.unwrap();
        let text = String::from_utf8(server.requests().remove(0).bytes).unwrap();
        for part in ["authorization: Bearer rialto_live_x", "idempotency-key: lab-1-0", part] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[tokio::test]
async fn late_answers_are_counted_against_the_budget() {
    let server = server(Fault::Delay(Duration::from_millis(5))).await;
    let budget = Duration::from_millis(1);
    let report = run(LoadPlan { budget, total: 20, ..plan(&server) }).await.unwrap();
    assert_eq!((report.answered, report.late), (20, 20));
    assert_eq!(report.latest_us, report.max_us - 1000);
}

#[tokio::test]
async fn leads_without_an_answer_are_failures_by_name() {
    let timeout = Duration::from_millis(20);
    for (fault, code) in [
        (Fault::Hang, "timeout"),
        (Fault::ResetAfterRead, "broken"),
        (Fault::Truncate, "broken"),
        (Fault::HugeBody, "broken"),
    ] {
        let server = server(fault.clone()).await;
        // Only a hang waits for the timeout; the others must not run into it.
        let timeout = if fault == Fault::Hang { timeout } else { Duration::from_secs(30) };
        let report = run(LoadPlan { timeout, total: 3, ..plan(&server) }).await.unwrap();
        assert_eq!((report.sent, report.answered), (3, 0), "{fault:?}");
        assert_eq!(report.failures.get(code), Some(&3), "{fault:?}");
    }
    let gone = server(Fault::None).await;
    let plan = LoadPlan { total: 3, ..plan(&gone) };
    gone.shutdown().await;
    assert_eq!(run(plan).await.unwrap().failures.get("connect"), Some(&3));
}

#[tokio::test]
async fn a_report_reads_well_and_serialises() {
    let server = server(Fault::None).await;
    let report = run(LoadPlan { total: 5, ..plan(&server) }).await.unwrap();
    let text = report.to_string();
    assert!(text.starts_with("5 sent, 5 answered in "), "{text}");
    assert!(text.contains("statuses  401 5\n"), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["statuses"]["401"], 5);
    assert!(json["p99_us"].is_u64());
}
