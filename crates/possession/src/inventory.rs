//! The Merkle-sum tree over all that a host holds in one epoch (spec inventory).
//!
//! Leaf: `BLAKE3(0x00 ‖ owner ‖ object ‖ unit[8] ‖ LE64 generation ‖ blake3 ‖ LE64 size ‖ root ‖ LE64 cells)`. Node:
//! `BLAKE3(0x01 ‖ h_L ‖ LE64 cells_L ‖ h_R ‖ LE64 cells_R)`. Shape as RFC 9162 section 2.1: the left subtree of `n` leaves has the
//! largest power of two below `n`. Leaves ascend strictly by owner, object, unit, so a name stands in it once and an owner's
//! leaves stand side by side. The sums make every position among all cells lead to one leaf.

mod check;
mod error;
mod range;
mod tree;

pub use check::check_opening;
pub(crate) use check::sampled_leaves;
pub use error::InventoryError;
pub use range::{check_owner_range, join_ranges};
pub use tree::{Change, InventoryTree};

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::inventory::SumNode;

use crate::tree::cells_of;

/// Hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &Target) -> [u8; 32] {
    // Every field by name: a new one does not compile until it is hashed.
    let Target { name, generation, blake3, size, root, cells } = leaf;
    let mut h = blake3::Hasher::new();
    h.update(&[0x00]);
    h.update(name.owner.as_bytes()).update(name.object.as_bytes()).update(&name.unit.to_bytes());
    h.update(&generation.to_le_bytes()).update(blake3.as_bytes()).update(&size.to_le_bytes());
    h.update(root.as_bytes()).update(&cells.to_le_bytes());
    h.finalize().into()
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(left: &SumNode, right: &SumNode) -> [u8; 32] {
    let mut input = [0x01; 81];
    input[1..33].copy_from_slice(&left.hash);
    input[33..41].copy_from_slice(&left.cells.to_le_bytes());
    input[41..73].copy_from_slice(&right.hash);
    input[73..].copy_from_slice(&right.cells.to_le_bytes());
    blake3::hash(&input).into()
}

/// The node above two.
fn parent(left: &SumNode, right: &SumNode) -> Result<SumNode, InventoryError> {
    let cells = left.cells.checked_add(right.cells).ok_or(InventoryError::Overflow)?;
    Ok(SumNode { hash: node_hash(left, right), cells })
}

/// A leaf as a node, if its cells are those of its size.
fn leaf_node(index: u64, leaf: &Target) -> Result<SumNode, InventoryError> {
    check_cells(index, leaf)?;
    Ok(SumNode { hash: leaf_hash(leaf), cells: leaf.cells })
}

const fn check_cells(index: u64, leaf: &Target) -> Result<(), InventoryError> {
    if leaf.cells == 0 || leaf.cells != cells_of(leaf.size) {
        return Err(InventoryError::Cells { index });
    }
    Ok(())
}

/// Leaves below a node of `level` (leaves are level 0) at `place`, in a tree of `leaves`.
const fn leaves_below(level: u32, place: u64, leaves: u64) -> u64 {
    let first = place << level;
    let end = (place + 1) << level;
    (if end < leaves { end } else { leaves }) - first
}
