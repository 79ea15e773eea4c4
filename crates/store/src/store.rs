//! The store: opening, looking up, listing, deleting.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_possession::opening::BlockPath;
use bailiwick_possession::tree::CellTree;
use bailiwick_protocol::ids::UnitName;
use bailiwick_protocol::limits::BODY_BYTES_MAX;

use crate::accounts::{Accounts, OwnerUsage, Usage};
use crate::disk::{Disk, SyncFailure};
use crate::error::{DamagedPart, StoreError};
use crate::evidence::{self, Equivocation};
use crate::files::{FileSystem, Lock, StdFiles};
use crate::index::Index;
use crate::layout::{Layout, envelope_beside, parse_envelope_file, parse_object_file};
use crate::object_file::{ObjectFile, OpenError};
use crate::reader::BodyReader;
use crate::record::{Object, ObjectRecord, key};
use crate::recovery::{self, OpenReport};
use crate::retained::Wanted;

/// How a store is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of object files all owners may have together: body, envelope, cell tree, tables and footer, not the body alone;
    /// damaged objects, uploads under way and versions kept aside included. A replacement or repair needs room beside what it replaces. Not counted:
    /// the index, evidence (at most 1,024 files), foreign files, what the file system adds. Default: no limit.
    pub quota_bytes: u64,
    /// Bytes of object files each owner may have, counted the same. Default: no limit.
    pub owner_quota_bytes: u64,
    /// Bytes of one body. Default: what the deepest class can prove.
    pub body_bytes_max: u64,
    /// Changes written to the index in one transaction; also how many files a start after a crash may have to
    /// read again. Default 256.
    pub index_batch: usize,
    /// Keep aside the files of replaced and deleted objects as long as they are wanted ([`Store::retain_if`]). Until they are
    /// released they count in the quotas. Default: no.
    pub retain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            quota_bytes: u64::MAX,
            owner_quota_bytes: u64::MAX,
            body_bytes_max: BODY_BYTES_MAX,
            index_batch: 256,
            retain: false,
        }
    }
}

/// Locks for names: two operations on one object exclude each other, others rarely meet.
const NAME_LOCKS: usize = 64;

/// What is known about a damaged object.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Damaged {
    /// Generation its file name tells.
    pub(crate) generation: u64,
    /// What the accounts count for it beyond its index entry: off the books when its files go.
    pub(crate) unindexed: OwnerUsage,
}

pub(crate) struct Inner {
    pub(crate) disk: Arc<Disk>,
    pub(crate) layout: Layout,
    pub(crate) options: Options,
    /// Dropped, and thereby written, before the lock.
    pub(crate) index: Index,
    pub(crate) accounts: Arc<Accounts>,
    /// Objects known to be damaged. A new upload of the same envelope repairs them.
    damaged: Mutex<BTreeMap<UnitName, Damaged>>,
    names: [Mutex<()>; NAME_LOCKS],
    /// What must stay readable although it is replaced or deleted; everything, until somebody says.
    pub(crate) wanted: RwLock<Option<Arc<Wanted>>>,
    /// One inventory is written at a time.
    pub(crate) inventories: Mutex<()>,
    /// Epochs whose head is known to be durable.
    pub(crate) decided: RwLock<BTreeSet<u64>>,
    temporary: AtomicU64,
    report: OpenReport,
    _lock: Box<dyn Lock>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// A directory of durable objects. Cheap to clone; the directory's lock is held until the last clone, upload and reader is gone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl Store {
    /// Opens the store in `dir`, making it if `dir` is missing or empty: takes the lock, sweeps leftovers and brings
    /// the index in line with the objects. [`Store::report`] says what was found.
    ///
    /// # Errors
    /// `Locked`, `UnknownFormat`, `NotAStore`, `Io`, `NoSpace`, `SyncFailed`, `Index`.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        Self::open_with(Arc::new(StdFiles), dir, options)
    }

    /// Like [`Store::open`] on another file system.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_with(
        files: Arc<dyn FileSystem>,
        dir: impl AsRef<Path>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let disk = Arc::new(Disk::new(files));
        let layout = Layout { root: dir.as_ref().into() };
        let lock = recovery::claim(&disk, &layout)?;
        let swept = recovery::sweep(&disk, &layout)?;
        let decided = recovery::decided(&disk, &layout)?;
        let (index, index_rebuilt) = Index::open(Arc::clone(&disk), layout.index(), options.index_batch)?;
        let accounts = Accounts::new(options.quota_bytes, options.owner_quota_bytes);
        recovery::count_retained(&disk, &layout, &accounts)?;
        let (report, damaged) = recovery::reconcile(&disk, &layout, &index, &accounts, options.retain)?;
        let report = OpenReport { swept, index_rebuilt, ..report };
        let inner = Inner {
            disk,
            layout,
            options,
            index,
            accounts,
            damaged: Mutex::new(damaged),
            names: std::array::from_fn(|_| Mutex::new(())),
            wanted: RwLock::new(None),
            inventories: Mutex::new(()),
            decided: RwLock::new(decided),
            temporary: AtomicU64::new(0),
            report,
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What opening found and did.
    #[must_use]
    pub fn report(&self) -> &OpenReport {
        &self.inner.report
    }

    /// The object and its envelope.
    ///
    /// # Errors
    /// `Damaged`, `Io`, `Index`.
    pub fn get(&self, name: &UnitName) -> Result<Option<Object>, StoreError> {
        let found = self.inner.lookup(name)?;
        Ok(found.map(|file| Object { record: file.record(), envelope: file.envelope_bytes }))
    }

    /// The body, for reading. Stays readable when the object is replaced or deleted meanwhile.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `Io`, `Index`.
    pub fn open_body(&self, name: &UnitName) -> Result<BodyReader, StoreError> {
        let file = self.inner.lookup(name)?.ok_or(StoreError::NotFound(*name))?;
        let path = self.inner.layout.object(name, file.envelope.generation);
        Ok(BodyReader::new(Arc::clone(&self.inner), file, path))
    }

    /// Nodes of the cell tree from level 3 up, checked against the root in the stored envelope, whose signature was checked when
    /// it was stored.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `Io`, `Index`.
    pub fn tree(&self, name: &UnitName) -> Result<CellTree, StoreError> {
        let file = self.inner.lookup(name)?.ok_or(StoreError::NotFound(*name))?;
        let path = self.inner.layout.object(name, file.envelope.generation);
        self.inner.note_damage(file.tree(&path))
    }

    /// The path of block `block` to the root in the stored envelope. Reads at most 16 nodes a level of the stored tree, and checks
    /// that they lead to that root.
    ///
    /// # Errors
    /// `NotFound`, `OutOfRange`, `Damaged`, `Io`, `Index`.
    pub fn block_path(&self, name: &UnitName, block: u64) -> Result<BlockPath, StoreError> {
        let file = self.inner.lookup(name)?.ok_or(StoreError::NotFound(*name))?;
        let path = self.inner.layout.object(&file.name, file.envelope.generation);
        let found = file.block_path(&path, block);
        self.inner.note_damage(found)
    }

    /// Block `block` of the body: 126,976 bytes, the last one shorter.
    ///
    /// # Errors
    /// `NotFound`, `OutOfRange`, `Damaged`, `Io`, `Index`.
    pub fn read_block(&self, name: &UnitName, block: u64) -> Result<Vec<u8>, StoreError> {
        self.open_body(name)?.read_block(block)
    }

    /// Up to `limit` objects in name order, those after `after`.
    ///
    /// # Errors
    /// `Io`, `Index`.
    pub fn list(&self, after: Option<&UnitName>, limit: usize) -> Result<Vec<ObjectRecord>, StoreError> {
        let after = after.map_or(Bound::Unbounded, |name| Bound::Excluded(key(name)));
        let (records, bad) = self.inner.index.scan(after, Bound::Unbounded, limit)?;
        if bad.is_empty() {
            return Ok(records);
        }
        // Entries that rotted are read again from the objects, then the page is asked for once more.
        for name in &bad {
            self.inner.reindex(name)?;
        }
        Ok(self.inner.index.scan(after, Bound::Unbounded, limit)?.0)
    }

    /// Removes an object, durably; false if there was none. Its generations are forgotten with it.
    ///
    /// # Errors
    /// `ReadOnly`, `SyncFailed`, `Io`, `Index`.
    pub fn delete(&self, name: &UnitName) -> Result<bool, StoreError> {
        self.inner.delete(name)
    }

    /// Who uses how much.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.inner.accounts.usage()
    }

    /// Whether an `fsync` has failed, so that nothing more is accepted or deleted.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only_cause().is_some()
    }

    /// The failed `fsync` that made the store read-only.
    #[must_use]
    pub fn read_only_cause(&self) -> Option<&SyncFailure> {
        self.inner.disk.failure()
    }

    /// Objects found damaged since the store was opened.
    #[must_use]
    pub fn damaged(&self) -> Vec<UnitName> {
        self.inner.damaged().keys().copied().collect()
    }

    /// Every equivocation kept; files that prove nothing are left out (scrub names them).
    ///
    /// # Errors
    /// `Io`.
    pub fn evidence(&self) -> Result<Vec<Equivocation>, StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        let mut out = Vec::new();
        for entry in disk.list(&layout.evidence())? {
            out.extend(evidence::read(disk, &layout.evidence().join(entry.name))?.ok());
        }
        Ok(out)
    }

    /// Writes the index. Objects are durable without it; the next start is faster with it.
    ///
    /// # Errors
    /// `ReadOnly` (also when the `fsync` of the index itself just failed), `NoSpace`, `Index`.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.index.flush()
    }

    /// Writes the index and gives this handle up. Dropping the last handle, upload and reader writes the index as well, but can
    /// only log a failure, and a handle that is never dropped never does.
    ///
    /// # Errors
    /// As for [`Store::flush`]; the handle is given up all the same.
    pub fn close(self) -> Result<(), StoreError> {
        self.flush()
    }
}

impl Inner {
    /// Excludes other changes of this object.
    pub(crate) fn lock_name(&self, name: &UnitName) -> MutexGuard<'_, ()> {
        let i = usize::from(name.object.0[0] ^ name.owner.0[0]) % NAME_LOCKS;
        self.names[i].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn damaged(&self) -> MutexGuard<'_, BTreeMap<UnitName, Damaged>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh path for a file that is not yet an object.
    pub(crate) fn temporary_path(&self) -> PathBuf {
        let n = self.temporary.fetch_add(1, Ordering::Relaxed);
        self.layout.temporary().join(format!("{n:016x}.part"))
    }

    /// Remembers the object a failure calls damaged.
    pub(crate) fn note_damage<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Damaged { name, part, offset }) = &result {
            tracing::error!(object = %name, ?part, offset, "damaged object");
            let generation = self.index.get(name).ok().flatten().map_or(0, |r| r.generation);
            self.remember_damaged(name, generation);
        }
        result
    }

    pub(crate) fn remember_damaged(&self, name: &UnitName, generation: u64) {
        let mut damaged = self.damaged();
        let known = damaged.entry(*name).or_default();
        known.generation = generation.max(known.generation);
    }

    /// Takes a damaged object out of the index, ahead of its repair. Should that fail, it stays known and counted.
    pub(crate) fn unindex(&self, record: &ObjectRecord) {
        self.index.remove(&record.name);
        self.remember_damaged(&record.name, record.generation);
        let mut damaged = self.damaged();
        let unindexed = &mut damaged.entry(record.name).or_default().unindexed;
        unindexed.objects += 1;
        unindexed.body_bytes += record.size;
        unindexed.file_bytes += record.file_bytes;
    }

    /// The files of a damaged object are gone or about to be replaced.
    pub(crate) fn forget_damaged(&self, name: &UnitName) {
        let known = self.damaged().remove(name);
        if let Some(known) = known {
            self.accounts.subtract_unindexed(name.owner, known.unindexed);
        }
    }

    /// The object's file, if there is such an object.
    pub(crate) fn lookup(&self, name: &UnitName) -> Result<Option<ObjectFile>, StoreError> {
        match self.lookup_once(name)? {
            Ok(found) => Ok(found),
            // Replaced or deleted between index and file, unless it is still so with changes excluded.
            Err(OpenError::Missing) => {
                let _guard = self.lock_name(name);
                match self.lookup_once(name)? {
                    Ok(found) => Ok(found),
                    Err(OpenError::Missing) => self.note_damage(Err(missing(name))),
                    Err(OpenError::Store(e)) => self.note_damage(Err(e)),
                }
            }
            Err(OpenError::Store(e)) => self.note_damage(Err(e)),
        }
    }

    fn lookup_once(&self, name: &UnitName) -> Result<Result<Option<ObjectFile>, OpenError>, StoreError> {
        let generation = match self.index.get(name) {
            Ok(Some(record)) => record.generation,
            Ok(None) => match self.damaged().get(name) {
                Some(known) => known.generation,
                None => return Ok(Ok(None)),
            },
            // The index rotted: data is the authority.
            Err(StoreError::Damaged { .. }) => match self.generations(name)?.last() {
                Some(generation) => *generation,
                None => return Ok(Ok(None)),
            },
            Err(e) => return Err(e),
        };
        let path = self.layout.object(name, generation);
        Ok(ObjectFile::open(&self.disk, &path, name, generation).map(Some))
    }

    /// The index entry, read again from the object when it rotted.
    pub(crate) fn indexed(&self, name: &UnitName) -> Result<Option<ObjectRecord>, StoreError> {
        match self.index.get(name) {
            Err(StoreError::Damaged { .. }) => {
                self.reindex(name)?;
                self.index.get(name)
            }
            other => other,
        }
    }

    /// Generations on disk, ascending.
    pub(crate) fn generations(&self, name: &UnitName) -> Result<Vec<u64>, StoreError> {
        let entries = self.disk.list(&self.layout.shard_dir(name))?;
        let parsed = entries.iter().filter_map(|e| parse_object_file(&name.owner, &e.name));
        let mut out: Vec<u64> = parsed.filter(|(n, _)| n == name).map(|(_, g)| g).collect();
        out.sort_unstable();
        Ok(out)
    }

    /// Removes the envelopes beside the unit's object files but those of the generations `staying`. The object files they belonged to
    /// are gone for good: the caller has made that durable. Whether there were any.
    pub(crate) fn remove_envelopes(&self, name: &UnitName, staying: &[u64]) -> Result<bool, StoreError> {
        let entries = self.disk.list(&self.layout.shard_dir(name))?;
        let parsed = entries.iter().filter_map(|e| parse_envelope_file(&name.owner, &e.name));
        let mut any = false;
        for (_, generation) in parsed.filter(|(n, g)| n == name && !staying.contains(g)) {
            self.disk.remove(&envelope_beside(&self.layout.object(name, generation)))?;
            any = true;
        }
        Ok(any)
    }

    /// Writes the index entry again from what is on disk.
    fn reindex(&self, name: &UnitName) -> Result<(), StoreError> {
        let _guard = self.lock_name(name);
        let Some(&generation) = self.generations(name)?.last() else {
            self.index.remove(name);
            return Ok(());
        };
        match ObjectFile::open(&self.disk, &self.layout.object(name, generation), name, generation) {
            Ok(file) => self.index.put(file.record()),
            Err(OpenError::Missing) => self.index.remove(name),
            Err(OpenError::Store(e)) => drop(self.note_damage::<()>(Err(e))),
        }
        Ok(())
    }

    fn delete(&self, name: &UnitName) -> Result<bool, StoreError> {
        let _guard = self.lock_name(name);
        self.disk.check_writable()?;
        let generations = self.generations(name)?;
        let record = match self.index.get(name) {
            Err(StoreError::Damaged { .. }) => None,
            other => other?,
        };
        let dir = self.layout.shard_dir(name);
        let Some((highest, stale)) = generations.split_last() else {
            // Nothing on disk; an entry without data goes too.
            self.forget(name, record.as_ref());
            return Ok(false);
        };
        let open_dir = self.disk.open_dir(&dir)?;
        let retention = self.retention();
        // A crash must not bring a lower generation back: those go first, durably.
        for generation in stale {
            self.discard(&retention, name, *generation)?;
        }
        if !stale.is_empty() {
            self.disk.sync_dir(&open_dir)?;
        }
        self.discard(&retention, name, *highest)?;
        self.forget(name, record.as_ref());
        self.disk.sync_dir(&open_dir)?;
        if self.remove_envelopes(name, &[])? {
            self.disk.sync_dir(&open_dir)?;
        }
        // The index may have been synced in passing, and failed.
        self.disk.check_writable()?;
        Ok(true)
    }

    fn forget(&self, name: &UnitName, record: Option<&ObjectRecord>) {
        self.forget_damaged(name);
        if let Some(record) = record {
            self.accounts.subtract(record);
        }
        self.index.remove(name);
    }
}

pub(crate) fn missing(name: &UnitName) -> StoreError {
    StoreError::Damaged { name: *name, part: DamagedPart::File, offset: 0 }
}

/// The host's clock, for display only; nothing depends on it.
pub(crate) fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
