//! How long this disk takes to make a small write durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::Ran;
use crate::clock::now;

/// Bytes appended before each sync: one page of a database.
const PAGE: [u8; 4096] = [0x5a; 4096];

/// Appends and syncs `times` times; the microseconds of each sync.
pub(crate) fn syncs(folder: &Path, times: usize) -> Ran<Vec<u64>> {
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        file.write_all(&PAGE)?;
        let began = now();
        file.sync_data()?;
        took.push(u64::try_from((now() - began).as_micros())?);
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(took)
}
