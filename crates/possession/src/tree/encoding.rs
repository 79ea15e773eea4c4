//! The stored form of a tree: what a host keeps beside a body.
//!
//! `version [1] ‖ LE64 size ‖ root [32] ‖ level-3 nodes [32 each, one per block]`. Higher levels are computed again when it is
//! read, which is also the check that it is undamaged.

use bailiwick_protocol::limits::BODY_BYTES_MAX;

use super::{CellTree, KEPT_LEVEL, TreeError, blocks_of, lift};
use crate::field::{Fr, element_from_bytes, element_to_bytes};

const VERSION: u8 = 1;
const HEADER_BYTES: u64 = 1 + 8 + 32;

impl CellTree {
    /// Bytes of the stored form of the tree of a body of `size` bytes, so a reader can bound what it reads.
    #[must_use]
    pub const fn encoded_len(size: u64) -> u64 {
        HEADER_BYTES + 32 * blocks_of(size)
    }

    /// The stored form, in pieces of at most 41 bytes, so that writing it needs no second copy in memory.
    pub fn encoded(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let mut header = vec![VERSION];
        header.extend_from_slice(&self.size.to_le_bytes());
        header.extend_from_slice(&element_to_bytes(&self.root));
        let nodes = self.levels.first().into_iter().flatten();
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
        let nodes: Vec<Fr> = elements.collect::<Result<_, _>>()?;
        let tree = Self::from_kept(size, nodes, Some(root));
        if lift(root, tree.depth(), KEPT_LEVEL) != tree.top() {
            return Err(TreeError::Damaged);
        }
        Ok(tree)
    }
}
