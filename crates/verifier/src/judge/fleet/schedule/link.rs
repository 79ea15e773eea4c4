//! Where each audit belongs among the schedules, and what stands against it there (spec verdict, clause V29).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_beacon::BeaconVerifier;
use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::Logged;
use bailiwick_protocol::ids::{AuditorKey, ScheduleDigest};
use bailiwick_protocol::schedule::{LogEntry, Offered, Outcome, hash_of_nonce};

use super::{Plan, Plans, offer};
use crate::anchors::Anchors;
use crate::judge::fleet::audits::{Core, Prepared};
use crate::judge::fleet::log::{Book, Seen};
use crate::judge::signatures::Signatures;
use crate::policy::Policy;
use crate::reasons::{Reason, ReasonCode};
use crate::time::duration;

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
pub(in crate::judge::fleet) struct Entered {
    logged: Logged,
    outcome: Option<Outcome>,
}

impl Entered {
    pub(in crate::judge::fleet) fn read(
        logged: Logged,
        auditor: &AuditorKey,
        signatures: &Signatures,
    ) -> Self {
        let outcome = match LogEntry::from_bytes(&logged.entry) {
            Ok(LogEntry::Outcome(s)) => signatures.verify(&s, auditor.as_bytes()).ok(),
            _ => None,
        };
        Self { logged, outcome }
    }
}

/// Where an audit belongs.
#[derive(Clone, Debug, Default)]
pub(in crate::judge::fleet) struct Link {
    /// Its schedule, if the auditor signed an outcome that names one.
    pub(in crate::judge::fleet) schedule: Option<ScheduleDigest>,
    /// When its round was published.
    pub(in crate::judge::fleet) published_ms: Option<u64>,
    /// That its outcome is in the log.
    pub(in crate::judge::fleet) logged: Option<Seen>,
    /// Why the question may have been known to host or auditor, or the answer picked.
    pub(in crate::judge::fleet) obstacles: Vec<Reason>,
    /// That its outcome was logged after the deadline.
    pub(in crate::judge::fleet) late: Option<Reason>,
    /// That it was logged in time for its schedule, and too late for the policy.
    pub(in crate::judge::fleet) slow: Option<Reason>,
    /// Why what its host signed may be anybody's who has the host's old key.
    pub(in crate::judge::fleet) undated: Option<Reason>,
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

/// What the reader brings to the placing of audits.
pub(in crate::judge::fleet) struct Reader<'a> {
    pub(in crate::judge::fleet) policy: &'a Policy,
    pub(in crate::judge::fleet) anchors: &'a Anchors,
    /// When a round is published, milliseconds since 1970-01-01 UTC.
    pub(in crate::judge::fleet) published: &'a dyn Fn(u64) -> Option<u64>,
    pub(in crate::judge::fleet) now_ms: u64,
}

/// Places audits in schedules.
pub(in crate::judge::fleet) struct Linker<'a> {
    plans: &'a Plans,
    book: &'a mut Book,
    rounds: BTreeMap<BeaconRound, Result<(), Reason>>,
    reader: Reader<'a>,
    answer_max_ms: u64,
}

impl<'a> Linker<'a> {
    pub(in crate::judge::fleet) fn new(
        plans: &'a Plans,
        prepared: &[Prepared],
        book: &'a mut Book,
        beacon: &BeaconVerifier,
        reader: Reader<'a>,
    ) -> Self {
        let rounds = verify_rounds(prepared, beacon);
        Self { plans, book, rounds, answer_max_ms: answer_max_ms(reader.policy), reader }
    }

    /// An auditor whose entry in the roster has ended, or has not begun, speaks only where a quorum saw its outcome within it: what
    /// it signs otherwise may be anybody's who has its old key.
    fn check_auditor(&self, core: &Core, link: &mut Link) {
        let valid = |at| self.reader.anchors.is_auditor_at(&core.auditor, at);
        if !valid(self.reader.now_ms) && !link.logged.is_some_and(|seen| valid(seen.by_ms)) {
            link.obstacles.push(Reason::new(
                ReasonCode::BundleNotByAuditor,
                "the roster\u{2019}s entry of its auditor is not valid at the moment, nor was it when a quorum of witnesses saw the outcome",
            ));
        }
    }

    /// The round that a question names dates nothing against its host: auditor and whoever has the host's old key choose it freely. Where
    /// the host's entry is not valid at the moment, only witnesses who saw the outcome within it say that the key was the host's then.
    fn check_date(&self, core: &Core, link: &mut Link) {
        let valid = |at| core.host.is_some_and(|h| self.reader.anchors.is_host_at(&h, at));
        if !valid(self.reader.now_ms) && !link.logged.is_some_and(|seen| valid(seen.by_ms)) {
            link.undated = Some(Reason::new(
                ReasonCode::HostNotAnchored,
                "the roster\u{2019}s entry of the host is not valid at the moment, nor was it when a quorum of witnesses saw the outcome: whoever has its old key could have signed this since",
            ));
        }
    }

    pub(in crate::judge::fleet) fn link(&mut self, core: &Core, entered: Option<&Entered>) -> Link {
        let mut link = self.place(core, entered);
        self.check_date(core, &mut link);
        link
    }

    fn place(&mut self, core: &Core, entered: Option<&Entered>) -> Link {
        let mut link = Link::default();
        if entered.is_none() && core.epoch == 0 && core.beacon.is_none() {
            // One audit by itself: the auditor's nonce, and the assumption that goes with it.
            self.check_auditor(core, &mut link);
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
        self.check_auditor(core, &mut link);
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
        let Some(published) = (self.reader.published)(round) else {
            return fail(
                ReasonCode::BeaconRefused,
                "the round of this epoch is beyond what the chain can date",
            );
        };
        link.published_ms = Some(published);
        if published > self.reader.now_ms {
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
