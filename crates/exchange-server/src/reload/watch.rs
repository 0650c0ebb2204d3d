//! Looks at the folder again and again and reloads when it has changed.
//!
//! Looking is reading names, lengths and times: it follows links, so that a link that is turned to
//! another folder is a change like any other, and misses nothing that an event queue would lose on
//! a network disk. A change counts when nothing has moved for [`SETTLE`]; whether anything is
//! different then is decided by the contents.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Reloader;
use crate::load::{BESIDE, FILES_MAX, SECTIONS};

/// Who it was, in the record.
pub(super) const ACTOR: &str = "watch";
/// How often the folder is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long nothing may have moved.
pub const SETTLE: Duration = Duration::from_millis(500);

/// What is seen of a folder without reading a file.
type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// Watches until the task is cut off.
#[expect(clippy::infinite_loop, reason = "it ends with the task that it runs in")]
pub async fn watch(reloader: Arc<Reloader>) {
    let mut applied = look(&reloader).await;
    let mut latest = applied.clone();
    let mut moved_at = reloader.clock().now();
    loop {
        let clock = reloader.clock();
        clock.sleep_until(clock.now().after(EVERY)).await;
        let seen = look(&reloader).await;
        if seen != latest {
            latest = seen;
            moved_at = clock.now();
        } else if latest != applied && clock.now().since(moved_at) >= SETTLE {
            applied = latest.clone();
            // What came of it is in the log and the metric. A set that is refused is not tried
            // again before something moves.
            let _report = reloader.reload(ACTOR).await;
        }
    }
}

async fn look(reloader: &Reloader) -> Look {
    let mut dirs: Vec<PathBuf> =
        SECTIONS.iter().map(|section| reloader.folder().join(section)).collect();
    dirs.extend(reloader.secrets_dir().map(Path::to_owned));
    let beside: Vec<PathBuf> = BESIDE.iter().map(|name| reloader.folder().join(name)).collect();
    let looking = tokio::task::spawn_blocking(move || {
        let mut all: Look = dirs.iter().flat_map(|dir| look_into(dir)).collect();
        all.extend(beside.into_iter().filter_map(look_at));
        all.sort();
        all
    });
    // A look that a bug has ended saw nothing: it is a change, and the reload says what is wrong.
    looking.await.unwrap_or_default()
}

fn look_into(dir: &Path) -> Look {
    let Ok(listing) = std::fs::read_dir(dir) else { return Look::new() };
    let entries = listing.take(FILES_MAX).flatten();
    entries.filter_map(|entry| look_at(entry.path())).collect()
}

/// A file, through whatever links lead to it.
fn look_at(path: PathBuf) -> Option<(PathBuf, u64, Option<SystemTime>)> {
    let about = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    Some((path, about.len(), about.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_turned_to_another_folder_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (name, text) in [("one", "a"), ("two", "ab")] {
            std::fs::create_dir(root.join(name)).unwrap();
            std::fs::write(root.join(name).join("acme.toml"), text).unwrap();
        }
        let link = root.join("buyers");
        std::os::unix::fs::symlink(root.join("one"), &link).unwrap();
        let before = look_into(&link);
        std::os::unix::fs::symlink(root.join("two"), root.join("next")).unwrap();
        std::fs::rename(root.join("next"), &link).unwrap();
        assert_ne!(look_into(&link), before);
        assert_eq!(before.len(), 1);
    }

    #[test]
    fn a_file_that_is_replaced_by_a_rename_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("acme.toml");
        std::fs::write(&file, "schema = 1").unwrap();
        let before = look_into(dir.path());
        std::fs::write(dir.path().join("new"), "schema = 1 # longer").unwrap();
        std::fs::rename(dir.path().join("new"), &file).unwrap();
        assert_ne!(look_into(dir.path()), before);
    }
}
