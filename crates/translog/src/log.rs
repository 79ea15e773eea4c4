//! A log's sequencer: gives entries their indices, writes tiles, and signs only what it has read back and hashed again.
//!
//! Write order: tiles and bundles durable, read back and checked, root recomputed, signed, checkpoint committed. A crash before the
//! commit leaves tiles beyond the committed size, which the next batch replaces; nobody was told of an index among them. The
//! commit comes before anyone sees the signature, so no two signed checkpoints can contradict each other.

mod edge;

use edge::Edge;

use crate::checkpoint::{CheckpointError, SIZE_MAX, SignedCheckpoint};
use crate::fsck::{Damage, Fault, fsck};
use crate::hash::{Hash, empty_root, leaf_hash, perfect_root};
use crate::key::{NoteSigner, SignatureKind};
use crate::tile::{ENTRY_BYTES_MAX, Level, TILE_WIDTH, Tile, decode_bundle};
use crate::tree::{TileSource, Tree, TreeError, read_bytes, read_hashes};

/// Bytes of the entries of one batch, at most.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// Older bundles that are read and hashed again before each signature, in turns.
const ROLLING: u64 = 4;

/// Where a log is kept.
pub trait Storage: TileSource {
    /// Makes all of `tiles` durable before it returns, replacing what an earlier, uncommitted batch may have left in their place.
    ///
    /// # Errors
    /// The storage's; any of them may have been written.
    fn write(&self, tiles: &[(Tile, Vec<u8>)]) -> Result<(), Self::Error>;

    /// Replaces the committed checkpoint in one step, durable before it returns.
    ///
    /// # Errors
    /// The storage's; the old or the new one is there.
    fn commit(&self, note: &[u8]) -> Result<(), Self::Error>;

    /// The committed checkpoint; `None` before the first commit.
    ///
    /// # Errors
    /// The storage's.
    fn committed(&self) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why a log does not open or does not append.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError<E: core::error::Error> {
    /// An entry of more than [`ENTRY_BYTES_MAX`] bytes. Nothing has changed.
    #[error("entry of {len} bytes, more than the limit of {ENTRY_BYTES_MAX}")]
    EntryTooLong {
        /// Its bytes.
        len: usize,
    },
    /// No entries, more than [`BATCH_BYTES_MAX`] bytes of them, or more than a log can hold. Nothing has changed.
    #[error("batch is empty or too large")]
    Batch,
    /// What is stored is not what was signed, or not what was written. The log has stopped for good.
    #[error("damaged: {0}; the log signs nothing more")]
    Damaged(Damage),
    /// A tile cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError<E>),
    /// Storage refused.
    #[error("storage: {0}")]
    Storage(#[source] E),
    /// An earlier error has stopped this log; open it again.
    #[error("the log has stopped after an earlier error")]
    Stopped,
    /// There is a log already, or none.
    #[error("{0}")]
    State(&'static str),
    /// The committed checkpoint is not one of this key.
    #[error("committed {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// What an append did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Index of the batch's first entry; the others follow.
    pub first: u64,
    /// The committed checkpoint with them, signed by the log alone.
    pub checkpoint: SignedCheckpoint,
}

/// The one writer of a log.
#[derive(Debug)]
pub struct Log<S> {
    storage: S,
    signer: NoteSigner,
    head: SignedCheckpoint,
    edge: Edge,
    /// Next older bundle to check.
    cursor: u64,
    stopped: bool,
}

impl<S: Storage> Log<S> {
    /// Commits the checkpoint of an empty log.
    ///
    /// # Errors
    /// `State` when there is one already, or `signer` is a witness's key; `Storage`.
    pub fn create(storage: S, signer: NoteSigner) -> Result<Self, LogError<S::Error>> {
        if storage.committed().map_err(LogError::Storage)?.is_some() {
            return Err(LogError::State("there is a log already"));
        }
        let head =
            SignedCheckpoint::sign(0, empty_root(), &signer).ok_or(LogError::State("not a key of a log"))?;
        storage.commit(head.note().to_text().as_bytes()).map_err(LogError::Storage)?;
        Ok(Self { storage, signer, head, edge: Edge::default(), cursor: 0, stopped: false })
    }

    /// Opens a log: every entry is read and hashed, and the root must be the committed one. `progress` hears how many entries
    /// have been read.
    ///
    /// # Errors
    /// `Damaged`, `Checkpoint`, `State` when there is no log; `Tree`, `Storage`.
    pub fn open(
        storage: S,
        signer: NoteSigner,
        progress: impl FnMut(u64),
    ) -> Result<Self, LogError<S::Error>> {
        if signer.verifier().kind() != SignatureKind::Ed25519 {
            return Err(LogError::State("not a key of a log"));
        }
        let note =
            storage.committed().map_err(LogError::Storage)?.ok_or(LogError::State("there is no log"))?;
        let head = SignedCheckpoint::open(&note, core::slice::from_ref(signer.verifier()))?;
        let report = fsck(&storage, head.checkpoint(), progress);
        if let Some(damage) = report.damage.into_iter().next() {
            return Err(LogError::Damaged(damage));
        }
        let edge = Edge::read(&storage, head.checkpoint().size)?;
        Ok(Self { storage, signer, head, edge, cursor: 0, stopped: false })
    }

    /// The committed checkpoint, signed by the log alone.
    #[must_use]
    pub fn head(&self) -> &SignedCheckpoint {
        &self.head
    }

    /// Where it is kept.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Appends a batch: durable, checked, signed and committed when this returns.
    ///
    /// # Errors
    /// `EntryTooLong` and `Batch` change nothing. After any other error the log has stopped.
    pub fn append<T: AsRef<[u8]>>(&mut self, entries: &[T]) -> Result<Appended, LogError<S::Error>> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        self.admit(entries)?;
        self.stopped = true;
        let appended = self.sequence(entries)?;
        self.stopped = false;
        Ok(appended)
    }

    /// Reads and hashes again the right edge and the next `bundles` older bundles, in turns with those that appending checks: called
    /// from time to time, it finds damage also while nothing is added.
    ///
    /// # Errors
    /// As for [`Self::append`]: after any the log has stopped.
    pub fn scrub(&mut self, bundles: u64) -> Result<(), LogError<S::Error>> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        self.stopped = true;
        let size = self.head.checkpoint().size;
        self.check_edge(size)?;
        self.check_older(bundles, size / u64::from(TILE_WIDTH), size)?;
        self.stopped = false;
        Ok(())
    }

    fn admit<T: AsRef<[u8]>>(&self, entries: &[T]) -> Result<(), LogError<S::Error>> {
        let mut bytes = 0;
        for entry in entries {
            let len = entry.as_ref().len();
            if len > ENTRY_BYTES_MAX {
                return Err(LogError::EntryTooLong { len });
            }
            bytes += len;
        }
        let room = SIZE_MAX - self.head.checkpoint().size;
        if entries.is_empty() || bytes > BATCH_BYTES_MAX || entries.len() as u64 > room {
            return Err(LogError::Batch);
        }
        Ok(())
    }

    fn sequence<T: AsRef<[u8]>>(&mut self, entries: &[T]) -> Result<Appended, LogError<S::Error>> {
        let first = self.head.checkpoint().size;
        self.check_edge(first)?;
        let mut tiles = Vec::new();
        for entry in entries {
            let entry = entry.as_ref();
            self.edge.push(entry, &mut tiles).map_err(|_| LogError::EntryTooLong { len: entry.len() })?;
        }
        self.edge.partial_tiles(first, &mut tiles);
        self.storage.write(&tiles).map_err(LogError::Storage)?;
        let root = self.recompute(first, self.edge.size())?;
        let head = SignedCheckpoint::sign(self.edge.size(), root, &self.signer).ok_or(LogError::Stopped)?;
        self.storage.commit(head.note().to_text().as_bytes()).map_err(LogError::Storage)?;
        self.head = head.clone();
        Ok(Appended { first, checkpoint: head })
    }

    /// What readers of the committed checkpoint are shown at the right edge is still what was signed.
    fn check_edge(&self, size: u64) -> Result<(), LogError<S::Error>> {
        let Some(last) = size.checked_sub(1) else { return Ok(()) };
        self.check_bundle(last / u64::from(TILE_WIDTH), size)?;
        if Tree::new(&self.storage, size).root()? == self.head.checkpoint().root {
            return Ok(());
        }
        let tile =
            Tile::of_size(Level::Hashes(0), last / u64::from(TILE_WIDTH), size).ok_or(LogError::Batch)?;
        Err(LogError::Damaged(Damage { tile, index: None, fault: Fault::Root }))
    }

    /// The root at `size`, from storage alone. Read and hashed again: every bundle that holds an entry since `old`, every tile that
    /// was written since, the right edge (which must still give the signed root at `old`), and some older bundles in turns.
    fn recompute(&mut self, old: u64, size: u64) -> Result<Hash, LogError<S::Error>> {
        let width = u64::from(TILE_WIDTH);
        for bundle in old / width..size.div_ceil(width) {
            self.check_bundle(bundle, size)?;
        }
        for level in 1..8 {
            for child in Level::Hashes(level).count(old)..Level::Hashes(level).count(size) {
                self.check_child(level, child, size)?;
            }
        }
        self.check_older(ROLLING, old / width, size)?;
        let mut tree = Tree::new(&self.storage, size);
        let edge = Tile::of_size(Level::Hashes(0), (size - 1) / width, size).ok_or(LogError::Batch)?;
        let moved = LogError::Damaged(Damage { tile: edge, index: None, fault: Fault::Root });
        if tree.root_at(old)? != self.head.checkpoint().root {
            return Err(moved);
        }
        let root = tree.root()?;
        if root == self.edge.root() { Ok(root) } else { Err(moved) }
    }

    /// A bundle's entries hash to its tile's hashes.
    fn check_bundle(&self, bundle: u64, size: u64) -> Result<(), LogError<S::Error>> {
        let of = |level| Tile::of_size(level, bundle, size).ok_or(LogError::Batch);
        let (entries, tile) = (of(Level::Entries)?, of(Level::Hashes(0))?);
        let bytes = read_bytes(&self.storage, entries)?;
        let decoded = decode_bundle(&bytes, entries.width())
            .map_err(|error| TreeError::Malformed { tile: entries, error })?;
        let hashes = read_hashes(&self.storage, tile)?;
        let wrong = decoded.iter().zip(&hashes).position(|(entry, hash)| leaf_hash(entry) != *hash);
        match wrong {
            None => Ok(()),
            Some(at) => {
                let index = Some(bundle * u64::from(TILE_WIDTH) + at as u64);
                Err(LogError::Damaged(Damage { tile: entries, index, fault: Fault::Hash }))
            }
        }
    }

    /// Hash number `child` of `level` is the root of the full tile below.
    fn check_child(&self, level: u8, child: u64, size: u64) -> Result<(), LogError<S::Error>> {
        let width = u64::from(TILE_WIDTH);
        let below = Tile::of_size(Level::Hashes(level - 1), child, size).ok_or(LogError::Batch)?;
        let tile = Tile::of_size(Level::Hashes(level), child / width, size).ok_or(LogError::Batch)?;
        let root = perfect_root(&read_hashes(&self.storage, below)?);
        let at = usize::try_from(child % width).map_err(|_| LogError::Batch)?;
        if read_hashes(&self.storage, tile)?.get(at) == Some(&root) {
            return Ok(());
        }
        Err(LogError::Damaged(Damage { tile: below, index: None, fault: Fault::Hash }))
    }

    /// The next `count` of the first `full` bundles, with their chain of full tiles up to the right edge.
    fn check_older(&mut self, count: u64, full: u64, size: u64) -> Result<(), LogError<S::Error>> {
        for _ in 0..count.min(full) {
            let bundle = self.cursor % full;
            self.cursor = bundle + 1;
            self.check_bundle(bundle, size)?;
            let mut child = bundle;
            for level in 1..8 {
                if Tile::of_size(Level::Hashes(level), child / u64::from(TILE_WIDTH), size).is_none() {
                    break;
                }
                self.check_child(level, child, size)?;
                child /= u64::from(TILE_WIDTH);
                // A tile that is not full has no hash above it: it is the right edge.
                if child >= Level::Hashes(level + 1).count(size) {
                    break;
                }
            }
        }
        Ok(())
    }
}
