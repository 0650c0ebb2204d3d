//! Mock buyers over real sockets, asked by a client that knows nothing but bytes.

use std::io;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::faults::{Fault, HUGE_BODY_BYTES};

/// A buyer that bids 12.34 on everything.
fn spec(family: Family) -> BuyerSpec {
    let appetite = Appetite { lowest_cents: 1234, highest_cents: 1234, ..Appetite::default() };
    BuyerSpec { appetite, keep_requests: true, ..BuyerSpec::new("acme", "acme.example", family) }
}

async fn start(family: Family) -> MockBuyer {
    MockBuyer::start(spec(family)).await.unwrap()
}

fn json_bidder() -> Family {
    Family::JsonBidder { api_key: "k".to_owned() }
}

fn plain_json(access: Access) -> Family {
    Family::PlainJson { access, priced: true }
}

fn oauth(lifetime: Duration) -> Access {
    let (client_id, client_secret) = ("rialto".to_owned(), "s".to_owned());
    Access::OAuth { client_id, client_secret, lifetime }
}

/// Sends one request and reads until the buyer closes.
async fn send(buyer: &MockBuyer, request: &str) -> io::Result<String> {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let length = body.len();
    let head = head.trim_start().replace('\n', "\r\n");
    let text =
        format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut stream = TcpStream::connect(buyer.addr()).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The body of the answer.
async fn ask(buyer: &MockBuyer, request: &str) -> String {
    let answer = send(buyer, request).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The text between two marks.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

const ACME_PING: &str = "POST /v2/ping HTTP/1.1\nx-api-key: k\n\n\
    {\"product\":\"AUTO\",\"consumer\":{\"zip\":\"78701\",\"birth_year\":1990,\"insured\":\"Y\"}}";

async fn acme_post(buyer: &MockBuyer, key: &str, phone: &str) -> io::Result<String> {
    let token = between(&ask(buyer, ACME_PING).await, "\"ref\":\"", "\"").to_owned();
    let post = format!(
        "POST /v2/post HTTP/1.1\nx-api-key: k\nidempotency-key: {key}\n\n\
         {{\"ref\":\"{token}\",\"lead\":{{\"phone\":\"{phone}\"}}}}"
    );
    send(buyer, &post).await
}

#[tokio::test]
async fn the_json_bidder_bids_and_buys() {
    let buyer = start(json_bidder()).await;
    let bid = ask(&buyer, ACME_PING).await;
    assert!(bid.starts_with(r#"{"status":"ACCEPT","ref":""#), "{bid}");
    assert!(bid.ends_with(r#""bid":{"usd":12.34,"currency":"USD"}}"#), "{bid}");
    let sold = acme_post(&buyer, "k1", "5125550134").await.unwrap();
    assert!(sold.contains(r#""status":"SOLD""#) && sold.contains(r#""price":12.34"#), "{sold}");
    assert_eq!(buyer.book().total(), Decimal::new(1234, 2));
    let again = acme_post(&buyer, "k2", "5125550134").await.unwrap();
    assert!(again.contains(r#"{"status":"REJECTED","reason":"DUP"}"#), "{again}");
    let wrong_key = send(&buyer, &ACME_PING.replace("key: k", "key: no")).await.unwrap();
    assert!(wrong_key.starts_with("HTTP/1.1 401"), "{wrong_key}");
    let stats = buyer.stats();
    assert_eq!((stats.pings, stats.bids, stats.posts), (4, 3, 2));
    assert_eq!((stats.accepted, stats.rejected, stats.refused), (1, 1, 1));
}

#[tokio::test]
async fn the_xml_bidder_bids_and_buys() {
    let buyer = start(Family::XmlBidder { key: "k".to_owned() }).await;
    let ping = "POST /ping.aspx HTTP/1.1\n\n<Ping><Key>k</Key><Zip>78701</Zip><Yob>1990</Yob>\
                <Vehicle year=\"2019\" make=\"A&amp;B\"/></Ping>";
    let bid = ask(&buyer, ping).await;
    assert!(
        bid.contains("<status>Matched</status>") && bid.contains("<price>12.34</price>"),
        "{bid}"
    );
    let token = between(&bid, "<lead_id>", "</lead_id>");
    let post = format!(
        "POST /post.aspx HTTP/1.1\n\n<Post><Key>k</Key><LeadId>{token}</LeadId>\
         <Phone>(512) 555-0134</Phone></Post>"
    );
    assert!(ask(&buyer, &post).await.contains("<status>Sold</status>"));
    assert!(ask(&buyer, &post).await.contains("<status>Duplicate</status>"));
    assert_eq!(buyer.book().purchases().first().unwrap().phone, "5125550134");
    let broken = ask(&buyer, "POST /ping.aspx HTTP/1.1\n\n<Ping><Key>k</Ping>").await;
    assert!(broken.contains("<status>Error</status>"), "{broken}");
}

#[tokio::test]
async fn boberdoo_says_no_price_unless_asked() {
    let buyer = start(Family::Boberdoo { key: "k".to_owned() }).await;
    let query = "Key=k&API_Action=pingPostLead&Mode=ping&TYPE=19&SRC=QK&Zip=78701";
    let bid = ask(&buyer, &format!("GET /new_api/api.php?{query} HTTP/1.1")).await;
    assert!(bid.contains("<status>Matched</status>") && !bid.contains("<price>"), "{bid}");
    let priced = format!("GET /new_api/api.php?{query}&Return_Best_Price=1 HTTP/1.1");
    let bid = ask(&buyer, &priced).await;
    assert!(bid.contains("<price>12.34</price>"), "{bid}");
    let token = between(&bid, "<lead_id>", "</lead_id>");
    let post = format!(
        "POST /new_api/api.php HTTP/1.1\n\n{}&Lead_ID={token}&Primary_Phone=5125550134",
        query.replace("ping&", "post&")
    );
    assert!(ask(&buyer, &post).await.contains("<status>Matched</status>"));
    assert!(ask(&buyer, &post).await.contains("<error>Duplicate lead</error>"));
    let missing = ask(&buyer, "GET /new_api/api.php?Key=k&API_Action=pingPostLead HTTP/1.1").await;
    assert!(missing.contains("<error>Required value TYPE is missing</error>"), "{missing}");
}

#[tokio::test]
async fn leads_pedia_answers_in_the_format_asked_for() {
    let (campaign_id, campaign_key) = ("5f".to_owned(), "k".to_owned());
    let buyer = start(Family::LeadsPedia { campaign_id, campaign_key }).await;
    let ping =
        "POST /ping.do HTTP/1.1\n\nlp_campaign_id=5f&lp_campaign_key=k&zip_code=78701&state=TX";
    let bid = ask(&buyer, &format!("{ping}&lp_response=JSON")).await;
    assert!(bid.starts_with(r#"{"result":"success","msg":"Ping Accepted","ping_id":""#), "{bid}");
    assert!(bid.ends_with(r#""price":"12.34","errors":[]}"#), "{bid}");
    assert!(ask(&buyer, ping).await.contains("<price>12.34</price></response>"));
    let token = between(&bid, r#""ping_id":""#, "\"");
    let post = format!(
        "POST /post.do HTTP/1.1\n\nlp_campaign_id=5f&lp_campaign_key=k&lp_ping_id={token}\
         &phone_home=5125550134"
    );
    assert!(ask(&buyer, &post).await.contains("<result>success</result>"));
    let again = ask(&buyer, &post).await;
    assert!(again.contains("<result>failed</result>"), "{again}");
    assert!(again.contains("<errors><error>Duplicate</error></errors>"), "{again}");
}

#[tokio::test]
async fn a_declined_ping_is_no_bid_in_every_dialect() {
    let uninterested = Appetite { no_bid_per_mille: 1000, ..Appetite::default() };
    let family = Family::LeadsPedia { campaign_id: "5f".to_owned(), campaign_key: "k".to_owned() };
    let picky = BuyerSpec { appetite: uninterested, ..spec(family) };
    let buyer = MockBuyer::start(picky).await.unwrap();
    let ping =
        "POST /ping.do HTTP/1.1\n\nlp_campaign_id=5f&lp_campaign_key=k&zip_code=78701&state=TX";
    let pass = ask(&buyer, &format!("{ping}&lp_response=JSON")).await;
    assert!(pass.contains(r#""result":"failed""#) && pass.contains(r#""price":"0.00""#), "{pass}");
    let picky = BuyerSpec { appetite: uninterested, ..spec(json_bidder()) };
    let buyer = MockBuyer::start(picky).await.unwrap();
    assert!(ask(&buyer, ACME_PING).await.contains(r#""status":"DECLINE""#));
    assert_eq!(buyer.stats().bids, 0);
}

#[tokio::test]
async fn a_direct_post_is_answered_in_a_line_of_text() {
    let buyer = start(Family::DirectPost { key: "k".to_owned() }).await;
    let post = "POST /lead HTTP/1.1\n\nkey=k&fn=Sample&ln=Person&ph=5125550134&zip=78701";
    assert_eq!(ask(&buyer, post).await, "OK 1");
    assert_eq!(ask(&buyer, post).await, "ERR duplicate");
    assert_eq!(ask(&buyer, &post.replace("zip=", "z=")).await, "ERR missing zip");
    assert_eq!(ask(&buyer, &post.replace("key=k", "key=no")).await, "ERR key");
}

const METRO_PING: &str = "POST /ping HTTP/1.1\nauthorization: Bearer TOKEN\n\n\
    {\"zip\":\"78701\",\"st\":\"TX\",\"age\":36}";
const TOKEN: &str =
    "POST /token HTTP/1.1\n\ngrant_type=client_credentials&client_id=rialto&client_secret=s";

#[tokio::test]
async fn an_oauth_buyer_wants_a_token_it_has_issued() {
    let buyer = start(plain_json(oauth(Duration::from_secs(60)))).await;
    let stranger = send(&buyer, METRO_PING).await.unwrap();
    assert!(stranger.starts_with("HTTP/1.1 401"), "{stranger}");
    let issued = ask(&buyer, TOKEN).await;
    assert!(issued.ends_with(r#""token_type":"Bearer","expires_in":60}"#), "{issued}");
    let token = between(&issued, r#""access_token":""#, "\"");
    let bid = ask(&buyer, &METRO_PING.replace("TOKEN", token)).await;
    assert!(bid.ends_with(r#""price":"12.34","currency":"USD"}"#), "{bid}");
    let id = between(&bid, r#""id":""#, "\"");
    let post = format!(
        "POST /post HTTP/1.1\nauthorization: Bearer {token}\n\n\
         {{\"id\":\"{id}\",\"key\":\"k1\",\"lead\":{{\"phone\":\"5125550134\"}}}}"
    );
    let bought = ask(&buyer, &post).await;
    assert!(bought.starts_with(r#"{"ok":true,"ref":""#), "{bought}");
    assert_eq!(
        ask(&buyer, &post).await,
        bought,
        "the key in the body makes a re-post the same sale"
    );
    let wrong = send(&buyer, &TOKEN.replace("secret=s", "secret=no")).await.unwrap();
    assert!(wrong.starts_with("HTTP/1.1 401") && wrong.contains("invalid_client"), "{wrong}");
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let buyer = start(plain_json(oauth(Duration::ZERO))).await;
    let issued = ask(&buyer, TOKEN).await;
    let token = between(&issued, r#""access_token":""#, "\"");
    let late = send(&buyer, &METRO_PING.replace("TOKEN", token)).await.unwrap();
    assert!(late.starts_with("HTTP/1.1 401"), "{late}");
}

#[tokio::test]
async fn basic_and_fixed_bearer_let_in_who_knows_them() {
    let access = Access::Basic { user: "rialto".to_owned(), password: "p".to_owned() };
    let buyer = start(Family::PlainJson { access, priced: false }).await;
    let ping = METRO_PING.replace("Bearer TOKEN", "Basic cmlhbHRvOnA=");
    let yes = ask(&buyer, &ping).await;
    assert!(yes.starts_with(r#"{"ok":true,"id":""#) && !yes.contains("price"), "{yes}");
    let buyer = start(plain_json(Access::Bearer("TOKEN".to_owned()))).await;
    assert!(ask(&buyer, METRO_PING).await.contains(r#""price":"12.34""#));
}

#[tokio::test]
async fn a_re_post_under_the_same_key_is_the_same_sale_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("acme.jsonl");
    let durable = || BuyerSpec { book_path: Some(path.clone()), ..spec(json_bidder()) };
    let buyer = MockBuyer::start(durable()).await.unwrap();
    let first = acme_post(&buyer, "k1", "5125550134").await.unwrap();
    assert_eq!(Book::read(&path).unwrap().len(), 1, "the book is on disk before the answer");
    buyer.shutdown().await;
    let buyer = MockBuyer::start(durable()).await.unwrap();
    let second = acme_post(&buyer, "k1", "5125550134").await.unwrap();
    let id = |answer: &str| between(answer, "\"id\":\"", "\"").to_owned();
    assert_eq!(id(&first), id(&second));
    assert_eq!(buyer.book().purchases().len(), 1);
    assert!(buyer.book().lines().last().unwrap().repeat);
    assert_eq!(buyer.stats().repeats, 1);
}

#[tokio::test]
async fn the_same_run_makes_the_same_bids() {
    let wide = || {
        let appetite = Appetite { lowest_cents: 100, highest_cents: 9000, ..Appetite::default() };
        BuyerSpec { appetite, ..spec(json_bidder()) }
    };
    let prices = async |seed: u64| {
        let buyer = MockBuyer::start(BuyerSpec { seed, ..wide() }).await.unwrap();
        let mut prices = Vec::new();
        for zip in ["78701", "78702", "33101"] {
            let bid = ask(&buyer, &ACME_PING.replace("78701", zip)).await;
            prices.push(between(&bid, "\"usd\":", ",").to_owned());
        }
        prices
    };
    assert_eq!(prices(1).await, prices(1).await);
    assert_ne!(prices(1).await, prices(2).await);
}

#[tokio::test]
async fn kept_requests_hold_every_byte_that_could_carry_a_name() {
    let buyer = start(json_bidder()).await;
    send(&buyer, &ACME_PING.replace("/v2/ping", "/v2/ping?q=Zelda")).await.unwrap();
    let [request] = buyer.requests().try_into().unwrap();
    let text = String::from_utf8(request.bytes.clone()).unwrap();
    assert_eq!(request.kind, RequestKind::Ping);
    for part in ["POST /v2/ping?q=Zelda HTTP/1.1\r\n", "x-api-key: k\r\n", "\"birth_year\":1990"] {
        assert!(text.contains(part), "{part}");
    }
    buyer.clear_requests();
    assert!(buyer.requests().is_empty());
}

#[tokio::test]
async fn a_path_that_no_dialect_knows_is_not_found() {
    let buyer = start(json_bidder()).await;
    assert!(send(&buyer, "GET / HTTP/1.1").await.unwrap().starts_with("HTTP/1.1 404"));
}

/// Pings a JSON bidder that has this fault.
async fn faulty_ping(fault: Fault) -> io::Result<String> {
    let buyer = start(json_bidder()).await;
    buyer.set_faults(FaultPlan::every_ping(fault));
    let answer = send(&buyer, ACME_PING).await;
    assert_eq!(buyer.stats().faults, 1);
    answer
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    for fault in [Fault::Reset, Fault::ResetAfterRead, Fault::AcceptThenDrop] {
        let error = faulty_ping(fault.clone()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{fault:?}");
    }
}

#[tokio::test]
async fn a_hanging_buyer_does_not_answer() {
    // Silence can only be waited for; a healthy answer takes less than a millisecond.
    let answer = tokio::time::timeout(Duration::from_millis(100), faulty_ping(Fault::Hang));
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn a_delayed_or_dripped_answer_is_whole_in_the_end() {
    let drip = Fault::Drip { bytes: 20, every: Duration::from_millis(1) };
    for fault in [Fault::Delay(Duration::from_millis(1)), drip] {
        let answer = faulty_ping(fault).await.unwrap();
        assert!(answer.contains("content-length") && answer.ends_with("\"USD\"}}"), "{answer}");
    }
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_holds() {
    let answer = faulty_ping(Fault::Truncate).await.unwrap();
    let promised: usize = between(&answer, "content-length: ", "\r\n").parse().unwrap();
    let body = body_of(&answer);
    assert!(body.starts_with("{\"status\":\"ACCEPT\""), "{body}");
    assert_eq!(body.len(), promised / 2);
}

#[tokio::test]
async fn odd_answers_are_what_their_names_say() {
    let status = faulty_ping(Fault::Status(503)).await.unwrap();
    assert!(status.starts_with("HTTP/1.1 503"), "{status}");
    let redirect = faulty_ping(Fault::Redirect("http://127.0.0.1:1/x".to_owned())).await.unwrap();
    assert!(redirect.starts_with("HTTP/1.1 307"), "{redirect}");
    assert!(redirect.contains("location: http://127.0.0.1:1/x"), "{redirect}");
    assert!(faulty_ping(Fault::HtmlPage).await.unwrap().contains("<!DOCTYPE html>"));
    assert_eq!(body_of(&faulty_ping(Fault::EmptyBody).await.unwrap()), "");
    assert!(faulty_ping(Fault::Garbage).await.unwrap().contains("not a document"));
    let huge = faulty_ping(Fault::HugeBody).await.unwrap();
    assert_eq!(body_of(&huge).len(), HUGE_BODY_BYTES);
    let bomb = faulty_ping(Fault::GzipBomb).await.unwrap();
    assert!(bomb.contains("content-encoding: gzip") && bomb.len() < 200_000);
}

#[tokio::test]
async fn odd_prices_and_currencies_stand_where_the_price_stood() {
    for text in ["-1", "1e400", "\"1,000\"", "NaN"] {
        let answer = faulty_ping(Fault::BadPrice(text.to_owned())).await.unwrap();
        assert!(answer.contains(&format!("\"usd\":{text},")), "{answer}");
    }
    assert!(faulty_ping(Fault::WrongCurrency).await.unwrap().contains("\"currency\":\"EUR\""));
}

#[tokio::test]
async fn endless_chunks_do_not_end_while_someone_reads() {
    let buyer = start(json_bidder()).await;
    buyer.set_faults(FaultPlan::every_ping(Fault::EndlessChunks));
    let mut stream = TcpStream::connect(buyer.addr()).await.unwrap();
    let ping = "POST /v2/ping HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(ping.as_bytes()).await.unwrap();
    let mut read = vec![0; 100_000];
    stream.read_exact(&mut read).await.unwrap();
    assert!(String::from_utf8_lossy(&read).contains("transfer-encoding: chunked"));
}

#[tokio::test]
async fn what_a_faulty_buyer_booked_is_part_of_the_fault() {
    for (fault, booked) in [
        (Fault::AcceptThenDrop, true),
        (Fault::Truncate, true),
        (Fault::Delay(Duration::from_millis(1)), true),
        (Fault::ResetAfterRead, false),
        (Fault::Reset, false),
        (Fault::Status(500), false),
        (Fault::HtmlPage, false),
    ] {
        let buyer = start(json_bidder()).await;
        buyer.set_faults(FaultPlan::every_post(fault.clone()));
        drop(acme_post(&buyer, "k1", "5125550134").await);
        assert_eq!(buyer.book().purchases().len(), usize::from(booked), "{fault:?}");
        assert_eq!(fault.books(), booked, "{fault:?}");
    }
}

#[tokio::test]
async fn a_script_drops_the_first_post_and_answers_the_second() {
    let buyer = start(json_bidder()).await;
    buyer.set_faults(FaultPlan::script(|kind, nth| match (kind, nth) {
        (RequestKind::Post, 0) => Fault::AcceptThenDrop,
        _ => Fault::None,
    }));
    acme_post(&buyer, "k1", "5125550134").await.unwrap_err();
    let again = acme_post(&buyer, "k1", "5125550134").await.unwrap();
    assert!(again.contains("\"status\":\"SOLD\""), "{again}");
    assert_eq!(buyer.book().purchases().len(), 1);
}

#[tokio::test]
async fn the_sample_buyers_start_and_fill_the_dialler_table() {
    let buyers = MockBuyers::start(sample_buyers(1)).await.unwrap();
    let hosts = buyers.hosts();
    assert_eq!(hosts.len(), 9);
    let metro = buyers.buyer("metro_direct").unwrap();
    assert_eq!(hosts.get("id.metro.example"), Some(&metro.addr()));
    assert_eq!(hosts.get(metro.host()), Some(&metro.addr()));
    assert_eq!(buyers.stats().len(), buyers.iter().count());
    buyers.shutdown().await;
}
