//! The texts of a routing folder, read once.
//!
//! What is compiled, hashed, kept as a version and applied again is this set and nothing else, so
//! that a file that changes while it is looked at cannot be half of each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
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
        // A link that is turned to another folder meanwhile changes nothing of this set.
        let resolved = dir.canonicalize().unwrap_or_else(|_absent| dir.to_owned());
        let place = Place { shown: dir, read: &resolved };
        let sections = SECTIONS.iter().flat_map(|section| place.files_of(section, findings));
        let mut files: Vec<_> = sections.collect();
        files.extend(BESIDE.iter().filter_map(|name| place.file_of(name, findings)));
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

/// A folder, as it is called and as it is read.
struct Place<'a> {
    shown: &'a Path,
    read: &'a Path,
}

impl Place<'_> {
    /// Names (like `buyers/acme.toml`) and texts of the files of one section, in order of their
    /// names.
    fn files_of(&self, section: &str, findings: &mut Findings) -> Vec<(String, String)> {
        let names = match names_in(&self.read.join(section)) {
            Ok(names) => names,
            Err(why) => {
                let message = format!("`{}` {why}", self.shown.join(section).display());
                let help = "nothing of it would be routed by: put it right, or take it away";
                findings.push(unplaced("unreadable_folder", message, help));
                return Vec::new();
            }
        };
        let names = names.into_iter().map(|name| format!("{section}/{name}"));
        names.filter_map(|name| self.file_of(&name, findings)).collect()
    }

    /// The name and the text of a file, if it is there and no folder.
    fn file_of(&self, name: &str, findings: &mut Findings) -> Option<(String, String)> {
        match read_text(&self.read.join(name), name) {
            Ok(text) => Some((name.to_owned(), text?)),
            Err(why) => {
                let message = format!("`{}` {why}", self.shown.join(name).display());
                findings.push(unplaced("unreadable_file", message, "make it a UTF-8 text file"));
                None
            }
        }
    }
}

/// What lies in a folder, in order; nothing when there is no folder. Backups and what editors hide
/// do not count.
fn names_in(dir: &Path) -> Result<Vec<String>, &'static str> {
    let listing = match std::fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound && !dir.is_symlink() => {
            return Ok(Vec::new());
        }
        Err(_unreadable) => return Err("cannot be read as a folder"),
    };
    let mut names = Vec::new();
    for entry in listing {
        let name = entry.map_err(|_unreadable| "cannot be read as a folder")?.file_name();
        let name = name.into_string().map_err(|_bytes| "has a file whose name is no UTF-8 text")?;
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if names.len() == FILES_MAX {
            return Err("has too many files");
        }
        names.push(name);
    }
    names.sort();
    Ok(names)
}

/// Nothing for what is no file. A link that leads nowhere is an error: what it named would be
/// missing without a word.
fn read_text(path: &Path, name: &str) -> Result<Option<String>, &'static str> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() => return Ok(None),
        Ok(_file) => {}
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => return Ok(None),
        Err(_unreadable) => return Err("cannot be read"),
    }
    let most = if name.ends_with(".toml") { FILE_MAX } else { LIST_MAX };
    let file = File::open(path).map_err(|_unreadable| "cannot be read")?;
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|_unreadable| "cannot be read")?;
    if bytes.len() > most {
        return Err("is too large");
    }
    String::from_utf8(bytes).map(Some).map_err(|_binary| "is no UTF-8 text")
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

#[cfg(test)]
mod tests;
