//! What a chain is: the parameters a reader pins, and the hash drand names them by.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// How a chain signs its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// drand's `bls-unchained-g1-rfc9380`: BLS with the signature on G1 and the key on G2 of BLS12-381, message
    /// SHA-256(BE64 round), RFC 9380 suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` with the tag of the BLS draft's basic scheme.
    BlsUnchainedG1Rfc9380,
}

impl Scheme {
    /// drand's name of the scheme.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlsUnchainedG1Rfc9380 => "bls-unchained-g1-rfc9380",
        }
    }
}

/// The parameters of one drand chain.
///
/// They are pinned in code or in a file the reader trusts, never taken from who serves the rounds. The scheme is not
/// covered by the chain hash (drand leaves it out), so it is pinned beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainInfo {
    /// Chain hash.
    pub hash: [u8; 32],
    /// Public key: a compressed point of G2.
    pub public_key: [u8; 96],
    /// Unix seconds at which round 1 is published.
    pub genesis: u64,
    /// Seconds between rounds, at least 1.
    pub period: u32,
    /// Hash of the group file the chain began with; drand calls it genesis seed or group hash.
    pub group_hash: [u8; 32],
    /// How rounds are signed.
    pub scheme: Scheme,
    /// Beacon id, `default` or empty for the default one.
    pub id: Cow<'static, str>,
}

/// The League of Entropy's quicknet: a round every 3 seconds since 2023-08-23T15:09:27Z.
pub const QUICKNET: ChainInfo = ChainInfo {
    hash: [
        0x52, 0xdb, 0x9b, 0xa7, 0x0e, 0x0c, 0xc0, 0xf6, 0xea, 0xf7, 0x80, 0x3d, 0xd0, 0x74, 0x47, 0xa1, 0xf5,
        0x47, 0x77, 0x35, 0xfd, 0x3f, 0x66, 0x17, 0x92, 0xba, 0x94, 0x60, 0x0c, 0x84, 0xe9, 0x71,
    ],
    public_key: [
        0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22, 0x12,
        0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c, 0x8c, 0x4b,
        0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51, 0x0d, 0x1f, 0xec,
        0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb, 0x5e, 0xd6, 0x63, 0x04,
        0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5, 0xa6, 0xe9, 0xc7, 0x6a, 0x4b,
        0xc0, 0x9e, 0x76, 0xea, 0xe8, 0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
    ],
    genesis: 1_692_803_367,
    period: 3,
    group_hash: [
        0xf4, 0x77, 0xd5, 0xc8, 0x9f, 0x21, 0xa1, 0x7c, 0x86, 0x3a, 0x7f, 0x93, 0x7c, 0x6a, 0x6d, 0x15, 0x85,
        0x94, 0x14, 0xd2, 0xbe, 0x09, 0xcd, 0x44, 0x8d, 0x42, 0x79, 0xaf, 0x33, 0x1c, 0x5d, 0x3e,
    ],
    scheme: Scheme::BlsUnchainedG1Rfc9380,
    id: Cow::Borrowed("quicknet"),
};

/// Chain parameters that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The hash is not that of the other fields.
    #[error("chain hash {} is not that of its parameters, {}", hex::encode(stated), hex::encode(computed))]
    Hash {
        /// As pinned.
        stated: [u8; 32],
        /// Of the fields.
        computed: [u8; 32],
    },
    /// A period of zero seconds.
    #[error("a chain needs a period of at least one second")]
    Period,
    /// A genesis that signed 64-bit seconds, which drand hashes, cannot hold.
    #[error("genesis {0} s is out of range")]
    Genesis(u64),
}

impl ChainInfo {
    /// The chain hash of these parameters, by drand's rule (`Info.Hash` in drand/drand `common/chain/info.go`):
    /// SHA-256 of BE32 period ‖ BE64 genesis ‖ public key ‖ group hash ‖ beacon id, the id left out when it is the default one.
    #[must_use]
    pub fn computed_hash(&self) -> [u8; 32] {
        let mut h = Sha256::new();
        h.update(self.period.to_be_bytes());
        h.update(self.genesis.to_be_bytes());
        h.update(self.public_key);
        h.update(self.group_hash);
        if !matches!(&*self.id, "" | "default") {
            h.update(self.id.as_bytes());
        }
        h.finalize().into()
    }

    /// Checks that the parameters fit together; not the public key, which `BeaconVerifier::new` decodes.
    ///
    /// # Errors
    /// `ChainError`, naming what does not fit.
    pub fn check(&self) -> Result<(), ChainError> {
        if self.period == 0 {
            return Err(ChainError::Period);
        }
        if i64::try_from(self.genesis).is_err() {
            return Err(ChainError::Genesis(self.genesis));
        }
        let computed = self.computed_hash();
        if computed == self.hash { Ok(()) } else { Err(ChainError::Hash { stated: self.hash, computed }) }
    }
}
