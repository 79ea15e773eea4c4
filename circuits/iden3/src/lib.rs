//! The file formats of iden3's tools (circom, snarkjs), so that software nobody here wrote can check what this
//! project makes, and the other way round.
//!
//! | module | what |
//! |---|---|
//! | [`binfile`] | the sectioned container of `.r1cs`, `.wtns`, `.zkey`, `.ptau` |
//! | [`r1cs`], [`wtns`] | a constraint system, the value of every wire |
//! | [`json`] | verifying keys, proofs and public inputs, as snarkjs writes them |
//! | [`solidity`] | a verifier contract for a key, and its call data |
//! | `zkey` (feature `keys`) | proving keys with the record of their ceremony |
//! | `ptau` (feature `keys`) | powers of tau: reading, checking, preparing for phase 2 |
//! | `ceremony` (feature `keys`) | phase 2: initial key, contributions, beacon, verification |
//! | `import` (feature `keys`) | a snarkjs key as one our prover takes |

pub mod binfile;
#[cfg(feature = "keys")]
pub mod ceremony;
#[cfg(feature = "keys")]
mod import;
pub mod json;
#[cfg(feature = "keys")]
mod points;
#[cfg(feature = "keys")]
pub mod ptau;
pub mod r1cs;
pub mod solidity;
pub mod wtns;
#[cfg(feature = "keys")]
pub mod zkey;

#[cfg(feature = "keys")]
pub use import::{ImportError, import};
#[cfg(feature = "keys")]
pub use points::PointFault;
