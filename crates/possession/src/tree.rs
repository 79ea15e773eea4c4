//! The cell tree: a body's storage commitment (spec cell-tree).
//!
//! An element is 31 bytes little-endian, a *cell* 16 elements (496 bytes, the last cell zero-padded), arity is 16 and a node is
//! `C` of its children. Level 1 holds the cells' hashes; the root of *natural depth* `d` is at the least level that holds
//! everything, `16^(d-1) >= cells`. Missing nodes are [`empty_node`]s. A class of depth `D >= d` takes the root *lifted*.
//!
//! Only levels from 3 up are kept, one node per 124 KiB *block* (0.026 %): the bottom is computed again from the block.

mod builder;
pub(crate) mod encoding;

use std::sync::OnceLock;

use bailiwick_protocol::ids::CellRoot;
use bailiwick_protocol::labels::Label;

use crate::field::{DATA_BYTES, Fr, element_from_31, element_of_label, element_to_bytes};
use crate::poseidon2::{WIDTH, compress, compress_all, hash_cells};

pub use builder::{TreeBuilder, commit};

/// Children of a node.
pub const ARITY: usize = WIDTH;
/// Bytes of a cell.
pub const CELL_BYTES: usize = ARITY * DATA_BYTES;
/// Cells under one node of level 3.
pub const CELLS_PER_BLOCK: usize = ARITY * ARITY;
/// Bytes of a block: the unit of reading and of recomputation.
pub const BLOCK_BYTES: usize = CELL_BYTES * CELLS_PER_BLOCK;
/// Bytes under one node of level 2.
pub(crate) const GROUP_BYTES: usize = CELL_BYTES * ARITY;
/// Deepest tree: the depth of the deepest pinned class.
pub const DEPTH_MAX: u8 = 8;
/// Lowest level that is kept.
pub const KEPT_LEVEL: u8 = 3;
/// Cells of a tree, at most: 16^7.
pub const CELLS_MAX: u64 = 1 << (4 * (DEPTH_MAX as u32 - 1));

const _: () = assert!(CELL_BYTES as u64 == bailiwick_protocol::envelope::CELL_BYTES);
const _: () = assert!(CELLS_MAX * CELL_BYTES as u64 == bailiwick_protocol::limits::BODY_BYTES_MAX);

/// Why bytes are not a tree, or have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// No bytes, hence no cells. A body is never empty.
    #[error("an empty body has no cells")]
    Empty,
    /// More bytes than the deepest tree holds.
    #[error("{size} bytes, more than the {max} a tree holds")]
    TooLarge {
        /// Bytes found (at least).
        size: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// An encoded tree of a version this build does not know.
    #[error("unknown version {0} of the encoded tree")]
    UnknownVersion(u8),
    /// An encoded tree whose length is not the one its size calls for.
    #[error("encoded tree of {found} bytes, expected {expected}")]
    Length {
        /// Bytes found.
        found: u64,
        /// Bytes expected.
        expected: u64,
    },
    /// An element at or above the modulus.
    #[error("element {index} of the encoded tree is not canonical")]
    NotCanonical {
        /// Which element, the root being 0.
        index: usize,
    },
    /// The nodes do not lead to the root: the encoded tree is damaged.
    #[error("the encoded tree's nodes do not lead to its root")]
    Damaged,
}

/// Cells of a body: `ceil(size / 496)`.
#[must_use]
pub const fn cells_of(size: u64) -> u64 {
    size.div_ceil(CELL_BYTES as u64)
}

/// Blocks of a body: `ceil(size / 126 976)`.
#[must_use]
pub const fn blocks_of(size: u64) -> u64 {
    size.div_ceil(BLOCK_BYTES as u64)
}

/// Bytes of block `block` of a body of `size` bytes; 0 past the end.
#[must_use]
pub fn block_len(size: u64, block: u64) -> usize {
    let start = block.saturating_mul(BLOCK_BYTES as u64);
    usize::try_from(size.saturating_sub(start)).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES))
}

/// Natural depth: the least `d >= 1` with `16^(d-1) >= cells`.
#[must_use]
pub fn depth_of(cells: u64) -> u8 {
    let (mut depth, mut capacity) = (1, 1u64);
    while capacity < cells {
        depth += 1;
        capacity = capacity.saturating_mul(ARITY as u64);
    }
    depth
}

/// `Z_level`, the node of a subtree without cells: `Z_1 = 2^248 + LE(BLAKE3(label)[..31])`, `Z_(i+1) = C(Z_i × 16)`.
/// No cell data produces `Z_1`'s children, so an empty place can never be answered.
///
/// # Panics
/// Outside `1..=DEPTH_MAX`, a bug in the caller.
#[must_use]
pub fn empty_node(level: u8) -> Fr {
    static NODES: OnceLock<[Fr; DEPTH_MAX as usize]> = OnceLock::new();
    let nodes = NODES.get_or_init(|| {
        let mut z = element_of_label(Label::EmptyCell.as_str());
        core::array::from_fn(|_| {
            let next = compress(&[z; ARITY]);
            core::mem::replace(&mut z, next)
        })
    });
    assert!((1..=DEPTH_MAX).contains(&level), "levels are numbered from 1 to {DEPTH_MAX}");
    nodes[usize::from(level) - 1]
}

/// The root of depth `from` seen at depth `to`: `R_(i+1) = C(R_i, Z_i, .., Z_i)`. Unchanged when `to <= from`.
///
/// # Panics
/// When `from` is 0 or `to` exceeds `DEPTH_MAX`, bugs in the caller.
#[must_use]
pub fn lift(root: Fr, from: u8, to: u8) -> Fr {
    (from..to).fold(root, |r, level| compress(&lifted_children(r, level)))
}

/// Children of the node above `node` (of `level`) when nothing stands beside it.
pub(crate) fn lifted_children(node: Fr, level: u8) -> [Fr; ARITY] {
    let mut children = [empty_node(level); ARITY];
    children[0] = node;
    children
}

/// A cell's 16 elements; at most 496 bytes, zero-padded.
pub(crate) fn cell_elements(bytes: &[u8]) -> [Fr; ARITY] {
    let mut out = [Fr::default(); ARITY];
    for (x, data) in out.iter_mut().zip(bytes.chunks(DATA_BYTES)) {
        *x = element_from_31(data);
    }
    out
}

/// The parents (of `level + 1`) of a row of nodes of `level`.
pub(crate) fn parents(nodes: &[Fr], level: u8) -> Vec<Fr> {
    let children: Vec<_> = nodes.chunks(ARITY).map(|c| children_of(c, level)).collect();
    compress_all(&children)
}

/// 16 children of which only the first ones exist.
pub(crate) fn children_of(present: &[Fr], level: u8) -> [Fr; ARITY] {
    let mut children = [empty_node(level); ARITY];
    for (c, x) in children.iter_mut().zip(present) {
        *c = *x;
    }
    children
}

/// The hashes (level 1) of consecutive cells, of which only the last may be short.
pub(crate) fn cell_hashes(bytes: &[u8]) -> Vec<Fr> {
    hash_cells(bytes)
}

/// The level-2 nodes of consecutive groups of 16 cells, of which only the last may be short.
fn group_nodes(bytes: &[u8]) -> Vec<Fr> {
    parents(&cell_hashes(bytes), 1)
}

/// Storage commitment of a body: its root and every node from level 3 up.
#[derive(Clone, PartialEq, Eq)]
pub struct CellTree {
    size: u64,
    root: Fr,
    /// `levels[i]` is level `3 + i`; the last has one node.
    levels: Vec<Vec<Fr>>,
}

impl CellTree {
    /// Bytes of the body.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Cells of the body, at least 1.
    #[must_use]
    pub const fn cells(&self) -> u64 {
        cells_of(self.size)
    }

    /// Natural depth of the root.
    #[must_use]
    pub fn depth(&self) -> u8 {
        depth_of(self.cells())
    }

    /// The root at natural depth, as an envelope carries it.
    #[must_use]
    pub fn root(&self) -> CellRoot {
        CellRoot(element_to_bytes(&self.root))
    }

    /// The root at natural depth.
    #[must_use]
    pub const fn root_element(&self) -> Fr {
        self.root
    }

    /// Node `n` of a kept `level` (3 and up), empty past the last one, lifted above the top.
    pub(crate) fn node(&self, level: u8, n: u64) -> Fr {
        let kept = usize::from(level - KEPT_LEVEL);
        let Some(row) = self.levels.get(kept) else {
            let top_level = self.depth().max(KEPT_LEVEL);
            return if n == 0 { lift(self.top(), top_level, level) } else { empty_node(level) };
        };
        usize::try_from(n).ok().and_then(|n| row.get(n)).copied().unwrap_or_else(|| empty_node(level))
    }

    /// The single node at level `max(d, 3)`.
    fn top(&self) -> Fr {
        // Construction puts at least one row in, the last of one node.
        self.levels.last().and_then(|row| row.first()).copied().unwrap_or_default()
    }

    /// A tree from its level-3 nodes. `low_root` is the root when it lies below level 3.
    fn from_kept(size: u64, nodes: Vec<Fr>, low_root: Option<Fr>) -> Self {
        let mut levels = vec![nodes];
        let mut level = KEPT_LEVEL;
        while let Some(row) = levels.last().filter(|row| row.len() > 1) {
            let next = parents(row, level);
            levels.push(next);
            level += 1;
        }
        let mut tree = Self { size, root: Fr::default(), levels };
        tree.root = low_root.unwrap_or_else(|| tree.top());
        tree
    }
}

impl core::fmt::Debug for CellTree {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CellTree({} bytes, depth {}, {:?})", self.size, self.depth(), self.root())
    }
}
