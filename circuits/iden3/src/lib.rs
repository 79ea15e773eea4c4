//! The file formats of iden3's tools (circom, snarkjs), so that software nobody here wrote can check what this
//! project makes, and the other way round.
//!
//! | module | what |
//! |---|---|
//! | [`binfile`] | the sectioned container of `.r1cs`, `.wtns`, `.zkey`, `.ptau` |

pub mod binfile;
