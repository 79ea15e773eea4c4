//! Integration tests of the crate, one binary.
#![expect(
    clippy::cast_possible_truncation,
    clippy::type_complexity,
    reason = "test data is small, and tables of attacks are read in place"
)]

#[path = "it/block.rs"]
mod block;
#[path = "it/challenge.rs"]
mod challenge;
#[path = "it/constants.rs"]
mod constants;
#[path = "it/fixture.rs"]
mod fixture;
#[path = "it/inventory.rs"]
mod inventory;
#[path = "it/inventory_vectors.rs"]
mod inventory_vectors;
#[path = "it/opening.rs"]
mod opening;
#[path = "it/oracle.rs"]
mod oracle;
#[path = "it/owner_range.rs"]
mod owner_range;
#[path = "it/poseidon2.rs"]
mod poseidon2;
#[path = "it/same_word.rs"]
mod same_word;
#[path = "it/sampled_leaves.rs"]
mod sampled_leaves;
#[path = "it/statement.rs"]
mod statement;
#[path = "it/tree.rs"]
mod tree;
#[path = "it/vectors.rs"]
mod vectors;
