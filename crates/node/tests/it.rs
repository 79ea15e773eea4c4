//! A real node on loopback, asked by the real client and by hand-made requests.

#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

#[expect(unreachable_pub, reason = "test support is shared by the files below only")]
mod it {
    mod auth;
    mod bodies;
    mod envelopes;
    mod faults;
    mod faulty;
    mod inventories;
    mod limits;
    mod operations;
    mod proofs;
    mod reads;
    mod support;
}
