//! One encoding for each roster, and none for what is not one.

use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_roster::{Coordinates, KeyKind, Parent, Principal, PublicKey, Role, Roster, SignedRoster};
use proptest::prelude::*;

use super::case::{key, roster, sign};

fn refused(change: impl FnOnce(&mut Roster), what: &'static str) {
    let mut r = roster();
    change(&mut r);
    assert_eq!(Roster::from_bytes(&r.to_bytes()), Err(CodecError::Invalid(what)));
}

#[test]
fn a_roster_comes_back() {
    let r = roster();
    assert_eq!(Roster::from_bytes(&r.to_bytes()).unwrap(), r);
}

/// The digest is BLAKE3 in derive-key mode over the canonical bytes, with the label as context.
#[test]
fn the_digest_is_what_the_specification_says() {
    let r = roster();
    let expected = blake3::derive_key("bailiwick/v1/roster-digest", &r.to_bytes());
    assert_eq!(r.digest().0, expected);
    let mut other = r.clone();
    other.principals[0].law = "FR".parse().unwrap();
    assert_ne!(other.digest(), r.digest());
}

/// Every rule of the text holds for signed bytes too.
#[test]
fn faults_are_refused_on_the_wire() {
    refused(|r| r.number = 0, "roster number");
    refused(|r| r.number = 1 << 63, "roster number");
    refused(|r| r.principals.clear(), "number of principals");
    refused(|r| r.valid_until_unix_ms = r.issued_unix_ms, "validity of the roster");
    refused(|r| r.valid_until_unix_ms = u64::MAX, "validity of the roster");
    refused(|r| r.principals[0].valid_until_unix_ms = 0, "validity of a principal");
    refused(|r| r.principals.swap(0, 1), "order of entries");
    refused(|r| r.principals[0].name = "VENDOR".into(), "name of two principals");
    refused(|r| r.principals[0].keys = r.principals[1].keys.clone(), "key listed twice");
    refused(|r| r.principals[0].keys.clear(), "key of a principal");
    refused(|r| r.principals[0].keys[0].public = vec![0; 32], "key of a principal");
    refused(|r| r.principals[1].pushes_code = vec!["Nobody".into()], "pushes_code");
    refused(|r| r.principals[1].pushes_code = vec!["Tokyo 1".into()], "pushes_code");
    refused(|r| r.principals[1].pushes_code = vec!["Vendor".into(), "Vendor".into()], "pushes_code");
    refused(|r| r.principals[1].pushes_code = vec!["Vendor".into(), "Alice".into()], "order of entries");
    refused(|r| r.principals[0].provider = Some("cloud".into()), "one firm in two spellings");
    refused(
        |r| {
            r.principals[1].coordinates =
                Some(Coordinates { latitude_microdeg: 90_000_001, longitude_microdeg: 0 })
        },
        "coordinates",
    );
}

/// Z15: cut at every length.
#[test]
fn z15_every_truncation_is_refused() {
    let bytes = sign(&roster());
    for n in 0..bytes.len() {
        assert!(SignedRoster::from_bytes(&bytes[..n]).is_err(), "{n} bytes");
    }
    SignedRoster::from_bytes(&bytes).unwrap();
}

/// Z14: bytes after the end, of the wrapper and of the roster in it.
#[test]
fn z14_trailing_bytes_are_refused() {
    let mut bytes = sign(&roster());
    bytes.push(0);
    assert_eq!(SignedRoster::from_bytes(&bytes), Err(CodecError::Trailing { left: 1 }));
    let mut bytes = roster().to_bytes();
    bytes.push(0);
    assert_eq!(Roster::from_bytes(&bytes), Err(CodecError::Trailing { left: 1 }));
}

/// Z21: a list that declares 2^64 - 1 principals is refused by its header.
#[test]
fn z21_length_bombs_are_refused() {
    let mut bytes = roster().to_bytes();
    let at = bytes.windows(2).rposition(|w| w == [8, 0x83]).unwrap();
    bytes.splice(at + 1..at + 2, [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let refused = Roster::from_bytes(&bytes);
    assert_eq!(refused, Err(CodecError::TooMany { what: "principals", found: u64::MAX, max: 4096 }));
}

/// Every bit of the signed bytes matters: none can be changed and still verify.
#[test]
fn no_bit_flip_verifies() {
    let r = roster();
    let bytes = sign(&r);
    for i in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[i / 8] ^= 1 << (i % 8);
        assert!(Roster::open_undated(&changed, &r.authority).is_err(), "bit {i}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9é東]{1,12}( [a-z]{1,8}){0,2}"
}

fn law() -> impl Strategy<Value = bailiwick_roster::Law> {
    prop::sample::select(vec!["JP", "US", "CN", "EU", "ZA"]).prop_map(|l| l.parse().unwrap())
}

prop_compose! {
    fn principal(n: u8)(
        text in name(),
        role in prop::sample::select(Role::ALL.to_vec()),
        site in prop::option::of(name()),
        place in prop::option::of((-90_000_000i32..=90_000_000, -180_000_000i32..=180_000_000)),
        law in law(),
        parent in prop::option::of((prop::option::of(Just("Parent".to_owned())), law())),
        from in 0u64..1_000_000,
        length in 1u64..1_000_000,
    ) -> Principal {
        let mut keys = vec![
            PublicKey { kind: KeyKind::Ed25519, public: key(n).public().to_vec() },
            PublicKey { kind: KeyKind::XWing, public: vec![n; 1216] },
            PublicKey { kind: KeyKind::X25519, public: vec![n ^ 0x80; 32] },
            PublicKey { kind: KeyKind::Ristretto255, public: vec![n | 0x40; 32] },
            PublicKey { kind: KeyKind::P256, public: [&[4][..], &[n; 64]].concat() },
        ];
        keys.sort();
        Principal {
            name: format!("{n:03} {text}"),
            role,
            keys,
            provider: None,
            site,
            coordinates: place.map(|(latitude_microdeg, longitude_microdeg)| Coordinates { latitude_microdeg, longitude_microdeg }),
            country: "JP".parse().unwrap(),
            law,
            parent: parent.map(|(name, law)| Parent { name, law }),
            pushes_code: (0..n).map(|_| String::new()).collect(),
            valid_from_unix_ms: from,
            valid_until_unix_ms: from + length,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_roster_has_one_encoding(a in principal(0), b in principal(1), c in principal(2), previous in any::<Option<[u8; 32]>>()) {
        let mut r = roster();
        let names = [a.name.clone(), b.name.clone()];
        r.principals = vec![a, b, c];
        for (i, p) in r.principals.iter_mut().enumerate() {
            p.pushes_code = names[..i].to_vec();
        }
        r.previous = previous.map(bailiwick_protocol::ids::RosterDigest);
        let bytes = r.to_bytes();
        prop_assert_eq!(Roster::from_bytes(&bytes), Ok(r));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = SignedRoster::from_bytes(&bytes).and_then(|s| s.decode_unverified());
    }
}
