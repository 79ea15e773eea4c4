//! Integration tests of the crate, one binary.

#[path = "it/poseidon2.rs"]
mod poseidon2;
