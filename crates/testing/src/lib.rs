//! A fleet in one process, for tests: hosts that hold real bytes, honest and cheating, a network with scripted faults, a log with
//! witnesses, a beacon and a clock, around the auditor's own engine. Never a dependency of what ships.
//!
//! - [`Simulation`] runs a schedule of many epochs and hands its dossier to the shipped verifier.
//! - [`Host`] holds [`StoredObject`]s; [`Conduct`] says how it cheats; [`Host::lose`] destroys bytes.
//! - [`NativeProofs`] stands in for the prover: a proof that verifies, exactly when the native statement holds on the bytes given.
//! - [`RealProofs`] proves some of the rounds again for real, in class tiny.
//! - [`Faults`] is what the network does to honest hosts.
//! - [`Seed`]: one number from which everything random follows, so that a run can be repeated.
//! - [`stats`]: exact binomial bounds and the chi-square test, for judging what a simulation counted.
//!
//! Nothing here judges: every count of a test comes from `bailiwick-verifier`, `bailiwick-possession` or `bailiwick-translog`.

mod anchors;
mod beacon;
mod clock;
mod faults;
mod host;
mod log;
mod native;
mod network;
mod object;
mod real;
mod seed;
mod simulation;
pub mod stats;

pub use beacon::BeaconChain;
pub use clock::MockClock;
pub use faults::Faults;
pub use host::{Conduct, Host, OtherQuestion};
pub use log::{LOG_ORIGIN, MemoryLog, WITNESSES};
pub use native::NativeProofs;
pub use network::Network;
pub use object::StoredObject;
pub use real::{RealProofs, RealTally};
pub use seed::{Seed, Stream};
pub use simulation::{CLASS, DAY_MS, PACE, Plan, Simulation};
