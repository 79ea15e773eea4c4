//! Ids, units, limits, domain labels, the canonical codec, message types and secret newtypes of bailiwick.
//!
//! This crate is what every other one agrees on. It holds no I/O, no clock, no randomness and no
//! cryptographic construction beyond signatures over its own messages. The wire formats are specified in
//! `docs/spec/v1`; module docs cite the clauses.

pub mod agent;
pub mod api;
pub mod beacon;
pub mod bundle;
pub mod challenge;
pub mod codec;
pub mod dossier;
pub mod envelope;
pub mod http_signature;
pub mod ids;
pub mod inventory;
pub mod key_card;
pub mod key_file;
pub mod key_text;
pub mod labels;
pub mod limits;
pub mod schedule;
pub mod secret;
pub mod signing;
pub mod text;
pub mod time;
