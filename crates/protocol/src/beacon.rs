//! One round of a public randomness beacon, as challenges, schedules and bundles carry it (spec beacon).
//!
//! Plain data: nothing here says that the signature verifies. `bailiwick-beacon` does.

use core::fmt;

use sha2::{Digest, Sha256};

use crate::codec::{Canonical, CodecError, Decoder, Encoder};

/// A round of a drand chain whose signatures are on G1 of BLS12-381.
///
/// On the wire an array of three: chain hash, round, signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BeaconRound {
    /// Chain hash: the digest of the chain's parameters that drand names it by.
    pub chain: [u8; 32],
    /// Number of the round, at least 1: drand's round 0 is its seed and carries no such signature.
    pub round: u64,
    /// BLS signature, a compressed point of G1.
    pub signature: [u8; 48],
}

impl BeaconRound {
    /// Bytes that enter a challenge's transcript.
    pub const TRANSCRIPT_BYTES: usize = 88;

    /// The round's public randomness: SHA-256 of the signature, as drand publishes it.
    #[must_use]
    pub fn randomness(&self) -> [u8; 32] {
        Sha256::digest(self.signature).into()
    }

    /// chain hash ‖ LE64 round ‖ signature: fixed length, so that it never equals the empty string which
    /// stands for "no beacon".
    #[must_use]
    pub fn transcript_bytes(&self) -> [u8; Self::TRANSCRIPT_BYTES] {
        let mut out = [0; Self::TRANSCRIPT_BYTES];
        out[..32].copy_from_slice(&self.chain);
        out[32..40].copy_from_slice(&self.round.to_le_bytes());
        out[40..].copy_from_slice(&self.signature);
        out
    }
}

impl fmt::Debug for BeaconRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeaconRound")
            .field("chain", &hex::encode(self.chain))
            .field("round", &self.round)
            .field("signature", &hex::encode(self.signature))
            .finish()
    }
}

impl Canonical for BeaconRound {
    const WHAT: &'static str = "beacon round";
    const BYTES_MAX: usize = 1 + (2 + 32) + 9 + (2 + 48);

    fn encode(&self, e: &mut Encoder) {
        e.array(3);
        e.bytes(&self.chain);
        e.u64(self.round);
        e.bytes(&self.signature);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(3)?;
        let chain = d.array()?;
        let round = d.u64()?;
        if round == 0 {
            return Err(CodecError::Invalid("beacon round number"));
        }
        Ok(Self { chain, round, signature: d.array()? })
    }
}
