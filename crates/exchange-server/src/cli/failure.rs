//! Why a command failed, and the exit code that says so to scripts.

use std::fmt::Display;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Done,
    /// A test, an expectation or an operation failed.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The config cannot be used (`EX_CONFIG` of sysexits).
    BadConfig,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::BadConfig => 78,
        })
    }
}

/// A failure to be printed in one line, with an optional hint.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What went wrong; empty when that has been printed.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// How commands end.
pub(crate) type Ran = Result<Exit, Failure>;

impl Failure {
    /// An operation failed.
    pub(crate) fn failed(message: impl Display) -> Self {
        Self { exit: Exit::Failed, message: message.to_string(), help: None }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string(), help: None }
    }

    /// The config cannot be used.
    pub(crate) fn bad_config(message: impl Display) -> Self {
        Self { exit: Exit::BadConfig, message: message.to_string(), help: None }
    }

    /// Everything has been said already.
    pub(crate) const fn silent(exit: Exit) -> Self {
        Self { exit, message: String::new(), help: None }
    }

    /// With a hint.
    pub(crate) fn help(self, help: impl Display) -> Self {
        Self { help: Some(help.to_string()), ..self }
    }
}

/// A reader that has gone (`| head`) is no failure; anything else is.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Done);
        }
        Self::failed(error)
    }
}

impl From<exchange_store::StoreError> for Failure {
    fn from(error: exchange_store::StoreError) -> Self {
        Self::failed(format!("{error} ({})", error.code()))
    }
}
