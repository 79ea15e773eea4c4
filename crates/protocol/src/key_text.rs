//! Public keys as one checksummed word of text: Bech32m (BIP-350) with a prefix that says what the key is (spec keys, clause Y10).

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Checksum, Hrp};

use crate::envelope::Kem;

/// Characters of a key's text, at most: a custodian's key has 1,344 bytes.
pub const KEY_TEXT_MAX: usize = 2304;

/// Bytes of a custodian's public key (spec custody, clause K3).
const CUSTODIAN_KEY_BYTES: usize = 1344;

/// What a public key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextKind {
    /// An owner's Ed25519 key.
    Owner,
    /// An auditor's Ed25519 key.
    Auditor,
    /// A host's Ed25519 key.
    Host,
    /// An Ed25519 key that signs rosters.
    Roster,
    /// A custodian's key.
    Custodian,
    /// A recipient's key.
    Recipient(Kem),
}

impl TextKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Owner,
        Self::Auditor,
        Self::Host,
        Self::Roster,
        Self::Custodian,
        Self::Recipient(Kem::P256),
        Self::Recipient(Kem::X25519),
        Self::Recipient(Kem::XWing),
    ];

    /// What the text begins with, before the separator `1`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Owner => "bwowner",
            Self::Auditor => "bwauditor",
            Self::Host => "bwhost",
            Self::Roster => "bwroster",
            Self::Custodian => "bwcustodian",
            Self::Recipient(Kem::P256) => "bwp256",
            Self::Recipient(Kem::X25519) => "bwx25519",
            Self::Recipient(Kem::XWing) => "bwxwing",
        }
    }

    /// Bytes of such a key.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Owner | Self::Auditor | Self::Host | Self::Roster => 32,
            Self::Custodian => CUSTODIAN_KEY_BYTES,
            Self::Recipient(kem) => kem.public_bytes(),
        }
    }
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTextError {
    /// Longer than any key.
    #[error("{found} characters, more than a key has ({KEY_TEXT_MAX})")]
    TooLong {
        /// Characters found.
        found: usize,
    },
    /// Not a prefix, the separator and characters of the alphabet, all in lower case.
    #[error("not a key: expected lower-case letters and digits after a prefix such as bwxwing1")]
    Malformed,
    /// A mistyped or cut text.
    #[error("the checksum is wrong: a character is mistyped, missing or out of place")]
    Checksum,
    /// A prefix this build does not know.
    #[error(
        "a key of an unknown kind: the prefixes are bwowner, bwauditor, bwhost, bwroster, bwcustodian, bwp256, bwx25519, bwxwing"
    )]
    Prefix,
    /// Too many or too few bytes for the prefix, or padding that is not zero.
    #[error("not the length of a {} key", .kind.prefix())]
    Length {
        /// What the prefix says.
        kind: TextKind,
    },
}

/// Bech32m without its limit of 1,023 characters, for hybrid keys: the code's guarantee (any three wrong characters are noticed) ends
/// there, the chance to miss an error stays one in 2^30.
enum Long {}

impl Checksum for Long {
    type MidstateRepr = <Bech32m as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32m as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32m::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32m::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = KEY_TEXT_MAX;
    const CHECKSUM_LENGTH: usize = Bech32m::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32m::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32m::TARGET_RESIDUE;
}

/// The text of a key.
///
/// # Errors
/// `Length` when `key` has not the bytes of its kind.
pub fn to_text(kind: TextKind, key: &[u8]) -> Result<String, KeyTextError> {
    if key.len() != kind.key_bytes() {
        return Err(KeyTextError::Length { kind });
    }
    let prefix = Hrp::parse(kind.prefix()).map_err(|_| KeyTextError::Prefix)?;
    bech32::encode_lower::<Long>(prefix, key).map_err(|_| KeyTextError::Length { kind })
}

/// Whether a text means to be a key and not the name of a file: a known prefix, then the separator.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    TextKind::ALL.iter().any(|k| text.strip_prefix(k.prefix()).is_some_and(|rest| rest.starts_with('1')))
}

/// Reads a key's text: one spelling, lower case, whole. Whether the bytes are a key of the mechanism is the caller's to check.
///
/// # Errors
/// `KeyTextError`.
pub fn from_text(text: &str) -> Result<(TextKind, Vec<u8>), KeyTextError> {
    if text.len() > KEY_TEXT_MAX {
        return Err(KeyTextError::TooLong { found: text.len() });
    }
    if text.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit())) {
        return Err(KeyTextError::Malformed);
    }
    let checked = CheckedHrpstring::new::<Long>(text).map_err(|e| match e {
        bech32::primitives::decode::CheckedHrpstringError::Checksum(_) => KeyTextError::Checksum,
        _ => KeyTextError::Malformed,
    })?;
    let prefix = checked.hrp();
    let kind =
        TextKind::ALL.into_iter().find(|k| k.prefix() == prefix.as_str()).ok_or(KeyTextError::Prefix)?;
    let bytes: Vec<u8> = checked.byte_iter().collect();
    // Decoding drops the bits that pad the last character: only zeros, and only as many as needed, encode again to the same text.
    if bytes.len() != kind.key_bytes() || to_text(kind, &bytes)? != text {
        return Err(KeyTextError::Length { kind });
    }
    Ok((kind, bytes))
}
