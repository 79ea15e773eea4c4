//! E23, E35 and bounds: canonical CBOR signed by the owner, with a value that version 1 does not have.

use super::{Broken, Case, Honest, Released::Nothing, case};
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
        "envelope-limit",
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
