//! One record after another: what each changes, and which cannot follow.

use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::{LogEntry, Offered};
use bailiwick_protocol::secret::Secret;

use super::{Audit, Campaign, Commitment, Entry, Epoch, StateError};
use crate::record::{EntryId, Record};

impl Campaign {
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
