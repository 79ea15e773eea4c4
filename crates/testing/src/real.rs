//! Rounds that are proven for real, in class tiny under its development key.

use std::sync::{Mutex, PoisonError};

use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::opening::Opening;
use bailiwick_possession_circuit::{KeyError, ProveError, ProverKey, prove, verify};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::ClassId;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// How real proofs came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealTally {
    /// Made, and verified by the shipped verifier's own function.
    pub proven: u64,
    /// The prover refused: the statement is false on the host's bytes.
    pub refused: u64,
    /// Made, but do not verify: must stay 0.
    pub invalid: u64,
}

/// Proves every n-th round again for real.
#[derive(Debug)]
pub struct RealProofs {
    key: ProverKey,
    every: u64,
    counted: Mutex<(u64, RealTally)>,
}

impl RealProofs {
    /// Each round whose number is a multiple of `every`.
    ///
    /// # Errors
    /// What setting up the development key reports.
    pub fn every(every: u64) -> Result<Self, KeyError> {
        let key = ProverKey::development(ClassId::TINY, &mut |_| {})?;
        Ok(Self { key, every: every.max(1), counted: Mutex::default() })
    }

    /// How they came out so far.
    #[must_use]
    pub fn tally(&self) -> RealTally {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Counts a round. If it is due, asks the same question in class tiny; `open` gives the slots and openings of it.
    pub(crate) fn round(
        &self,
        challenge: &Challenge,
        open: impl FnOnce(&Challenge) -> Option<(Sampled, Vec<Opening>)>,
    ) {
        let number = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.0 += 1;
            counted.0
        };
        if !number.is_multiple_of(self.every) {
            return;
        }
        let mut tiny = challenge.clone();
        (tiny.class, tiny.vk) = (ClassId::TINY, self.key.verifying_key().digest());
        let Some((sampled, openings)) = open(&tiny) else { return };
        let mut rng = ChaCha20Rng::from_seed(*blake3::hash(&number.to_le_bytes()).as_bytes());
        let made = prove(&self.key, &tiny, &sampled, openings, &mut rng, &mut |_| {});
        let verified = made.map(|proof| verify(self.key.prepared(), &tiny, &sampled, &proof).is_ok());
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match verified {
            Ok(true) => counted.1.proven += 1,
            Err(ProveError::False(_)) => counted.1.refused += 1,
            _ => counted.1.invalid += 1,
        }
    }
}
