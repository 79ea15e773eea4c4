//! What an envelope may hold beside its recipients: the shard set, a passphrase entry, a custody part (spec envelope,
//! clauses E15 to E17).

use crate::codec::{CodecError, Decoder, Encoder};
use crate::limits::{
    BODY_BYTES_MAX, CUSTODY_DEALING_BYTES_MAX, PASSPHRASE_LANES_MAX, PASSPHRASE_MEMORY_KIB_MAX,
    PASSPHRASE_PASSES_MAX, PASSPHRASE_WORK_KIB_MAX,
};

/// What all shards of one object agree on; there exactly when the unit has n > 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSet {
    /// Erasure code: [`SHARD_CODE_REED_SOLOMON`].
    pub code: u64,
    /// Bytes of the padded plaintext before it was split.
    pub padded_length: u64,
    /// Digest of the BLAKE3 of every shard's body, in the order of the shards (spec envelope, clause E15).
    pub bodies: [u8; 32],
}

/// Erasure code 1: Reed-Solomon over GF(2^16) of `reed-solomon-simd` across shards, and an inner code inside each (spec shards).
pub const SHARD_CODE_REED_SOLOMON: u64 = 1;

pub(super) fn encode_shards(s: &ShardSet, e: &mut Encoder) {
    e.map(3);
    e.u64(0);
    e.u64(s.code);
    e.u64(1);
    e.u64(s.padded_length);
    e.u64(2);
    e.bytes(&s.bodies);
}

pub(super) fn decode_shards(d: &mut Decoder<'_>) -> Result<ShardSet, CodecError> {
    let mut m = d.map("shard set")?;
    m.required(d, 0)?;
    let code = d.u64()?;
    if code != SHARD_CODE_REED_SOLOMON {
        return Err(CodecError::UnknownVersion { what: "shard code", found: code });
    }
    m.required(d, 1)?;
    let padded_length = d.u64()?;
    // A unit's body is bounded; 255 shards of such bodies bound the whole.
    if padded_length == 0 || padded_length > BODY_BYTES_MAX * 255 {
        return Err(CodecError::Invalid("shard set: padded length"));
    }
    m.required(d, 2)?;
    let bodies = d.array()?;
    m.end(d)?;
    Ok(ShardSet { code, padded_length, bodies })
}

/// The file key under a passphrase: Argon2id (RFC 9106), then HKDF to an AEAD key and a commitment to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassphraseEntry {
    /// Memory, KiB (m of RFC 9106).
    pub memory_kib: u32,
    /// Passes over the memory (t).
    pub passes: u32,
    /// Lanes (p).
    pub lanes: u32,
    /// Salt, fresh for every entry.
    pub salt: [u8; 16],
    /// Commitment to the derived key: one ciphertext cannot open under two passphrases.
    pub commitment: [u8; 32],
    /// The 32-byte file key and its 16-byte tag.
    pub ciphertext: [u8; 48],
}

pub(super) fn encode_passphrase(p: &PassphraseEntry, e: &mut Encoder) {
    e.map(6);
    for (key, cost) in [(0, p.memory_kib), (1, p.passes), (2, p.lanes)] {
        e.u64(key);
        e.u64(u64::from(cost));
    }
    e.u64(3);
    e.bytes(&p.salt);
    e.u64(4);
    e.bytes(&p.commitment);
    e.u64(5);
    e.bytes(&p.ciphertext);
}

pub(super) fn decode_passphrase(d: &mut Decoder<'_>) -> Result<PassphraseEntry, CodecError> {
    let mut m = d.map("passphrase")?;
    m.required(d, 0)?;
    let memory_kib: u32 = d.uint("passphrase: memory")?;
    m.required(d, 1)?;
    let passes: u32 = d.uint("passphrase: passes")?;
    m.required(d, 2)?;
    let lanes: u32 = d.uint("passphrase: lanes")?;
    check_passphrase_cost(memory_kib, passes, lanes)?;
    m.required(d, 3)?;
    let salt = d.array()?;
    m.required(d, 4)?;
    let commitment = d.array()?;
    m.required(d, 5)?;
    let ciphertext = d.array()?;
    m.end(d)?;
    Ok(PassphraseEntry { memory_kib, passes, lanes, salt, commitment, ciphertext })
}

/// Whether a passphrase entry may have this cost (spec envelope, clause E16): a hostile header must not choose how long and in
/// how much memory its reader works.
///
/// # Errors
/// `Invalid`, naming the parameter that is outside its limit.
pub fn check_passphrase_cost(memory_kib: u32, passes: u32, lanes: u32) -> Result<(), CodecError> {
    if lanes == 0 || lanes > PASSPHRASE_LANES_MAX {
        return Err(CodecError::Invalid("passphrase: lanes outside the limit"));
    }
    // RFC 9106 section 3.1: at least 8 KiB a lane.
    if memory_kib < 8 * lanes || memory_kib > PASSPHRASE_MEMORY_KIB_MAX {
        return Err(CodecError::Invalid("passphrase: memory outside the limit"));
    }
    let work = u64::from(memory_kib) * u64::from(passes);
    if passes == 0 || passes > PASSPHRASE_PASSES_MAX || work > PASSPHRASE_WORK_KIB_MAX {
        return Err(CodecError::Invalid("passphrase: passes outside the limit"));
    }
    Ok(())
}

/// The file key under a secret that custodians share (spec custody).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyPart {
    /// The encoded dealing, 1 to [`CUSTODY_DEALING_BYTES_MAX`] bytes; what it says is the custody crate's business.
    pub dealing: Vec<u8>,
    /// The 32-byte file key and its 16-byte tag, under a key derived from the shared secret.
    pub wrapped: [u8; 48],
}

pub(super) fn encode_custody(c: &CustodyPart, e: &mut Encoder) {
    e.map(2);
    e.u64(0);
    e.bytes(&c.dealing);
    e.u64(1);
    e.bytes(&c.wrapped);
}

pub(super) fn decode_custody(d: &mut Decoder<'_>) -> Result<CustodyPart, CodecError> {
    let mut m = d.map("custody")?;
    m.required(d, 0)?;
    let dealing = d.bytes("custody dealing", CUSTODY_DEALING_BYTES_MAX)?.to_vec();
    if dealing.is_empty() {
        return Err(CodecError::Invalid("custody dealing"));
    }
    m.required(d, 1)?;
    let wrapped = d.array()?;
    m.end(d)?;
    Ok(CustodyPart { dealing, wrapped })
}
