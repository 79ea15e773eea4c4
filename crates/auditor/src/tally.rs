//! Counts of a campaign, for progress and metrics. Replayed from the journal, so they survive a restart.

use std::collections::BTreeMap;

use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::schedule::Schedule;

/// What became of the questions to one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostTally {
    /// Answers with a proof, not judged.
    pub proofs: u64,
    /// Signed answers that say it cannot prove.
    pub cannot_prove: u64,
    /// Refused until given up.
    pub refused: u64,
    /// Timed out until given up.
    pub timed_out: u64,
    /// Unreachable until given up.
    pub unreachable: u64,
    /// Milliseconds of the last answer, from the drawing of the challenge.
    pub last_answer_ms: u64,
}

/// Counts of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Epochs of the schedule.
    pub epochs: u64,
    /// Epochs with every outcome logged.
    pub epochs_done: u64,
    /// Epochs whose commitment came too late to be made.
    pub epochs_missed: u64,
    /// Inventories received.
    pub inventories: u64,
    /// Inventories that commitments say are missing.
    pub inventories_missing: u64,
    /// Second inventories of one host and epoch.
    pub second_inventories: u64,
    /// Challenges drawn.
    pub asked: u64,
    /// Bundles signed.
    pub bundles: u64,
    /// Entries logged.
    pub logged: u64,
    /// Of those, without enough cosignatures.
    pub unwitnessed: u64,
    /// By host.
    pub hosts: BTreeMap<HostKey, HostTally>,
}

impl Tally {
    pub(crate) fn of(schedule: &Schedule) -> Self {
        let hosts = schedule.hosts.iter().map(|h| (h.host, HostTally::default())).collect();
        Self { epochs: schedule.epochs, hosts, ..Self::default() }
    }

    pub(crate) fn answered(&mut self, answer: &Answer, host: &HostKey, took_ms: u64) {
        let Some(h) = self.hosts.get_mut(host) else { return };
        h.last_answer_ms = took_ms;
        match answer {
            // Signed by the host: checked before the record was written.
            Answer::Response(r) => match r.decode_unverified().map(|r| r.outcome) {
                Ok(Ok(_)) => h.proofs += 1,
                _ => h.cannot_prove += 1,
            },
            Answer::None(NoAnswer::TimedOut) => h.timed_out += 1,
            Answer::None(NoAnswer::Unreachable) => h.unreachable += 1,
            Answer::None(_) => h.refused += 1,
        }
    }
}
