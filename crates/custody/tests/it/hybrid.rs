//! The post-quantum half.

use bailiwick_custody::{
    ClassicalRequester, HybridError, Receipt, ReceiptError, RefusedRelease, ReleaseError, Request,
    RequestError, release,
};
use bailiwick_protocol::envelope::Kem;
use hpke::{Kem as _, Serializable as _};

use super::case::{Case, FILE_KEY, rng, x25519};

#[test]
fn any_t_recover_in_hybrid_mode() {
    let mut case = Case::with(5, 3, true, 1);
    let verified = case.verified();
    for set in [[0, 1, 2], [4, 2, 0]] {
        let shares = case.shares(&set);
        let recovered = bailiwick_custody::recover(&verified, &shares).unwrap();
        assert_eq!(recovered.file_key(&verified, &case.dealt.wrapped).unwrap().expose_secret(), &FILE_KEY);
    }
}

/// S alone, which a quantum computer finds, does not open a hybrid dealing.
#[test]
fn the_classical_half_alone_opens_nothing() {
    let case = Case::with(3, 2, true, 1);
    let mut classical = case.dealt.dealing.clone();
    classical.hybrid.clear();
    // Whatever dealing is claimed, the wrapped key's context names the hybrid one.
    assert_ne!(classical.digest(), case.dealt.dealing.digest());
    let found = case.verified().open_as_recipient(&case.dealt.recipient_content, &case.dealt.wrapped);
    assert!(found.is_err());
}

#[test]
fn receipts_are_signed_for_one_dealing_by_one_custodian() {
    let case = Case::with(3, 2, true, 1);
    let other = Case::with(3, 2, true, 2);
    let verified = case.verified();
    let receipt = Receipt::sign(&verified, &case.keys[1]).unwrap();
    assert_eq!(receipt.verify(&verified), Ok(1));
    assert_eq!(receipt.verify(&other.verified()), Err(ReceiptError::OtherDealing));
    let moved = Receipt { point: 1, ..receipt.clone() };
    assert_eq!(moved.verify(&verified), Err(ReceiptError::Signature { custodian: "Notary 0".into() }));
    for point in [0, 4] {
        let moved = Receipt { point, ..receipt.clone() };
        assert_eq!(moved.verify(&verified), Err(ReceiptError::NotCustodian));
    }
    assert_eq!(Receipt::sign(&verified, &other.keys[0]), Err(HybridError::NotCustodian));
    let classical = Case::new(3, 2);
    assert_eq!(Receipt::sign(&classical.verified(), &classical.keys[0]), Err(HybridError::Classical));
}

/// A dealer who seals rubbish or breaks its own commitment gets no receipt: made with the library's own dealing, then
/// presented to a custodian whose position was exchanged.
#[test]
fn a_share_that_is_not_the_custodians_gets_no_receipt() {
    use bailiwick_custody::{DealOptions, deal};
    let case = Case::with(3, 2, true, 1);
    // The dealer used another X-Wing key for the same name: the custodian's own secret opens nothing.
    let mut swapped = case.custodians.clone();
    swapped.swap(0, 1);
    let options =
        DealOptions { context: super::case::context(), threshold: 2, custodians: &swapped, hybrid: true };
    let dealt = deal(&options, &super::case::secret32(FILE_KEY), None, &mut rng(9)).unwrap();
    let mut dealing = dealt.dealing.clone();
    dealing.hybrid.swap(0, 1);
    assert!(dealing.verify().is_err(), "the public proof already covers the order");
    let honest = dealt.dealing.verify().unwrap();
    assert_eq!(Receipt::sign(&honest, &case.keys[0]).unwrap().point, 2);
}

/// A key that a quantum computer opens is not asked for, nor answered, with shares of a hybrid dealing (K18a). Its twin is an X-Wing key.
#[test]
fn requesters_of_hybrid_shares_have_x_wing_keys() {
    let mut case = Case::with(3, 2, true, 1);
    let verified = case.verified();
    let good = case.request();
    release(&verified, &good, &case.keys[0], &mut rng(0)).unwrap();
    let classical = Case::new(3, 2).verified();
    let (_, p256) = hpke::kem::DhP256HkdfSha256::derive_keypair(&[7; 32]);
    for (kem, key) in [(Kem::X25519, x25519(&case.requester).to_vec()), (Kem::P256, p256.to_bytes().to_vec())]
    {
        let found = Request::new(&verified, kem, &key, &mut rng(3));
        assert_eq!(found, Err(RequestError::Classical(ClassicalRequester(kem))));
        // Asked in spite of that, by another program.
        let forced = Request { kem, key: key.clone(), ..good.clone() };
        let found = release(&verified, &forced, &case.keys[0], &mut rng(0));
        assert_eq!(found, Err(RefusedRelease::Classical(ClassicalRequester(kem))));
        Request::new(&classical, kem, &key, &mut rng(3)).unwrap();
    }
}

/// A classical release cannot stand for a hybrid one: the lengths differ, and the digest.
#[test]
fn a_release_without_its_second_share_is_refused() {
    let mut hybrid = Case::with(3, 2, true, 1);
    let mut classical = Case::with(3, 2, false, 1);
    let (verified, request) = (hybrid.verified(), hybrid.request());
    let mut made =
        release(&classical.verified(), &classical.request(), &classical.keys[0], &mut rng(0)).unwrap();
    made.dealing = verified.digest();
    made.nonce = request.nonce;
    let found = made.check(&verified, &request, &hybrid.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian: "Notary 0".into() });
    let refused: Result<_, RefusedRelease> = release(&verified, &request, &classical.keys[0], &mut rng(0));
    refused.unwrap();
}
