//! Typed, blocking HTTP client of a node (spec node-api).
//!
//! Every request but the host's own description is signed (RFC 9421) with the caller's key and names the node it
//! is meant for. Nothing a node answers is believed for its own sake: [`Client::fetch_verified_block`] checks bytes
//! against the root the owner signed, and signed answers are for the caller to verify under pinned keys.

mod blocks;
mod client;
mod error;
mod objects;
mod proofs;
mod transport;

pub use client::{Client, ClientOptions};
pub use error::ClientError;
pub use objects::{FetchedBody, LIST_OBJECTS_MAX, Stored};
pub use proofs::JobId;
