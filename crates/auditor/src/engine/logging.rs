//! The log: comparing it with the journal after a start, entering what is signed, and getting proofs.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::schedule::LogEntry;

use super::{Engine, EngineError};
use crate::ports::Fault;
use crate::record::{EntryId, Record};

impl Engine {
    /// Once after a start: reads the log from where it was last compared. An entry of this schedule that the journal does
    /// not know means that the journal is an old copy. One that was sent before a crash gets its index here, so that it
    /// is not entered twice.
    pub(super) fn compare(&mut self, now_ms: u64) -> Result<(), EngineError> {
        if self.compared || now_ms < self.log_after_ms {
            return Ok(());
        }
        let (mut at, mut unknown) = (self.campaign.compared, Vec::new());
        loop {
            let page = match self.ports.log.entries(at) {
                Ok(page) => page,
                Err(fault) => {
                    self.log_failed(fault, now_ms);
                    return Ok(());
                }
            };
            if page.size < self.campaign.compared {
                return Err(EngineError::LogRolledBack { known: self.campaign.compared, found: page.size });
            }
            for entry in &page.entries {
                self.compare_entry(at, entry, &mut unknown)?;
                at += 1;
            }
            if at >= page.size {
                break;
            }
            if page.entries.is_empty() {
                // Entries that are not shown may be this auditor's: nothing was compared.
                let why = format!("no entry from {at} on, of {}", page.size);
                self.log_failed(Fault::Untrusted { who: "the log", why }, now_ms);
                return Ok(());
            }
        }
        if !unknown.is_empty() {
            return Err(EngineError::JournalRolledBack { unknown });
        }
        if at > self.campaign.compared {
            self.record(&Record::Compared { size: at })?;
        }
        self.compared = true;
        Ok(())
    }

    fn compare_entry(
        &mut self,
        index: u64,
        bytes: &[u8],
        unknown: &mut Vec<(u64, EntryId)>,
    ) -> Result<(), EngineError> {
        let Some(id) = self.ours(bytes) else { return Ok(()) };
        let hash: [u8; 32] = blake3::hash(bytes).into();
        if self.campaign.signed.get(&id) != Some(&hash) {
            unknown.push((index, id));
            return Ok(());
        }
        let waiting = self.campaign.entry_mut(id).is_some_and(|e| e.index.is_none());
        if waiting { self.record(&Record::Sequenced { id, index }) } else { Ok(()) }
    }

    /// Which entry of this schedule these bytes are, if this auditor has signed them.
    fn ours(&self, bytes: &[u8]) -> Option<EntryId> {
        let key = *self.auditor().as_bytes();
        let schedule = self.campaign.digest;
        match LogEntry::from_bytes(bytes).ok()? {
            LogEntry::Schedule(s) => {
                let s = s.verify(&key).ok()?;
                (s.digest() == schedule).then_some(EntryId::Schedule)
            }
            LogEntry::Epoch(c) => {
                let c = c.verify(&key).ok()?;
                (c.schedule == schedule).then_some(EntryId::Epoch(c.epoch))
            }
            LogEntry::Outcome(o) => {
                let o = o.verify(&key).ok()?;
                (o.schedule == schedule).then_some(EntryId::Outcome(o.epoch, o.host))
            }
        }
    }

    /// Enters what is signed and not in the log yet, all at once, and gets the proofs.
    pub(super) fn log_entries(&mut self, now_ms: u64) -> Result<(), EngineError> {
        if !self.compared || now_ms < self.log_after_ms {
            return Ok(());
        }
        let waiting: Vec<(EntryId, Vec<u8>)> = self
            .campaign
            .unlogged()
            .into_iter()
            .filter(|(_, e)| e.index.is_none())
            .map(|(id, e)| (id, e.bytes.clone()))
            .collect();
        if !waiting.is_empty() {
            let (ids, entries): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
            match self.ports.log.append(&entries) {
                Ok(indices) if indices.len() == ids.len() => {
                    for (id, index) in ids.into_iter().zip(indices) {
                        self.record(&Record::Sequenced { id, index })?;
                    }
                }
                Ok(_) => {
                    let why = "another number of indices than of entries".to_owned();
                    self.log_in_doubt(Fault::Untrusted { who: "the log", why }, now_ms);
                    return Ok(());
                }
                Err(fault) => {
                    self.log_in_doubt(fault, now_ms);
                    return Ok(());
                }
            }
        }
        self.prove_entries(now_ms)
    }

    fn prove_entries(&mut self, now_ms: u64) -> Result<(), EngineError> {
        let sequenced: Vec<(EntryId, u64, Vec<u8>)> = self
            .campaign
            .unlogged()
            .into_iter()
            .filter_map(|(id, e)| e.index.map(|index| (id, index, e.bytes.clone())))
            .collect();
        for (id, index, entry) in sequenced {
            match self.ports.log.proof(index, &entry) {
                // Worth waiting for more witnesses only as long as their time stamps help.
                Ok(proof) if proof.witnessed || now_ms >= self.useful_until(id)? => {
                    self.last_fault = None;
                    self.record(&Record::Logged { id, proof: proof.text, witnessed: proof.witnessed })?;
                }
                Ok(_) => self.log_after_ms = now_ms + self.pace.poll_ms,
                Err(fault) => {
                    self.log_failed(fault, now_ms);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Until when a cosigned checkpoint still shows that the entry was in time.
    fn useful_until(&self, id: EntryId) -> Result<u64, EngineError> {
        match id {
            EntryId::Schedule => Ok(self.moments(self.campaign.schedule.first_epoch)?.round_ms),
            EntryId::Epoch(epoch) => Ok(self.moments(epoch)?.round_ms),
            EntryId::Outcome(epoch, _) => Ok(self.moments(epoch)?.deadline_ms),
        }
    }

    fn log_failed(&mut self, fault: Fault, now_ms: u64) {
        self.log_after_ms = now_ms + self.pace.reask_ms;
        self.last_fault = Some(fault);
    }

    /// The entries may be in the log or not: look before they are sent again.
    fn log_in_doubt(&mut self, fault: Fault, now_ms: u64) {
        self.compared = false;
        self.log_failed(fault, now_ms);
    }
}
