//! One pairing check a round.

use bailiwick_beacon::{BeaconError, BeaconRound, BeaconVerifier, QUICKNET, RoundCache};

use super::vectors::{published, quicknet, verifier};

#[test]
fn a_verified_round_is_remembered_once() {
    let (mut cache, verifier) = (RoundCache::new(), verifier());
    assert!(cache.is_empty());
    for _ in 0..3 {
        cache.verify(&verifier, &quicknet(1000)).unwrap();
        cache.verify(&verifier, &quicknet(123)).unwrap();
    }
    assert_eq!((cache.len(), cache.checks()), (2, 2));
}

/// T16: many rounds cannot fill the memory; beyond the bound they are verified anew, and refused as before.
#[test]
fn t16_a_full_cache_still_verifies() {
    let (mut cache, verifier) = (RoundCache::bounded(1), verifier());
    for _ in 0..2 {
        cache.verify(&verifier, &quicknet(1)).unwrap();
        cache.verify(&verifier, &quicknet(123)).unwrap();
    }
    assert_eq!((cache.len(), cache.checks()), (1, 3));
    let forged = BeaconRound { signature: quicknet(1).signature, ..quicknet(123) };
    assert!(cache.verify(&verifier, &forged).is_err());
}

/// P10: what is remembered vouches for its own signature only.
#[test]
fn p10_a_forged_signature_of_a_remembered_round_is_refused() {
    let (mut cache, verifier) = (RoundCache::new(), verifier());
    cache.verify(&verifier, &quicknet(1000)).unwrap();
    let forged = BeaconRound { signature: quicknet(123).signature, ..quicknet(1000) };
    let error = cache.verify(&verifier, &forged).unwrap_err();
    assert_eq!(error, BeaconError::Forged { round: 1000, chain: QUICKNET.hash });
    cache.verify(&verifier, &quicknet(1000)).unwrap();
    assert_eq!(cache.checks(), 1);
}

/// P10: a forged round is not remembered, so it cannot shut out the genuine one.
#[test]
fn p10_a_forged_round_is_not_remembered() {
    let (mut cache, verifier) = (RoundCache::new(), verifier());
    let forged = BeaconRound { signature: quicknet(123).signature, ..quicknet(1000) };
    assert!(cache.verify(&verifier, &forged).is_err());
    assert!(cache.is_empty());
    cache.verify(&verifier, &quicknet(1000)).unwrap();
}

/// P10: chains are remembered apart, and naming another chain does not reach what is remembered of it.
#[test]
fn p10_a_remembered_round_of_another_chain_does_not_count() {
    let (other, rounds) = published("quicknet-t");
    let (mut cache, verifier) = (RoundCache::new(), verifier());
    cache.verify(&BeaconVerifier::new(other.clone()).unwrap(), &rounds[0]).unwrap();
    let error = cache.verify(&verifier, &rounds[0]).unwrap_err();
    assert_eq!(error, BeaconError::WrongChain { expected: QUICKNET.hash, found: other.hash });
    cache.verify(&verifier, &quicknet(1000)).unwrap();
    let renamed = BeaconRound { chain: other.hash, ..quicknet(1000) };
    let error = cache.verify(&verifier, &renamed).unwrap_err();
    assert_eq!(error, BeaconError::WrongChain { expected: QUICKNET.hash, found: other.hash });
}
