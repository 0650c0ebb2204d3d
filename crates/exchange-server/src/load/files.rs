//! The texts of a routing folder, read once.
//!
//! What is compiled, hashed, kept as a version and applied again is this set and nothing else, so
//! that a file that changes while it is looked at cannot be half of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use exchange_model::Findings;
use exchange_model::document::FILE_MAX;
use exchange_model::finding::{Finding, Severity};
use sha2::{Digest as _, Sha256};

/// Most files read from one folder.
pub const FILES_MAX: usize = 20_000;
/// Largest list or template file, in bytes.
pub const LIST_MAX: usize = 16 * 1024 * 1024;
/// The folders within a routing folder.
pub const SECTIONS: [&str; 6] = ["verticals", "buyers", "sellers", "trees", "tests", "lists"];
/// Files beside those folders.
pub const BESIDE: [&str; 1] = ["groups.toml"];
/// How many digits of the hash name a set to people.
const SHORT: usize = 12;

/// The files of a routing folder, by names like `buyers/acme.toml`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FileSet {
    /// What stands before their names in messages.
    pub(super) root: PathBuf,
    files: BTreeMap<String, String>,
    hash: String,
}

impl FileSet {
    /// Reads the folder. What cannot be read is among the findings.
    #[must_use]
    pub fn read(dir: &Path, findings: &mut Findings) -> Self {
        if !dir.is_dir() {
            let message = format!("there is no folder `{}`", dir.display());
            let help = "name the folder that holds verticals/, buyers/, sellers/ and trees/";
            findings.push(unplaced("no_folder", message, help));
        }
        let sections = SECTIONS.iter().flat_map(|section| files_of(dir, section, findings));
        let mut files: Vec<_> = sections.collect();
        files.extend(BESIDE.iter().filter_map(|name| file_of(dir, name, findings)));
        Self::of(dir, files)
    }

    /// These files, shown as if they lay in `root`.
    #[must_use]
    pub fn of(root: &Path, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files: BTreeMap<String, String> = files.into_iter().collect();
        let mut hash = Sha256::new();
        for (name, text) in &files {
            hash_part(&mut hash, name.as_bytes());
            hash_part(&mut hash, text.as_bytes());
        }
        Self { root: root.to_owned(), files, hash: hex::encode(hash.finalize()) }
    }

    /// Names and texts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The text of one file.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// The SHA-256 of all names and texts, in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The first digits of the hash, as people see them.
    #[must_use]
    pub fn version(&self) -> String {
        self.hash.chars().take(SHORT).collect()
    }
}

fn hash_part(hash: &mut Sha256, part: &[u8]) {
    hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(part);
}

/// Names (like `buyers/acme.toml`) and texts of the files of one section, in order of their names.
fn files_of(dir: &Path, section: &str, findings: &mut Findings) -> Vec<(String, String)> {
    let Ok(listing) = std::fs::read_dir(dir.join(section)) else { return Vec::new() };
    let mut names: Vec<String> = listing
        .take(FILES_MAX)
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !name.ends_with('~'))
        .collect();
    names.sort();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let name = format!("{section}/{name}");
        match read_text(&dir.join(&name), &name) {
            Ok(text) => files.push((name, text)),
            Err(why) => {
                let message = format!("`{}` {why}", dir.join(&name).display());
                findings.push(unplaced("unreadable_file", message, "make it a UTF-8 text file"));
            }
        }
    }
    files
}

/// The name and the text of a file beside the folders, if it is there.
fn file_of(dir: &Path, name: &str, findings: &mut Findings) -> Option<(String, String)> {
    let path = dir.join(name);
    if !path.is_file() {
        return None;
    }
    match read_text(&path, name) {
        Ok(text) => Some((name.to_owned(), text)),
        Err(why) => {
            let message = format!("`{}` {why}", path.display());
            findings.push(unplaced("unreadable_file", message, "make it a UTF-8 text file"));
            None
        }
    }
}

fn read_text(path: &Path, name: &str) -> Result<String, &'static str> {
    let most = if name.ends_with(".toml") { FILE_MAX } else { LIST_MAX };
    let size = std::fs::metadata(path).map_err(|_unreadable| "cannot be read")?.len();
    if usize::try_from(size).map_or(true, |size| size > most) {
        return Err("is too large");
    }
    std::fs::read_to_string(path).map_err(|_unreadable| "cannot be read as UTF-8 text")
}

fn unplaced(code: &'static str, message: String, help: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code,
        message,
        place: None,
        label: String::new(),
        help: help.to_owned(),
    }
}
