//! What a verifier, who has the signed root only, checks of opened leaves.

use bailiwick_protocol::inventory::{InventoryTarget, LeafOpening};
use bailiwick_protocol::limits::INVENTORY_LEAVES_MAX;

use super::{InventoryError, leaf_node, leaves_below, parent};

/// Whether a leaf is in an inventory at the place it states; gives the cells of all leaves before it.
///
/// # Errors
/// `Index`, `TooMany`, `Cells`, `Nodes`, `Sum`, `Overflow`, `Root`, `Total`.
pub fn check_opening(inventory: &InventoryTarget, opening: &LeafOpening) -> Result<u64, InventoryError> {
    let (index, leaves) = (opening.index, inventory.leaves);
    if leaves > INVENTORY_LEAVES_MAX {
        return Err(InventoryError::TooMany { found: leaves });
    }
    if index >= leaves {
        return Err(InventoryError::Index { index, leaves });
    }
    let mut node = leaf_node(index, &opening.leaf)?;
    let mut before = 0u64;
    let mut siblings = opening.path.iter();
    let (mut place, mut width, mut level) = (index, leaves, 0);
    while width > 1 {
        // The last node of a level of odd width has no sibling.
        if place ^ 1 < width {
            let sibling = siblings.next().ok_or(InventoryError::Nodes { index })?;
            if sibling.cells < leaves_below(level, place ^ 1, leaves) {
                return Err(InventoryError::Sum { index });
            }
            if place & 1 == 1 {
                before = before.checked_add(sibling.cells).ok_or(InventoryError::Overflow)?;
                node = parent(sibling, &node)?;
            } else {
                node = parent(&node, sibling)?;
            }
        }
        (place, width, level) = (place / 2, width.div_ceil(2), level + 1);
    }
    if siblings.next().is_some() {
        return Err(InventoryError::Nodes { index });
    }
    if node.hash != inventory.root.0 {
        return Err(InventoryError::Root { index });
    }
    if node.cells != inventory.cells {
        return Err(InventoryError::Total { index });
    }
    Ok(before)
}

/// For each sampled position the opened leaf that holds it. Leaves ascend by place and by name, and each holds a position.
pub(crate) fn sampled_leaves(
    inventory: &InventoryTarget,
    positions: &[u64],
    leaves: &[LeafOpening],
) -> Result<Vec<usize>, InventoryError> {
    // Before hashing what is given: at most one leaf for each sample.
    if let Some(surplus) = leaves.get(positions.len()) {
        return Err(InventoryError::NotSampled { index: surplus.index });
    }
    if let Some(w) = leaves.windows(2).find(|w| w[0].index >= w[1].index || w[0].leaf.name >= w[1].leaf.name)
    {
        return Err(InventoryError::Unsorted { index: w[1].index });
    }
    let starts: Vec<u64> = leaves.iter().map(|l| check_opening(inventory, l)).collect::<Result<_, _>>()?;
    let mut hit = vec![false; leaves.len()];
    let mut holder = |(sample, position): (usize, &u64)| {
        let i = starts.partition_point(|start| start <= position).checked_sub(1);
        match i.filter(|i| position - starts[*i] < leaves[*i].leaf.cells) {
            Some(i) => {
                hit[i] = true;
                Ok(i)
            }
            None => Err(InventoryError::NotOpened { sample }),
        }
    };
    let holders = positions.iter().enumerate().map(&mut holder).collect::<Result<_, _>>()?;
    match hit.iter().position(|h| !h) {
        Some(i) => Err(InventoryError::NotSampled { index: leaves[i].index }),
        None => Ok(holders),
    }
}
