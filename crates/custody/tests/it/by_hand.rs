//! HPKE by hand (RFC 9180 sections 4.1, 5.1 and 5.2), for releases whose encapsulated key no library makes: of small order, or another encoding of a key.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use bailiwick_custody::{Release, Request};
use bailiwick_protocol::secret::Secret;

use super::case::x25519;
use super::own_dealer::release_info;

/// `plain` in the name of the custodian with this point, for an X25519 requester with this secret; the encapsulated key is `enc`, whatever that
/// is. A reader who does not look at it opens what comes out.
pub(super) fn seal_at(
    request: &Request,
    secret: &Secret<32>,
    enc: [u8; 32],
    point: u16,
    plain: &[u8],
) -> Release {
    let dh = x25519_dalek::StaticSecret::from(*secret.expose_secret()).diffie_hellman(&enc.into());
    let kem = [&b"KEM"[..], &0x0020u16.to_be_bytes()].concat();
    let prk = extract(&kem, &[], b"eae_prk", dh.as_bytes());
    let shared: [u8; 32] = expand(&kem, &prk, b"shared_secret", &[enc, x25519(secret)].concat());
    let suite = [&b"HPKE"[..], &[0, 0x20, 0, 1, 0, 2]].concat();
    let psk_id = extract(&suite, &[], b"psk_id_hash", &[]);
    let info = extract(&suite, &[], b"info_hash", &release_info(request, point));
    let context = [&[0][..], &psk_id, &info].concat();
    let secret = extract(&suite, &shared, b"secret", &[]);
    let key: [u8; 32] = expand(&suite, &secret, b"key", &context);
    let nonce: [u8; 12] = expand(&suite, &secret, b"base_nonce", &context);
    let ciphertext = Aes256Gcm::new(&key.into()).encrypt(&nonce.into(), plain).unwrap();
    Release { dealing: request.dealing, nonce: request.nonce, point, enc: enc.to_vec(), ciphertext }
}

/// LabeledExtract.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> [u8; 32] {
    let ikm = [b"HPKE-v1", suite, label, ikm].concat();
    hkdf::Hkdf::<sha2::Sha256>::extract(Some(salt), &ikm).0.into()
}

/// LabeledExpand.
fn expand<const N: usize>(suite: &[u8], prk: &[u8; 32], label: &[u8], info: &[u8]) -> [u8; N] {
    let length = u16::try_from(N).unwrap().to_be_bytes();
    let info = [&length[..], b"HPKE-v1", suite, label, info].concat();
    let mut okm = [0; N];
    hkdf::Hkdf::<sha2::Sha256>::from_prk(prk).unwrap().expand(&info, &mut okm).unwrap();
    okm
}
