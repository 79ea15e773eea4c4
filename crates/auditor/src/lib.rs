//! The auditor's engine: audits a fleet of hosts over time by a schedule that is announced in a transparency log, and
//! survives a crash at any step with the very same challenges (spec schedule).
//!
//! - [`Engine`] decides what is due; [`Ports`] and [`Hosts`] act. It reads no clock: moments are arguments.
//! - [`Record`] is one change of state. It is durable before it is acted upon, so a journal that ends anywhere can be
//!   resumed: no nonce, challenge or bundle is ever made twice.
//! - [`FileJournal`] keeps records on disk, [`MemoryJournal`] for simulations.
//! - [`step`] drives an engine in one thread, [`Workers`] asks many hosts side by side.
//! - [`dossier`] is the evidence of a campaign as one file.

mod campaign;
mod dossier;
mod engine;
mod journal;
mod memory;
mod pace;
mod ports;
mod proof;
mod record;
mod run;
mod tally;

pub use campaign::{Campaign, StateError};
pub use dossier::{DossierError, dossier};
pub use engine::{Engine, EngineError, Ports, Report, Task, perform};
pub use journal::{FileJournal, JournalError};
pub use memory::MemoryJournal;
pub use pace::{Moments, Pace};
pub use ports::{
    Beacon, Clock, Entropy, Fault, Hosts, Journal, Log, NoEntropy, Page, Poll, Proof, Purpose, Unanswered,
};
pub use proof::checked_proof;
pub use record::{EntryId, JOURNAL_VERSION, Record};
pub use run::{Workers, step};
pub use tally::{HostTally, Tally};
