//! An object as its owner sealed it: bytes, cell tree, signed envelope.

use bailiwick_possession::field::{DATA_BYTES, Fr, element_from_31};
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::tree::{ARITY, BLOCK_BYTES, CELL_BYTES, CellTree, commit};
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, SUITE, SignedEnvelope,
};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::signing::SigningKey;

use crate::CLASS;
use crate::seed::Seed;

/// Cells that share all of their path.
const GROUP: u64 = ARITY as u64;

/// A real body of at most one block, and what was computed from it once.
pub struct StoredObject {
    envelope: Envelope,
    signed: SignedEnvelope,
    target: Target,
    body: Vec<u8>,
    tree: CellTree,
    /// For each group of 16 cells, the children of the nodes above it up to depth 5. A host may keep these when it drops the cells.
    paths: Vec<Vec<[Fr; ARITY]>>,
}

impl core::fmt::Debug for StoredObject {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "StoredObject({:?}, {} cells)", self.target.name, self.target.cells)
    }
}

impl StoredObject {
    /// `size` bytes that look like ciphertext, of object `number` of `owner`.
    ///
    /// # Panics
    /// When `size` is 0 or more than a block (126 976 bytes).
    #[must_use]
    pub fn new(seed: Seed, owner: &SigningKey, number: u32, size: usize) -> Self {
        assert!((1..=BLOCK_BYTES).contains(&size), "a body of one block");
        let purpose = format!("object {number} of {}", hex::encode(owner.public()));
        let mut stream = seed.stream(&purpose);
        let (mut body, mut id, mut salt) = (vec![0; size], [0; 16], [0; 24]);
        stream.fill(&mut body);
        stream.fill(&mut id);
        stream.fill(&mut salt);
        let tree = commit([&body]).expect("a body that is neither empty nor too large");
        let envelope = Envelope {
            suite: SUITE,
            owner: OwnerKey(owner.public()),
            object: ObjectId(id),
            unit: Unit::WHOLE,
            body: BodyInfo {
                format: BODY_FORMAT_COBBLESTONE_256,
                salt,
                key_commitment: [2; 32],
                size: size as u64,
                blake3: ContentId(blake3::hash(&body).into()),
            },
            further_commitments: Vec::new(),
            shards: None,
            passphrase: None,
            custody: None,
            policy: None,
            commitment: Some(CellCommitment { root: tree.root(), cells: tree.cells() }),
            generation: 1,
            recipients: Vec::new(),
        };
        let target = Target::of(&envelope).expect("it has a storage commitment");
        let path =
            |group: u64| open(&tree, group * GROUP, CLASS.depth, &body).expect("an honest opening").path;
        let paths = (0..tree.cells().div_ceil(GROUP)).map(path).collect();
        let signed = SignedEnvelope::new(&envelope, owner);
        Self { envelope, signed, target, body, tree, paths }
    }

    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The envelope, signed by its owner.
    #[must_use]
    pub fn signed(&self) -> &SignedEnvelope {
        &self.signed
    }

    /// What challenges and inventories name.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its cell tree.
    #[must_use]
    pub fn tree(&self) -> &CellTree {
        &self.tree
    }

    /// Bytes of a cell within a body.
    #[must_use]
    pub fn cell_range(&self, cell: u64) -> core::ops::Range<usize> {
        let start = usize::try_from(cell).map_or(self.body.len(), |c| c * CELL_BYTES).min(self.body.len());
        start..(start + CELL_BYTES).min(self.body.len())
    }

    /// Opens `cell` with the bytes that a host has for it now, along the kept path: right only if the bytes are.
    ///
    /// # Panics
    /// For a cell beyond the last, or a class deeper than [`CLASS`].
    #[must_use]
    pub fn opening(&self, cell: u64, depth: u8, bytes: &[u8]) -> Opening {
        let mut elements = [Fr::default(); ARITY];
        for (x, data) in elements.iter_mut().zip(bytes.chunks(DATA_BYTES)) {
            *x = element_from_31(data);
        }
        let group = usize::try_from(cell / GROUP).expect("a cell in memory");
        let path = self.paths[group][..usize::from(depth) - 1].to_vec();
        Opening { cell: elements, path, index: cell }
    }
}
