//! Releases that are refused, each by the name of its custodian.

use bailiwick_custody::{CustodianSecretKey, RefusedRelease, Release, ReleaseError, Request, release};
use bailiwick_protocol::codec::{Canonical as _, CodecError};

use super::case::{Case, rng, secret32};
use super::own_dealer::{open_release, seal_release};

const NAME: &str = "Notary 2";

fn name() -> String {
    NAME.into()
}

#[test]
fn an_honest_release_is_accepted() {
    let mut case = Case::new(5, 3);
    assert_eq!(case.shares(&[2])[0].custodian(), 2);
}

#[test]
fn a_key_of_no_custodian_releases_nothing() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let stranger = CustodianSecretKey::generate(&mut rng(50));
    assert_eq!(release(&verified, &request, &stranger, &mut rng(0)), Err(RefusedRelease::NotCustodian));
}

/// A stranger who is custodian of a dealing of its own relabels its release.
#[test]
fn a_release_by_a_non_custodian_is_refused() {
    let mut case = Case::new(5, 3);
    let mut other = Case::with(5, 3, false, 60);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&other.verified(), &other.request(), &other.keys[2], &mut rng(0)).unwrap();
    let relabelled = Release { dealing: request.dealing, nonce: request.nonce, ..made };
    let found = relabelled.check(&verified, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian: name() });
}

#[test]
fn a_release_for_another_dealing_is_refused() {
    let mut case = Case::new(5, 3);
    let other = Case::with(5, 3, false, 61);
    let (verified, request) = (case.verified(), case.request());
    let mut theirs = request.clone();
    theirs.dealing = other.verified().digest();
    let made = release(&other.verified(), &theirs, &other.keys[2], &mut rng(0)).unwrap();
    let found = made.check(&verified, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherDealing);
    let refused = release(&verified, &theirs, &case.keys[2], &mut rng(0));
    assert_eq!(refused, Err(RefusedRelease::OtherDealing));
    // A point that this dealing does not have is one of the other's, and says nothing of this one's custodians.
    let mut smaller = Case::new(3, 2);
    let (smaller_verified, asked) = (smaller.verified(), smaller.request());
    let fifth = release(&other.verified(), &theirs, &other.keys[4], &mut rng(0)).unwrap();
    let found = fifth.check(&smaller_verified, &asked, &smaller.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherDealing);
}

#[test]
fn a_release_for_another_request_is_refused() {
    let mut case = Case::new(5, 3);
    let (verified, first, second) = (case.verified(), case.request(), case.request());
    let made = release(&verified, &first, &case.keys[2], &mut rng(0)).unwrap();
    let found = made.check(&verified, &second, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherRequest { custodian: name() });
    // Relabelled for the second request it does not open: the nonce is in the context of the encryption.
    let relabelled = Release { nonce: second.nonce, ..made };
    let found = relabelled.check(&verified, &second, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian: name() });
}

#[test]
fn a_release_for_another_requester_does_not_open() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[2], &mut rng(0)).unwrap();
    let found = made.check(&verified, &request, &secret32([10; 32])).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian: name() });
}

/// One custodian's release under another's number.
#[test]
fn a_release_under_another_custodians_number_is_refused() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[1], &mut rng(0)).unwrap();
    let found = Release { point: 3, ..made }.check(&verified, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian: name() });
}

#[test]
fn a_release_from_a_point_nobody_has_is_refused() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[1], &mut rng(0)).unwrap();
    for point in [0, 6, u16::MAX] {
        let found =
            Release { point, ..made.clone() }.check(&verified, &request, &case.requester).unwrap_err();
        assert_eq!(found, ReleaseError::NotCustodian { point, custodians: 5 });
    }
}

#[test]
fn altered_bytes_are_refused() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let bytes = release(&verified, &request, &case.keys[2], &mut rng(0)).unwrap().to_bytes();
    for at in [bytes.len() - 1, bytes.len() - 60, bytes.len() - 120] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let found = Release::from_bytes(&other).unwrap().check(&verified, &request, &case.requester);
        assert_eq!(found.unwrap_err(), ReleaseError::Sealed { custodian: name() });
    }
    assert!(matches!(
        Release::from_bytes(&[&bytes[..], &[0]].concat()),
        Err(CodecError::Trailing { left: 1 })
    ));
}

/// What a custodian logs tells releases apart and says nothing of the share.
#[test]
fn releases_have_different_digests() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let mut rng = rng(3);
    let a = release(&verified, &request, &case.keys[2], &mut rng).unwrap();
    let b = release(&verified, &request, &case.keys[2], &mut rng).unwrap();
    assert_ne!(a.digest(), b.digest());
}

/// What anyone can seal in the name of the third custodian.
pub(super) fn sealed(request: &Request, plain: &[u8]) -> Release {
    seal_release(request, 3, plain)
}

/// What custodian `i` would send, in the clear.
pub(super) fn opened(case: &mut Case, i: usize, request: &Request) -> Vec<u8> {
    let made = release(&case.verified(), request, &case.keys[i], &mut rng(1)).unwrap();
    open_release(request, case.requester.expose_secret(), &made)
}

/// Anyone can seal to the requester, so what a release is worth is its proof. Its honest twin is accepted.
#[test]
fn a_release_with_a_wrong_proof_is_refused() {
    let mut case = Case::new(5, 3);
    let (verified, request, earlier) = (case.verified(), case.request(), case.request());
    let honest = opened(&mut case, 2, &request);
    assert!(sealed(&request, &honest).check(&verified, &request, &case.requester).is_ok());
    let others = opened(&mut case, 1, &request);
    let old = opened(&mut case, 2, &earlier);
    let join = |share: &[u8], proof: &[u8]| [&share[..32], &proof[32..96]].concat();
    let bit = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (what, plain) in [
        ("challenge", bit(32)),
        ("answer", bit(64)),
        ("another custodian's release", others.clone()),
        ("another custodian's share", join(&others, &honest)),
        ("another custodian's proof", join(&honest, &others)),
        ("the proof of an earlier request", join(&honest, &old)),
    ] {
        let found = sealed(&request, &plain).check(&verified, &request, &case.requester).unwrap_err();
        assert_eq!(found, ReleaseError::Proof { custodian: name() }, "{what}");
    }
}

/// The proof is bound to the requester's key: released to one, it convinces no other.
#[test]
fn a_proof_for_another_requester_is_refused() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let honest = opened(&mut case, 2, &request);
    let other = secret32([10; 32]);
    let mut theirs = request.clone();
    theirs.key = super::case::x25519(&other).to_vec();
    let found = sealed(&theirs, &honest).check(&verified, &theirs, &other).unwrap_err();
    assert_eq!(found, ReleaseError::Proof { custodian: name() });
}

/// Points that may not be a share: not canonical; and lengths that are none. The identity is one, but not this custodian's.
#[test]
fn shares_are_decoded_strictly() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let honest = opened(&mut case, 2, &request);
    let with = |share: [u8; 32]| [&share[..], &honest[32..]].concat();
    let mut negative = [0; 32];
    negative[0] = 1;
    for plain in [with([0xff; 32]), with(negative), honest[..95].to_vec(), [&honest[..], &[0; 32]].concat()] {
        let found = sealed(&request, &plain).check(&verified, &request, &case.requester).unwrap_err();
        assert_eq!(found, ReleaseError::Share { custodian: name() });
    }
    let identity = sealed(&request, &with([0; 32]));
    let found = identity.check(&verified, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Proof { custodian: name() });
}

/// The first share of a hybrid dealing alone, proved, is half of what was asked for.
#[test]
fn a_release_that_leaves_its_second_share_out_is_refused() {
    let mut case = Case::with(5, 3, true, 1);
    let (verified, request) = (case.verified(), case.request());
    let honest = opened(&mut case, 2, &request);
    let checked = |plain| sealed(&request, plain).check(&verified, &request, &case.requester);
    checked(&honest).unwrap();
    assert_eq!(checked(&honest[..96]).unwrap_err(), ReleaseError::Share { custodian: name() });
}

/// Every mechanism of recipients takes releases; what was sealed under one does not open under another's name.
#[test]
fn requesters_of_every_mechanism_are_answered() {
    use bailiwick_protocol::envelope::Kem;
    use hpke::{Kem as _, Serializable as _};

    let mut case = Case::new(3, 2);
    let verified = case.verified();
    let mut one = |kem: Kem, secret: &[u8], public: &[u8], enc: usize| {
        let request = Request::new(&verified, kem, public, &mut case.rng).unwrap();
        let made = release(&verified, &request, &case.keys[1], &mut case.rng).unwrap();
        assert_eq!(made.enc.len(), enc);
        let read = Release::from_bytes(&made.to_bytes()).unwrap();
        let secret = secret32(secret.try_into().unwrap());
        assert_eq!(read.check(&verified, &request, &secret).unwrap().custodian(), 1);
        let other = secret32([0x42; 32]);
        assert!(matches!(read.check(&verified, &request, &other), Err(ReleaseError::Sealed { .. })));
    };
    let (secret, public) = hpke::kem::DhP256HkdfSha256::derive_keypair(&[7; 32]);
    one(Kem::P256, &secret.to_bytes(), &public.to_bytes(), 65);
    let (secret, public) = hpke::kem::X25519HkdfSha256::derive_keypair(&[7; 32]);
    one(Kem::X25519, &secret.to_bytes(), &public.to_bytes(), 32);
    let (secret, public) = hpke::kem::XWing::derive_keypair(&[7; 32]);
    one(Kem::XWing, &secret.to_bytes(), &public.to_bytes(), 1120);
}
