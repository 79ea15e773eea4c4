//! One binary: vectors made by others, then one attack a test beside its honest twin.
//! Ids (E01 …) are those of `docs/assurance.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

mod it {
    mod body;
    mod compact;
    mod compact_vectors;
    mod encapsulation;
    mod envelope;
    mod fixture;
    mod forge;
    mod inside;
    mod keys;
    mod kit;
    mod maker;
    mod nonces;
    mod own_vectors;
    mod p256;
    mod passphrase;
    mod range;
    mod rewrap;
    mod round_trip;
    mod shard;
    mod timing;
    mod two_keys;
    mod vectors;
}
