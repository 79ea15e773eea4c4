//! Envelopes of shards that verify, each wrong in one field: what an owner's other program may sign. Each is refused or left out by name.

use std::fs;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;

use super::repair::signer;
use super::{body, envelope, opens, owner, refuses, rewrite, sealed};
use crate::it::program::Place;

/// Signs a shard's envelope again with one change, as the same generation.
fn resign(place: &Place, shard: u16, change: impl FnOnce(&mut Envelope)) {
    let path = envelope(place, shard);
    let mut next = bailiwick_envelope::verify(&owner(place), &fs::read(&path).unwrap()).unwrap();
    next.generation -= 1;
    change(&mut next);
    let signed = bailiwick_envelope::sign_next(next, &signer(place)).unwrap();
    fs::write(path, signed.to_bytes()).unwrap();
}

/// Every body of an object has one length, which follows from the length of all.
#[test]
fn a_shard_of_another_length_is_refused_by_name() {
    let place = sealed("2/4", 50_000);
    resign(&place, 3, |_| ());
    assert_eq!(opens(&place, &["s"]), "", "signed again, and nothing changed");
    resign(&place, 3, |e| e.body.size += 16_400);
    let said = refuses(&place, &["s"], "s/003.shard is signed with ");
    assert!(said.contains("its owner made it wrong"), "{said}");
}

/// Envelopes of one making sign one digest over all bodies; when all are here it is compared with what they sign of each.
#[test]
fn a_digest_of_other_bodies_is_refused() {
    let place = sealed("2/4", 50_000);
    for shard in 0..4 {
        resign(&place, shard, |e| e.shards.as_mut().unwrap().bodies = [7; 32]);
    }
    refuses(&place, &["s"], "the digest of all bodies they sign is another one's");
    // Of less than all it cannot be told.
    fs::remove_file(envelope(&place, 3)).unwrap();
    opens(&place, &["s"]);
}

/// What follows the object in its last stripe is zeros: other bytes would be room for what no reader sees.
#[test]
fn a_fill_that_is_not_zero_is_refused() {
    let place = sealed("2/4", 50_000);
    // The second shard's second chunk is the end of the last stripe, past the padding.
    rewrite(&place, 1, 1, |plain| *plain.last_mut().unwrap() = 1);
    let sign = |place: &Place| {
        let blake3 = |shard| *blake3::hash(&fs::read(body(place, shard)).unwrap()).as_bytes();
        let all: Vec<[u8; 32]> = (0..4).map(blake3).collect();
        for shard in 0..4 {
            resign(place, shard, |e| {
                e.body.blake3.0 = all[usize::from(shard)];
                e.shards.as_mut().unwrap().bodies = bailiwick_erasure::bodies_digest(&all);
            });
        }
    };
    sign(&place);
    refuses(&place, &["s/000.shard", "s/001.shard"], "the last stripe is not filled as it must be");
    rewrite(&place, 1, 1, |plain| *plain.last_mut().unwrap() = 0);
    sign(&place);
    opens(&place, &["s/000.shard", "s/001.shard"]);
}
