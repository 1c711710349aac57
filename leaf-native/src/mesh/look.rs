//! A repository's file, looked at again and again: whoever changes it, this sees it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::{Interval, interval};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A file and its log: when they were changed, and how long they are.
type Stamp = [(Option<SystemTime>, u64); 2];

/// A file that is looked at.
pub(crate) struct Look {
    file: PathBuf,
    every: Interval,
    seen: Stamp,
    is_fresh: bool,
}

impl Look {
    /// Call it inside of a runtime.
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            every: interval(LOOK),
            seen: stamp(file),
            is_fresh: false,
        }
    }

    /// Waits until the file is not as it was. What has been waited for is not lost when this is dropped.
    pub(crate) async fn changed(&mut self) {
        loop {
            self.every.tick().await;
            let now = stamp(&self.file);
            // Once more a moment later: what is written is not there for readers at the same instant.
            if now != self.seen || self.is_fresh {
                self.is_fresh = now != self.seen;
                self.seen = now;
                return;
            }
        }
    }
}

fn stamp(file: &Path) -> Stamp {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    [file, Path::new(&log)].map(|file| match std::fs::metadata(file) {
        Ok(metadata) => (metadata.modified().ok(), metadata.len()),
        Err(_) => (None, 0),
    })
}
