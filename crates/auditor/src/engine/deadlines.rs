//! When a host is asked again, and when it is given up.

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::ids::HostKey;

use super::asking::Work;
use super::{Engine, EngineError};
use crate::pace::Moments;
use crate::record::Record;

/// Longest pause that a host may ask for, milliseconds.
const RETRY_AFTER_MS_MAX: u64 = 60_000;

/// When a host is given up: at the cut-off. After a restart it has half of its time again, counted from this engine's first
/// question, so that an auditor's crash is never a host's failure.
pub(super) fn over_ms(moments: &Moments, work: &Work) -> u64 {
    let fair_ms = (moments.cutoff_ms - moments.round_ms) / 2;
    work.first_ms.map_or(moments.cutoff_ms, |first| moments.cutoff_ms.max(first.saturating_add(fair_ms)))
}

/// When to ask again after an error at `at_ms`: after `reask_ms`, or the longer pause that the host asks for, up to a minute, if it ends
/// in time for one more question before `until_ms`.
fn again_ms(at_ms: u64, reask_ms: u64, retry_after_ms: Option<u64>, until_ms: u64) -> u64 {
    let wished = at_ms.saturating_add(retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX));
    wished.min(until_ms.saturating_sub(reask_ms)).max(at_ms.saturating_add(reask_ms))
}

impl Engine {
    /// When to ask a host again after an error at `at_ms`.
    pub(super) fn again_ms(&self, epoch: u64, host: HostKey, retry_after_ms: Option<u64>, at_ms: u64) -> u64 {
        again_ms(at_ms, self.pace.reask_ms, retry_after_ms, self.last_question_ms(epoch, host))
    }

    /// Until when the question under way to a host is of use: the commitment for its inventory, else the moment it is given up.
    fn last_question_ms(&self, epoch: u64, host: HostKey) -> u64 {
        let Ok(moments) = self.moments(epoch) else { return 0 };
        if self.campaign.epochs.get(&epoch).is_none_or(|e| e.commitment.is_none()) {
            return moments.commit_ms;
        }
        self.work.get(&(epoch, host)).map_or(moments.cutoff_ms, |work| over_ms(&moments, work))
    }

    /// A lost answer is a failed answer, and so are opened leaves that do not come: both are asked for until the host is given up.
    pub(super) fn give_up_if_due(
        &mut self,
        epoch: u64,
        moments: &Moments,
        now_ms: u64,
    ) -> Result<(), EngineError> {
        if now_ms < moments.cutoff_ms {
            return Ok(());
        }
        let Some(e) = self.campaign.epochs.get(&epoch) else { return Ok(()) };
        let grace_ms = moments.close_ms - moments.cutoff_ms;
        let mut over = Vec::new();
        for (host, audit) in e.audits.iter().filter(|(_, a)| a.bundle.is_none()) {
            let Some(work) = self.work.get_mut(&(epoch, *host)) else { continue };
            let over_ms = over_ms(moments, work);
            if work.first_ms.is_none() || now_ms < over_ms {
                continue;
            }
            if audit.answer.is_some() {
                work.gathered.give_up(work.in_flight, now_ms >= over_ms.saturating_add(grace_ms));
            } else if work.attempted {
                over.push((*host, audit.asked_ms, work.last.unwrap_or(NoAnswer::TimedOut)));
            }
        }
        for (host, asked_ms, why) in over {
            let at_ms = now_ms.max(asked_ms);
            self.record(&Record::Answered { epoch, host, answer: Answer::None(why), at_ms })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::again_ms;

    /// B4: the host's pause counts between the auditor's own and a minute, and ends before the host is given up.
    #[test]
    fn b4_a_pause_is_bounded_on_all_sides() {
        let again = |retry_after| again_ms(1000, 200, retry_after, 500_000);
        assert_eq!([None, Some(0), Some(199)].map(again), [1200; 3]);
        assert_eq!([Some(5000), Some(60_000)].map(again), [6000, 61_000]);
        assert_eq!([Some(60_001), Some(u64::MAX)].map(again), [61_000; 2]);
        assert_eq!(again_ms(480_000, 200, Some(60_000), 500_000), 499_800);
        assert_eq!(again_ms(499_900, 200, Some(60_000), 500_000), 500_100, "too late for another question");
        assert_eq!(again_ms(u64::MAX, 200, Some(1), 0), u64::MAX);
    }
}
