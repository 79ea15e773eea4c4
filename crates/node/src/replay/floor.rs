//! The floor on disk: two records in a file that is made once and overwritten in place.
//!
//! Raising the floor needs no new space and no new descriptor, so that a full disk or a full descriptor table does not
//! keep owners from reading and deleting. The older record stays whole until the newer one is durable.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bailiwick_protocol::http_signature::sha256;
use bailiwick_store::files::{File, FileSystem, read_exact_at};
use rustix::io::Errno;

/// First bytes of a record; the digit is the version of the format.
const MAGIC: [u8; 8] = *b"bwfloor1";
/// Bytes of a record: magic, LE64 sequence, LE64 floor, SHA-256 of these.
const RECORD_BYTES: usize = 56;
/// Distance of the two records: never in one sector, so that one write cannot tear both.
const SLOT_BYTES: u64 = 4096;
/// Bytes of the file.
const FILE_BYTES: usize = 8192;

/// Why the floor cannot be used. A node without a floor must not accept requests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloorError {
    /// The file or its folder cannot be read or written. Trying again is safe.
    #[error("replay floor {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Making the floor durable failed, now or earlier: a later success would mean nothing, so there is none.
    #[error("replay floor {path}: an fsync failed; look at the disk, then restart the node")]
    SyncFailed {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no whole record.
    #[error("replay floor {path} is damaged; after a minute without requests it is safe to remove it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// Counts writes; its lowest bit is the slot.
    sequence: u64,
    floor: u64,
}

impl Record {
    fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut out = [0; RECORD_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..24].copy_from_slice(&self.floor.to_le_bytes());
        let digest = sha256(&out[..24]);
        out[24..].copy_from_slice(&digest);
        out
    }

    fn from_bytes(bytes: [u8; RECORD_BYTES]) -> Option<Self> {
        let number = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes).ok();
        let record = Self { sequence: number(8)?, floor: number(16)? };
        (record.to_bytes() == bytes).then_some(record)
    }

    const fn at(self) -> u64 {
        (self.sequence % 2) * SLOT_BYTES
    }
}

/// The open file of the floor.
#[derive(Debug)]
pub struct FloorFile {
    path: PathBuf,
    file: Box<dyn File>,
    newest: Mutex<Record>,
    failed: AtomicBool,
}

impl FloorFile {
    /// Opens the file at `path`, making it when missing; its folder must exist.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn open(files: &dyn FileSystem, path: PathBuf) -> Result<Self, FloorError> {
        let opened = match files.open(&path, true) {
            Ok(file) => newest(&*file, &path).map(|record| (file, record)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                create(files, &path).map_err(|e| io_error(&path, e))
            }
            Err(e) => Err(io_error(&path, e)),
        };
        let (file, record) = opened?;
        Ok(Self { path, file, newest: Mutex::new(record), failed: AtomicBool::new(false) })
    }

    /// The durable floor; 0 when there has been none.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).floor
    }

    /// Whether an fsync failed: the floor cannot rise any more.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Replaces the floor; durable when this returns.
    ///
    /// # Errors
    /// `Io`, `SyncFailed` (then also ever after); nothing may be accepted on the strength of it.
    pub fn store(&self, floor: u64) -> Result<(), FloorError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_failed() {
            return Err(FloorError::SyncFailed { path: self.path.clone() });
        }
        let next = Record { sequence: newest.sequence.wrapping_add(1), floor };
        // A failed write can only have spoilt the older record, which the next try writes again.
        self.file.write_all_at(next.at(), &next.to_bytes()).map_err(|e| io_error(&self.path, e))?;
        match self.file.sync() {
            Ok(()) => {
                *newest = next;
                Ok(())
            }
            // The next try writes the record again before it syncs, so these may be tried again.
            Err(e) if is_shortage(&e) => Err(io_error(&self.path, e)),
            Err(error) => {
                tracing::error!(%error, "fsync of the replay floor failed: no signed request is accepted any more");
                self.failed.store(true, Ordering::Release);
                Err(FloorError::SyncFailed { path: self.path.clone() })
            }
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> FloorError {
    FloorError::Io { path: path.to_owned(), source }
}

/// No space or no descriptors: says nothing about the disk's health.
fn is_shortage(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        || [Errno::MFILE, Errno::NFILE].iter().any(|n| e.raw_os_error() == Some(n.raw_os_error()))
}

/// The whole record written last.
fn newest(file: &dyn File, path: &Path) -> Result<Record, FloorError> {
    let damaged = || FloorError::Damaged { path: path.to_owned() };
    let mut found = None;
    for slot in 0..2 {
        let mut bytes = [0; RECORD_BYTES];
        read_exact_at(file, slot * SLOT_BYTES, &mut bytes).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => damaged(),
            _ => io_error(path, e),
        })?;
        let record = Record::from_bytes(bytes).filter(|r| r.sequence % 2 == slot);
        found = found.into_iter().chain(record).max_by_key(|r: &Record| r.sequence);
    }
    found.ok_or_else(damaged)
}

/// A new file, all its space written, durable under its name.
fn create(files: &dyn FileSystem, path: &Path) -> io::Result<(Box<dyn File>, Record)> {
    let temporary = path.with_extension("tmp");
    match files.remove(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        // One that a crash left.
        _ => {}
    }
    let record = Record { sequence: 0, floor: 0 };
    let file = files.create(&temporary)?;
    let mut bytes = [0; FILE_BYTES];
    bytes[..RECORD_BYTES].copy_from_slice(&record.to_bytes());
    file.write_all_at(0, &bytes)?;
    file.sync()?;
    files.rename(&temporary, path)?;
    files.open_dir(path.parent().unwrap_or(Path::new(".")))?.sync()?;
    Ok((file, record))
}
