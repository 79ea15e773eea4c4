//! When what is due: moments of an epoch, all derived from the schedule, the chain and the auditor's own pace.

use bailiwick_beacon::{ChainInfo, Round, TimeError};
use bailiwick_protocol::schedule::Schedule;

/// How an auditor works, none of which a verifier needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds before the round at which inventories are asked for.
    pub lead_ms: u64,
    /// Milliseconds before the round at which the commitment is made, however many inventories are there.
    pub commit_ms: u64,
    /// Milliseconds of the time to answer that are kept for signing and logging what came.
    pub reserve_ms: u64,
    /// Milliseconds between looks at a host's work.
    pub poll_ms: u64,
    /// Milliseconds before the same question is asked again after an error.
    pub reask_ms: u64,
    /// Random blocks to fetch of each host and epoch.
    pub probes: u32,
}

impl Pace {
    /// For a time to answer of `answer_ms`: inventories up to ten minutes ahead, a quarter of the time, at most a minute,
    /// for logging.
    #[must_use]
    pub fn of(answer_ms: u64) -> Self {
        Self {
            lead_ms: 600_000.min(answer_ms),
            commit_ms: 300_000.min(answer_ms / 2),
            reserve_ms: 60_000.min(answer_ms / 4),
            poll_ms: (answer_ms / 600).clamp(50, 1000),
            reask_ms: (answer_ms / 60).clamp(200, 30_000),
            probes: 4,
        }
    }
}

/// The moments of one epoch, Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// Inventories are asked for from here on.
    pub begin_ms: u64,
    /// The commitment is made at the latest here.
    pub commit_ms: u64,
    /// The round is published.
    pub round_ms: u64,
    /// Hosts are given up here.
    pub cutoff_ms: u64,
    /// What was asked of a host just before the cut-off is waited for until here; the rest of the time is for logging.
    pub close_ms: u64,
    /// Outcomes are late after this.
    pub deadline_ms: u64,
}

impl Moments {
    /// Of `epoch`, which is one of the schedule's.
    ///
    /// # Errors
    /// `TimeError` when the round lies beyond the end of time; `RoundZero` for an epoch outside the schedule.
    pub fn of(schedule: &Schedule, chain: &ChainInfo, pace: &Pace, epoch: u64) -> Result<Self, TimeError> {
        let round = Round::new(schedule.round_of(epoch).unwrap_or(0))?;
        let round_ms = chain.published_at(round)?;
        let deadline_ms = round_ms.saturating_add(schedule.answer_ms);
        let cutoff_ms = deadline_ms.saturating_sub(pace.reserve_ms).max(round_ms);
        Ok(Self {
            begin_ms: round_ms.saturating_sub(pace.lead_ms),
            commit_ms: round_ms.saturating_sub(pace.commit_ms),
            round_ms,
            cutoff_ms,
            close_ms: cutoff_ms.midpoint(deadline_ms),
            deadline_ms,
        })
    }
}
