//! All leaves of one owner, and that there are no others.

use std::ops::Range;

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::inventory::{Inventory, OwnerRange, SumNode};
use bailiwick_protocol::limits::INVENTORY_LEAVES_MAX;

use super::{InventoryError, InventoryTree, leaf_node, parent};

/// Where RFC 9162 splits a part of at least two leaves: after the largest power of two below their number.
fn split(part: &Range<u64>) -> u64 {
    let length = part.end - part.start;
    part.start + (1 << (63 - (length - 1).leading_zeros()))
}

const fn apart(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.end <= b.start || b.end <= a.start
}

/// Nodes that complete the tree around `given`, in order of a walk from the root, left to right.
pub(super) fn around(tree: &InventoryTree, given: &Range<u64>) -> Vec<SumNode> {
    fn walk(tree: &InventoryTree, part: Range<u64>, given: &Range<u64>, out: &mut Vec<SumNode>) {
        if apart(&part, given) {
            out.push(tree.subtree(&part));
        } else if part.start < given.start || given.end < part.end {
            let middle = split(&part);
            walk(tree, part.start..middle, given, out);
            walk(tree, middle..part.end, given, out);
        }
    }
    let mut out = Vec::new();
    walk(tree, 0..tree.leaves().len() as u64, given, &mut out);
    out
}

/// Nodes of [`around`] that stand left of place `start` in a tree over `part`.
fn nodes_before(part: Range<u64>, start: u64) -> usize {
    if start <= part.start {
        0
    } else if part.end <= start {
        1
    } else {
        let middle = split(&part);
        nodes_before(part.start..middle, start) + nodes_before(middle..part.end, start)
    }
}

/// Two parts of one range, the second right after the first, as one. `leaves` of the whole inventory. Nothing is verified here:
/// the range that comes of it is, by [`check_owner_range`].
///
/// # Errors
/// `OtherInventory`, `Index` when the second does not follow the first, `Nodes`.
pub fn join_ranges(
    mut first: OwnerRange,
    second: OwnerRange,
    leaves: u64,
) -> Result<OwnerRange, InventoryError> {
    if first.inventory != second.inventory {
        return Err(InventoryError::OtherInventory);
    }
    let end = first.first.checked_add(first.leaves.len() as u64);
    if end != Some(second.first) || second.first >= leaves {
        return Err(InventoryError::Index { index: second.first, leaves });
    }
    let left = nodes_before(0..leaves, first.first);
    let right = second.around.get(nodes_before(0..leaves, second.first)..);
    let (true, Some(right)) = (left <= first.around.len(), right) else {
        return Err(InventoryError::Nodes { index: second.first });
    };
    first.around.truncate(left);
    first.around.extend_from_slice(right);
    first.leaves.extend(second.leaves);
    Ok(first)
}

/// The leaves of `owner`, after checking that the range leads to the root of `inventory` and that no other leaf of this owner stands
/// between or beside them. `inventory` is what `range.inventory` verified to, under the host's pinned key.
///
/// # Errors
/// `OtherInventory` when it is not; `Empty`, `Index`, `TooMany`, `Unsorted`, `Incomplete`, `Cells`, `Nodes`, `Sum`, `Overflow`, `Root`, `Total`.
pub fn check_owner_range(
    inventory: &Inventory,
    range: &OwnerRange,
    owner: &OwnerKey,
) -> Result<Vec<Target>, InventoryError> {
    if range.inventory.payload() != inventory.to_bytes() {
        return Err(InventoryError::OtherInventory);
    }
    let (first, length) = (range.first, range.leaves.len() as u64);
    if length == 0 {
        return Err(InventoryError::Empty);
    }
    if inventory.leaves > INVENTORY_LEAVES_MAX {
        return Err(InventoryError::TooMany { found: inventory.leaves });
    }
    let end = first.checked_add(length).filter(|end| *end <= inventory.leaves);
    let end = end.ok_or(InventoryError::Index { index: first, leaves: inventory.leaves })?;
    if let Some(i) = range.leaves.windows(2).position(|w| w[0].name >= w[1].name) {
        return Err(InventoryError::Unsorted { index: first + i as u64 + 1 });
    }
    let owned = owned(&range.leaves, first == 0, end == inventory.leaves, owner)?;
    let mut walk = Walk { given: first..end, leaves: &range.leaves, around: range.around.iter() };
    let root = walk.node(0..inventory.leaves)?;
    if walk.around.next().is_some() {
        return Err(InventoryError::Nodes { index: first });
    }
    if root.hash != inventory.root.0 {
        return Err(InventoryError::Root { index: first });
    }
    if root.cells != inventory.cells {
        return Err(InventoryError::Total { index: first });
    }
    Ok(owned.to_vec())
}

/// The owner's part of ascending leaves: a neighbour before it unless they begin the inventory, a neighbour after it unless they end
/// it, and no more than one on either side.
fn owned<'l>(
    leaves: &'l [Target],
    begins: bool,
    ends: bool,
    owner: &OwnerKey,
) -> Result<&'l [Target], InventoryError> {
    let before = leaves.partition_point(|l| l.name.owner < *owner);
    let upto = leaves.partition_point(|l| l.name.owner <= *owner);
    let after = leaves.len() - upto;
    if before > 1 || after > 1 || (before == 0 && !begins) || (after == 0 && !ends) {
        return Err(InventoryError::Incomplete);
    }
    Ok(&leaves[before..upto])
}

struct Walk<'r> {
    given: Range<u64>,
    leaves: &'r [Target],
    around: core::slice::Iter<'r, SumNode>,
}

impl Walk<'_> {
    /// The node over `part`. Recurses no deeper than 33 levels: each split at least halves what 2^32 leaves round up to.
    fn node(&mut self, part: Range<u64>) -> Result<SumNode, InventoryError> {
        let index = self.given.start;
        if apart(&part, &self.given) {
            let node = *self.around.next().ok_or(InventoryError::Nodes { index })?;
            if node.cells < part.end - part.start {
                return Err(InventoryError::Sum { index });
            }
            return Ok(node);
        }
        if part.end - part.start == 1 {
            // Inside the range, so the leaf is given.
            let place = usize::try_from(part.start - index).ok();
            let leaf =
                place.and_then(|place| self.leaves.get(place)).ok_or(InventoryError::Nodes { index })?;
            return leaf_node(part.start, leaf);
        }
        let middle = split(&part);
        let left = self.node(part.start..middle)?;
        let right = self.node(middle..part.end)?;
        parent(&left, &right)
    }
}
