//! Fuzz targets, one per public decoder: bytes in, no panic, and what was accepted must hold what its decoder promises.
//!
//! Two ways to run them:
//! - `cargo run --release -p bailiwick-fuzz --bin fuzz-smoke`: stable toolchain, deterministic, mutates the seeds of
//!   each target for a few seconds; part of CI.
//! - any coverage-guided engine: call [`Target::run`] with its input; [`Target::seeds`] is the first corpus
//!   (`fuzz-smoke --write-corpus DIR`).

pub mod mutate;
pub mod targets;

pub use targets::{TARGETS, Target};
