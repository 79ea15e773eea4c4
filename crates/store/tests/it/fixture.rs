//! Sealed objects as an owner would make them, as far as a store can tell: it never opens a body.

use std::sync::RwLock;

use bailiwick_possession::tree::{TreeBuilder, cells_of};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{
    BODY_FORMAT_COBBLESTONE_256, BodyInfo, CellCommitment, Envelope, SUITE, SignedEnvelope,
};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit, UnitName};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::{Admission, Store, StoreError, Stored, Upload};

/// Held for writing while a child process is started, for reading while a test opens a real directory twice: between fork and
/// exec the child holds every open file of this process, and with it every `flock`.
pub(crate) static FORKS: RwLock<()> = RwLock::new(());

/// An owner's key from one byte.
pub(crate) fn owner_key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(seed)))
}

/// A sealed object.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) owner: OwnerKey,
    pub(crate) owner_seed: u8,
    pub(crate) envelope: Envelope,
    pub(crate) body: Vec<u8>,
}

/// What to make; the default is a whole object of one short chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) owner: u8,
    pub(crate) object: u8,
    pub(crate) generation: u64,
    pub(crate) content: u8,
    pub(crate) size: u64,
}

impl Default for Spec {
    fn default() -> Self {
        Self { owner: 1, object: 1, generation: 1, content: 1, size: 56 + 16 + 40 }
    }
}

impl Spec {
    pub(crate) fn seal(self) -> Sample {
        let mut body = vec![0; usize::try_from(self.size).unwrap()];
        blake3::Hasher::new().update(&[self.owner, self.object, self.content]).finalize_xof().fill(&mut body);
        let mut builder = TreeBuilder::new();
        builder.update(&body);
        let owner = OwnerKey(owner_key(self.owner).public());
        let envelope = Envelope {
            suite: SUITE,
            owner,
            object: ObjectId([self.object; 16]),
            unit: Unit::WHOLE,
            body: BodyInfo {
                format: BODY_FORMAT_COBBLESTONE_256,
                salt: body[..24].try_into().unwrap(),
                key_commitment: body[24..56].try_into().unwrap(),
                size: self.size,
                blake3: ContentId(*blake3::hash(&body).as_bytes()),
            },
            further_commitments: Vec::new(),
            shards: None,
            passphrase: None,
            custody: None,
            policy: None,
            commitment: Some(CellCommitment {
                root: builder.finish().unwrap().root(),
                cells: cells_of(self.size),
            }),
            generation: self.generation,
            recipients: Vec::new(),
        };
        Sample { owner, owner_seed: self.owner, envelope, body }
    }
}

impl Sample {
    /// Makes the envelope fit a changed body.
    pub(crate) fn recommit(&mut self) {
        let mut builder = TreeBuilder::new();
        builder.update(&self.body);
        self.envelope.body.blake3 = ContentId(*blake3::hash(&self.body).as_bytes());
        let root = builder.finish().unwrap().root();
        self.envelope.commitment = Some(CellCommitment { root, cells: cells_of(self.body.len() as u64) });
    }

    pub(crate) fn name(&self) -> UnitName {
        self.envelope.name()
    }

    /// The envelope, signed by its owner.
    pub(crate) fn signed(&self) -> Vec<u8> {
        SignedEnvelope::new(&self.envelope, &owner_key(self.owner_seed)).to_bytes()
    }

    pub(crate) fn begin(&self, store: &Store) -> Result<Admission, StoreError> {
        store.begin_put(&self.signed(), &self.owner)
    }

    /// The upload; panics if the object is stored already.
    pub(crate) fn upload(&self, store: &Store) -> Result<Upload, StoreError> {
        match self.begin(store)? {
            Admission::Upload(upload) => Ok(*upload),
            Admission::AlreadyStored(record) => panic!("already stored: {record:?}"),
        }
    }

    /// Puts it; an object that is stored already counts as put.
    pub(crate) fn put(&self, store: &Store) -> Result<Stored, StoreError> {
        match self.begin(store)? {
            Admission::AlreadyStored(record) => Ok(Stored { record, already: true }),
            Admission::Upload(mut upload) => {
                for part in self.body.chunks(50_000) {
                    upload.write(part)?;
                }
                upload.finish()
            }
        }
    }

    /// Puts the envelope alone.
    pub(crate) fn rewrap(&self, store: &Store) -> Result<Stored, StoreError> {
        store.replace_envelope(&self.signed(), &self.owner)
    }

    /// Asserts that the store has exactly this.
    pub(crate) fn assert_whole(&self, store: &Store) {
        let object = store.get(&self.name()).unwrap().expect("stored");
        assert_eq!(object.envelope, self.signed());
        assert_eq!(object.record.blake3, self.envelope.body.blake3);
        let reader = store.open_body(&self.name()).unwrap();
        assert_eq!(reader.len(), self.envelope.body.size);
        assert!(reader.read_range(0, self.body.len()).unwrap() == self.body, "body of {:?}", self.name());
        let root = self.envelope.commitment.as_ref().unwrap().root;
        assert_eq!(store.tree(&self.name()).unwrap().root(), root);
    }
}
