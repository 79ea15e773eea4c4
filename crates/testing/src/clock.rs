//! A clock that stands still until it is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use bailiwick_auditor::Clock;

/// Unix milliseconds, shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct MockClock(Arc<AtomicU64>);

impl MockClock {
    /// Sets it.
    pub fn set(&self, unix_ms: u64) {
        self.0.store(unix_ms, SeqCst);
    }
}

impl Clock for MockClock {
    fn now_ms(&self) -> u64 {
        self.0.load(SeqCst)
    }
}
