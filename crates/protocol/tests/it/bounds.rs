//! What an envelope's numbers and lists may be, at the bound and one past it; and the decoder's own bounds.

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder};
use bailiwick_protocol::envelope::{CellCommitment, Envelope, Kem, ShardSet};
use bailiwick_protocol::ids::{CellRoot, Unit};
use bailiwick_protocol::limits::{BODY_BYTES_MAX, RECIPIENTS_MAX};

use super::messages::{envelope, key};

fn plain() -> Envelope {
    envelope(&key(3), 1000, 2)
}

fn read(e: &Envelope) -> Result<Envelope, CodecError> {
    Envelope::from_bytes(&e.to_bytes())
}

#[test]
fn generation_zero_is_refused() {
    read(&plain()).unwrap();
    assert_eq!(read(&Envelope { generation: 0, ..plain() }), Err(CodecError::Invalid("generation")));
}

/// E19: each entry costs whoever opens a decapsulation.
#[test]
fn e19_one_recipient_above_the_limit_is_refused() {
    let with = |n| envelope(&key(3), 1000, n);
    read(&with(RECIPIENTS_MAX)).unwrap();
    let many = CodecError::TooMany { what: "recipients", found: 65, max: RECIPIENTS_MAX };
    assert_eq!(read(&with(RECIPIENTS_MAX + 1)), Err(many));
}

/// E23: bodies of a format nobody defined.
#[test]
fn e23_an_unknown_body_format_is_refused() {
    let mut other = plain();
    read(&other).unwrap();
    other.body.format = 2;
    assert_eq!(read(&other), Err(CodecError::UnknownVersion { what: "body format", found: 2 }));
}

#[test]
fn a_padded_length_no_shards_can_hold_is_refused() {
    let with = |padded_length| {
        let unit = Unit { k: 2, n: 3, shard: 1, replica: 0 };
        read(&Envelope {
            unit,
            shards: Some(ShardSet { code: 1, padded_length, bodies: [4; 32] }),
            ..plain()
        })
    };
    with(BODY_BYTES_MAX * 255).unwrap();
    let refused = Err(CodecError::Invalid("shard set: padded length"));
    assert_eq!(with(BODY_BYTES_MAX * 255 + 1), refused);
}

/// The number of cells follows from the body's size; another would let a proof be asked over cells that are not there, or leave some out.
#[test]
fn a_number_of_cells_that_is_not_the_bodys_is_refused() {
    let with = |cells| {
        let commitment = Some(CellCommitment { root: CellRoot([7; 32]), cells });
        read(&Envelope { commitment, ..plain() })
    };
    with(3).unwrap();
    for cells in [0, 2, 4, u64::MAX] {
        assert_eq!(with(cells), Err(CodecError::Invalid("cells")));
    }
}

/// Sizes at the bounds of what a body can have: its header and one tag, and the deepest class.
#[test]
fn body_sizes_at_the_bounds() {
    let with = |size| read(&envelope(&key(3), size, 1)).map(|e| e.body.size);
    for good in [72, 56 + 16_399, 56 + 16_400 + 16, BODY_BYTES_MAX] {
        assert_eq!(with(good), Ok(good), "{good}");
    }
    for bad in [0, 56, 71, 56 + 16_400, 56 + 16_400 + 15, BODY_BYTES_MAX + 1, u64::MAX] {
        assert_eq!(with(bad), Err(CodecError::Invalid("body size")), "{bad}");
    }
}

/// Encapsulated keys shorter and longer than their mechanism's.
#[test]
fn an_encapsulated_key_of_another_length_is_refused() {
    let with = |i: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut e = plain();
        change(&mut e.recipients[i].enc);
        read(&e)
    };
    with(1, &|_| ()).unwrap();
    for i in [0, 1] {
        let short = with(i, &|enc| enc.truncate(enc.len() - 1));
        assert_eq!(short, Err(CodecError::Invalid("encapsulated key")));
        let long = with(i, &|enc| enc.push(9));
        // X-Wing's are the longest there are.
        if plain().recipients[i].kem == Kem::XWing {
            assert!(matches!(long, Err(CodecError::TooLong { what: "encapsulated key", .. })));
        } else {
            assert_eq!(long, Err(CodecError::Invalid("encapsulated key")));
        }
    }
}

/// E23: a mechanism nobody defined. E22: the role that has no encoding of its own, written out.
#[test]
fn e22_e23_unknown_mechanisms_and_roles_are_refused() {
    let mut e = plain();
    // X25519 alone, whose entry is short: map, mechanism 0x20.
    e.recipients.remove(0);
    let good = e.to_bytes();
    let head = good.windows(4).position(|w| w[1..] == [0x00, 0x18, 0x20]).unwrap();
    let mut other = good.clone();
    other[head + 3] = 0x21;
    let unknown = CodecError::UnknownVersion { what: "recipient kem", found: 0x21 };
    assert_eq!(Envelope::from_bytes(&other), Err(unknown));
    // The entry ends the message: ciphertext, then key 4.
    let with_role = |role: u8| {
        let mut bytes = [&good[..], &[4, role]].concat();
        bytes[head] += 1;
        Envelope::from_bytes(&bytes)
    };
    assert_eq!(with_role(1), Err(CodecError::Invalid("recipient role")));
    assert_eq!(with_role(3), Err(CodecError::UnknownVersion { what: "recipient role", found: 3 }));
    assert_eq!(Envelope::from_bytes(&good), Ok(e));
}

/// Z21: what a reader asks the decoder for is bounded whatever the message.
#[test]
fn z21_lists_tuples_and_texts_have_bounds() {
    let list = |bytes: &[u8]| Decoder::new(bytes).list("list", 2);
    assert_eq!(list(&[0x82, 1, 1]), Ok(2));
    assert_eq!(list(&[0x83, 1, 1, 1]), Err(CodecError::TooMany { what: "list", found: 3, max: 2 }));
    assert_eq!(list(&[0x9f, 0xff]), Err(CodecError::Malformed { at: 0 }), "no length");
    let tuple = |bytes: &[u8]| Decoder::new(bytes).tuple(2);
    assert_eq!(tuple(&[0x82, 1, 1]), Ok(()));
    for other in [&[0x81, 1][..], &[0x83, 1, 1, 1], &[0x9f, 1, 1, 0xff], &[0x80]] {
        assert_eq!(tuple(other), Err(CodecError::Malformed { at: 0 }), "{other:?}");
    }
    let text = |bytes: &[u8]| Decoder::new(bytes).text("text", 2).map(str::to_owned);
    assert_eq!(text(b"\x62ab"), Ok("ab".into()));
    assert_eq!(text(b"\x63abc"), Err(CodecError::TooLong { what: "text", len: 3, max: 2 }));
    assert!(matches!(text(b"\x62\xff\xfe"), Err(CodecError::Malformed { .. })), "not UTF-8");
    let small = |bytes: &[u8]| Decoder::new(bytes).uint::<u16>("small");
    assert_eq!(small(&[0x19, 0xff, 0xff]), Ok(u16::MAX));
    assert_eq!(small(&[0x1a, 0, 1, 0, 0]), Err(CodecError::Invalid("small")));
}

/// E22: an empty list of commitments is another spelling of none.
#[test]
fn e22_an_empty_list_of_commitments_is_refused() {
    let none = Envelope { commitment: None, ..plain() };
    let good = none.to_bytes();
    assert_eq!(Envelope::from_bytes(&good), Ok(none));
    // Generation 1, then the list of two recipients.
    let at = good.windows(4).position(|w| w == [8, 1, 9, 0x82]).unwrap();
    let mut bytes = [&good[..at], &[7, 0x80], &good[at..]].concat();
    bytes[0] += 1;
    assert_eq!(Envelope::from_bytes(&bytes), Err(CodecError::Invalid("storage commitments")));
}
