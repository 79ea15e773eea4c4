//! E24: a key and nonce never seal two plaintexts.

use std::collections::HashSet;

use bailiwick_envelope::cobblestone::ChunkKeys;
use bailiwick_envelope::{Metadata, Padding, RecipientSecretKey, SealOptions, random_object_id, seal};
use bailiwick_protocol::envelope::{BodyInfo, Kem};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;

use super::fixture::rng;

/// Within a body: a million equal chunks under one key. Equal nonces would give equal ciphertexts.
#[test]
fn e24_a_million_equal_chunks_have_a_million_ciphertexts() {
    let keys = ChunkKeys::derive(&Secret::init_with(|b| *b = [1; 32]), &[2; 24], &[]);
    let sealed = |index| {
        let mut chunk = [0; 32];
        keys.seal_chunk(index, &mut chunk);
        chunk
    };
    let mut seen = HashSet::with_capacity(1 << 20);
    // Also where a counter of 32 bits would begin again, and up to the last chunk there can be.
    for index in (0..1_000_000).chain(1 << 32..(1 << 32) + 1000).chain((1 << 38) - 1000..1 << 38) {
        assert!(seen.insert(sealed(index)), "chunk {index}");
    }
    // The twin: the same index gives the same nonce, which the set sees.
    assert!(!seen.insert(sealed(7)));
}

fn body_of(seed: &mut rand::rngs::StdRng, object: ObjectId, unit: Unit) -> BodyInfo {
    let reader = RecipientSecretKey::generate(Kem::X25519, &mut rng(9)).public();
    let options = SealOptions {
        owner: OwnerKey([7; 32]),
        object,
        unit,
        recipients: &[reader],
        passphrase: None,
        anonymous: false,
        metadata: Metadata::default(),
        padding: Padding::Padme,
    };
    seal(&b"equal"[..], std::io::sink(), &options, seed).unwrap().body().clone()
}

/// Between bodies: equal input, sealed again and again from one generator, never has the same salt or key commitment.
#[test]
fn e24_equal_input_sealed_often_has_fresh_keys_and_salts() {
    let (mut generator, mut salts, mut commitments) = (rng(1), HashSet::new(), HashSet::new());
    let object = random_object_id(&mut generator);
    for i in 0..4000 {
        let body = body_of(&mut generator, object, Unit::WHOLE);
        assert!(salts.insert(body.salt) && commitments.insert(body.key_commitment), "body {i}");
    }
}

/// A generator whose state was copied (a restored snapshot) gives file key and salt again. The body key is bound to object and unit,
/// so that alone another object, or another unit, has other chunk keys; the same unit sealed again from a copied state has not, which is
/// why programs give the system's generator, which notices.
#[test]
fn e24_a_copied_generator_repeats_no_key_for_another_object_or_unit() {
    let (object, copy) = (ObjectId([1; 16]), Unit { replica: 1, ..Unit::WHOLE });
    let first = body_of(&mut rng(1), object, Unit::WHOLE);
    for (object, unit) in [(ObjectId([2; 16]), Unit::WHOLE), (object, copy)] {
        let other = body_of(&mut rng(1), object, unit);
        assert_eq!(other.salt, first.salt, "the state was copied");
        assert_ne!(other.key_commitment, first.key_commitment);
        assert_ne!(other.blake3, first.blake3);
    }
    assert_eq!(body_of(&mut rng(1), object, Unit::WHOLE), first, "what only the generator prevents");
}
