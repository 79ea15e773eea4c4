//! A journal in memory, for simulations and tests. What was appended survives the engine, like a disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::BundleDigest;

use crate::journal::JournalError;
use crate::ports::Journal;
use crate::record::Record;

#[derive(Debug, Default)]
struct Disk {
    records: Vec<Vec<u8>>,
    bundles: BTreeMap<BundleDigest, Vec<u8>>,
}

/// Clones share what they hold.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Disk>>);

impl MemoryJournal {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records so far, decoded from their bytes.
    ///
    /// # Errors
    /// `Record`.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        let name = || PathBuf::from("memory");
        let read = |(i, bytes): (usize, &Vec<u8>)| {
            Record::from_bytes(bytes).map_err(|source| JournalError::Record {
                path: name(),
                at: i as u64,
                source,
            })
        };
        self.disk().records.iter().enumerate().map(read).collect()
    }

    /// Records held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.disk().records.len()
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy as it was after the first `records`: what a restored backup would be.
    #[must_use]
    pub fn restored(&self, records: usize) -> Self {
        let disk = self.disk();
        let old = disk.records.iter().take(records).cloned().collect();
        Self(Arc::new(Mutex::new(Disk { records: old, bundles: disk.bundles.clone() })))
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.disk().records.push(record.to_bytes());
        Ok(())
    }

    fn put_bundle(&mut self, digest: &BundleDigest, bytes: &[u8]) -> Result<(), JournalError> {
        self.disk().bundles.insert(*digest, bytes.to_vec());
        Ok(())
    }

    fn bundle(&self, digest: &BundleDigest) -> Result<Vec<u8>, JournalError> {
        self.disk().bundles.get(digest).cloned().ok_or(JournalError::Bundle { digest: *digest })
    }
}
