//! The command line: what `rialto` understands, and what each command prints.
//!
//! Commands are thin. They read the config folder, the store or the running server's operator API
//! and print what they were told; nothing is decided here. Data goes to standard output, messages
//! to standard error, and the exit code is 0 (done), 1 (failed), 2 (usage) or 78 (bad config).
//!
//! > A command reads the database at any time, and writes only through whoever holds its lock.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod audit;
mod books;
mod business_hours;
mod buyer;
mod buyer_score;
mod buyer_test;
mod campaign;
mod check;
mod connector;
mod context;
mod demo;
pub(crate) mod diagnostics;
mod diff;
mod explain;
mod explained;
mod failure;
mod health;
mod journey;
mod key;
mod lab;
mod lead;
mod ledger;
mod load;
mod mock_buyers;
mod output;
mod probe;
mod reload;
mod report;
mod schema;
mod serve;
mod statement;
mod stop;
mod suppress;
mod test;
mod versions;

use context::Context;
use exchange_store::operators::Force;
use failure::{Exit, Failure, Ran};
use output::{BOLD, Output, RED, painted};

/// The examples come before the list of options: most people want a line to copy.
const HELP: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// An open, self-hosted, real-time ping-post lead exchange
#[derive(Debug, Parser)]
#[command(
    name = "rialto",
    version,
    before_help = "\
Examples:
  rialto demo --leads 20                    watch twenty leads being sold, nothing to set up
  rialto check                              everything wrong with the config, at once
  rialto test                               run the tests in config/tests
  rialto explain state=TX credit=fair       who would be asked for this lead, and why not
  rialto key new quotekart/search           a key for a seller's source
  rialto serve                              run the exchange
  rialto lead show lead_01kb...             the whole journey of one lead"
)]
struct Cli {
    /// The folder that holds rialto.toml and the routing
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RIALTO_CONFIG",
        default_value = "config",
        overrides_with = "config"
    )]
    config: PathBuf,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the exchange
    #[command(before_help = "\
Examples:
  rialto serve
  rialto --config /etc/rialto serve
  RIALTO__SERVER__SELLER_LISTEN=0.0.0.0:8080 rialto serve")]
    Serve(serve::Serve),
    /// Watch mock buyers bid for realistic leads on the sample config, with a throw-away database
    #[command(before_help = "\
Examples:
  rialto demo                               until Ctrl-C
  rialto demo --leads 20 --seed 7           the same twenty leads every time")]
    Demo(demo::Demo),
    /// Find everything that is wrong with the config, at once
    #[command(before_help = "\
Examples:
  rialto check
  rialto check --deny-warnings --without-secrets    on a build server
  rialto --config /etc/rialto check --json")]
    Check(check::Check),
    /// Run the tests of the config folder
    #[command(before_help = "\
Examples:
  rialto test
  rialto test config/tests/auto_main.toml")]
    Test(test::Test),
    /// For one lead, say what every campaign would do and which line of config decides
    #[command(before_help = "\
Examples:
  rialto explain state=TX birth_date=1995-06-01 credit=fair
  rialto explain --tree auto_main --at 2026-11-23T10:15 zip=78702
  rialto explain --source rateharbor/social --json")]
    Explain(explain::Explain),
    /// Say in words what the config folder changes, and what that would have done with recorded leads
    #[command(before_help = "\
Examples:
  rialto diff                               the folder beside what is live
  rialto diff 41                            beside version 41
  rialto diff ../config-before --replay 24h")]
    Diff(diff::Diff),
    /// Make, end and list the keys of sellers' sources
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto key new quotekart/search
  rialto key new quotekart/search --test
  rialto key list
  rialto key revoke 3sW9aKq2Zt"
    )]
    Key(key::Key),
    /// Show or erase a lead
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto lead show lead_01kb2v3w4x5y6z7a8b9c0d1e2f
  rialto lead erase lead_01kb2v3w4x5y6z7a8b9c0d1e2f --yes"
    )]
    Lead(lead::Lead),
    /// Verify or export the books
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto ledger verify
  rialto ledger export --format hledger --out books.journal"
    )]
    Ledger(ledger::Ledger),
    /// A buyer's or a seller's statement over some days
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto statement buyer acme_mutual --from 2026-11-01 --to 2026-11-30
  rialto statement seller quotekart --from 2026-11-01 --to 2026-11-30 --csv"
    )]
    Statement(statement::Whose),
    /// Lists of people whom buyers do not want
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto suppress import acme_mutual customers phones.txt --field phone
  rialto suppress import acme_mutual customers hashes.txt --field email --hashed sha256 --replace
  rialto suppress list
  rialto suppress remove acme_mutual customers --yes"
    )]
    Suppress(suppress::Suppress),
    /// Test a buyer's connector with one lead; scorecards; finance of one buyer
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto buyer test acme_mutual/auto-tx                      what would be sent, and nothing sent
  rialto buyer test acme_mutual/auto-tx --send ping
  rialto buyer test acme_mutual/auto-tx --send all --to 127.0.0.1:9101
  rialto buyer score                                         what buyers did, and who is throttled
  rialto buyer top-up acme_mutual 5000.00 --ref WIRE-20261123-1"
    )]
    Buyer(buyer::Buyer),
    /// Say that a campaign's buyer is done with a lead
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto campaign finished metro_direct/auto lead_01kb2v3w4x5y6z7a8b9c0d1e2f"
    )]
    Campaign(campaign::Campaign),
    /// What the record says about how the exchange is set up
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto report late --more 50ms            what 50 ms more for bids would have earned
  rialto report late --more 200ms --since 7d"
    )]
    Report(report::Report),
    /// The shipped presets, and recorded replies read by a buyer's file
    #[command(
        subcommand,
        before_help = "\
Examples:
  rialto connector presets
  rialto connector show leadspedia
  rialto connector try --connector config/buyers/acme.toml --ping-reply bid.json nobid.json"
    )]
    Connector(connector::Connector),
    /// Run buyers that play shipped presets, or the sample's, as a process of their own
    #[command(
        before_help = "\
Examples:
  rialto mock-buyers --preset leadspedia:9101               then: rialto buyer test ... --to 127.0.0.1:9101
  rialto mock-buyers --preset px --preset phonexa           on free ports
  rialto mock-buyers --script mocks.toml
  rialto mock-buyers --books books --faults                 the sample's buyers; one line of JSON says where",
        after_long_help = mock_buyers::SCRIPT
    )]
    MockBuyers(mock_buyers::Mock),
    /// JSON Schemas of the config files, for editors
    #[command(before_help = "\
Examples:
  rialto schema buyer > buyer.json
  rialto schema --out config/schema         then, as a buyer file's first line: #:schema ../schema/buyer.json")]
    Schema(schema::Schema),
    /// Send leads at a steady rate and report how late the answers came
    #[command(before_help = "\
Examples:
  rialto load --url http://127.0.0.1:8080/v1/leads --key-file key.txt --rate 50 --leads 1000
  rialto load --faulty                      everything included: a third of the buyers misbehave")]
    Load(load::Load),
    /// Ask the running exchange whether it takes leads; exit 1 when it does not
    #[command(before_help = "\
Examples:
  rialto health
  rialto --config /etc/rialto health")]
    Health,
    /// Have the running exchange read its config again; done when it routes by it, or has refused it
    #[command(before_help = "\
Examples:
  rialto reload                             exit 78 and everything that is wrong, when it is refused
  rialto reload --json
  systemctl reload rialto                   the same by a signal; the log says what came of it")]
    Reload,
    /// Every config that was routed by, and its files
    #[command(before_help = "\
Examples:
  rialto versions
  rialto versions show 41
  rialto versions show 41 buyers/acme_mutual.toml > was.toml")]
    Versions(versions::Versions),
    /// Route by an earlier version again; your files stay as they are
    #[command(before_help = "\
Examples:
  rialto rollback 41                        at once; the next reload applies the files on disk again")]
    Rollback(reload::Rollback),
    /// Keep new leads from a buyer, a campaign, a source or everybody
    #[command(before_help = "\
Examples:
  rialto pause buyer acme_mutual --until 17:00 --why \"their server is down\"
  rialto pause campaign acme_mutual/auto-tx --until 90m
  rialto pause source quotekart/search
  rialto pause all")]
    Pause(stop::Halt),
    /// As pause, and no lead that is under way is posted any more
    #[command(before_help = "\
Examples:
  rialto kill buyer acme_mutual --why \"leads sent to the wrong company\"
  rialto kill source quotekart/search
  rialto kill all")]
    Kill(stop::Halt),
    /// End a pause or a kill
    #[command(before_help = "\
Examples:
  rialto resume buyer acme_mutual
  rialto resume all")]
    Resume(stop::Resume),
    /// What operators have paused or killed, beside what the files say
    #[command(before_help = "\
Examples:
  rialto stops
  rialto stops --json")]
    Stops,
    /// What operators did: reloads, stops, keys, money
    #[command(before_help = "\
Examples:
  rialto audit
  rialto audit --last 1000 --json")]
    Audit(audit::Audit),
    /// Print a script that completes commands in a shell
    #[command(before_help = "\
Examples:
  rialto completions bash > /etc/bash_completion.d/rialto
  rialto completions fish > ~/.config/fish/completions/rialto.fish")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Reads the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let context = Context { config: cli.config.clone(), out: Output { json: cli.json } };
    match run(&cli.command, &context) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report(&failure, context.out);
            failure.exit.into()
        }
    }
}

fn command() -> clap::Command {
    let with_examples = |command: clap::Command| command.help_template(HELP);
    with_examples(Cli::command()).mut_subcommands(with_examples)
}

fn run(command: &Command, context: &Context) -> Ran {
    match command {
        Command::Serve(options) => serve::run(options, context),
        Command::Demo(options) => demo::run(options, context),
        Command::Check(options) => check::run(options, context),
        Command::Test(options) => test::run(options, context),
        Command::Explain(options) => explain::run(options, context),
        Command::Diff(options) => diff::run(options, context),
        Command::Key(options) => key::run(options, context),
        Command::Lead(options) => lead::run(options, context),
        Command::Ledger(options) => ledger::run(options, context),
        Command::Statement(options) => statement::run(options, context),
        Command::Suppress(command) => suppress::run(command, context),
        Command::Buyer(options) => buyer::run(options, context),
        Command::Campaign(options) => campaign::run(options, context),
        Command::Report(options) => report::run(options, context),
        Command::Connector(options) => connector::run(options, context),
        Command::MockBuyers(options) => mock_buyers::run(options, context),
        Command::Schema(options) => schema::run(options, context),
        Command::Load(options) => load::run(options, context),
        Command::Reload => reload::reload(context),
        Command::Versions(options) => versions::run(options, context),
        Command::Rollback(options) => reload::rollback(options, context),
        Command::Pause(options) => stop::halt(options, Force::Pause, context),
        Command::Kill(options) => stop::halt(options, Force::Kill, context),
        Command::Resume(options) => stop::resume(options, context),
        Command::Stops => stop::list(context),
        Command::Audit(options) => audit::run(options, context),
        Command::Health => health::run(context),
        Command::Completions { shell } => {
            clap_complete::generate(
                *shell,
                &mut command_for_shells(),
                "rialto",
                &mut std::io::stdout(),
            );
            Ok(Exit::Done)
        }
    }
}

fn command_for_shells() -> clap::Command {
    Cli::command()
}

fn report(failure: &Failure, out: Output) {
    for line in failure.message.lines() {
        out.note(format!("{}: {line}", painted(RED, "error")));
    }
    if let Some(help) = &failure.help {
        out.note(format!("{}: {help}", painted(BOLD, "help")));
    }
}

/// Runs a command that waits for the network.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(Failure::from)?.block_on(work)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples_before_its_options() {
        for sub in super::command().get_subcommands_mut() {
            if sub.get_name() == "help" {
                continue;
            }
            let help = sub.render_help().to_string();
            let (examples, usage) = (help.find("Examples:"), help.find("Usage:"));
            assert!(examples.is_some() && examples < usage, "{help}");
        }
    }
}
