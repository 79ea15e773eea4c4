//! Deriving a whole log again from its entries, and naming what does not fit.

use core::fmt;

use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, empty_root, leaf_hash, perfect_parts, perfect_root};
use crate::tile::{Level, TILE_WIDTH, Tile, TileError, decode_bundle, decode_hashes};
use crate::tree::{TileSource, fold};

/// Findings kept; a disk that is gone would fill the memory otherwise.
const DAMAGE_MAX: usize = 1000;

/// What is wrong with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not there.
    Missing,
    /// The system cannot read it.
    Unreadable,
    /// It is not as long as its path says.
    Malformed,
    /// It is not what the tree above it says.
    Hash,
    /// The right edge does not give the signed root.
    Root,
}

/// One damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub tile: Tile,
    /// Which entry, or which hash of the level, counted from the log's first.
    pub index: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tile)?;
        if let Some(index) = self.index {
            let what = if self.tile.level() == Level::Entries { "entry" } else { "hash" };
            write!(f, ", {what} {index}")?;
        }
        f.write_str(match self.fault {
            Fault::Missing => ": missing",
            Fault::Unreadable => ": cannot be read",
            Fault::Malformed => ": too short or too long",
            Fault::Hash => ": not what the tree above it says",
            Fault::Root => ": the tree does not have the signed root",
        })
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Entries read and hashed.
    pub entries: u64,
    /// Damaged places, at most 1,000 of them.
    pub damage: Vec<Damage>,
}

impl FsckReport {
    /// Whether every entry and every tile is what the signed root says.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_empty()
    }
}

/// Reads every entry and every tile of the tree of `checkpoint` and hashes all again. `progress` hears how many entries have been
/// read. The checkpoint's signature is the caller's business.
pub fn fsck<S: TileSource>(source: &S, checkpoint: &Checkpoint, progress: impl FnMut(u64)) -> FsckReport {
    let mut check = Check { source, size: checkpoint.size, report: FsckReport::default(), edge: Vec::new() };
    let mut below = check.entries(progress);
    for level in 0..8 {
        below = check.level(level, &below);
    }
    check.root(checkpoint.root);
    check.report
}

/// The tile at the right edge of a level, as stored and as what is below says.
struct EdgeTile {
    tile: Tile,
    stored: Option<Vec<Hash>>,
    below: Option<Vec<Hash>>,
}

struct Check<'s, S> {
    source: &'s S,
    size: u64,
    report: FsckReport,
    /// Lowest level first.
    edge: Vec<EdgeTile>,
}

impl<S: TileSource> Check<'_, S> {
    fn damage(&mut self, tile: Tile, index: Option<u64>, fault: Fault) {
        let damage = Damage { tile, index, fault };
        if self.report.damage.len() < DAMAGE_MAX && !self.report.damage.contains(&damage) {
            self.report.damage.push(damage);
        }
    }

    fn read<T>(&mut self, tile: Tile, decode: impl FnOnce(&[u8]) -> Result<T, TileError>) -> Option<T> {
        let fault = match self.source.read(tile) {
            Err(_) => Fault::Unreadable,
            Ok(None) => Fault::Missing,
            Ok(Some(bytes)) => match decode(&bytes) {
                Ok(decoded) => return Some(decoded),
                Err(_) => Fault::Malformed,
            },
        };
        self.damage(tile, None, fault);
        None
    }

    fn tiles(&self, level: Level) -> impl Iterator<Item = Tile> + use<S> {
        let size = self.size;
        (0..).map_while(move |index| Tile::of_size(level, index, size))
    }

    /// The leaf hashes of all entries, `None` for those that cannot be read.
    fn entries(&mut self, mut progress: impl FnMut(u64)) -> Vec<Option<Hash>> {
        let mut leaves = Vec::new();
        for tile in self.tiles(Level::Entries) {
            let hash = |bytes: &[u8]| -> Result<Vec<Option<Hash>>, TileError> {
                Ok(decode_bundle(bytes, tile.width())?.into_iter().map(|e| Some(leaf_hash(e))).collect())
            };
            match self.read(tile, hash) {
                Some(hashes) => {
                    self.report.entries += hashes.len() as u64;
                    leaves.extend(hashes);
                }
                None => leaves.extend(std::iter::repeat_n(None, tile.width().into())),
            }
            progress(self.report.entries);
        }
        leaves
    }

    /// Compares the tiles of a level with what is below, and gives the hashes of the full ones.
    fn level(&mut self, level: u8, below: &[Option<Hash>]) -> Vec<Option<Hash>> {
        let mut roots = Vec::new();
        let mut parent: Option<(Tile, Option<Vec<Hash>>)> = None;
        for tile in self.tiles(Level::Hashes(level)) {
            let stored = self.read(tile, |bytes| decode_hashes(bytes, tile.width()));
            let start = usize::try_from(tile.index()).unwrap_or(usize::MAX).saturating_mul(TILE_WIDTH.into());
            let derived = below.get(start..start + usize::from(tile.width())).unwrap_or_default();
            let whole: Option<Vec<Hash>> = derived.iter().copied().collect();
            if !tile.is_full() {
                self.edge.push(EdgeTile { tile, stored, below: whole });
                continue;
            }
            let above =
                Tile::of_size(Level::Hashes(level + 1), tile.index() / u64::from(TILE_WIDTH), self.size);
            if parent.as_ref().map(|(t, _)| *t) != above {
                // Its own damage is reported when its level is checked.
                let read = |t: Tile| self.source.read(t).ok().flatten();
                parent = above.map(|t| (t, read(t).and_then(|b| decode_hashes(&b, t.width()).ok())));
            }
            let at = usize::try_from(tile.index() % u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
            let signed = parent.as_ref().and_then(|(_, hashes)| hashes.as_ref()?.get(at).copied());
            roots.push(self.full_tile(tile, stored, derived, whole, signed));
        }
        roots
    }

    /// Where a full tile and what is below differ, the hash above tells which of them is damaged. Gives the hash to go on with.
    fn full_tile(
        &mut self,
        tile: Tile,
        stored: Option<Vec<Hash>>,
        derived: &[Option<Hash>],
        whole: Option<Vec<Hash>>,
        signed: Option<Hash>,
    ) -> Option<Hash> {
        let below = whole.map(|hashes| perfect_root(&hashes));
        let Some(stored) = stored else { return below.or(signed) };
        let root = perfect_root(&stored);
        let tile_is_right = signed.is_none_or(|s| s == root);
        let below_is_right = below.is_some() && below == signed;
        self.compare(tile, &stored, derived, tile_is_right, below_is_right);
        if !tile_is_right && below_is_right { below } else { Some(root) }
    }

    fn compare(
        &mut self,
        tile: Tile,
        stored: &[Hash],
        derived: &[Option<Hash>],
        tile_right: bool,
        below_right: bool,
    ) {
        for (index, (stored, derived)) in
            (tile.index() * u64::from(TILE_WIDTH)..).zip(stored.iter().zip(derived))
        {
            if derived.is_none_or(|d| d == *stored) {
                continue;
            }
            if !below_right {
                let (level, place, entry) = match tile.level() {
                    Level::Hashes(0) | Level::Entries => (Level::Entries, tile.index(), Some(index)),
                    Level::Hashes(level) => (Level::Hashes(level - 1), index, None),
                };
                if let Some(child) = Tile::of_size(level, place, self.size) {
                    self.damage(child, entry, Fault::Hash);
                }
            }
            if !tile_right {
                self.damage(tile, Some(index), Fault::Hash);
            }
        }
    }

    /// The right edge gives the signed root; where it and what is below differ, the root tells which is damaged.
    fn root(&mut self, signed: Hash) {
        let edge = core::mem::take(&mut self.edge);
        let root = |below: Option<usize>| -> Option<Hash> {
            let mut parts = Vec::new();
            for (at, tile) in edge.iter().enumerate().rev() {
                let own = if below == Some(at) {
                    tile.below.as_ref()
                } else {
                    tile.stored.as_ref().or(tile.below.as_ref())
                };
                parts.extend(perfect_parts(own?));
            }
            Some(if parts.is_empty() { empty_root() } else { fold(&parts) })
        };
        let tiles_are_right = root(None) == Some(signed);
        for (at, e) in edge.iter().enumerate() {
            let (Some(stored), Some(below)) = (&e.stored, &e.below) else { continue };
            let derived: Vec<Option<Hash>> = below.iter().copied().map(Some).collect();
            self.compare(e.tile, stored, &derived, tiles_are_right, root(Some(at)) == Some(signed));
        }
        if !tiles_are_right && self.report.damage.is_empty() {
            let any = Tile::of_size(Level::Hashes(0), 0, self.size.max(1));
            if let Some(tile) = edge.first().map(|e| e.tile).or(any) {
                self.damage(tile, None, Fault::Root);
            }
        }
    }
}
