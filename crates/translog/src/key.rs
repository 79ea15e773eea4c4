//! Note keys (C2SP signed-note, tlog-cosignature): a name, a kind of signature and an Ed25519 key.

use core::fmt;

use bailiwick_protocol::ids::Signature;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::{SigningKey, verify_raw};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::text::{base64, from_base64};

/// Bytes of a key name, at most (ML-DSA cosignatures have room for no more).
pub const NAME_BYTES_MAX: usize = 255;
/// What a secret note key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// Characters of a base64 field with a type byte and 32 key bytes.
const KEY_FIELD_CHARS: usize = 44;

/// What a key signs; the number is the signature type byte of C2SP signed-note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SignatureKind {
    /// Ed25519 over the note text: a log's own signature.
    Ed25519,
    /// Timestamped Ed25519 cosignature of a witness, version 1.
    Cosignature,
}

impl SignatureKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn of(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::Cosignature),
            found => Err(KeyError::Kind { found }),
        }
    }
}

/// Why a text is not a note key, or a name not a key's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not `name+id+base64`.
    #[error("not a note key of the form name+id+base64")]
    Form,
    /// The name is empty, too long, or has a space, a plus sign or a control character.
    #[error("key names have 1 to {NAME_BYTES_MAX} bytes without spaces, plus signs and control characters")]
    Name,
    /// A signature type this version does not know.
    #[error("signature type {found:#04x} is not one of 0x01 (Ed25519) and 0x04 (cosignature/v1)")]
    Kind {
        /// The type byte.
        found: u8,
    },
    /// The id is not the one of name and key.
    #[error("the key id does not belong to this name and key")]
    Id,
    /// Not a public key: no point of the curve, or one of small order.
    #[error("not an Ed25519 public key")]
    Key,
}

/// Whether `name` may name a key.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_whitespace() || c == '+' || c.is_control())
}

/// `SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4]`.
fn key_id(name: &str, kind: SignatureKind, public: &[u8; 32]) -> [u8; 4] {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(public).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A public note key ("vkey").
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: SignatureKind,
    id: [u8; 4],
    public: [u8; 32],
}

impl VerifierKey {
    /// From its parts.
    ///
    /// # Errors
    /// `Name`. Whether `public` is a good key shows when a signature is verified.
    pub fn new(name: &str, kind: SignatureKind, public: [u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        Ok(Self { name: name.to_owned(), kind, id: key_id(name, kind, &public), public })
    }

    /// Reads `name+id+base64(type ‖ key)`: the form C2SP calls a vkey.
    ///
    /// # Errors
    /// `KeyError`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Form)?;
        let bytes = from_base64(key).ok_or(KeyError::Form)?;
        let (kind, public) = bytes.split_first().ok_or(KeyError::Form)?;
        let kind = SignatureKind::of(*kind)?;
        let public = public.try_into().map_err(|_| KeyError::Form)?;
        let made = Self::new(name, kind, public)?;
        if hex::encode(made.id) == id { Ok(made) } else { Err(KeyError::Id) }
    }

    /// The name; a log's is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// The short id in signature lines. Not collision-resistant; only the whole key decides.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The Ed25519 public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Strict Ed25519 verification (canonical S, no small-order points).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        verify_raw(&self.public, message, &Signature(*signature)).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = base64(&[&[self.kind.byte()], self.public.as_slice()].concat());
        write!(f, "{}+{}+{field}", self.name, hex::encode(self.id))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A private note key. Wiped on drop, never printed.
#[derive(Debug)]
pub struct NoteSigner {
    public: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// From a 32-byte seed (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// `Name`.
    pub fn from_seed(name: &str, kind: SignatureKind, seed: &Secret<32>) -> Result<Self, KeyError> {
        let key = SigningKey::from_seed(seed);
        Ok(Self { public: VerifierKey::new(name, kind, key.public())?, key })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(type ‖ seed)`. Errors never show what was read.
    ///
    /// # Errors
    /// `KeyError`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyError::Form)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Form)?;
        let (id, field) = rest.split_once('+').ok_or(KeyError::Form)?;
        if field.len() != KEY_FIELD_CHARS {
            return Err(KeyError::Form);
        }
        let mut bytes = Zeroizing::new([0; 33]);
        match STANDARD.decode_slice(field, bytes.as_mut_slice()) {
            Ok(33) => {}
            _ => return Err(KeyError::Form),
        }
        let kind = SignatureKind::of(bytes[0])?;
        let seed = Secret::init_with(|s| s.copy_from_slice(&bytes[1..]));
        let made = Self::from_seed(name, kind, &seed)?;
        if hex::encode(made.public.id) == id { Ok(made) } else { Err(KeyError::Id) }
    }

    /// The text [`NoteSigner::parse`] reads, for a key file.
    #[must_use]
    pub fn secret_text(name: &str, kind: SignatureKind, seed: &Secret<32>) -> Option<Zeroizing<String>> {
        let public = Self::from_seed(name, kind, seed).ok()?.public;
        let mut bytes = Zeroizing::new([kind.byte(); 33]);
        bytes[1..].copy_from_slice(seed.expose_secret());
        let mut field = Zeroizing::new([0; KEY_FIELD_CHARS]);
        STANDARD.encode_slice(bytes.as_slice(), field.as_mut_slice()).ok()?;
        // Room for everything, so that no copy is left behind by a reallocation.
        let mut text =
            Zeroizing::new(String::with_capacity(PRIVATE.len() + name.len() + 10 + KEY_FIELD_CHARS));
        for part in [PRIVATE, name, "+", &hex::encode(public.id), "+"] {
            text.push_str(part);
        }
        text.push_str(core::str::from_utf8(field.as_slice()).ok()?);
        Some(text)
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign_raw(message).0
    }
}
