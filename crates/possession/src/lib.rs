//! Storage commitments and the native statement of possession (spec cell-tree, challenge, possession).
//!
//! - [`field`]: BN254 scalars and how bytes become them.
//! - [`poseidon2`]: the permutation and the 16-to-1 compression.
//! - [`tree`]: the cell tree, built from a stream.
//! - [`opening`]: a cell's way to the lifted root; a block's way to the signed root.
//! - [`challenge`]: the transcript and the drawn slots.
//! - [`inventory`]: the Merkle-sum tree over all that a host holds; openings, and ranges of one owner.
//! - [`statement`]: the public input and the native check, clause by clause.
//!
//! No I/O, no clock, no randomness. Feature `parallel` hashes cells on all cores.

pub mod challenge;
pub mod field;
pub mod inventory;
pub mod opening;
pub mod poseidon2;
pub mod statement;
pub mod tree;
