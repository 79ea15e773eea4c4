//! The engine: which step is due, one durable record at a time. It decides; ports act.
//!
//! [`Engine::advance`] takes the auditor's own steps: commitment, log, round, challenges, bundles. [`Engine::tasks`] hands
//! out what is to be asked of hosts, which [`crate::perform`] does on any thread, and [`Engine::settle`] takes the
//! reports back. Nothing here waits.

mod asking;
mod commit;
mod deadlines;
mod evidence;
mod logging;

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_beacon::{BeaconError, BeaconVerifier, TimeError};
use bailiwick_protocol::ids::{AuditorKey, HostKey};
use bailiwick_protocol::schedule::SignedSchedule;
use bailiwick_protocol::signing::SigningKey;

use crate::campaign::{Campaign, Silence, StateError};
use crate::journal::JournalError;
use crate::pace::{Moments, Pace};
use crate::ports::{Beacon, Entropy, Fault, Journal, Log, NoEntropy};
use crate::record::{EntryId, Record};

use asking::Work;
pub use asking::{Report, Task, perform};

/// What stops an engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The journal; nothing may be acted upon any more.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's records contradict each other.
    #[error(transparent)]
    State(#[from] StateError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The schedule names another auditor than the key given.
    #[error("the schedule is that of auditor {schedule}, the key given is of {key}")]
    AnotherAuditor {
        /// Of the schedule.
        schedule: AuditorKey,
        /// Given.
        key: AuditorKey,
    },
    /// The schedule names another chain than the one pinned.
    #[error("the schedule names another beacon chain than the one pinned")]
    AnotherChain,
    /// A round of the schedule has no time.
    #[error("a round of the schedule: {0}")]
    Time(#[from] TimeError),
    /// The pinned chain is no good.
    #[error(transparent)]
    Beacon(#[from] BeaconError),
    /// The log has entries signed by this auditor that this journal does not know: it is an old copy, or another
    /// journal has been at work. Going on would draw challenges a second time.
    #[error(
        "the log holds {} entries of this schedule that the journal does not know, the first at index {}, {:?}: the journal \
         was restored from an older state",
        unknown.len(), unknown[0].0, unknown[0].1
    )]
    JournalRolledBack {
        /// Index in the log and what it is, at least one.
        unknown: Vec<(u64, EntryId)>,
    },
    /// The log is smaller than it was: it lost entries that it had acknowledged.
    #[error("the log has {found} entries, it had {known} before: it was rolled back")]
    LogRolledBack {
        /// Entries it had.
        known: u64,
        /// Entries it has.
        found: u64,
    },
}

/// What an engine works with.
pub struct Ports {
    /// Where the history is kept.
    pub journal: Box<dyn Journal>,
    /// Where entries are logged.
    pub log: Box<dyn Log>,
    /// Where rounds come from.
    pub beacon: Box<dyn Beacon>,
    /// Where randomness comes from.
    pub entropy: Box<dyn Entropy>,
}

/// One campaign at work.
pub struct Engine {
    campaign: Campaign,
    ports: Ports,
    key: Arc<SigningKey>,
    verifier: BeaconVerifier,
    pace: Pace,
    work: BTreeMap<(u64, HostKey), Work>,
    silence: Silence,
    /// Whether the log was compared with the journal since this engine began.
    compared: bool,
    log_after_ms: u64,
    beacon_after_ms: u64,
    last_fault: Option<Fault>,
    observer: Box<dyn FnMut(&Record)>,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("campaign", &self.campaign).finish_non_exhaustive()
    }
}

impl Engine {
    /// Begins a campaign: the journal must be new, and gets the schedule as its first record.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn begin(
        schedule: SignedSchedule,
        key: Arc<SigningKey>,
        verifier: BeaconVerifier,
        pace: Pace,
        mut ports: Ports,
    ) -> Result<Self, EngineError> {
        let campaign = Campaign::new(&schedule)?;
        check(&campaign, &key, &verifier, &pace)?;
        ports.journal.append(&Record::Schedule(schedule))?;
        Ok(Self::with(campaign, key, verifier, pace, ports))
    }

    /// Goes on where the journal's `records` end, with the very same challenges.
    ///
    /// # Errors
    /// `EngineError`.
    pub fn resume(
        records: &[Record],
        key: Arc<SigningKey>,
        verifier: BeaconVerifier,
        pace: Pace,
        ports: Ports,
    ) -> Result<Self, EngineError> {
        let campaign = Campaign::replay(records)?;
        check(&campaign, &key, &verifier, &pace)?;
        Ok(Self::with(campaign, key, verifier, pace, ports))
    }

    fn with(
        campaign: Campaign,
        key: Arc<SigningKey>,
        verifier: BeaconVerifier,
        pace: Pace,
        ports: Ports,
    ) -> Self {
        Self {
            campaign,
            ports,
            key,
            verifier,
            pace,
            work: BTreeMap::new(),
            silence: Silence::new(),
            compared: false,
            log_after_ms: 0,
            beacon_after_ms: 0,
            last_fault: None,
            observer: Box::new(|_| {}),
        }
    }

    /// Hears of every record once it is durable and applied.
    pub fn observe(&mut self, observer: impl FnMut(&Record) + 'static) {
        self.observer = Box::new(observer);
    }

    /// The state.
    #[must_use]
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// What log or beacon last failed with, until it works again.
    #[must_use]
    pub fn last_fault(&self) -> Option<&Fault> {
        self.last_fault.as_ref()
    }

    /// Takes every step of the auditor's own that is due at `now_ms`. Faults of log and beacon are retried later.
    ///
    /// # Errors
    /// `EngineError`; the engine must be dropped, and resumed from its journal.
    pub fn advance(&mut self, now_ms: u64) -> Result<(), EngineError> {
        self.compare(now_ms)?;
        for epoch in self.open_epochs(now_ms) {
            self.advance_epoch(epoch, now_ms)?;
        }
        let campaign = &self.campaign;
        self.work.retain(|(epoch, _), _| !campaign.is_finished(*epoch));
        self.silence.retain(|(epoch, _), _| !campaign.is_finished(*epoch));
        self.log_entries(now_ms)
    }

    fn advance_epoch(&mut self, epoch: u64, now_ms: u64) -> Result<(), EngineError> {
        let moments = self.moments(epoch)?;
        self.commit_if_due(epoch, &moments, now_ms)?;
        self.round_if_due(epoch, &moments, now_ms)?;
        self.draw_challenges(epoch, now_ms)?;
        self.give_up_if_due(epoch, &moments, now_ms)?;
        self.bundle_if_ready(epoch)
    }

    /// Epochs that have begun at `now_ms` and are not finished.
    fn open_epochs(&self, now_ms: u64) -> Vec<u64> {
        let schedule = &self.campaign.schedule;
        (schedule.first_epoch..=schedule.last_epoch())
            .filter(|epoch| !self.campaign.is_finished(*epoch))
            .take_while(|epoch| self.moments(*epoch).is_ok_and(|m| m.begin_ms <= now_ms))
            .collect()
    }

    /// The moments of an epoch of the schedule.
    ///
    /// # Errors
    /// `Time`, for an epoch outside the schedule.
    pub fn moments(&self, epoch: u64) -> Result<Moments, EngineError> {
        Ok(Moments::of(&self.campaign.schedule, self.verifier.chain(), &self.pace, epoch)?)
    }

    /// Epochs at work at `now_ms`.
    #[must_use]
    pub fn at_work(&self, now_ms: u64) -> Vec<u64> {
        self.open_epochs(now_ms)
    }

    /// Whether something is under way at `now_ms`: an epoch that has begun, or the schedule not logged yet.
    #[must_use]
    pub fn is_busy(&self, now_ms: u64) -> bool {
        !self.campaign.entry.is_logged() || !self.open_epochs(now_ms).is_empty()
    }

    /// When to look again: soon while busy, else at the beginning of the next epoch; `None` after the last.
    #[must_use]
    pub fn next_due_ms(&self, now_ms: u64) -> Option<u64> {
        if self.is_busy(now_ms) {
            return Some(now_ms + self.pace.poll_ms);
        }
        let schedule = &self.campaign.schedule;
        let next = (schedule.first_epoch..=schedule.last_epoch()).find(|e| !self.campaign.is_finished(*e))?;
        self.moments(next).ok().map(|m| m.begin_ms)
    }

    /// Makes a record durable, then follows it. What it allows is done after this returns, never before.
    fn record(&mut self, record: &Record) -> Result<(), EngineError> {
        self.ports.journal.append(record)?;
        self.campaign.apply(record)?;
        (self.observer)(record);
        Ok(())
    }

    fn auditor(&self) -> AuditorKey {
        self.campaign.schedule.auditor
    }
}

fn check(
    campaign: &Campaign,
    key: &SigningKey,
    verifier: &BeaconVerifier,
    pace: &Pace,
) -> Result<(), EngineError> {
    let (schedule, key) = (&campaign.schedule, AuditorKey(key.public()));
    if schedule.auditor != key {
        return Err(EngineError::AnotherAuditor { schedule: schedule.auditor, key });
    }
    if schedule.chain != verifier.chain().hash {
        return Err(EngineError::AnotherChain);
    }
    for epoch in [schedule.first_epoch, schedule.last_epoch()] {
        Moments::of(schedule, verifier.chain(), pace, epoch)?;
    }
    Ok(())
}
