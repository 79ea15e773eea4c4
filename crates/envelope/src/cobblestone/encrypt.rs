//! Streaming encryption.

use std::io::{ErrorKind, Read, Write};

use bailiwick_protocol::ids::ContentId;
use zeroize::Zeroizing;

use super::{
    CHUNK_BYTES, CHUNKS_MAX, ChunkKeys, CobblestoneError, HEADER_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES,
};
use crate::pipeline::{Flow, Stages, run};

/// Chunks that travel through the pipeline together: 1 MiB, so that waking the next thread costs little beside them.
pub(crate) const BATCH_CHUNKS: usize = 64;

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
    pub(super) fn new() -> Self {
        Self {
            plain: Zeroizing::new(vec![0; BATCH_CHUNKS * CHUNK_BYTES]),
            sealed: vec![0; BATCH_CHUNKS * SEALED_CHUNK_BYTES],
            plain_len: 0,
            sealed_len: 0,
            last: false,
        }
    }

    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed[..self.sealed_len]
    }
}

/// Number of the first chunk of a batch.
pub(super) fn first_chunk(batch: u64) -> Result<u64, CobblestoneError> {
    let first = batch * BATCH_CHUNKS as u64;
    if first < CHUNKS_MAX { Ok(first) } else { Err(CobblestoneError::TooLong) }
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
    let stages = Stages {
        read: |batch: &mut Batch| {
            batch.plain_len = fill(&mut reader, &mut batch.plain).map_err(CobblestoneError::Read)?;
            batch.last = batch.plain_len < batch.plain.len();
            Ok(if batch.last { Flow::Last } else { Flow::More })
        },
        work: |index, batch: &mut Batch| {
            seal_batch(keys, first_chunk(index)?, batch);
            Ok(())
        },
        tally: |batch: &Batch| {
            hasher.update(batch.sealed());
            size += batch.sealed_len as u64;
        },
        write: |batch: &Batch| writer.write_all(batch.sealed()).map_err(CobblestoneError::Write),
    };
    run(Batch::new, stages)?;
    writer.flush().map_err(CobblestoneError::Write)?;
    Ok(Encrypted { size, blake3: ContentId(hasher.finalize().into()) })
}

/// Encrypts the whole chunks of a batch and, in the last, the short one.
fn seal_batch(keys: &ChunkKeys, first: u64, batch: &mut Batch) {
    let full = batch.plain_len / CHUNK_BYTES;
    let (plain, rest) = batch.plain[..batch.plain_len].split_at(full * CHUNK_BYTES);
    let (sealed, tail) = batch.sealed.split_at_mut(full * SEALED_CHUNK_BYTES);
    let chunks = plain.chunks_exact(CHUNK_BYTES).zip(sealed.chunks_exact_mut(SEALED_CHUNK_BYTES));
    for (index, (plain, sealed)) in (first..).zip(chunks) {
        keys.seal_chunk(index, plain, sealed);
    }
    batch.sealed_len = sealed.len();
    if batch.last {
        let tail = &mut tail[..rest.len() + TAG_BYTES];
        keys.seal_chunk(first + full as u64, rest, tail);
        batch.sealed_len += tail.len();
    }
}

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

#[cfg(test)]
mod tests {
    use super::{BATCH_CHUNKS, first_chunk};
    use crate::cobblestone::{CHUNKS_MAX, CobblestoneError};

    /// 2^38 chunks are 4 PiB, so the limit is tried here and not with a body.
    #[test]
    fn chunks_beyond_the_limit_are_refused() {
        let batches = CHUNKS_MAX / BATCH_CHUNKS as u64;
        assert_eq!(first_chunk(batches - 1).unwrap(), CHUNKS_MAX - BATCH_CHUNKS as u64);
        assert!(matches!(first_chunk(batches), Err(CobblestoneError::TooLong)));
    }
}
