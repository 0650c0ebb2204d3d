//! Secrets of buyers, read from files.
//!
//! Config names a secret; its text is a file of that name in one directory. Nothing prints it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use exchange_model::finding::{Finding, Severity};
use exchange_model::{Findings, Place};
use zeroize::Zeroize as _;

/// Longest secret, in bytes.
pub const SECRET_MAX: usize = 16 * 1024;
/// Most files read from a directory of secrets.
const FILES_MAX: usize = 10_000;

/// The text of a secret. It prints as `[secret]` and is wiped on drop.
#[derive(Eq, PartialEq)]
pub struct SecretText(String);

impl SecretText {
    /// Takes charge of the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for writing it into a request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Every secret the operator has put down, by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Secrets {
    directory: String,
    values: BTreeMap<String, Arc<SecretText>>,
    /// Other names, and the names of the files they stand for.
    aliases: BTreeMap<String, String>,
}

impl Secrets {
    /// The same secrets, under these names too.
    #[must_use]
    pub(crate) fn with_aliases(&self, aliases: BTreeMap<String, String>) -> Self {
        Self { aliases, ..self.clone() }
    }

    /// Secrets that are in no file: the demo's and the tests'.
    #[must_use]
    pub fn from_pairs<N: Into<String>, T: Into<String>>(
        pairs: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let values = pairs
            .into_iter()
            .map(|(name, text)| (name.into(), Arc::new(SecretText::new(text.into()))))
            .collect();
        Self { directory: "secrets".to_owned(), values, aliases: BTreeMap::new() }
    }

    /// Reads every file of the directory whose name is a secret's (`a-z 0-9 _`). A directory that
    /// is not there holds no secret. Findings: `secret_readable`, `secret_unusable`.
    #[must_use]
    pub fn load(directory: &Path, findings: &mut Findings) -> Self {
        let mut secrets = Self { directory: directory.display().to_string(), ..Self::default() };
        let Ok(listing) = std::fs::read_dir(directory) else { return secrets };
        for file in listing.take(FILES_MAX).flatten() {
            let Ok(name) = file.file_name().into_string() else { continue };
            if is_secret_name(&name) && file.path().is_file() {
                secrets.read(&name, &file.path(), findings);
            }
        }
        secrets
    }

    fn read(&mut self, name: &str, path: &Path, findings: &mut Findings) {
        if readable_by_others(path) {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "secret_readable",
                message: format!("secret file `{}` can be read by others", path.display()),
                place: None,
                label: String::new(),
                help: format!("run `chmod 600 {}`", path.display()),
            });
        }
        match usable_text(path) {
            Ok(text) => {
                self.values.insert(name.to_owned(), Arc::new(SecretText::new(text)));
            }
            Err(why) => findings.push(Finding {
                severity: Severity::Error,
                code: "secret_unusable",
                message: format!("secret file `{}` {why}", path.display()),
                place: None,
                label: String::new(),
                help: format!("a secret is one line of text of at most {SECRET_MAX} bytes"),
            }),
        }
    }

    /// Every secret, by the name of its file.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &SecretText)> {
        self.values.iter().map(|(name, secret)| (name.as_str(), &**secret))
    }

    /// The secret of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<SecretText>> {
        self.values.get(name)
    }

    /// The secret that config names at `place`; a finding says which file to create.
    pub(crate) fn required(
        &self,
        name: &str,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<Arc<SecretText>> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        if !is_secret_name(name) {
            let message = format!("`{name}` is no name of a secret");
            let help = "a secret's name is made of a-z, 0-9 and `_`".to_owned();
            findings.error("bad_value", place.clone(), message, help);
            return None;
        }
        let found = self.get(name).map(Arc::clone);
        if found.is_none() {
            let file = format!("{}/{name}", self.directory);
            let message = format!("there is no secret called `{name}`");
            let help = format!("create the file `{file}` with the secret's text, mode 600");
            findings.error("no_secret", place.clone(), message, help);
        }
        found
    }
}

fn is_secret_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= exchange_model::id::NAME_MAX
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn usable_text(path: &Path) -> Result<String, &'static str> {
    let size = std::fs::metadata(path).map_err(|_unreadable| "cannot be read")?.len();
    if usize::try_from(size).map_or(true, |size| size > SECRET_MAX) {
        return Err("is too long");
    }
    let mut text = std::fs::read_to_string(path).map_err(|_unreadable| "cannot be read")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err("is empty") } else { Ok(text) }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_path: &Path) -> bool {
    false
}
