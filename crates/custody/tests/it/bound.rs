//! Releases and recovery are bound to every field of the dealing: what was given for one opens nothing of another that differs in one
//! field, is dealt by the same dealer to the same keys, and verifies.

use bailiwick_custody::{
    Context, DealOptions, DealtCustodian, RecordError, RecoverError, RefusedRelease, ReleaseEntry,
    ReleaseError, ReleaseRecord, VerifiedDealing, deal, recover, release,
};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};

use super::case::{Case, FILE_KEY, context, secret32};

/// The same secret dealt again by the same dealer, `change`d.
fn again(
    case: &mut Case,
    change: impl FnOnce(&mut Context, &mut u16, &mut Vec<DealtCustodian>),
) -> VerifiedDealing {
    let (mut context, mut threshold, mut custodians) = (context(), 3, case.custodians.clone());
    change(&mut context, &mut threshold, &mut custodians);
    let options = DealOptions { context, threshold, custodians: &custodians, hybrid: false };
    let dealt = deal(&options, &secret32(FILE_KEY), Some(&case.dealt.secret), &mut case.rng).unwrap();
    dealt.dealing.verify().unwrap()
}

/// Requests, releases, records and shares of the first dealing are refused under the second, each by name.
#[track_caller]
fn refused_under(change: impl FnOnce(&mut Context, &mut u16, &mut Vec<DealtCustodian>)) {
    let mut case = Case::new(5, 3);
    let other = again(&mut case, change);
    let (verified, request) = (case.verified(), case.request());
    assert_ne!(verified.digest(), other.digest());
    let made = release(&verified, &request, &case.keys[2], &mut case.rng).unwrap();
    let entry: ReleaseEntry = ReleaseRecord::of(&made, &request, 1).sign(&case.keys[2]);
    entry.verify(&verified).unwrap();
    assert_eq!(entry.verify(&other).unwrap_err(), RecordError::OtherDealing);
    let found = release(&other, &request, &case.keys[2], &mut case.rng);
    assert_eq!(found.unwrap_err(), RefusedRelease::OtherDealing);
    let custodian = other.dealing().custodians[2].name.clone();
    let found = made.check(&other, &request, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherDealing);
    // Relabelled, and the request, too: it was sealed for the first.
    let mut theirs = request.clone();
    theirs.dealing = other.digest();
    let mut relabelled = made;
    relabelled.dealing = other.digest();
    let found = relabelled.check(&other, &theirs, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::Sealed { custodian });
    let shares = case.shares(&[0, 2, 4]);
    recover(&verified, &shares).unwrap().file_key(&verified, &case.dealt.wrapped).unwrap();
    assert_eq!(recover(&other, &shares).unwrap_err(), RecoverError::OtherDealing);
}

#[test]
fn of_another_owner() {
    refused_under(|c, _, _| c.owner = OwnerKey([9; 32]));
}

#[test]
fn of_another_object() {
    refused_under(|c, _, _| c.object = ObjectId([9; 16]));
}

#[test]
fn of_another_body() {
    refused_under(|c, _, _| c.key_commitment = [9; 32]);
}

#[test]
fn of_another_policy() {
    refused_under(|c, _, _| c.policy = Some([9; 32]));
}

#[test]
fn of_no_policy() {
    refused_under(|c, _, _| c.policy = None);
}

#[test]
fn of_another_roster() {
    refused_under(|c, _, _| c.roster = RosterDigest([9; 32]));
}

#[test]
fn of_another_generation() {
    refused_under(|c, _, _| c.generation += 1);
}

#[test]
fn of_another_threshold() {
    refused_under(|_, t, _| *t = 2);
}

#[test]
fn of_another_number_of_custodians() {
    refused_under(|_, _, list| drop(list.pop()));
}

#[test]
fn of_another_name() {
    refused_under(|_, _, list| list[2].name = "Notary X".into());
}

#[test]
fn of_other_attributes() {
    refused_under(|_, _, list| {
        list[2].attributes.insert("SE".into());
    });
}

#[test]
fn of_another_key_beside_it() {
    let other = Case::with(5, 3, false, 99);
    refused_under(move |_, _, list| list[1].key = other.custodians[1].key.clone());
}

#[test]
fn of_another_order() {
    refused_under(|_, _, list| list.swap(0, 1));
}

/// Nothing changed but what its dealer draws: D and every share.
#[test]
fn of_another_ephemeral_key_and_other_shares() {
    refused_under(|_, _, _| ());
}
