//! Roots and proofs out of tiles (RFC 6962 sections 2.1, 2.1.1, 2.1.2).

use std::collections::HashMap;
use std::rc::Rc;

use crate::hash::{Hash, empty_root, node_hash, perfect_root};
use crate::tile::{Level, TILE_WIDTH, Tile, TileError, decode_hashes};

/// Where tiles come from: a directory, memory, HTTP.
pub trait TileSource {
    /// Why one cannot be read.
    type Error: core::error::Error;

    /// The bytes of a tile or bundle, exactly as wide as asked for (cut from the full one where that has replaced it); `None` when
    /// there is none.
    ///
    /// # Errors
    /// The source's.
    fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why a root or a proof cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E: core::error::Error> {
    /// The source.
    #[error("{tile}: {source}")]
    Source {
        /// What was read.
        tile: Tile,
        /// Why not.
        source: E,
    },
    /// A tile the tree needs is not there.
    #[error("{tile} is missing")]
    Missing {
        /// Which.
        tile: Tile,
    },
    /// A tile is not what its path says.
    #[error("{tile}: {error}")]
    Malformed {
        /// Which.
        tile: Tile,
        /// Why.
        error: TileError,
    },
    /// An index or size beyond the tree.
    #[error("index or size beyond the tree")]
    Range,
}

/// Reads one tile or bundle that must be there.
pub(crate) fn read_bytes<S: TileSource>(source: &S, tile: Tile) -> Result<Vec<u8>, TreeError<S::Error>> {
    source.read(tile).map_err(|source| TreeError::Source { tile, source })?.ok_or(TreeError::Missing { tile })
}

/// Reads the hashes of one tile.
pub(crate) fn read_hashes<S: TileSource>(source: &S, tile: Tile) -> Result<Vec<Hash>, TreeError<S::Error>> {
    let bytes = read_bytes(source, tile)?;
    decode_hashes(&bytes, tile.width()).map_err(|error| TreeError::Malformed { tile, error })
}

/// The tree over the first `size` entries, read tile by tile as needed; each tile once. Nothing is verified: what comes out must be
/// compared with a signed root.
#[derive(Debug)]
pub struct Tree<'s, S> {
    source: &'s S,
    size: u64,
    tiles: HashMap<Tile, Rc<Vec<Hash>>>,
}

impl<'s, S: TileSource> Tree<'s, S> {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(source: &'s S, size: u64) -> Self {
        Self { source, size, tiles: HashMap::new() }
    }

    /// The root.
    ///
    /// # Errors
    /// `TreeError`.
    pub fn root(&mut self) -> Result<Hash, TreeError<S::Error>> {
        self.root_at(self.size)
    }

    /// The root when the tree had `size` entries.
    ///
    /// # Errors
    /// `TreeError`.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, TreeError<S::Error>> {
        if size > self.size {
            return Err(TreeError::Range);
        }
        if size == 0 { Ok(empty_root()) } else { self.range(0, size) }
    }

    /// Hash of entry `index`.
    ///
    /// # Errors
    /// `TreeError`.
    pub fn leaf(&mut self, index: u64) -> Result<Hash, TreeError<S::Error>> {
        if index < self.size { self.subtree(0, index) } else { Err(TreeError::Range) }
    }

    /// Path from entry `index` to the root the tree had with `size` entries.
    ///
    /// # Errors
    /// `TreeError`.
    pub fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        if index >= size || size > self.size {
            return Err(TreeError::Range);
        }
        let (mut low, mut high) = (0, size);
        let mut path = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.range(middle, high)?);
                high = middle;
            } else {
                path.push(self.range(low, middle)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// Path from the tree's first `old` entries to its first `new` entries; empty when `old` is 0 or `new`.
    ///
    /// # Errors
    /// `TreeError`.
    pub fn consistency(&mut self, old: u64, new: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        if old > new || new > self.size {
            return Err(TreeError::Range);
        }
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        let (mut low, mut high) = (0, new);
        let mut path = Vec::new();
        while old != high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(self.range(middle, high)?);
                high = middle;
            } else {
                path.push(self.range(low, middle)?);
                low = middle;
            }
        }
        // A subtree that is the whole old tree is known to who verifies.
        if low != 0 {
            path.push(self.range(low, high)?);
        }
        path.reverse();
        Ok(path)
    }

    /// Hash over entries `low..high`, `low` a multiple of the largest power of two that the range needs.
    fn range(&mut self, mut low: u64, high: u64) -> Result<Hash, TreeError<S::Error>> {
        let mut parts = Vec::new();
        while low < high {
            let height = (high - low).ilog2();
            parts.push(self.subtree(height, low >> height)?);
            low += 1 << height;
        }
        Ok(fold(&parts))
    }

    /// Hash of the full subtree of `2^height` entries number `index`.
    fn subtree(&mut self, height: u32, index: u64) -> Result<Hash, TreeError<S::Error>> {
        let level = u8::try_from(height / 8).map_err(|_| TreeError::Range)?;
        let first = index << (height % 8);
        let width = u64::from(TILE_WIDTH);
        let tile = Tile::of_size(Level::Hashes(level), first / width, self.size).ok_or(TreeError::Range)?;
        let hashes = self.hashes(tile)?;
        let at = usize::try_from(first % width).map_err(|_| TreeError::Range)?;
        hashes.get(at..at + (1 << (height % 8))).map(perfect_root).ok_or(TreeError::Range)
    }

    fn hashes(&mut self, tile: Tile) -> Result<Rc<Vec<Hash>>, TreeError<S::Error>> {
        if let Some(known) = self.tiles.get(&tile) {
            return Ok(Rc::clone(known));
        }
        let hashes = Rc::new(read_hashes(self.source, tile)?);
        self.tiles.insert(tile, Rc::clone(&hashes));
        Ok(hashes)
    }
}

/// Largest power of two below `n`, for `n` of at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// One hash over full subtrees of falling size, left to right; at least one.
pub(crate) fn fold(parts: &[Hash]) -> Hash {
    let mut parts = parts.iter().rev();
    let last = parts.next().copied().unwrap_or_else(empty_root);
    parts.fold(last, |right, left| node_hash(left, &right))
}
