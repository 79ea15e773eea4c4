//! The client against a node in this process.

#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

mod it {
    mod seal_put_range;
}
