//! The envelope: who sealed an object, for whom, and which body it speaks of (spec envelope).

mod commitment;

use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::ids::{ContentId, ObjectId, OwnerKey, Unit, UnitName};
use crate::labels::Label;
use crate::limits::{BODY_BYTES_MAX, ENVELOPE_BYTES_MAX, RECIPIENTS_MAX};
use crate::signing::{Signed, SignedMessage};

use commitment::{decode_commitments, encode_commitments};

pub use commitment::{CellCommitment, FurtherCommitment};

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

/// Key encapsulation mechanism of a recipient entry (IANA HPKE registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256), RFC 9180 section 7.1.
    X25519,
    /// MLKEM768-X25519 (X-Wing).
    XWing,
}

impl Kem {
    /// The registered id.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::X25519 => 0x0020,
            Self::XWing => 0x647a,
        }
    }

    /// The mechanism of a registered id, if this build has it.
    #[must_use]
    pub const fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0020 => Some(Self::X25519),
            0x647a => Some(Self::XWing),
            _ => None,
        }
    }

    /// Bytes of the encapsulated key (`Nenc`).
    #[must_use]
    pub const fn enc_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }
}

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

/// The file key, encapsulated for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientEntry {
    /// Mechanism.
    pub kem: Kem,
    /// First 8 bytes of the recipient key's fingerprint; absent for an anonymous recipient.
    pub key_id: Option<[u8; 8]>,
    /// Encapsulated key, `kem.enc_bytes()` long.
    pub enc: Vec<u8>,
    /// Encrypted 32-byte file key with its 16-byte tag.
    pub ciphertext: [u8; 48],
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
        e.map(if self.has_commitments() { 9 } else { 8 });
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
        // Key 5, the shard set, exists only when n > 1.
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
        if unit.n != 1 {
            return Err(CodecError::Invalid("unit: sharded objects are not part of this version"));
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
        m.end(d)?;
        Ok(Self { suite, owner, object, unit, body, commitment, further_commitments, generation, recipients })
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

fn encode_recipient(r: &RecipientEntry, e: &mut Encoder) {
    e.map(if r.key_id.is_some() { 4 } else { 3 });
    e.u64(0);
    e.u64(u64::from(r.kem.id()));
    if let Some(id) = &r.key_id {
        e.u64(1);
        e.bytes(id);
    }
    e.u64(2);
    e.bytes(&r.enc);
    e.u64(3);
    e.bytes(&r.ciphertext);
}

fn decode_recipient(d: &mut Decoder<'_>) -> Result<RecipientEntry, CodecError> {
    let mut m = d.map("recipient")?;
    m.required(d, 0)?;
    let id = d.uint::<u16>("kem")?;
    let kem =
        Kem::from_id(id).ok_or(CodecError::UnknownVersion { what: "recipient kem", found: u64::from(id) })?;
    let key_id = if m.optional(d, 1)? { Some(d.array()?) } else { None };
    m.required(d, 2)?;
    let enc = d.bytes("encapsulated key", kem.enc_bytes())?.to_vec();
    if enc.len() != kem.enc_bytes() {
        return Err(CodecError::Invalid("encapsulated key"));
    }
    m.required(d, 3)?;
    let ciphertext = d.array()?;
    m.end(d)?;
    Ok(RecipientEntry { kem, key_id, enc, ciphertext })
}
