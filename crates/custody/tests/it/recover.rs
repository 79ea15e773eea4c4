//! Recovery from any t, and from nothing less.

use bailiwick_custody::RecoverError;

use super::case::{Case, FILE_KEY};

#[test]
fn any_t_custodians_recover_the_file_key() {
    let mut case = Case::new(5, 3);
    let verified = case.verified();
    for set in [[0, 1, 2], [4, 2, 0], [1, 3, 4], [2, 3, 4]] {
        let shares = case.shares(&set);
        let recovered = bailiwick_custody::recover(&verified, &shares).unwrap();
        let key = recovered.file_key(&verified, &case.dealt.wrapped).unwrap();
        assert_eq!(key.expose_secret(), &FILE_KEY, "{set:?}");
    }
    // More than t are as good.
    let shares = case.shares(&[0, 1, 2, 3, 4]);
    let recovered = bailiwick_custody::recover(&verified, &shares).unwrap();
    assert_eq!(recovered.file_key(&verified, &case.dealt.wrapped).unwrap().expose_secret(), &FILE_KEY);
}

#[test]
fn fewer_than_t_recover_nothing() {
    let mut case = Case::new(5, 3);
    let verified = case.verified();
    for set in [&[][..], &[1], &[1, 4]] {
        let found = bailiwick_custody::recover(&verified, &case.shares(set)).unwrap_err();
        assert_eq!(found, RecoverError::TooFew { found: set.len(), threshold: 3 });
    }
}

#[test]
fn one_custodian_twice_counts_once() {
    let mut case = Case::new(5, 3);
    let verified = case.verified();
    let found = bailiwick_custody::recover(&verified, &case.shares(&[1, 4, 1])).unwrap_err();
    assert_eq!(found, RecoverError::Twice { custodian: "Notary 1".into() });
}

#[test]
fn a_share_of_another_dealing_is_refused() {
    let mut case = Case::new(5, 3);
    let mut other = Case::with(5, 3, false, 61);
    let verified = case.verified();
    let mut shares = case.shares(&[0, 1]);
    shares.extend(other.shares(&[2]));
    let found = bailiwick_custody::recover(&verified, &shares).unwrap_err();
    assert_eq!(found, RecoverError::OtherDealing);
}

/// Not proved in public: that what was wrapped opens under the secret. Then recovery says who is to blame.
#[test]
fn a_dealer_who_wrapped_under_something_else_is_found_out() {
    let mut case = Case::new(5, 3);
    let verified = case.verified();
    let recovered = bailiwick_custody::recover(&verified, &case.shares(&[0, 1, 2])).unwrap();
    let mut wrapped = case.dealt.wrapped;
    wrapped[0] ^= 1;
    assert_eq!(recovered.file_key(&verified, &wrapped).unwrap_err(), RecoverError::Wrapped);
}
