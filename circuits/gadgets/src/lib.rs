//! Constraint twins of the native functions: what `bailiwick-possession` computes, as R1CS.
//!
//! - [`Wire`]: a value in the circuit, a variable or a constant.
//! - [`poseidon2`]: the 16-to-1 compression, 555 constraints.
//! - [`select`]: boolean digits and the choice of one of 16 children, 15 constraints.
//!
//! Linear layers cost no variable and no constraint: they are folded into the linear combinations of the
//! next multiplication. No symbolic combination of `ark-relations` is made, so nothing is left to inline.

pub mod poseidon2;
pub mod select;
mod wire;

pub use wire::Wire;
