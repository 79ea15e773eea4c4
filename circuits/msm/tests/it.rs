//! Integration tests.
#[path = "it/sums.rs"]
mod sums;
