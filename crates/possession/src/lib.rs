//! Storage commitments and the native statement of possession (spec cell-tree, challenge, possession).
//!
//! - [`field`]: BN254 scalars and how bytes become them.
//! - [`poseidon2`]: the permutation and the 16-to-1 compression.
//!
//! No I/O, no clock, no randomness. Feature `parallel` hashes cells on all cores.

pub mod field;
pub mod poseidon2;
