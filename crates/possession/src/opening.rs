//! Openings of a tree: of one cell for the statement, and of one block for whoever fetched it.

mod block;

use crate::field::Fr;
use crate::poseidon2::compress;
use crate::tree::{
    ARITY, BLOCK_BYTES, CELL_BYTES, CELLS_PER_BLOCK, CellTree, DEPTH_MAX, KEPT_LEVEL, block_len,
    cell_elements, cell_hashes, children_of, lift, parents,
};

pub use block::{BlockError, BlockPath, StoredPathError, stored_block_path, verify_block};

/// Why a cell cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// No such cell.
    #[error("cell {index} of a body of {cells} cells")]
    IndexOutOfRange {
        /// The cell asked for.
        index: u64,
        /// Cells there are.
        cells: u64,
    },
    /// The class is too shallow for the body, or deeper than any class.
    #[error("class depth {class_depth}, natural depth {depth}")]
    Depth {
        /// Depth of the class.
        class_depth: u8,
        /// Natural depth of the tree.
        depth: u8,
    },
    /// Not the whole block.
    #[error("block {block} has {expected} bytes, found {found}")]
    BlockLength {
        /// The block.
        block: u64,
        /// Bytes it has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The block's bytes are not what was committed to.
    #[error("block {block} is not what was committed to")]
    CellsUnavailable {
        /// The block.
        block: u64,
    },
}

/// A cell and the way from it to the lifted root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The cell's 16 elements.
    pub cell: [Fr; ARITY],
    /// Children of the nodes on the way, from level 2 up to the class's depth: `depth - 1` of them.
    pub path: Vec<[Fr; ARITY]>,
    /// The cell's position; its base-16 digits, least first, say which child each level goes through.
    pub index: u64,
}

impl Opening {
    /// The base-16 digit of the index at `path[i]`.
    #[must_use]
    pub const fn digit(&self, i: usize) -> usize {
        digit(self.index, i)
    }

    /// Whether the cell leads along the digits of the index to `root`, and nothing of the index is left over.
    #[must_use]
    pub fn leads_to(&self, root: &Fr) -> bool {
        let mut node = compress(&self.cell);
        for (i, children) in self.path.iter().enumerate() {
            if children[self.digit(i)] != node {
                return false;
            }
            node = compress(children);
        }
        node == *root && digits_left(self.index, self.path.len()) == 0
    }
}

/// The base-16 digit `i` of an index, least first.
pub(crate) const fn digit(index: u64, i: usize) -> usize {
    (digits_left(index, i) & 15) as usize
}

/// The index without its `i` least digits.
pub(crate) const fn digits_left(index: u64, i: usize) -> u64 {
    if i >= 16 { 0 } else { index >> (4 * i) }
}

/// Opens cell `index` for a class of depth `class_depth`, given the bytes of the block that holds it.
///
/// The bottom levels are computed again and must lead to the kept level-3 node, so damage is found here and not
/// by a proof that fails to verify.
///
/// # Errors
/// `IndexOutOfRange`, `Depth`, `BlockLength`, `CellsUnavailable`.
pub fn open(tree: &CellTree, index: u64, class_depth: u8, block: &[u8]) -> Result<Opening, OpeningError> {
    let cells = tree.cells();
    if index >= cells {
        return Err(OpeningError::IndexOutOfRange { index, cells });
    }
    let depth = tree.depth();
    if class_depth < depth.max(KEPT_LEVEL) || class_depth > DEPTH_MAX {
        return Err(OpeningError::Depth { class_depth, depth });
    }
    let number = index / CELLS_PER_BLOCK as u64;
    let expected = block_len(tree.size(), number);
    if block.len() != expected {
        return Err(OpeningError::BlockLength { block: number, expected, found: block.len() });
    }
    let within = usize::try_from(index % CELLS_PER_BLOCK as u64).unwrap_or_default();
    let hashes = cell_hashes(block);
    let groups = parents(&hashes, 1);
    let level_3 = children_of(&groups, 2);
    if compress(&level_3) != tree.node(KEPT_LEVEL, number) {
        return Err(OpeningError::CellsUnavailable { block: number });
    }
    let group = within / ARITY * ARITY;
    let mut path = vec![children_of(&hashes[group..hashes.len().min(group + ARITY)], 1), level_3];
    for level in KEPT_LEVEL..class_depth {
        // Children, of `level`, of the node above.
        let first = digits_left(index, usize::from(level)) * ARITY as u64;
        path.push(core::array::from_fn(|i| tree.node(level, first + i as u64)));
    }
    let start = within * CELL_BYTES;
    let cell = cell_elements(&block[start..block.len().min(start + CELL_BYTES)]);
    Ok(Opening { cell, path, index })
}

impl CellTree {
    /// The root as a class of depth `class_depth` sees it.
    ///
    /// # Errors
    /// `Depth` when the class is shallower than the tree or deeper than any class.
    pub fn lifted_root(&self, class_depth: u8) -> Result<Fr, OpeningError> {
        let depth = self.depth();
        if class_depth < depth || class_depth > DEPTH_MAX {
            return Err(OpeningError::Depth { class_depth, depth });
        }
        Ok(lift(self.root_element(), depth, class_depth))
    }
}

const _: () = assert!(BLOCK_BYTES == CELL_BYTES * CELLS_PER_BLOCK);
