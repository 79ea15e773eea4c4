//! Typed, blocking HTTP client of a node (spec node-api).
//!
//! Every request but the host's own description is signed (RFC 9421) with the caller's key and names the node it
//! is meant for. Nothing a node answers is believed for its own sake: [`Client::fetch_verified_block`] and
//! [`Client::verified_body`] check bytes against the root the owner signed, and signed answers are for the caller to
//! verify under pinned keys.
//!
//! Seal a file, store it at a node, and read a range of it back (`examples/seal_put_range.rs`, run here against a node in
//! this process):
//!
//! ```
#![doc = include_str!("../examples/seal_put_range/steps.rs")]
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/seal_put_range/loopback.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let node = Loopback::start()?;
//! # let (plain, sealed) = (node.dir.path().join("plain"), node.dir.path().join("sealed"));
//! # std::fs::write(&plain, vec![7; 4_000_000])?;
//! let (range, blocks) = seal_put_range(&node.client, &node.owner, &plain, &sealed, (2_000_000, 400))?;
//! assert_eq!(range.len(), 400);
//! assert!(blocks <= 7); // those of the first and the last chunk, and of the range; of 32
//! # assert_eq!(range, [7; 400]);
//! # Ok(()) }
//! ```

mod blocks;
mod body;
mod client;
mod error;
mod inventories;
mod objects;
mod proofs;
pub mod retry;
mod tls;
mod transport;

pub use body::VerifiedBody;
pub use client::{Client, ClientOptions};
pub use error::ClientError;
pub use inventories::OWNER_LEAVES_MAX;
pub use objects::{FetchedBody, LIST_OBJECTS_MAX, Stored};
pub use proofs::JobId;
pub use tls::trusting;
