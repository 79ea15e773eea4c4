//! Resharing: the same secret or a fresh one to a new set; old and new shares never fit together.

use bailiwick_custody::{
    Context, CustodianSecretKey, DealOptions, Dealt, RecoverError, ReleaseError, deal, release,
};

use super::case::{Case, FILE_KEY, context, custodian, rng, secret32};

fn reshared(case: &Case, seed: u8) -> (Vec<CustodianSecretKey>, Dealt) {
    let mut rng = rng(seed);
    let keys: Vec<_> = (0..4).map(|_| CustodianSecretKey::generate(&mut rng)).collect();
    let custodians: Vec<_> = keys.iter().enumerate().map(|(i, k)| custodian(i, k)).collect();
    let context = Context { generation: 8, ..context() };
    let options = DealOptions { context, threshold: 2, custodians: &custodians, hybrid: false };
    let dealt = deal(&options, &secret32(FILE_KEY), Some(&case.dealt.secret), &mut rng).unwrap();
    (keys, dealt)
}

#[test]
fn the_same_secret_is_dealt_to_a_new_set() {
    let case = Case::new(5, 3);
    let (_, again) = reshared(&case, 70);
    let verified = again.dealing.clone().verify().unwrap();
    let secret = verified.check_recipient(&again.recipient_content).unwrap();
    assert!(bool::from(subtle::ConstantTimeEq::ct_eq(&secret, &case.dealt.secret)));
    assert_ne!(again.dealing.ephemeral(), case.dealt.dealing.ephemeral(), "d is fresh");
    assert_ne!(again.wrapped, case.dealt.wrapped, "another key wraps");
}

#[test]
fn old_and_new_shares_do_not_mix() {
    let mut case = Case::new(5, 3);
    let (keys, again) = reshared(&case, 70);
    let (old, new) = (case.verified(), again.dealing.verify().unwrap());
    let mut request = case.request();
    let old_release = release(&old, &request, &case.keys[0], &mut case.rng).unwrap();
    let mut shares = vec![old_release.check(&old, &request, &case.requester).unwrap()];
    request.dealing = new.digest();
    let found = old_release.check(&new, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherDealing);
    let new_release = release(&new, &request, &keys[1], &mut case.rng).unwrap();
    shares.push(new_release.check(&new, &request, &case.requester).unwrap());
    assert_eq!(bailiwick_custody::recover(&new, &shares).unwrap_err(), RecoverError::OtherDealing);
    assert_eq!(bailiwick_custody::recover(&old, &shares).unwrap_err(), RecoverError::OtherDealing);
}

/// Two dealings never share an ephemeral key, not even with a generator that repeats itself, unless they are the same dealing.
#[test]
fn a_repeated_generator_does_not_repeat_d() {
    let case = Case::new(3, 2);
    let make = |generation| {
        let context = Context { generation, ..context() };
        let custodians = &case.custodians;
        let options = DealOptions { context, threshold: 2, custodians, hybrid: false };
        deal(&options, &secret32(FILE_KEY), None, &mut rng(5)).unwrap().dealing
    };
    assert_eq!(make(1), make(1));
    let (a, b) = (make(1), make(2));
    assert_ne!(a.ephemeral(), b.ephemeral());
    assert!(a.encrypted_shares().all(|x| b.encrypted_shares().all(|y| x != y)));
}
