//! Logs: one line per event, to standard error, pretty on a terminal and JSON otherwise.
//!
//! Lines go through a bounded queue to a thread of their own: a blocked pipe drops lines, it never
//! stops an auction. Nothing that is logged holds contact data: its type does not print.

use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::{LogFormat, LogSettings};

/// Lines that may wait to be written.
const LINES_MAX: usize = 8_192;
/// How long the end of the process waits for its last lines.
const FLUSH_MAX: Duration = Duration::from_millis(250);

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

static QUEUE: OnceLock<SyncSender<Message>> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Sets up the process's log; a second call changes nothing.
pub fn install(settings: &LogSettings) {
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, words = constant_words(panic.payload()), "a bug");
    }));
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_bad| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Lines);
    // Somebody else's subscriber stays.
    if json {
        drop(lines.json().flatten_event(true).with_current_span(false).try_init());
    } else {
        drop(lines.with_ansi(io::stderr().is_terminal()).try_init());
    }
}

/// What a panic says, if that is a text of the program. A text made at run time may hold whatever
/// the program was looking at.
fn constant_words(payload: &(dyn std::any::Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(made at run time, not shown)")
}

/// Waits a moment for the lines that are still queued.
pub fn flush() {
    let Some(queue) = QUEUE.get() else { return };
    let (done, wait) = sync_channel(1);
    if queue.try_send(Message::Flush(done)).is_ok() {
        // In vain when standard error is blocked: then the lines are lost.
        if wait.recv_timeout(FLUSH_MAX).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Lines that were dropped because nobody read them.
#[must_use]
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

fn queue() -> &'static SyncSender<Message> {
    QUEUE.get_or_init(|| {
        let (sender, messages) = sync_channel(LINES_MAX);
        let writing = std::thread::Builder::new().name("log-writer".to_owned());
        // Without the thread the queue fills and lines are dropped.
        drop(writing.spawn(move || write_all(&messages)));
        sender
    })
}

fn write_all(messages: &Receiver<Message>) {
    for message in messages {
        match message {
            // A standard error that is gone has nobody to tell.
            Message::Line(line) => drop(io::stderr().lock().write_all(&line)),
            Message::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Makes a writer per line.
#[derive(Clone, Copy, Debug)]
struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One line, sent when it is complete.
#[derive(Debug)]
struct Line(Vec<u8>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.0.is_empty()
            && queue().try_send(Message::Line(std::mem::take(&mut self.0))).is_err()
        {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_shows_no_text_that_was_made_at_run_time() {
        let words = |panic: std::thread::Result<()>| constant_words(&*panic.unwrap_err());
        let person = String::from("José");
        let cut = std::panic::catch_unwind(|| assert!(person.is_char_boundary(4), "{person}"));
        assert_eq!(words(cut), "(made at run time, not shown)");
        assert_eq!(words(std::panic::catch_unwind(|| panic!("why"))), "why");
    }
}
