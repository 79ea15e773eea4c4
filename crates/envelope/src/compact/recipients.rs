//! HPKE base mode, single shot, HKDF-SHA256, AES-256-GCM, empty aad, everything bound in `info` (RFC 9180).

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{DhP256HkdfSha256, X25519HkdfSha256, XWing};
use hpke::{Deserializable as _, Kem as HpkeKem, OpModeR, OpModeS, Serializable as _};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::layout::{Entry, KEY_ID_BYTES};
use super::{CompactError, RECIPIENTS_MAX};
use crate::kem::{KeyError, RecipientPublicKey, RecipientSecretKey, check_x25519};

/// Refuses no recipients, too many, and one twice.
pub(super) fn check(recipients: &[RecipientPublicKey]) -> Result<(), CompactError> {
    if recipients.is_empty() {
        return Err(CompactError::NoRecipients);
    }
    if recipients.len() > RECIPIENTS_MAX {
        return Err(CompactError::TooManyRecipients { found: recipients.len() });
    }
    for (i, key) in recipients.iter().enumerate() {
        if recipients[..i].iter().any(|other| other.key_id() == key.key_id()) {
            return Err(CompactError::DuplicateRecipient);
        }
    }
    Ok(())
}

/// `info` of a value sealed to one recipient directly.
pub(super) fn value_info(binding: &[u8], key_id: &[u8; KEY_ID_BYTES]) -> Vec<u8> {
    [Label::CompactValue.as_bytes(), binding, key_id].concat()
}

/// Seals `plain` to `key`: encapsulated key, ciphertext and tag.
pub(super) fn seal_to(
    key: &RecipientPublicKey,
    info: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), CompactError> {
    match key.kem() {
        Kem::P256 => seal_with::<DhP256HkdfSha256>(key, info, plain, rng),
        Kem::X25519 => seal_with::<X25519HkdfSha256>(key, info, plain, rng),
        Kem::XWing => seal_with::<XWing>(key, info, plain, rng),
    }
}

fn seal_with<K: HpkeKem>(
    key: &RecipientPublicKey,
    info: &[u8],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), CompactError> {
    let public = K::PublicKey::from_bytes(key.as_bytes()).map_err(|_| KeyError::Invalid)?;
    let (enc, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        info,
        plain,
        &[],
        rng,
    )
    .map_err(|_| KeyError::Invalid)?;
    Ok((enc.to_bytes().to_vec(), sealed))
}

/// Opens what [`seal_to`] made; none whatever the reason.
pub(super) fn open_with(
    key: &RecipientSecretKey,
    enc: &[u8],
    info: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    // HPKE refuses a zero result for X25519 alone (RFC 9180 section 7.1.4), not inside X-Wing, and takes any encoding.
    check_x25519(key.kem(), enc).ok()?;
    match key.kem() {
        Kem::P256 => open_by::<DhP256HkdfSha256>(key, enc, info, sealed),
        Kem::X25519 => open_by::<X25519HkdfSha256>(key, enc, info, sealed),
        Kem::XWing => open_by::<XWing>(key, enc, info, sealed),
    }
}

fn open_by<K: HpkeKem>(
    key: &RecipientSecretKey,
    enc: &[u8],
    info: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let secret = K::PrivateKey::from_bytes(key.secret().expose_secret()).ok()?;
    let enc = K::EncappedKey::from_bytes(enc).ok()?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &secret, &enc, info, sealed, &[])
        .ok()
        .map(Zeroizing::new)
}

/// The recipients' section: count ‖ (mechanism ‖ key id ‖ enc ‖ wrapped key), in the order given.
pub(super) fn wrap(
    recipients: &[RecipientPublicKey],
    key: &Secret<32>,
    binding: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, CompactError> {
    let info = [Label::CompactRecipient.as_bytes(), binding].concat();
    let mut out = vec![u8::try_from(recipients.len()).expect("at most 16 recipients were let through")];
    for recipient in recipients {
        let (enc, wrapped) = seal_to(recipient, &info, key.expose_secret(), rng)?;
        out.extend_from_slice(&recipient.kem().id().to_be_bytes());
        out.extend_from_slice(&recipient.key_id());
        out.extend_from_slice(&enc);
        out.extend_from_slice(&wrapped);
    }
    Ok(out)
}

/// The key that the entry of one of `secrets` holds.
pub(super) fn unwrap(
    entries: &[Entry<'_>],
    secrets: &[RecipientSecretKey],
    binding: &[u8],
) -> Result<Secret<32>, CompactError> {
    let info = [Label::CompactRecipient.as_bytes(), binding].concat();
    let mut named = false;
    for secret in secrets {
        let id = secret.key_id();
        for entry in entries.iter().filter(|e| e.kem == secret.kem() && *e.key_id == id) {
            named = true;
            let key = open_with(secret, entry.enc, &info, entry.wrapped);
            if let Some(key) = key.as_deref().and_then(|k| <&[u8; 32]>::try_from(k.as_slice()).ok()) {
                return Ok(Secret::init_with(|k| k.copy_from_slice(key)));
            }
        }
    }
    Err(if named { CompactError::NotOpened } else { CompactError::NoRecipient })
}
