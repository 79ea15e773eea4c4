//! Verifying inclusion and consistency (RFC 9162 sections 2.1.3.2 and 2.1.4.2, whose trees are RFC 6962's).

use crate::hash::{Hash, empty_root, node_hash};

/// Why a path proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// The index is not below the size, or the old size is above the new one.
    #[error("proof: index or size out of range")]
    Range,
    /// Not the number of hashes this index and size need.
    #[error("proof: too short or too long")]
    Length,
    /// The path leads to another root.
    #[error("proof: does not lead to the root")]
    Root,
}

fn ensure(good: bool, error: MerkleError) -> Result<(), MerkleError> {
    if good { Ok(()) } else { Err(error) }
}

/// A node's place in two trees at once, walking up: `(in the smaller, last one of the larger)`.
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    /// Whether the next hash of the path stands to the left; steps over levels where the node has no sibling.
    fn sibling_is_left(&mut self) -> bool {
        if self.node & 1 == 0 && self.node != self.last {
            return false;
        }
        while self.node & 1 == 0 && self.node != 0 {
            self.up();
        }
        true
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Checks that `leaf` is entry `index` of the tree of `size` entries with this `root`; `path` goes from the leaf's sibling up.
///
/// # Errors
/// `MerkleError`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    ensure(index < size, MerkleError::Range)?;
    let mut walk = Walk { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in path {
        ensure(walk.last != 0, MerkleError::Length)?;
        hash = if walk.sibling_is_left() { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
        walk.up();
    }
    ensure(walk.last == 0, MerkleError::Length)?;
    ensure(hash == *root, MerkleError::Root)
}

/// Checks that the tree of `new_size` entries with root `new_root` begins with the one of `old_size` entries and `old_root`.
/// Any tree begins with the empty one; for it, and for equal sizes, the path is empty.
///
/// # Errors
/// `MerkleError`.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), MerkleError> {
    ensure(old_size <= new_size, MerkleError::Range)?;
    if old_size == 0 || old_size == new_size {
        ensure(path.is_empty(), MerkleError::Length)?;
        let expected = if old_size == 0 { empty_root() } else { *new_root };
        ensure(new_size != 0 || *new_root == empty_root(), MerkleError::Root)?;
        return ensure(*old_root == expected, MerkleError::Root);
    }
    // The old root stands for itself where it is a node of the new tree.
    let own = old_size.is_power_of_two().then_some(*old_root);
    let mut path = own.into_iter().chain(path.iter().copied());
    let mut walk = Walk { node: old_size - 1, last: new_size - 1 };
    while walk.node & 1 == 1 {
        walk.up();
    }
    let first = path.next().ok_or(MerkleError::Length)?;
    let (mut old, mut new) = (first, first);
    for sibling in path {
        ensure(walk.last != 0, MerkleError::Length)?;
        if walk.sibling_is_left() {
            old = node_hash(&sibling, &old);
            new = node_hash(&sibling, &new);
        } else {
            new = node_hash(&new, &sibling);
        }
        walk.up();
    }
    ensure(walk.last == 0, MerkleError::Length)?;
    ensure(old == *old_root && new == *new_root, MerkleError::Root)
}
