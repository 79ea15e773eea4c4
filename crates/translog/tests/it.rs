//! Integration tests.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]
#![allow(clippy::cast_possible_truncation, reason = "sizes in tests are small")]

mod it {
    mod bundle;
    mod fixture;
    mod fsck;
    mod log;
    mod merkle;
    mod note;
    mod tile;
    mod vectors;
    mod witness;
}
