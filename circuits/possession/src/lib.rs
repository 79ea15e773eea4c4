//! The possession statement as a circuit (spec possession; README.md beside this crate has it in words).
//!
//! - [`public`]: the public inputs, by name and in order.
//! - [`classes`]: the pinned classes with their constraint counts and digests.
//! - [`verify`]: bytes in, yes or no; needs the verifying key only.
//! - `circuit`, `prove`, `ProverKey` (feature `prove`): constraints, key set-up and proving.
//!
//! The native statement and its check are in `bailiwick-possession`; this crate is its twin in constraints.

#[cfg(feature = "prove")]
pub mod circuit;
pub mod classes;
mod proof;
#[cfg(feature = "prove")]
mod prover;
pub mod public;

pub use classes::{ClassInfo, class_info};
pub use proof::{VerifyError, verify};
#[cfg(feature = "prove")]
pub use prover::{KeyError, Progress, ProveError, ProverKey, key_shape, matrices_of, prove};
