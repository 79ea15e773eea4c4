//! The host's daemon: stores sealed objects durably, serves ranges of them, and answers challenges with zero-knowledge
//! proofs of possession, without holding any key that opens what it stores.
//!
//! - [`config`], [`hostkey`], [`init`], [`run`], [`scrub`]: what the command line calls.
//! - [`Server`]: the same node inside another program.
//! - [`replay`]: why a request is accepted once, also across restarts (ADR 0004).
//! - [`openapi_json`]: the API's description (docs/openapi.json), made from the handlers.

mod auth;
pub mod circuits;
mod clock;
pub mod config;
mod descriptors;
mod error;
mod folders;
pub mod hostkey;
mod incoming;
mod init;
mod inventories;
mod layers;
mod load;
pub mod logging;
mod metrics;
mod prover;
mod range;
pub mod replay;
mod routes;
mod run;
mod scrub;
mod server;
mod shares;
mod state;

pub use error::NodeError;
pub use init::{InitOptions, Initialized, init};
pub use routes::{ROUTES, openapi_json};
pub use run::run;
pub use scrub::scrub;
pub use server::{Server, TlsError};
pub use shares::{Capacity, NoPlace};
