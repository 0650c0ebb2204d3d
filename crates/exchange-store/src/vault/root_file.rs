//! The file that holds the root key: made once, readable by its owner alone, never remade.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use exchange_model::lead::DATA_KEY_LEN;
use zeroize::Zeroizing;

use super::{RootKey, random};

/// The file is one line of hexadecimal digits.
const FILE_LEN: usize = DATA_KEY_LEN * 2;

/// Why the root key cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The machine gives no random bytes.
    #[error("no random bytes from the operating system")]
    NoRandom,
    /// The database is there and its key is not: a new key would open nothing.
    #[error("the database exists but its root key `{0}` does not: restore the key's file")]
    Missing(PathBuf),
    /// Others than the owner may read the file.
    #[error("the root key `{0}` may be read by others: chmod 600 it")]
    Exposed(PathBuf),
    /// The file is not one we wrote.
    #[error("the root key `{0}` is not 64 hexadecimal digits")]
    Malformed(PathBuf),
    /// The file cannot be read or written.
    #[error("the root key `{path}`: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        error: String,
    },
}

impl RootKey {
    /// Reads the key's file, or makes it when the database is new too.
    ///
    /// # Errors
    /// [`RootKeyError`]. An existing database without its key is refused, because a new key would
    /// silently make all its contact data unreadable.
    pub fn load_or_create(path: &Path, database_is_new: bool) -> Result<Self, RootKeyError> {
        let io =
            |error: io::Error| RootKeyError::Io { path: path.to_owned(), error: error.to_string() };
        match File::open(path) {
            Ok(file) => load(path, file, io),
            Err(error) if error.kind() == io::ErrorKind::NotFound && database_is_new => {
                let key = Self::throw_away()?;
                create(path, &key).map_err(io)?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(RootKeyError::Missing(path.to_owned()))
            }
            Err(error) => Err(io(error)),
        }
    }
}

fn load(
    path: &Path,
    file: File,
    io: impl Fn(io::Error) -> RootKeyError,
) -> Result<RootKey, RootKeyError> {
    if exposed(&file).map_err(&io)? {
        return Err(RootKeyError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(1_024).read_to_string(&mut text).map_err(&io)?;
    let mut key = [0; DATA_KEY_LEN];
    hex::decode_to_slice(text.trim_end(), &mut key)
        .map_err(|_not_hex| RootKeyError::Malformed(path.to_owned()))?;
    Ok(RootKey::from_bytes(key))
}

/// Written whole and synced under another name, then given its own: a torn file never counts.
fn create(path: &Path, key: &RootKey) -> io::Result<()> {
    let noise: [u8; 8] = random().map_err(io::Error::other)?;
    let draft = path.with_extension(format!("new-{}", hex::encode(noise)));
    let mut line = Zeroizing::new(String::with_capacity(FILE_LEN + 1));
    line.push_str(&Zeroizing::new(hex::encode(key.0.as_slice())));
    line.push('\n');
    let mut file = private().create_new(true).open(&draft)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_directory(path)
}

/// Options for writing a file that only its owner may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A new name is durable once its directory is.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(unix)]
fn exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}
