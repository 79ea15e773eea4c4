//! Canonical encodings, bounded.

use bailiwick_custody::{Dealing, Receipt, Release, Request, release};
use bailiwick_protocol::codec::{Canonical, CodecError};
use proptest::prelude::*;

use super::case::{Case, rng};

fn all() -> [Vec<u8>; 5] {
    let mut case = Case::new(5, 3);
    let hybrid = Case::with(3, 2, true, 2);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[0], &mut rng(1)).unwrap();
    let receipt = Receipt::sign(&hybrid.verified(), &hybrid.keys[1]).unwrap();
    [case.bytes(), hybrid.bytes(), request.to_bytes(), made.to_bytes(), receipt.to_bytes()]
}

/// Accepted by any decoder, and what it gives is canonical.
fn accepted(bytes: &[u8]) -> bool {
    fn one<T: Canonical>(bytes: &[u8]) -> bool {
        T::from_bytes(bytes).is_ok_and(|m| {
            assert_eq!(m.to_bytes(), bytes);
            true
        })
    }
    let found = [one::<Dealing>(bytes), one::<Request>(bytes), one::<Release>(bytes), one::<Receipt>(bytes)];
    assert!(found.iter().filter(|f| **f).count() <= 1, "bytes mean two things");
    found.contains(&true)
}

#[test]
fn what_is_written_is_read() {
    assert!(all().iter().all(|bytes| accepted(bytes)));
}

#[test]
fn neither_more_nor_less_is_read() {
    for bytes in all() {
        assert!(!accepted(&[&bytes[..], &[0]].concat()));
        for n in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(!accepted(&bytes[..n]));
        }
    }
}

#[test]
fn another_version_is_refused() {
    for mut bytes in all() {
        // Map header, key 0, then the version.
        assert_eq!(bytes[1..3], [0, 1]);
        bytes[2] = 2;
        assert!(!accepted(&bytes));
    }
    let mut bytes = Case::new(3, 2).bytes();
    bytes[2] = 2;
    let expected = CodecError::UnknownVersion { what: "custody dealing", found: 2 };
    assert_eq!(Dealing::from_bytes(&bytes), Err(expected));
}

/// A version written in two bytes is the same number and another encoding.
#[test]
fn longer_integers_are_refused() {
    for bytes in all() {
        let longer = [&bytes[..2], &[0x18, 1], &bytes[3..]].concat();
        assert!(!accepted(&longer));
    }
}

/// The length is bounded before anything is read.
#[test]
fn an_endless_dealing_is_refused_unread() {
    let bytes = vec![0; Dealing::BYTES_MAX + 1];
    assert!(matches!(Dealing::from_bytes(&bytes), Err(CodecError::TooLong { .. })));
}

/// A list that declares 2^32 custodians allocates nothing.
#[test]
fn a_custodian_count_bomb_is_refused() {
    let bytes = Case::new(3, 2).bytes();
    // Key 7 (threshold 2), key 8, array of 3.
    let at = bytes.windows(4).position(|w| w == [7, 2, 8, 0x83]).unwrap() + 3;
    let bomb = [&bytes[..at], &[0x9a, 0xff, 0xff, 0xff, 0xff], &bytes[at + 1..]].concat();
    assert!(matches!(Dealing::from_bytes(&bomb), Err(CodecError::TooMany { what: "custodians", .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No single changed byte panics, and what is still accepted is canonical.
    #[test]
    fn changed_bytes_never_panic(which in 0usize..5, at: prop::sample::Index, to: u8) {
        use std::sync::OnceLock;
        static ALL: OnceLock<[Vec<u8>; 5]> = OnceLock::new();
        let mut bytes = ALL.get_or_init(all)[which].clone();
        let at = at.index(bytes.len());
        bytes[at] = to;
        accepted(&bytes);
        if let Ok(dealing) = Dealing::from_bytes(&bytes)
            && dealing.to_bytes() != ALL.get_or_init(all)[which]
        {
            prop_assert!(dealing.verify().is_err(), "a changed dealing verifies");
        }
    }
}
