//! Small values: round trips and sizes, then one attack a test beside its honest twin.

use bailiwick_envelope::compact::{
    BatchOpener, BatchSealer, CompactError, Context, Options, Pad, RECIPIENTS_MAX, SEALED_BYTES_MAX,
    VALUE_BYTES_MAX, from_text, open, seal, to_hex, to_text,
};
use bailiwick_envelope::{RecipientPublicKey, RecipientSecretKey};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::Rng as _;

use super::encapsulation::seal_at;
use super::fixture::{data, rng};
use super::maker::Reader;

fn context() -> Context {
    Context::new("eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "put(bytes)")
        .unwrap()
        .record("invoice-17")
        .unwrap()
}

fn keys(kems: &[Kem], seed: u8) -> Vec<RecipientSecretKey> {
    let mut rng = rng(seed);
    kems.iter().map(|k| RecipientSecretKey::generate(*k, &mut rng)).collect()
}

fn public(keys: &[RecipientSecretKey]) -> Vec<RecipientPublicKey> {
    keys.iter().map(RecipientSecretKey::public).collect()
}

fn owner(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| rng(seed).fill_bytes(b)))
}

fn sealed(kems: &[Kem], options: &Options<'_>) -> (Vec<u8>, Vec<RecipientSecretKey>) {
    let keys = keys(kems, 1);
    (seal(b"1,250.00 EUR", &context(), &public(&keys), options, &mut rng(2)).unwrap(), keys)
}

const ONE: &[Kem] = &[Kem::X25519];
const TWO: &[Kem] = &[Kem::X25519, Kem::XWing];

/// CV9: the sizes that guide and module promise, to the byte.
#[test]
fn overheads_are_as_stated() {
    let signer = owner(9);
    for (kems, committing, overhead) in [
        (&[Kem::X25519][..], false, 57),
        (&[Kem::XWing], false, 1145),
        (&[Kem::P256], false, 90),
        (&[Kem::P256, Kem::X25519], false, 50 + 123 + 90),
        (&[Kem::X25519], true, 50 + 90),
        (&[Kem::X25519; 3], false, 50 + 3 * 90),
        (&[Kem::XWing; 2], false, 50 + 2 * 1178),
    ] {
        let keys = keys(kems, 3);
        for len in [0, 1, 1024, VALUE_BYTES_MAX] {
            let value = data(len, 4);
            let mut options = Options { committing, ..Options::default() };
            let made = seal(&value, &context(), &public(&keys), &options, &mut rng(5)).unwrap();
            assert_eq!(made.len(), len + overhead);
            for key in &keys {
                let copy = Secret::init_with(|b| b.copy_from_slice(key.secret().expose_secret()));
                let key = RecipientSecretKey::from_bytes(key.kem(), copy).unwrap();
                assert_eq!(*open(&made, &context(), &[key], None).unwrap().value, value);
            }
            options.signer = Some(&signer);
            let made = seal(&value, &context(), &public(&keys), &options, &mut rng(5)).unwrap();
            assert_eq!(made.len(), len + overhead + 64);
        }
        let mut batch =
            BatchSealer::new(&context(), &public(&keys), Options::default(), &mut rng(5)).unwrap();
        let per_key: usize = kems.iter().map(|k| 58 + k.enc_bytes()).sum();
        assert_eq!(batch.header().len(), 34 + per_key);
        let value = batch.seal("", b"12345").unwrap();
        assert_eq!(value.len(), 5 + 29);
    }
}

/// The longest thing that can be sealed still reads back.
#[test]
fn the_largest_value_for_the_most_recipients_fits_the_limit() {
    let keys = keys(&[Kem::XWing; RECIPIENTS_MAX], 3);
    let signer = owner(9);
    let options = Options { pad: Pad::Padme, signer: Some(&signer), committing: true };
    let value = data(VALUE_BYTES_MAX, 4);
    let made = seal(&value, &context(), &public(&keys), &options, &mut rng(5)).unwrap();
    assert!(made.len() <= SEALED_BYTES_MAX);
    assert_eq!(*open(&made, &context(), &keys, Some(&OwnerKey(signer.public()))).unwrap().value, value);
    assert_eq!(from_text(&to_text(&made)).unwrap(), made);
    assert_eq!(from_text(&to_hex(&made)).unwrap(), made);
    let one_more =
        seal(&value, &context(), &public(&self::keys(&[Kem::X25519; 17], 3)), &options, &mut rng(5));
    assert_eq!(one_more, Err(CompactError::TooManyRecipients { found: 17 }));
}

/// 64 KiB + 1 is refused by name, in every form; the limit itself is the honest twin above.
#[test]
fn a_value_above_the_limit_is_refused() {
    let too_large = data(VALUE_BYTES_MAX + 1, 1);
    let refused = Err(CompactError::ValueTooLarge { found: VALUE_BYTES_MAX + 1 });
    for kems in [ONE, TWO] {
        let keys = public(&keys(kems, 1));
        assert_eq!(seal(&too_large, &context(), &keys, &Options::default(), &mut rng(2)), refused);
        let mut batch = BatchSealer::new(&context(), &keys, Options::default(), &mut rng(2)).unwrap();
        assert_eq!(batch.seal("", &too_large), refused);
    }
}

/// A value moved to another chain, contract, function or record does not open, in any form.
#[test]
fn every_field_of_the_context_is_bound() {
    let base = ["eip155:1", "0x5f", "put", "a"];
    let of = |p: [&str; 4]| Context::new(p[0], p[1], p[2]).unwrap().record(p[3]).unwrap();
    // Also parts that only differ in where one ends.
    let moved = [
        ["eip155:5", "0x5f", "put", "a"],
        ["eip155:1", "0x60", "put", "a"],
        ["eip155:1", "0x5f", "set", "a"],
        ["eip155:1", "0x5f", "put", "b"],
        ["eip155:1", "0x5f", "put", ""],
        ["eip155:10", "x5f", "put", "a"],
        ["eip155:1", "0x5", "fput", "a"],
        ["eip155:1", "0x5f", "pu", "ta"],
    ];
    for kems in [ONE, &[Kem::XWing], &[Kem::P256], TWO] {
        let keys = keys(kems, 1);
        let made = seal(b"v", &of(base), &public(&keys), &Options::default(), &mut rng(2)).unwrap();
        assert_eq!(*open(&made, &of(base), &keys, None).unwrap().value, b"v");
        for other in moved {
            assert_eq!(open(&made, &of(other), &keys, None), Err(CompactError::NotOpened), "{other:?}");
        }
        let mut batch = BatchSealer::new(&of(base), &public(&keys), Options::default(), &mut rng(2)).unwrap();
        let value = batch.seal("a", b"v").unwrap();
        let opener = BatchOpener::new(batch.header(), &of(base), &keys, None).unwrap();
        assert_eq!(*opener.open("a", &value).unwrap().value, b"v");
        assert_eq!(opener.open("b", &value), Err(CompactError::NotOpened));
        for other in moved.iter().filter(|m| m[..3] != base[..3]) {
            let opened = BatchOpener::new(batch.header(), &of(*other), &keys, None);
            assert_eq!(opened.err(), Some(CompactError::NotOpened), "{other:?}");
        }
    }
}

/// E20: no bit of a value, header or batch value can change.
#[test]
fn e20_every_bit_is_bound() {
    let signer = owner(9);
    let pinned = OwnerKey(signer.public());
    for signed in [None, Some(&signer)] {
        let pinned = signed.map(|_| &pinned);
        for kems in [ONE, &[Kem::X25519, Kem::X25519]] {
            let options = Options { signer: signed, ..Options::default() };
            let (made, keys) = sealed(kems, &options);
            assert!(open(&made, &context(), &keys, pinned).is_ok());
            let mut batch = BatchSealer::new(&context(), &public(&keys), options, &mut rng(2)).unwrap();
            let value = batch.seal("r", b"1,250.00 EUR").unwrap();
            let opener = BatchOpener::new(batch.header(), &context(), &keys, pinned).unwrap();
            assert!(opener.open("r", &value).is_ok());
            let flipped = |bytes: &[u8], bit: usize| {
                let mut bytes = bytes.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            for bit in 0..made.len() * 8 {
                // Two recipients: a change of the one entry must be noticed by the other, too, so both keys are tried.
                for key in 0..keys.len() {
                    let opened = open(&flipped(&made, bit), &context(), &keys[key..], pinned);
                    assert!(opened.is_err(), "value, bit {bit}");
                }
            }
            for bit in 0..batch.header().len() * 8 {
                let header = flipped(batch.header(), bit);
                assert!(BatchOpener::new(&header, &context(), &keys, pinned).is_err(), "header, bit {bit}");
            }
            for bit in 0..value.len() * 8 {
                assert!(opener.open("r", &flipped(&value, bit)).is_err(), "batch value, bit {bit}");
            }
        }
    }
}

/// Every proper prefix and every extension is refused.
#[test]
fn truncated_and_extended_values_are_refused() {
    for kems in [ONE, TWO] {
        let (made, keys) = sealed(kems, &Options::default());
        let mut batch =
            BatchSealer::new(&context(), &public(&keys), Options::default(), &mut rng(2)).unwrap();
        let value = batch.seal("", b"v").unwrap();
        let opener = BatchOpener::new(batch.header(), &context(), &keys, None).unwrap();
        for n in 0..made.len() {
            assert!(open(&made[..n], &context(), &keys, None).is_err(), "{n}");
        }
        for n in 0..batch.header().len() {
            assert!(BatchOpener::new(&batch.header()[..n], &context(), &keys, None).is_err(), "{n}");
        }
        for n in 0..value.len() {
            assert!(opener.open("", &value[..n]).is_err(), "{n}");
        }
        let longer = |b: &[u8]| [b, &[0]].concat();
        assert_eq!(open(&longer(&made), &context(), &keys, None), Err(CompactError::NotOpened));
        assert_eq!(opener.open("", &longer(&value)), Err(CompactError::NotOpened));
        let header = longer(batch.header());
        let opened = BatchOpener::new(&header, &context(), &keys, None);
        assert_eq!(opened.err(), Some(CompactError::Trailing { found: 1 }));
        let long = vec![0x20; SEALED_BYTES_MAX + 1];
        assert_eq!(open(&long, &context(), &keys, None), Err(CompactError::TooLong { found: long.len() }));
    }
}

/// A value readdressed to another key by its id opens for neither.
#[test]
fn a_swapped_key_id_is_refused() {
    let (made, keys) = sealed(ONE, &Options::default());
    let other = self::keys(ONE, 7);
    let mut swapped = made.clone();
    swapped[1..9].copy_from_slice(&other[0].public().key_id());
    assert_eq!(open(&swapped, &context(), &other, None), Err(CompactError::NotOpened));
    assert_eq!(open(&swapped, &context(), &keys, None), Err(CompactError::NoRecipient));
    assert!(open(&made, &context(), &keys, None).is_ok());
}

/// E17, E18, E19: recipients stripped, added, reordered: refused for everyone, those who stay included.
#[test]
fn e17_e18_e19_the_set_of_recipients_is_bound() {
    let kems = [Kem::X25519, Kem::X25519];
    let (made, keys) = sealed(&kems, &Options::default());
    let entry = 90;
    let (first, second) = (&made[2..2 + entry], &made[2 + entry..2 + 2 * entry]);
    let rest = &made[2 + 2 * entry..];
    let stripped = [&[made[0], 1], first, rest].concat();
    let donor =
        seal(b"x", &context(), &public(&self::keys(&kems, 8)), &Options::default(), &mut rng(3)).unwrap();
    let added = [&[made[0], 3], first, second, &donor[2..2 + entry], rest].concat();
    let reordered = [&[made[0], 2], second, first, rest].concat();
    for changed in [&stripped, &added, &reordered] {
        assert_eq!(open(changed, &context(), &keys, None), Err(CompactError::Commitment));
    }
    let twice = [&[made[0], 2], first, first, rest].concat();
    assert_eq!(open(&twice, &context(), &keys, None), Err(CompactError::DuplicateRecipient));
    let none = [&[made[0], 0], rest].concat();
    assert_eq!(open(&none, &context(), &keys, None), Err(CompactError::NoRecipients));
    let bomb = [&[made[0], 17], rest].concat();
    assert_eq!(open(&bomb, &context(), &keys, None), Err(CompactError::TooManyRecipients { found: 17 }));
    assert!(open(&made, &context(), &keys, None).is_ok());
    let again =
        seal(b"x", &context(), &[keys[0].public(), keys[0].public()], &Options::default(), &mut rng(3));
    assert_eq!(again, Err(CompactError::DuplicateRecipient));
}

/// Two ciphertexts under one index: the second is a replay or a forgery, and is named.
#[test]
fn a_repeated_index_is_refused() {
    let keys = keys(ONE, 1);
    let mut batch = BatchSealer::new(&context(), &public(&keys), Options::default(), &mut rng(2)).unwrap();
    let values = [batch.seal("a", b"1").unwrap(), batch.seal("a", b"1").unwrap()];
    assert_ne!(values[0], values[1], "equal values under their own indices");
    let opener = BatchOpener::new(batch.header(), &context(), &keys, None).unwrap();
    let all = |v: [&Vec<u8>; 3]| opener.open_all(v.map(|v| ("a", v.as_slice())));
    assert_eq!(all([&values[0], &values[1], &values[0]]), Err(CompactError::IndexRepeated { index: 0 }));
    let opened = opener.open_all(values.iter().map(|v| ("a", v.as_slice()))).unwrap();
    assert_eq!(opened.iter().map(|o| o.index).collect::<Vec<_>>(), [0, 1]);
    // Values swap places only by their index, which is bound: the tag of one says nothing about the other.
    let mut moved = values[0].clone();
    moved[9..13].copy_from_slice(&values[1][9..13]);
    assert_eq!(opener.open("a", &moved), Err(CompactError::NotOpened));
}

/// E24: 10^5 equal values in a batch, and two batches from one state of the generator: no index and, apart from the forked
/// generator, no ciphertext repeats.
#[test]
fn e24_equal_values_never_repeat() {
    let keys = public(&keys(ONE, 1));
    let mut batch = BatchSealer::new(&context(), &keys, Options::default(), &mut rng(2)).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100_000 {
        assert!(seen.insert(batch.seal("", b"equal").unwrap()[9..].to_vec()));
    }
    let mut next = BatchSealer::new(&context(), &keys, Options::default(), &mut rng(3)).unwrap();
    assert!(seen.insert(next.seal("", b"equal").unwrap()[9..].to_vec()));
}

/// Values and headers of different batches do not mix.
#[test]
fn a_value_of_another_batch_is_refused() {
    let keys = keys(ONE, 1);
    let mut one = BatchSealer::new(&context(), &public(&keys), Options::default(), &mut rng(2)).unwrap();
    let mut two = BatchSealer::new(&context(), &public(&keys), Options::default(), &mut rng(3)).unwrap();
    let opener = BatchOpener::new(one.header(), &context(), &keys, None).unwrap();
    let mut foreign = two.seal("", b"v").unwrap();
    assert_eq!(opener.open("", &foreign), Err(CompactError::OtherBatch));
    foreign[1..9].copy_from_slice(&one.seal("", b"v").unwrap()[1..9]);
    assert_eq!(opener.open("", &foreign), Err(CompactError::NotOpened));
    assert!(opener.open("", &one.seal("", b"v").unwrap()).is_ok());
    // And forms do not mix either.
    let refused = open(&one.seal("", b"v").unwrap(), &context(), &keys, None);
    assert!(matches!(refused, Err(CompactError::WrongForm { .. })));
    let (single, _) = sealed(ONE, &Options::default());
    assert!(matches!(opener.open("", &single), Err(CompactError::WrongForm { .. })));
}

/// A signature is the owner's, for this context, or there is none; stripping it leaves nothing that opens.
#[test]
fn signatures_are_pinned_and_cannot_be_stripped() {
    let (alice, mallory) = (owner(9), owner(10));
    let (a, m) = (OwnerKey(alice.public()), OwnerKey(mallory.public()));
    for kems in [ONE, TWO] {
        let (made, keys) = sealed(kems, &Options { signer: Some(&alice), ..Options::default() });
        assert_eq!(open(&made, &context(), &keys, Some(&a)).unwrap().owner, Some(a));
        assert_eq!(open(&made, &context(), &keys, None), Err(CompactError::OwnerNeeded));
        assert_eq!(open(&made, &context(), &keys, Some(&m)), Err(CompactError::Signature));
        let mut stripped = made[..made.len() - 64].to_vec();
        assert!(open(&stripped, &context(), &keys, Some(&a)).is_err());
        stripped[0] &= !0x08;
        assert_eq!(open(&stripped, &context(), &keys, Some(&a)), Err(CompactError::NotSigned));
        assert!(matches!(
            open(&stripped, &context(), &keys, None),
            Err(CompactError::NotOpened | CompactError::Commitment)
        ));
        // Mallory puts her own signature where Alice's was: her key was not bound in when the value was sealed.
        let mut resigned = made[..made.len() - 64].to_vec();
        let mut message = vec![resigned[0]];
        message.extend_from_slice(m.as_bytes());
        for part in ["eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "put(bytes)", "invoice-17"] {
            message.extend_from_slice(&u16::try_from(part.len()).unwrap().to_le_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        message.extend_from_slice(&resigned);
        let label = bailiwick_protocol::labels::Label::CompactSignature;
        resigned.extend_from_slice(&mallory.sign(label, &message).0);
        assert_eq!(open(&resigned, &context(), &keys, Some(&m)), Err(CompactError::NotOpened));
        let (unsigned, keys) = sealed(kems, &Options::default());
        assert_eq!(open(&unsigned, &context(), &keys, Some(&a)), Err(CompactError::NotSigned));
        assert_eq!(open(&unsigned, &context(), &keys, None).unwrap().owner, None);
    }
}

/// A recipient holds the batch's key and could write values; a signed batch shows that the owner did not.
#[test]
fn a_signed_batch_takes_no_unsigned_value() {
    let alice = owner(9);
    let a = OwnerKey(alice.public());
    let keys = keys(ONE, 1);
    let options = Options { signer: Some(&alice), ..Options::default() };
    let mut batch = BatchSealer::new(&context(), &public(&keys), options, &mut rng(2)).unwrap();
    let opener = BatchOpener::new(batch.header(), &context(), &keys, Some(&a)).unwrap();
    let value = batch.seal("r", b"v").unwrap();
    assert_eq!(opener.open("r", &value).unwrap().owner, Some(a));
    let mut stripped = value[..value.len() - 64].to_vec();
    stripped[0] &= !0x08;
    assert_eq!(opener.open("r", &stripped), Err(CompactError::NotSigned));
}

/// E21: a low-order key is refused on sealing and, as an encapsulated key, on opening.
#[test]
fn e21_low_order_points_are_refused() {
    // RFC 7748 section 6.1 and its usual list: 0, 1, p - 1, p, p + 1, two of order 8.
    let mut points: Vec<[u8; 32]> = vec![[0; 32], [0; 32]];
    points[1][0] = 1;
    for first in [0xec, 0xed, 0xee] {
        let mut p = [0xff; 32];
        (p[0], p[31]) = (first, 0x7f);
        points.push(p);
    }
    for text in [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ] {
        points.push(hex::decode(text).unwrap().try_into().unwrap());
    }
    for point in points {
        assert!(RecipientPublicKey::from_bytes(Kem::X25519, &point).is_err());
        for kem in [Kem::X25519, Kem::XWing] {
            let (value, keys) = sealed_at(kem, point);
            assert_eq!(open(&value, &context(), &keys, None), Err(CompactError::NotOpened), "{point:x?}");
        }
    }
}

/// CV9, E22: nor does another encoding of an encapsulated key; the key itself does.
#[test]
fn e22_another_encoding_of_an_encapsulated_key_is_refused() {
    let nine = core::array::from_fn(|i| if i == 0 { 9 } else { 0 });
    let (mut high, mut above) = (nine, [0xff; 32]);
    high[31] = 0x80;
    (above[0], above[31]) = (0xf6, 0x7f);
    for kem in [Kem::X25519, Kem::XWing] {
        for (point, opens) in [(nine, true), (high, false), (above, false)] {
            let (value, keys) = sealed_at(kem, point);
            assert_eq!(open(&value, &context(), &keys, None).is_ok(), opens, "{kem:?} {point:x?}");
        }
    }
}

/// A value that opens for whoever takes this X25519 part of the encapsulated key as it is.
fn sealed_at(kem: Kem, point: [u8; 32]) -> (Vec<u8>, Vec<RecipientSecretKey>) {
    let keys = keys(&[kem], 1);
    let reader = Reader { kem, secret: *keys[0].secret().expose_secret() };
    let first = if kem == Kem::X25519 { 0x20 } else { 0x21 };
    let mut binding = vec![first];
    for part in ["eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "put(bytes)", "invoice-17"] {
        binding.extend_from_slice(&u16::try_from(part.len()).unwrap().to_le_bytes());
        binding.extend_from_slice(part.as_bytes());
    }
    let info = |id: &[u8; 8]| [b"bailiwick/v1/compact-value", &binding[..], id].concat();
    let (id, enc, ciphertext) = seal_at(&reader, point, b"1,250.00 EUR", info);
    ([&[first], &id[..], &enc, &ciphertext].concat(), keys)
}

/// Padding: every value comes back, lengths are those asked for, and a malformed mark is refused.
#[test]
fn padding_hides_and_returns_the_length() {
    let keys = keys(ONE, 1);
    for len in [0usize, 1, 7, 63, 64, 100, 1000] {
        // Zeros and marks at the end of the value are the value's own.
        let mut value = data(len, 3);
        for tail in [0x80, 0, 0x55] {
            if let Some(last) = value.last_mut() {
                *last = tail;
            }
            for (pad, expected) in [(Pad::To(1024), Some(1024)), (Pad::Padme, None)] {
                let options = Options { pad, ..Options::default() };
                let made = seal(&value, &context(), &public(&keys), &options, &mut rng(2)).unwrap();
                assert!(expected.is_none_or(|n| made.len() == n + 57));
                assert_eq!(*open(&made, &context(), &keys, None).unwrap().value, value);
            }
        }
    }
    let options = Options { pad: Pad::To(5), ..Options::default() };
    let refused = seal(b"12345", &context(), &public(&keys), &options, &mut rng(2));
    assert_eq!(refused, Err(CompactError::PadTo { found: 5, to: 5 }));
    let options = Options { pad: Pad::To(u32::MAX), ..Options::default() };
    assert!(seal(b"12345", &context(), &public(&keys), &options, &mut rng(2)).is_err());
}

/// One spelling each: case, padding, prefixes, spaces and stray bits are refused.
#[test]
fn e22_text_has_one_spelling() {
    let (made, _) = sealed(ONE, &Options::default());
    let (text, hex) = (to_text(&made), to_hex(&made));
    assert_eq!(from_text(&text).unwrap(), made);
    assert_eq!(from_text(&hex).unwrap(), made);
    let upper = format!("0x{}", hex[2..].to_uppercase());
    // 69 bytes leave no stray bits; 68 do.
    let stray = to_text(&made[..68]);
    let stray = format!("{}{}", &stray[..stray.len() - 1], if stray.ends_with('_') { '-' } else { '_' });
    for bad in [
        "".into(),
        text[5..].to_owned(),
        hex[2..].to_owned(),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("BWC1.{}", &text[5..]),
        upper,
        format!("{hex}0"),
        stray,
    ] {
        assert_eq!(from_text(&bad), Err(CompactError::Text), "{bad}");
    }
}

/// Contexts with nothing in them, or too much.
#[test]
fn contexts_are_bounded() {
    assert!(Context::new(&"x".repeat(255), "c", "f").is_ok());
    for (chain, contract, function) in [("", "c", "f"), ("c", "", "f"), ("c", "c", "")] {
        let refused = Context::new(chain, contract, function);
        assert!(matches!(refused, Err(CompactError::Context { found: 0, .. })));
    }
    assert!(Context::new(&"x".repeat(256), "c", "f").is_err());
    assert!(Context::new("c", "c", "f").unwrap().record(&"x".repeat(256)).is_err());
}
