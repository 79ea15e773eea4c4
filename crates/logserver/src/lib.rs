//! A transparency log and a witness as processes, and what talks to a log: `docs/spec/v1/log.md`, served by `bailiwick log` and
//! `bailiwick witness`.
//!
//! - **An index that was answered is for good.** Entries and tiles are durable, read back and hashed again before the log signs;
//!   the signed checkpoint is durable before anyone sees it ([`LogDir`], [`LogServer`]).
//! - **A cosignature comes after what it says is durable**, and comparing and keeping are one step ([`WitnessState`]).
//! - Everything decided is decided by `bailiwick-translog`; this crate is files, sockets, clocks and threads.

mod auth;
mod client;
mod config;
mod dir;
mod error;
mod files;
mod http;
mod init;
mod keyfile;
mod log_server;
mod metrics;
mod recent;
mod relay;
mod rounds;
mod sending;
mod sequencer;
mod serve;
mod tls;
mod witness_client;
mod witness_server;
mod witness_state;

pub use client::{Added, ClientError, LogClient};
pub use config::{BeaconConfig, ChainConfig, ConfigError, LogConfig, LogLevel, WitnessConfig, WitnessEntry};
pub use dir::{LogDir, PublishedError};
pub use error::ServerError;
pub use http::{Answer as HttpAnswer, Endpoint};
pub use init::{LogInit, Made, WitnessInit, init_log, init_witness};
pub use keyfile::{KeyFileError, create as create_key, load as load_key};
pub use log_server::{LogServer, open_log};
pub use relay::{BeaconRelay, Clock, RelayOptions};
pub use sequencer::{Outcome, Sequencer, SequencerOptions};
pub use serve::{Listen, run};
pub use tls::{TlsError, TlsFiles};
pub use witness_client::{CosignError, Cosigner};
pub use witness_server::WitnessServer;
pub use witness_state::{Answer, WitnessState};
