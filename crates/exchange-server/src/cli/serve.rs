//! `rialto serve`: runs the exchange until it is told to stop.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use crate::app::Options;
use crate::app::RunningApp;
use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::diagnostics::{self, Look};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::lab;
use crate::cli::output::{RED, painted};
use crate::{notify, shutdown, telemetry};

/// Options of `rialto serve`; they stand above file and environment.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Where sellers post
    #[arg(long, value_name = "ADDR")]
    seller_listen: Option<SocketAddr>,
    /// Where metrics, health and the operator's API are
    #[arg(long, value_name = "ADDR")]
    operator_listen: Option<SocketAddr>,
    /// The database
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Refuse to start when the config folder has errors; otherwise the last good set is used
    #[arg(long)]
    strict: bool,
    /// For tests: which loopback address stands for which host, as `rialto mock-buyers` prints it
    #[arg(long, value_name = "FILE", hide = true)]
    lab_hosts: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabHosts {
    hosts: BTreeMap<String, SocketAddr>,
}

/// Runs the exchange.
pub(crate) fn run(options: &Serve, context: &Context) -> Ran {
    let hosts = hosts(options)?;
    let settings = context.settings(&flags(options, &hosts))?;
    telemetry::install(&settings.log);
    let given = Options { hosts, strict: options.strict, ..Options::default() };
    block_on(async {
        let app = lab::start(settings, given, context).await?;
        app.reload_on_hangup()?;
        announce(&app, context)?;
        notify::ready();
        tokio::select! {
            asked = shutdown::asked() => {
                asked?;
                notify::stopping();
                context.out.note("stopping: auctions under way finish first; once more stops at once");
                app.shutdown();
            }
            // The reason comes out of `wait`.
            _reason = app.failed() => {}
        }
        app.wait().await.map_err(Failure::failed)
    })?;
    Ok(Exit::Done)
}

fn announce(app: &RunningApp, context: &Context) -> std::io::Result<()> {
    let basis = app.basis();
    if !basis.is_folder() {
        diagnostics::print(app.findings(), Look::Full, context.out)?;
        context.out.note(painted(RED, format!("the config is {basis}")));
        context.out.note("put the files right and run `rialto reload`");
    }
    context.out.note(format!("sellers    http://{}/v1/leads", app.seller_addr()));
    context.out.note(format!("operator   http://{}/readyz", app.operator_addr()));
    Ok(())
}

fn flags(options: &Serve, hosts: &BTreeMap<String, SocketAddr>) -> Vec<(String, String)> {
    let seller = options.seller_listen.map(|addr| ("server.seller_listen", addr.to_string()));
    let operator = options.operator_listen.map(|addr| ("server.operator_listen", addr.to_string()));
    let store = options.store.as_ref().map(|path| ("store.path", path.display().to_string()));
    let lab = (!hosts.is_empty()).then(|| ("buyers.allow_private", "true".to_owned()));
    let given = [seller, operator, store, lab].into_iter().flatten();
    given.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn hosts(options: &Serve) -> Result<BTreeMap<String, SocketAddr>, Failure> {
    let Some(file) = &options.lab_hosts else { return Ok(BTreeMap::new()) };
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let read: LabHosts = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    Ok(read.hosts)
}
