//! Whose roster, of when, and not an older one.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::{RosterDigest, RosterKey};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing::Signed;
use bailiwick_roster::{LastSeen, OpenError, Roster, SignedRoster, open};

use super::case::{NOW, authority, key, roster, sign};

#[test]
fn an_honest_roster_opens() {
    let r = roster();
    assert_eq!(open(&sign(&r), &authority(), NOW, None).unwrap(), r);
    assert_eq!(open(&sign(&r), &authority(), NOW, Some(&r.seen())).unwrap(), r, "the same again");
}

/// P15, T06: signed by a key that is not pinned.
#[test]
fn p15_t06_an_unknown_authority_is_refused() {
    let stranger = RosterKey(key(7).public());
    let mut r = roster();
    r.authority = stranger;
    let bytes = SignedRoster::new(&r, &key(7)).to_bytes();
    assert_eq!(open(&bytes, &authority(), NOW, None), Err(OpenError::UnknownKey { named: stranger }));
    open(&bytes, &stranger, NOW, None).unwrap();
}

/// P15: the pinned authority's name over another's signature, and the other way round.
#[test]
fn p15_a_borrowed_name_is_refused() {
    let bytes = SignedRoster::new(&roster(), &key(7)).to_bytes();
    assert_eq!(open(&bytes, &authority(), NOW, None), Err(OpenError::BadSignature));
    let mut r = roster();
    r.authority = RosterKey(key(7).public());
    let bytes = sign(&r);
    assert_eq!(open(&bytes, &authority(), NOW, None), Err(OpenError::UnknownKey { named: r.authority }));
}

/// A signature over the same bytes for another use is none.
#[test]
fn another_label_is_refused() {
    let r = roster();
    let payload = r.to_bytes();
    let forged = key(200).sign(Label::BundleSignature, &payload);
    let mut bytes = sign(&r);
    let at = bytes.len() - 64;
    bytes[at..].copy_from_slice(forged.as_bytes());
    assert_eq!(open(&bytes, &authority(), NOW, None), Err(OpenError::BadSignature));
    let genuine = key(200).sign(Label::RosterSignature, &payload);
    bytes[at..].copy_from_slice(genuine.as_bytes());
    open(&bytes, &authority(), NOW, None).unwrap();
}

/// The signature is checked before what it covers is decoded: an unsigned payload that is no roster at all is a matter of its bytes.
#[test]
fn payloads_that_are_no_roster_are_refused() {
    let r = roster();
    let mut bad = r.clone();
    bad.number = 0;
    let bytes = sign(&bad);
    assert!(matches!(open(&bytes, &authority(), NOW, None), Err(OpenError::Codec(_))));
    assert!(matches!(open(b"", &authority(), NOW, None), Err(OpenError::Codec(_))));
    let own = Signed::<Roster>::new(&r, &key(200)).to_bytes();
    assert_eq!(own, sign(&r));
}

#[test]
fn validity_is_half_open() {
    let r = roster();
    let at = |now| open(&sign(&r), &authority(), now, None);
    let (from, until) = (r.issued_unix_ms, r.valid_until_unix_ms);
    assert_eq!(at(from - 1), Err(OpenError::NotYetValid { issued_unix_ms: from }));
    at(from).unwrap();
    at(until - 1).unwrap();
    assert_eq!(at(until), Err(OpenError::Expired { valid_until_unix_ms: until }));
    assert_eq!(Roster::open_undated(&sign(&r), &authority()).unwrap(), r, "an old one can still be shown");
}

fn numbered(number: u64, previous: Option<RosterDigest>) -> Roster {
    let mut r = roster();
    r.number = number;
    r.previous = previous;
    r
}

/// T02: an older roster than the one seen.
#[test]
fn t02_rolled_back_rosters_are_refused() {
    let old = numbered(4, None);
    let seen = numbered(5, None).seen();
    let refused = open(&sign(&old), &authority(), NOW, Some(&seen));
    assert_eq!(refused, Err(OpenError::RolledBack { found: 4, seen: 5 }));
    open(&sign(&old), &authority(), NOW, None).unwrap();
}

/// T01: two rosters of one number: the authority tells two stories.
#[test]
fn t01_equivocation_is_named() {
    let seen = numbered(5, None).seen();
    let mut other = numbered(5, None);
    other.principals[0].law = "FR".parse().unwrap();
    let refused = open(&sign(&other), &authority(), NOW, Some(&seen));
    assert_eq!(refused, Err(OpenError::Equivocation { number: 5, found: other.digest(), seen: seen.digest }));
}

/// T01: the next number, made after another roster than the one seen.
#[test]
fn t01_a_fork_is_named() {
    let five = numbered(5, None);
    let seen = five.seen();
    let forked = numbered(6, Some(RosterDigest([9; 32])));
    let refused = open(&sign(&forked), &authority(), NOW, Some(&seen));
    assert_eq!(refused, Err(OpenError::Forked { number: 6, seen: seen.digest }));
    for next in
        [numbered(6, Some(five.digest())), numbered(6, None), numbered(8, Some(RosterDigest([9; 32])))]
    {
        open(&sign(&next), &authority(), NOW, Some(&seen)).unwrap();
    }
}

/// Rollback is found before expiry, so that keeping an old roster until it expires hides nothing; and no number overflows.
#[test]
fn rollback_is_reported_first_and_numbers_do_not_overflow() {
    let seen = LastSeen { number: u64::MAX, digest: RosterDigest([0; 32]) };
    let refused = open(&sign(&numbered(1, None)), &authority(), u64::MAX, Some(&seen));
    assert_eq!(refused, Err(OpenError::RolledBack { found: 1, seen: u64::MAX }));
}
