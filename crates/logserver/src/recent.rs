//! Which entries the log has added lately, so that one that is sent again, because the answer was lost, is not added again.

use std::collections::HashMap;
use std::io;

use bailiwick_translog::{Hash, Level, Tile, TileSource, TreeError, decode_bundle, leaf_hash};

use crate::dir::LogDir;

/// Entries of a generation. The two latest generations are remembered, about 50 bytes an entry: never less than the latest 100,000
/// entries, in 11 MB at most.
pub(crate) const GENERATION: u64 = 100_000;
/// Entries of a bundle.
const BUNDLE: u64 = 256;

/// Index by leaf hash, of the latest entries.
#[derive(Default)]
pub(crate) struct Recent {
    young: HashMap<Hash, u64>,
    old: HashMap<Hash, u64>,
}

impl Recent {
    /// Reads the latest entries of a log of `size`.
    ///
    /// # Errors
    /// `TreeError` of a bundle that cannot be read.
    pub(crate) fn read(dir: &LogDir, size: u64) -> Result<Self, TreeError<io::Error>> {
        let mut recent = Self::default();
        for bundle in size.saturating_sub(GENERATION) / BUNDLE..size.div_ceil(BUNDLE) {
            let Some(tile) = Tile::of_size(Level::Entries, bundle, size) else { continue };
            let bytes = dir.read(tile).map_err(|source| TreeError::Source { tile, source })?;
            let bytes = bytes.ok_or(TreeError::Missing { tile })?;
            let entries =
                decode_bundle(&bytes, tile.width()).map_err(|error| TreeError::Malformed { tile, error })?;
            for (entry, index) in entries.iter().zip(bundle * BUNDLE..) {
                recent.add(leaf_hash(entry), index);
            }
        }
        Ok(recent)
    }

    /// Where an entry is that was added lately; the first place, if it was added more than once.
    pub(crate) fn index_of(&self, leaf: &Hash) -> Option<u64> {
        self.old.get(leaf).or_else(|| self.young.get(leaf)).copied()
    }

    pub(crate) fn add(&mut self, leaf: Hash, index: u64) {
        if self.young.len() as u64 >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(leaf).or_insert(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Hash {
        leaf_hash(&n.to_le_bytes())
    }

    /// Spec log A5: the latest 100,000 are known, the memory does not grow, and the first place of an entry counts.
    #[test]
    fn log_a5_the_latest_entries_are_known_and_no_more_than_two_generations() {
        let mut recent = Recent::default();
        recent.add(leaf(0), 0);
        recent.add(leaf(0), 1);
        assert_eq!(recent.index_of(&leaf(0)), Some(0));
        for n in 1..=3 * GENERATION {
            recent.add(leaf(n), n);
        }
        let known = |n: u64| recent.index_of(&leaf(n)) == Some(n);
        assert!((2 * GENERATION + 1..=3 * GENERATION).all(known));
        assert_eq!(recent.index_of(&leaf(1)), None, "forgotten");
        assert!((recent.young.len() + recent.old.len()) as u64 <= 2 * GENERATION);
    }
}
