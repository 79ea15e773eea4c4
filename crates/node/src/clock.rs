//! Noticing that the wall clock was set.

use std::time::{Duration, Instant};

/// Seconds of difference that are worth a line in the log.
const STEP_SECONDS: i64 = 2;

/// Wall clock and a clock that cannot be set, read together.
pub(crate) struct ClockWatch {
    wall: u64,
    at: Instant,
}

impl ClockWatch {
    pub(crate) fn new(wall: u64) -> Self {
        Self { wall, at: Instant::now() }
    }

    /// Logs when `wall`, seconds since 1970-01-01 UTC, is not where the time passed since the last look puts it.
    pub(crate) fn look(&mut self, wall: u64) {
        let at = Instant::now();
        if let Some(seconds) = step(self.wall, wall, at - self.at) {
            tracing::warn!(
                seconds,
                "the clock was set; requests signed by the other time are refused until the clocks agree"
            );
        }
        *self = Self { wall, at };
    }
}

/// By how many seconds the clock jumped, forward or back, if it did.
fn step(before: u64, after: u64, elapsed: Duration) -> Option<i64> {
    let passed = after.cast_signed().saturating_sub(before.cast_signed());
    let jump = passed.saturating_sub(elapsed.as_secs().cast_signed());
    (jump.saturating_abs() > STEP_SECONDS).then_some(jump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_seen_and_time_is_not() {
        let s = Duration::from_secs;
        assert_eq!(step(1000, 1000, s(0)), None);
        assert_eq!(step(1000, 1001, Duration::from_millis(250)), None);
        assert_eq!(step(1000, 1060, s(60)), None);
        assert_eq!(step(1000, 4600, s(0)), Some(3600));
        assert_eq!(step(4600, 1000, s(1)), Some(-3601));
    }
}
