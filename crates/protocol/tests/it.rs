//! Tests of the wire messages: round trips, canonical form, bounds and signatures.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

mod it {
    mod agent;
    mod bounds;
    mod canonical;
    mod commitments;
    mod fleet;
    mod key_file;
    mod key_paths;
    mod key_text;
    mod messages;
    mod public_key;
    mod signed;
}
