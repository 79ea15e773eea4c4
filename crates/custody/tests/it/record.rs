//! What custodians log of releases: each field signed, each reader's question answered by name.

use bailiwick_custody::{RecordError, ReleaseEntry, ReleaseRecord, Request, enough_released, release};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::envelope::Kem;

use super::case::{Case, exchange, x25519};

const AT: u64 = 1_700_000_000_000;

/// Custodian `i` answers `request` and writes it down.
fn entry(case: &mut Case, i: usize, request: &Request) -> (ReleaseRecord, ReleaseEntry) {
    let verified = case.verified();
    let made = release(&verified, request, &case.keys[i], &mut case.rng).unwrap();
    let record = ReleaseRecord::of(&made, request, AT);
    assert_eq!(record.release, made.digest());
    (record.clone(), record.sign(&case.keys[i]))
}

#[test]
fn a_record_says_who_released_to_whom() {
    let mut case = Case::new(5, 3);
    let request = case.request();
    let (record, signed) = entry(&mut case, 2, &request);
    let read = ReleaseEntry::from_bytes(&signed.to_bytes()).unwrap();
    let said = read.verify(&case.verified()).unwrap();
    assert_eq!(said, record);
    assert_eq!((said.point, said.nonce, said.released_unix_ms), (3, request.nonce, AT));
    // As envelopes name keys (E8).
    let key = x25519(&case.requester);
    let fingerprint =
        bailiwick_protocol::labels::Label::Fingerprint.hash(&[&0x0020u16.to_le_bytes()[..], &key].concat());
    assert_eq!(said.requester, fingerprint);
    assert!(matches!(ReleaseEntry::from_bytes(&[0x82, 3]), Err(CodecError::Invalid("kind of log entry"))));
}

/// Every field stands under the custodian's signature.
#[test]
fn every_field_of_a_record_is_signed() {
    let mut case = Case::new(5, 3);
    let request = case.request();
    let (record, signed) = entry(&mut case, 2, &request);
    let verified = case.verified();
    signed.verify(&verified).unwrap();
    let flipped = |field: &[u8]| {
        let mut other = field.to_vec();
        other[0] ^= 1;
        let bytes = exchange(&signed.to_bytes(), field, &other);
        ReleaseEntry::from_bytes(&bytes).unwrap().verify(&verified).unwrap_err()
    };
    let unsigned = RecordError::Signature { custodian: "Notary 2".into() };
    for field in [&record.requester, &record.nonce, &record.release] {
        assert_eq!(flipped(field), unsigned);
    }
    assert_eq!(flipped(&AT.to_be_bytes()[2..]), unsigned);
    assert_eq!(flipped(&record.dealing.0), RecordError::OtherDealing);
}

/// A custodian speaks for itself only.
#[test]
fn a_record_under_anothers_number_is_refused() {
    let mut case = Case::new(5, 3);
    let request = case.request();
    let (record, _) = entry(&mut case, 2, &request);
    let verified = case.verified();
    let as_point = |point| ReleaseRecord { point, ..record.clone() }.sign(&case.keys[2]).verify(&verified);
    as_point(3).unwrap();
    assert_eq!(as_point(1).unwrap_err(), RecordError::Signature { custodian: "Notary 0".into() });
    assert_eq!(as_point(0).unwrap_err(), RecordError::NotCustodian);
    assert_eq!(as_point(6).unwrap_err(), RecordError::NotCustodian);
    let other = Case::with(5, 3, false, 9);
    let theirs = ReleaseRecord { dealing: other.verified().digest(), ..record.clone() }.sign(&case.keys[2]);
    assert_eq!(theirs.verify(&verified).unwrap_err(), RecordError::OtherDealing);
}

/// t different custodians to one key are enough; fewer, one twice, or to different keys are not.
#[test]
fn enough_releases_to_one_requester_are_found() {
    let mut case = Case::new(5, 3);
    let (request, again) = (case.request(), case.request());
    let other = Request { key: vec![9; 32], kem: Kem::X25519, ..request.clone() };
    let records: Vec<_> = [(0, &request), (1, &request), (1, &again), (4, &other)]
        .map(|(i, request)| entry(&mut case, i, request).0)
        .to_vec();
    let verified = case.verified();
    assert!(enough_released(&verified, &records).is_empty());
    let third = entry(&mut case, 3, &again).0;
    let found = enough_released(&verified, &[&records[..], &[third]].concat());
    assert_eq!(found.len(), 1);
    assert_eq!(found[&records[0].requester], [1, 2, 4].into());
    assert!(enough_released(&Case::with(5, 3, false, 9).verified(), &records).is_empty());
}
