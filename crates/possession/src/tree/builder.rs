//! Builds a tree from a stream of bytes in bounded memory.

use super::{
    ARITY, BLOCK_BYTES, CELLS_PER_BLOCK, CellTree, GROUP_BYTES, KEPT_LEVEL, TreeError, cell_hashes, cells_of,
    children_of, depth_of, group_nodes, parents,
};
use crate::field::Fr;
use crate::poseidon2::compress;
use bailiwick_protocol::limits::BODY_BYTES_MAX;

/// Groups of 16 cells in one task: their nodes are as many as are hashed side by side.
#[cfg(feature = "parallel")]
const TASK_GROUPS: usize = 8;
/// Blocks hashed together. Enough to feed many cores (each task is 128 cells), 4 MiB of buffer.
#[cfg(feature = "parallel")]
const BATCH_BLOCKS: usize = 32;
#[cfg(not(feature = "parallel"))]
const BATCH_BLOCKS: usize = 1;
const BATCH_BYTES: usize = BATCH_BLOCKS * BLOCK_BYTES;

/// Builds a [`CellTree`] from the bytes of a body in order, however they are cut.
///
/// Memory: a batch buffer of at most 4 MiB and 32 bytes per 124 KiB block: 34 MiB for the largest body, 133 GB.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    size: u64,
    buffer: Vec<u8>,
    nodes: Vec<Fr>,
}

impl TreeBuilder {
    /// No bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes of the body. Past the largest size nothing more is hashed, and [`TreeBuilder::finish`] refuses.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > BODY_BYTES_MAX {
            return;
        }
        if !self.buffer.is_empty() {
            let wanted = (BATCH_BYTES - self.buffer.len()).min(bytes.len());
            let (head, rest) = bytes.split_at(wanted);
            self.buffer.extend_from_slice(head);
            bytes = rest;
            if self.buffer.len() < BATCH_BYTES {
                return;
            }
            self.nodes.extend(block_nodes(&self.buffer));
            self.buffer.clear();
        }
        // Whole batches are hashed where they lie.
        let whole = bytes.len() - bytes.len() % BATCH_BYTES;
        for batch in bytes[..whole].chunks(BATCH_BYTES) {
            self.nodes.extend(block_nodes(batch));
        }
        self.buffer.extend_from_slice(&bytes[whole..]);
    }

    /// The tree.
    ///
    /// # Errors
    /// `Empty` with no bytes, `TooLarge` past `BODY_BYTES_MAX`.
    pub fn finish(mut self) -> Result<CellTree, TreeError> {
        if self.size == 0 {
            return Err(TreeError::Empty);
        }
        if self.size > BODY_BYTES_MAX {
            return Err(TreeError::TooLarge { size: self.size, max: BODY_BYTES_MAX });
        }
        self.nodes.extend(block_nodes(&self.buffer));
        let low_root = (depth_of(cells_of(self.size)) < KEPT_LEVEL).then(|| low_root(&self.buffer));
        Ok(CellTree::from_kept(self.size, self.nodes, low_root))
    }
}

/// Commits to a body given as pieces in order: [`TreeBuilder`] in one call.
///
/// # Errors
/// As [`TreeBuilder::finish`].
pub fn commit<B: AsRef<[u8]>>(pieces: impl IntoIterator<Item = B>) -> Result<CellTree, TreeError> {
    let mut builder = TreeBuilder::new();
    for piece in pieces {
        builder.update(piece.as_ref());
    }
    builder.finish()
}

/// Root of a body of at most 16 cells, at natural depth 1 or 2.
fn low_root(bytes: &[u8]) -> Fr {
    match cell_hashes(bytes).as_slice() {
        [one] => *one,
        hashes => compress(&children_of(hashes, 1)),
    }
}

/// Level-3 nodes of consecutive blocks, of which only the last may be short.
#[cfg(feature = "parallel")]
pub(crate) fn block_nodes(bytes: &[u8]) -> Vec<Fr> {
    use rayon::prelude::*;
    let groups: Vec<Fr> = bytes.par_chunks(TASK_GROUPS * GROUP_BYTES).flat_map_iter(group_nodes).collect();
    parents(&groups, 2)
}

/// Level-3 nodes of consecutive blocks, of which only the last may be short.
#[cfg(not(feature = "parallel"))]
pub(crate) fn block_nodes(bytes: &[u8]) -> Vec<Fr> {
    parents(&group_nodes(bytes), 2)
}

const _: () = assert!(GROUP_BYTES * ARITY == BLOCK_BYTES && CELLS_PER_BLOCK == ARITY * ARITY);
