//! How far the reading is, on standard error.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::cli::bar::{self, QUICK};

/// How often the bar moves.
const STEP: Duration = Duration::from_millis(200);

/// Counts the bytes that were read, and shows them.
pub(super) struct Progress {
    counter: Arc<AtomicU64>,
    /// Bytes in all, where every input is a file.
    bytes: Option<u64>,
    shown: bool,
}

/// A bar that is shown until it is dropped.
pub(super) struct Watch {
    /// Its end is the end of the bar.
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// For these files; a bar only where `shown`.
    pub(super) fn new(files: &[PathBuf], shown: bool) -> Self {
        let size = |path: &PathBuf| {
            path.metadata().ok().filter(std::fs::Metadata::is_file).map(|there| there.len())
        };
        let bytes = files.iter().map(size).sum();
        Self { counter: Arc::default(), bytes, shown }
    }

    /// Where the bytes are counted.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.counter)
    }

    /// Begins to show them, once it has taken a second.
    pub(super) fn watch(&self) -> Watch {
        if !self.shown {
            return Watch { done: None, thread: None };
        }
        let (counter, bytes, (done, end)) = (self.counter(), self.bytes, mpsc::channel::<()>());
        let goes_on = move |time| end.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        let thread = thread::spawn(move || {
            if !goes_on(QUICK) {
                return;
            }
            let bar = bar(bytes);
            bar.set_position(counter.load(Ordering::Relaxed));
            while goes_on(STEP) {
                bar.set_position(counter.load(Ordering::Relaxed));
            }
            bar.finish_and_clear();
        });
        Watch { done: Some(done), thread: Some(thread) }
    }
}

fn bar(bytes: Option<u64>) -> ProgressBar {
    let style = match bytes {
        Some(_) => "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes} read, {bytes_per_sec}",
    };
    bar::bar(bytes, bar::style(style), true)
}

impl Watch {
    /// Takes the bar away.
    pub(super) fn end(self) {}
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done = None;
        if let Some(thread) = self.thread.take() {
            // A bar that could not be drawn is no reason to fail.
            let _ = thread.join();
        }
    }
}
