//! `.ptau`: powers of tau, the first phase of a ceremony, which serves every circuit up to its size.
//!
//! | section | content (p: the file's power, n = 2^p) |
//! |---|---|
//! | 1 | base field, p, power of the ceremony it was cut from |
//! | 2 | tau^i · G1, i < 2n − 1 |
//! | 3 | tau^i · G2, i < n |
//! | 4, 5 | alpha · tau^i · G1, beta · tau^i · G1, i < n |
//! | 6 | beta · G2 |
//! | 7 | contributions |
//! | 12 | for each k = 0..=p+1: L_i(tau) · G1, the Lagrange basis of the domain of size 2^k |
//! | 13, 14, 15 | the same for G2, alpha and beta, k = 0..=p |
//!
//! A file with sections 12 to 15 is *prepared*: a circuit's initial key needs nothing else.
//! Facts from snarkjs 0.7.6 (`powersoftau_*.js`).

mod check;
mod prepare;
mod read;

pub(crate) use check::{same_ratio, weights};
pub use prepare::prepare;
pub use read::Ptau;

use crate::binfile::{BinFileError, Format};
use crate::points::PointFault;

/// First bytes of the file.
pub const FORMAT: Format = Format { magic: *b"ptau", version: 1 };

/// Largest power read: 2^28 rows is as many roots of unity as the scalar field has.
pub const POWER_MAX: u32 = 28;

/// Section numbers.
pub(crate) mod section {
    pub(crate) const HEADER: u32 = 1;
    pub(crate) const TAU_G1: u32 = 2;
    pub(crate) const TAU_G2: u32 = 3;
    pub(crate) const ALPHA: u32 = 4;
    pub(crate) const BETA: u32 = 5;
    pub(crate) const BETA_G2: u32 = 6;
    pub(crate) const CONTRIBUTIONS: u32 = 7;
    pub(crate) const L_TAU_G1: u32 = 12;
    pub(crate) const L_TAU_G2: u32 = 13;
    pub(crate) const L_ALPHA: u32 = 14;
    pub(crate) const L_BETA: u32 = 15;
}

/// Why a file is not powers of tau this project reads, or does not hold what it says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PtauError {
    /// The container is malformed, or a section does not have the length the header implies.
    #[error(".ptau: {0}")]
    File(#[from] BinFileError),
    /// Powers over another curve.
    #[error(".ptau: the curve is not BN254 (\"bn128\")")]
    Curve,
    /// A power out of range.
    #[error(".ptau: power {power} is not 1 to {POWER_MAX}")]
    Power {
        /// The file's.
        power: u32,
    },
    /// Sections 12 to 15 are not there.
    #[error(".ptau: not prepared for phase 2; run `circuit ceremony prepare` on it")]
    NotPrepared,
    /// Too small for a circuit.
    #[error(".ptau: power {power} is too small, the circuit needs {needed}")]
    TooSmall {
        /// The file's.
        power: u32,
        /// What the circuit needs.
        needed: u32,
    },
    /// A point is unacceptable.
    #[error(".ptau: point {index} of section {section}: {fault}")]
    Point {
        /// Section.
        section: u32,
        /// From 0.
        index: u64,
        /// What is wrong.
        fault: PointFault,
    },
    /// Nobody contributed: tau, alpha or beta is 1, or its record is empty.
    #[error(".ptau: nobody contributed: its secrets are known to everyone, or to whoever made the file")]
    NoContribution,
    /// The elements are not powers of one tau, or alpha and beta differ between sections.
    #[error(".ptau: section {section} is not what the powers of tau imply")]
    Inconsistent {
        /// The section that differs.
        section: u32,
    },
}
