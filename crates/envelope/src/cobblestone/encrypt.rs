//! Streaming encryption.

use std::io::{ErrorKind, IoSliceMut, Read, Write};

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

/// Up to `BATCH_CHUNKS` chunks, each with room for its tag, read and encrypted in place: a batch and what is done to it stay
/// in the second-level cache. Wiped on drop, since an error may leave plaintext in it.
struct Batch {
    bytes: Zeroizing<Vec<u8>>,
    /// Bytes of plaintext, tags not counted.
    plain_len: usize,
    /// Bytes of ciphertext from the first on.
    sealed_len: usize,
    /// Whether the short chunk that ends a body is in it.
    last: bool,
}

impl Batch {
    fn new() -> Self {
        let bytes = Zeroizing::new(vec![0; BATCH_CHUNKS * SEALED_CHUNK_BYTES]);
        Self { bytes, plain_len: 0, sealed_len: 0, last: false }
    }

    /// Reads until every chunk is full or the source ends, in one call if the source scatters.
    fn fill(&mut self, reader: &mut impl Read) -> std::io::Result<()> {
        let mut slots: Vec<IoSliceMut<'_>> = (self.bytes.chunks_exact_mut(SEALED_CHUNK_BYTES))
            .map(|chunk| IoSliceMut::new(&mut chunk[..CHUNK_BYTES]))
            .collect();
        let mut slots = slots.as_mut_slice();
        self.plain_len = 0;
        self.last = false;
        while !slots.is_empty() {
            match reader.read_vectored(slots) {
                Ok(0) => {
                    self.last = true;
                    break;
                }
                Ok(n) => {
                    self.plain_len += n;
                    IoSliceMut::advance_slices(&mut slots, n);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Encrypts the whole chunks and, in the last batch, the short one.
    fn seal(&mut self, keys: &ChunkKeys, first: u64) {
        let (full, rest) = (self.plain_len / CHUNK_BYTES, self.plain_len % CHUNK_BYTES);
        self.sealed_len = full * SEALED_CHUNK_BYTES + if self.last { rest + TAG_BYTES } else { 0 };
        for (index, chunk) in (first..).zip(self.bytes[..self.sealed_len].chunks_mut(SEALED_CHUNK_BYTES)) {
            keys.seal_chunk(index, chunk);
        }
    }

    fn sealed(&self) -> &[u8] {
        &self.bytes[..self.sealed_len]
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
            batch.fill(&mut reader).map_err(CobblestoneError::Read)?;
            Ok(if batch.last { Flow::Last } else { Flow::More })
        },
        work: |index, batch: &mut Batch| {
            batch.seal(keys, first_chunk(index)?);
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

    /// E24: nonces end before they could repeat. 2^38 chunks are 4 PiB, so the limit is tried here and not with a body.
    #[test]
    fn e24_chunks_beyond_the_limit_are_refused() {
        let batches = CHUNKS_MAX / BATCH_CHUNKS as u64;
        assert_eq!(first_chunk(batches - 1).unwrap(), CHUNKS_MAX - BATCH_CHUNKS as u64);
        assert!(matches!(first_chunk(batches), Err(CobblestoneError::TooLong)));
    }
}
