//! Dealers, custodians and makers of keys who do everything right but one thing.

use bailiwick_custody::{
    CustodianPublicKey, DealingError, KeyError, RecoverError, ReleaseError, Request, VerifiedDealing,
    recover, release,
};
use bailiwick_protocol::envelope::Kem;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;

use super::adaptive::{draw, files_of, forged, key_file, possession, sum, transcript_of, word};
use super::case::{Case, exchange, reread, rng, x25519};
use super::release::{opened, sealed};

fn d() -> Scalar {
    Scalar::from(123_456_789u64)
}

/// A dealing of `secret` with m = 5X + 7X^2 + `cubic`·X^3, its word of the code drawn as the verifier does, or from one coefficient only.
fn dealt(
    case: &Case,
    secret: RistrettoPoint,
    cubic: u64,
    one_coefficient: bool,
) -> Result<VerifiedDealing, DealingError> {
    let (files, keys) = files_of(case);
    let m = |x: u64| Scalar::from(5 * x + 7 * x * x + cubic * x * x * x);
    let shares: Vec<_> = keys.iter().zip(1..).map(|(e, i)| secret + m(i) * G + d() * e).collect();
    let mut t = transcript_of(case, &files, &d(), &shares);
    let w = if one_coefficient { constant_word(draw(&mut t, b"coefficient")) } else { word(&mut t) };
    let (u, v) = (sum(&w, &keys), sum(&w, &shares));
    reread(&forged(case, t, &d(), &shares, [u, v])).verify()
}

/// A word of the dual of the code of 4 of 5: what a test that allows too high a degree would draw.
fn constant_word(c: Scalar) -> Vec<Scalar> {
    let s = |i: usize| Scalar::from(i as u64);
    (1..=5)
        .map(|i| (1..=5).filter(|j| *j != i).map(|j| s(i) - s(j)).product::<Scalar>().invert() * c)
        .collect()
}

/// Shares of a polynomial of degree t: every t custodians recover something else.
#[test]
fn shares_on_a_polynomial_of_too_high_a_degree_are_refused() {
    let case = Case::new(5, 3);
    let secret = RistrettoPoint::from_uniform_bytes(&[8; 64]);
    dealt(&case, secret, 0, false).unwrap();
    assert_eq!(dealt(&case, secret, 1, false).unwrap_err(), DealingError::Proof);
    assert_eq!(dealt(&case, secret, 1, true).unwrap_err(), DealingError::Proof);
}

/// The identity as secret: public, and what is wrapped under it opens for everyone.
#[test]
fn a_dealt_identity_is_not_recovered() {
    let mut case = Case::new(5, 3);
    let mut shared = |secret| {
        let verified = dealt(&case, secret, 0, false).unwrap();
        let key = x25519(&case.requester);
        let request = Request::new(&verified, Kem::X25519, &key, &mut rng(2)).unwrap();
        let shares: Vec<_> = (0..3)
            .map(|i| {
                let made = release(&verified, &request, &case.keys[i], &mut case.rng).unwrap();
                made.check(&verified, &request, &case.requester).unwrap()
            })
            .collect();
        recover(&verified, &shares).map(drop)
    };
    assert_eq!(shared(RistrettoPoint::from_uniform_bytes(&[8; 64])), Ok(()));
    assert_eq!(shared(RistrettoPoint::identity()), Err(RecoverError::Identity));
}

/// The weights of the batch, if they were drawn from less: of the keys without their proofs, of nothing, or not at all.
fn weak_weights(files: &[Vec<u8>]) -> [[Scalar; 2]; 3] {
    let drawn = |hasher: &blake3::Hasher| {
        let mut xof = hasher.finalize_xof();
        [(); 2].map(|()| {
            let mut wide = [0; 16];
            xof.fill(&mut wide);
            Scalar::from(u128::from_le_bytes(wide))
        })
    };
    let empty = blake3::Hasher::new_derive_key("bailiwick/v1/custody-batch");
    let mut keys = empty.clone();
    for file in files {
        let kem = bailiwick_protocol::labels::Label::CustodyKemKey.hash(&file[128..]);
        keys.update(&[&file[..64], &kem].concat());
    }
    [drawn(&keys), drawn(&empty), [Scalar::ONE; 2]]
}

/// A dealing that is right but for two wrong proofs of possession, whose errors cancel under weights known before them.
#[test]
fn wrong_proofs_of_possession_do_not_cancel_in_a_dealing_made_for_them() {
    let case = Case::new(5, 3);
    let secret = RistrettoPoint::from_uniform_bytes(&[8; 64]);
    let with = |shifts: [Scalar; 2]| {
        let (mut files, keys) = files_of(&case);
        let honest = files.clone();
        for (file, shift) in files.iter_mut().zip(shifts) {
            let z = Scalar::from_canonical_bytes(file[96..128].try_into().unwrap()).unwrap() + shift;
            file[96..128].copy_from_slice(z.as_bytes());
        }
        let m = |x: u64| Scalar::from(5 * x + 7 * x * x);
        let shares: Vec<_> = keys.iter().zip(1..).map(|(e, i)| secret + m(i) * G + d() * e).collect();
        let mut t = transcript_of(&case, &files, &d(), &shares);
        let w = word(&mut t);
        let (u, v) = (sum(&w, &keys), sum(&w, &shares));
        let mut bytes = forged(&case, t, &d(), &shares, [u, v]);
        for (old, new) in honest.iter().zip(&files).take(2) {
            bytes = exchange(&bytes, &old[64..128], &new[64..128]);
        }
        reread(&bytes).verify()
    };
    with([Scalar::ZERO; 2]).unwrap();
    let expected = DealingError::Possession { custodian: "Notary 0".into() };
    for [a, b] in weak_weights(&files_of(&case).0) {
        assert_eq!(with([a.invert(), -b.invert()]).unwrap_err(), expected);
    }
}

/// A maker of a key proves possession over an X-Wing key whose classical half is of small order.
#[test]
fn a_key_whose_maker_chose_a_weak_half_is_refused() {
    let honest = Case::new(3, 2).custodians[0].key.to_bytes();
    let made = |file: &[u8]| {
        let (x, k) = (Scalar::from(77u64), Scalar::from(42u64));
        let c = possession(file, Some(x * G), Some(k * G));
        CustodianPublicKey::from_bytes(&key_file(file, x * G, k * G, k + c * x))
    };
    made(&honest).unwrap();
    let mut low = honest;
    let half = low.len() - 32;
    low[half..].fill(0);
    assert!(matches!(made(&low), Err(KeyError::Sealing(_))));
}

/// A maker of a key proves possession with zero for a nonce: R is the identity, and z gives the secret away.
#[test]
fn a_key_whose_maker_drew_no_nonce_is_refused() {
    let honest = Case::new(3, 2).custodians[0].key.to_bytes();
    let made = |k: Scalar| {
        let x = Scalar::from(77u64);
        let c = possession(&honest, Some(x * G), Some(k * G));
        CustodianPublicKey::from_bytes(&key_file(&honest, x * G, k * G, k + c * x))
    };
    made(Scalar::from(42u64)).unwrap();
    assert_eq!(made(Scalar::ZERO), Err(KeyError::Possession));
}

/// A custodian whose share is right gives another post-quantum share than it was dealt.
#[test]
fn another_post_quantum_share_than_was_dealt_is_refused() {
    let mut case = Case::with(5, 3, true, 1);
    let (verified, request) = (case.verified(), case.request());
    let honest = opened(&mut case, 2, &request);
    sealed(&request, &honest).check(&verified, &request, &case.requester).unwrap();
    let others = opened(&mut case, 1, &request);
    let mut flipped = honest.clone();
    flipped[96] ^= 1;
    for plain in [flipped, [&honest[..96], &others[96..]].concat()] {
        let found = sealed(&request, &plain).check(&verified, &request, &case.requester).unwrap_err();
        assert_eq!(found, ReleaseError::SecondShare { custodian: "Notary 2".into() });
    }
}
