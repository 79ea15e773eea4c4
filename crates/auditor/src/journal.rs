//! The journal on disk: one append-only file of checksummed records, and one file for each bundle.
//!
//! `DIR/journal`: 16 bytes of magic, then for each record LE32 length, 4 bytes of BLAKE3 over the checksum before and that
//! length, the record, and BLAKE3 over the checksum before and the record: a record cannot be taken out, moved or exchanged
//! unseen, and a length that rots cannot pass for the end. A record that is not whole was never acted upon: at the end of
//! the file it is cut off, anywhere else the journal is damaged. Mode 0600, because it holds nonces before their rounds. A
//! file lock keeps a second auditor out.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::ids::BundleDigest;
use bailiwick_protocol::limits::BUNDLE_BYTES_MAX;
use rustix::fs::{FlockOperation, flock};

use crate::ports::Journal;
use crate::record::Record;
use frame::{CHECKSUM_BYTES, Frame, HEADER_BYTES, chained, frame, header_of};

mod frame;

const MAGIC: [u8; 16] = *b"bailiwick-jrnl-1";
/// Bytes of a journal that is read into memory to replay it, at most.
const JOURNAL_BYTES_MAX: u64 = 4 << 30;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{path} is in use by another auditor")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It exists already.
    #[error("{path} exists already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Not a journal, or a record inside it is damaged.
    #[error("{path} is damaged at byte {at}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Offset.
        at: u64,
    },
    /// Longer than this program reads.
    #[error("{path} is longer than {JOURNAL_BYTES_MAX} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A record does not decode.
    #[error("{path}: record at byte {at}: {source}")]
    Record {
        /// The file.
        path: PathBuf,
        /// Offset.
        at: u64,
        /// Why.
        source: CodecError,
    },
    /// An earlier write failed: what is on disk is not known, so nothing more is written.
    #[error("{path}: an earlier write failed; look at the disk, then resume")]
    Poisoned {
        /// The file.
        path: PathBuf,
    },
    /// A bundle the journal names is not there, or is another.
    #[error("bundle {digest} is missing or changed")]
    Bundle {
        /// Its digest.
        digest: BundleDigest,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> JournalError + '_ {
    move |source| JournalError::Io { path: path.to_owned(), source }
}

/// The journal of one campaign, open and locked.
#[derive(Debug)]
pub struct FileJournal {
    file: File,
    path: PathBuf,
    bundles: PathBuf,
    checksum: [u8; CHECKSUM_BYTES],
    poisoned: bool,
}

impl FileJournal {
    /// Makes `dir/journal` and `dir/bundles`, readable by their owner only; `dir` exists.
    ///
    /// # Errors
    /// `Exists`, `Io`.
    pub fn create(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join("journal");
        let bundles = dir.join("bundles");
        let made = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path);
        let mut file = match made {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(JournalError::Exists { path }),
            other => other.map_err(io_error(&path))?,
        };
        lock(&file, &path)?;
        std::fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&bundles)
            .map_err(io_error(&bundles))?;
        file.write_all(&MAGIC).and_then(|()| file.sync_all()).map_err(io_error(&path))?;
        sync_dir(dir)?;
        Ok(Self { file, path, bundles, checksum: blake3::hash(&MAGIC).into(), poisoned: false })
    }

    /// Opens the journal of `dir` and gives its records in order. A torn record at the end is cut off.
    ///
    /// # Errors
    /// `Io`, `Locked`, `Damaged`, `Record`.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Record>), JournalError> {
        let path = dir.join("journal");
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(io_error(&path))?;
        lock(&file, &path)?;
        // A copy made with looser permissions must not stay so.
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(io_error(&path))?;
        let mut journal =
            Self { file, bundles: dir.join("bundles"), path, checksum: [0; CHECKSUM_BYTES], poisoned: false };
        let bytes = journal.read_all()?;
        let (records, whole) = journal.replay(&bytes)?;
        if whole < bytes.len() as u64 {
            journal
                .file
                .set_len(whole)
                .and_then(|()| journal.file.sync_all())
                .map_err(io_error(&journal.path))?;
        }
        Ok((journal, records))
    }

    /// The records of a journal that someone else may have open: a look, without a lock and without a repair.
    ///
    /// # Errors
    /// `Io`, `Damaged`, `Record`.
    pub fn read(dir: &Path) -> Result<(Self, Vec<Record>), JournalError> {
        let path = dir.join("journal");
        let file = File::open(&path).map_err(io_error(&path))?;
        let mut journal =
            Self { file, bundles: dir.join("bundles"), path, checksum: [0; CHECKSUM_BYTES], poisoned: true };
        let bytes = journal.read_all()?;
        let (records, _) = journal.replay(&bytes)?;
        Ok((journal, records))
    }

    fn read_all(&mut self) -> Result<Vec<u8>, JournalError> {
        let mut bytes = Vec::new();
        let read = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&mut self.file).take(JOURNAL_BYTES_MAX + 1).read_to_end(&mut bytes));
        read.map_err(io_error(&self.path))?;
        if bytes.len() as u64 > JOURNAL_BYTES_MAX {
            return Err(JournalError::TooLong { path: self.path.clone() });
        }
        Ok(bytes)
    }

    /// All whole records, and how many bytes they fill.
    fn replay(&mut self, bytes: &[u8]) -> Result<(Vec<Record>, u64), JournalError> {
        let damaged = |at: usize| JournalError::Damaged { path: self.path.clone(), at: at as u64 };
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(damaged(0));
        }
        let (mut at, mut checksum, mut records) = (MAGIC.len(), blake3::hash(&MAGIC).into(), Vec::new());
        while at < bytes.len() {
            let (record, next) = match frame(&bytes[at..], &checksum) {
                Frame::Whole(record) => (record, at + HEADER_BYTES + record.len() + CHECKSUM_BYTES),
                Frame::Torn => break,
                Frame::Damaged => return Err(damaged(at)),
            };
            let found = chained(&checksum, record);
            if bytes[next - CHECKSUM_BYTES..next] != found {
                // Torn only if nothing follows: what follows was written after this one was durable.
                if next == bytes.len() {
                    break;
                }
                return Err(damaged(at));
            }
            let decoded = Record::from_bytes(record).map_err(|source| JournalError::Record {
                path: self.path.clone(),
                at: at as u64,
                source,
            })?;
            records.push(decoded);
            (at, checksum) = (next, found);
        }
        self.checksum = checksum;
        Ok((records, at as u64))
    }

    fn bundle_path(&self, digest: &BundleDigest) -> PathBuf {
        self.bundles.join(format!("{digest}.bundle"))
    }
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(JournalError::Locked { path: path.to_owned() }),
        Err(e) => Err(JournalError::Io { path: path.to_owned(), source: e.into() }),
    }
}

fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(io_error(dir))
}

impl Journal for FileJournal {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned { path: self.path.clone() });
        }
        let record = record.to_bytes();
        let checksum = chained(&self.checksum, &record);
        let length = u32::try_from(record.len()).expect("records are bounded by their limit");
        let frame = [&header_of(length, &self.checksum), record.as_slice(), &checksum].concat();
        // After a failed fsync a later success would mean nothing.
        self.poisoned = true;
        self.file.write_all(&frame).and_then(|()| self.file.sync_data()).map_err(io_error(&self.path))?;
        self.poisoned = false;
        self.checksum = checksum;
        Ok(())
    }

    fn put_bundle(&mut self, digest: &BundleDigest, bytes: &[u8]) -> Result<(), JournalError> {
        let path = self.bundle_path(digest);
        let partial = path.with_extension("partial");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)
            .map_err(io_error(&partial))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error(&partial))?;
        std::fs::rename(&partial, &path).map_err(io_error(&path))?;
        sync_dir(&self.bundles)
    }

    fn bundle(&self, digest: &BundleDigest) -> Result<Vec<u8>, JournalError> {
        let path = self.bundle_path(digest);
        let file = File::open(&path).map_err(io_error(&path))?;
        let mut bytes = Vec::new();
        file.take(BUNDLE_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(io_error(&path))?;
        Ok(bytes)
    }
}
