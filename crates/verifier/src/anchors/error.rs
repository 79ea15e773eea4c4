//! Why a file of trust anchors is refused.

use super::{ANCHORS_VERSION, NAME_CHARS_MAX, Role};
use crate::text::TOML_BYTES_MAX;

/// Why a trust-anchors file is refused. Every variant names the line, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorsError {
    /// Longer than [`TOML_BYTES_MAX`].
    #[error("trust anchors: {bytes} bytes, more than the limit of {TOML_BYTES_MAX}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// Not TOML, an unknown key, a missing key or a value of the wrong form.
    #[error("trust anchors, line {line}: {message}")]
    Toml {
        /// Where.
        line: usize,
        /// The parser's words, printable.
        message: String,
    },
    /// A version this build does not know.
    #[error("trust anchors, line {line}: unknown version {found}, this program knows {ANCHORS_VERSION}")]
    Version {
        /// Where.
        line: usize,
        /// The version found.
        found: u64,
    },
    /// A key that is not lower-case hexadecimal of its role's length.
    #[error("trust anchors, line {line}: a key is lower-case hexadecimal, 64 digits for {role}")]
    Key {
        /// Where.
        line: usize,
        /// Whose.
        role: Role,
    },
    /// Empty, longer than [`NAME_CHARS_MAX`], or with characters that do not print.
    #[error("trust anchors, line {line}: {field} must be 1 to {NAME_CHARS_MAX} printable characters")]
    Name {
        /// Where.
        line: usize,
        /// Which field.
        field: &'static str,
    },
    /// One key given to two principals: each must have its own.
    #[error("trust anchors, line {line}: this key already belongs to the principal on line {first}")]
    RepeatedKey {
        /// Where.
        line: usize,
        /// Where it was given first.
        first: usize,
    },
    /// Two principals of one role with one name.
    #[error("trust anchors, line {line}: this name already belongs to the {role} on line {first}")]
    RepeatedName {
        /// Where.
        line: usize,
        /// The role.
        role: Role,
        /// Where it was given first.
        first: usize,
    },
    /// A verifying key listed twice.
    #[error("trust anchors, line {line}: this verifying key is already listed on line {first}")]
    RepeatedVerifyingKey {
        /// Where.
        line: usize,
        /// Where it was given first.
        first: usize,
    },
    /// Samples or depth no circuit of this version has.
    #[error("trust anchors, line {line}: a class has 1 to 1024 samples and depth 3 to 8")]
    Class {
        /// Where.
        line: usize,
    },
    /// Fields that do not belong to the stated provenance, or are missing for it.
    #[error(
        "trust anchors, line {line}: provenance `auditor` takes `auditor`; `ceremony` takes `transcript`, `contributors` (at least 1) and `beacon`; `development` takes none of them"
    )]
    ProvenanceFields {
        /// Where.
        line: usize,
    },
    /// A log or witness key that is no C2SP note key of the right kind, or one given twice.
    #[error("trust anchors, line {line}: {why}")]
    NoteKey {
        /// Where.
        line: usize,
        /// What is wrong.
        why: NoteKeyFault,
    },
    /// Parameters of a beacon chain that do not fit its hash.
    #[error("trust anchors, line {line}: beacon: {why}")]
    Beacon {
        /// Where.
        line: usize,
        /// What is wrong.
        why: bailiwick_beacon::ChainError,
    },
    /// A key set up by an auditor who is not a principal of the file.
    #[error("trust anchors, line {line}: this auditor is not among the principals of role auditor")]
    UnknownAuditor {
        /// Where.
        line: usize,
    },
}

/// What is wrong with a log's or witness's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKeyFault {
    /// No note key.
    #[error(transparent)]
    Key(#[from] bailiwick_translog::KeyError),
    /// The keys together make no sense.
    #[error(transparent)]
    Together(#[from] bailiwick_translog::PolicyError),
}
