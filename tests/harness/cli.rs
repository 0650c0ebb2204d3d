//! The command line, as an operator uses it.

use std::process::Output;

use serde_json::Value;

use super::process::command;
use super::site::Site;

/// What a command printed and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Standard output of a command that succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The same as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// Runs `rialto` on this site. This blocks the thread.
pub(crate) fn run(site: &Site, arguments: &[&str]) -> Ran {
    Ran::of(&command(site.config()).args(arguments).output().unwrap())
}

/// Makes a key and returns its text.
pub(crate) fn new_key(site: &Site, source: &str, mode: KeyMode) -> String {
    let mut arguments = vec!["key", "new", source];
    if mode == KeyMode::Test {
        arguments.push("--test");
    }
    let text = run(site, &arguments).ok();
    let words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !is_key_char(c)));
    let mut keys = words.filter(|word| word.starts_with("rialto_"));
    keys.next().unwrap_or_else(|| panic!("no key in {text}")).to_owned()
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Live or test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyMode {
    Live,
    Test,
}
