//! Split objects on disk: n bodies and n envelopes in a folder, any k of which rebuild the object (spec shards).

pub(crate) mod body;
pub(crate) mod folder;
pub(crate) mod member;
pub(crate) mod mend;
pub(crate) mod rebuild;
pub(crate) mod set;
pub(crate) mod staging;
mod work;

pub(crate) use folder::Folder;
pub(crate) use member::Health;
pub(crate) use set::Set;
pub(crate) use work::{in_parallel, threads};

/// Name of a shard's body in its folder; its envelope has `.envelope` appended.
pub(crate) fn body_name(shard: u16) -> String {
    format!("{shard:03}.shard")
}

/// Bytes of all shards that are worked on at a time, about.
const BATCH_BYTES: usize = 8 << 20;

/// Stripes of n shards worked on at a time: some megabytes, so that memory does not grow with n, and decoding's fixed cost does not count.
pub(crate) fn batch_stripes(n: u16) -> usize {
    (BATCH_BYTES / (usize::from(n) * bailiwick_erasure::BLOCK_BYTES)).clamp(2, 64)
}
