//! Recipients: HPKE base mode, single shot (RFC 9180), HKDF-SHA256, AES-256-GCM, empty aad, all context in `info`.

use bailiwick_protocol::envelope::{Envelope, Kem, RecipientEntry, Role};
use bailiwick_protocol::ids::{ObjectId, OwnerKey};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{DhP256HkdfSha256, X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem as HpkeKem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a recipient's secret key: a P-256 scalar (big-endian), an X25519 scalar or an X-Wing seed.
pub const SECRET_KEY_BYTES: usize = 32;

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the length of this mechanism's keys.
    #[error("the key has {found} bytes instead of {expected}")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes this mechanism's keys have.
        expected: usize,
    },
    /// A point that is not on P-256, an X25519 point of small order, or an ML-KEM key outside its range: a secret shared with it
    /// may be known to anyone.
    #[error("the key is not a valid public key")]
    Invalid,
    /// An X25519 key, alone or in X-Wing, with its highest bit set or not below 2^255 - 19: another encoding of a key. What is sealed to
    /// it opens for nobody, and it would pass for a second recipient beside the key it is.
    #[error(
        "the public key is not canonical: its X25519 part is not below 2^255 - 19, and what is sealed to it opens for nobody; ask its owner for the key again"
    )]
    NotCanonical,
    /// A P-256 scalar that is zero or not below the order of the group.
    #[error(
        "the secret key is not a scalar of P-256: it must be above zero and below the order of the group"
    )]
    Scalar,
}

/// Public key of someone who may open an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientPublicKey {
    kem: Kem,
    bytes: Vec<u8>,
}

impl RecipientPublicKey {
    /// Bytes of a public key: 65 (P-256, uncompressed), 32 (X25519), 1,216 (X-Wing).
    #[must_use]
    pub const fn len(kem: Kem) -> usize {
        kem.public_bytes()
    }

    /// Reads and checks a key.
    ///
    /// # Errors
    /// `Length`; `Invalid` for points that are not on P-256 (SP 800-56A section 5.6.2.3.3), points of small order (RFC 7748
    /// section 6.1) and ML-KEM keys that fail FIPS 203 section 7.2; `NotCanonical` for other encodings of X25519 keys.
    pub fn from_bytes(kem: Kem, bytes: &[u8]) -> Result<Self, KeyError> {
        let expected = Self::len(kem);
        if bytes.len() != expected {
            return Err(KeyError::Length { found: bytes.len(), expected });
        }
        check_x25519(kem, bytes)?;
        match kem {
            Kem::P256 => <DhP256HkdfSha256 as HpkeKem>::PublicKey::from_bytes(bytes).map(|_| ()),
            Kem::X25519 => <X25519HkdfSha256 as HpkeKem>::PublicKey::from_bytes(bytes).map(|_| ()),
            Kem::XWing => <XWing as HpkeKem>::PublicKey::from_bytes(bytes).map(|_| ()),
        }
        .map_err(|_| KeyError::Invalid)?;
        Ok(Self { kem, bytes: bytes.to_vec() })
    }

    /// The mechanism.
    #[must_use]
    pub fn kem(&self) -> Kem {
        self.kem
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// BLAKE3 derive-key under `Label::Fingerprint` over LE16 KEM id ‖ key.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut h = blake3::Hasher::new_derive_key(Label::Fingerprint.as_str());
        h.update(&self.kem.id().to_le_bytes());
        h.update(&self.bytes);
        h.finalize().into()
    }

    /// First 8 bytes of the fingerprint: what an envelope names a recipient by.
    #[must_use]
    pub fn key_id(&self) -> [u8; 8] {
        *self.fingerprint().first_chunk().expect("32 bytes begin with 8")
    }
}

/// Secret key of a recipient. Wiped on drop, never printed.
#[derive(Debug)]
pub struct RecipientSecretKey {
    bytes: Secret<SECRET_KEY_BYTES>,
    public: RecipientPublicKey,
}

impl RecipientSecretKey {
    /// A fresh key from `rng`.
    pub fn generate(kem: Kem, rng: &mut impl CryptoRng) -> Self {
        // One P-256 candidate in 2^32 is no scalar; of the others every one is a key.
        loop {
            if let Ok(key) = Self::from_bytes(kem, Secret::init_with(|b| rng.fill_bytes(b))) {
                return key;
            }
        }
    }

    /// From its 32 bytes; every value is an X25519 and an X-Wing key.
    ///
    /// # Errors
    /// `Scalar` for a P-256 key that is zero or not below the order of the group.
    pub fn from_bytes(kem: Kem, bytes: Secret<SECRET_KEY_BYTES>) -> Result<Self, KeyError> {
        let public = match kem {
            Kem::P256 => public_bytes::<DhP256HkdfSha256>(&bytes),
            Kem::X25519 => public_bytes::<X25519HkdfSha256>(&bytes),
            Kem::XWing => public_bytes::<XWing>(&bytes),
        }
        .ok_or(KeyError::Scalar)?;
        Ok(Self { bytes, public: RecipientPublicKey { kem, bytes: public } })
    }

    /// The mechanism.
    #[must_use]
    pub fn kem(&self) -> Kem {
        self.public.kem
    }

    /// The secret bytes, for writing a key file.
    #[must_use]
    pub fn secret(&self) -> &Secret<SECRET_KEY_BYTES> {
        &self.bytes
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> RecipientPublicKey {
        self.public.clone()
    }

    pub(crate) fn key_id(&self) -> [u8; 8] {
        self.public.key_id()
    }
}

fn secret_key<K: HpkeKem>(bytes: &Secret<SECRET_KEY_BYTES>) -> Option<K::PrivateKey> {
    K::PrivateKey::from_bytes(bytes.expose_secret()).ok()
}

fn public_bytes<K: HpkeKem>(bytes: &Secret<SECRET_KEY_BYTES>) -> Option<Vec<u8>> {
    Some(K::sk_to_pk(&secret_key::<K>(bytes)?).to_bytes().to_vec())
}

/// Refuses a public or encapsulated key whose X25519 part, which stands last also in X-Wing, has small order (a Diffie-Hellman with it
/// gives zero whatever the scalar, RFC 7748 section 6.1) or is not canonical. P-256 has prime order and no such points.
pub(crate) fn check_x25519(kem: Kem, bytes: &[u8]) -> Result<(), KeyError> {
    if kem != Kem::P256 && bytes.last_chunk().is_none_or(has_small_order) {
        return Err(KeyError::Invalid);
    }
    if kem.is_canonical(bytes) { Ok(()) } else { Err(KeyError::NotCanonical) }
}

fn has_small_order(point: &[u8; 32]) -> bool {
    // Clamped scalars are multiples of 8, so any of them maps every small-order point to the identity.
    let shared =
        x25519_dalek::StaticSecret::from([0x55; 32]).diffie_hellman(&x25519_dalek::PublicKey::from(*point));
    !shared.was_contributory()
}

/// What an encapsulation is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) suite: u64,
    pub(crate) owner: &'a OwnerKey,
    pub(crate) object: &'a ObjectId,
}

impl<'a> Context<'a> {
    pub(crate) fn of(envelope: &'a Envelope) -> Self {
        Self { suite: envelope.suite, owner: &envelope.owner, object: &envelope.object }
    }

    /// label ‖ LE64 suite ‖ owner key ‖ object id ‖ role.
    pub(crate) fn info(&self, role: Role) -> Vec<u8> {
        [
            Label::RecipientInfo.as_bytes(),
            &self.suite.to_le_bytes(),
            self.owner.as_bytes(),
            self.object.as_bytes(),
            &[role.id()],
        ]
        .concat()
    }
}

/// Encapsulates `content`, of the length of its `role`, for `key`.
pub(crate) fn encapsulate(
    context: &Context<'_>,
    key: &RecipientPublicKey,
    anonymous: bool,
    role: Role,
    content: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<RecipientEntry, KeyError> {
    debug_assert_eq!(content.len(), role.plaintext_bytes());
    let info = context.info(role);
    let (enc, ciphertext) = match key.kem {
        Kem::P256 => seal_to::<DhP256HkdfSha256>(&info, key, content, rng)?,
        Kem::X25519 => seal_to::<X25519HkdfSha256>(&info, key, content, rng)?,
        Kem::XWing => seal_to::<XWing>(&info, key, content, rng)?,
    };
    let key_id = (!anonymous).then(|| key.key_id());
    Ok(RecipientEntry { kem: key.kem, role, key_id, enc, ciphertext })
}

fn seal_to<K: HpkeKem>(
    info: &[u8],
    key: &RecipientPublicKey,
    content: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
    let public = K::PublicKey::from_bytes(&key.bytes).map_err(|_| KeyError::Invalid)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        info,
        content,
        &[],
        rng,
    )
    .map_err(|_| KeyError::Invalid)?;
    Ok((enc.to_bytes().to_vec(), ciphertext))
}

/// Opens `entry` with `key` to content of the length of the entry's role; none when it is not for this key, whatever the reason.
pub(crate) fn decapsulate(
    context: &Context<'_>,
    key: &RecipientSecretKey,
    entry: &RecipientEntry,
) -> Option<Zeroizing<Vec<u8>>> {
    if entry.kem != key.kem() {
        return None;
    }
    // HPKE refuses a zero result for X25519 alone (RFC 9180 section 7.1.4), not inside X-Wing, and takes any encoding.
    check_x25519(entry.kem, &entry.enc).ok()?;
    let info = context.info(entry.role);
    let opened = match entry.kem {
        Kem::P256 => open_with::<DhP256HkdfSha256>(&info, key, entry),
        Kem::X25519 => open_with::<X25519HkdfSha256>(&info, key, entry),
        Kem::XWing => open_with::<XWing>(&info, key, entry),
    }?;
    (opened.len() == entry.role.plaintext_bytes()).then_some(opened)
}

fn open_with<K: HpkeKem>(
    info: &[u8],
    key: &RecipientSecretKey,
    entry: &RecipientEntry,
) -> Option<Zeroizing<Vec<u8>>> {
    let enc = K::EncappedKey::from_bytes(&entry.enc).ok()?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(
        &OpModeR::Base,
        &secret_key::<K>(&key.bytes)?,
        &enc,
        info,
        &entry.ciphertext,
        &[],
    )
    .ok()
    .map(Zeroizing::new)
}
