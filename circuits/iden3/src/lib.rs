//! The file formats of iden3's tools (circom, snarkjs), so that software nobody here wrote can check what this
//! project makes, and the other way round.
//!
//! | module | what |
//! |---|---|
//! | [`binfile`] | the sectioned container of `.r1cs`, `.wtns`, `.zkey`, `.ptau` |
//! | [`r1cs`], [`wtns`] | a constraint system, the value of every wire |
//! | [`json`] | verifying keys, proofs and public inputs, as snarkjs writes them |
//! | [`solidity`] | a verifier contract for a key, and its call data |

pub mod binfile;
pub mod json;
pub mod r1cs;
pub mod solidity;
pub mod wtns;
