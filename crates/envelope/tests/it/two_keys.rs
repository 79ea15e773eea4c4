//! E16: one ciphertext that decrypts under two keys ("invisible salamanders", Dodis et al., Crypto 2018).

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use bailiwick_envelope::CobblestoneError;
use bailiwick_envelope::cobblestone::{ChunkKeys, decrypt, encrypt};
use bailiwick_protocol::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha512;

/// GF(2^128) of GCM (SP 800-38D section 6.3): bit 0 is the most significant bit of the first byte.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut z, mut v) = (0, y);
    for i in (0..128).rev() {
        if x >> i & 1 == 1 {
            z ^= v;
        }
        v = if v & 1 == 1 { v >> 1 ^ 0xe1 << 120 } else { v >> 1 };
    }
    z
}

/// x^(2^128 - 2).
fn inverse(x: u128) -> u128 {
    let (mut out, mut square) = (1 << 127, x);
    for _ in 1..128 {
        square = multiply(square, square);
        out = multiply(out, square);
    }
    out
}

/// AEAD key and nonce of chunk 0, as the standard says.
fn chunk_zero(key: &[u8; 32], salt: &[u8; 24]) -> ([u8; 32], [u8; 12], [u8; 32]) {
    let mut prk = [0; 64];
    prk[..32].copy_from_slice(key);
    let mut info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0".to_vec();
    info.extend_from_slice(salt);
    let mut okm = [0; 76];
    Hkdf::<Sha512>::from_prk(&prk).unwrap().expand(&info, &mut okm).unwrap();
    (okm[..32].try_into().unwrap(), okm[32..44].try_into().unwrap(), okm[44..].try_into().unwrap())
}

/// H, and E(J0), from encrypting: GHASH of nothing is zero, so the empty message's tag is E(J0); of one zero block
/// under a chosen mask the tag gives H.
fn hash_key(key: &[u8; 32], nonce: &[u8; 12]) -> (u128, u128) {
    let cipher = Aes256Gcm::new(key.into());
    let nonce = Nonce::from(*nonce);
    let empty = cipher.encrypt(&nonce, &[][..]).unwrap();
    let mask = u128::from_be_bytes(empty.try_into().unwrap());
    // aad of one block 10..0 (the field's one): tag = one·H^2 ^ len·H ^ mask, with len = 128·2^64. Solve by H = tag of keystream below.
    let one = 1u128 << 127;
    let tag = cipher.encrypt(&nonce, Payload { msg: &[], aad: &one.to_be_bytes() }).unwrap();
    let two = cipher.encrypt(&nonce, Payload { msg: &[], aad: &[0; 16] }).unwrap();
    // Second: 0·H^2 ^ len·H ^ mask, so len·H is known and so is H.
    let len_h = u128::from_be_bytes(two.try_into().unwrap()) ^ mask;
    let h = multiply(len_h, inverse(128u128 << 64));
    assert_eq!(u128::from_be_bytes(tag.try_into().unwrap()), multiply(h, h) ^ len_h ^ mask, "H is right");
    (h, mask)
}

/// A one-chunk ciphertext of two blocks that verifies under both keys.
pub(crate) fn salamander(a: &[u8; 32], b: &[u8; 32], salt: &[u8; 24]) -> Vec<u8> {
    let first = u128::from_be_bytes(*b"two readers, two");
    let len = 256u128;
    let ghash = |h: u128, c0: u128, c1: u128| {
        let h2 = multiply(h, h);
        multiply(c0, multiply(h2, h)) ^ multiply(c1, h2) ^ multiply(len, h)
    };
    let ((ka, na, _), (kb, nb, _)) = (chunk_zero(a, salt), chunk_zero(b, salt));
    let ((ha, ma), (hb, mb)) = (hash_key(&ka, &na), hash_key(&kb, &nb));
    // tag_a(c1) = tag_b(c1): c1·(ha^2 ^ hb^2) = the rest of both.
    let rest = ghash(ha, first, 0) ^ ma ^ ghash(hb, first, 0) ^ mb;
    let c1 = multiply(rest, inverse(multiply(ha, ha) ^ multiply(hb, hb)));
    let tag = ghash(ha, first, c1) ^ ma;
    [first, c1, tag].map(u128::to_be_bytes).concat()
}

/// E16: the chunk alone opens under both keys; the body opens under the one its commitment names.
#[test]
fn e16_two_key_ciphertext_is_refused_by_the_commitment() {
    let (a, b, salt) = ([1; 32], [2; 32], [3; 24]);
    let sealed = salamander(&a, &b, &salt);
    for key in [&a, &b] {
        let (aead, nonce, _) = chunk_zero(key, &salt);
        let plain = Aes256Gcm::new((&aead).into()).decrypt(&Nonce::from(nonce), sealed.as_slice());
        assert!(plain.is_ok(), "AES-GCM alone accepts the ciphertext under both keys");
    }
    for (named, other) in [(&a, &b), (&b, &a)] {
        let (_, _, commitment) = chunk_zero(named, &salt);
        let body = [&salt[..], &commitment, &sealed].concat();
        let key = |k: &[u8; 32]| Secret::init_with(|out| *out = *k);
        let mut out = Vec::new();
        let refused = decrypt(body.as_slice(), &mut out, &key(other), &[]).unwrap_err();
        assert!(matches!(refused, CobblestoneError::Commitment), "{refused:?}");
        assert!(out.is_empty());
        decrypt(body.as_slice(), &mut out, &key(named), &[]).unwrap();
        assert_eq!(out.len(), 32);
    }
}

/// E16: the commitments of two keys differ, and a body never opens under another key, context or salt.
#[test]
fn e16_commitment_binds_key_salt_and_context() {
    let key = |b: u8| Secret::init_with(|out| *out = [b; 32]);
    let mut body = Vec::new();
    encrypt(&b"text"[..], &mut body, &ChunkKeys::derive(&key(1), &[1; 24], b"context")).unwrap();
    decrypt(body.as_slice(), std::io::sink(), &key(1), b"context").unwrap();
    for (k, context) in [(2, &b"context"[..]), (1, b"contexT"), (1, b"")] {
        let refused = decrypt(body.as_slice(), std::io::sink(), &key(k), context).unwrap_err();
        assert!(matches!(refused, CobblestoneError::Commitment));
    }
    body[0] ^= 1;
    let refused = decrypt(body.as_slice(), std::io::sink(), &key(1), b"context").unwrap_err();
    assert!(matches!(refused, CobblestoneError::Commitment));
}
