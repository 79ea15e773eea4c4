//! Integration tests.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod client;
    mod crash;
    mod fixture;
    #[allow(dead_code, reason = "written for the store's tests, which use all of it")]
    #[path = "../../../store/tests/it/forgetful.rs"]
    mod forgetful;
    mod http;
    mod relay;
    mod sequencer;
    mod stub;
    mod witness;
}
