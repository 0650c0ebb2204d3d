//! A process under our care: started, watched, and ended with its guard.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::Ran;
use crate::clock::now;

/// The CPU for the system under test, where CPUs are assigned.
const SYSTEM_CPU: &str = "0";
/// The CPU for buyers and sellers.
const OTHERS_CPU: &str = "1";
/// How long a process may take until it is ready.
const START_MAX: Duration = Duration::from_secs(30);
/// Lines of output kept while nobody reads them.
const LINES_MAX: usize = 1000;
/// What one tick of `/proc/<pid>/stat` is: the kernel shows hundredths of a second to every
/// process, whatever it counts in.
const TICK_NANOS: u64 = 10_000_000;

/// Where a process may run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Placement {
    /// Anywhere.
    Free,
    /// Alone with its like on the first CPU.
    System,
    /// With buyers and sellers on the second CPU.
    Others,
}

impl Placement {
    /// A command that runs `program` here.
    pub(crate) fn command(self, program: &std::path::Path) -> Command {
        let cpu = match self {
            Self::Free => return Command::new(program),
            Self::System => SYSTEM_CPU,
            Self::Others => OTHERS_CPU,
        };
        let mut command = Command::new("taskset");
        command.args(["-c", cpu]).arg(program);
        command
    }
}

/// Whether processes can be given a CPU of their own here.
pub(crate) fn can_pin() -> bool {
    [SYSTEM_CPU, OTHERS_CPU].iter().all(|cpu| quietly("taskset", &["-c", cpu, "true"]))
}

/// Moves this process to the CPU of buyers and sellers.
pub(crate) fn move_over() -> bool {
    quietly("taskset", &["-p", "-c", OTHERS_CPU, &std::process::id().to_string()])
}

fn quietly(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What becomes of a process's messages on standard error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Errors {
    /// They are for whoever runs the benchmark.
    Shown,
    /// They are read together with its output.
    Read,
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
    name: String,
}

impl Child {
    /// Starts a command. Its standard input stays open as long as we live, and its standard output
    /// is read to the end.
    pub(crate) fn start(name: &str, mut command: Command, errors: Errors) -> Ran<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if errors == Errors::Read {
            command.stderr(Stdio::piped());
        }
        let started = command.spawn();
        let mut process = started.map_err(|error| format!("`{name}` does not start: {error}"))?;
        let (sender, lines) = sync_channel(LINES_MAX);
        if let Some(errors) = process.stderr.take() {
            collect(errors, sender.clone());
        }
        if let Some(output) = process.stdout.take() {
            collect(output, sender);
        }
        Ok(Self { process, lines, name: name.to_owned() })
    }

    /// Starts this very program in another role, and reads where it listens.
    pub(crate) fn start_self(placement: Placement, role: &[&str]) -> Ran<(Self, String)> {
        let mut command = placement.command(&std::env::current_exe()?);
        command.args(role);
        let child = Self::start(&role.join(" "), command, Errors::Shown)?;
        let ready = child.line(|line| line.strip_prefix("ready ").map(str::to_owned))?;
        Ok((child, ready))
    }

    /// Waits for the line of output in which `wanted` finds something.
    pub(crate) fn line<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Ran<T> {
        let give_up = now() + START_MAX;
        let mut heard = String::new();
        while let Ok(line) = self.lines.recv_timeout(give_up.saturating_duration_since(now())) {
            if let Some(found) = wanted(&line) {
                return Ok(found);
            }
            heard.push_str(&line);
            heard.push('\n');
        }
        Err(format!("`{}` did not become ready\n{heard}", self.name).into())
    }

    /// CPU time it has used so far, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> Ran<u64> {
        cpu_nanos(&self.process.id().to_string())
    }
}

/// Reads lines to the end, in a thread. Once nobody takes them they are thrown away.
fn collect(from: impl Read + Send + 'static, to: SyncSender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            drop(to.try_send(line));
        }
    });
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left of it.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// CPU time of a process and all its threads, in nanoseconds; `self` for our own.
pub(crate) fn cpu_nanos(process: &str) -> Ran<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th after.
    let fields = stat.rsplit_once(')').map_or("", |(_name, rest)| rest);
    let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = times.sum::<Result<u64, _>>()?;
    Ok(ticks.saturating_mul(TICK_NANOS))
}

/// Waits until the process that started us has gone: until then our standard input is open.
pub(crate) async fn parent_gone() {
    let (open, gone) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        drop(std::io::stdin().lock().read_to_end(&mut Vec::new()));
        drop(open);
    });
    drop(gone.await);
}
