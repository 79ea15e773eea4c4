//! What goes to one party only: HPKE base mode, single shot (RFC 9180), HKDF-SHA256, AES-256-GCM, empty aad, all context in `info`.

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{DhP256HkdfSha256, X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem as HpkeKem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of an X-Wing public key.
pub(crate) const XWING_BYTES: usize = 1216;

/// A public key nothing can be sealed to: a wrong length, a point that is not on P-256, or an X25519 point of small order or
/// in another encoding than its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid public key that a release can be sealed to (x-wing, x25519 or p256)")]
pub struct SealingKeyError;

/// Whether something can be sealed to this key.
pub(crate) fn check_key(kem: Kem, key: &[u8]) -> Result<(), SealingKeyError> {
    if key.len() != kem.public_bytes() || !kem.is_canonical(key) || ends_with_small_order(kem, key) {
        return Err(SealingKeyError);
    }
    let read = match kem {
        Kem::P256 => <DhP256HkdfSha256 as HpkeKem>::PublicKey::from_bytes(key).map(drop),
        Kem::XWing => <XWing as HpkeKem>::PublicKey::from_bytes(key).map(drop),
        Kem::X25519 => <X25519HkdfSha256 as HpkeKem>::PublicKey::from_bytes(key).map(drop),
    };
    read.map_err(|_| SealingKeyError)
}

/// Whether the X25519 key, or the X25519 half of an X-Wing key, which stands last, is of small order.
fn ends_with_small_order(kem: Kem, key: &[u8]) -> bool {
    if kem == Kem::P256 {
        // Its group has prime order; reading a point checks that it is on the curve, and not the identity.
        return false;
    }
    let Some(point) = key.last_chunk::<32>() else { return true };
    // A clamped scalar is a multiple of 8: it maps every point of small order to the identity (RFC 7748 section 6.1).
    let probe = x25519_dalek::StaticSecret::from([0x55; 32]);
    !probe.diffie_hellman(&x25519_dalek::PublicKey::from(*point)).was_contributory()
}

/// Seals to `key`: encapsulated key and ciphertext.
pub(crate) fn seal(
    kem: Kem,
    key: &[u8],
    info: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), SealingKeyError> {
    check_key(kem, key)?;
    match kem {
        Kem::P256 => seal_to::<DhP256HkdfSha256>(key, info, plain, rng),
        Kem::XWing => seal_to::<XWing>(key, info, plain, rng),
        Kem::X25519 => seal_to::<X25519HkdfSha256>(key, info, plain, rng),
    }
}

fn seal_to<K: HpkeKem>(
    key: &[u8],
    info: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), SealingKeyError> {
    let key = K::PublicKey::from_bytes(key).map_err(|_| SealingKeyError)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &key,
        info,
        plain,
        &[],
        rng,
    )
    .map_err(|_| SealingKeyError)?;
    Ok((enc.to_bytes().to_vec(), ciphertext))
}

/// Opens; none when it is not for this key, whatever the reason, and when the encapsulated key is in another encoding than its own.
pub(crate) fn open(
    kem: Kem,
    secret: &Secret<32>,
    info: &[u8],
    enc: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if !kem.is_canonical(enc) {
        return None;
    }
    match kem {
        Kem::XWing => open_with::<XWing>(secret, info, enc, ciphertext),
        Kem::X25519 => open_with::<X25519HkdfSha256>(secret, info, enc, ciphertext),
        Kem::P256 => open_with::<DhP256HkdfSha256>(secret, info, enc, ciphertext),
    }
}

fn open_with<K: HpkeKem>(
    secret: &Secret<32>,
    info: &[u8],
    enc: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let enc = K::EncappedKey::from_bytes(enc).ok()?;
    let secret = K::PrivateKey::from_bytes(secret.expose_secret()).ok()?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, info, ciphertext, &[])
        .ok()
        .map(Zeroizing::new)
}

/// Public half of a secret; none for 32 bytes that are no scalar of P-256.
pub(crate) fn public(kem: Kem, secret: &Secret<32>) -> Option<Vec<u8>> {
    fn of<K: HpkeKem>(secret: &Secret<32>) -> Option<Vec<u8>> {
        let secret = K::PrivateKey::from_bytes(secret.expose_secret()).ok()?;
        Some(K::sk_to_pk(&secret).to_bytes().to_vec())
    }
    match kem {
        Kem::XWing => of::<XWing>(secret),
        Kem::X25519 => of::<X25519HkdfSha256>(secret),
        Kem::P256 => of::<DhP256HkdfSha256>(secret),
    }
}
