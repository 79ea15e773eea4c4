//! What can go wrong, one variant for each thing a caller may treat differently.

use std::io;
use std::path::PathBuf;

use bailiwick_protocol::codec::CodecError;
use bailiwick_protocol::ids::{CellRoot, ContentId, OwnerKey, UnitName};

/// Which part of a stored object is not what was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DamagedPart {
    /// The file is gone, or not even its name and length can be read.
    File,
    /// A directory that cannot be read. Which objects are in it is not known, so no object is named with it.
    Directory,
    /// The fixed-size footer.
    Footer,
    /// The signed envelope, or what it says does not belong to this file.
    Envelope,
    /// The table of piece chaining values.
    PieceTable,
    /// The cell tree.
    CellTree,
    /// The body.
    Body,
    /// The index entry.
    Index,
}

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file call failed.
    #[error("{op} {path}: {source}")]
    Io {
        /// The call.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk or a quota of the file system is full. Nothing was stored; reads and deletes go on.
    #[error("no space left: {op} {path}")]
    NoSpace {
        /// The call.
        op: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// The inventory of this epoch is decided; another one would be equivocation.
    #[error("the inventory of epoch {epoch} is made already")]
    InventoryExists {
        /// The epoch.
        epoch: u64,
    },
    /// What is kept of an inventory is not what was written.
    #[error("what is kept of the inventory of epoch {epoch} is damaged")]
    InventoryDamaged {
        /// The epoch.
        epoch: u64,
    },
    /// An `fsync` failed: nothing was acknowledged and the store is read-only from now on.
    #[error("fsync {path} failed, the store is read-only until it is opened again: {source}")]
    SyncFailed {
        /// What was being made durable.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// An earlier `fsync` failed. Restart only after the disk has been looked at.
    #[error("the store is read-only since an fsync failed")]
    ReadOnly,
    /// Another process, or another `Store` of this one, has the directory.
    #[error("{path} is in use by another process")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A directory of another version of this software.
    #[error("{path}: store format {found}; this version writes and reads {known}: {}", way_out(*found, *known))]
    UnknownFormat {
        /// The format file.
        path: PathBuf,
        /// Version found.
        found: u64,
        /// Version this build writes and reads.
        known: u64,
    },
    /// A directory that holds something else, or whose format file is damaged.
    #[error("{path} is not a store: it is not empty and has no valid format file")]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// The envelope does not decode, or its signature does not verify under the pinned owner key.
    #[error("envelope: {0}")]
    Envelope(#[from] CodecError),
    /// The envelope is signed by the pinned key but names another owner.
    #[error("the envelope names owner {named}, signed by {pinned}")]
    WrongOwner {
        /// Key the caller pinned.
        pinned: OwnerKey,
        /// Key the envelope names.
        named: OwnerKey,
    },
    /// The envelope has no storage commitment, so nothing could be proven about it.
    #[error("the envelope carries no storage commitment; run `commit` first")]
    NoCommitment,
    /// A rollback.
    #[error("generation {offered} is lower than the stored {stored}")]
    LowerGeneration {
        /// Generation held.
        stored: u64,
        /// Generation refused.
        offered: u64,
    },
    /// The owner signed two different envelopes of one generation; both are kept as evidence.
    #[error("another envelope of generation {generation} is stored: equivocation, both kept as evidence")]
    Equivocation {
        /// The generation.
        generation: u64,
    },
    /// A quota of this store would be exceeded, uploads under way included.
    #[error("quota: {needed} bytes needed, {left} left")]
    QuotaExceeded {
        /// Bytes the upload may need on disk.
        needed: u64,
        /// Bytes left.
        left: u64,
    },
    /// The signed size is over this store's limit.
    #[error("body of {size} bytes, the limit is {max}")]
    TooLarge {
        /// Size in the envelope.
        size: u64,
        /// Limit.
        max: u64,
    },
    /// More bytes than the envelope signs for.
    #[error("the body is longer than the signed {signed} bytes")]
    BodyTooLong {
        /// Size in the envelope.
        signed: u64,
    },
    /// The body ended early.
    #[error("the body ended after {found} of the signed {signed} bytes")]
    BodyTooShort {
        /// Size in the envelope.
        signed: u64,
        /// Bytes received.
        found: u64,
    },
    /// The first 56 bytes are not the salt and key commitment of the envelope.
    #[error("the body does not start with the salt and key commitment of its envelope")]
    HeaderMismatch,
    /// BLAKE3 of the body is not the signed one.
    #[error("BLAKE3 of the body is {found}, the envelope signs {signed}")]
    ContentMismatch {
        /// In the envelope.
        signed: ContentId,
        /// Of the bytes received.
        found: ContentId,
    },
    /// The cell tree over the body is not the signed one.
    #[error(
        "cell root of the body is {found} over {found_cells} cells, the envelope signs {signed} over {signed_cells}"
    )]
    CellTreeMismatch {
        /// In the envelope.
        signed: CellRoot,
        /// Of the bytes received.
        found: CellRoot,
        /// In the envelope.
        signed_cells: u64,
        /// Of the bytes received.
        found_cells: u64,
    },
    /// No such object.
    #[error("no object {0}")]
    NotFound(UnitName),
    /// What is on disk is not what was stored. Nothing of it was returned.
    #[error("object {name} is damaged: {part:?} at byte {offset} of its file")]
    Damaged {
        /// Which object.
        name: UnitName,
        /// Which part.
        part: DamagedPart,
        /// First byte of the damaged stretch in the object's file; bodies start at 0.
        offset: u64,
    },
    /// A read beyond the end of the body.
    #[error("byte {offset} is beyond the end of a body of {size} bytes")]
    OutOfRange {
        /// First byte asked for.
        offset: u64,
        /// Bytes there are.
        size: u64,
    },
    /// The upload failed earlier and takes no more bytes.
    #[error("the upload has already failed")]
    UploadFailed,
    /// The index failed; it is rebuilt when the store is opened again.
    #[error("index: {0}")]
    Index(#[source] Box<redb::Error>),
}

impl StoreError {
    /// An I/O error of `op` on `path`, told apart by whether space ran out.
    pub(crate) fn io(op: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if is_no_space(&source) { Self::NoSpace { op, path } } else { Self::Io { op, path, source } }
    }
}

/// Whether what is stored there cannot be read back: EIO from a bad sector, EBADMSG and EUCLEAN from a file system whose own
/// checksums fail (numbers as on Linux). Unlike too many open files or missing permission, trying again does not help.
pub(crate) fn is_unreadable(e: &io::Error) -> bool {
    const EIO: i32 = 5;
    const EBADMSG: i32 = 74;
    const EUCLEAN: i32 = 117;
    matches!(e.raw_os_error(), Some(EIO | EBADMSG | EUCLEAN))
}

/// ENOSPC, EDQUOT, EFBIG.
pub(crate) fn is_no_space(e: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What to do with a directory of another version. Nothing converts one: owners have what they stored.
const fn way_out(found: u64, known: u64) -> &'static str {
    if found < known {
        "keep it as it is for the older version, start with a new, empty directory, and let the owners put their objects again"
    } else {
        "use the newer version of this software that wrote it"
    }
}
