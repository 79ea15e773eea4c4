//! Replacing an object's envelope: the body, its tables and its tree stay where they are, not a byte of them is read or written.
//!
//! Write order (spec store, clause W9): the new envelope's file, `fsync`, rename, `fsync` of the directory; then the object's file gets
//! the name of the new generation as a second one, `fsync` of the directory; index; the old name goes, and then the old envelope's file. A
//! crash anywhere leaves the old version or the new one, whole.

use std::io;
use std::path::Path;

use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{CellRoot, OwnerKey};

use crate::envelope_file::encode;
use crate::error::{DamagedPart, StoreError};
use crate::layout::envelope_beside;
use crate::object_file::{ObjectFile, OpenError};
use crate::record::ObjectRecord;
use crate::store::{Inner, Store, missing, now_unix_ms};
use crate::upload::{Stored, Verdict};

impl Store {
    /// Replaces the envelope of a stored object by a later generation over the very same body, which is neither read nor copied: what it
    /// costs does not depend on the body's size. That the body is still whole is for scrub to say.
    ///
    /// # Errors
    /// `NotFound` when nothing is stored; `ContentMismatch` and `CellTreeMismatch` when the new envelope is of another body; `Damaged`
    /// when the object is known to be (put it whole); what [`Store::begin_put`] says; `SyncFailed`, `NoSpace`, `Io`.
    pub fn replace_envelope(&self, signed_envelope: &[u8], owner: &OwnerKey) -> Result<Stored, StoreError> {
        let inner = &self.inner;
        let (signed, envelope) = inner.admitted(signed_envelope, owner)?;
        // Most are refused, or are stored, before anything is written.
        if let Judged::Same(record) = inner.judge_replacement(&signed, &envelope)? {
            return Ok(Stored { record, already: true });
        }
        let now = now_unix_ms();
        let bytes = encode(signed_envelope, now);
        let _reservation = inner.accounts.reserve(*owner, bytes.len() as u64)?;
        let temporary = inner.temporary_path();
        let file = inner.disk.create(&temporary)?;
        let written = file.write_all_at(0, &bytes).map_err(|e| StoreError::io("write", &temporary, e));
        let replaced = written.and_then(|()| {
            inner.disk.sync(&*file, &temporary)?;
            inner.replace(&signed, &envelope, &temporary, (bytes.len() as u64, now))
        });
        if !matches!(replaced, Ok(Stored { already: false, .. })) {
            // Best effort, and it may have its name: what stays is swept at the next start.
            let _ = inner.disk.remove(&temporary);
        }
        replaced
    }
}

/// What an envelope alone would do.
enum Judged {
    /// It is stored.
    Same(ObjectRecord),
    /// It replaces that of a lower generation, in whose object's file the body is.
    Replaces { old: ObjectRecord, body_file_bytes: u64 },
}

impl Inner {
    fn judge_replacement(&self, signed: &SignedEnvelope, envelope: &Envelope) -> Result<Judged, StoreError> {
        let _guard = self.lock_name(&envelope.name());
        self.judged_replacement(signed, envelope)
    }

    /// The caller holds the name's lock.
    fn judged_replacement(&self, signed: &SignedEnvelope, envelope: &Envelope) -> Result<Judged, StoreError> {
        let name = envelope.name();
        let old = match self.judge(signed, envelope)? {
            Verdict::Same(record) => return Ok(Judged::Same(record)),
            // Also what was deleted while this was on its way: it stays deleted.
            Verdict::New => return Err(StoreError::NotFound(name)),
            Verdict::Replaces(old) => old,
        };
        if old.generation == envelope.generation || self.damaged().contains_key(&name) {
            return Err(StoreError::Damaged { name, part: DamagedPart::Body, offset: 0 });
        }
        let path = self.layout.object(&name, old.generation);
        let file = match ObjectFile::open(&self.disk, &path, &name, old.generation) {
            Ok(file) => file,
            Err(OpenError::Missing) => return self.note_damage(Err(missing(&name))),
            Err(OpenError::Store(e)) => return self.note_damage(Err(e)),
        };
        let (stored, offered) = (&file.envelope, envelope);
        if stored.body != offered.body {
            let (signed, found) = (offered.body.blake3, stored.body.blake3);
            return Err(StoreError::ContentMismatch { signed, found });
        }
        let of = |e: &Envelope| e.commitment.as_ref().map_or((CellRoot([0; 32]), 0), |c| (c.root, c.cells));
        let ((signed, signed_cells), (found, found_cells)) = (of(offered), of(stored));
        if (signed, signed_cells) != (found, found_cells) {
            return Err(StoreError::CellTreeMismatch { signed, found, signed_cells, found_cells });
        }
        Ok(Judged::Replaces { old, body_file_bytes: file.bytes() })
    }

    fn replace(
        &self,
        signed: &SignedEnvelope,
        envelope: &Envelope,
        temporary: &Path,
        (bytes, stored_at_unix_ms): (u64, u64),
    ) -> Result<Stored, StoreError> {
        let (name, generation) = (envelope.name(), envelope.generation);
        let _guard = self.lock_name(&name);
        let retention = self.retention();
        let (old, body_file_bytes) = match self.judged_replacement(signed, envelope)? {
            Judged::Same(record) => return Ok(Stored { record, already: true }),
            Judged::Replaces { old, body_file_bytes } => (old, body_file_bytes),
        };
        let dir = self.disk.open_dir(&self.layout.shard_dir(&name))?;
        self.index.settle(&name)?;
        let (from, to) = (self.layout.object(&name, old.generation), self.layout.object(&name, generation));
        // Nothing reads it before there is an object's file of its generation.
        self.disk.rename(temporary, &envelope_beside(&to))?;
        self.disk.sync_dir(&dir)?;
        self.second_name(&from, &to)?;
        self.disk.sync_dir(&dir)?;
        let record = ObjectRecord {
            generation,
            envelope_blake3: *blake3::hash(signed.payload()).as_bytes(),
            file_bytes: body_file_bytes + bytes,
            stored_at_unix_ms,
            ..old.clone()
        };
        self.accounts.add(&record);
        self.accounts.subtract(&old);
        self.index.put(record.clone());
        self.remove_lower_generations(&retention, &name, generation, Some(generation), &dir)?;
        // The index may have been synced in passing, and failed.
        self.disk.check_writable()?;
        Ok(Stored { record, already: false })
    }

    /// The object's file under the name of the new generation too: until the index says so, the old one is read.
    fn second_name(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let failed = |e| StoreError::io("link", to, e);
        match self.disk.link(from, to) {
            // Of an attempt that failed, never acknowledged.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(to)?;
                self.disk.link(from, to).map_err(failed)
            }
            other => other.map_err(failed),
        }
    }
}
