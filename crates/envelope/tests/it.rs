//! One binary: vectors made by others, then one attack a test beside its honest twin.
//! Ids (E01 …) are those of `docs/assurance.md`.

mod it {
    mod body;
    mod envelope;
    mod fixture;
    mod inside;
    mod keys;
    mod kit;
    mod range;
    mod round_trip;
    mod two_keys;
    mod vectors;
}
