//! `.zkey`: a Groth16 proving key of snarkjs, with the record of its ceremony.
//!
//! | section | content |
//! |---|---|
//! | 1 | protocol: 1, Groth16 |
//! | 2 | field sizes and moduli, counts, the points of the verifying key but for the inputs' |
//! | 3 | input points (IC), one more than public inputs |
//! | 4 | coefficients of A and B, then one row A = 1 for each of (1, public inputs) |
//! | 5, 6, 7 | A, B in G1, B in G2: a point a variable |
//! | 8 | L ("C"): a point a private variable |
//! | 9 | H: a point a row of the domain, in Lagrange form on the odd coset (Circom's reduction) |
//! | 10 | circuit hash, contributions |
//!
//! Points are stored affine in Montgomery form; see the `points` module. Facts from snarkjs 0.7.6 (`zkey_utils.js`).

mod contributions;
mod header;
mod read;
mod write;

pub use contributions::{Contribution, ContributionKind, Contributions, NAME_BYTES_MAX};
pub use header::Header;
pub use read::Zkey;
pub(crate) use write::write_contributions;

use crate::binfile::{BinFileError, Format};
use crate::points::PointFault;

/// First bytes of the file.
pub const FORMAT: Format = Format { magic: *b"zkey", version: 1 };

/// Contributions a ceremony may have here. The largest published one has about 4,300.
pub const CONTRIBUTIONS_MAX: u32 = 10_000;

/// log2 of the largest domain: the scalar field has no more roots of unity.
pub const POWER_MAX: u32 = 28;

/// Section numbers.
pub(crate) mod section {
    pub(crate) const PROTOCOL: u32 = 1;
    pub(crate) const HEADER: u32 = 2;
    pub(crate) const IC: u32 = 3;
    pub(crate) const COEFFICIENTS: u32 = 4;
    pub(crate) const A: u32 = 5;
    pub(crate) const B1: u32 = 6;
    pub(crate) const B2: u32 = 7;
    pub(crate) const L: u32 = 8;
    pub(crate) const H: u32 = 9;
    pub(crate) const CONTRIBUTIONS: u32 = 10;
}

/// Why a file is not a key this project reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZkeyError {
    /// The container is malformed, or a section does not have the length the header implies.
    #[error(".zkey: {0}")]
    File(#[from] BinFileError),
    /// A key of another proof system.
    #[error(".zkey: protocol {found}, only 1 (Groth16) is read")]
    Protocol {
        /// The file's: 2 is PLONK, 10 FFLONK.
        found: u32,
    },
    /// A key over another curve.
    #[error(".zkey: the curve is not BN254 (\"bn128\")")]
    Curve,
    /// Counts that no circuit has.
    #[error(".zkey: {variables} variables, {public} public inputs, domain {domain}: not those of a circuit")]
    Counts {
        /// Columns.
        variables: u32,
        /// Public inputs, the constant one not counted.
        public: u32,
        /// Rows of the domain.
        domain: u32,
    },
    /// A point is unacceptable.
    #[error(".zkey: {element}: {fault}")]
    Point {
        /// Which.
        element: Element,
        /// What is wrong.
        fault: PointFault,
    },
    /// More than [`CONTRIBUTIONS_MAX`].
    #[error(".zkey: {count} contributions, more than {CONTRIBUTIONS_MAX}")]
    TooManyContributions {
        /// Announced.
        count: u32,
    },
    /// A contribution's type or parameters are not of a known form.
    #[error(".zkey: contribution {number}: {why}")]
    Contribution {
        /// From 1.
        number: u32,
        /// What is wrong.
        why: &'static str,
    },
}

/// Which point of a file, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// One of the header.
    Header(&'static str),
    /// A point of a section, from 0.
    Section(u32, u64),
    /// A point of a contribution, from 1.
    Contribution(u32),
}

impl core::fmt::Display for Element {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Section(section, n) => write!(f, "point {n} of section {section}"),
            Self::Contribution(n) => write!(f, "contribution {n}"),
        }
    }
}
