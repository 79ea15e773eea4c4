//! Another beacon chain than drand's quicknet, as the trust anchors write one.

use bailiwick_beacon::{BeaconVerifier, ChainInfo, Scheme};
use serde::Deserialize;

/// Parameters of a drand chain of the scheme `bls-unchained-g1-rfc9380`; the names are those of drand's `info`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// Chain hash, hexadecimal.
    pub hash: String,
    /// Public key, a compressed point of G2, hexadecimal.
    pub public_key: String,
    /// Unix seconds at which round 1 is published.
    pub genesis_time: u64,
    /// Seconds between rounds.
    pub period: u32,
    /// Hash of the group file the chain began with, hexadecimal.
    pub group_hash: String,
    /// Beacon id; rounds are relayed at `/beacon/{id}/`.
    pub id: String,
}

impl ChainConfig {
    /// The chain, if its parameters fit together and its id can stand in a path.
    pub(crate) fn info(&self) -> Option<ChainInfo> {
        let in_path = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.id.is_empty() || !self.id.chars().all(in_path) {
            return None;
        }
        let chain = ChainInfo {
            hash: digits(&self.hash)?,
            public_key: digits(&self.public_key)?,
            genesis: self.genesis_time,
            period: self.period,
            group_hash: digits(&self.group_hash)?,
            scheme: Scheme::BlsUnchainedG1Rfc9380,
            id: self.id.clone().into(),
        };
        BeaconVerifier::new(chain.clone()).ok()?;
        Some(chain)
    }
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    hex::decode_to_slice(text, &mut out).ok()?;
    Some(out)
}
