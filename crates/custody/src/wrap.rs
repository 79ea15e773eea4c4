//! The file key under the shared secret.
//!
//! AES-GCM does not commit to its key; that the right file key came out shows the key commitment of the body, which every opener checks.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::dealing::DealingDigest;
use crate::secret::SharedSecret;

/// HKDF-SHA256 of encode(S) or encode(S) ‖ S2, with the dealing as context. Every dealing gives another key, so the nonce can be fixed.
fn key(secret: &SharedSecret, second: Option<&[u8; 32]>, dealing: &DealingDigest) -> Aes256Gcm {
    let mut ikm = Zeroizing::new(Vec::with_capacity(64));
    ikm.extend_from_slice(&*secret.encode());
    ikm.extend_from_slice(second.map_or(&[][..], |s| &s[..]));
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, &ikm)
        .expand_multi_info(&[Label::CustodyWrap.as_bytes(), &dealing.0], &mut *key)
        .expect("32 bytes are less than HKDF-SHA256 gives");
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
}

/// Ciphertext and tag.
pub(crate) fn wrap(
    secret: &SharedSecret,
    second: Option<&[u8; 32]>,
    dealing: &DealingDigest,
    file_key: &Secret<32>,
) -> [u8; 48] {
    let mut out = [0; 48];
    let (text, tag) = out.split_at_mut(32);
    text.copy_from_slice(file_key.expose_secret());
    let made = key(secret, second, dealing)
        .encrypt_inout_detached(&Nonce::default(), &[], text.into())
        .expect("32 bytes are less than AES-GCM takes");
    tag.copy_from_slice(&made);
    out
}

/// The file key; none when the secret is not the one it was wrapped under.
pub(crate) fn unwrap(
    secret: &SharedSecret,
    second: Option<&[u8; 32]>,
    dealing: &DealingDigest,
    wrapped: &[u8; 48],
) -> Option<Secret<32>> {
    let (text, tag) = wrapped.split_first_chunk::<32>()?;
    let tag: [u8; 16] = tag.try_into().ok()?;
    Secret::try_init_with(|out| {
        out.copy_from_slice(text);
        key(secret, second, dealing).decrypt_inout_detached(
            &Nonce::default(),
            &[],
            out.as_mut_slice().into(),
            &tag.into(),
        )
    })
    .ok()
}
