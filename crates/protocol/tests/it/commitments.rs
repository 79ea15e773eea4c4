//! Storage commitments: a list by scheme, ascending; what the reader does not know is kept (spec envelope, E14).

use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::{Envelope, FurtherCommitment, SignedEnvelope};
use bailiwick_protocol::limits::FURTHER_COMMITMENT_BYTES_MAX;
use proptest::prelude::*;

use super::messages::{envelope, key};

fn with(further: &[(u64, &[u8])]) -> Envelope {
    let further =
        further.iter().map(|(scheme, value)| FurtherCommitment { scheme: *scheme, value: value.to_vec() });
    Envelope { further_commitments: further.collect(), ..envelope(&key(3), 1000, 1) }
}

fn decoded(e: &Envelope) -> Result<Envelope, CodecError> {
    Envelope::from_bytes(&e.to_bytes())
}

#[test]
fn commitments_of_unknown_schemes_are_kept_and_signed() {
    let owner = key(3);
    let e = with(&[(2, b"tags"), (900, &[7; FURTHER_COMMITMENT_BYTES_MAX])]);
    let back = SignedEnvelope::new(&e, &owner).verify(&owner.public()).unwrap();
    assert_eq!(back, e);
    assert_eq!((back.further_commitment(2), back.further_commitment(3)), (Some(&b"tags"[..]), None));
    let alone = Envelope { commitment: None, ..with(&[(2, b"tags")]) };
    assert_eq!(decoded(&alone).unwrap(), alone, "without a cell tree");
}

/// E22: every set of commitments has one encoding.
#[test]
fn e22_commitments_out_of_order_or_twice_are_refused() {
    assert!(decoded(&with(&[(2, b"a"), (3, b"b")])).is_ok());
    let ascend = Err(CodecError::Invalid("storage commitments: schemes must ascend"));
    assert_eq!(decoded(&with(&[(3, b"b"), (2, b"a")])), ascend);
    assert_eq!(decoded(&with(&[(2, b"a"), (2, b"b")])), ascend);
    assert_eq!(decoded(&with(&[(0, b"a")])), ascend, "schemes are numbered from 1");
}

#[test]
fn a_commitment_too_long_or_empty_is_refused() {
    assert!(decoded(&with(&[(2, &[1; FURTHER_COMMITMENT_BYTES_MAX])])).is_ok());
    assert!(decoded(&with(&[(2, &[1; FURTHER_COMMITMENT_BYTES_MAX + 1])])).is_err());
    assert_eq!(decoded(&with(&[(2, b"")])), Err(CodecError::Invalid("storage commitment")));
}

#[test]
fn more_commitments_than_allowed_are_refused() {
    assert!(decoded(&with(&[(2, b"a"), (3, b"a"), (4, b"a")])).is_ok());
    assert!(decoded(&with(&[(2, b"a"), (3, b"a"), (4, b"a"), (5, b"a")])).is_err());
}

proptest! {
    #[test]
    fn lists_of_commitments_round_trip(further in prop::collection::btree_map(2u64.., prop::collection::vec(any::<u8>(), 1..100), 0..=3)) {
        let mut e = with(&[]);
        e.further_commitments = further.into_iter().map(|(scheme, value)| FurtherCommitment { scheme, value }).collect();
        prop_assert_eq!(decoded(&e).unwrap(), e);
    }
}
