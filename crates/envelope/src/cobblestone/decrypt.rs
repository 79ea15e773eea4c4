//! Streaming decryption.

use std::io::{Read, Write};

use bailiwick_protocol::ids::ContentId;
use bailiwick_protocol::secret::Secret;
use zeroize::Zeroizing;

use super::encrypt::{BATCH_CHUNKS, Encrypted, fill, first_chunk};
use super::{
    Backend, CHUNK_BYTES, ChunkKeys, CobblestoneError, HEADER_BYTES, SALT_BYTES, SEALED_CHUNK_BYTES,
    TAG_BYTES,
};
use crate::pipeline::{Flow, Stages, run};

/// Decrypts a whole body from `reader` into `writer`, in bounded memory; returns its size and BLAKE3.
///
/// Only chunks whose tag verified reach `writer`, in order: what it received when an error is returned is
/// a prefix of what was encrypted. It is the *whole* plaintext only when `Ok` is returned.
///
/// # Errors
/// `HeaderTruncated`, `Commitment` before any chunk is touched; `Chunk`, `Truncated`, `TooLong`, `Read`, `Write`.
pub fn decrypt(
    reader: impl Read + Send,
    writer: impl Write + Send,
    input_key: &Secret<32>,
    context: &[u8],
) -> Result<Encrypted, CobblestoneError> {
    decrypt_for(Backend::DEFAULT, reader, writer, input_key, context)
}

/// Like [`decrypt`], with a choice of implementation.
///
/// # Errors
/// As [`decrypt`].
pub fn decrypt_for(
    backend: Backend,
    mut reader: impl Read + Send,
    mut writer: impl Write + Send,
    input_key: &Secret<32>,
    context: &[u8],
) -> Result<Encrypted, CobblestoneError> {
    let header = read_header(&mut reader)?;
    let (salt, commitment) = split_header(&header);
    let keys = ChunkKeys::derive_for(backend, input_key, salt, context);
    if !keys.commits(commitment) {
        return Err(CobblestoneError::Commitment);
    }
    let done = decrypt_chunks(reader, &keys, None, |plain| {
        writer.write_all(plain).map_err(CobblestoneError::Write)
    })?;
    writer.flush().map_err(CobblestoneError::Write)?;
    Ok(done)
}

pub(crate) fn read_header(reader: &mut impl Read) -> Result<[u8; HEADER_BYTES], CobblestoneError> {
    let mut header = [0; HEADER_BYTES];
    match fill(reader, &mut header).map_err(CobblestoneError::Read)? {
        HEADER_BYTES => Ok(header),
        _ => Err(CobblestoneError::HeaderTruncated),
    }
}

fn split_header(header: &[u8; HEADER_BYTES]) -> (&[u8; SALT_BYTES], &[u8; 32]) {
    (
        header.first_chunk().expect("56 bytes begin with 24"),
        header.last_chunk().expect("56 bytes end with 32"),
    )
}

/// Plaintext and ciphertext of up to `BATCH_CHUNKS` chunks: the ciphertext is hashed, so chunks are not decrypted in place.
struct Batch {
    plain: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
    plain_len: usize,
    sealed_len: usize,
    /// Whether the short chunk that ends a body is in it.
    last: bool,
}

impl Batch {
    fn new() -> Self {
        Self {
            plain: Zeroizing::new(vec![0; BATCH_CHUNKS * CHUNK_BYTES]),
            sealed: vec![0; BATCH_CHUNKS * SEALED_CHUNK_BYTES],
            plain_len: 0,
            sealed_len: 0,
            last: false,
        }
    }

    fn sealed(&self) -> &[u8] {
        &self.sealed[..self.sealed_len]
    }
}

/// Decrypts the chunks after the header. `expected` is the signed size of the whole body, if there is one.
pub(crate) fn decrypt_chunks<E: From<CobblestoneError> + Send>(
    mut reader: impl Read + Send,
    keys: &ChunkKeys,
    expected: Option<u64>,
    mut sink: impl FnMut(&[u8]) -> Result<(), E> + Send,
) -> Result<Encrypted, E> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&keys.header());
    let mut read = HEADER_BYTES as u64;
    let mut size = HEADER_BYTES as u64;
    let stages = Stages {
        read: |batch: &mut Batch| {
            batch.sealed_len = fill(&mut reader, &mut batch.sealed).map_err(CobblestoneError::Read)?;
            batch.last = batch.sealed_len < batch.sealed.len();
            read += batch.sealed_len as u64;
            if let Some(expected) = expected {
                let ends_wrong = batch.last && read != expected;
                if read > expected || ends_wrong {
                    let found = batch.last.then_some(read);
                    return Err(CobblestoneError::Size { expected, found }.into());
                }
            }
            Ok(if batch.last { Flow::Last } else { Flow::More })
        },
        work: |index, batch: &mut Batch| {
            batch.plain_len = 0;
            Ok(open_batch(keys, first_chunk(index)?, batch)?)
        },
        tally: |batch: &Batch| {
            hasher.update(batch.sealed());
            size += batch.sealed_len as u64;
        },
        write: |batch: &Batch| sink(&batch.plain[..batch.plain_len]),
    };
    run(Batch::new, stages)?;
    Ok(Encrypted { size, blake3: ContentId(hasher.finalize().into()) })
}

/// Decrypts the chunks of a batch in order; `batch.plain_len` counts what came before the first that failed.
fn open_batch(keys: &ChunkKeys, first: u64, batch: &mut Batch) -> Result<(), CobblestoneError> {
    let Batch { plain, sealed, plain_len, sealed_len, last } = batch;
    let full = *sealed_len / SEALED_CHUNK_BYTES;
    let (sealed, rest) = sealed[..*sealed_len].split_at(full * SEALED_CHUNK_BYTES);
    let (plain, tail) = plain.split_at_mut(full * CHUNK_BYTES);
    let chunks = sealed.chunks_exact(SEALED_CHUNK_BYTES).zip(plain.chunks_exact_mut(CHUNK_BYTES));
    for (index, (sealed, plain)) in (first..).zip(chunks) {
        keys.open_chunk(index, sealed, plain)?;
        *plain_len += CHUNK_BYTES;
    }
    if *last {
        let index = first + full as u64;
        let Some(len) = rest.len().checked_sub(TAG_BYTES) else {
            return Err(CobblestoneError::Truncated { index });
        };
        keys.open_chunk(index, rest, &mut tail[..len])?;
        *plain_len += len;
    }
    Ok(())
}
