//! The card beside a proving key: `DIGEST.toml` next to `DIGEST.pk` and `DIGEST.vk`, DIGEST being the verifying key's.
//!
//! It tells a host which class a key is for and the digest its proving key must have, so that a key file can be
//! checked before one byte of it is decoded. It is not evidence: a verifier takes provenance from trust anchors only.

use crate::envelope::COMMITMENT_SCHEME_CELL_TREE;
use crate::ids::{AuditorKey, CircuitDigest, ClassId, PkDigest, VkDigest};

/// Version of the card.
pub const KEY_CARD_VERSION: u64 = 1;

/// Bytes of a card, at most.
pub const KEY_CARD_BYTES_MAX: u64 = 4096;

/// Who made a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyProvenance {
    /// From a public seed: anyone can forge.
    Development,
    /// By one auditor, from its own randomness.
    Auditor,
    /// By many, each multiplying a secret in: sound if one of them destroyed theirs.
    Ceremony,
}

/// What is said about a ceremony, as trust anchors say it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyCard {
    /// SHA-256 of the final key's record of contributions, lower-case hexadecimal.
    pub transcript: String,
    /// Contributors who drew their own secret.
    pub contributors: u32,
    /// The public value that closed it, lower-case hexadecimal.
    pub beacon: String,
}

/// What is said about a key beside it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCard {
    /// [`KEY_CARD_VERSION`].
    pub version: u64,
    /// Who made it.
    pub provenance: KeyProvenance,
    /// The auditor who made it, for [`KeyProvenance::Auditor`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auditor: Option<AuditorKey>,
    /// The ceremony it came from, for [`KeyProvenance::Ceremony`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceremony: Option<CeremonyCard>,
    /// Digest of the verifying key.
    pub vk: VkDigest,
    /// Digest of the proving key file.
    pub pk: PkDigest,
    /// Digest of the circuit's matrices.
    pub circuit: CircuitDigest,
    /// The class it is for.
    pub class: ClassId,
    /// The possession scheme it is for; written only where it is not the first.
    #[serde(default = "first_scheme", skip_serializing_if = "is_first_scheme")]
    pub scheme: u64,
}

const fn first_scheme() -> u64 {
    COMMITMENT_SCHEME_CELL_TREE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_first_scheme(scheme: &u64) -> bool {
    *scheme == COMMITMENT_SCHEME_CELL_TREE
}
