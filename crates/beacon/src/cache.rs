//! Verifying many bundles of the same rounds.

use std::collections::BTreeMap;

use bailiwick_protocol::beacon::BeaconRound;

use crate::verify::{BeaconError, BeaconVerifier};

/// Rounds a [`RoundCache`] remembers, at most: 88 bytes each and the map's own, under 16 MiB together.
/// A day of quicknet has 28,800 rounds; audits name a few of them.
pub const CACHED_ROUNDS_MAX: usize = 65_536;

/// Remembers which rounds have been verified, by chain and number, so that each costs one pairing check.
///
/// A round has exactly one valid signature (BLS is deterministic and encodings are canonical), so one verified signature
/// settles every other one for the same round without a pairing.
#[derive(Clone, Debug)]
pub struct RoundCache {
    verified: BTreeMap<([u8; 32], u64), [u8; 48]>,
    max: usize,
    checks: u64,
}

impl Default for RoundCache {
    fn default() -> Self {
        Self::bounded(CACHED_ROUNDS_MAX)
    }
}

impl RoundCache {
    /// Remembers nothing yet, and [`CACHED_ROUNDS_MAX`] rounds at most.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers nothing yet, and `max` rounds at most.
    #[must_use]
    pub fn bounded(max: usize) -> Self {
        Self { verified: BTreeMap::new(), max, checks: 0 }
    }

    /// How often a round had to be verified anew, well or not.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.checks
    }

    /// Rounds remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verified.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verified.is_empty()
    }

    /// Like [`BeaconVerifier::verify`], once for each round. Only rounds that verify are remembered, and no more than
    /// the bound; beyond that rounds are verified anew.
    ///
    /// # Errors
    /// As [`BeaconVerifier::verify`]; `Forged` for any other signature of a round that has verified.
    pub fn verify(&mut self, verifier: &BeaconVerifier, round: &BeaconRound) -> Result<(), BeaconError> {
        // The chain in the key is the verifier's own: a round that names another is left to `verify` to refuse.
        let key = (verifier.chain().hash, round.round);
        if round.chain == key.0
            && let Some(known) = self.verified.get(&key)
        {
            return if *known == round.signature {
                Ok(())
            } else {
                Err(BeaconError::Forged { round: round.round, chain: key.0 })
            };
        }
        self.checks += 1;
        verifier.verify(round)?;
        if self.verified.len() < self.max {
            self.verified.insert(key, round.signature);
        }
        Ok(())
    }
}
