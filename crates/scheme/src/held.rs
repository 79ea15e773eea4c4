//! The host's half: what a prover reads, and what it answers.

use core::error::Error;
use core::fmt::Debug;

use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::tree::CellTree;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{ClassId, VkDigest};
use rand_core::CryptoRng;

/// What a host holds of the sampled objects. Whoever implements it keeps the reason of a [`NotHeld`]: a loss, or its own fault.
pub trait Held {
    /// The envelope of a target.
    ///
    /// # Errors
    /// It cannot be had.
    fn envelope(&mut self, target: &Target) -> Result<Envelope, NotHeld>;

    /// The cell tree of a target. One is asked for at a time.
    ///
    /// # Errors
    /// It cannot be had.
    fn tree(&mut self, target: &Target) -> Result<CellTree, NotHeld>;

    /// Block `number` of a target's body: `bailiwick_possession::tree::BLOCK_BYTES` bytes, the last one fewer. Each is asked for once.
    ///
    /// # Errors
    /// It cannot be had.
    fn block(&mut self, target: &Target, number: u64) -> Result<Vec<u8>, NotHeld>;
}

/// It cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is asked for cannot be had")]
pub struct NotHeld;

/// How far a prover is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// Reading cells; the share that is read, 0 to 1.
    Reading(f64),
    /// Everything is read; announced again at every further step.
    Proving,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveFailure {
    /// What is held does not suffice, and [`Held`] knows why.
    #[error(transparent)]
    NotHeld(#[from] NotHeld),
    /// A block that was read is not what its owner committed to: it is lost.
    #[error("sampled cells are not what their owner committed to")]
    CellsUnavailable,
    /// Anything else: a fault of the prover, or a question without an answer.
    #[error(transparent)]
    Prover(#[from] Box<dyn Error + Send + Sync>),
}

/// Why a proving key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ProvingKeyError(pub Box<dyn Error + Send + Sync>);

/// A proving key in memory: read once, prove many.
pub trait ProvingKey: Debug + Send + Sync {
    /// Digest of the verifying key its proofs verify under.
    fn verifying_key(&self) -> VkDigest;

    /// The class of challenge it answers.
    fn class(&self) -> ClassId;

    /// Answers a challenge: at most `bailiwick_protocol::limits::POSSESSION_PROOF_BYTES_MAX` bytes, verified before they are returned.
    ///
    /// # Errors
    /// [`ProveFailure`]; never a proof that does not verify.
    fn prove(
        &self,
        challenge: &Challenge,
        sampled: &Sampled,
        held: &mut dyn Held,
        rng: &mut dyn CryptoRng,
        progress: &mut dyn FnMut(Phase),
    ) -> Result<Vec<u8>, ProveFailure>;
}
