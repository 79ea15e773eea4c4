//! What an envelope holds beside plain recipients: shard set, passphrase, custody, policy, roles. Each absent or canonical.

use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::{CustodyPart, Envelope, PassphraseEntry, Role, ShardSet};
use bailiwick_protocol::ids::Unit;
use bailiwick_protocol::limits::{CUSTODY_DEALING_BYTES_MAX, PASSPHRASE_MEMORY_KIB_MAX};
use proptest::prelude::*;

use super::messages::{envelope, key};

fn plain() -> Envelope {
    envelope(&key(3), 1000, 2)
}

fn passphrase(memory_kib: u32, passes: u32, lanes: u32) -> Envelope {
    let entry = PassphraseEntry {
        memory_kib,
        passes,
        lanes,
        salt: [1; 16],
        commitment: [2; 32],
        ciphertext: [3; 48],
    };
    Envelope { passphrase: Some(entry), ..plain() }
}

fn sharded(unit: Unit, padded_length: u64, code: u64) -> Envelope {
    Envelope { unit, shards: Some(ShardSet { code, padded_length, bodies: [4; 32] }), ..plain() }
}

fn read(e: &Envelope) -> Result<Envelope, CodecError> {
    Envelope::from_bytes(&e.to_bytes())
}

fn refused(e: &Envelope, what: &str) {
    let error = read(e).expect_err(what).to_string();
    assert!(error.contains(what), "{error}");
}

proptest! {
    #[test]
    fn every_combination_round_trips(which in 0u8..16, k in 1u16..=255, more in 0u16..255, dealing in prop::collection::vec(any::<u8>(), 1..600)) {
        let mut e = plain();
        if which & 1 != 0 && k < 255 {
            let n = k + 1 + more % (255 - k);
            e.unit = Unit { k, n, shard: n - 1, replica: 0 };
            e.shards = Some(ShardSet { code: 1, padded_length: 1 + u64::from(more), bodies: [4; 32] });
        }
        if which & 2 != 0 { e.passphrase = passphrase(1 << 16, 3, 4).passphrase; }
        if which & 4 != 0 {
            e.custody = Some(CustodyPart { dealing, wrapped: [5; 48] });
            e.recipients[0].role = Role::CustodySecret;
            e.recipients[0].ciphertext = vec![6; 112];
        }
        if which & 8 != 0 { e.policy = Some([7; 32]); }
        let bytes = e.to_bytes();
        prop_assert_eq!(Envelope::from_bytes(&bytes), Ok(e));
        let mut longer = bytes;
        longer.push(0);
        prop_assert!(Envelope::from_bytes(&longer).is_err());
    }
}

/// E35: what a hostile header may make its reader spend is bounded before anything is derived.
#[test]
fn e35_argon2_cost_bombs_are_refused() {
    read(&passphrase(1 << 18, 4, 4)).expect("a usual cost");
    read(&passphrase(8, 1, 1)).expect("the least RFC 9106 allows");
    refused(&passphrase(PASSPHRASE_MEMORY_KIB_MAX + 1, 1, 4), "memory outside the limit");
    refused(&passphrase(7, 1, 1), "memory outside the limit");
    refused(&passphrase(1 << 12, 33, 4), "passes outside the limit");
    refused(&passphrase(1 << 12, 0, 4), "passes outside the limit");
    refused(&passphrase(PASSPHRASE_MEMORY_KIB_MAX, 5, 4), "passes outside the limit");
    refused(&passphrase(1 << 12, 1, 17), "lanes outside the limit");
    refused(&passphrase(1 << 12, 1, 0), "lanes outside the limit");
}

#[test]
fn a_shard_set_is_there_exactly_when_an_object_is_split() {
    let split = Unit { k: 2, n: 3, shard: 1, replica: 0 };
    read(&sharded(split, 4096, 1)).expect("honest");
    refused(&sharded(Unit::WHOLE, 4096, 1), "exactly when an object is split");
    refused(&Envelope { unit: split, ..plain() }, "exactly when an object is split");
    refused(&sharded(split, 0, 1), "padded length");
    refused(&sharded(split, 4096, 9), "shard code");
    refused(&sharded(Unit { k: 2, n: 256, shard: 1, replica: 0 }, 4096, 1), "too many shards");
}

#[test]
fn custody_and_role_have_one_encoding_and_a_bound() {
    let custody = |bytes| Envelope {
        custody: Some(CustodyPart { dealing: vec![1; bytes], wrapped: [5; 48] }),
        ..plain()
    };
    read(&custody(CUSTODY_DEALING_BYTES_MAX)).expect("at the bound");
    assert!(read(&custody(CUSTODY_DEALING_BYTES_MAX + 1)).is_err());
    refused(&custody(0), "custody dealing");

    let mut swapped = plain();
    swapped.recipients[0].ciphertext = vec![6; 112];
    refused(&swapped, "recipient ciphertext");
    let mut short = plain();
    short.recipients[0].role = Role::CustodySecret;
    refused(&short, "recipient ciphertext");
}
