//! The state of one schedule: what its journal says, and nothing else.

use std::collections::BTreeMap;

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::ids::{BundleDigest, ChallengeDigest, HostKey, ScheduleDigest};
use bailiwick_protocol::inventory::{Inventory, SignedInventory};
use bailiwick_protocol::schedule::{LogEntry, Offered, Schedule, SignedSchedule};
use bailiwick_protocol::secret::Secret;

use crate::record::{EntryId, Record};
use crate::tally::Tally;

mod apply;

/// A journal that does not describe a campaign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It does not begin with a schedule, or has two.
    #[error("the journal does not begin with one schedule")]
    NoSchedule,
    /// A record that cannot follow those before it.
    #[error("the journal tells of {what} out of turn, epoch {epoch}")]
    OutOfTurn {
        /// What the record says.
        what: &'static str,
        /// The epoch.
        epoch: u64,
    },
    /// A message in it does not verify.
    #[error("the journal: {0}")]
    Message(#[from] CodecError),
}

/// An entry on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Canonical [`LogEntry`]; empty once logged.
    pub(crate) bytes: Vec<u8>,
    /// Its index, once known.
    pub(crate) index: Option<u64>,
    /// Whether a proof is journaled, and whether enough witnesses stand behind it.
    pub(crate) logged: Option<bool>,
}

impl Entry {
    fn new(entry: &LogEntry) -> Self {
        Self { bytes: entry.to_bytes(), index: None, logged: None }
    }

    fn hash(&self) -> [u8; 32] {
        blake3::hash(&self.bytes).into()
    }

    /// Whether a proof is at hand.
    pub(crate) const fn is_logged(&self) -> bool {
        self.logged.is_some()
    }
}

/// The audit of one host in one epoch.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) challenge: SignedChallenge,
    pub(crate) digest: ChallengeDigest,
    pub(crate) asked_ms: u64,
    pub(crate) answer: Option<(Answer, u64)>,
    pub(crate) bundle: Option<(BundleDigest, Entry)>,
}

/// What is fixed before the round.
#[derive(Debug)]
pub(crate) struct Commitment {
    pub(crate) nonce: Secret<32>,
    /// Of every host of the schedule.
    pub(crate) hosts: BTreeMap<HostKey, Offered>,
    pub(crate) entry: Entry,
}

/// One epoch that has begun.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    pub(crate) inventories: BTreeMap<HostKey, (SignedInventory, Inventory)>,
    pub(crate) commitment: Option<Commitment>,
    pub(crate) round: Option<BeaconRound>,
    pub(crate) audits: BTreeMap<HostKey, Audit>,
    pub(crate) missed: bool,
    /// Nothing is left to do; what was only needed on the way is dropped.
    pub(crate) finished: bool,
}

impl Epoch {
    /// Hosts that committed to an inventory: those that can be asked.
    pub(crate) fn asked_hosts(&self) -> impl Iterator<Item = &HostKey> {
        self.inventories.keys()
    }

    fn is_finished(&self) -> bool {
        let Some(commitment) = &self.commitment else { return self.missed };
        let logged = |a: &Audit| a.bundle.as_ref().is_some_and(|(_, e)| e.is_logged());
        commitment.entry.is_logged()
            && self.asked_hosts().all(|host| self.audits.get(host).is_some_and(logged))
    }
}

/// The state of one schedule.
#[derive(Debug)]
pub struct Campaign {
    pub(crate) schedule: Schedule,
    pub(crate) digest: ScheduleDigest,
    pub(crate) entry: Entry,
    pub(crate) epochs: BTreeMap<u64, Epoch>,
    /// BLAKE3 of every entry signed so far: what of ours may be in the log.
    pub(crate) signed: BTreeMap<EntryId, [u8; 32]>,
    /// Entries of the log compared with the journal.
    pub(crate) compared: u64,
    pub(crate) tally: Tally,
}

impl Campaign {
    /// A campaign that has only its schedule, which must verify under the key it names.
    ///
    /// # Errors
    /// `Message`.
    pub fn new(signed: &SignedSchedule) -> Result<Self, StateError> {
        let named = signed.decode_unverified()?.auditor;
        let schedule = signed.verify(named.as_bytes())?;
        let entry = Entry::new(&LogEntry::Schedule(signed.clone()));
        Ok(Self {
            digest: schedule.digest(),
            signed: BTreeMap::from([(EntryId::Schedule, entry.hash())]),
            entry,
            epochs: BTreeMap::new(),
            compared: 0,
            tally: Tally::of(&schedule),
            schedule,
        })
    }

    /// The campaign a journal describes.
    ///
    /// # Errors
    /// `StateError`.
    pub fn replay(records: &[Record]) -> Result<Self, StateError> {
        let Some((Record::Schedule(schedule), rest)) = records.split_first() else {
            return Err(StateError::NoSchedule);
        };
        let mut campaign = Self::new(schedule)?;
        rest.iter().try_for_each(|record| campaign.apply(record))?;
        Ok(campaign)
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Counts for people and metrics.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether nothing of an epoch is left to do.
    #[must_use]
    pub fn is_finished(&self, epoch: u64) -> bool {
        self.epochs.get(&epoch).is_some_and(|e| e.finished)
    }

    /// Hosts asked in an epoch, and how many of their outcomes are logged.
    #[must_use]
    pub fn progress(&self, epoch: u64) -> (usize, usize) {
        let Some(e) = self.epochs.get(&epoch) else { return (0, 0) };
        let logged = |a: &&Audit| a.bundle.as_ref().is_some_and(|(_, e)| e.is_logged());
        (e.inventories.len(), e.audits.values().filter(logged).count())
    }

    /// The entry of an id.
    pub(crate) fn entry_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        match id {
            EntryId::Schedule => Some(&mut self.entry),
            EntryId::Epoch(epoch) => self.epochs.get_mut(&epoch)?.commitment.as_mut().map(|c| &mut c.entry),
            EntryId::Outcome(epoch, host) => {
                self.epochs.get_mut(&epoch)?.audits.get_mut(&host)?.bundle.as_mut().map(|(_, e)| e)
            }
        }
    }

    /// Entries that have no proof yet, in the order they are to be logged.
    pub(crate) fn unlogged(&self) -> Vec<(EntryId, &Entry)> {
        let mut out = vec![(EntryId::Schedule, &self.entry)];
        for (epoch, e) in self.epochs.iter().filter(|(_, e)| !e.finished) {
            out.extend(e.commitment.iter().map(|c| (EntryId::Epoch(*epoch), &c.entry)));
            for (host, audit) in &e.audits {
                out.extend(audit.bundle.iter().map(|(_, entry)| (EntryId::Outcome(*epoch, *host), entry)));
            }
        }
        out.retain(|(_, e)| !e.is_logged());
        out
    }
}

/// Why a host offered nothing, kept until the commitment says it.
pub(crate) type Silence = BTreeMap<(u64, HostKey), NoAnswer>;
