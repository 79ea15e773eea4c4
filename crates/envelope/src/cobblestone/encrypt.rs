//! Streaming encryption.

use std::io::{ErrorKind, Read, Write};

use bailiwick_protocol::ids::ContentId;
use zeroize::Zeroizing;

use super::{
    CHUNK_BYTES, CHUNKS_MAX, ChunkKeys, CobblestoneError, HEADER_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES,
};
use crate::pipeline::{Flow, run};

/// Chunks that travel through the pipeline together: 1 MiB, large against a system call, small against a cache.
pub(crate) const BATCH_CHUNKS: usize = 64;
/// Batches in flight: one at each of the three stages and one spare between each pair.
pub(crate) const RING: usize = 5;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Bytes of the body, header included.
    pub size: u64,
    /// BLAKE3 of the whole body.
    pub blake3: ContentId,
}

/// Plaintext and ciphertext of up to `BATCH_CHUNKS` chunks.
pub(super) struct Batch {
    pub(super) plain: Zeroizing<Vec<u8>>,
    pub(super) sealed: Vec<u8>,
    pub(super) plain_len: usize,
    pub(super) sealed_len: usize,
    /// Whether the short chunk that ends a body is in it.
    pub(super) last: bool,
}

impl Batch {
    pub(super) fn ring() -> Vec<Self> {
        let ring = if cfg!(feature = "parallel") { RING } else { 1 };
        (0..ring)
            .map(|_| Self {
                plain: Zeroizing::new(vec![0; BATCH_CHUNKS * CHUNK_BYTES]),
                sealed: vec![0; BATCH_CHUNKS * SEALED_CHUNK_BYTES],
                plain_len: 0,
                sealed_len: 0,
                last: false,
            })
            .collect()
    }
}

/// Encrypts everything `reader` gives into `writer`, in bounded memory, hashing the body in the same pass.
///
/// A salt and key must never be used for two plaintexts: derive `keys` from a fresh random salt or key.
///
/// # Errors
/// `Read`, `Write`, `TooLong`. What was written until then is not a whole body.
pub fn encrypt(
    mut reader: impl Read + Send,
    mut writer: impl Write + Send,
    keys: &ChunkKeys,
) -> Result<Encrypted, CobblestoneError> {
    let header = keys.header();
    writer.write_all(&header).map_err(CobblestoneError::Write)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let mut size = HEADER_BYTES as u64;
    let mut index = 0u64;

    run(
        Batch::ring(),
        |batch| {
            batch.plain_len = fill(&mut reader, &mut batch.plain).map_err(CobblestoneError::Read)?;
            batch.last = batch.plain_len < batch.plain.len();
            Ok(if batch.last { Flow::Last } else { Flow::More })
        },
        |batch| {
            seal_batch(keys, index, batch);
            let sealed = &batch.sealed[..batch.sealed_len];
            hasher.update(sealed);
            size += sealed.len() as u64;
            index += BATCH_CHUNKS as u64;
            if index > CHUNKS_MAX { Err(CobblestoneError::TooLong) } else { Ok(()) }
        },
        |batch| writer.write_all(&batch.sealed[..batch.sealed_len]).map_err(CobblestoneError::Write),
    )?;
    writer.flush().map_err(CobblestoneError::Write)?;
    Ok(Encrypted { size, blake3: ContentId(hasher.finalize().into()) })
}

/// Encrypts the whole chunks of a batch and, in the last, the short one.
fn seal_batch(keys: &ChunkKeys, first: u64, batch: &mut Batch) {
    let full = batch.plain_len / CHUNK_BYTES;
    let (plain, rest) = batch.plain[..batch.plain_len].split_at(full * CHUNK_BYTES);
    let (sealed, tail) = batch.sealed.split_at_mut(full * SEALED_CHUNK_BYTES);
    for_each_chunk(plain, sealed, |i, plain, sealed| keys.seal_chunk(first + i, plain, sealed));
    batch.sealed_len = sealed.len();
    if batch.last {
        let tail = &mut tail[..rest.len() + TAG_BYTES];
        keys.seal_chunk(first + full as u64, rest, tail);
        batch.sealed_len += tail.len();
    }
}

fn for_each_chunk(plain: &[u8], sealed: &mut [u8], f: impl Fn(u64, &[u8], &mut [u8]) + Sync) {
    #[cfg(feature = "parallel")]
    if rayon::current_num_threads() > PIPELINE_CORES {
        use rayon::prelude::*;
        plain
            .par_chunks_exact(CHUNK_BYTES)
            .zip(sealed.par_chunks_exact_mut(SEALED_CHUNK_BYTES))
            .enumerate()
            .with_min_len(8)
            .for_each(|(i, (p, s))| f(i as u64, p, s));
        return;
    }
    for (i, (p, s)) in
        plain.chunks_exact(CHUNK_BYTES).zip(sealed.chunks_exact_mut(SEALED_CHUNK_BYTES)).enumerate()
    {
        f(i as u64, p, s);
    }
}

/// Cores the three overlapped stages keep busy by themselves; only beyond that are chunks spread further.
#[cfg(feature = "parallel")]
pub(super) const PIPELINE_CORES: usize = 2;

/// Reads until `buffer` is full or the source ends; bytes read.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
