//! Why leaves are no inventory, or a part of one is not of it.

use bailiwick_protocol::limits::INVENTORY_LEAVES_MAX;

/// What is wrong with an inventory or with an opening of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// No leaves.
    #[error("an inventory without objects")]
    Empty,
    /// More leaves than an inventory may list.
    #[error("{found} leaves, more than the limit of {INVENTORY_LEAVES_MAX}")]
    TooMany {
        /// Leaves found.
        found: u64,
    },
    /// A leaf that does not come after the one before it: unsorted, or the same name twice.
    #[error("leaf {index} is not after the one before it: unsorted, or listed twice")]
    Unsorted {
        /// Place of the leaf.
        index: u64,
    },
    /// Cells of a leaf that are 0 or not `ceil(size / 496)`.
    #[error("leaf {index}: its cells are not those of its size")]
    Cells {
        /// Place of the leaf.
        index: u64,
    },
    /// The cells together are 2^63 or more.
    #[error("the sum of cells overflows")]
    Overflow,
    /// A leaf beyond the last one.
    #[error("leaf {index} of an inventory of {leaves}")]
    Index {
        /// Place stated.
        index: u64,
        /// Leaves of the inventory.
        leaves: u64,
    },
    /// A path with another number of siblings than the leaf's place has, or a range with another number of nodes around it.
    #[error("leaf {index}: not the nodes that complete the tree around it")]
    Nodes {
        /// Place of the (first) leaf.
        index: u64,
    },
    /// A node with fewer cells than leaves below it: some leaf there would have none.
    #[error("a node beside leaf {index} has fewer cells than leaves")]
    Sum {
        /// Place of the (first) leaf.
        index: u64,
    },
    /// The nodes do not lead to the signed root.
    #[error("leaf {index} does not lead to the root")]
    Root {
        /// Place of the (first) leaf.
        index: u64,
    },
    /// They lead to the root, but their cells are not the signed total.
    #[error("leaf {index} leads to another total of cells")]
    Total {
        /// Place of the (first) leaf.
        index: u64,
    },
    /// Leaves beside a challenge that names objects.
    #[error("opened leaves, but the challenge asks for no inventory")]
    NoInventory,
    /// The challenge, or the range, is over another inventory.
    #[error("of another inventory")]
    OtherInventory,
    /// An opened leaf that no sample falls on.
    #[error("leaf {index} is opened, but no sample falls on it")]
    NotSampled {
        /// Place of the leaf.
        index: u64,
    },
    /// A sample that falls on no opened leaf.
    #[error("sample {sample} falls on a leaf that is not opened")]
    NotOpened {
        /// Number of the sample.
        sample: usize,
    },
    /// A range that does not show that the owner has no other leaves: a neighbour is missing, or there is more than one.
    #[error("the range does not show that there are no other objects of this owner")]
    Incomplete,
}
