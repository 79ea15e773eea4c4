//! The public proof is bound to every field of the dealing: one test for each.

use bailiwick_custody::{Dealing, DealingError};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use curve25519_dalek::ristretto::RistrettoPoint;

use super::case::{Case, exchange, reread};

/// The dealing as it was made holds; changed by `change` it does not.
fn refused(change: impl FnOnce(&mut Dealing)) {
    let case = Case::new(5, 3);
    let mut dealing = case.dealt.dealing.clone();
    dealing.clone().verify().unwrap();
    change(&mut dealing);
    assert_ne!(dealing, case.dealt.dealing, "nothing was changed");
    assert_eq!(dealing.verify().unwrap_err(), DealingError::Proof);
}

fn a_point() -> [u8; 32] {
    RistrettoPoint::from_uniform_bytes(&[77; 64]).compress().0
}

#[test]
fn owner_is_bound() {
    refused(|d| d.context.owner = OwnerKey([9; 32]));
}

#[test]
fn object_is_bound() {
    refused(|d| d.context.object = ObjectId([9; 16]));
}

#[test]
fn key_commitment_is_bound() {
    refused(|d| d.context.key_commitment = [9; 32]);
}

#[test]
fn policy_is_bound() {
    refused(|d| d.context.policy = Some([9; 32]));
}

#[test]
fn absence_of_a_policy_is_bound() {
    refused(|d| d.context.policy = None);
}

#[test]
fn roster_is_bound() {
    refused(|d| d.context.roster = RosterDigest([9; 32]));
}

#[test]
fn generation_is_bound() {
    refused(|d| d.context.generation = 6);
}

/// A lower threshold tests fewer words of the code, a higher one more; neither is what was dealt.
#[test]
fn threshold_is_bound() {
    refused(|d| d.threshold = 4);
    refused(|d| d.threshold = 2);
}

#[test]
fn names_of_custodians_are_bound() {
    refused(|d| d.custodians[2].name = "Notary X".into());
}

#[test]
fn jurisdictions_of_custodians_are_bound() {
    refused(|d| {
        d.custodians[2].attributes.remove("NO");
    });
    refused(|d| {
        d.custodians[2].attributes.insert("SE".into());
    });
    // As many, and one of them another law.
    refused(|d| {
        d.custodians[2].attributes.remove("NO");
        d.custodians[2].attributes.insert("SE".into());
    });
    // The same attributes, divided otherwise.
    refused(|d| {
        let moved = d.custodians[1].attributes.pop_last().unwrap();
        d.custodians[2].attributes.insert(moved);
    });
}

/// Another key for any custodian, with a sound proof of possession of its own.
#[test]
fn keys_of_custodians_are_bound() {
    let other = Case::with(5, 3, false, 99);
    for i in 0..5 {
        let theirs = other.dealt.dealing.custodians[i].key;
        refused(|d| d.custodians[i].key = theirs);
    }
}

#[test]
fn the_order_of_custodians_is_bound() {
    refused(|d| d.custodians.swap(0, 1));
}

#[test]
fn the_number_of_custodians_is_bound() {
    let case = Case::new(5, 3);
    let mut shorter = case.dealt.dealing.clone();
    shorter.custodians.pop();
    // Form already wants one share for each custodian.
    let bytes = bailiwick_protocol::codec::Canonical::to_bytes(&shorter);
    assert!(<Dealing as bailiwick_protocol::codec::Canonical>::from_bytes(&bytes).is_err());
}

#[test]
fn the_ephemeral_key_is_bound() {
    let case = Case::new(5, 3);
    let bytes = exchange(&case.bytes(), case.dealt.dealing.ephemeral(), &a_point());
    assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
}

#[test]
fn every_encrypted_share_is_bound() {
    let case = Case::new(5, 3);
    for share in case.dealt.dealing.encrypted_shares() {
        let bytes = exchange(&case.bytes(), share, &a_point());
        assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
    }
}

#[test]
fn the_order_of_shares_is_bound() {
    let case = Case::new(5, 3);
    let shares: Vec<[u8; 32]> = case.dealt.dealing.encrypted_shares().copied().collect();
    let bytes = exchange(&case.bytes(), &shares[0], &a_point());
    let bytes = exchange(&bytes, &shares[1], &shares[0]);
    let bytes = exchange(&bytes, &a_point(), &shares[1]);
    assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
}

#[test]
fn both_halves_of_the_proof_count() {
    let case = Case::new(5, 3);
    let proof = case.dealt.dealing.proof();
    for at in [0, 32] {
        let mut other = *proof;
        other[at] ^= 1;
        let bytes = exchange(&case.bytes(), proof, &other);
        assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
    }
    // The answer plus the group's order: equal as a number, not canonical.
    let mut answer = [0; 32];
    answer.copy_from_slice(&proof[32..]);
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0u16;
    for (a, o) in answer.iter_mut().zip(order) {
        carry += u16::from(*a) + u16::from(o);
        *a = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let mut other = *proof;
    other[32..].copy_from_slice(&answer);
    let bytes = exchange(&case.bytes(), proof, &other);
    assert_eq!(reread(&bytes).verify().unwrap_err(), DealingError::Proof);
}

/// The post-quantum half cannot be exchanged under the proof either.
#[test]
fn every_field_of_the_hybrid_half_is_bound() {
    let case = Case::with(3, 2, true, 1);
    case.verified();
    let changes: [fn(&mut Dealing); 4] = [
        |d| d.hybrid[1].commitment[0] ^= 1,
        |d| d.hybrid[1].enc[0] ^= 1,
        |d| d.hybrid[1].ciphertext[0] ^= 1,
        |d| d.hybrid.clear(),
    ];
    for change in changes {
        let mut dealing = case.dealt.dealing.clone();
        change(&mut dealing);
        assert_eq!(dealing.verify().unwrap_err(), DealingError::Proof);
    }
}

/// The other parts of a custodian's key are vouched for by its proof of possession, which names whose it is.
#[test]
fn receipt_key_and_kem_key_are_bound() {
    let case = Case::new(5, 3);
    let key = case.dealt.dealing.custodians[3].key;
    let bytes = exchange(&case.bytes(), key.receipt_key(), &[8; 32]);
    let expected = DealingError::Possession { custodian: "Notary 3".into() };
    assert_eq!(reread(&bytes).verify().unwrap_err(), expected);
    let kem =
        bailiwick_protocol::labels::Label::CustodyKemKey.hash(&case.custodians[3].key.to_bytes()[128..]);
    let bytes = exchange(&case.bytes(), &kem, &[8; 32]);
    assert_eq!(reread(&bytes).verify().unwrap_err(), expected);
}
