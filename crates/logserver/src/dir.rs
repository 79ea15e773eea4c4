//! A log's directory: what readers fetch, under the paths they fetch it by, and the committed checkpoint.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bailiwick_store::files::FileSystem;
use bailiwick_translog::{
    BUNDLE_BYTES_MAX, CheckpointError, Level, NOTE_BYTES_MAX, SignedCheckpoint, Storage, Tile, TileSource,
    Tree, TreeError, VerifierKey, decode_bundle, encode_bundle,
};

use crate::files::DurableDir;

/// First line of the format file.
const FORMAT: &str = "bailiwick-log 1\n";
/// Signed by the log, committed, perhaps not cosigned yet.
const SIGNED: &str = "signed";
/// What readers are shown.
const CHECKPOINT: &str = "checkpoint";

/// Why the checkpoint readers are shown does not fit the committed one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// It is not one of the log's key.
    #[error("published {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Its tree cannot be computed.
    #[error("published checkpoint: {0}")]
    Tree(TreeError<io::Error>),
    /// It has more entries than the committed one, or others.
    #[error(
        "published checkpoint of {published} entries is not a beginning of the {committed} committed ones"
    )]
    Contradicts {
        /// Entries of the published checkpoint.
        published: u64,
        /// Entries of the committed one.
        committed: u64,
    },
}

/// A log on disk. Files under `tile/` never change once they are within a committed size; of tiles that have become full the
/// partial ones are removed.
#[derive(Debug)]
pub struct LogDir(DurableDir);

impl LogDir {
    /// Makes an empty directory for a log.
    ///
    /// # Errors
    /// The system's; `AlreadyExists` if there is something.
    pub fn create(files: &dyn FileSystem, root: &Path) -> io::Result<()> {
        DurableDir::create(files, root, FORMAT)
    }

    /// Opens it as its one writer.
    ///
    /// # Errors
    /// The system's; `ResourceBusy` when another process has it; `InvalidData` when it is no log of this version.
    pub fn open(files: Arc<dyn FileSystem>, root: &Path) -> io::Result<Self> {
        Ok(Self(DurableDir::open(files, root, FORMAT)?))
    }

    /// Opens it for reading only, whoever writes.
    ///
    /// # Errors
    /// The system's; `InvalidData` when it is no log of this version.
    pub fn read_only(files: Arc<dyn FileSystem>, root: &Path) -> io::Result<Self> {
        Ok(Self(DurableDir::read_only(files, root, FORMAT)?))
    }

    /// The checkpoint readers are shown, with its cosignatures.
    ///
    /// # Errors
    /// The system's.
    pub fn published(&self) -> io::Result<Option<Vec<u8>>> {
        self.0.read(CHECKPOINT, NOTE_BYTES_MAX)
    }

    /// Checks that a checkpoint readers were shown is one the log's key signed and a beginning of `committed`, which was read later and
    /// whose tiles have been checked. Opens it.
    ///
    /// # Errors
    /// `PublishedError`.
    pub fn check_published(
        &self,
        note: &[u8],
        committed: &SignedCheckpoint,
        key: &VerifierKey,
    ) -> Result<SignedCheckpoint, PublishedError> {
        let published = SignedCheckpoint::open(note, std::slice::from_ref(key))?;
        let (shown, signed) = (published.checkpoint(), committed.checkpoint());
        let root = match Tree::new(self, signed.size).root_at(shown.size) {
            Ok(root) => Some(root),
            Err(TreeError::Range) => None,
            Err(error) => return Err(PublishedError::Tree(error)),
        };
        if root != Some(shown.root) {
            let (published, committed) = (shown.size, signed.size);
            return Err(PublishedError::Contradicts { published, committed });
        }
        Ok(published)
    }

    /// Removes what a batch that was never committed has left beyond `size`, so that no later size makes it look committed.
    ///
    /// # Errors
    /// The system's.
    pub fn remove_remains(&self, size: u64) -> io::Result<()> {
        let mut remains = self.0.walk("tile")?;
        remains.retain(|name| Tile::parse(name).is_ok_and(|tile| !tile.is_within(size)));
        self.0.remove_durably(&remains)
    }

    /// Replaces it, durable when this returns.
    ///
    /// # Errors
    /// The system's.
    pub fn publish(&self, note: &[u8]) -> io::Result<()> {
        self.0.write([(CHECKPOINT.to_owned(), note)].into_iter())
    }

    /// Removes the partial tiles that full ones have replaced between two committed sizes.
    ///
    /// # Errors
    /// The system's. Harmless: what is left only takes room.
    pub fn prune(&self, old: u64, new: u64) -> io::Result<()> {
        let hashes = (0..8).map(Level::Hashes);
        for level in hashes.chain([Level::Entries]) {
            for index in level.count(old) / 256..level.count(new) / 256 {
                let Some(tile) = Tile::of_size(level, index, new) else { continue };
                let folder = format!("{tile}.p");
                for name in self.0.list(&folder)? {
                    self.0.remove(&format!("{folder}/{name}"))?;
                }
            }
        }
        Ok(())
    }

    fn read_file(&self, tile: Tile) -> io::Result<Option<Vec<u8>>> {
        let max = match tile.level() {
            Level::Entries => BUNDLE_BYTES_MAX,
            Level::Hashes(_) => 32 * usize::from(tile.width()),
        };
        self.0.read(&tile.to_string(), max)
    }
}

/// The first `width` of a full tile; `None` when it is malformed.
fn cut(tile: Tile, full: &[u8], width: u16) -> Option<Vec<u8>> {
    match tile.level() {
        Level::Hashes(_) => full.get(..32 * usize::from(width)).map(<[u8]>::to_vec),
        Level::Entries => {
            let entries = decode_bundle(full, tile.full().width()).ok()?;
            encode_bundle(entries.get(..usize::from(width))?).ok()
        }
    }
}

impl TileSource for LogDir {
    type Error = io::Error;

    fn read(&self, tile: Tile) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.read_file(tile)? {
            return Ok(Some(bytes));
        }
        if tile.is_full() {
            return Ok(None);
        }
        Ok(self.read_file(tile.full())?.and_then(|full| cut(tile, &full, tile.width())))
    }
}

impl Storage for LogDir {
    fn write(&self, tiles: &[(Tile, Vec<u8>)]) -> io::Result<()> {
        self.0.write(tiles.iter().map(|(tile, bytes)| (tile.to_string(), bytes.as_slice())))
    }

    fn commit(&self, note: &[u8]) -> io::Result<()> {
        self.0.write([(SIGNED.to_owned(), note)].into_iter())
    }

    fn committed(&self) -> io::Result<Option<Vec<u8>>> {
        self.0.read(SIGNED, NOTE_BYTES_MAX)
    }
}
