//! Paths of whole blocks, so that fetched bytes can be checked against the root their owner signed.

use bailiwick_protocol::ids::CellRoot;

use super::{digit, digits_left};
use crate::field::{Fr, element_from_bytes, element_to_bytes};
use crate::poseidon2::compress;
use crate::tree::encoding::row;
use crate::tree::{
    ARITY, CELLS_MAX, CellTree, DEPTH_MAX, KEPT_LEVEL, block_len, blocks_of, cell_hashes, cells_of,
    children_of, depth_of, lift, parents,
};

/// Why a block is not shown to be part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// No such block.
    #[error("block {block} of a body of {blocks} blocks")]
    OutOfRange {
        /// The block.
        block: u64,
        /// Blocks there are.
        blocks: u64,
    },
    /// Size and cells do not belong together, or are outside every class.
    #[error("{size} bytes and {cells} cells do not belong together")]
    Cells {
        /// Bytes stated.
        size: u64,
        /// Cells stated.
        cells: u64,
    },
    /// A root that is not a canonical field element.
    #[error("root is not a canonical element")]
    Root,
    /// The path is of another block or of a tree of another depth.
    #[error("the path does not belong to this block and depth")]
    Path,
    /// Not the whole block.
    #[error("block has {expected} bytes, found {found}")]
    Length {
        /// Bytes it has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not lead to the root.
    #[error("the bytes are not those committed to")]
    Mismatch,
    /// An encoded path that is malformed, too long, or has a non-canonical element.
    #[error("malformed block path")]
    Malformed,
}

/// The way from a block's level-3 node to the root at natural depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockPath {
    /// Which block.
    pub block: u64,
    /// The 15 nodes beside the one on the way, for each level from 3 to below the root, lowest first.
    pub siblings: Vec<[Fr; ARITY - 1]>,
}

const LEVEL_BYTES: usize = 32 * (ARITY - 1);
const LEVELS_MAX: usize = (DEPTH_MAX - KEPT_LEVEL) as usize;

impl BlockPath {
    /// Bytes of the encoding, at most.
    pub const BYTES_MAX: usize = 8 + LEVELS_MAX * LEVEL_BYTES;

    /// `LE64 block ‖ siblings [32 each]`; the number of levels follows from the length.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.block.to_le_bytes().to_vec();
        for x in self.siblings.iter().flatten() {
            out.extend_from_slice(&element_to_bytes(x));
        }
        out
    }

    /// Inverse of [`BlockPath::to_bytes`].
    ///
    /// # Errors
    /// `Malformed`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlockError> {
        let (block, rest) = bytes.split_first_chunk::<8>().ok_or(BlockError::Malformed)?;
        let (levels, left) = rest.as_chunks::<LEVEL_BYTES>();
        if levels.len() > LEVELS_MAX || !left.is_empty() {
            return Err(BlockError::Malformed);
        }
        let siblings = levels.iter().map(decode_level).collect::<Option<_>>().ok_or(BlockError::Malformed)?;
        Ok(Self { block: u64::from_le_bytes(*block), siblings })
    }
}

fn decode_level(bytes: &[u8; LEVEL_BYTES]) -> Option<[Fr; ARITY - 1]> {
    let mut out = [Fr::default(); ARITY - 1];
    for (x, b) in out.iter_mut().zip(bytes.as_chunks::<32>().0) {
        *x = element_from_bytes(b)?;
    }
    Some(out)
}

impl CellTree {
    /// The path of a block.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn block_path(&self, block: u64) -> Result<BlockPath, BlockError> {
        let blocks = blocks_of(self.size());
        if block >= blocks {
            return Err(BlockError::OutOfRange { block, blocks });
        }
        let siblings = (KEPT_LEVEL..self.depth().max(KEPT_LEVEL))
            .enumerate()
            .map(|(i, level)| {
                let (first, own) = (digits_left(block, i + 1) * ARITY as u64, digit(block, i));
                core::array::from_fn(|s| self.node(level, first + (s + usize::from(s >= own)) as u64))
            })
            .collect();
        Ok(BlockPath { block, siblings })
    }
}

/// Why a stored tree gives no path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoredPathError<E> {
    /// `OutOfRange`, or `Cells` and `Root` of the arguments; `Malformed` or `Mismatch` when the stored nodes are damaged.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Reading failed.
    #[error("reading the stored tree: {0}")]
    Read(E),
}

/// The path of a block from the stored form of a tree ([`CellTree::to_bytes`]) without reading it whole: at most 16 nodes a level.
///
/// `read` fills a buffer from an offset of the stored form. What is read is checked: it leads to `root`, the root of the body
/// of `size` bytes. A body of one block has an empty path and nothing is read.
///
/// # Errors
/// `StoredPathError`.
pub fn stored_block_path<E>(
    root: &CellRoot,
    size: u64,
    block: u64,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<BlockPath, StoredPathError<E>> {
    let cells = cells_of(size);
    if cells == 0 || cells > CELLS_MAX {
        return Err(BlockError::Cells { size, cells }.into());
    }
    let root = element_from_bytes(root.as_bytes()).ok_or(BlockError::Root)?;
    let blocks = blocks_of(size);
    if block >= blocks {
        return Err(BlockError::OutOfRange { block, blocks }.into());
    }
    let depth = depth_of(cells);
    let mut siblings = Vec::new();
    let mut below = None;
    for (i, level) in (KEPT_LEVEL..depth).enumerate() {
        let (row, nodes) = row(size, level);
        let (first, own) = (digits_left(block, i + 1) * ARITY as u64, digit(block, i));
        let mut bytes = [0; 32 * ARITY];
        let present = usize::try_from(nodes - first).map_or(ARITY, |n| n.min(ARITY));
        let bytes = &mut bytes[..32 * present];
        read(row + 32 * first, bytes).map_err(StoredPathError::Read)?;
        let group: Option<Vec<_>> = bytes.as_chunks::<32>().0.iter().map(element_from_bytes).collect();
        let group = children_of(&group.ok_or(BlockError::Malformed)?, level);
        if below.is_some_and(|node| node != group[own]) {
            return Err(BlockError::Mismatch.into());
        }
        below = Some(compress(&group));
        siblings.push(core::array::from_fn(|s| group[s + usize::from(s >= own)]));
    }
    if below.is_some_and(|node| node != root) {
        return Err(BlockError::Mismatch.into());
    }
    Ok(BlockPath { block, siblings })
}

/// Checks that `bytes` are block `block` of the body of `size` bytes and `cells` cells whose root is `root`.
///
/// `root`, `cells` and `size` come from an envelope whose signature has been verified; `bytes` and `path` from anyone.
///
/// # Errors
/// `Cells`, `Root`, `OutOfRange`, `Length`, `Path`, `Mismatch`.
pub fn verify_block(
    root: &CellRoot,
    cells: u64,
    size: u64,
    block: u64,
    bytes: &[u8],
    path: &BlockPath,
) -> Result<(), BlockError> {
    if cells == 0 || cells > CELLS_MAX || cells != cells_of(size) {
        return Err(BlockError::Cells { size, cells });
    }
    let root = element_from_bytes(root.as_bytes()).ok_or(BlockError::Root)?;
    let blocks = blocks_of(size);
    if block >= blocks {
        return Err(BlockError::OutOfRange { block, blocks });
    }
    let expected = block_len(size, block);
    if bytes.len() != expected {
        return Err(BlockError::Length { expected, found: bytes.len() });
    }
    let depth = depth_of(cells);
    let top = depth.max(KEPT_LEVEL);
    if path.block != block || path.siblings.len() != usize::from(top - KEPT_LEVEL) {
        return Err(BlockError::Path);
    }
    let mut node = compress(&children_of(&parents(&cell_hashes(bytes), 1), 2));
    for (i, siblings) in path.siblings.iter().enumerate() {
        let own = digit(block, i);
        node = compress(&core::array::from_fn(|c| match c.cmp(&own) {
            core::cmp::Ordering::Less => siblings[c],
            core::cmp::Ordering::Equal => node,
            core::cmp::Ordering::Greater => siblings[c - 1],
        }));
    }
    if node == lift(root, depth, top) { Ok(()) } else { Err(BlockError::Mismatch) }
}
