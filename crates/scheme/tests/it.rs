//! Integration tests of the scheme boundary.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

#[path = "it/first.rs"]
mod first;
