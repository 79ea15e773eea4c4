//! Integration tests of the crate, one binary.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod crash;
    mod failures;
    mod history;
    mod honest;
    mod journal;
    mod reports;
    mod world;
}
