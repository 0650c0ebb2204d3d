//! Bad input of every kind: a clear error, nothing lost, nothing echoed.
//!
//! Every bad request carries a marker. It must not come back in the answer, nor stand in the log,
//! and the exchange must still sell afterwards.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use crate::harness::wire::{Heard, Wire, say};
use crate::harness::{TestBuyer, World, lead, within};

/// Stands in every bad request.
const MARKER: &str = "qzxmarkerqzx";
/// A connection that is silent for so long has nothing more to say.
const SILENCE: Duration = Duration::from_secs(20);

async fn world() -> World {
    World::of([TestBuyer::plain("alpha", 2000)]).start().await
}

/// A request with the seller's key and these headers, each line ended.
fn request(world: &World, headers: &str, body: &str) -> String {
    let (addr, key) = (world.seller.addr, &world.seller.key);
    format!(
        "POST /v1/leads HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {key}\r\n{headers}\r\n{body}"
    )
}

fn json_request(world: &World, body: &str) -> String {
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    request(world, &headers, body)
}

/// The answer to a body of JSON on a connection of its own.
async fn refused(world: &World, body: &str) -> Heard {
    let bytes = json_request(world, body).replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    say(world.seller.addr, bytes.as_bytes(), SILENCE).await
}

/// Nothing of the bad input is repeated, and the exchange still sells.
async fn nothing_echoed_nothing_lost(world: &World, heard: &[Heard]) {
    for answer in heard {
        assert!(!answer.text().contains(MARKER), "the answer echoes: {}", answer.text());
    }
    world.still_sells(9_000).await;
    let log = world.site.log();
    assert!(!log.contains(MARKER), "the log echoes");
    assert!(!log.contains(&*world.seller.key), "the log holds a key");
    assert_eq!(world.buyer("alpha").stats().accepted, 1, "only the good lead was sold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_seller_that_leaves_before_its_body_is_complete_leaves_nothing() {
    let world = world().await;
    for _ in 0..20 {
        let mut wire = Wire::connect(world.seller.addr).await;
        let body = lead(1).to_string();
        let headers =
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let half = format!("{}{MARKER}", body.split_at(body.len() / 2).0);
        assert!(wire.write(request(&world, &headers, &half).as_bytes()).await);
    }
    assert_eq!(world.seller.post(&lead(1)).await.outcome(), "sold", "the cut lead claimed nothing");
    let rows = world.site.rows("lead");
    assert_eq!(rows, 1, "no trace of the cut leads");
    assert!(!world.site.log().contains(MARKER));
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_seller_that_leaves_after_its_body_does_not_stop_what_has_begun() {
    let mut world = world().await;
    for number in 0..10 {
        let mut wire = Wire::connect(world.seller.addr).await;
        assert!(wire.write(json_request(&world, &lead(number).to_string()).as_bytes()).await);
        drop(wire);
    }
    world.still_sells(9_000).await;
    // Whatever had begun is finished: sold, or abandoned before anything left the house.
    world.books_verify().await;
    let open = world.site.rows("lead WHERE status IS NULL");
    assert_eq!(open, 0, "every lead ends in a named state");
    let sold = world.site.rows("attempt WHERE state = 'accepted'");
    assert_eq!(sold, world.buyer("alpha").stats().accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_a_header_that_trickles_is_cut_off() {
    let world = world().await;
    let slow = trickle(world.seller.addr, format!("POST /v1/leads HTTP/1.1\r\nx-a: {MARKER}"), "a");
    let heard = within(Duration::from_secs(15), "a slow header", slow).await;
    assert!(heard.closed, "the connection is still open");
    assert!(matches!(heard.status(), None | Some(408)), "{}", heard.text());
    nothing_echoed_nothing_lost(&world, &[heard]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_a_body_that_trickles_is_cut_off_with_408() {
    let world = world().await;
    let headers = "content-type: application/json\r\ncontent-length: 5000\r\n";
    let start = request(&world, headers, &format!("{{\"first_name\":\"{MARKER}"));
    let slow = trickle(world.seller.addr, start, "a");
    let heard = within(Duration::from_secs(25), "a slow body", slow).await;
    assert!(heard.closed, "the connection is still open");
    assert_eq!(heard.status(), Some(408), "{}", heard.text());
    nothing_echoed_nothing_lost(&world, &[heard]).await;
}

/// Sends a start, then a piece a second, until the other side closes.
async fn trickle(addr: SocketAddr, start: String, piece: &str) -> Heard {
    let mut wire = Wire::connect(addr).await;
    wire.write(start.as_bytes()).await;
    let mut all = Heard { bytes: Vec::new(), closed: false };
    while !all.closed {
        let heard = wire.hear(Duration::from_secs(1)).await;
        all.bytes.extend(heard.bytes);
        all.closed = heard.closed || !wire.write(piece.as_bytes()).await;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_a_body_over_the_limit_is_413_whether_announced_or_chunked() {
    let world = world().await;
    let big = format!("{{\"first_name\":\"{MARKER}{}\"}}", "a".repeat(300 * 1024));
    let announced = refused(&world, &big).await;
    assert_eq!(announced.status(), Some(413), "{}", announced.text());
    let headers = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    let chunk = format!("1000\r\n{}\r\n", "b".repeat(4096));
    let mut wire = Wire::connect(world.seller.addr).await;
    wire.write(request(&world, headers, "").as_bytes()).await;
    let mut chunks = 0;
    // An endless body: written until the exchange has had enough.
    while chunks < 4_000 && wire.write(chunk.as_bytes()).await {
        chunks += 1;
        if chunks == 70 {
            break;
        }
    }
    let endless = wire.hear(SILENCE).await;
    assert_eq!(endless.status(), Some(413), "{}", endless.text());
    assert!(endless.closed, "what is over the limit is not drained");
    nothing_echoed_nothing_lost(&world, &[announced, endless]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_a_lying_length_is_refused_or_cut() {
    let world = world().await;
    let body = format!("{{\"first_name\":\"{MARKER}\"}}");
    let mut heard = Vec::new();
    for length in ["-1", "18446744073709551616", "0x10", "1e3", "abc", "5, 6"] {
        let headers = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        let answer =
            say(world.seller.addr, request(&world, &headers, &body).as_bytes(), SILENCE).await;
        assert_eq!(answer.status(), Some(400), "{length}: {}", answer.text());
        assert!(answer.closed, "{length}");
        heard.push(answer);
    }
    // Shorter than the body: the rest must not be taken for a lead of its own.
    let headers = "content-type: application/json\r\ncontent-length: 5\r\n";
    let answer = say(world.seller.addr, request(&world, headers, &body).as_bytes(), SILENCE).await;
    assert!(answer.statuses().iter().all(|status| *status == 400), "{}", answer.text());
    heard.push(answer);
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_a_length_and_chunks_at_once_are_never_two_requests() {
    let world = world().await;
    let smuggled = json_request(&world, &lead(2).to_string());
    let mut heard = Vec::new();
    // By the length, what follows the empty chunks is a part of the body; by the chunks, it is a
    // request of its own. RFC 9112, 6.3: the chunks count and the connection ends.
    for headers in [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", smuggled.len() + 5),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", smuggled.len() + 5),
    ] {
        let headers = format!("content-type: application/json\r\nx-a: {MARKER}\r\n{headers}");
        let bytes = request(&world, &headers, &format!("0\r\n\r\n{smuggled}"));
        let answer = say(world.seller.addr, bytes.as_bytes(), SILENCE).await;
        assert_eq!(answer.statuses(), [400], "{headers}: {}", answer.text());
        assert!(answer.closed, "{headers}");
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_two_lengths_and_unknown_codings_are_refused() {
    let world = world().await;
    let body = lead(1).to_string();
    let mut heard = Vec::new();
    for headers in [
        format!("content-length: {}\r\ncontent-length: 7\r\n", body.len()),
        format!("content-length: 7\r\ncontent-length: {}\r\n", body.len()),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: chunked, gzip\r\n".to_owned(),
    ] {
        let headers = format!("content-type: application/json\r\nx-a: {MARKER}\r\n{headers}");
        let answer =
            say(world.seller.addr, request(&world, &headers, &body).as_bytes(), SILENCE).await;
        assert_eq!(answer.statuses(), [400], "{headers}: {}", answer.text());
        assert!(answer.closed, "{headers}");
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_pipelined_leads_are_answered_one_by_one_in_order() {
    let world = world().await;
    let mut bytes = String::new();
    for number in 1..=5 {
        bytes.push_str(&json_request(&world, &lead(number).to_string()));
    }
    bytes.push_str(&json_request(&world, "{\"zip\":"));
    let heard = say(world.seller.addr, bytes.as_bytes(), Duration::from_secs(5)).await;
    assert_eq!(heard.statuses(), [200, 200, 200, 200, 200, 400], "{}", heard.text());
    assert_eq!(world.buyer("alpha").stats().accepted, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_a_compressed_body_is_415_and_never_unpacked() {
    let world = world().await;
    let mut heard = Vec::new();
    for encoding in ["gzip", "deflate", "br", "gzip, gzip", "zstd", "x-unknown"] {
        let headers = format!(
            "content-type: application/json\r\ncontent-encoding: {encoding}\r\nx-a: {MARKER}\r\ncontent-length: 4\r\n"
        );
        let bytes = request(&world, &headers, "\u{1f}a\u{8}a");
        let answer = say(world.seller.addr, bytes.as_bytes(), SILENCE).await;
        assert_eq!(answer.status(), Some(415), "{encoding}: {}", answer.text());
        heard.push(answer);
    }
    for media in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
    ] {
        let headers = format!("content-type: {media}\r\ncontent-length: 2\r\n");
        let answer =
            say(world.seller.addr, request(&world, &headers, "{}").as_bytes(), SILENCE).await;
        assert_eq!(answer.status(), Some(415), "{media}: {}", answer.text());
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_unreadable_json_is_400() {
    let world = world().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"a\":{}1{}}}", "{\"b\":".repeat(20_000), "}".repeat(20_000));
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("\"{MARKER}\""),
        format!("{{\"zip\":\"{MARKER}\""),
        format!("{{\"zip\":\"{MARKER}\",}}"),
        format!("{{'zip':'{MARKER}'}}"),
        format!("{{\"zip\":\"1\",\"zip\":\"{MARKER}\"}}"),
        format!("{{\"zip\":\"\\ud800{MARKER}\"}}"),
        format!("{{\"zip\":\"{MARKER}\\u00\"}}"),
        format!("{{\"zip\":\"{MARKER}\u{0}\"}}"),
        format!("{{\"zip\":NaN,\"a\":\"{MARKER}\"}}"),
        format!("{{\"zip\":01,\"a\":\"{MARKER}\"}}"),
        format!("{{}}{MARKER}"),
        format!("\u{feff}{{\"zip\":\"{MARKER}\"}}x"),
        deep,
        nested,
    ];
    let mut heard = Vec::new();
    for body in &bodies {
        let answer = refused(&world, body).await;
        let shown: String = body.chars().take(60).collect();
        assert!(matches!(answer.status(), Some(400 | 413)), "{shown}: {}", answer.text());
        assert!(answer.text().contains("application/problem+json"), "{shown}: {}", answer.text());
        heard.push(answer);
    }
    let not_utf8 = b"{\"zip\":\"\xff\xfe\"}";
    let headers =
        format!("content-type: application/json\r\ncontent-length: {}\r\n", not_utf8.len());
    let bytes = [request(&world, &headers, "").as_bytes(), not_utf8].concat();
    let answer = say(world.seller.addr, &bytes, Duration::from_secs(2)).await;
    assert_eq!(answer.status(), Some(400), "{}", answer.text());
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_wrong_types_are_422_with_their_fields() {
    let world = world().await;
    let mut heard = Vec::new();
    for (value, name) in [
        (format!("[\"{MARKER}\"]"), "zip"),
        (format!("{{\"{MARKER}\":1}}"), "state"),
        (format!("\"{MARKER}\""), "violations"),
        ("1e400".to_owned(), "violations"),
        ("99999999999999999999999999".to_owned(), "vehicle_year"),
        ("-1".to_owned(), "violations"),
        ("3.5".to_owned(), "violations"),
        ("\"yes-please\"".to_owned(), "currently_insured"),
        (format!("\"{MARKER}@\""), "email"),
        (format!("\"javascript:{MARKER}\""), "trustedform_url"),
        (format!("\"{}\"", MARKER.repeat(400)), "tcpa_text"),
        (format!("\"{MARKER}\\u0000\""), "first_name"),
    ] {
        let mut body = lead(1);
        body[name] = serde_json::Value::Null;
        let body = body.to_string().replacen(
            &format!("\"{name}\":null"),
            &format!("\"{name}\":{value}"),
            1,
        );
        let answer = refused(&world, &body).await;
        assert_eq!(answer.status(), Some(422), "{name} {value}: {}", answer.text());
        assert!(answer.text().contains(&format!("\"field\":\"{name}\"")), "{}", answer.text());
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_hundred_thousand_fields_are_refused_quickly() {
    let world = world().await;
    let mut json = String::from("{");
    let mut form = String::new();
    for number in 0..20_000 {
        write!(json, "\"f{number}\":1,").unwrap();
        write!(form, "f{number}=1&").unwrap();
    }
    write!(json, "\"{MARKER}\":1}}").unwrap();
    write!(form, "{MARKER}=1").unwrap();
    let json = refused(&world, &json).await;
    assert!(matches!(json.status(), Some(400 | 413 | 422)), "{}", json.text());
    let headers = format!(
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n",
        form.len()
    );
    let form = say(world.seller.addr, request(&world, &headers, &form).as_bytes(), SILENCE).await;
    assert!(matches!(form.status(), Some(400 | 413 | 422)), "{}", form.text());
    // So many fields that even the body is too large for us.
    let huge = format!("{{{}\"z\":1}}", "\"a\":1,".repeat(100_000));
    let huge = refused(&world, &huge).await;
    assert_eq!(huge.status(), Some(413), "{}", huge.text());
    nothing_echoed_nothing_lost(&world, &[json, form, huge]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_bad_forms_are_400() {
    let world = world().await;
    let mut heard = Vec::new();
    for body in [format!("zip=1&zip={MARKER}"), format!("zip=%ff%fe{MARKER}")] {
        let headers = format!(
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n",
            body.len()
        );
        let answer =
            say(world.seller.addr, request(&world, &headers, &body).as_bytes(), SILENCE).await;
        assert_eq!(answer.status(), Some(400), "{body}: {}", answer.text());
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_what_is_no_http_is_refused() {
    let world = world().await;
    let mut heard = Vec::new();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
    let many: String = (0..1_000).map(|n| format!("x-{n}: {MARKER}\r\n")).collect();
    for bytes in [
        format!("{MARKER}\r\n\r\n"),
        format!("\u{16}\u{3}\u{1}\u{2}{MARKER}\r\n\r\n"),
        format!("POST /v1/leads HTTP/9.9\r\nx: {MARKER}\r\n\r\n"),
        format!("POST /v1/leads HTTP/1.1\r\n{MARKER}\r\n\r\n"),
        format!("POST /v1/leads HTTP/1.1\r\nhost: a\r\n{many}\r\n"),
        long,
    ] {
        let answer = say(world.seller.addr, bytes.as_bytes(), SILENCE).await;
        let status = answer.status();
        assert!(
            answer.closed && status.is_none_or(|status| (400..500).contains(&status)),
            "{}",
            answer.text()
        );
        heard.push(answer);
    }
    nothing_echoed_nothing_lost(&world, &heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_refused_key_is_not_echoed_and_costs_no_body() {
    let world = world().await;
    let headers = format!(
        "POST /v1/leads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {MARKER}\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n"
    );
    let heard = say(world.seller.addr, headers.as_bytes(), SILENCE).await;
    assert_eq!(heard.status(), Some(401), "{}", heard.text());
    assert!(heard.closed, "an unknown caller's body is not waited for");
    nothing_echoed_nothing_lost(&world, &[heard]).await;
}
