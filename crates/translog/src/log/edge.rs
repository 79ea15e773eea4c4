//! The right edge of a tree: what the next entry is added to.

use crate::hash::{Hash, leaf_hash, perfect_parts, perfect_root};
use crate::tile::{Level, TILE_WIDTH, Tile, TileError, encode_hashes, push_entry};
use crate::tree::{TileSource, TreeError, fold, read_bytes, read_hashes};

/// The tiles that are not full, one a level, and the bundle that is not.
#[derive(Debug, Default)]
pub(super) struct Edge {
    size: u64,
    bundle: Vec<u8>,
    levels: [Vec<Hash>; 8],
}

/// The hash levels of a tree of at most 2^63 - 1 entries.
fn levels() -> impl Iterator<Item = (usize, Level)> {
    (0..8u8).map(|level| (usize::from(level), Level::Hashes(level)))
}

/// The tile at the right edge, unless the level ends with a full one.
fn partial(level: Level, size: u64) -> Option<Tile> {
    Tile::of_size(level, level.count(size) / u64::from(TILE_WIDTH), size)
}

impl Edge {
    /// Of a tree that is stored.
    pub(super) fn read<S: TileSource>(source: &S, size: u64) -> Result<Self, TreeError<S::Error>> {
        let mut edge = Self { size, ..Self::default() };
        if let Some(tile) = partial(Level::Entries, size) {
            edge.bundle = read_bytes(source, tile)?;
        }
        for (at, level) in levels() {
            if let Some(tile) = partial(level, size) {
                edge.levels[at] = read_hashes(source, tile)?;
            }
        }
        Ok(edge)
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry; tiles that became full go to `tiles`.
    pub(super) fn push(&mut self, entry: &[u8], tiles: &mut Vec<(Tile, Vec<u8>)>) -> Result<(), TileError> {
        push_entry(&mut self.bundle, entry)?;
        self.levels[0].push(leaf_hash(entry));
        self.size += 1;
        for (at, level) in levels() {
            if self.levels[at].len() < usize::from(TILE_WIDTH) {
                break;
            }
            let last = level.count(self.size) / u64::from(TILE_WIDTH) - 1;
            let full = |level| Tile::of_size(level, last, self.size);
            if at == 0
                && let Some(tile) = full(Level::Entries)
            {
                tiles.push((tile, core::mem::take(&mut self.bundle)));
            }
            if let Some(tile) = full(level) {
                tiles.push((tile, encode_hashes(&self.levels[at])));
            }
            let root = perfect_root(&self.levels[at]);
            self.levels[at].clear();
            if let Some(above) = self.levels.get_mut(at + 1) {
                above.push(root);
            }
        }
        Ok(())
    }

    /// The tiles that are not full and that the tree of `old` entries did not have.
    pub(super) fn partial_tiles(&self, old: u64, tiles: &mut Vec<(Tile, Vec<u8>)>) {
        let new = |level| partial(level, self.size).filter(|tile| !tile.is_within(old));
        if let Some(tile) = new(Level::Entries) {
            tiles.push((tile, self.bundle.clone()));
        }
        for (at, level) in levels() {
            if let Some(tile) = new(level) {
                tiles.push((tile, encode_hashes(&self.levels[at])));
            }
        }
    }

    /// The root.
    pub(super) fn root(&self) -> Hash {
        let parts: Vec<Hash> = self.levels.iter().rev().flat_map(|hashes| perfect_parts(hashes)).collect();
        fold(&parts)
    }
}
