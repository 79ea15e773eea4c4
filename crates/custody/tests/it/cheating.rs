//! Dealers who choose their numbers: what they can make of a post-quantum half and of others' shares, and what not.

use bailiwick_custody::{
    Context, Dealing, HybridError, HybridShare, Receipt, RefusedRelease, Release, ReleaseError, Request,
    VerifiedDealing, recover, release,
};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use merlin::Transcript;
use rand::Rng as _;

use super::case::{Case, FILE_KEY, context, rng, secret32};
use super::own_dealer::{self as dealer, Numbers, compressed, draw, point};

/// The d of a case's dealing, as who knows its file key and generator finds it; a quantum computer finds it from D.
pub(super) fn leaked(case: &Case, seed: u8) -> Scalar {
    let mut generator = rng(seed);
    for _ in &case.keys {
        bailiwick_custody::CustodianSecretKey::generate(&mut generator);
    }
    let mut fresh = [0; 32];
    generator.fill_bytes(&mut fresh);
    let mut t = dealer::header(&case.dealt.dealing, &dealer::files(case));
    t.append_message(b"fork", b"bailiwick/v1/custody-nonce");
    t.append_message(b"secret", &FILE_KEY);
    t.append_message(b"fresh", &fresh);
    draw(&mut t, b"nonce");
    let d = draw(&mut t, b"nonce");
    let base = curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
    assert_eq!(&compressed(d * base), case.dealt.dealing.ephemeral(), "it is not the d of this dealing");
    d
}

/// S, and m of degree 1.
pub(super) fn numbers(d: Scalar) -> Numbers<'static> {
    let secret = RistrettoPoint::from_uniform_bytes(&[8; 64]);
    Numbers { d, secret, m: &|i| Scalar::from(5 * i) }
}

pub(super) fn asked(dealing: &VerifiedDealing) -> Request {
    Request::new(dealing, Kem::XWing, &dealer::xwing(&[9; 32]), &mut rng(3)).unwrap()
}

/// Shares of a second secret 11, of degree 1, to the custodians of `case`; the first `off` of them not below the order of the group.
pub(super) fn second(case: &Case, context: &[u8; 32], off: usize) -> Vec<HybridShare> {
    let files = dealer::files(case);
    let share = |i: usize| {
        let mut share = Scalar::from(11 + 7 * i as u64).to_bytes();
        if i <= off {
            // The order of the group added, as a carry-free sum of two numbers below 2^253.
            let order = (-Scalar::ONE).to_bytes();
            let mut carry = 1;
            for (s, o) in share.iter_mut().zip(order) {
                carry += u16::from(*s) + u16::from(o);
                *s = u8::try_from(carry & 0xff).unwrap();
                carry >>= 8;
            }
        }
        share
    };
    (1..=files.len())
        .map(|i| dealer::second_share(context, &files[i - 1], u16::try_from(i).unwrap(), &share(i)))
        .collect()
}

/// Who knows d of a hybrid dealing deals an object of its own under the same D to the same custodians, with the post-quantum half of the
/// other: it verifies, and no custodian opens its share for it (K30a). Its honest twins are released.
#[test]
fn a_post_quantum_half_that_was_copied_is_not_released() {
    let mut victim = Case::with(3, 2, true, 1);
    let d = leaked(&victim, 1);
    victim.shares(&[0, 1, 2]);
    let copy = |context: Context, threshold: u16| -> Dealing {
        let numbers =
            Numbers { m: &|i| if threshold == 1 { Scalar::ZERO } else { Scalar::from(5 * i) }, ..numbers(d) };
        dealer::dealing(&victim, context, threshold, &numbers, &|_| victim.dealt.dealing.hybrid.clone())
    };
    let change = |f: &dyn Fn(&mut Context)| {
        let mut context = context();
        f(&mut context);
        copy(context, 2)
    };
    for (what, copied) in [
        ("owner", change(&|c| c.owner = OwnerKey([9; 32]))),
        ("object", change(&|c| c.object = ObjectId([9; 16]))),
        ("body", change(&|c| c.key_commitment = [9; 32])),
        ("policy", change(&|c| c.policy = None)),
        ("roster", change(&|c| c.roster = RosterDigest([9; 32]))),
        ("generation", change(&|c| c.generation = 8)),
        ("threshold", copy(context(), 1)),
        ("shares", copy(context(), 2)),
    ] {
        assert_eq!(copied.ephemeral(), victim.dealt.dealing.ephemeral());
        let copied = copied.verify().unwrap();
        let request = asked(&copied);
        for key in &victim.keys {
            let found = release(&copied, &request, key, &mut rng(4));
            assert_eq!(found, Err(RefusedRelease::Hybrid(HybridError::Sealed)), "{what}");
            assert_eq!(Receipt::sign(&copied, key), Err(HybridError::Sealed), "{what}");
        }
    }
}

/// The honest twin of the others here: dealt from the specification alone, with its own post-quantum half.
#[test]
fn a_strangers_hybrid_dealing_is_released_and_recovered() {
    let case = Case::new(3, 2);
    let numbers = numbers(Scalar::from(77u64));
    let dealing = dealer::dealing(&case, context(), 2, &numbers, &|c| second(&case, c, 0));
    let wrapped = dealer::wrapped(&dealing, numbers.secret, &Scalar::from(11u64).to_bytes());
    let verified = dealing.verify().unwrap();
    let request = asked(&verified);
    let share = |i: usize| {
        Receipt::sign(&verified, &case.keys[i]).unwrap();
        let made = release(&verified, &request, &case.keys[i], &mut rng(4)).unwrap();
        made.check(&verified, &request, &secret32([9; 32])).unwrap()
    };
    let recovered = recover(&verified, &[share(2), share(0)]).unwrap();
    assert_eq!(recovered.file_key(&verified, &wrapped).unwrap().expose_secret(), &FILE_KEY);
}

/// A share of S2 that is not below the order of the group has its commitment, and no requester could use it: the custodian says so
/// before it signs a receipt, and one whose program does not look is not blamed (K31a).
#[test]
fn a_post_quantum_share_that_is_not_reduced_is_the_dealers_fault() {
    let case = Case::new(3, 2);
    let dealing =
        dealer::dealing(&case, context(), 2, &numbers(Scalar::from(77u64)), &|c| second(&case, c, 1));
    let verified = dealing.verify().unwrap();
    let request = asked(&verified);
    assert_eq!(Receipt::sign(&verified, &case.keys[0]), Err(HybridError::TooLarge));
    let found = release(&verified, &request, &case.keys[0], &mut rng(4));
    assert_eq!(found, Err(RefusedRelease::Hybrid(HybridError::TooLarge)));
    Receipt::sign(&verified, &case.keys[1]).unwrap();
    release(&verified, &request, &case.keys[1], &mut rng(4)).unwrap();
    let found = unlooked(&case, &verified, &request).check(&verified, &request, &secret32([9; 32]));
    assert_eq!(found.unwrap_err(), ReleaseError::DealtSecondShare { custodian: "Notary 0".into() });
}

/// A dealer seals another share of S2 than it committed to: who got it neither signs a receipt nor releases; the others do both.
#[test]
fn a_post_quantum_share_that_was_not_committed_to_is_the_dealers_fault() {
    let case = Case::new(3, 2);
    let dealing = dealer::dealing(&case, context(), 2, &numbers(Scalar::from(77u64)), &|c| {
        let mut shares = second(&case, c, 0);
        shares[0].commitment[0] ^= 1;
        shares
    });
    let verified = dealing.verify().unwrap();
    let request = asked(&verified);
    assert_eq!(Receipt::sign(&verified, &case.keys[0]), Err(HybridError::Commitment));
    let found = release(&verified, &request, &case.keys[0], &mut rng(4));
    assert_eq!(found, Err(RefusedRelease::Hybrid(HybridError::Commitment)));
    Receipt::sign(&verified, &case.keys[1]).unwrap();
    release(&verified, &request, &case.keys[1], &mut rng(4)).unwrap();
}

/// What the first custodian would send if its program did not look at its share of S2.
pub(super) fn unlooked(case: &Case, verified: &VerifiedDealing, request: &Request) -> Release {
    let d = verified.dealing();
    let mut wide = [0; 64];
    hkdf::Hkdf::<sha2::Sha512>::new(None, case.keys[0].secret().expose_secret())
        .expand(b"bailiwick/v1/custody-key\x01", &mut wide)
        .unwrap();
    let x = Scalar::from_bytes_mod_order_wide(&wide);
    let ephemeral = point(d.ephemeral());
    let share = compressed(point(d.encrypted_shares().next().unwrap()) - x * ephemeral);
    let mut t = Transcript::new(b"bailiwick/v1/custody-release-proof");
    t.append_message(b"dealing", &request.dealing.0);
    t.append_u64(b"requester-kem", 0x647a);
    t.append_message(b"requester-key", &request.key);
    t.append_message(b"nonce", &request.nonce);
    t.append_u64(b"point", 1);
    t.append_message(b"share", &share);
    let base = curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
    let proof = dealer::equal_logarithms(t, &x, [base, x * base, ephemeral, x * ephemeral]);
    // 18 and the order of the group.
    let mut second = (-Scalar::ONE).to_bytes();
    second[0] += 19;
    dealer::seal_release(request, 1, &[&share[..], &proof, &second].concat())
}

/// A dealer who knows the logarithm of S makes the points of t - 1 custodians roots of its polynomial: their share is the identity. It is
/// their share all the same, is proved like any other, and any t recover (K35).
#[test]
fn shares_that_are_the_identity_are_released_and_recover() {
    let mut case = Case::new(5, 4);
    let base = curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
    let s = Scalar::from(987_654_321u64);
    // S + m(X)·G = s·(1 - X)(1 - X/2)(1 - X/3)·G.
    let m = |x: u64| {
        let at = |root: u64| Scalar::ONE - Scalar::from(x) * Scalar::from(root).invert();
        s * at(1) * at(2) * at(3) - s
    };
    let numbers = Numbers { d: Scalar::from(77u64), secret: s * base, m: &m };
    let dealing = dealer::dealing(&case, context(), 4, &numbers, &|_| Vec::new());
    let shared: Vec<_> = dealing
        .encrypted_shares()
        .zip(dealer::files(&case))
        .map(|(c, f)| point(c) - numbers.d * point(&f[..32]))
        .collect();
    assert_eq!(shared.iter().filter(|a| **a == RistrettoPoint::identity()).count(), 3);
    let wrapped = dealer::wrapped(&dealing, numbers.secret, &[]);
    case.dealt.dealing = dealing;
    let verified = case.verified();
    for set in [[0, 1, 2, 3], [4, 2, 1, 0], [1, 2, 3, 4]] {
        let recovered = recover(&verified, &case.shares(&set)).unwrap();
        assert_eq!(recovered.file_key(&verified, &wrapped).unwrap().expose_secret(), &FILE_KEY, "{set:?}");
    }
}
