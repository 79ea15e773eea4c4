//! The envelope: who sealed an object, for whom, and which body it speaks of (spec envelope).

mod commitment;
mod paths;
mod recipient;

use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::ids::{ContentId, ObjectId, OwnerKey, Unit, UnitName};
use crate::labels::Label;
use crate::limits::{BODY_BYTES_MAX, ENVELOPE_BYTES_MAX, RECIPIENTS_MAX, SHARDS_MAX};
use crate::signing::{Signed, SignedMessage};

use commitment::{decode_commitments, encode_commitments};
use paths::{
    decode_custody, decode_passphrase, decode_shards, encode_custody, encode_passphrase, encode_shards,
};
use recipient::{decode_recipient, encode_recipient};

pub use commitment::{CellCommitment, FurtherCommitment};
pub use paths::{CustodyPart, PassphraseEntry, SHARD_CODE_REED_SOLOMON, ShardSet, check_passphrase_cost};
pub use recipient::{Kem, RecipientEntry, Role};

/// Version of the envelope message.
pub const ENVELOPE_VERSION: u64 = 1;

/// Cryptographic suite 1: Cobblestone-256 body, HPKE with HKDF-SHA256 and AES-256-GCM, Ed25519, BLAKE3.
pub const SUITE: u64 = 1;

/// Body format 1: C2SP chunked-encryption@v1 over SHA-512 and AEAD_AES_256_GCM, empty context ("Cobblestone-256").
pub const BODY_FORMAT_COBBLESTONE_256: u64 = 1;

/// Storage commitment scheme 1: the Poseidon2 cell tree (spec cell-tree).
pub const COMMITMENT_SCHEME_CELL_TREE: u64 = 1;

/// Bytes of a cell of the tree: 16 elements of 31 bytes.
pub const CELL_BYTES: u64 = 496;

/// Bytes of the body before its first chunk: salt and key commitment.
pub const BODY_HEADER_BYTES: u64 = 56;

/// The body an envelope speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyInfo {
    /// Format id; [`BODY_FORMAT_COBBLESTONE_256`].
    pub format: u64,
    /// First 24 bytes of the body.
    pub salt: [u8; 24],
    /// The 32 bytes after the salt: commitment to the body key.
    pub key_commitment: [u8; 32],
    /// Bytes of the whole body, header included.
    pub size: u64,
    /// BLAKE3 of the whole body.
    pub blake3: ContentId,
}

/// What an owner signs about one unit of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Suite; [`SUITE`].
    pub suite: u64,
    /// Who sealed.
    pub owner: OwnerKey,
    /// Which object.
    pub object: ObjectId,
    /// Which part of it.
    pub unit: Unit,
    /// What all shards of the object agree on; some exactly when the unit has n > 1.
    pub shards: Option<ShardSet>,
    /// The body.
    pub body: BodyInfo,
    /// Cell-tree commitment; absent until `commit` when sealed without.
    pub commitment: Option<CellCommitment>,
    /// Commitments of other schemes, ascending by scheme, at most one each.
    pub further_commitments: Vec<FurtherCommitment>,
    /// Counts rewrites of this envelope, from 1.
    pub generation: u64,
    /// Who can open it, in order.
    pub recipients: Vec<RecipientEntry>,
    /// The file key under a passphrase.
    pub passphrase: Option<PassphraseEntry>,
    /// The file key under a secret that custodians share.
    pub custody: Option<CustodyPart>,
    /// Digest of the owner's policy for this object.
    pub policy: Option<[u8; 32]>,
}

/// An envelope as it travels.
pub type SignedEnvelope = Signed<Envelope>;

impl Envelope {
    /// Name of the unit this envelope speaks of.
    #[must_use]
    pub fn name(&self) -> UnitName {
        UnitName { owner: self.owner, object: self.object, unit: self.unit }
    }

    /// What the owner committed to under another scheme than the cell tree.
    #[must_use]
    pub fn further_commitment(&self, scheme: u64) -> Option<&[u8]> {
        self.further_commitments.iter().find(|c| c.scheme == scheme).map(|c| c.value.as_slice())
    }

    fn has_commitments(&self) -> bool {
        self.commitment.is_some() || !self.further_commitments.is_empty()
    }
}

impl SignedMessage for Envelope {
    const LABEL: Label = Label::EnvelopeSignature;
}

impl Canonical for Envelope {
    const WHAT: &'static str = "envelope";
    const BYTES_MAX: usize = ENVELOPE_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        let optional = [
            self.shards.is_some(),
            self.has_commitments(),
            self.passphrase.is_some(),
            self.custody.is_some(),
            self.policy.is_some(),
        ];
        e.map(8 + optional.iter().filter(|&&there| there).count() as u64);
        e.u64(0);
        e.u64(ENVELOPE_VERSION);
        e.u64(1);
        e.u64(self.suite);
        e.u64(2);
        self.owner.encode(e);
        e.u64(3);
        self.object.encode(e);
        e.u64(4);
        e.bytes(&self.unit.to_bytes());
        if let Some(s) = &self.shards {
            e.u64(5);
            encode_shards(s, e);
        }
        e.u64(6);
        encode_body(&self.body, e);
        if self.has_commitments() {
            e.u64(7);
            encode_commitments(self.commitment.as_ref(), &self.further_commitments, e);
        }
        e.u64(8);
        e.u64(self.generation);
        e.u64(9);
        e.array(self.recipients.len() as u64);
        for r in &self.recipients {
            encode_recipient(r, e);
        }
        if let Some(p) = &self.passphrase {
            e.u64(10);
            encode_passphrase(p, e);
        }
        if let Some(c) = &self.custody {
            e.u64(11);
            encode_custody(c, e);
        }
        if let Some(p) = &self.policy {
            e.u64(12);
            e.bytes(p);
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("envelope")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != ENVELOPE_VERSION {
            return Err(CodecError::UnknownVersion { what: "envelope", found: version });
        }
        m.required(d, 1)?;
        let suite = d.u64()?;
        if suite != SUITE {
            return Err(CodecError::UnknownVersion { what: "envelope suite", found: suite });
        }
        m.required(d, 2)?;
        let owner = OwnerKey::decode(d)?;
        m.required(d, 3)?;
        let object = ObjectId::decode(d)?;
        m.required(d, 4)?;
        let unit = Unit::from_bytes(d.array()?)?;
        if unit.n > SHARDS_MAX {
            return Err(CodecError::Invalid("unit: too many shards"));
        }
        let shards = if m.optional(d, 5)? { Some(decode_shards(d)?) } else { None };
        if shards.is_some() != (unit.n > 1) {
            return Err(CodecError::Invalid("shard set: there exactly when an object is split"));
        }
        m.required(d, 6)?;
        let body = decode_body(d)?;
        let (commitment, further_commitments) =
            if m.optional(d, 7)? { decode_commitments(d, body.size)? } else { (None, Vec::new()) };
        m.required(d, 8)?;
        let generation = d.u64()?;
        if generation == 0 {
            return Err(CodecError::Invalid("generation"));
        }
        m.required(d, 9)?;
        let n = d.list("recipients", RECIPIENTS_MAX)?;
        let recipients = (0..n).map(|_| decode_recipient(d)).collect::<Result<_, _>>()?;
        let passphrase = if m.optional(d, 10)? { Some(decode_passphrase(d)?) } else { None };
        let custody = if m.optional(d, 11)? { Some(decode_custody(d)?) } else { None };
        let policy = if m.optional(d, 12)? { Some(d.array()?) } else { None };
        m.end(d)?;
        Ok(Self {
            suite,
            owner,
            object,
            unit,
            shards,
            body,
            commitment,
            further_commitments,
            generation,
            recipients,
            passphrase,
            custody,
            policy,
        })
    }
}

fn encode_body(b: &BodyInfo, e: &mut Encoder) {
    e.map(5);
    e.u64(0);
    e.u64(b.format);
    e.u64(1);
    e.bytes(&b.salt);
    e.u64(2);
    e.bytes(&b.key_commitment);
    e.u64(3);
    e.u64(b.size);
    e.u64(4);
    b.blake3.encode(e);
}

fn decode_body(d: &mut Decoder<'_>) -> Result<BodyInfo, CodecError> {
    let mut m = d.map("body")?;
    m.required(d, 0)?;
    let format = d.u64()?;
    if format != BODY_FORMAT_COBBLESTONE_256 {
        return Err(CodecError::UnknownVersion { what: "body format", found: format });
    }
    m.required(d, 1)?;
    let salt = d.array()?;
    m.required(d, 2)?;
    let key_commitment = d.array()?;
    m.required(d, 3)?;
    let size = d.u64()?;
    if !body_size_is_possible(size) {
        return Err(CodecError::Invalid("body size"));
    }
    m.required(d, 4)?;
    let blake3 = ContentId::decode(d)?;
    m.end(d)?;
    Ok(BodyInfo { format, salt, key_commitment, size, blake3 })
}

/// Whether a Cobblestone-256 body can have `size` bytes: a 56-byte header, then chunks of 16,400 bytes,
/// the last of which is shorter and at least its 16-byte tag.
#[must_use]
pub const fn body_size_is_possible(size: u64) -> bool {
    size >= BODY_HEADER_BYTES + 16 && size <= BODY_BYTES_MAX && (size - BODY_HEADER_BYTES) % 16_400 >= 16
}
