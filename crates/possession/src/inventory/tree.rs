//! Building the tree, and what a host gives out of it.

use std::ops::Range;

use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{InventoryRoot, OwnerKey, UnitName};
use bailiwick_protocol::inventory::{InventoryTarget, LeafOpening, OwnerRange, SignedInventory, SumNode};
use bailiwick_protocol::limits::INVENTORY_LEAVES_MAX;

use super::{InventoryError, check_cells, leaf_hash, node_hash, range};
use crate::challenge::draw;

/// What became of one name since a tree was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is held, as this says: new, or at another generation.
    Held(Target),
    /// It is not held any more.
    Gone(UnitName),
}

impl Change {
    const fn name(&self) -> &UnitName {
        match self {
            Self::Held(target) => &target.name,
            Self::Gone(name) => name,
        }
    }
}

/// A whole inventory in memory: about 220 bytes a leaf.
#[derive(Clone, Debug)]
pub struct InventoryTree {
    leaves: Vec<Target>,
    /// Cells before each leaf, and at last the total.
    starts: Vec<u64>,
    /// Hashes level by level, leaves first. A node without a sibling stands for itself one level up: the shape of RFC 9162.
    levels: Vec<Vec<[u8; 32]>>,
}

impl InventoryTree {
    /// From leaves that ascend strictly by name.
    ///
    /// # Errors
    /// `Empty`, `TooMany`, `Unsorted`, `Cells`, `Overflow`.
    pub fn new(leaves: Vec<Target>) -> Result<Self, InventoryError> {
        let hashes = leaves.iter().map(leaf_hash).collect();
        Self::from_hashed(leaves, hashes)
    }

    /// The tree after `changes`, which hashes the changed leaves only. Of several changes of one name the last counts.
    ///
    /// # Errors
    /// As [`InventoryTree::new`].
    pub fn updated(&self, changes: impl IntoIterator<Item = Change>) -> Result<Self, InventoryError> {
        let mut changes: Vec<Change> = changes.into_iter().collect();
        changes.sort_by(|a, b| a.name().cmp(b.name()));
        let mut leaves = Vec::with_capacity(self.leaves.len() + changes.len());
        let mut hashes = Vec::with_capacity(self.leaves.len() + changes.len());
        let mut at = 0;
        let mut changes = changes.into_iter().peekable();
        while let Some(change) = changes.next() {
            // The sort is stable: the last of one name stands last.
            if changes.peek().is_some_and(|next| next.name() == change.name()) {
                continue;
            }
            let (kept, same) = match self.leaves[at..].binary_search_by(|l| l.name.cmp(change.name())) {
                Ok(i) => (at + i, 1),
                Err(i) => (at + i, 0),
            };
            leaves.extend_from_slice(&self.leaves[at..kept]);
            hashes.extend_from_slice(&self.levels[0][at..kept]);
            at = kept + same;
            if let Change::Held(target) = change {
                hashes.push(leaf_hash(&target));
                leaves.push(target);
            }
        }
        leaves.extend_from_slice(&self.leaves[at..]);
        hashes.extend_from_slice(&self.levels[0][at..]);
        Self::from_hashed(leaves, hashes)
    }

    fn from_hashed(leaves: Vec<Target>, hashes: Vec<[u8; 32]>) -> Result<Self, InventoryError> {
        let found = leaves.len() as u64;
        if leaves.is_empty() {
            return Err(InventoryError::Empty);
        }
        if found > INVENTORY_LEAVES_MAX {
            return Err(InventoryError::TooMany { found });
        }
        if let Some(i) = leaves.windows(2).position(|w| w[0].name >= w[1].name) {
            return Err(InventoryError::Unsorted { index: i as u64 + 1 });
        }
        let mut starts = Vec::with_capacity(leaves.len() + 1);
        let mut total = 0u64;
        for (index, leaf) in (0..).zip(&leaves) {
            check_cells(index, leaf)?;
            starts.push(total);
            // Each at most 2^64 / 496, so one more never passes 2^64 while the total is below 2^63.
            total = total.checked_add(leaf.cells).filter(|t| *t < 1 << 63).ok_or(InventoryError::Overflow)?;
        }
        starts.push(total);
        let mut tree = Self { leaves, starts, levels: vec![hashes] };
        while tree.levels[tree.levels.len() - 1].len() > 1 {
            let level = tree.above(tree.levels.len() - 1);
            tree.levels.push(level);
        }
        Ok(tree)
    }

    /// The level above the last one made.
    fn above(&self, level: usize) -> Vec<[u8; 32]> {
        let below = &self.levels[level];
        let pair = |place: usize| {
            if 2 * place + 1 == below.len() {
                below[2 * place]
            } else {
                node_hash(&self.node(level, 2 * place), &self.node(level, 2 * place + 1))
            }
        };
        (0..below.len().div_ceil(2)).map(pair).collect()
    }

    fn node(&self, level: usize, place: usize) -> SumNode {
        let first = place << level;
        let end = ((place + 1) << level).min(self.leaves.len());
        SumNode { hash: self.levels[level][place], cells: self.starts[end] - self.starts[first] }
    }

    /// The node over a part that the walk of RFC 9162 meets: it starts at a multiple of the power of two its length rounds up to.
    pub(super) fn subtree(&self, part: &Range<u64>) -> SumNode {
        let level = (part.end - part.start).next_power_of_two().trailing_zeros();
        self.node(level as usize, index_of(part.start >> level))
    }

    /// All leaves, ascending by name.
    #[must_use]
    pub fn leaves(&self) -> &[Target] {
        &self.leaves
    }

    /// What a challenge over it names, and a host signs.
    #[must_use]
    pub fn target(&self) -> InventoryTarget {
        let top = &self.levels[self.levels.len() - 1];
        let cells = self.starts[self.leaves.len()];
        InventoryTarget { root: InventoryRoot(top[0]), leaves: self.leaves.len() as u64, cells }
    }

    /// The leaf at `index` with its path; `None` beyond the last.
    #[must_use]
    pub fn open(&self, index: u64) -> Option<LeafOpening> {
        let mut place = usize::try_from(index).ok()?;
        let leaf = self.leaves.get(place)?.clone();
        let mut path = Vec::new();
        for level in 0..self.levels.len() - 1 {
            if (place ^ 1) < self.levels[level].len() {
                path.push(self.node(level, place ^ 1));
            }
            place /= 2;
        }
        Some(LeafOpening { index, leaf, path })
    }

    /// The leaf that holds a position among all cells, and its first position; `None` at the total and beyond.
    #[must_use]
    pub fn at(&self, position: u64) -> Option<(u64, u64)> {
        if position >= self.starts[self.leaves.len()] {
            return None;
        }
        // No leaf is without cells, so the starts ascend strictly, and the first is 0.
        let index = self.starts.partition_point(|start| *start <= position) - 1;
        Some((index as u64, self.starts[index]))
    }

    /// The leaves a challenge over this inventory samples, each once, ascending: what [`crate::challenge::sampled`] needs.
    ///
    /// # Errors
    /// `OtherInventory`.
    pub fn sample(&self, challenge: &Challenge) -> Result<Vec<LeafOpening>, InventoryError> {
        if challenge.inventory != Some(self.target()) {
            return Err(InventoryError::OtherInventory);
        }
        let total = self.starts[self.leaves.len()];
        let mut hit: Vec<u64> =
            draw(challenge).positions(total).filter_map(|p| self.at(p)).map(|(index, _)| index).collect();
        hit.sort_unstable();
        hit.dedup();
        Ok(hit.into_iter().filter_map(|index| self.open(index)).collect())
    }

    /// Places of an owner's leaves, possibly none.
    #[must_use]
    pub fn of_owner(&self, owner: &OwnerKey) -> Range<u64> {
        let first = self.leaves.partition_point(|l| l.name.owner < *owner) as u64;
        let end = self.leaves.partition_point(|l| l.name.owner <= *owner) as u64;
        first..end
    }

    /// All leaves of an owner and the proof that there are no others. `inventory` is this tree's, signed by the host.
    #[must_use]
    pub fn owner_range(&self, inventory: SignedInventory, owner: &OwnerKey) -> OwnerRange {
        self.range(inventory, self.around_owner(owner))
    }

    /// Of [`InventoryTree::owner_range`] at most `limit` leaves, those at place `from` and after; `None` when there are none.
    /// [`super::join_ranges`] puts such pages together.
    #[must_use]
    pub fn owner_page(
        &self,
        inventory: SignedInventory,
        owner: &OwnerKey,
        from: u64,
        limit: u64,
    ) -> Option<OwnerRange> {
        let all = self.around_owner(owner);
        let first = all.start.max(from);
        let given = first..all.end.min(first.saturating_add(limit));
        (given.start < given.end).then(|| self.range(inventory, given))
    }

    /// Places of an owner's leaves, and of a neighbour on either side, where there is one: it shows that they end there.
    fn around_owner(&self, owner: &OwnerKey) -> Range<u64> {
        let owned = self.of_owner(owner);
        owned.start.saturating_sub(1)..(owned.end + 1).min(self.leaves.len() as u64)
    }

    fn range(&self, inventory: SignedInventory, given: Range<u64>) -> OwnerRange {
        let leaves = self.leaves[index_of(given.start)..index_of(given.end)].to_vec();
        OwnerRange { inventory, first: given.start, leaves, around: range::around(self, &given) }
    }
}

/// A place in a tree that is in memory.
fn index_of(place: u64) -> usize {
    usize::try_from(place).expect("places are below the number of leaves, which are in memory")
}
