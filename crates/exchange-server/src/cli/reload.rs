//! `rialto reload` and `rialto rollback`: ask the running exchange to route by other files.

use std::io;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::books::{Answer, server};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{GREEN, RED, counted, painted};

/// Options of `rialto rollback`.
#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// The number of the version, as `rialto versions` shows it
    version: u64,
}

/// What the exchange says of it.
#[derive(Debug, Deserialize, Serialize)]
struct Report {
    outcome: String,
    version: String,
    changes: Vec<Change>,
    /// As `check` prints them, part by part.
    shown: Vec<String>,
    failed_tests: Vec<String>,
    detail: String,
    millis: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Change {
    file: String,
    how: String,
}

/// Reads the files again; done when they are routed by, or refused.
pub(crate) fn reload(context: &Context) -> Ran {
    let answer = server(context)?.ask("/-/reload", json!({}))?;
    tell(&answer, context)
}

/// Routes by an earlier version again.
pub(crate) fn rollback(options: &Rollback, context: &Context) -> Ran {
    let body = json!({ "version": options.version });
    let answer = server(context)?.ask("/-/rollback", body)?;
    let ran = tell(&answer, context)?;
    context.out.note(painted(
        RED,
        "the files on disk were not touched and say something else: the next reload applies THEM",
    ));
    Ok(ran)
}

fn tell(answer: &Answer, context: &Context) -> Ran {
    let read: Result<Report, _> = serde_json::from_value(answer.body.clone());
    let Ok(report) = read else {
        let detail = answer.body.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
        let status = answer.status;
        return Err(Failure::failed(format!("the running exchange refuses ({status}): {detail}")));
    };
    if context.out.json {
        context.out.json(&answer.body)?;
    } else {
        print(&report, context)?;
    }
    match report.outcome.as_str() {
        "applied" | "unchanged" => Ok(Exit::Done),
        "bad_config" | "tests_failed" => Err(Failure::silent(Exit::BadConfig)),
        _ => Err(Failure::failed(report.detail)),
    }
}

fn print(report: &Report, context: &Context) -> io::Result<()> {
    let out = context.out;
    for part in report.shown.iter().chain(&report.failed_tests) {
        out.data(part)?;
    }
    for change in &report.changes {
        out.data(format!("{:8} {}", change.how, change.file))?;
    }
    let (version, millis) = (&report.version, report.millis);
    match report.outcome.as_str() {
        "applied" => {
            let files = counted(report.changes.len(), "file");
            out.data(format!("{}    {version}, {files} ({millis} ms)", painted(GREEN, "ok")))
        }
        "unchanged" => {
            let word = painted(GREEN, "ok");
            out.data(format!("{word}    nothing has changed, {version} goes on ({millis} ms)"))
        }
        _ => {
            let word = painted(RED, "refused");
            out.data(format!("{word}  {}; {version} goes on ({millis} ms)", report.detail))
        }
    }
}
