//! How many requests come: a prover that knows leaves a core to them.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Requests a second from which serving is work of its own. The polling of some auditors stays below it.
const BUSY_PER_SECOND: u32 = 20;

/// Requests of this second and of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Seconds {
    second: u64,
    now: u32,
    before: u32,
}

impl Seconds {
    /// Moves on to `second`.
    fn at(self, second: u64) -> Self {
        match second.saturating_sub(self.second) {
            0 => self,
            1 => Self { second, now: 0, before: self.now },
            _ => Self { second, now: 0, before: 0 },
        }
    }

    fn is_busy(self) -> bool {
        self.now.max(self.before) >= BUSY_PER_SECOND
    }
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Load {
    started: Instant,
    seconds: Mutex<Seconds>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), seconds: Mutex::default() }
    }

    /// A request came.
    pub(crate) fn count(&self) {
        self.moved(|s| s.now = s.now.saturating_add(1));
    }

    /// Whether this second or the one before had many requests.
    pub(crate) fn is_busy(&self) -> bool {
        self.moved(|_| ()).is_busy()
    }

    fn moved(&self, change: impl FnOnce(&mut Seconds)) -> Seconds {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        *seconds = seconds.at(self.started.elapsed().as_secs());
        change(&mut seconds);
        *seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(mut seconds: Seconds, n: u32) -> Seconds {
        seconds.now += n;
        seconds
    }

    #[test]
    fn many_requests_keep_it_busy_for_this_second_and_the_next() {
        let s = counted(Seconds::default().at(7), BUSY_PER_SECOND);
        assert!(s.is_busy());
        assert!(s.at(8).is_busy());
        assert!(!s.at(9).is_busy());
        assert!(!s.at(8).at(9).is_busy());
    }

    #[test]
    fn few_requests_do_not() {
        let s = counted(Seconds::default().at(7), BUSY_PER_SECOND - 1);
        assert!(!s.is_busy());
        assert!(!counted(s.at(8), BUSY_PER_SECOND - 1).is_busy());
    }
}
