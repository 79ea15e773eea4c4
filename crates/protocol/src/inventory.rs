//! What a host says it holds in one epoch: a signed Merkle-sum root, and openings of the sampled leaves (spec inventory).
//!
//! The tree itself is built and checked in `bailiwick-possession`; here are its messages.

use crate::challenge::{Target, decode_target, encode_target};
use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::envelope::SignedEnvelope;
use crate::ids::{HostKey, InventoryDigest, InventoryRoot};
use crate::labels::Label;
use crate::limits::{
    INVENTORY_HEAD_BYTES_MAX, INVENTORY_LEAVES_MAX, INVENTORY_OPENINGS_BYTES_MAX, INVENTORY_PATH_MAX,
    OPENED_LEAVES_MAX, RANGE_PROOF_NODES_MAX,
};
use crate::signing::{Signed, SignedMessage};

/// Version of the inventory's messages.
pub const INVENTORY_VERSION: u64 = 1;

/// Root of a host's inventory: exactly one for each (host, epoch); two are equivocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Whose.
    pub host: HostKey,
    /// Epoch of the schedule it was made for, at least 1.
    pub epoch: u64,
    /// Root of the Merkle-sum tree.
    pub root: InventoryRoot,
    /// Leaves: objects with a storage commitment, at least 1.
    pub leaves: u64,
    /// T, cells of all leaves together; below 2^63.
    pub cells: u64,
    /// When it was made, by the host's clock, milliseconds since 1970-01-01 UTC.
    pub made_unix_ms: u64,
}

/// An inventory as it travels.
pub type SignedInventory = Signed<Inventory>;

impl SignedMessage for Inventory {
    const LABEL: Label = Label::InventorySignature;
}

impl Inventory {
    /// Digest that commitments of an epoch name it by: BLAKE3 derive-key under its label over the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> InventoryDigest {
        InventoryDigest(Label::InventoryDigest.hash(&self.to_bytes()))
    }

    /// What a challenge over it names.
    #[must_use]
    pub const fn target(&self) -> InventoryTarget {
        InventoryTarget { root: self.root, leaves: self.leaves, cells: self.cells }
    }
}

impl Canonical for Inventory {
    const WHAT: &'static str = "inventory";
    const BYTES_MAX: usize = INVENTORY_HEAD_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(7);
        e.u64(0);
        e.u64(INVENTORY_VERSION);
        e.u64(1);
        self.host.encode(e);
        e.u64(2);
        e.u64(self.epoch);
        e.u64(3);
        self.root.encode(e);
        e.u64(4);
        e.u64(self.leaves);
        e.u64(5);
        e.u64(self.cells);
        e.u64(6);
        e.u64(self.made_unix_ms);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("inventory")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != INVENTORY_VERSION {
            return Err(CodecError::UnknownVersion { what: "inventory", found: version });
        }
        m.required(d, 1)?;
        let host = HostKey::decode(d)?;
        m.required(d, 2)?;
        let epoch = d.u64()?;
        if epoch == 0 {
            return Err(CodecError::Invalid("inventory epoch"));
        }
        m.required(d, 3)?;
        let root = InventoryRoot::decode(d)?;
        m.required(d, 4)?;
        let leaves = d.u64()?;
        m.required(d, 5)?;
        let cells = d.u64()?;
        InventoryTarget { root, leaves, cells }.check()?;
        m.required(d, 6)?;
        let made_unix_ms = d.u64()?;
        m.end(d)?;
        Ok(Self { host, epoch, root, leaves, cells, made_unix_ms })
    }
}

/// An inventory as a challenge names it: everything the sampling depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryTarget {
    /// Root of the Merkle-sum tree.
    pub root: InventoryRoot,
    /// Leaves, at least 1.
    pub leaves: u64,
    /// T, cells of all leaves together: at least one a leaf.
    pub cells: u64,
}

impl InventoryTarget {
    /// Bytes of its fixed-width form, as the transcript absorbs it: root, LE64 leaves, LE64 cells.
    #[must_use]
    pub fn to_fixed(&self) -> [u8; 48] {
        let mut out = [0; 48];
        out[..32].copy_from_slice(self.root.as_bytes());
        out[32..40].copy_from_slice(&self.leaves.to_le_bytes());
        out[40..].copy_from_slice(&self.cells.to_le_bytes());
        out
    }

    pub(crate) fn check(&self) -> Result<(), CodecError> {
        let counted = (1..=INVENTORY_LEAVES_MAX).contains(&self.leaves);
        if !counted || self.cells < self.leaves || self.cells >= 1 << 63 {
            return Err(CodecError::Invalid("inventory leaves or cells"));
        }
        Ok(())
    }

    pub(crate) fn encode(&self, e: &mut Encoder) {
        e.array(3);
        self.root.encode(e);
        e.u64(self.leaves);
        e.u64(self.cells);
    }

    pub(crate) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(3)?;
        let target = Self { root: InventoryRoot::decode(d)?, leaves: d.u64()?, cells: d.u64()? };
        target.check()?;
        Ok(target)
    }
}

/// A node beside a path of the Merkle-sum tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumNode {
    /// Its hash.
    pub hash: [u8; 32],
    /// Cells below it.
    pub cells: u64,
}

impl SumNode {
    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        e.bytes(&self.hash);
        e.u64(self.cells);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(2)?;
        Ok(Self { hash: d.array()?, cells: d.u64()? })
    }

    fn decode_list(d: &mut Decoder<'_>, what: &'static str, max: usize) -> Result<Vec<Self>, CodecError> {
        let n = d.list(what, max)?;
        (0..n).map(|_| Self::decode(d)).collect()
    }
}

/// One leaf and its path to the root; where the siblings stand follows from index and number of leaves (RFC 9162 section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafOpening {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// The leaf.
    pub leaf: Target,
    /// Siblings, from the leaf up.
    pub path: Vec<SumNode>,
}

impl LeafOpening {
    /// Appends the opening.
    pub fn encode(&self, e: &mut Encoder) {
        e.array(3);
        e.u64(self.index);
        encode_target(&self.leaf, e);
        e.array(self.path.len() as u64);
        self.path.iter().for_each(|n| n.encode(e));
    }

    /// Reads an opening; whether it leads to a root is for `bailiwick-possession`.
    ///
    /// # Errors
    /// What decoding reports.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(3)?;
        let index = d.u64()?;
        let leaf = decode_target(d)?;
        let path = SumNode::decode_list(d, "leaf path", INVENTORY_PATH_MAX)?;
        Ok(Self { index, leaf, path })
    }
}

/// What a host hands out beside a proof over its inventory, so that the roots in the statement can be recomputed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Openings {
    /// The inventory challenged.
    pub inventory: SignedInventory,
    /// The sampled leaves, each once, ascending.
    pub leaves: Vec<LeafOpening>,
    /// The envelope of each, signed by its owner, in the same order.
    pub envelopes: Vec<SignedEnvelope>,
}

impl Canonical for Openings {
    const WHAT: &'static str = "inventory openings";
    const BYTES_MAX: usize = INVENTORY_OPENINGS_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(4);
        e.u64(0);
        e.u64(INVENTORY_VERSION);
        e.u64(1);
        self.inventory.encode(e);
        e.u64(2);
        encode_leaves(&self.leaves, e);
        e.u64(3);
        e.array(self.envelopes.len() as u64);
        self.envelopes.iter().for_each(|env| env.encode(e));
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("inventory openings")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != INVENTORY_VERSION {
            return Err(CodecError::UnknownVersion { what: "inventory openings", found: version });
        }
        m.required(d, 1)?;
        let inventory = SignedInventory::decode(d)?;
        m.required(d, 2)?;
        let leaves = decode_leaves(d)?;
        m.required(d, 3)?;
        let n = d.list("opened envelopes", OPENED_LEAVES_MAX)?;
        if n != leaves.len() {
            return Err(CodecError::Invalid("opened envelopes: one for each leaf"));
        }
        let envelopes = (0..n).map(|_| SignedEnvelope::decode(d)).collect::<Result<_, _>>()?;
        m.end(d)?;
        Ok(Self { inventory, leaves, envelopes })
    }
}

pub(crate) fn encode_leaves(leaves: &[LeafOpening], e: &mut Encoder) {
    e.array(leaves.len() as u64);
    leaves.iter().for_each(|l| l.encode(e));
}

pub(crate) fn decode_leaves(d: &mut Decoder<'_>) -> Result<Vec<LeafOpening>, CodecError> {
    let n = d.list("opened leaves", OPENED_LEAVES_MAX)?;
    let leaves: Vec<LeafOpening> = (0..n).map(|_| LeafOpening::decode(d)).collect::<Result<_, _>>()?;
    if leaves.windows(2).any(|w| w[0].index >= w[1].index) {
        return Err(CodecError::Invalid("opened leaves: unsorted or repeated"));
    }
    Ok(leaves)
}

/// All leaves of one owner, which lie side by side, and what proves that there are no others of that owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRange {
    /// The inventory.
    pub inventory: SignedInventory,
    /// Place of the first leaf given.
    pub first: u64,
    /// Consecutive leaves: the owner's, and the neighbour before and after where there is one.
    pub leaves: Vec<Target>,
    /// Nodes that complete the tree left and right of them, in order of a walk from the root, left to right.
    pub around: Vec<SumNode>,
}

impl Canonical for OwnerRange {
    const WHAT: &'static str = "inventory range";
    const BYTES_MAX: usize = INVENTORY_OPENINGS_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(5);
        e.u64(0);
        e.u64(INVENTORY_VERSION);
        e.u64(1);
        self.inventory.encode(e);
        e.u64(2);
        e.u64(self.first);
        e.u64(3);
        e.array(self.leaves.len() as u64);
        self.leaves.iter().for_each(|t| encode_target(t, e));
        e.u64(4);
        e.array(self.around.len() as u64);
        self.around.iter().for_each(|n| n.encode(e));
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("inventory range")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != INVENTORY_VERSION {
            return Err(CodecError::UnknownVersion { what: "inventory range", found: version });
        }
        m.required(d, 1)?;
        let inventory = SignedInventory::decode(d)?;
        m.required(d, 2)?;
        let first = d.u64()?;
        m.required(d, 3)?;
        let n = d.list("inventory range", INVENTORY_OPENINGS_BYTES_MAX / 128)?;
        let leaves: Vec<Target> = (0..n).map(|_| decode_target(d)).collect::<Result<_, _>>()?;
        m.required(d, 4)?;
        let around = SumNode::decode_list(d, "inventory range nodes", RANGE_PROOF_NODES_MAX)?;
        m.end(d)?;
        Ok(Self { inventory, first, leaves, around })
    }
}
