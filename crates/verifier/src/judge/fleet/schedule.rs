//! Schedules and commitments in the log, and where each audit belongs among them.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_beacon::BeaconVerifier;
use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Logged;
use bailiwick_protocol::ids::{AuditorKey, HostKey, InventoryDigest, ScheduleDigest};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::{EpochCommitment, LogEntry, Offered, Outcome, Schedule, hash_of_nonce};
use bailiwick_protocol::signing::{Signed, SignedMessage};

use super::audits::{Core, Prepared};
use super::log::{Book, Seen};
use crate::anchors::Anchors;
use crate::judge::signatures::Signatures;
use crate::policy::Policy;
use crate::reasons::{Reason, ReasonCode};
use crate::time::duration;

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
    /// Schedules that the policy names.
    wanted: Option<BTreeSet<ScheduleDigest>>,
}

/// The message, if an anchored auditor signed it in its own name.
fn by_auditor<T: SignedMessage>(
    signed: &Signed<T>,
    anchors: &Anchors,
    named: fn(&T) -> AuditorKey,
) -> Option<T> {
    anchors.auditors().find_map(|key| signed.verify(key.as_bytes()).ok().filter(|m| named(m) == key))
}

impl Plans {
    pub(super) fn read(
        announced: &[Logged],
        policy: &Policy,
        anchors: &Anchors,
        book: &mut Book,
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
            let seen = match book.check(logged) {
                Ok(seen) => seen,
                Err(reason) => {
                    plans.refused.push(reason);
                    continue;
                }
            };
            match LogEntry::from_bytes(&logged.entry) {
                Ok(LogEntry::Schedule(s)) => match by_auditor(&s, anchors, |m| m.auditor) {
                    Some(schedule) => plans.announce(schedule, seen, anchors.beacon().hash),
                    None => ignored.push(unsigned()),
                },
                Ok(LogEntry::Epoch(s)) => match by_auditor(&s, anchors, |m| m.auditor) {
                    Some(c) => commitments.push((c, seen)),
                    None => ignored.push(unsigned()),
                },
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
        prepared: &[Prepared],
        beside: &[SignedInventory],
        anchors: &Anchors,
        ignored: &mut Vec<Reason>,
    ) {
        for c in prepared.iter().map(|p| &p.core) {
            if let (Some(host), Some(digest)) = (c.host, c.inventory) {
                self.inventories.entry((host, c.epoch)).or_default().insert(digest);
            }
        }
        for signed in beside {
            // Read before it is verified only to learn whose key to verify under.
            let host = signed.decode_unverified().ok().map(|i| i.host).filter(|h| anchors.host(h).is_some());
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

    /// Hosts and epochs with two signed inventories.
    pub(super) fn equivocations(&self) -> impl Iterator<Item = (&HostKey, u64)> {
        self.inventories.iter().filter(|(_, set)| set.len() > 1).map(|((host, epoch), _)| (host, *epoch))
    }

    /// Epochs with two commitments.
    pub(super) fn two_commitments(&self) -> impl Iterator<Item = (&ScheduleDigest, u64)> {
        self.commitments.iter().filter(|(_, list)| list.len() > 1).map(|((s, epoch), _)| (s, *epoch))
    }
}

/// Time that entering an outcome takes beside the answer itself, milliseconds: as much as an auditor keeps free for it.
const ENTERING_MS: u64 = 60_000;

/// Longest time from a round to the outcome in the log that is an answer in time, milliseconds, by the clocks of the witnesses: of a
/// policy that does not say, as long as it calls evidence fresh.
fn answer_max_ms(policy: &Policy) -> u64 {
    policy.stored.as_ref().map_or(u64::MAX, |t| match t.max_answer_seconds {
        Some(s) => u64::from(s) * 1000 + ENTERING_MS,
        None => u64::from(t.max_age_hours) * 3_600_000,
    })
}

/// The log entry beside an audit, and the outcome in it if the audit's auditor signed one.
pub(super) struct Entered {
    logged: Logged,
    outcome: Option<Outcome>,
}

impl Entered {
    pub(super) fn read(logged: Logged, auditor: &AuditorKey, signatures: &Signatures) -> Self {
        let outcome = match LogEntry::from_bytes(&logged.entry) {
            Ok(LogEntry::Outcome(s)) => signatures.verify(&s, auditor.as_bytes()).ok(),
            _ => None,
        };
        Self { logged, outcome }
    }
}

/// Where an audit belongs.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// Its schedule, if the auditor signed an outcome that names one.
    pub(super) schedule: Option<ScheduleDigest>,
    /// When its round was published.
    pub(super) published_ms: Option<u64>,
    /// That its outcome is in the log.
    pub(super) logged: Option<Seen>,
    /// Why the question may have been known to host or auditor, or the answer picked.
    pub(super) obstacles: Vec<Reason>,
    /// That its outcome was logged after the deadline.
    pub(super) late: Option<Reason>,
    /// That it was logged in time for its schedule, and too late for the policy.
    pub(super) slow: Option<Reason>,
}

/// Each round that an audit names, verified once.
fn verify_rounds(
    prepared: &[Prepared],
    beacon: &BeaconVerifier,
) -> BTreeMap<BeaconRound, Result<(), Reason>> {
    let rounds: BTreeSet<BeaconRound> = prepared.iter().filter_map(|p| p.core.beacon).collect();
    let check = |round: BeaconRound| {
        let refused = |e| Reason::new(ReasonCode::BeaconRefused, format!("the beacon round is refused: {e}"));
        (round, beacon.verify(&round).map_err(refused))
    };
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        rounds.into_par_iter().map(check).collect()
    }
    #[cfg(not(feature = "parallel"))]
    rounds.into_iter().map(check).collect()
}

/// Places audits in schedules.
pub(super) struct Linker<'a> {
    plans: &'a Plans,
    book: &'a mut Book,
    rounds: BTreeMap<BeaconRound, Result<(), Reason>>,
    published: &'a dyn Fn(u64) -> Option<u64>,
    answer_max_ms: u64,
    now_ms: u64,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        plans: &'a Plans,
        prepared: &[Prepared],
        book: &'a mut Book,
        beacon: &BeaconVerifier,
        published: &'a dyn Fn(u64) -> Option<u64>,
        policy: &Policy,
        now_ms: u64,
    ) -> Self {
        let rounds = verify_rounds(prepared, beacon);
        Self { plans, book, rounds, published, answer_max_ms: answer_max_ms(policy), now_ms }
    }

    pub(super) fn link(&mut self, core: &Core, entered: Option<&Entered>) -> Link {
        let mut link = Link::default();
        if entered.is_none() && core.epoch == 0 && core.beacon.is_none() {
            // One audit by itself: the auditor's nonce, and the assumption that goes with it.
            return link;
        }
        let mut fail = |code, text: &str| link.obstacles.push(Reason::new(code, text));
        let Some(Entered { logged, outcome }) = entered else {
            fail(
                ReasonCode::NotLogged,
                "the audit names an epoch, and the dossier does not show its outcome in a log",
            );
            return link;
        };
        let about = |o: &&Outcome| {
            o.auditor == core.auditor
                && o.epoch == core.epoch
                && Some(o.host) == core.host
                && o.bundle == core.digest
        };
        let Some(outcome) = outcome.as_ref().filter(about) else {
            fail(
                ReasonCode::LogProofRefused,
                "the log entry beside the audit is not its auditor\u{2019}s signed outcome of this very audit",
            );
            return link;
        };
        link.schedule = Some(outcome.schedule);
        match self.book.check(logged) {
            Ok(seen) => link.logged = Some(seen),
            Err(reason) => link.obstacles.push(reason),
        }
        self.check_schedule(core, outcome, &mut link);
        link
    }

    fn check_schedule(&mut self, core: &Core, outcome: &Outcome, link: &mut Link) {
        let mut fail = |code, text: &str| link.obstacles.push(Reason::new(code, text));
        let plan = self.plans.counted().find(|(d, _)| **d == outcome.schedule).map(|(_, p)| p);
        let Some(plan) = plan.filter(|p| p.schedule.auditor == core.auditor) else {
            return fail(
                ReasonCode::NoSchedule,
                "the audit belongs to a schedule that is not in the witnessed log, or does not count",
            );
        };
        let s = &plan.schedule;
        let (Some(round), Some(host)) = (s.round_of(core.epoch), core.host.and_then(|h| s.host(&h))) else {
            return fail(ReasonCode::OffSchedule, "the schedule has no such epoch or host");
        };
        if core.class != Some(host.class) || core.vk != Some(host.vk) {
            fail(ReasonCode::OffSchedule, "class or verifying key are not those of the schedule");
        }
        let Some(published) = (self.published)(round) else {
            return fail(
                ReasonCode::BeaconRefused,
                "the round of this epoch is beyond what the chain can date",
            );
        };
        link.published_ms = Some(published);
        if published > self.now_ms {
            link.obstacles.push(Reason::new(
                ReasonCode::BeaconFuture,
                "the round of this epoch is not published at the moment judged at",
            ));
        }
        self.check_beacon(core, round, link);
        self.check_commitment(core, outcome.schedule, plan, published, link);
        let deadline = published.saturating_add(s.answer_ms);
        if link.logged.is_some_and(|l| l.by_ms > deadline) {
            link.late = Some(Reason::new(
                ReasonCode::LoggedLate,
                "the outcome was in the log only after the deadline of its epoch: late is not an answer in time",
            ));
        }
        let took = link.logged.map_or(0, |l| l.by_ms.saturating_sub(published));
        if took > self.answer_max_ms {
            let text = format!(
                "witnesses saw the outcome {} after the round, the policy allows {}: late is not an answer in time",
                duration(took),
                duration(self.answer_max_ms)
            );
            link.slow = Some(Reason::new(ReasonCode::AnswerLate, text));
        }
    }

    fn check_beacon(&mut self, core: &Core, round: u64, link: &mut Link) {
        let Some(beacon) = &core.beacon else {
            return link.obstacles.push(Reason::new(
                ReasonCode::BeaconMissing,
                "the question holds no beacon round, so the auditor could have chosen it",
            ));
        };
        if beacon.round != round {
            return link.obstacles.push(Reason::new(
                ReasonCode::BeaconRefused,
                format!("the question holds beacon round {}, the epoch\u{2019}s is {round}", beacon.round),
            ));
        }
        if let Some(Err(reason)) = self.rounds.get(beacon) {
            link.obstacles.push(reason.clone());
        }
    }

    fn check_commitment(
        &self,
        core: &Core,
        schedule: ScheduleDigest,
        plan: &Plan,
        published: u64,
        link: &mut Link,
    ) {
        let (commitment, loose) = self.plans.fixed(schedule, plan, core.epoch, published);
        link.obstacles.extend(loose);
        let Some(c) = commitment else { return };
        let mut fail = |code, text: &str| link.obstacles.push(Reason::new(code, text));
        if core.nonce.as_ref().map(hash_of_nonce) != Some(c.nonce) {
            fail(ReasonCode::NonceDiffers, "the nonce of the question is not the one committed");
        }
        let committed = match core.host.and_then(|h| offer(c, &h)) {
            Some(Offered::Inventory(d)) => Some(d),
            Some(Offered::Nothing(_)) | None => None,
        };
        if core.inventory.is_none() || core.inventory != committed {
            fail(
                ReasonCode::InventoryNotCommitted,
                "what the question asks for is not the inventory committed before the round",
            );
        }
    }
}
