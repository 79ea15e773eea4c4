//! The stored form of a tree: what a host keeps beside a body.
//!
//! `version [1] ‖ LE64 size ‖ root [32] ‖ nodes [32 each], level by level from 3 (one per block) to the single topmost one`. Read
//! whole, the higher levels are computed again, which is the check that it is undamaged; read in part
//! ([`crate::opening::stored_block_path`]), what is read must lead to the root.

use bailiwick_protocol::limits::BODY_BYTES_MAX;

use super::{ARITY, CellTree, KEPT_LEVEL, TreeError, blocks_of, lift};
use crate::field::{Fr, element_from_bytes, element_to_bytes};

const VERSION: u8 = 2;
const HEADER_BYTES: u64 = 1 + 8 + 32;

/// Offset of the row of `level` (3 and up) in the stored form of the tree of a body of `size` bytes, and its nodes.
pub(crate) const fn row(size: u64, level: u8) -> (u64, u64) {
    let (mut offset, mut nodes, mut at) = (HEADER_BYTES, blocks_of(size), KEPT_LEVEL);
    while at < level {
        offset += 32 * nodes;
        nodes = nodes.div_ceil(ARITY as u64);
        at += 1;
    }
    (offset, nodes)
}

impl CellTree {
    /// Bytes of the stored form of the tree of a body of `size` bytes, so a reader can bound what it reads.
    #[must_use]
    pub const fn encoded_len(size: u64) -> u64 {
        let mut level = KEPT_LEVEL;
        loop {
            let (offset, nodes) = row(size, level);
            if nodes <= 1 {
                return offset + 32 * nodes;
            }
            level += 1;
        }
    }

    /// The stored form, in pieces of at most 41 bytes, so that writing it needs no second copy in memory.
    pub fn encoded(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let mut header = vec![VERSION];
        header.extend_from_slice(&self.size.to_le_bytes());
        header.extend_from_slice(&element_to_bytes(&self.root));
        let nodes = self.levels.iter().flatten();
        core::iter::once(header).chain(nodes.map(|n| element_to_bytes(n).to_vec()))
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encoded().collect::<Vec<_>>().concat()
    }

    /// Reads a stored tree and checks that its nodes lead to its root.
    ///
    /// # Errors
    /// `UnknownVersion`, `Empty`, `TooLarge`, `Length`, `NotCanonical`, `Damaged`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
        let found = bytes.len() as u64;
        let short = TreeError::Length { found, expected: HEADER_BYTES };
        let (version, rest) = bytes.split_first().ok_or(short)?;
        if *version != VERSION {
            return Err(TreeError::UnknownVersion(*version));
        }
        let (size, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
        let size = u64::from_le_bytes(*size);
        if size == 0 {
            return Err(TreeError::Empty);
        }
        if size > BODY_BYTES_MAX {
            return Err(TreeError::TooLarge { size, max: BODY_BYTES_MAX });
        }
        let expected = Self::encoded_len(size);
        if found != expected {
            return Err(TreeError::Length { found, expected });
        }
        let (elements, _) = rest.as_chunks::<32>();
        let mut elements = elements
            .iter()
            .enumerate()
            .map(|(index, b)| element_from_bytes(b).ok_or(TreeError::NotCanonical { index }));
        let root = elements.next().ok_or(short)??;
        let mut nodes: Vec<Fr> = elements.collect::<Result<_, _>>()?;
        let blocks = usize::try_from(blocks_of(size)).map_err(|_| short)?;
        let higher = nodes.split_off(blocks.min(nodes.len()));
        let tree = Self::from_kept(size, nodes, Some(root));
        let same = tree.levels.iter().skip(1).flatten().eq(&higher);
        if !same || lift(root, tree.depth(), KEPT_LEVEL) != tree.top() {
            return Err(TreeError::Damaged);
        }
        Ok(tree)
    }
}
