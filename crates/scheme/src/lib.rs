//! The boundary between a possession scheme and those who use one (docs/adr/0015).
//!
//! - [`Scheme`]: commit, challenge, verify, soundness; [`VerifyingKey`]: what a verifier keeps of a key.
//! - [`Schemes`]: those at hand, found by the digest of a key or by number.
//! - [`CellTreeGroth16`]: scheme 1, the Poseidon2 cell tree and its Groth16 circuit.
//! - `ProvingKey`, `Held` (feature `prove`): the host's half.
//!
//! Node, auditor and verifier know schemes through these traits alone. What every scheme shares is in `bailiwick-protocol` and
//! `bailiwick-possession`: the cell of 496 bytes as the unit of sampling, the transcript that draws cells, the inventory. So a detection
//! probability means the same under each, and a second scheme is one implementation and one line in [`Schemes::installed`].

mod groth16;
#[cfg(feature = "prove")]
mod held;
mod scheme;
mod schemes;

pub use groth16::CellTreeGroth16;
#[cfg(feature = "prove")]
pub use held::{Held, NotHeld, Phase, ProveFailure, ProvingKey, ProvingKeyError};
#[cfg(feature = "prove")]
pub use scheme::KeySource;
pub use scheme::{
    Committer, KeyRefused, NoCommitment, Question, Refused, Scheme, Shown, Soundness, VerifyingKey,
};
pub use schemes::{KeyError, Schemes};
