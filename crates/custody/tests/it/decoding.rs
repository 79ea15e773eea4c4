//! Numbers, lists and texts that a reader refuses by name, each one step beside what it takes.

use bailiwick_custody::{
    ATTRIBUTES_MAX, CUSTODIANS_MAX, Dealing, Receipt, Release, ReleaseError, ReleaseRecord, Request,
    TEXT_BYTES_MAX, enough_released, release,
};
use bailiwick_protocol::codec::{Canonical, CodecError};

use super::case::{Case, exchange, rng};

fn read<T: Canonical>(message: &T) -> Result<T, CodecError> {
    T::from_bytes(&message.to_bytes())
}

#[test]
fn texts_and_attributes_of_a_dealing_have_bounds() {
    let with = |change: &dyn Fn(&mut Dealing)| {
        let mut dealing = Case::new(3, 2).dealt.dealing;
        change(&mut dealing);
        read(&dealing)
    };
    with(&|d| d.custodians[1].name = "x".repeat(TEXT_BYTES_MAX)).unwrap();
    let long = with(&|d| d.custodians[1].name = "x".repeat(TEXT_BYTES_MAX + 1));
    assert!(matches!(long, Err(CodecError::TooLong { what: "custodian: name", .. })));
    let empty = with(&|d| d.custodians[1].name.clear());
    assert_eq!(empty, Err(CodecError::Invalid("custodian: name")));
    let empty = with(&|d| d.custodians[1].attributes = [String::new()].into());
    assert_eq!(empty, Err(CodecError::Invalid("custodian: attribute")));
    let many =
        |n: usize| with(&|d| d.custodians[1].attributes = (0..n).map(|i| format!("firm:{i:02}")).collect());
    many(ATTRIBUTES_MAX).unwrap();
    let found = CodecError::TooMany { what: "custodian: attributes", found: 49, max: ATTRIBUTES_MAX };
    assert_eq!(many(ATTRIBUTES_MAX + 1), Err(found));
}

/// An attribute twice counts one law twice, or hides that one is missing.
#[test]
fn an_attribute_given_twice_is_refused() {
    let mut dealing = Case::new(3, 2).dealt.dealing;
    dealing.custodians[1].attributes = ["AA".to_owned(), "AB".to_owned()].into();
    let bytes = dealing.to_bytes();
    assert!(Dealing::from_bytes(&bytes).is_ok());
    let twice = Dealing::from_bytes(&exchange(&bytes, b"\x62AB", b"\x62AA"));
    assert_eq!(twice, Err(CodecError::Invalid("custodian: attribute given twice")));
    let unsorted = Dealing::from_bytes(&exchange(&bytes, b"\x62AA\x62AB", b"\x62AB\x62AA"));
    assert_eq!(unsorted, Err(CodecError::NotCanonical));
}

#[test]
fn hybrid_shares_are_one_for_each_custodian_and_whole() {
    let good = Case::with(3, 2, true, 1).dealt.dealing;
    read(&good).unwrap();
    let mut fewer = good.clone();
    fewer.hybrid.pop();
    assert_eq!(read(&fewer), Err(CodecError::Invalid("hybrid shares: one for each custodian")));
    let mut more = good.clone();
    more.hybrid.push(good.hybrid[0].clone());
    assert_eq!(read(&more), Err(CodecError::Invalid("hybrid shares: one for each custodian")));
    let mut short = good;
    short.hybrid[1].enc.pop();
    assert_eq!(read(&short), Err(CodecError::Invalid("hybrid share: encapsulated key")));
}

/// As many shares as custodians, and no more custodians than a dealing may have, before any of them is read.
#[test]
fn shares_are_one_for_each_custodian() {
    let case = Case::new(3, 2);
    let (bytes, dealing) = (case.bytes(), &case.dealt.dealing);
    Dealing::from_bytes(&bytes).unwrap();
    let first = [&[0x58, 0x20][..], dealing.encrypted_shares().next().unwrap()].concat();
    let at = bytes.windows(first.len()).position(|w| w == first).unwrap();
    // Key 10, and a list of three.
    assert_eq!(bytes[at - 2..at], [10, 0x83]);
    let with = |count: u8, shares: &[&[u8]]| {
        let head = [&bytes[..at - 1], &[0x80 | count]].concat();
        Dealing::from_bytes(&[&head, &shares.concat(), &bytes[at + first.len()..]].concat())
    };
    assert_eq!(with(3, &[&first]).as_ref(), Ok(dealing));
    let expected = Err(CodecError::Invalid("encrypted shares: one for each custodian"));
    assert_eq!(with(2, &[]), expected);
    assert_eq!(with(4, &[&first, &first]), expected);
    let at = bytes.windows(4).position(|w| w == [7, 2, 8, 0x83]).unwrap() + 3;
    let many = [&bytes[..at], &[0x98, 129], &bytes[at + 1..]].concat();
    let expected = CodecError::TooMany { what: "custodians", found: 129, max: CUSTODIANS_MAX };
    assert_eq!(Dealing::from_bytes(&many), Err(expected));
}

/// A mechanism nobody knows: the key is not read as one of another's.
#[test]
fn a_request_of_an_unknown_mechanism_is_refused() {
    let request = Case::new(3, 2).request();
    let bytes = request.to_bytes();
    // Key 2, and 0x0020 in two bytes; then key 3.
    let with = |id: u8| Request::from_bytes(&exchange(&bytes, &[2, 0x18, 0x20, 3], &[2, 0x18, id, 3]));
    assert_eq!(with(0x20), Ok(request));
    let what = "custody request: mechanism";
    assert_eq!(with(0x21), Err(CodecError::UnknownVersion { what, found: 0x21 }));
}

#[test]
fn versions_and_lengths_of_messages_are_refused_by_name() {
    let mut case = Case::new(3, 2);
    let hybrid = Case::with(3, 2, true, 2);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[0], &mut rng(1)).unwrap();
    let receipt = Receipt::sign(&hybrid.verified(), &hybrid.keys[1]).unwrap();
    let record = ReleaseRecord::of(&made, &request, 1);
    let version = |mut bytes: Vec<u8>| {
        assert_eq!(bytes[1..3], [0, 1]);
        bytes[2] = 2;
        bytes
    };
    let unknown = |what| CodecError::UnknownVersion { what, found: 2 };
    let found = Request::from_bytes(&version(request.to_bytes()));
    assert_eq!(found, Err(unknown("custody request")));
    assert_eq!(Release::from_bytes(&version(made.to_bytes())), Err(unknown("custody release")));
    assert_eq!(Receipt::from_bytes(&version(receipt.to_bytes())), Err(unknown("custody receipt")));
    let found = ReleaseRecord::from_bytes(&version(record.to_bytes()));
    assert_eq!(found, Err(unknown("record of a custody release")));

    read(&made).unwrap();
    for n in [0, 31, 33, 64, 1119] {
        let other = Release { enc: vec![1; n], ..made.clone() };
        assert_eq!(read(&other), Err(CodecError::Invalid("custody release: enc")), "{n}");
    }
    for n in [0, 111, 113, 143] {
        let other = Release { ciphertext: vec![1; n], ..made.clone() };
        assert_eq!(read(&other), Err(CodecError::Invalid("custody release: ciphertext")), "{n}");
    }
    // Keys nothing can be sealed to, as they arrive.
    for key in [vec![0; 32], request.key[..31].to_vec(), [&request.key[..], &[0]].concat()] {
        let other = Request { key, ..request.clone() };
        assert_eq!(read(&other), Err(CodecError::Invalid("custody request: key")));
    }
    read(&request).unwrap();
}

/// The right custodian's release, shown with a request that names another dealing.
#[test]
fn a_request_for_another_dealing_takes_no_release() {
    let mut case = Case::new(5, 3);
    let other = Case::with(5, 3, false, 61);
    let (verified, request) = (case.verified(), case.request());
    let made = release(&verified, &request, &case.keys[2], &mut rng(0)).unwrap();
    made.check(&verified, &request, &case.requester).unwrap();
    let theirs = Request { dealing: other.verified().digest(), ..request };
    let found = made.check(&verified, &theirs, &case.requester).unwrap_err();
    assert_eq!(found, ReleaseError::OtherDealing);
}

/// Releases of two dealings to one requester do not add up: their shares do not, either.
#[test]
fn records_of_another_dealing_do_not_count() {
    let mut case = Case::new(5, 3);
    let (verified, request) = (case.verified(), case.request());
    let mut records: Vec<_> = (0..3)
        .map(|i| {
            let made = release(&verified, &request, &case.keys[i], &mut rng(0)).unwrap();
            ReleaseRecord::of(&made, &request, 1)
        })
        .collect();
    assert_eq!(enough_released(&verified, &records).len(), 1);
    records[2].dealing = Case::with(5, 3, false, 9).verified().digest();
    assert!(enough_released(&verified, &records).is_empty());
}
