//! k-of-n shards of an object, and a second code inside every shard (spec shards).
//!
//! [`Geometry`] says where every byte of the padded plaintext lies. [`StripeEncoder`] makes the n - k further blocks of a
//! stripe, [`StripeDecoder`] gives stripes back from any k shards; [`Splitter`] cuts a stream into batches of stripes. Each block position is coded by itself, so a few hosts that each
//! delete one block of the same stripe would lose it while a random sample notices nothing. Therefore [`parity`] spans each
//! shard with parity blocks, in an order only the shard's key holders know, and [`mend`] repairs blocks known to be lost: up to one in
//! sixteen. A block that cannot be repaired counts its shard lost.
//!
//! Codes repair what is *known* to be wrong. Which blocks and shards those are is for the caller to know, by authentication.
//! Nothing here touches a file: readers and writers are arguments. Memory is one batch, or one group of 3,840 blocks.
//!
//! ```
//! use bailiwick_erasure::{Geometry, StripeDecoder, StripeEncoder};
//! let plain = vec![7u8; 640];
//! let geometry = Geometry::new(5, 7, plain.len() as u64)?; // any 5 of 7 shards rebuild it
//! let mut more = vec![0; 2 * geometry.block_bytes()];
//! StripeEncoder::new(&geometry)?.encode(&plain, &mut more)?;
//! let block = geometry.block_bytes();
//! let held: Vec<(u16, &[u8])> = vec![(6, &more[block..]), (1, &plain[block..2 * block]), (5, &more[..block]),
//!     (3, &plain[3 * block..4 * block]), (4, &plain[4 * block..])];
//! let mut back = vec![0; plain.len()];
//! StripeDecoder::new(&geometry, &[6, 1, 5, 3, 4])?.decode(&held.iter().map(|h| h.1).collect::<Vec<_>>(), &mut back)?;
//! assert_eq!(back, plain);
//! # Ok::<(), bailiwick_erasure::ErasureError>(())
//! ```

mod error;
mod geometry;
mod inner;
mod order;
mod placement;
mod split;
mod stripe;

pub use error::{ErasureError, InnerError};
pub use geometry::{BLOCK_BYTES, GROUP_DATA_BLOCKS_MAX, Geometry, SHARDS_MAX};
pub use inner::{Mended, mend, parity};
pub use order::Order;
pub use placement::{PLACEMENT_BYTES_MAX, Place, Placement, PlacementError};
pub use split::{Batch, Splitter};
pub use stripe::{StripeDecoder, StripeEncoder};

/// Digest of all shards' bodies (spec envelope, clause E15): BLAKE3 over their 32-byte BLAKE3, in the order of the shards.
#[must_use]
pub fn bodies_digest(bodies: &[[u8; 32]]) -> [u8; 32] {
    blake3::hash(bodies.as_flattened()).into()
}
