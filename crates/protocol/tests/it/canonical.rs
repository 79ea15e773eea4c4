//! E22, T16: one message has one encoding; every other spelling of it is an error with a name.

use bailiwick_protocol::bundle::Bundle;
use bailiwick_protocol::challenge::{Challenge, Response};
use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};

use super::messages::{bundle, challenge, envelope, key};

fn honest() -> Vec<u8> {
    envelope(&key(3), 1000, 1).to_bytes()
}

fn refused(bytes: &[u8]) -> CodecError {
    assert!(Envelope::from_bytes(&honest()).is_ok(), "the honest twin must pass");
    Envelope::from_bytes(bytes).expect_err("must be refused")
}

/// E12: bytes after the message.
#[test]
fn e12_trailing_bytes_are_refused() {
    let mut b = honest();
    b.push(0);
    assert_eq!(refused(&b), CodecError::Trailing { left: 1 });
}

/// E22: an integer in a longer form than it needs.
#[test]
fn e22_non_minimal_integer_is_refused() {
    let b = honest();
    // Map header, key 0, then version 1 written as 0x18 0x01.
    let longer = [&b[..2], &[0x18, 0x01], &b[3..]].concat();
    assert_eq!(refused(&longer), CodecError::NotCanonical);
}

/// E22: an indefinite-length map.
#[test]
fn e22_indefinite_length_is_refused() {
    let b = honest();
    let indefinite = [&[0xbf], &b[1..], &[0xff]].concat();
    assert!(matches!(refused(&indefinite), CodecError::Malformed { .. }));
}

/// E22: an indefinite-length byte string inside.
#[test]
fn e22_chunked_string_is_refused() {
    let b = honest();
    let at = b.windows(2).position(|w| w == [0x58, 0x20]).unwrap();
    let chunked = [&b[..at], &[0x5f], &b[at..at + 34], &[0xff], &b[at + 34..]].concat();
    assert!(matches!(refused(&chunked), CodecError::Malformed { .. }));
}

/// T16, E22: the same key twice.
#[test]
fn t16_duplicate_key_is_refused() {
    let b = honest();
    let twice = [&[b[0] + 1], &b[1..3], &b[1..3], &b[3..]].concat();
    assert_eq!(refused(&twice), CodecError::UnknownKey { what: "envelope", key: 0 });
}

/// E22: keys out of order.
#[test]
fn e22_unsorted_keys_are_refused() {
    let b = honest();
    let swapped = [&b[..1], &b[3..5], &b[1..3], &b[5..]].concat();
    assert_eq!(refused(&swapped), CodecError::UnknownKey { what: "envelope", key: 1 });
}

/// E23: a key no version defines.
#[test]
fn e23_unknown_key_is_refused() {
    let b = honest();
    let more = [&[b[0] + 1], &b[1..], &[0x0d, 0x00]].concat();
    assert_eq!(refused(&more), CodecError::UnknownKey { what: "envelope", key: 13 });
}

/// E23: an older, a newer and a huge version; a suite nobody defined.
#[test]
fn e23_unknown_versions_and_suites_are_refused() {
    for (at, what) in [(2, "envelope"), (4, "envelope suite")] {
        for found in [0u8, 2, 23] {
            let mut b = honest();
            b[at] = found;
            assert_eq!(refused(&b), CodecError::UnknownVersion { what, found: u64::from(found) });
        }
    }
}

/// T16: a tag in front of the map.
#[test]
fn t16_tagged_message_is_refused() {
    let tagged = [&[0xc1], honest().as_slice()].concat();
    assert!(matches!(refused(&tagged), CodecError::Malformed { .. }));
}

/// T16: deep nesting cannot exhaust the stack: decoders are typed and do not recurse.
#[test]
fn t16_deep_nesting_is_refused() {
    let deep = vec![0x81; 200_000];
    assert!(matches!(refused(&deep), CodecError::Malformed { .. }));
    assert!(matches!(Bundle::from_bytes(&vec![0xa1; 1 << 20]), Err(CodecError::Malformed { .. })));
}

/// Z21: a length prefix of 2^33 or u64::MAX allocates nothing.
#[test]
fn z21_length_bombs_are_refused() {
    for length in [1u64 << 33, u64::MAX] {
        let mut b = vec![0xa9, 0, 1, 1, 1, 2, 0x5b];
        b.extend(length.to_be_bytes());
        assert!(matches!(refused(&b), CodecError::Malformed { .. }));
        // A list of that many recipients.
        let h = honest();
        let list = h.len() - 1120 - 3 - 2 - 48 - 2 - 2 - 2;
        let mut b = h[..list].to_vec();
        b.extend([9, 0x9b]);
        b.extend(length.to_be_bytes());
        assert!(Envelope::from_bytes(&b).is_err());
    }
}

/// Too long is refused before anything is decoded.
#[test]
fn an_oversized_message_is_refused_unread() {
    let b = vec![0u8; 256 * 1024 + 1];
    assert!(matches!(refused(&b), CodecError::TooLong { what: "envelope", .. }));
}

/// Z15, E07: every prefix of every message is refused.
#[test]
fn e07_truncation_at_every_byte_is_refused() {
    let (a, h, o) = (key(1), key(2), key(3));
    let e = envelope(&o, 1000, 1);
    let c = challenge(&a, &h, std::slice::from_ref(&e));
    let r = Response { challenge: c.digest(), outcome: Ok(vec![1; 128]) };
    let b = bundle(&a, &h, &o, None);
    let s = SignedEnvelope::new(&e, &o);
    fn all_prefixes<T: Canonical>(bytes: &[u8]) {
        assert!(T::from_bytes(bytes).is_ok());
        for n in 0..bytes.len() {
            assert!(T::from_bytes(&bytes[..n]).is_err(), "{} cut to {n} bytes", T::WHAT);
        }
    }
    all_prefixes::<Envelope>(&e.to_bytes());
    all_prefixes::<Challenge>(&c.to_bytes());
    all_prefixes::<Response>(&r.to_bytes());
    all_prefixes::<Bundle>(&b.to_bytes());
    all_prefixes::<SignedEnvelope>(&s.to_bytes());
}

/// P20, Z31: targets with no cells, too many, or a count that does not follow from the size.
#[test]
fn z31_impossible_cell_counts_are_refused() {
    let (a, h, o) = (key(1), key(2), key(3));
    let honest = challenge(&a, &h, &[envelope(&o, 1000, 1)]);
    assert!(Challenge::from_bytes(&honest.to_bytes()).is_ok());
    for (size, cells) in [(0, 0), (1000, 0), (1000, 2), (1000, 4), (496 * 257, 257)] {
        let mut c = honest.clone();
        c.targets[0].size = size;
        c.targets[0].cells = cells;
        assert_eq!(
            Challenge::from_bytes(&c.to_bytes()),
            Err(CodecError::Invalid("target cells")),
            "{size} {cells}"
        );
    }
}

/// One object named twice, or names out of order, would let one loss count twice or hide.
#[test]
fn repeated_or_unsorted_targets_are_refused() {
    let (a, h, o) = (key(1), key(2), key(3));
    let mut e2 = envelope(&o, 1000, 1);
    e2.object.0[0] += 1;
    let sorted = challenge(&a, &h, &[envelope(&o, 1000, 1), e2.clone()]);
    assert!(Challenge::from_bytes(&sorted.to_bytes()).is_ok());
    for bad in [vec![e2.clone(), envelope(&o, 1000, 1)], vec![e2.clone(), e2], vec![]] {
        let c = challenge(&a, &h, &bad);
        assert!(matches!(Challenge::from_bytes(&c.to_bytes()), Err(CodecError::Invalid(_))));
    }
}

/// Body sizes no Cobblestone-256 body can have.
#[test]
fn impossible_body_sizes_are_refused() {
    for size in [0u64, 55, 56, 71, 56 + 16_400, 56 + 16_400 + 15, (496 << 28) + 1, u64::MAX] {
        let mut e = envelope(&key(3), 1000, 1);
        e.body.size = size;
        e.commitment = None;
        assert_eq!(Envelope::from_bytes(&e.to_bytes()), Err(CodecError::Invalid("body size")), "{size}");
    }
    for size in [72u64, 56 + 16_399, 56 + 16_400 + 16] {
        let mut e = envelope(&key(3), 1000, 1);
        e.body.size = size;
        e.commitment = None;
        assert!(Envelope::from_bytes(&e.to_bytes()).is_ok(), "{size}");
    }
}
