//! How slow the disk was while something else was measured.
//!
//! A thread writes and syncs one small block over and over beside the database, and keeps the
//! longest it took: an answer cannot be sooner than the sync it waits for.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::Clock;

/// Between two syncs.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes written before each sync: one page of the database.
const BLOCK: usize = 4_096;

/// A running probe.
#[derive(Debug)]
pub(crate) struct DiskProbe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl DiskProbe {
    /// Starts to write in this directory.
    pub(crate) fn start(dir: &Path) -> io::Result<Self> {
        let mut file = File::create(dir.join("probe"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("disk-probe".to_owned()).spawn(move || {
            let clock = Clock::system();
            let mut slowest = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let began = clock.now();
                if sync_once(&mut file).is_err() {
                    break;
                }
                slowest = slowest.max(clock.now().since(began));
                thread::sleep(PAUSE);
            }
            slowest
        })?;
        Ok(Self { stop, thread })
    }

    /// The longest sync.
    pub(crate) fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn sync_once(file: &mut File) -> io::Result<()> {
    file.rewind()?;
    file.write_all(&[0; BLOCK])?;
    file.sync_data()
}
