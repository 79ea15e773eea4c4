//! Integration tests of `bailiwick-iden3`.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "it/binfile.rs"]
mod binfile;
