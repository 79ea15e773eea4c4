//! Phase 2 of a Groth16 ceremony, interoperable with snarkjs 0.7 (Bowe, Gabizon, Miers, "Scalable Multi-party
//! Computation for zk-SNARK Parameters in the Random Beacon Model", eprint 2017/1050).
//!
//! [`InitialKey`] is what powers of tau and a circuit give: delta = 1, so anyone could forge. Each [`contribute`]
//! multiplies delta by a secret d, and H and L by 1/d; [`beacon`] does it with a public value that nobody could know
//! before. Whoever forges under the final key needs *every* secret: one contributor who destroyed theirs is enough.
//! [`verify`] checks all of it from the powers of tau, the circuit and the final key alone.

mod contribute;
mod generator;
mod initial;
mod transcript;
mod verify;

pub use contribute::{Contributed, beacon, contribute};
pub(crate) use initial::has_coefficients;
pub use initial::{InitialKey, Shape};
pub use transcript::contribution_hash;
pub use verify::{Verified, VerifiedContribution, verify};

use crate::binfile::BinFileError;
use crate::ptau::PtauError;
use crate::zkey::ZkeyError;

/// log2 of the iterations of a beacon: the least and the largest number snarkjs takes.
pub const BEACON_ITERATIONS_LOG2: core::ops::RangeInclusive<u8> = 10..=63;

/// log2 of the iterations this program will run to make or check a beacon: seconds on one core.
pub const BEACON_ITERATIONS_LOG2_MAX: u8 = 24;

/// Why a step of a ceremony was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The key file cannot be read or written.
    #[error(transparent)]
    Zkey(#[from] ZkeyError),
    /// The powers of tau cannot be used.
    #[error(transparent)]
    Ptau(#[from] PtauError),
    /// The circuit has more rows than a domain holds, or more columns than the format counts.
    #[error("the circuit is too large for the format")]
    TooLarge,
    /// snarkjs hashes one element beyond the file for circuits above 2^14 rows (0.7.6, `zkey_new.js`).
    #[error(
        "powers of tau of power {power} are of exactly the circuit's size; for circuits above 2^14 rows take a file of a greater power"
    )]
    PowerNotAbove {
        /// The file's and the circuit's.
        power: u32,
    },
    /// A name that does not fit, or is not printable.
    #[error("a contributor's name is 1 to 64 printable characters")]
    Name,
    /// A beacon's parameters are out of range.
    #[error("a beacon is 1 to 255 bytes with 2^10 to 2^{BEACON_ITERATIONS_LOG2_MAX} iterations")]
    Beacon,
    /// The file already has as many contributions as are read.
    #[error("the ceremony has as many contributions as are read")]
    Full,
    /// The tampered part of a ceremony.
    #[error("not a valid ceremony: {0}")]
    Invalid(#[from] Fault),
}

impl From<BinFileError> for CeremonyError {
    fn from(e: BinFileError) -> Self {
        Self::Zkey(e.into())
    }
}

/// What is wrong with a ceremony's transcript or final key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody contributed.
    #[error("nobody contributed to phase 2, anyone can forge under the key")]
    NoContribution,
    /// A transcript hash does not follow from what came before.
    #[error("contribution {number}: its hash does not follow from the contributions before it")]
    HashChain {
        /// From 1.
        number: u32,
    },
    /// A proof of knowledge fails.
    #[error("contribution {number}: it does not prove knowledge of its secret")]
    ProofOfKnowledge {
        /// From 1.
        number: u32,
    },
    /// delta after a contribution is not delta before times its secret.
    #[error("contribution {number}: delta after it is not delta before it times its secret")]
    Delta {
        /// From 1.
        number: u32,
    },
    /// A contribution that changed nothing.
    #[error("contribution {number}: it left delta unchanged, its secret is 1")]
    Unchanged {
        /// From 1.
        number: u32,
    },
    /// A beacon contribution was not made from its public value.
    #[error("contribution {number}: it was not made from its beacon value")]
    Beacon {
        /// From 1.
        number: u32,
    },
    /// A beacon with more iterations than are run here, or fewer than snarkjs takes.
    #[error(
        "contribution {number}: a beacon of 2^{iterations_log2} iterations is not 2^10 to 2^{BEACON_ITERATIONS_LOG2_MAX}"
    )]
    BeaconIterations {
        /// From 1.
        number: u32,
        /// What the file says.
        iterations_log2: u8,
    },
    /// Counts in the header are not the circuit's.
    #[error("the key is for another circuit: its counts differ")]
    Counts,
    /// The circuit hash is not that of the initial key.
    #[error("the key is for another circuit or other powers of tau: the circuit hash differs")]
    CircuitHash,
    /// A fixed element of the header was changed.
    #[error("{element} is not that of the initial key")]
    Header {
        /// Which.
        element: &'static str,
    },
    /// The header's delta in G1 is not the last contribution's.
    #[error("delta in G1 is not what the contributions lead to")]
    Delta1,
    /// delta in G2 differs from delta in G1.
    #[error("delta differs between G1 and G2")]
    Delta2,
    /// A section that no contribution may change was changed.
    #[error("section {section} is not that of the initial key")]
    Section {
        /// 3 (IC), 4 (coefficients), 5 (A), 6 (B in G1) or 7 (B in G2).
        section: u32,
    },
    /// L or H was not divided by delta.
    #[error("section {section} is not that of the initial key divided by delta")]
    NotScaled {
        /// 8 (L) or 9 (H).
        section: u32,
    },
}
