//! E23, E35 and bounds: canonical CBOR signed by the owner, with a value that version 1 does not have.

use super::{Broken, Case, Honest, Released::All, Released::Nothing, case};
use crate::it::forge::Value;
use Value::{Bytes, List, Map, Unsigned};

fn cbor(h: &Honest, change: impl FnOnce(&mut Value)) -> Broken {
    h.small.broken(h.small.cbor(change), h.small.body.clone())
}

fn shard(h: &Honest, change: impl FnOnce(&mut Value)) -> Broken {
    h.shard.broken(h.shard.cbor(change), h.shard.body.clone())
}

fn number(h: &Honest, path: &[u64], value: u64) -> Broken {
    cbor(h, |v| v.set(path, Unsigned(value)))
}

/// A byte string of another length.
fn octets(h: &Honest, path: &[u64], length: usize) -> Broken {
    cbor(h, |v| v.set(path, Bytes(vec![9; length])))
}

fn unit(h: &Honest, numbers: [u16; 4]) -> Broken {
    cbor(h, |v| v.set(&[4], Bytes(numbers.map(u16::to_le_bytes).concat())))
}

fn map(pairs: Vec<(u64, Value)>) -> Value {
    Map(pairs.into_iter().map(|(k, v)| (Unsigned(k), v)).collect())
}

/// A passphrase entry beside the recipients, who could open the object if the envelope were one.
fn passphrase(h: &Honest, memory_kib: u64, passes: u64, lanes: u64) -> Broken {
    let costs = [memory_kib, passes, lanes].map(Unsigned);
    let rest = [16, 32, 48].map(|length| Bytes(vec![9; length]));
    let entry = map((0..).zip(costs.into_iter().chain(rest)).collect());
    cbor(h, |v| v.insert(&[], 10, entry))
}

fn custody(h: &Honest, dealing: usize, wrapped: usize) -> Broken {
    let part = map(vec![(0, Bytes(vec![0; dealing])), (1, Bytes(vec![9; wrapped]))]);
    cbor(h, |v| v.insert(&[], 11, part))
}

fn commitments(h: &Honest, list: Vec<(u64, usize)>) -> Broken {
    let list = list.into_iter().map(|(scheme, n)| map(vec![(0, Unsigned(scheme)), (1, Bytes(vec![7; n]))]));
    cbor(h, |v| v.set(&[7], List(list.collect())))
}

fn secret(h: &Honest, change: impl FnOnce(&mut Value)) -> Broken {
    h.passphrase.broken(h.passphrase.cbor(change), h.passphrase.body.clone())
}

fn part(h: &Honest, change: impl FnOnce(&mut Vec<(u64, Value)>)) -> Broken {
    let mut pairs = vec![(0, Bytes(vec![0; 100])), (1, Bytes(vec![9; 48]))];
    change(&mut pairs);
    cbor(h, |v| v.insert(&[], 11, map(pairs)))
}

/// Bytes of a wrong number, or keys too many or too few: not the form of the table.
const fn form(name: &'static str, comment: &'static str, make: fn(&Honest) -> Broken) -> Case {
    case(name, "envelope-malformed", comment, make, Nothing)
}

/// Every map within the payload has exactly its keys, every value its type and every byte string its length.
pub(super) const FORMS: &[Case] = &[
    form("blake3-short", "a BLAKE3 of 31 bytes", |h| octets(h, &[6, 4], 31)),
    form("blake3-long", "a BLAKE3 of 33 bytes", |h| octets(h, &[6, 4], 33)),
    form("cell-root-short", "a cell root of 31 bytes", |h| octets(h, &[7, 0, 1], 31)),
    form("cell-root-long", "a cell root of 33 bytes", |h| octets(h, &[7, 0, 1], 33)),
    form("shard-digest-short", "a digest of the bodies of 31 bytes", |h| {
        shard(h, |v| v.set(&[5, 2], Bytes(vec![9; 31])))
    }),
    form("shard-digest-long", "a digest of the bodies of 33 bytes", |h| {
        shard(h, |v| v.set(&[5, 2], Bytes(vec![9; 33])))
    }),
    form("shard-set-key-unknown", "a key 3 in the shard set", |h| {
        shard(h, |v| v.insert(&[5], 3, Unsigned(0)))
    }),
    form("shard-set-key-missing", "a shard set without a length", |h| shard(h, |v| v.remove(&[5], 1))),
    form("passphrase-key-unknown", "a key 6 in the passphrase entry", |h| {
        secret(h, |v| v.insert(&[10], 6, Unsigned(0)))
    }),
    form("passphrase-key-missing", "a passphrase entry without lanes", |h| secret(h, |v| v.remove(&[10], 2))),
    form("passphrase-salt-short", "a salt of 15 bytes", |h| {
        secret(h, |v| v.set(&[10, 3], Bytes(vec![9; 15])))
    }),
    form("passphrase-salt-long", "a salt of 17 bytes", |h| {
        secret(h, |v| v.set(&[10, 3], Bytes(vec![9; 17])))
    }),
    form("passphrase-commitment-short", "a commitment of 31 bytes", |h| {
        secret(h, |v| v.set(&[10, 4], Bytes(vec![9; 31])))
    }),
    form("passphrase-ct-short", "a ciphertext of 47 bytes", |h| {
        secret(h, |v| v.set(&[10, 5], Bytes(vec![9; 47])))
    }),
    form("passphrase-ct-long", "a ciphertext of 49 bytes", |h| {
        secret(h, |v| v.set(&[10, 5], Bytes(vec![9; 49])))
    }),
    form("custody-key-unknown", "a key 2 in the custody part", |h| part(h, |p| p.push((2, Unsigned(0))))),
    form("custody-key-missing", "a custody part without a dealing", |h| part(h, |p| drop(p.remove(0)))),
    form("custody-wrapped-long", "a wrapped file key of 49 bytes", |h| custody(h, 100, 49)),
    form("commitment-key-unknown", "a key 3 in the cell tree's commitment", |h| {
        cbor(h, |v| v.insert(&[7, 0], 3, Unsigned(0)))
    }),
    form("commitment-key-missing", "the cell tree's commitment without a root", |h| {
        cbor(h, |v| v.remove(&[7, 0], 1))
    }),
    form("commitment-other-key-unknown", "a key 2 in the commitment of scheme 5", |h| {
        cbor(h, |v| v.insert(&[7, 1], 2, Unsigned(0)))
    }),
    form("type-size", "the body's size as a byte string", |h| cbor(h, |v| v.set(&[6, 3], Bytes(vec![9])))),
    form("type-body", "the body's map as a list", |h| cbor(h, |v| v.set(&[6], List(vec![])))),
    form("type-body-salt", "the body's salt as a number", |h| number(h, &[6, 1], 7)),
    form("type-recipients", "a map for the list of recipients", |h| cbor(h, |v| v.set(&[9], map(vec![])))),
    form("type-recipient", "a list for a recipient's map", |h| cbor(h, |v| v.set(&[9, 0], List(vec![])))),
    form("type-kem", "a recipient's KEM as a byte string", |h| {
        cbor(h, |v| v.set(&[9, 0, 0], Bytes(vec![0, 0x20])))
    }),
    form("type-enc", "an encapsulated key as a list of numbers", |h| {
        cbor(h, |v| v.set(&[9, 0, 2], List(vec![Unsigned(9); 32])))
    }),
    form("type-commitments", "a map for the list of commitments", |h| {
        cbor(h, |v| v.set(&[7], map(vec![(0, Unsigned(5))])))
    }),
    form("type-commitment", "the value of scheme 5 as a number", |h| number(h, &[7, 1, 1], 7)),
    form("type-shard-set", "a list for the shard set", |h| shard(h, |v| v.set(&[5], List(vec![])))),
    form("type-padded-length", "the padded length as a byte string", |h| {
        shard(h, |v| v.set(&[5, 1], Bytes(vec![96])))
    }),
    form("type-passphrase", "a list for the passphrase entry", |h| secret(h, |v| v.set(&[10], List(vec![])))),
    form("type-passphrase-memory", "a passphrase's memory as a byte string", |h| {
        secret(h, |v| v.set(&[10, 0], Bytes(vec![64])))
    }),
    form("type-custody", "a byte string for the custody part", |h| {
        cbor(h, |v| v.insert(&[], 11, Bytes(vec![9; 100])))
    }),
    form("type-dealing", "a dealing as a map", |h| part(h, |p| p[0].1 = map(vec![]))),
    case(
        "custody-without-recipients-of-it",
        "success",
        "a custody part, which a reader without custody passes over: its form is that of the table",
        |h| part(h, |_| ()),
        All,
    ),
];

pub(super) const CASES: &[Case] = &[
    case("version-0", "envelope-unknown", "version 0", |h| number(h, &[0], 0), Nothing),
    case("version-2", "envelope-unknown", "version 2", |h| number(h, &[0], 2), Nothing),
    case("suite-0", "envelope-unknown", "suite 0", |h| number(h, &[1], 0), Nothing),
    case("suite-2", "envelope-unknown", "suite 2", |h| number(h, &[1], 2), Nothing),
    case("body-format-2", "envelope-unknown", "body format 2", |h| number(h, &[6, 0], 2), Nothing),
    case(
        "kem-unknown",
        "envelope-unknown",
        "a recipient with KEM 0x0012",
        |h| number(h, &[9, 0, 0], 0x12),
        Nothing,
    ),
    case(
        "kem-wide",
        "envelope-value",
        "a recipient with KEM 0x10020",
        |h| number(h, &[9, 0, 0], 0x1_0020),
        Nothing,
    ),
    case(
        "kem-of-other-length",
        "envelope-value",
        "X-Wing with an encapsulated key of X25519",
        |h| number(h, &[9, 0, 0], 0x647a),
        Nothing,
    ),
    case(
        "role-unknown",
        "envelope-unknown",
        "a recipient of role 3",
        |h| cbor(h, |v| v.insert(&[9, 0], 4, Unsigned(3))),
        Nothing,
    ),
    case(
        "role-1-written",
        "envelope-value",
        "role 1 is written out",
        |h| cbor(h, |v| v.insert(&[9, 0], 4, Unsigned(1))),
        Nothing,
    ),
    case(
        "role-2-short",
        "envelope-value",
        "role 2 with the ciphertext of role 1",
        |h| cbor(h, |v| v.insert(&[9, 0], 4, Unsigned(2))),
        Nothing,
    ),
    case(
        "role-1-long",
        "envelope-value",
        "role 1 with the ciphertext of role 2",
        |h| octets(h, &[9, 0, 3], 112),
        Nothing,
    ),
    case("ct-short", "envelope-value", "a ciphertext of 47 bytes", |h| octets(h, &[9, 0, 3], 47), Nothing),
    case(
        "enc-short",
        "envelope-value",
        "an encapsulated key of 31 bytes",
        |h| octets(h, &[9, 0, 2], 31),
        Nothing,
    ),
    case(
        "enc-long",
        "envelope-value",
        "an encapsulated key of 33 bytes",
        |h| octets(h, &[9, 0, 2], 33),
        Nothing,
    ),
    case(
        "enc-x-wing-short",
        "envelope-value",
        "an encapsulated key of 1,119 bytes",
        |h| octets(h, &[9, 1, 2], 1119),
        Nothing,
    ),
    case("key-id-short", "envelope-malformed", "a key id of 7 bytes", |h| octets(h, &[9, 0, 1], 7), Nothing),
    case("owner-short", "envelope-malformed", "an owner key of 31 bytes", |h| octets(h, &[2], 31), Nothing),
    case("object-short", "envelope-malformed", "an object id of 15 bytes", |h| octets(h, &[3], 15), Nothing),
    case("unit-short", "envelope-malformed", "a unit of 7 bytes", |h| octets(h, &[4], 7), Nothing),
    case("salt-short", "envelope-malformed", "a salt of 23 bytes", |h| octets(h, &[6, 1], 23), Nothing),
    case(
        "commitment-long",
        "envelope-malformed",
        "a key commitment of 33 bytes",
        |h| octets(h, &[6, 2], 33),
        Nothing,
    ),
    case(
        "policy-short",
        "envelope-malformed",
        "a policy digest of 31 bytes",
        |h| octets(h, &[12], 31),
        Nothing,
    ),
    case("generation-0", "envelope-value", "generation 0", |h| number(h, &[8], 0), Nothing),
    case("unit-k-0", "envelope-value", "any 0 of 1", |h| unit(h, [0, 1, 0, 0]), Nothing),
    case("unit-k-above-n", "envelope-value", "any 2 of 1", |h| unit(h, [2, 1, 0, 0]), Nothing),
    case("unit-shard-at-n", "envelope-value", "shard 1 of one", |h| unit(h, [1, 1, 1, 0]), Nothing),
    case("unit-n-256", "envelope-value", "256 shards", |h| unit(h, [1, 256, 0, 0]), Nothing),
    case(
        "shard-without-set",
        "envelope-value",
        "one of three shards, and no shard set",
        |h| shard(h, |v| v.remove(&[], 5)),
        Nothing,
    ),
    case(
        "shard-set-without-shards",
        "envelope-value",
        "a shard set of an object that is not split",
        |h| {
            let set = map(vec![(0, Unsigned(1)), (1, Unsigned(96)), (2, Bytes(vec![9; 32]))]);
            cbor(h, |v| v.insert(&[], 5, set))
        },
        Nothing,
    ),
    case(
        "shard-code-unknown",
        "envelope-unknown",
        "erasure code 2",
        |h| shard(h, |v| v.set(&[5, 0], Unsigned(2))),
        Nothing,
    ),
    case(
        "shard-length-0",
        "envelope-value",
        "a padded length of 0",
        |h| shard(h, |v| v.set(&[5, 1], Unsigned(0))),
        Nothing,
    ),
    case(
        "shard-length-bomb",
        "envelope-value",
        "a padded length of 2^63",
        |h| shard(h, |v| v.set(&[5, 1], Unsigned(1 << 63))),
        Nothing,
    ),
    case("size-0", "envelope-value", "a body of no bytes", |h| number(h, &[6, 3], 0), Nothing),
    case("size-71", "envelope-value", "a body with room for no tag", |h| number(h, &[6, 3], 71), Nothing),
    case(
        "size-without-last-chunk",
        "envelope-value",
        "a body that ends in a full chunk",
        |h| number(h, &[6, 3], 56 + 16_400),
        Nothing,
    ),
    case("size-bomb", "envelope-value", "a body of 2^63 bytes", |h| number(h, &[6, 3], 1 << 63), Nothing),
    case(
        "commitments-none",
        "envelope-value",
        "an empty list of commitments",
        |h| commitments(h, vec![]),
        Nothing,
    ),
    case("commitment-scheme-0", "envelope-value", "scheme 0", |h| commitments(h, vec![(0, 3)]), Nothing),
    case(
        "commitment-scheme-twice",
        "envelope-value",
        "scheme 5 twice",
        |h| commitments(h, vec![(5, 3), (5, 4)]),
        Nothing,
    ),
    case(
        "commitment-schemes-descend",
        "envelope-value",
        "scheme 9 before scheme 5",
        |h| commitments(h, vec![(9, 3), (5, 3)]),
        Nothing,
    ),
    case(
        "commitment-empty",
        "envelope-value",
        "a commitment of no bytes",
        |h| commitments(h, vec![(5, 0)]),
        Nothing,
    ),
    case(
        "commitment-too-long",
        "envelope-limit",
        "a commitment of 1,025 bytes",
        |h| commitments(h, vec![(5, 1025)]),
        Nothing,
    ),
    case(
        "cells-lie",
        "envelope-value",
        "one cell more than the body has",
        |h| number(h, &[7, 0, 2], 2),
        Nothing,
    ),
    case(
        "argon2-memory-bomb",
        "envelope-value",
        "a passphrase entry that asks for 1 TiB",
        |h| passphrase(h, 1 << 30, 1, 4),
        Nothing,
    ),
    case(
        "argon2-memory-wide",
        "envelope-value",
        "a passphrase entry that asks for 2^32 + 64 KiB",
        |h| passphrase(h, (1 << 32) + 64, 1, 4),
        Nothing,
    ),
    case(
        "argon2-memory-too-small",
        "envelope-value",
        "less than 8 KiB a lane",
        |h| passphrase(h, 31, 3, 4),
        Nothing,
    ),
    case(
        "argon2-passes-0",
        "envelope-value",
        "no pass over the memory",
        |h| passphrase(h, 65_536, 0, 4),
        Nothing,
    ),
    case(
        "argon2-memory-above",
        "envelope-value",
        "1 KiB more than 1 GiB, in one pass",
        |h| passphrase(h, (1 << 20) + 1, 1, 4),
        Nothing,
    ),
    case("argon2-passes-33", "envelope-value", "33 passes", |h| passphrase(h, 65_536, 33, 4), Nothing),
    case("argon2-lanes-0", "envelope-value", "no lane", |h| passphrase(h, 65_536, 3, 0), Nothing),
    case("argon2-lanes-17", "envelope-value", "17 lanes", |h| passphrase(h, 65_536, 3, 17), Nothing),
    case(
        "argon2-work-bomb",
        "envelope-value",
        "1 GiB and 5 passes: each allowed, not together",
        |h| passphrase(h, 1 << 20, 5, 4),
        Nothing,
    ),
    case("custody-dealing-empty", "envelope-value", "an empty dealing", |h| custody(h, 0, 48), Nothing),
    case(
        "custody-dealing-too-long",
        "envelope-limit",
        "a dealing of 172,033 bytes",
        |h| custody(h, 172_033, 48),
        Nothing,
    ),
    case(
        "custody-wrapped-short",
        "envelope-malformed",
        "a wrapped file key of 47 bytes",
        |h| custody(h, 100, 47),
        Nothing,
    ),
];
