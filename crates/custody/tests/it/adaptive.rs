//! Dealers who choose the statement after the challenge: each forgery would hold if one item were not absorbed.

use bailiwick_custody::{CUSTODIAN_PUBLIC_KEY_BYTES, CustodianPublicKey, DealingError, KeyError};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;

use super::case::{Case, exchange, reread};

pub(super) fn draw(t: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut wide = [0; 64];
    t.challenge_bytes(label, &mut wide);
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

pub(super) fn compressed(point: RistrettoPoint) -> [u8; 32] {
    point.compress().0
}

/// A key file of these parts, with the X-Wing and receipt keys of an honest one.
pub(super) fn key_file(honest: &[u8], e: RistrettoPoint, r: RistrettoPoint, z: Scalar) -> Vec<u8> {
    let file = [&compressed(e)[..], &honest[32..64], &compressed(r), z.as_bytes(), &honest[128..]].concat();
    assert_eq!(file.len(), CUSTODIAN_PUBLIC_KEY_BYTES);
    file
}

pub(super) fn possession(honest: &[u8], e: Option<RistrettoPoint>, r: Option<RistrettoPoint>) -> Scalar {
    let kem = bailiwick_protocol::labels::Label::CustodyKemKey.hash(&honest[128..]);
    let mut t = Transcript::new(b"bailiwick/v1/custody-possession");
    e.inspect(|e| t.append_message(b"key", &compressed(*e)));
    t.append_message(b"receipt-key", &honest[32..64]);
    t.append_message(b"kem-key", &kem);
    r.inspect(|r| t.append_message(b"r", &compressed(*r)));
    draw(&mut t, b"c")
}

/// R chosen after the challenge: a proof for any key, whoever knows its secret.
#[test]
fn the_commitment_of_a_possession_proof_is_absorbed() {
    let honest = Case::new(3, 2).custodians[0].key.to_bytes();
    let e = RistrettoPoint::from_uniform_bytes(&[5; 64]);
    let z = Scalar::from(7u64);
    let c = possession(&honest, Some(e), None);
    let forged = key_file(&honest, e, z * G - c * e, z);
    assert_eq!(CustodianPublicKey::from_bytes(&forged), Err(KeyError::Possession));
}

/// E chosen after the challenge: a key nobody knows the secret of.
#[test]
fn the_key_of_a_possession_proof_is_absorbed() {
    let honest = Case::new(3, 2).custodians[0].key.to_bytes();
    let r = RistrettoPoint::from_uniform_bytes(&[6; 64]);
    let z = Scalar::from(7u64);
    let c = possession(&honest, None, Some(r));
    let forged = key_file(&honest, c.invert() * (z * G - r), r, z);
    assert_eq!(CustodianPublicKey::from_bytes(&forged), Err(KeyError::Possession));
}

/// T of a dealing to these key files, without the shares if there are none.
pub(super) fn transcript_of(
    case: &Case,
    files: &[Vec<u8>],
    d: &Scalar,
    shares: &[RistrettoPoint],
) -> Transcript {
    let dealing = &case.dealt.dealing;
    let c = &dealing.context;
    let mut t = Transcript::new(b"bailiwick/v1/custody-transcript");
    t.append_message(b"owner", c.owner.as_bytes());
    t.append_message(b"object", c.object.as_bytes());
    t.append_message(b"key-commitment", &c.key_commitment);
    t.append_message(b"policy", &c.policy.unwrap());
    t.append_message(b"roster", c.roster.as_bytes());
    t.append_u64(b"generation", c.generation);
    t.append_u64(b"threshold", 3);
    t.append_u64(b"custodians", 5);
    for (file, custodian) in files.iter().zip(&dealing.custodians) {
        t.append_message(b"name", custodian.name.as_bytes());
        t.append_message(b"key", &file[..32]);
        t.append_message(b"receipt-key", &file[32..64]);
        t.append_message(b"kem-key", &bailiwick_protocol::labels::Label::CustodyKemKey.hash(&file[128..]));
        t.append_message(b"possession", &file[64..128]);
        t.append_u64(b"attributes", custodian.attributes.len() as u64);
        for attribute in &custodian.attributes {
            t.append_message(b"attribute", attribute.as_bytes());
        }
    }
    t.append_message(b"ephemeral", &compressed(d * G));
    for share in shares {
        t.append_message(b"share", &compressed(*share));
    }
    t.append_u64(b"hybrid", dealing.hybrid.len() as u64);
    for share in &dealing.hybrid {
        t.append_message(b"hybrid-commitment", &share.commitment);
        t.append_message(b"hybrid-enc", &share.enc);
        t.append_message(b"hybrid-ciphertext", &share.ciphertext);
    }
    t
}

/// A word of the dual code of 3 of 5, drawn from T.
pub(super) fn word(t: &mut Transcript) -> Vec<Scalar> {
    let (c0, c1) = (draw(t, b"coefficient"), draw(t, b"coefficient"));
    let s = |i: usize| Scalar::from(i as u64);
    (1..=5)
        .map(|i| {
            let below: Scalar = (1..=5).filter(|j| *j != i).map(|j| s(i) - s(j)).product();
            below.invert() * (c0 + c1 * s(i))
        })
        .collect()
}

/// The forger's proof that V = d·U, made in `t`, and its dealing in the bytes of `case`.
pub(super) fn forged(
    case: &Case,
    mut t: Transcript,
    d: &Scalar,
    shares: &[RistrettoPoint],
    [u, v]: [RistrettoPoint; 2],
) -> Vec<u8> {
    let dealing = &case.dealt.dealing;
    let r = Scalar::from(42u64);
    for (label, p) in [(b"g1", G), (b"y1", d * G), (b"g2", u), (b"y2", v), (b"r1", r * G), (b"r2", r * u)] {
        t.append_message(label, &compressed(p));
    }
    let challenge = draw(&mut t, b"c");
    let proof = [challenge.to_bytes(), (r + challenge * d).to_bytes()].concat();
    let mut bytes = exchange(&case.bytes(), dealing.ephemeral(), &compressed(d * G));
    for (old, new) in dealing.encrypted_shares().zip(shares) {
        bytes = exchange(&bytes, old, &compressed(*new));
    }
    exchange(&bytes, dealing.proof(), &proof)
}

pub(super) fn sum(weights: &[Scalar], points: &[RistrettoPoint]) -> RistrettoPoint {
    weights.iter().zip(points).map(|(w, p)| w * p).sum()
}

pub(super) fn files_of(case: &Case) -> (Vec<Vec<u8>>, Vec<RistrettoPoint>) {
    let files: Vec<_> = case.custodians.iter().map(|c| c.key.to_bytes()).collect();
    let keys = files.iter().map(|f| point(&f[..32])).collect();
    (files, keys)
}

/// Shares chosen after the word of the code: two custodians get wrong ones, and the sum does not tell.
///
/// The proof is the forger's own, over the transcript without the shares; the honest twin with all of them stands in `stranger`.
#[test]
fn the_shares_are_absorbed_before_the_word_is_drawn() {
    let case = Case::new(5, 3);
    let d = Scalar::from(123_456_789u64);
    let (files, keys) = files_of(&case);
    let mut t = transcript_of(&case, &files, &d, &[]);
    let w = word(&mut t);
    // All share the same S (a polynomial of degree 0), but the first two are off by amounts that cancel.
    let secret = RistrettoPoint::from_uniform_bytes(&[8; 64]);
    let mut shares: Vec<_> = keys.iter().map(|e| secret + d * e).collect();
    shares[0] += w[0].invert() * G;
    shares[1] -= w[1].invert() * G;
    let (u, v) = (sum(&w, &keys), sum(&w, &shares));
    assert_eq!(v, d * u, "the sum does not tell");
    let bytes = forged(&case, t, &d, &shares, [u, v]);
    assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
}

/// A dealer whose sharing is right to a custodian who showed no secret key: one sum stands for both checks, and must tell.
///
/// The wrong proof is off by `shift`·G, which every verifier weighs; the forger proves what holds without that term, or the sums with it.
#[test]
fn a_key_nobody_has_shown_to_possess_is_refused_in_a_dealing_that_is_right() {
    let case = Case::new(5, 3);
    let d = Scalar::from(123_456_789u64);
    let secret = RistrettoPoint::from_uniform_bytes(&[8; 64]);
    let dealt = |shift: Scalar, with_term: bool| {
        let (mut files, keys) = files_of(&case);
        let honest = files[0].clone();
        let z = Scalar::from_canonical_bytes(honest[96..128].try_into().unwrap()).unwrap() + shift;
        files[0][96..128].copy_from_slice(z.as_bytes());
        // m = 5X + 7X^2.
        let m = |x: u64| Scalar::from(5 * x + 7 * x * x);
        let shares: Vec<_> = keys.iter().zip(1..).map(|(e, i)| secret + m(i) * G + d * e).collect();
        let mut t = transcript_of(&case, &files, &d, &shares);
        let w = word(&mut t);
        let (mut u, v) = (sum(&w, &keys), sum(&w, &shares));
        assert_eq!(v, d * u);
        if with_term {
            u -= weight_of_the_first(&files) * shift * G;
        }
        let bytes = forged(&case, t, &d, &shares, [u, v]);
        reread(&exchange(&bytes, &honest[64..128], &files[0][64..128])).verify()
    };
    dealt(Scalar::ZERO, false).unwrap();
    let expected = DealingError::Possession { custodian: "Notary 0".into() };
    assert_eq!(dealt(Scalar::ONE, false).unwrap_err(), expected);
    assert_eq!(dealt(Scalar::ONE, true).unwrap_err(), expected);
}

/// The weight of the first proof of a batch.
fn weight_of_the_first(files: &[Vec<u8>]) -> Scalar {
    let mut hasher = blake3::Hasher::new_derive_key("bailiwick/v1/custody-batch");
    for file in files {
        let kem = bailiwick_protocol::labels::Label::CustodyKemKey.hash(&file[128..]);
        hasher.update(&[&file[..64], &kem, &file[64..128]].concat());
    }
    let mut wide = [0; 16];
    hasher.finalize_xof().fill(&mut wide);
    Scalar::from(u128::from_le_bytes(wide))
}
