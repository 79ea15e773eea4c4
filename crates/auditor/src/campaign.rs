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

    /// Follows one record.
    ///
    /// # Errors
    /// `OutOfTurn`, `Message`.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), StateError> {
        match record {
            Record::Schedule(_) => return Err(StateError::NoSchedule),
            Record::Inventory { epoch, host, inventory } => self.offered(*epoch, *host, inventory)?,
            Record::Committed { epoch, nonce, commitment } => {
                let signed = commitment.verify(self.schedule.auditor.as_bytes())?;
                let entry = Entry::new(&LogEntry::Epoch(commitment.clone()));
                let hash = entry.hash();
                let e = self.open("a commitment", *epoch)?;
                if e.commitment.is_some() {
                    return Err(out_of_turn("a second commitment", *epoch));
                }
                e.commitment = Some(Commitment {
                    nonce: Secret::init_with(|s| s.copy_from_slice(nonce.expose_secret())),
                    hosts: signed.hosts.into_iter().collect(),
                    entry,
                });
                self.signed.insert(EntryId::Epoch(*epoch), hash);
            }
            Record::Round { epoch, round } => self.open("a round", *epoch)?.round = Some(*round),
            Record::Asked { epoch, host, challenge, at_ms } => {
                self.asked(*epoch, *host, challenge, *at_ms)?
            }
            Record::Answered { epoch, host, answer, at_ms } => {
                let audit = self.audit("an answer", *epoch, host)?;
                audit.answer = Some((answer.clone(), *at_ms));
                let took = at_ms.saturating_sub(audit.asked_ms);
                self.tally.answered(answer, host, took);
            }
            Record::Second { .. } => self.tally.second_inventories += 1,
            Record::Bundled { epoch, host, bundle, outcome } => {
                let entry = Entry::new(&LogEntry::Outcome(outcome.clone()));
                let hash = entry.hash();
                self.audit("a bundle", *epoch, host)?.bundle = Some((*bundle, entry));
                self.signed.insert(EntryId::Outcome(*epoch, *host), hash);
                self.tally.bundles += 1;
            }
            Record::Sequenced { id, index } => {
                self.entry_mut(*id).ok_or(out_of_turn("an index", epoch_of(*id)))?.index = Some(*index);
            }
            Record::Logged { id, witnessed, .. } => self.logged(*id, *witnessed)?,
            Record::Missed { epoch } => {
                self.open("a missed epoch", *epoch)?.missed = true;
                self.tally.epochs_missed += 1;
                self.finish(*epoch);
            }
            Record::Compared { size } => self.compared = *size,
        }
        Ok(())
    }

    fn offered(&mut self, epoch: u64, host: HostKey, signed: &SignedInventory) -> Result<(), StateError> {
        let inventory = signed.verify(host.as_bytes())?;
        let e = self.open("an inventory", epoch)?;
        if e.commitment.is_some() || e.inventories.contains_key(&host) {
            return Err(out_of_turn("an inventory", epoch));
        }
        e.inventories.insert(host, (signed.clone(), inventory));
        self.tally.inventories += 1;
        Ok(())
    }

    fn asked(
        &mut self,
        epoch: u64,
        host: HostKey,
        challenge: &SignedChallenge,
        asked_ms: u64,
    ) -> Result<(), StateError> {
        let digest = challenge.verify(self.schedule.auditor.as_bytes())?.digest();
        let e = self.open("a challenge", epoch)?;
        // Never two challenges: that is what a re-draw would be.
        if e.round.is_none() || e.audits.contains_key(&host) || !e.inventories.contains_key(&host) {
            return Err(out_of_turn("a challenge", epoch));
        }
        let audit = Audit { challenge: challenge.clone(), digest, asked_ms, answer: None, bundle: None };
        e.audits.insert(host, audit);
        self.tally.asked += 1;
        Ok(())
    }

    fn logged(&mut self, id: EntryId, witnessed: bool) -> Result<(), StateError> {
        let entry = self.entry_mut(id).ok_or(out_of_turn("a log proof", epoch_of(id)))?;
        entry.logged = Some(witnessed);
        entry.bytes = Vec::new();
        self.tally.logged += 1;
        self.tally.unwitnessed += u64::from(!witnessed);
        match id {
            EntryId::Schedule => {}
            EntryId::Epoch(epoch) | EntryId::Outcome(epoch, _) => {
                if let EntryId::Epoch(_) = id {
                    let silent = self.epochs[&epoch]
                        .commitment
                        .as_ref()
                        .map_or(0, |c| c.hosts.values().filter(|o| matches!(o, Offered::Nothing(_))).count());
                    self.tally.inventories_missing += silent as u64;
                }
                if self.epochs[&epoch].is_finished() {
                    self.tally.epochs_done += 1;
                    self.finish(epoch);
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, epoch: u64) {
        if let Some(e) = self.epochs.get_mut(&epoch) {
            *e = Epoch { finished: true, missed: e.missed, ..Epoch::default() };
        }
    }

    fn open(&mut self, what: &'static str, epoch: u64) -> Result<&mut Epoch, StateError> {
        if self.schedule.round_of(epoch).is_none() {
            return Err(out_of_turn(what, epoch));
        }
        let e = self.epochs.entry(epoch).or_default();
        if e.finished { Err(out_of_turn(what, epoch)) } else { Ok(e) }
    }

    fn audit(&mut self, what: &'static str, epoch: u64, host: &HostKey) -> Result<&mut Audit, StateError> {
        self.open(what, epoch)?.audits.get_mut(host).ok_or(out_of_turn(what, epoch))
    }
}

const fn out_of_turn(what: &'static str, epoch: u64) -> StateError {
    StateError::OutOfTurn { what, epoch }
}

const fn epoch_of(id: EntryId) -> u64 {
    match id {
        EntryId::Schedule => 0,
        EntryId::Epoch(epoch) | EntryId::Outcome(epoch, _) => epoch,
    }
}

/// Why a host offered nothing, kept until the commitment says it.
pub(crate) type Silence = BTreeMap<(u64, HostKey), NoAnswer>;
