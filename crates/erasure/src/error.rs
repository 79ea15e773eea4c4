//! Why something cannot be split or rebuilt.

use std::io;

/// Splitting and rebuilding across shards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErasureError {
    /// k and n outside 1 <= k <= n <= 255, n >= 2.
    #[error("{k} of {n} shards: 1 <= k <= n <= 255 and n >= 2 are possible")]
    Count {
        /// Shards that rebuild.
        k: u16,
        /// Shards made.
        n: u16,
    },
    /// An object of no bytes, or one whose shards would exceed 2^32 blocks.
    #[error("an object of {bytes} bytes cannot be split")]
    Length {
        /// Bytes of the padded plaintext.
        bytes: u64,
    },
    /// Fewer than k shards.
    #[error("{found} shards are usable, {needed} are needed")]
    TooFew {
        /// k.
        needed: u16,
        /// Usable shards.
        found: usize,
    },
    /// The same shard twice.
    #[error("shard {0} is given twice")]
    Duplicate(u16),
    /// A shard number of n or more.
    #[error("there is no shard {0}")]
    NoSuchShard(u16),
    /// A buffer that is not whole stripes of this geometry.
    #[error("a buffer has the wrong length for this split")]
    Buffer,
    /// What fills the last stripe is not zeros, or the length is another than was signed: the owner made it wrong.
    #[error("the last stripe is not filled as it must be")]
    Fill,
    /// The input of a split failed.
    #[error("cannot read the input")]
    Read(#[source] io::Error),
}

/// Making and using the parity inside one shard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InnerError {
    /// More blocks of one group are lost than its parity repairs.
    #[error(
        "{lost} of the blocks of group {group} are lost, at most {limit} can be repaired: the shard counts as lost"
    )]
    Limit {
        /// Number of the group, from 0.
        group: u64,
        /// Blocks lost in it.
        lost: u64,
        /// Parity blocks of a group.
        limit: u64,
    },
    /// A block cannot be read.
    #[error("cannot read the shard")]
    Read(#[source] io::Error),
    /// A block cannot be written.
    #[error("cannot write the shard")]
    Write(#[source] io::Error),
}
