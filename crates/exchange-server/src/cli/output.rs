//! What the command line prints, and where: data to stdout, messages to stderr.
//!
//! Colour is written here and taken out again by the streams when they are no terminal or
//! `NO_COLOR` is set. Nothing else in the server prints.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Colours of words, to be closed by [`PLAIN`].
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const YELLOW: &str = "\x1b[33m";
pub(crate) const RED: &str = "\x1b[31m";
pub(crate) const DIM: &str = "\x1b[2m";
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const PLAIN: &str = "\x1b[0m";

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether data is printed as JSON.
    pub(crate) json: bool,
}

impl Output {
    /// One line, or several, of data.
    pub(crate) fn data(self, text: impl Display) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Data without a line end of its own.
    pub(crate) fn raw(self, text: &str) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Data as JSON, for people too.
    pub(crate) fn json(self, value: &impl Serialize) -> io::Result<()> {
        self.data(serde_json::to_string_pretty(value)?)
    }

    /// Data as JSON in one line, for streams of records.
    pub(crate) fn json_line(self, value: &impl Serialize) -> io::Result<()> {
        self.data(serde_json::to_string(value)?)
    }

    /// A message about what is going on. That it cannot be shown stops nothing.
    pub(crate) fn note(self, text: impl Display) {
        let mut err = anstream::stderr().lock();
        drop(writeln!(err, "{text}"));
    }

    /// A bar on a terminal, nothing elsewhere.
    pub(crate) fn progress(self, total: u64, what: &'static str) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
        let bar = ProgressBar::new(total).with_message(what);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_bad_template) => bar,
        }
    }
}

/// The text in this colour.
pub(crate) fn painted(colour: &str, text: impl Display) -> String {
    format!("{colour}{text}{PLAIN}")
}

/// `1 lead`, `2 leads`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
