//! One binary: round trips, then one attack a test beside its honest twin.
//! Ids (E27 …) are those of `docs/assurance.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its case has failed")]

mod it {
    mod attacks;
    mod forged;
    mod memory;
    mod names;
    mod round_trip;
}
