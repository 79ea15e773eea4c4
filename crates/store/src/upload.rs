//! Putting an object: the envelope is judged first, then the body streams in and must be what the envelope signs.
//!
//! Write order (spec store, clauses W1-W6): temporary file, fsync, rename, fsync of the directory, only then index and
//! acknowledgement. Two fsyncs an object; three when it replaces a lower generation.

use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_possession::tree::TreeBuilder;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{BODY_HEADER_BYTES, Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{CellRoot, ContentId, OwnerKey, UnitName};

use crate::accounts::Reservation;
use crate::disk::OpenDir;
use crate::error::StoreError;
use crate::evidence::Equivocation;
use crate::files::File;
use crate::object_file::{ObjectFile, OpenError, file_bytes_of, tail};
use crate::pieces::{PieceHasher, PieceTables};
use crate::record::ObjectRecord;
use crate::retained::Retention;
use crate::store::{Inner, Store, now_unix_ms};

const HEADER_BYTES: usize = 24 + 32;
const _: () = assert!(HEADER_BYTES as u64 == BODY_HEADER_BYTES);

/// What became of an offered envelope.
#[derive(Debug)]
pub enum Admission {
    /// The body is wanted.
    Upload(Box<Upload>),
    /// This very envelope is stored already: nothing to do, and nothing was done.
    AlreadyStored(ObjectRecord),
}

/// A durable object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its index entry.
    pub record: ObjectRecord,
    /// Another upload of the same envelope was faster; this one's bytes were dropped.
    pub already: bool,
}

/// How an envelope relates to what is stored.
pub(crate) enum Verdict {
    /// Nothing is stored, or only a damaged file whose entry is lost.
    New,
    /// A lower generation is stored, or this one is and is damaged.
    Replaces(ObjectRecord),
    /// Stored, and its file is there: footer, envelope and length are right.
    Same(ObjectRecord),
}

/// A body on its way in. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    inner: Arc<Inner>,
    signed: SignedEnvelope,
    envelope: Envelope,
    name: UnitName,
    /// Salt and key commitment.
    header: [u8; HEADER_BYTES],
    root: CellRoot,
    cells: u64,
    file: Box<dyn File>,
    path: PathBuf,
    received: u64,
    /// Taken at the end; `None` also after a failure.
    hashers: Option<(PieceHasher, TreeBuilder)>,
    renamed: bool,
    _reservation: Reservation,
}

impl Store {
    /// Judges a signed envelope under the pinned `owner` key and sets quota aside for its body.
    ///
    /// # Errors
    /// `ReadOnly`, `Envelope`, `WrongOwner`, `NoCommitment`, `TooLarge`, `LowerGeneration`, `Equivocation`,
    /// `QuotaExceeded`, `NoSpace`, `Io`, `Index`.
    pub fn begin_put(&self, signed_envelope: &[u8], owner: &OwnerKey) -> Result<Admission, StoreError> {
        let inner = &self.inner;
        let (signed, envelope) = inner.admitted(signed_envelope, owner)?;
        let commitment = envelope.commitment.as_ref().ok_or(StoreError::NoCommitment)?;
        let (root, cells) = (commitment.root, commitment.cells);
        let (size, max) = (envelope.body.size, inner.options.body_bytes_max);
        if size > max {
            return Err(StoreError::TooLarge { size, max });
        }
        let name = envelope.name();
        {
            let _guard = inner.lock_name(&name);
            if let Verdict::Same(record) = inner.judge(&signed, &envelope)? {
                return Ok(Admission::AlreadyStored(record));
            }
        }
        let reservation = inner.accounts.reserve(*owner, file_bytes_of(size, signed_envelope.len()))?;
        let mut header = [0; HEADER_BYTES];
        let (salt, key_commitment) = header.split_at_mut(envelope.body.salt.len());
        salt.copy_from_slice(&envelope.body.salt);
        key_commitment.copy_from_slice(&envelope.body.key_commitment);
        let path = inner.temporary_path();
        Ok(Admission::Upload(Box::new(Upload {
            file: inner.disk.create(&path)?,
            inner: Arc::clone(inner),
            signed,
            envelope,
            name,
            header,
            root,
            cells,
            path,
            received: 0,
            hashers: Some((PieceHasher::new(), TreeBuilder::new())),
            renamed: false,
            _reservation: reservation,
        })))
    }
}

impl Upload {
    /// Name of the object.
    #[must_use]
    pub fn name(&self) -> &UnitName {
        &self.name
    }

    /// Bytes still missing.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.envelope.body.size.saturating_sub(self.received)
    }

    /// The next bytes of the body.
    ///
    /// # Errors
    /// `BodyTooLong` and `HeaderMismatch` as soon as they show, `NoSpace`, `Io`; `UploadFailed` ever after.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let (mut pieces, mut tree) = self.hashers.take().ok_or(StoreError::UploadFailed)?;
        if bytes.len() as u64 > self.remaining() {
            return Err(StoreError::BodyTooLong { signed: self.envelope.body.size });
        }
        let header_left =
            usize::try_from(self.received).ok().and_then(|n| self.header.get(n..)).unwrap_or(&[]);
        let overlap = header_left.len().min(bytes.len());
        if header_left[..overlap] != bytes[..overlap] {
            return Err(StoreError::HeaderMismatch);
        }
        let written = self.file.write_all_at(self.received, bytes);
        written.map_err(|e| StoreError::io("write", &self.path, e))?;
        pieces.update(bytes);
        tree.update(bytes);
        self.received += bytes.len() as u64;
        self.hashers = Some((pieces, tree));
        Ok(())
    }

    /// Checks the whole body against the envelope and makes the object durable. After `Ok` it survives a crash.
    ///
    /// # Errors
    /// `BodyTooShort`, `ContentMismatch`, `CellTreeMismatch`, what `begin_put` says when another upload was faster,
    /// `SyncFailed` (the store is read-only then), `ReadOnly`, `NoSpace`, `Io`, `UploadFailed`.
    pub fn finish(mut self) -> Result<Stored, StoreError> {
        let (tables, tree) = self.check_body()?;
        let now = now_unix_ms();
        let tail = tail(self.received, &self.signed.to_bytes(), &tree, &tables, now);
        self.file.write_all_at(self.received, &tail).map_err(|e| StoreError::io("write", &self.path, e))?;
        let inner = Arc::clone(&self.inner);
        inner.disk.sync(&*self.file, &self.path)?;

        let _guard = inner.lock_name(&self.name);
        let retention = inner.retention();
        let mut replaced = match inner.judge(&self.signed, &self.envelope)? {
            Verdict::Same(record) => return Ok(Stored { record, already: true }),
            Verdict::Replaces(record) => Some(record),
            Verdict::New => None,
        };
        // No entry of a predecessor that could be mistaken for this object may outlive a crash.
        if let Some(old) = replaced.take_if(|old| old.generation == self.envelope.generation) {
            inner.unindex(&old);
        }
        inner.index.settle(&self.name)?;
        let (record, dir) = self.publish(now)?;
        inner.accounts.add(&record);
        if let Some(old) = &replaced {
            inner.accounts.subtract(old);
        }
        inner.index.put(record.clone());
        inner.forget_damaged(&self.name);
        inner.remove_lower_generations(&retention, &self.name, self.envelope.generation, None, &dir)?;
        // The index may have been synced in passing, and failed.
        inner.disk.check_writable()?;
        Ok(Stored { record, already: false })
    }

    /// Size, BLAKE3 and cell tree against the envelope.
    fn check_body(&mut self) -> Result<(PieceTables, Vec<u8>), StoreError> {
        let (pieces, tree) = self.hashers.take().ok_or(StoreError::UploadFailed)?;
        let body = &self.envelope.body;
        if self.received < body.size {
            return Err(StoreError::BodyTooShort { signed: body.size, found: self.received });
        }
        let tables = pieces.finish();
        if tables.content_id != body.blake3.0 {
            return Err(StoreError::ContentMismatch {
                signed: body.blake3,
                found: ContentId(tables.content_id),
            });
        }
        // A body within the limits always has a tree.
        let tree = tree.finish().map_err(|_| StoreError::UploadFailed)?;
        if tree.root() != self.root || tree.cells() != self.cells {
            return Err(StoreError::CellTreeMismatch {
                signed: self.root,
                found: tree.root(),
                signed_cells: self.cells,
                found_cells: tree.cells(),
            });
        }
        Ok((tables, tree.to_bytes()))
    }

    /// Gives the synced file its name, durably. Whatever else can fail does so before the name is there.
    fn publish(&mut self, stored_at_unix_ms: u64) -> Result<(ObjectRecord, OpenDir), StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        let dir = layout.shard_dir(&self.name);
        disk.ensure_dir(&layout.owner_dir(&self.name.owner))?;
        disk.ensure_dir(&dir)?;
        let open_dir = disk.open_dir(&dir)?;
        let file_bytes = self.file.len().map_err(|e| StoreError::io("stat", &self.path, e))?;
        let to = layout.object(&self.name, self.envelope.generation);
        disk.rename(&self.path, &to)?;
        self.renamed = true;
        disk.sync_dir(&open_dir)?;
        let record = ObjectRecord {
            name: self.name,
            generation: self.envelope.generation,
            size: self.received,
            blake3: self.envelope.body.blake3,
            root: self.root,
            cells: self.cells,
            envelope_blake3: *blake3::hash(self.signed.payload()).as_bytes(),
            file_bytes,
            stored_at_unix_ms,
        };
        Ok((record, open_dir))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.renamed {
            // Best effort: what stays is swept at the next start.
            let _ = self.inner.disk.remove(&self.path);
        }
    }
}

impl Inner {
    /// A later delete of this generation must not uncover a lower one, so those go now, durably.
    /// `envelope` is the generation whose envelope is in a file of its own. What cannot be removed is swept at the next start or with the object; the new generation is durable and served.
    pub(crate) fn remove_lower_generations(
        &self,
        retention: &Retention<'_>,
        name: &UnitName,
        current: u64,
        envelope: Option<u64>,
        dir: &OpenDir,
    ) -> Result<(), StoreError> {
        let generations = match self.generations(name) {
            Ok(generations) => generations,
            Err(e) => {
                tracing::warn!(error = %e, "superseded files cannot be looked for now");
                return Ok(());
            }
        };
        // A file that stays keeps its envelope, without which it would be a damaged one.
        let mut staying: Vec<u64> = envelope.into_iter().collect();
        let mut any = false;
        for generation in generations.into_iter().filter(|g| *g < current) {
            if let Err(e) = self.discard(retention, name, generation) {
                tracing::warn!(error = %e, "a superseded file stays for now");
                staying.push(generation);
                continue;
            }
            any = true;
        }
        if any {
            self.disk.sync_dir(dir)?;
        }
        match self.remove_envelopes(name, &staying) {
            Ok(true) => self.disk.sync_dir(dir),
            Ok(false) => Ok(()),
            Err(e) => {
                tracing::warn!(error = %e, "a superseded envelope stays for now");
                Ok(())
            }
        }
    }

    /// An envelope verified under the pinned key, with a commitment; not yet compared with what is stored.
    pub(crate) fn admitted(
        &self,
        signed_envelope: &[u8],
        owner: &OwnerKey,
    ) -> Result<(SignedEnvelope, Envelope), StoreError> {
        self.disk.check_writable()?;
        let signed = SignedEnvelope::from_bytes(signed_envelope)?;
        let envelope = signed.verify(&owner.0)?;
        if envelope.owner != *owner {
            return Err(StoreError::WrongOwner { pinned: *owner, named: envelope.owner });
        }
        if envelope.commitment.is_none() {
            return Err(StoreError::NoCommitment);
        }
        Ok((signed, envelope))
    }

    /// Compares an envelope, whose signature holds, with what is stored. The caller holds the name's lock.
    pub(crate) fn judge(&self, signed: &SignedEnvelope, envelope: &Envelope) -> Result<Verdict, StoreError> {
        let name = envelope.name();
        let offered = envelope.generation;
        let stored = match self.index.get(&name) {
            Err(StoreError::Damaged { .. }) => self.record_on_disk(&name)?,
            other => other?,
        };
        let known_damaged = self.damaged().get(&name).map(|known| known.generation);
        let Some(stored) = stored else {
            return match known_damaged {
                Some(stored) if offered < stored => Err(StoreError::LowerGeneration { stored, offered }),
                _ => Ok(Verdict::New),
            };
        };
        if offered < stored.generation {
            return Err(StoreError::LowerGeneration { stored: stored.generation, offered });
        }
        if offered > stored.generation {
            return Ok(Verdict::Replaces(stored));
        }
        if *blake3::hash(signed.payload()).as_bytes() == stored.envelope_blake3 {
            // The index alone is no reason to answer "stored": the owner may be putting again because it is not.
            let repair = known_damaged.is_some() || !self.is_there(&stored)?;
            return Ok(if repair { Verdict::Replaces(stored) } else { Verdict::Same(stored) });
        }
        self.keep_equivocation(&stored, signed);
        Err(StoreError::Equivocation { generation: offered })
    }

    /// Whether the file of an index entry is there and says the same, as far as that shows without reading the body.
    fn is_there(&self, stored: &ObjectRecord) -> Result<bool, StoreError> {
        let (name, generation) = (&stored.name, stored.generation);
        let found = self.open_judged(name, generation)?;
        if found.as_ref() == Some(stored) {
            return Ok(true);
        }
        tracing::error!(object = %name, "damaged object, found by a put of the same");
        self.remember_damaged(name, generation);
        Ok(false)
    }

    /// The entry a rotten index should have.
    fn record_on_disk(&self, name: &UnitName) -> Result<Option<ObjectRecord>, StoreError> {
        let Some(&generation) = self.generations(name)?.last() else { return Ok(None) };
        let found = self.open_judged(name, generation)?;
        if found.is_none() {
            self.remember_damaged(name, generation);
        }
        Ok(found)
    }

    /// What a file says of itself; `None` when it is gone or damaged. Other failures say nothing about it.
    fn open_judged(&self, name: &UnitName, generation: u64) -> Result<Option<ObjectRecord>, StoreError> {
        match ObjectFile::open(&self.disk, &self.layout.object(name, generation), name, generation) {
            Ok(file) => Ok(Some(file.record())),
            Err(OpenError::Missing | OpenError::Store(StoreError::Damaged { .. })) => Ok(None),
            Err(OpenError::Store(e)) => Err(e),
        }
    }

    /// Keeps both envelopes. A failure here must not hide the refusal itself.
    fn keep_equivocation(&self, stored: &ObjectRecord, offered: &SignedEnvelope) {
        let path = self.layout.object(&stored.name, stored.generation);
        let Ok(file) = ObjectFile::open(&self.disk, &path, &stored.name, stored.generation) else {
            tracing::warn!(object = %stored.name, "equivocation, but the stored envelope cannot be read");
            return;
        };
        let kept = Equivocation::from_envelopes(&file.envelope_bytes, &offered.to_bytes())
            .map_err(StoreError::from)
            .and_then(|e| e.keep(&self.disk, &self.layout, &self.temporary_path()));
        match kept {
            Ok(()) => {
                tracing::warn!(object = %stored.name, generation = stored.generation, "equivocation kept as evidence")
            }
            Err(e) => tracing::error!(object = %stored.name, error = %e, "equivocation could not be kept"),
        }
    }
}
