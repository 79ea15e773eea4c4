//! Streaming decryption.

use std::io::{Read, Write};

use bailiwick_protocol::secret::Secret;

use super::encrypt::{Batch, Encrypted, fill};
use super::{
    BATCH_CHUNKS, CHUNK_BYTES, CHUNKS_MAX, ChunkKeys, CobblestoneError, HEADER_BYTES, SALT_BYTES,
    SEALED_CHUNK_BYTES, TAG_BYTES,
};
use crate::pipeline::{Flow, run};
use bailiwick_protocol::ids::ContentId;

/// Decrypts a whole body from `reader` into `writer`, in bounded memory; returns its size and BLAKE3.
///
/// Only chunks whose tag verified reach `writer`, in order: what it received when an error is returned is
/// a prefix of what was encrypted. It is the *whole* plaintext only when `Ok` is returned.
///
/// # Errors
/// `HeaderTruncated`, `Commitment` before any chunk is touched; `Chunk`, `Truncated`, `TooLong`, `Read`, `Write`.
pub fn decrypt(
    mut reader: impl Read + Send,
    mut writer: impl Write + Send,
    input_key: &Secret<32>,
    context: &[u8],
) -> Result<Encrypted, CobblestoneError> {
    let header = read_header(&mut reader)?;
    let (salt, commitment) = split_header(&header);
    let keys = ChunkKeys::derive(input_key, salt, context);
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
    let mut index = 0u64;
    let mut chunks = Vec::new();

    run(
        Batch::ring(),
        |batch| {
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
        |batch| {
            hasher.update(&batch.sealed[..batch.sealed_len]);
            size += batch.sealed_len as u64;
            let opened = open_batch(keys, index, batch, &mut chunks);
            index += BATCH_CHUNKS as u64;
            opened?;
            if index > CHUNKS_MAX { Err(CobblestoneError::TooLong.into()) } else { Ok(()) }
        },
        |batch| sink(&batch.plain[..batch.plain_len]),
    )?;
    Ok(Encrypted { size, blake3: ContentId(hasher.finalize().into()) })
}

/// Decrypts the chunks of a batch; `batch.plain_len` ends before the first that failed.
fn open_batch(
    keys: &ChunkKeys,
    first: u64,
    batch: &mut Batch,
    outcomes: &mut Vec<Result<(), CobblestoneError>>,
) -> Result<(), CobblestoneError> {
    let full = batch.sealed_len / SEALED_CHUNK_BYTES;
    let (sealed, rest) = batch.sealed[..batch.sealed_len].split_at(full * SEALED_CHUNK_BYTES);
    let (plain, tail) = batch.plain.split_at_mut(full * CHUNK_BYTES);
    open_each(keys, first, sealed, plain, outcomes);
    let good = outcomes.iter().take_while(|o| o.is_ok()).count();
    batch.plain_len = good * CHUNK_BYTES;
    if let Some(failed) = outcomes.drain(..).nth(good) {
        return failed;
    }
    if batch.last {
        let index = first + full as u64;
        let Some(len) = rest.len().checked_sub(TAG_BYTES) else {
            return Err(CobblestoneError::Truncated { index });
        };
        keys.open_chunk(index, rest, &mut tail[..len])?;
        batch.plain_len += len;
    }
    Ok(())
}

fn open_each(
    keys: &ChunkKeys,
    first: u64,
    sealed: &[u8],
    plain: &mut [u8],
    outcomes: &mut Vec<Result<(), CobblestoneError>>,
) {
    #[cfg(feature = "parallel")]
    if rayon::current_num_threads() > super::encrypt::PIPELINE_CORES {
        use rayon::prelude::*;
        sealed
            .par_chunks_exact(SEALED_CHUNK_BYTES)
            .zip(plain.par_chunks_exact_mut(CHUNK_BYTES))
            .enumerate()
            .with_min_len(8)
            .map(|(i, (s, p))| keys.open_chunk(first + i as u64, s, p))
            .collect_into_vec(outcomes);
        return;
    }
    outcomes.extend(
        sealed
            .chunks_exact(SEALED_CHUNK_BYTES)
            .zip(plain.chunks_exact_mut(CHUNK_BYTES))
            .enumerate()
            .map(|(i, (s, p))| keys.open_chunk(first + i as u64, s, p)),
    );
}
