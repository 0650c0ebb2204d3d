//! `rialto connector try`: recorded replies, read by a buyer's file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::alone::{Alone, NotAlone};
use super::recorded::{Given, Recorded};
use crate::cli::context::Context;
use crate::cli::diagnostics::{self, Look};
use crate::cli::explained::{self, JsonExplained, Reading, Verdict};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{BOLD, Output, painted};

/// Options of `rialto connector try`.
#[derive(Args, Debug)]
pub(crate) struct Try {
    /// The buyer's file; FILE#NAME where it has several connectors
    #[arg(long, value_name = "FILE[#NAME]")]
    connector: String,
    /// Replies to a ping
    #[arg(long, value_name = "FILE", num_args = 1..)]
    ping_reply: Vec<PathBuf>,
    /// Replies to a post
    #[arg(long, value_name = "FILE", num_args = 1..)]
    post_reply: Vec<PathBuf>,
    /// The HTTP status of all of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(100..600))]
    status: Option<u16>,
    /// The content type of all of them
    #[arg(long, value_name = "T")]
    content_type: Option<String>,
    /// The vertical's file, where the buyer's does not lie in a config folder
    #[arg(long, value_name = "FILE")]
    vertical: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    connector: String,
    vertical: String,
    currency: String,
    broken: usize,
    replies: Vec<JsonReply>,
}

#[derive(Debug, Serialize)]
struct JsonReply {
    file: String,
    stage: &'static str,
    status: u16,
    bytes: usize,
    #[serde(flatten)]
    read: JsonExplained,
}

/// One reply and how it was read.
struct Tried {
    recorded: Recorded,
    stage: &'static str,
    reading: Reading,
}

/// Reads every reply and prints what it means.
pub(crate) fn run(options: &Try, context: &Context) -> Ran {
    if options.ping_reply.is_empty() && options.post_reply.is_empty() {
        return Err(Failure::usage("no reply is named")
            .help("name files with --ping-reply or --post-reply"));
    }
    let alone = match Alone::compile(&options.connector, options.vertical.as_deref()) {
        Ok(alone) => alone,
        Err(NotAlone::Usage(failure)) => return Err(failure),
        Err(NotAlone::Mistakes(findings)) => {
            diagnostics::print(&findings, Look::Full, context.out)?;
            return Err(Failure::silent(Exit::BadConfig));
        }
    };
    let tried = all(options, &alone)?;
    let broken = tried.iter().filter(|tried| tried.reading.verdict == Verdict::Broken).count();
    if context.out.json {
        context.out.json(&report(&alone, broken, &tried))?;
    } else {
        head(&alone, context.out);
        for tried in &tried {
            print(tried, context.out)?;
        }
    }
    if broken == 0 { Ok(Exit::Done) } else { Err(Failure::silent(Exit::Failed)) }
}

fn all(options: &Try, alone: &Alone) -> Result<Vec<Tried>, Failure> {
    let connector = &alone.connector;
    let given = Given { status: options.status, content_type: options.content_type.clone() };
    let mut tried = Vec::new();
    for file in &options.ping_reply {
        let recorded = Recorded::read(file, &given)?;
        let Some(explained) = connector.explain_ping(&recorded.raw()) else {
            return Err(Failure::usage(format!("connector `{}` has no ping", connector.name())));
        };
        let reading = Reading::of_ping(explained, &connector.read_ping(&recorded.raw()));
        tried.push(Tried { recorded, stage: "ping", reading });
    }
    for file in &options.post_reply {
        let recorded = Recorded::read(file, &given)?;
        let explained = connector.explain_post(&recorded.raw());
        let reading = Reading::of_post(explained, &connector.read_post(&recorded.raw()));
        tried.push(Tried { recorded, stage: "post", reading });
    }
    Ok(tried)
}

fn report(alone: &Alone, broken: usize, tried: &[Tried]) -> Report {
    let replies = tried.iter().map(|tried| JsonReply {
        file: tried.recorded.name.clone(),
        stage: tried.stage,
        status: tried.recorded.status,
        bytes: tried.recorded.body.len(),
        read: JsonExplained::new(&tried.reading),
    });
    Report {
        connector: alone.connector.name().to_owned(),
        vertical: alone.vertical.id().to_string(),
        currency: alone.vertical.currency().as_str().to_owned(),
        broken,
        replies: replies.collect(),
    }
}

/// Says which vertical and currency the replies are read for.
fn head(alone: &Alone, out: Output) {
    let currency = alone.vertical.currency();
    match &alone.vertical_file {
        Some(file) => out.note(format!("vertical {}, prices in {currency}", file.display())),
        None => out.note(format!(
            "no vertical is at hand: any field is taken for text, prices in {currency} (--vertical FILE to name one)"
        )),
    }
}

fn print(tried: &Tried, out: Output) -> std::io::Result<()> {
    let Recorded { name, status, body, .. } = &tried.recorded;
    let kind = tried.recorded.headers.get(http::header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("no content type");
    let title = painted(BOLD, format!("{} {name}", tried.stage));
    out.data(format!("{title}  {status}, {kind}, {} bytes", body.len()))?;
    if tried.recorded.too_long() {
        out.note("this reply is longer than the exchange reads: it would be cut off");
    }
    explained::print(&tried.reading, out)?;
    out.data("")
}
