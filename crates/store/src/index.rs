//! The index: which objects there are, in name order. A cache of what the object files say (spec store, clauses I1-I4).
//!
//! Changes are kept in memory and written to redb many at a time, in one durable transaction: an acknowledged
//! object rests on its own file, never on the index, so a crash costs re-reading the files of the last batch.

mod backend;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bailiwick_protocol::ids::UnitName;
use redb::{Builder, Database, ReadableDatabase, StorageBackend, TableDefinition, TableError};

use crate::disk::{Disk, parent_of};
use crate::error::{DamagedPart, StoreError, is_no_space};
use crate::files::read_exact_at;
use crate::record::{KEY_BYTES, ObjectRecord, key, name_of_key};
use backend::Backend;

const OBJECTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("objects-v1");

/// Memory redb may use for pages.
const CACHE_BYTES: usize = 16 << 20;

type Key = [u8; KEY_BYTES];
/// Changes not yet in redb; `None` is a removal.
type Pending = BTreeMap<Key, Option<ObjectRecord>>;

pub(crate) struct Index {
    disk: Arc<Disk>,
    path: PathBuf,
    batch: usize,
    database: RwLock<Held>,
    pending: RwLock<Pending>,
    /// Names changed since they were last taken; `None` when everything has to be looked at.
    changed: Mutex<Option<BTreeSet<UnitName>>>,
    flushing: Mutex<()>,
}

/// Changed names remembered between two looks; with more it is cheaper to look at everything.
const CHANGED_MAX: usize = 100_000;

/// The open database.
enum Held {
    /// On the index file.
    File(Database),
    /// A copy in memory of what was last committed, for reading, when the file cannot be written.
    Copy(Database),
    /// Not even that.
    Lost,
}

impl Held {
    fn readable(&self) -> Result<&Database, StoreError> {
        match self {
            Self::File(database) | Self::Copy(database) => Ok(database),
            Self::Lost => Err(index_error(redb::Error::DatabaseClosed)),
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index after checking every page of it, or starts an empty one. The flag tells whether it was
    /// unusable and thrown away.
    pub(crate) fn open(disk: Arc<Disk>, path: PathBuf, batch: usize) -> Result<(Self, bool), StoreError> {
        let (database, rebuilt) = match open_database(&disk, &path, true) {
            Ok(database) => (database, false),
            Err(e) => {
                disk.check_writable()?;
                tracing::warn!(error = %e, "the index is unusable and will be rebuilt from the objects");
                disk.remove(&path)?;
                let made = open_database(&disk, &path, true);
                // redb tells of a failed fsync as an error of its own.
                disk.check_writable()?;
                (made?, true)
            }
        };
        let index = Self {
            disk,
            path,
            batch: batch.max(1),
            database: RwLock::new(Held::File(database)),
            pending: RwLock::default(),
            changed: Mutex::default(),
            flushing: Mutex::new(()),
        };
        Ok((index, rebuilt))
    }

    /// # Errors
    /// `Damaged` when the entry's checksum does not hold, `Index`.
    pub(crate) fn get(&self, name: &UnitName) -> Result<Option<ObjectRecord>, StoreError> {
        let key = key(name);
        if let Some(change) = self.pending.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(change.clone());
        }
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(table) = read_table(database.readable()?)? else { return Ok(None) };
        let Some(value) = table.get(key.as_slice()).map_err(index_error)? else { return Ok(None) };
        ObjectRecord::from_entry(&key, value.value()).map(Some).ok_or(damaged(*name))
    }

    /// Up to `limit` objects after `after` and before `before`, in name order. Entries whose checksum does not
    /// hold are left out and named in the second list.
    pub(crate) fn scan(
        &self,
        after: Bound<Key>,
        before: Bound<Key>,
        limit: usize,
    ) -> Result<(Vec<ObjectRecord>, Vec<UnitName>), StoreError> {
        // Pending first: what a flush moves between the two reads is then seen twice, never missed.
        let pending: Pending = {
            let pending = self.pending.read().unwrap_or_else(PoisonError::into_inner);
            pending.range((after, before)).map(|(k, v)| (*k, v.clone())).collect()
        };
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = BTreeMap::new();
        let mut bad = Vec::new();
        if let Some(table) = read_table(database.readable()?)? {
            let range = (as_slice(&after), as_slice(&before));
            for entry in table.range::<&[u8]>(range).map_err(index_error)? {
                if found.len() >= limit {
                    break;
                }
                let (k, v) = entry.map_err(index_error)?;
                if pending.contains_key(k.value()) {
                    continue;
                }
                match ObjectRecord::from_entry(k.value(), v.value()) {
                    Some(record) => drop(found.insert(key(&record.name), record)),
                    None => bad.extend(name_of_key(k.value())),
                }
            }
        }
        found.extend(pending.into_iter().filter_map(|(k, v)| Some((k, v?))));
        Ok((found.into_values().take(limit).collect(), bad))
    }

    pub(crate) fn put(&self, record: ObjectRecord) {
        let name = record.name;
        self.change(&name, Some(record));
    }

    pub(crate) fn remove(&self, name: &UnitName) {
        self.change(name, None);
    }

    fn change(&self, name: &UnitName, value: Option<ObjectRecord>) {
        let due = {
            let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
            pending.insert(key(name), value);
            pending.len().is_multiple_of(self.batch)
        };
        // After the change itself: whoever takes the name sees it.
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = &mut *changed {
            names.insert(*name);
            if names.len() > CHANGED_MAX {
                *changed = None;
            }
        }
        drop(changed);
        // A full disk must not fail what is already durable: the change stays pending and is tried again.
        if due && let Err(e) = self.flush() {
            tracing::warn!(error = %e, "the index could not be written; it will be tried again");
        }
    }

    /// Names changed since the last call, and begins anew; `None` when everything has to be looked at.
    pub(crate) fn take_changed(&self) -> Option<BTreeSet<UnitName>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).replace(BTreeSet::new())
    }

    /// What was taken was not used: the next call says that everything has to be looked at.
    pub(crate) fn forget_changed(&self) {
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Makes sure that the index file no longer has what was removed under this name. An entry that outlived a crash
    /// could otherwise be taken for a later object of the same generation and length.
    ///
    /// # Errors
    /// As for [`Index::flush`].
    pub(crate) fn settle(&self, name: &UnitName) -> Result<(), StoreError> {
        let removed = {
            let pending = self.pending.read().unwrap_or_else(PoisonError::into_inner);
            pending.get(&key(name)).is_some_and(Option::is_none)
        };
        if removed { self.flush() } else { Ok(()) }
    }

    /// Writes what is pending, durably.
    ///
    /// # Errors
    /// `ReadOnly`, `NoSpace`, `Index`.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = self.pending.read().unwrap_or_else(PoisonError::into_inner).clone();
        if batch.is_empty() {
            return Ok(());
        }
        self.disk.check_writable()?;
        if let Err(e) = self.commit(&batch) {
            self.reopen();
            // redb tells of a failed fsync as an error of its own; what the caller must hear is that the store is read-only.
            self.disk.check_writable()?;
            return Err(match e {
                StoreError::Index(e) => match *e {
                    redb::Error::Io(e) if is_no_space(&e) => StoreError::io("write", &self.path, e),
                    e => StoreError::Index(Box::new(e)),
                },
                e => e,
            });
        }
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|k, v| batch.get(k) != Some(v));
        Ok(())
    }

    fn commit(&self, batch: &Pending) -> Result<(), StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Held::File(database) = &*database else { return Err(index_error(redb::Error::DatabaseClosed)) };
        let transaction = database.begin_write().map_err(index_error)?;
        {
            let mut table = transaction.open_table(OBJECTS).map_err(index_error)?;
            for (key, change) in batch {
                match change {
                    Some(record) => table.insert(key.as_slice(), record.to_value().as_slice()),
                    None => table.remove(key.as_slice()),
                }
                .map_err(index_error)?;
            }
        }
        transaction.commit().map_err(index_error)
    }

    /// redb refuses all work after an I/O error until it is opened again; what it had committed is still there.
    /// Reads must go on even when the file cannot be written: then from a copy in memory.
    fn reopen(&self) {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *database = Held::Lost;
        if self.disk.check_writable().is_ok() {
            match open_database(&self.disk, &self.path, false) {
                Ok(again) => {
                    *database = Held::File(again);
                    return;
                }
                Err(e) => tracing::warn!(error = %e, "the index could not be opened again"),
            }
        }
        match copy_database(&self.disk, &self.path) {
            Ok(copy) => *database = Held::Copy(copy),
            Err(e) => {
                tracing::error!(error = %e, "the index cannot be read; open the store again to rebuild it")
            }
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        if let Err(e) = self.flush() {
            tracing::warn!(error = %e, "the index was not written at close; the next start re-reads the last objects");
        }
    }
}

type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

fn read_table(database: &Database) -> Result<Option<ReadTable>, StoreError> {
    match database.begin_read().map_err(index_error)?.open_table(OBJECTS) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(e) => Err(index_error(e)),
    }
}

fn open_database(disk: &Arc<Disk>, path: &PathBuf, check: bool) -> Result<Database, StoreError> {
    let file = match disk.open(path, true) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let dir = disk.open_dir(parent_of(path))?;
            let file = disk.create(path)?;
            disk.sync_dir(&dir)?;
            file
        }
        Err(e) => return Err(StoreError::io("open", path, e)),
    };
    let backend = Backend { disk: Arc::clone(disk), file, path: path.clone() };
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(check);
    builder.create_with_backend(backend).map_err(index_error)
}

/// What the index file's last commit says, in memory: nothing done to it reaches the disk.
fn copy_database(disk: &Disk, path: &PathBuf) -> Result<Database, StoreError> {
    let io_error = |e| StoreError::io("read", path, e);
    let file = disk.open(path, false).map_err(|e| StoreError::io("open", path, e))?;
    let len = file.len().map_err(io_error)?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    read_exact_at(&*file, 0, &mut bytes).map_err(io_error)?;
    let memory = redb::backends::InMemoryBackend::new();
    memory.set_len(len).and_then(|()| memory.write(0, &bytes)).map_err(io_error)?;
    Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(memory).map_err(index_error)
}

fn as_slice(bound: &Bound<Key>) -> Bound<&[u8]> {
    bound.as_ref().map(<[u8; KEY_BYTES]>::as_slice)
}

fn index_error(e: impl Into<redb::Error>) -> StoreError {
    StoreError::Index(Box::new(e.into()))
}

fn damaged(name: UnitName) -> StoreError {
    StoreError::Damaged { name, part: DamagedPart::Index, offset: 0 }
}
