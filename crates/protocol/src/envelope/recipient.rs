//! Recipient entries: a key encapsulated for one recipient (spec envelope, clause E4).

use crate::codec::{CodecError, Decoder, Encoder};

/// Key encapsulation mechanism of a recipient entry (IANA HPKE registry).
///
/// Not `non_exhaustive`: whoever matches on it has to say what a new mechanism means there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kem {
    /// DHKEM(P-256, HKDF-SHA256), RFC 9180 section 7.1: for keys in tokens and key services.
    P256,
    /// DHKEM(X25519, HKDF-SHA256), RFC 9180 section 7.1.
    X25519,
    /// MLKEM768-X25519 (X-Wing).
    XWing,
}

impl Kem {
    /// All mechanisms.
    pub const ALL: [Self; 3] = [Self::P256, Self::X25519, Self::XWing];

    /// The registered id.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::P256 => 0x0010,
            Self::X25519 => 0x0020,
            Self::XWing => 0x647a,
        }
    }

    /// The mechanism of a registered id, if this build has it.
    #[must_use]
    pub const fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0010 => Some(Self::P256),
            0x0020 => Some(Self::X25519),
            0x647a => Some(Self::XWing),
            _ => None,
        }
    }

    /// Bytes of the encapsulated key (`Nenc`).
    #[must_use]
    pub const fn enc_bytes(self) -> usize {
        match self {
            Self::P256 => 65,
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }

    /// Bytes of a public key (`Npk`).
    #[must_use]
    pub const fn public_bytes(self) -> usize {
        match self {
            Self::P256 => 65,
            Self::X25519 => 32,
            Self::XWing => 1216,
        }
    }

    /// Whether the X25519 part of a public or encapsulated key, which stands last also in X-Wing, is the one encoding of its number:
    /// below 2^255 - 19. RFC 7748 section 5 lets others through and computes with what they reduce to, but HPKE and X-Wing bind the bytes:
    /// what is sealed to another encoding of a key opens for nobody. P-256 has nothing of the kind here: reading a point checks its
    /// coordinates.
    #[must_use]
    pub fn is_canonical(self, key: &[u8]) -> bool {
        match self {
            Self::P256 => true,
            Self::X25519 | Self::XWing => key.last_chunk().is_some_and(is_reduced),
        }
    }

    /// Whether a large quantum computer could not open what is encapsulated.
    #[must_use]
    pub const fn is_post_quantum(self) -> bool {
        match self {
            Self::P256 | Self::X25519 => false,
            Self::XWing => true,
        }
    }
}

/// Whether a little-endian number is below 2^255 - 19.
fn is_reduced(number: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = number;
    *highest < 0x7f || (*highest == 0x7f && (*lowest < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

/// What a recipient receives: each role has one fixed length and is bound into the encapsulation's info.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The 32-byte file key.
    #[default]
    FileKey,
    /// The 32-byte custody secret S and the 64-byte proof that the dealing shares it (spec custody).
    CustodySecret,
}

impl Role {
    /// Number on the wire and in the encapsulation's info.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::FileKey => 1,
            Self::CustodySecret => 2,
        }
    }

    /// Bytes of what is encapsulated.
    #[must_use]
    pub const fn plaintext_bytes(self) -> usize {
        match self {
            Self::FileKey => 32,
            Self::CustodySecret => 96,
        }
    }

    /// Bytes of the ciphertext: the plaintext's and a 16-byte tag.
    #[must_use]
    pub const fn ciphertext_bytes(self) -> usize {
        self.plaintext_bytes() + 16
    }
}

/// A key, encapsulated for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientEntry {
    /// Mechanism.
    pub kem: Kem,
    /// What is encapsulated.
    pub role: Role,
    /// First 8 bytes of the recipient key's fingerprint; absent for an anonymous recipient.
    pub key_id: Option<[u8; 8]>,
    /// Encapsulated key, `kem.enc_bytes()` long.
    pub enc: Vec<u8>,
    /// Ciphertext with its tag, `role.ciphertext_bytes()` long.
    pub ciphertext: Vec<u8>,
}

/// Key 4, the role, is there only when it is not the file key.
pub(super) fn encode_recipient(r: &RecipientEntry, e: &mut Encoder) {
    e.map(3 + u64::from(r.key_id.is_some()) + u64::from(r.role != Role::FileKey));
    e.u64(0);
    e.u64(u64::from(r.kem.id()));
    if let Some(id) = &r.key_id {
        e.u64(1);
        e.bytes(id);
    }
    e.u64(2);
    e.bytes(&r.enc);
    e.u64(3);
    e.bytes(&r.ciphertext);
    if r.role != Role::FileKey {
        e.u64(4);
        e.u64(u64::from(r.role.id()));
    }
}

pub(super) fn decode_recipient(d: &mut Decoder<'_>) -> Result<RecipientEntry, CodecError> {
    let mut m = d.map("recipient")?;
    m.required(d, 0)?;
    let id = d.uint::<u16>("kem")?;
    let kem =
        Kem::from_id(id).ok_or(CodecError::UnknownVersion { what: "recipient kem", found: u64::from(id) })?;
    let key_id = if m.optional(d, 1)? { Some(d.array()?) } else { None };
    m.required(d, 2)?;
    let enc = encapsulated_key(d, kem)?;
    m.required(d, 3)?;
    let ciphertext = d.bytes("recipient ciphertext", Role::CustodySecret.ciphertext_bytes())?.to_vec();
    let role = if m.optional(d, 4)? { decode_role(d)? } else { Role::FileKey };
    if ciphertext.len() != role.ciphertext_bytes() {
        return Err(CodecError::Invalid("recipient ciphertext"));
    }
    m.end(d)?;
    Ok(RecipientEntry { kem, role, key_id, enc, ciphertext })
}

/// The file key's role has no encoding of its own, so that every entry has one encoding.
fn decode_role(d: &mut Decoder<'_>) -> Result<Role, CodecError> {
    match d.u64()? {
        2 => Ok(Role::CustodySecret),
        1 => Err(CodecError::Invalid("recipient role")),
        found => Err(CodecError::UnknownVersion { what: "recipient role", found }),
    }
}

/// Beyond the longest of all mechanisms is beyond a limit; any other length than the mechanism's is a wrong value.
fn encapsulated_key(d: &mut Decoder<'_>, kem: Kem) -> Result<Vec<u8>, CodecError> {
    const WHAT: &str = "encapsulated key";
    let bytes = d.bytes(WHAT, Kem::XWing.enc_bytes())?;
    if bytes.len() == kem.enc_bytes() { Ok(bytes.to_vec()) } else { Err(CodecError::Invalid(WHAT)) }
}
