//! Integration tests of `bailiwick-iden3`.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "it/binfile.rs"]
mod binfile;
#[path = "it/json.rs"]
mod json;
#[path = "it/small.rs"]
mod small;
#[path = "it/solidity.rs"]
mod solidity;
#[path = "it/systems.rs"]
mod systems;
