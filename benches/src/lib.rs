//! What the benches share: medians, processor time and peak memory of processes, the built program.
//!
//! Every bench measures its peer, or the physical limit, in the same run and prints the ratio.

pub mod load;
pub mod process;
pub mod stats;
