//! Recorded replies of four dialects, and what they are read as.
//!
//! `fixtures/<dialect>/<stage>-<name>.<status>.<ending>` is a reply; `answers.txt` beside it lists
//! what each is read as.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use buyer_connectors::Connector;
use exchange_model::outcome::{PingAnswer, PostAnswer};
use expect_test::expect_file;

use crate::world::{connector, read_ping, read_post};

struct Reply {
    name: String,
    post: bool,
    status: u16,
    body: Vec<u8>,
}

fn dialect(name: &str) -> (Arc<Connector>, Vec<Reply>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let text = std::fs::read_to_string(folder.join("buyer.toml")).expect("a buyer's file");
    let mut replies: Vec<Reply> = std::fs::read_dir(&folder)
        .expect("a folder")
        .filter_map(|entry| reply(&entry.expect("a file").path()))
        .collect();
    replies.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!replies.is_empty());
    (connector(&text), replies)
}

fn reply(path: &Path) -> Option<Reply> {
    let name = path.file_name()?.to_str()?.to_owned();
    let status = name.split('.').nth(1)?.parse().ok()?;
    let body = std::fs::read(path).expect("a reply");
    Some(Reply { post: name.starts_with("post-"), name, status, body })
}

fn read(connector: &Connector, reply: &Reply, body: &[u8]) -> String {
    if reply.post {
        return match read_post(connector, reply.status, body) {
            PostAnswer::Accepted(accepted) => format!(
                "accepted price={:?} ref={:?} redirect={:?}",
                accepted.price.map(|price| price.amount_text()),
                accepted.buyer_ref,
                accepted.redirect_url
            ),
            PostAnswer::Rejected(why) => format!("rejected {} {:?}", why.class, why.text),
            PostAnswer::Unknown(why) => format!("unknown {why}"),
            PostAnswer::Pending(handles) => format!("pending {handles:?}"),
            PostAnswer::NotSent(why) => format!("not sent {why}"),
        };
    }
    match read_ping(connector, reply.status, body) {
        PingAnswer::Bid { price, token } => format!("bid {} {token:?}", price.amount_text()),
        PingAnswer::Available { token } => format!("available {token:?}"),
        PingAnswer::NoBid(exchange_model::reason::NoBid::Declined(why)) => {
            format!("declined {} {:?}", why.class, why.text)
        }
        PingAnswer::NoBid(why) => format!("no bid {why}"),
    }
}

fn answers(connector: &Connector, replies: &[Reply]) -> String {
    replies.iter().fold(String::new(), |mut out, reply| {
        writeln!(out, "{}: {}", reply.name, read(connector, reply, &reply.body)).expect("a string");
        out
    })
}

#[test]
fn recorded_replies_are_read_as_listed() {
    for (name, answers_file) in [
        ("nested_json", expect_file!["../../fixtures/nested_json/answers.txt"]),
        ("xml_by_status", expect_file!["../../fixtures/xml_by_status/answers.txt"]),
        ("form_json_xml", expect_file!["../../fixtures/form_json_xml/answers.txt"]),
        ("plain_text", expect_file!["../../fixtures/plain_text/answers.txt"]),
    ] {
        let (connector, replies) = dialect(name);
        answers_file.assert_eq(&answers(&connector, &replies));
    }
}

#[test]
fn a_mark_in_front_and_blanks_around_a_reply_change_nothing() {
    for name in ["nested_json", "xml_by_status", "form_json_xml", "plain_text"] {
        let (connector, replies) = dialect(name);
        for reply in &replies {
            let plain = read(&connector, reply, &reply.body);
            let mut marked = b"\xef\xbb\xbf\r\n".to_vec();
            marked.extend_from_slice(&reply.body);
            marked.extend_from_slice(b"\r\n\r\n");
            assert_eq!(read(&connector, reply, &marked), plain, "{name}/{}", reply.name);
        }
    }
}

#[test]
fn half_a_reply_never_buys() {
    for name in ["nested_json", "xml_by_status", "form_json_xml"] {
        let (connector, replies) = dialect(name);
        // Cut before what trails it, a whole document is left.
        for reply in replies.iter().filter(|reply| !reply.name.contains("trailing")) {
            for cut in 0..reply.body.trim_ascii_end().len() {
                let (half, _) = reply.body.split_at(cut);
                let answer = read(&connector, reply, half);
                let buys = answer.starts_with("bid") || answer.starts_with("accepted");
                assert!(!buys, "{name}/{} cut at {cut}: {answer}", reply.name);
            }
        }
    }
}
