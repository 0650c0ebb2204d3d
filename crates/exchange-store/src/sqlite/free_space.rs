//! How much the disk can still take.

use std::io;
use std::path::Path;

/// Bytes that this process may still write on the file system of `path`.
///
/// # Errors
/// Those of the operating system, such as a path that does not exist.
#[cfg(unix)]
pub fn free_space(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that this process may still write; unknown on this system, so never a reason to refuse.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn free_space(_path: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}
