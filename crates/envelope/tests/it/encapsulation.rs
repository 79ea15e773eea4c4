//! HPKE by hand (RFC 9180 sections 4.1, 5.1 and 5.2; X-Wing as spec E4a has it), for encapsulated keys that no library makes: of small order, or another encoding
//! of a key. A reader without the checks of E4 opens what comes out.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use bailiwick_protocol::envelope::{Envelope, Kem, RecipientEntry, Role};
use sha3::Digest as _;
use shake::{ExtendableOutput as _, Update as _, XofReader as _};

use super::maker::{Reader, Stream, key_id, recipient_info};

/// Wraps `content` for `reader`; the X25519 part of the encapsulated key is `point`, whatever that is.
pub(crate) fn wrap_at(
    envelope: &Envelope,
    reader: &Reader,
    role: Role,
    content: &[u8],
    point: [u8; 32],
) -> RecipientEntry {
    let (id, enc, ciphertext) = seal_at(reader, point, content, |_| recipient_info(envelope, role));
    RecipientEntry { kem: reader.kem, role, key_id: Some(id), enc, ciphertext }
}

/// Seals `content` likewise: the reader's key id, which `info` gets, the encapsulated key and the ciphertext.
pub(crate) fn seal_at(
    reader: &Reader,
    point: [u8; 32],
    content: &[u8],
    info: impl FnOnce(&[u8; 8]) -> Vec<u8>,
) -> ([u8; 8], Vec<u8>, Vec<u8>) {
    let (public, enc, shared) = match reader.kem {
        Kem::X25519 => {
            let (public, dh) = x25519(reader.secret, point);
            (public.to_vec(), point.to_vec(), dhkem(&dh, &point, &public))
        }
        Kem::XWing => {
            // Any ML-KEM ciphertext decapsulates to some secret.
            let half: [u8; 1088] = Stream::new(b"half").array();
            let enc = [&half[..], &point].concat();
            let (public, shared) = x_wing(&reader.secret, &enc);
            (public, enc, shared)
        }
        Kem::P256 => panic!("P-256 has no such points"),
    };
    let id = key_id(reader.kem, &public);
    let ciphertext = sealed(reader.kem, &shared, &info(&id), content);
    (id, enc, ciphertext)
}

/// The public key, and the secret shared with `point`, zero or not.
fn x25519(secret: [u8; 32], point: [u8; 32]) -> ([u8; 32], [u8; 32]) {
    let secret = x25519_dalek::StaticSecret::from(secret);
    let shared = secret.diffie_hellman(&point.into());
    (x25519_dalek::PublicKey::from(&secret).to_bytes(), shared.to_bytes())
}

/// ExtractAndExpand of DHKEM(X25519, HKDF-SHA256).
fn dhkem(dh: &[u8; 32], enc: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
    let suite = [&b"KEM"[..], &0x0020u16.to_be_bytes()].concat();
    let prk = extract(&suite, &[], b"eae_prk", dh);
    expand(&suite, &prk, b"shared_secret", &[&enc[..], public].concat())
}

/// The public key and the shared secret: what the holder of `seed` gets from `enc` without looking at it.
fn x_wing(seed: &[u8; 32], enc: &[u8]) -> (Vec<u8>, [u8; 32]) {
    use ml_kem::kem::{Decapsulate as _, KeyExport as _};
    let mut expanded = [0; 96];
    let mut shake = shake::Shake256::default();
    shake.update(seed);
    shake.finalize_xof().read(&mut expanded);
    let quantum = ml_kem::DecapsulationKey768::from_seed(expanded[..64].try_into().unwrap());
    let point = enc[1088..].try_into().unwrap();
    let (public, classical) = x25519(expanded[64..].try_into().unwrap(), point);
    let secret = quantum.decapsulate(enc[..1088].try_into().unwrap());
    let mut hash = sha3::Sha3_256::new();
    for part in [&secret[..], &classical, &point, &public, b"\\.//^\\"] {
        sha3::Digest::update(&mut hash, part);
    }
    let quantum_public = quantum.encapsulation_key().to_bytes();
    ([&quantum_public[..], &public].concat(), hash.finalize().into())
}

/// KeySchedule of mode base, and Seal with sequence number 0 and no associated data.
fn sealed(kem: Kem, shared: &[u8; 32], info: &[u8], content: &[u8]) -> Vec<u8> {
    let suite = [&b"HPKE"[..], &kem.id().to_be_bytes(), &[0, 1, 0, 2]].concat();
    let (psk_id, info) =
        (extract(&suite, &[], b"psk_id_hash", &[]), extract(&suite, &[], b"info_hash", info));
    let context = [&[0][..], &psk_id, &info].concat();
    let secret = extract(&suite, shared, b"secret", &[]);
    let key: [u8; 32] = expand(&suite, &secret, b"key", &context);
    let nonce: [u8; 12] = expand(&suite, &secret, b"base_nonce", &context);
    Aes256Gcm::new(&key.into()).encrypt(&nonce.into(), content).unwrap()
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
