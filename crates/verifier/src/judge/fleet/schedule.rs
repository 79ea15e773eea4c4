//! Schedules, commitments and inventories that were announced.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Logged;
use bailiwick_protocol::ids::{AuditorKey, HostKey, InventoryDigest, ScheduleDigest};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::{EpochCommitment, LogEntry, Offered, Schedule};
use bailiwick_protocol::signing::{Signed, SignedMessage};

use super::audits::Audited;
use super::log::{Book, Seen};
use super::sharing::Records;
use crate::anchors::Anchors;
use crate::policy::Policy;
use crate::reasons::{Reason, ReasonCode};

pub(super) use link::{Entered, Link, Linker, Reader};

mod link;

/// A schedule in the log.
pub(super) struct Plan {
    pub(super) schedule: Schedule,
    pub(super) seen: Seen,
}

/// What a commitment says of a host; its hosts ascend strictly.
pub(super) fn offer(c: &EpochCommitment, host: &HostKey) -> Option<Offered> {
    c.hosts.binary_search_by(|(h, _)| h.cmp(host)).ok().map(|i| c.hosts[i].1)
}

/// Everything announced.
#[derive(Default)]
pub(super) struct Plans {
    pub(super) plans: BTreeMap<ScheduleDigest, Plan>,
    /// Commitments to each epoch of a schedule; more than one is equivocation.
    pub(super) commitments: BTreeMap<(ScheduleDigest, u64), Vec<(EpochCommitment, Seen)>>,
    /// Inventories each host signed for each epoch.
    inventories: BTreeMap<(HostKey, u64), BTreeSet<InventoryDigest>>,
    /// Why announcements are not used.
    pub(super) refused: Vec<Reason>,
    /// Releases of custodians on record.
    pub(super) releases: Records,
    /// Schedules that the policy names.
    wanted: Option<BTreeSet<ScheduleDigest>>,
}

/// The message, if an anchored auditor signed it in its own name, whose entry in a roster was valid when a quorum had seen it or is now.
fn by_auditor<T: SignedMessage>(
    signed: &Signed<T>,
    anchors: &Anchors,
    moments: [u64; 2],
    named: fn(&T) -> AuditorKey,
) -> Option<T> {
    let valid = |key: &AuditorKey| moments.iter().any(|at| anchors.is_auditor_at(key, *at));
    let mut auditors = anchors.auditors().filter(valid);
    auditors.find_map(|key| signed.verify(key.as_bytes()).ok().filter(|m| named(m) == key))
}

impl Plans {
    pub(super) fn read(
        announced: &[Logged],
        policy: &Policy,
        anchors: &Anchors,
        book: &mut Book,
        now_ms: u64,
        ignored: &mut Vec<Reason>,
    ) -> Self {
        let mut plans =
            Self { wanted: policy.logged.as_ref().and_then(|t| t.schedules.clone()), ..Self::default() };
        let unsigned = || {
            Reason::new(
                ReasonCode::LogProofRefused,
                "an announcement in the dossier is not signed by an anchored auditor, or is of another kind",
            )
        };
        let mut commitments = Vec::new();
        for logged in announced {
            if plans.releases.take(&logged.entry) {
                continue;
            }
            let seen = match book.check(logged) {
                Ok(seen) => seen,
                Err(reason) => {
                    plans.refused.push(reason);
                    continue;
                }
            };
            match LogEntry::from_bytes(&logged.entry) {
                Ok(LogEntry::Schedule(s)) => {
                    match by_auditor(&s, anchors, [seen.by_ms, now_ms], |m| m.auditor) {
                        Some(schedule) => plans.announce(schedule, seen, anchors.beacon().hash),
                        None => ignored.push(unsigned()),
                    }
                }
                Ok(LogEntry::Epoch(s)) => {
                    match by_auditor(&s, anchors, [seen.by_ms, now_ms], |m| m.auditor) {
                        Some(c) => commitments.push((c, seen)),
                        None => ignored.push(unsigned()),
                    }
                }
                Ok(LogEntry::Outcome(_)) | Err(_) => ignored.push(unsigned()),
            }
        }
        for (c, seen) in commitments {
            if plans.plans.get(&c.schedule).is_some_and(|p| p.schedule.auditor == c.auditor) {
                plans.commitments.entry((c.schedule, c.epoch)).or_default().push((c, seen));
            }
        }
        plans
    }

    /// A schedule of rounds that the reader's chain does not publish has no epochs that anyone could date.
    fn announce(&mut self, schedule: Schedule, seen: Seen, chain: [u8; 32]) {
        let digest = schedule.digest();
        if schedule.chain == chain {
            self.plans.insert(digest, Plan { schedule, seen });
        } else if self.wanted.as_ref().is_none_or(|set| set.contains(&digest)) {
            let text = format!("schedule {digest} names another beacon chain than the trust anchors");
            self.refused.push(Reason::new(ReasonCode::BeaconRefused, text));
        }
    }

    /// The one commitment to an epoch of a counted schedule, and why what it says was not fixed before the round.
    pub(super) fn fixed(
        &self,
        digest: ScheduleDigest,
        plan: &Plan,
        epoch: u64,
        published: u64,
    ) -> (Option<&EpochCommitment>, Vec<Reason>) {
        let mut loose = Vec::new();
        let mut fail = |code, text: &str| loose.push(Reason::new(code, text));
        if plan.seen.by_ms >= published {
            fail(
                ReasonCode::CommittedLate,
                "the schedule was not in the witnessed log before the round of this epoch",
            );
        }
        let one = match self.commitments.get(&(digest, epoch)).map(Vec::as_slice) {
            Some([(one, seen)]) => {
                if seen.by_ms >= published {
                    fail(
                        ReasonCode::CommittedLate,
                        "the commitment to this epoch was not in the witnessed log before its round",
                    );
                }
                Some(one)
            }
            Some([_, ..]) => {
                fail(
                    ReasonCode::TwoCommitments,
                    "the auditor committed to this epoch twice, and could choose",
                );
                None
            }
            _ => {
                fail(
                    ReasonCode::NotCommitted,
                    "the witnessed log holds no commitment to this epoch, so nonce and inventory could be chosen after the round",
                );
                None
            }
        };
        (one, loose)
    }

    /// Whether the policy says which schedules count; else those that the dossier shows do.
    pub(super) const fn are_named(&self) -> bool {
        self.wanted.is_some()
    }

    /// Schedules that count.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&ScheduleDigest, &Plan)> {
        self.plans.iter().filter(|(d, _)| self.wanted.as_ref().is_none_or(|set| set.contains(*d)))
    }

    /// Schedules the policy names and the log does not show.
    pub(super) fn absent(&self) -> usize {
        self.wanted.iter().flatten().filter(|d| !self.plans.contains_key(*d)).count()
    }

    /// Inventories of one host and epoch, those in the audits and those beside them.
    pub(super) fn count_inventories(
        &mut self,
        audits: &[Audited],
        beside: &[SignedInventory],
        anchors: &Anchors,
        now_ms: u64,
        ignored: &mut Vec<Reason>,
    ) {
        // An inventory in an audit is verified under the key that the question names, whoever's that is.
        for c in audits.iter().filter(|a| a.link.undated.is_none()).map(|a| &a.core) {
            if let (Some(host), Some(digest)) = (c.host, c.inventory) {
                self.inventories.entry((host, c.epoch)).or_default().insert(digest);
            }
        }
        for signed in beside {
            // Read before it is verified only to learn whose key to verify under. Nothing dates it: once the host's entry has ended,
            // whoever has its old key by then could frame the host.
            let host =
                signed.decode_unverified().ok().map(|i| i.host).filter(|h| anchors.is_host_at(h, now_ms));
            match host.and_then(|h| signed.verify(h.as_bytes()).ok()) {
                Some(i) => {
                    self.inventories.entry((i.host, i.epoch)).or_default().insert(i.digest());
                }
                None => ignored.push(Reason::new(
                    ReasonCode::InventoryNotByHost,
                    "an inventory in the dossier is not signed by an anchored host",
                )),
            }
        }
    }

    /// Whether the host signed an inventory of this or an earlier epoch: whether it ever had something to list.
    pub(super) fn has_listed(&self, host: &HostKey, epoch: u64) -> bool {
        self.inventories.range((*host, 0)..=(*host, epoch)).next().is_some()
    }

    /// Hosts and epochs with two signed inventories.
    pub(super) fn equivocations(&self) -> impl Iterator<Item = (&HostKey, u64)> {
        self.inventories.iter().filter(|(_, set)| set.len() > 1).map(|((host, epoch), _)| (host, *epoch))
    }

    /// Epochs with two commitments.
    pub(super) fn two_commitments(&self) -> impl Iterator<Item = (&ScheduleDigest, u64)> {
        self.commitments.iter().filter(|(_, list)| list.len() > 1).map(|((s, epoch), _)| (s, *epoch))
    }
}
