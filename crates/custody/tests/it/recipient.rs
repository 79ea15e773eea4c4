//! What a recipient of role custody-secret can check.

use bailiwick_custody::RecipientError;
use bailiwick_protocol::secret::Secret;

use super::case::{Case, FILE_KEY};

fn changed(content: &Secret<96>, change: impl FnOnce(&mut [u8; 96])) -> Secret<96> {
    Secret::init_with(|b| {
        b.copy_from_slice(content.expose_secret());
        change(b);
    })
}

#[test]
fn a_recipient_opens_and_knows_that_custodians_can_too() {
    let case = Case::new(5, 3);
    let key = case.verified().open_as_recipient(&case.dealt.recipient_content, &case.dealt.wrapped).unwrap();
    assert_eq!(key.expose_secret(), &FILE_KEY);
}

/// The gap of the public proof: the dealer sends recipients another secret than custodians share.
#[test]
fn another_secret_than_the_custodians_share_is_refused() {
    let case = Case::new(5, 3);
    let other = Case::with(5, 3, false, 62);
    let found = case.verified().check_recipient(&other.dealt.recipient_content).unwrap_err();
    assert_eq!(found, RecipientError::Proof);
    // With this dealing's proof beside it.
    let proof = case.dealt.recipient_content.expose_secret();
    let mixed = changed(&other.dealt.recipient_content, |b| b[32..].copy_from_slice(&proof[32..]));
    assert_eq!(case.verified().check_recipient(&mixed).unwrap_err(), RecipientError::Proof);
}

#[test]
fn every_part_of_the_proof_counts() {
    let case = Case::new(5, 3);
    for at in [32, 63, 64, 95] {
        let other = changed(&case.dealt.recipient_content, |b| b[at] ^= 1);
        assert_eq!(case.verified().check_recipient(&other).unwrap_err(), RecipientError::Proof);
    }
    for bytes in [[0; 32], [0xff; 32]] {
        let other = changed(&case.dealt.recipient_content, |b| b[..32].copy_from_slice(&bytes));
        assert!(matches!(case.verified().check_recipient(&other), Err(RecipientError::Secret(_))));
    }
}

#[test]
fn a_key_wrapped_under_something_else_is_found_out() {
    let case = Case::new(5, 3);
    let mut wrapped = case.dealt.wrapped;
    wrapped[47] ^= 1;
    let found = case.verified().open_as_recipient(&case.dealt.recipient_content, &wrapped).unwrap_err();
    assert_eq!(found, RecipientError::Wrapped);
}

#[test]
fn in_hybrid_mode_the_secret_alone_opens_nothing() {
    let case = Case::with(3, 2, true, 1);
    case.verified().check_recipient(&case.dealt.recipient_content).unwrap();
    let found = case.verified().open_as_recipient(&case.dealt.recipient_content, &case.dealt.wrapped);
    assert_eq!(found.unwrap_err(), RecipientError::Hybrid);
}
