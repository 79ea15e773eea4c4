//! Groth16 over BN254 (Groth, Eurocrypt 2016): the one module of the workspace that imports `ark-groth16`,
//! with every check that crate leaves to its caller.
//!
//! | left out by `ark-groth16` 0.6 | where it is made up for |
//! |---|---|
//! | number of public inputs | [`PreparedVerifyingKey::verify`] counts before the pairing |
//! | canonical encodings, left-over bytes, points at infinity | [`Proof::from_bytes`], [`VerifyingKey::from_bytes`] |
//! | degenerate verifying keys | [`VerifyingKey::from_bytes`] lints |
//! | field elements at or above the modulus | [`input_from_bytes`] |
//! | an unsatisfied witness (silently gives a false proof in a release build) | [`prove`] checks before and verifies after |
//!
//! Proofs are re-randomisable by anyone: never key anything on proof bytes.
//! Verification needs no feature; key set-up and proving are behind `prove`.

mod batch;
mod key;
mod multiples;
#[cfg(feature = "peer")]
pub mod peer;
mod point;
mod proof;
mod verify;

#[cfg(feature = "prove")]
pub mod development;
#[cfg(feature = "prove")]
mod matrices;
#[cfg(feature = "prove")]
mod msm;
#[cfg(feature = "prove")]
mod parts;
#[cfg(feature = "prove")]
mod prover;
#[cfg(feature = "prove")]
mod proving_key;
#[cfg(feature = "prove")]
mod quotient;
#[cfg(feature = "prove")]
mod setup;
#[cfg(feature = "prove")]
mod subversion;

pub use ark_bn254::Fr;
pub use batch::Claimed;
pub use key::{KeyError, PreparedVerifyingKey, VERIFYING_KEY_BYTES_MAX, VerifyingKey};
pub use point::PointError;
pub use proof::{PROOF_BYTES, Proof, ProofError};
pub use verify::{InputError, VerifyError, input_from_bytes};

#[cfg(feature = "prove")]
pub use matrices::{Matrices, SynthesisError, assign};
#[cfg(feature = "prove")]
pub use parts::KeyParts;
#[cfg(feature = "prove")]
pub use prover::{ProveError, ProvePhase, prove};
#[cfg(feature = "prove")]
pub use proving_key::{KeyShape, ProvingKey, ProvingKeyError};
#[cfg(feature = "prove")]
pub use setup::{SetupError, SetupPhase, SetupProgress, setup};
#[cfg(feature = "prove")]
pub use subversion::{Inconsistency, Transcript};
