//! Random access: decrypts only the chunks a range touches.

use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::{CHUNK_BYTES, ChunkKeys, CobblestoneError, HEADER_BYTES, SEALED_CHUNK_BYTES};

/// Whom a range is authentic against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RangeAuthenticity {
    /// The tags verified: whoever wrote these chunks knew the body key. That is the owner *or any recipient*.
    KeyHoldersOnly,
    /// Besides, the ciphertext was checked against the content id or the cell root the owner signed.
    OwnerSigned,
}

/// A body that can be read anywhere: a file, memory, or a host asked for ranges.
pub trait ReadAt {
    /// Fills `buffer` from `offset` of the body.
    ///
    /// # Errors
    /// `UnexpectedEof` when the body ends before; whatever the source reports.
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// What this source checked the ciphertext against. Say `OwnerSigned` only if *every* byte returned was
    /// checked against the content id or the cell root in the verified envelope.
    fn authenticity(&self) -> RangeAuthenticity {
        RangeAuthenticity::KeyHoldersOnly
    }
}

impl ReadAt for &[u8] {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let found = usize::try_from(offset).ok().and_then(|o| self.get(o..)?.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Makes a [`ReadAt`] of anything that reads and seeks.
#[derive(Debug)]
pub struct Seekable<R>(pub R);

impl<R: Read + Seek> ReadAt for Seekable<R> {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.read_exact(buffer)
    }
}

/// Reads plaintext at any offset of a body of known plaintext length.
pub(crate) struct ChunkReader<'a, S> {
    source: &'a mut S,
    keys: &'a ChunkKeys,
    plain_total: u64,
    chunk: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
    /// Which chunk `chunk` holds.
    held: Option<u64>,
}

impl<'a, S: ReadAt> ChunkReader<'a, S> {
    pub(crate) fn new(source: &'a mut S, keys: &'a ChunkKeys, plain_total: u64) -> Self {
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES));
        Self { source, keys, plain_total, chunk, sealed: Vec::new(), held: None }
    }

    pub(crate) fn header(&mut self) -> Result<[u8; HEADER_BYTES], CobblestoneError> {
        let mut header = [0; HEADER_BYTES];
        self.source.read_exact_at(&mut header, 0).map_err(CobblestoneError::Read)?;
        Ok(header)
    }

    /// Calls `sink` with the plaintext from `offset` on, `len` bytes in all, in pieces of at most a chunk.
    /// `offset + len` must not exceed the plaintext.
    pub(crate) fn read<E: From<CobblestoneError>>(
        &mut self,
        offset: u64,
        len: u64,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut at = offset;
        let end = offset + len;
        while at < end {
            let index = at / CHUNK_BYTES as u64;
            let chunk = self.chunk(index)?;
            let from = usize::try_from(at % CHUNK_BYTES as u64).expect("below the chunk size");
            let rest = u64::try_from(chunk.len() - from).expect("below the chunk size");
            let take = usize::try_from(rest.min(end - at)).expect("at most a chunk");
            sink(&chunk[from..from + take])?;
            at += take as u64;
        }
        Ok(())
    }

    /// Calls `f` with the whole first chunk.
    pub(crate) fn first<T>(&mut self, f: impl FnOnce(&[u8]) -> T) -> Result<T, CobblestoneError> {
        self.chunk(0).map(f)
    }

    fn chunk(&mut self, index: u64) -> Result<&[u8], CobblestoneError> {
        if self.held != Some(index) {
            self.held = None;
            let start = index * CHUNK_BYTES as u64;
            let len =
                usize::try_from((self.plain_total - start).min(CHUNK_BYTES as u64)).expect("at most a chunk");
            self.sealed.resize(len + super::TAG_BYTES, 0);
            self.chunk.resize(len, 0);
            let offset = HEADER_BYTES as u64 + index * SEALED_CHUNK_BYTES as u64;
            self.source.read_exact_at(&mut self.sealed, offset).map_err(CobblestoneError::Read)?;
            self.keys.open_chunk(index, &self.sealed, &mut self.chunk)?;
            self.held = Some(index);
        }
        Ok(&self.chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_BYTES, ChunkKeys, ChunkReader, CobblestoneError};
    use bailiwick_protocol::secret::Secret;

    /// After a chunk that failed, one read before is read again and not taken for what is left in the buffer.
    #[test]
    fn a_failed_chunk_is_not_taken_for_the_one_before() {
        let keys = ChunkKeys::derive(&Secret::init_with(|k| *k = [1; 32]), &[2; 24], &[]);
        let plain: Vec<u8> = (0..2 * CHUNK_BYTES + 9).map(|i| i.to_le_bytes()[i % 2] | 1).collect();
        let mut body = Vec::new();
        crate::cobblestone::encrypt(plain.as_slice(), &mut body, &keys).expect("in memory");
        let last = body.len() - 1;
        body[last] ^= 1;
        let mut source = body.as_slice();
        let mut reader = ChunkReader::new(&mut source, &keys, plain.len() as u64);
        let first = |reader: &mut ChunkReader<'_, &[u8]>| reader.first(<[u8]>::to_vec).expect("undamaged");
        assert_eq!(first(&mut reader), plain[..CHUNK_BYTES]);
        let failed = reader.read::<CobblestoneError>(2 * CHUNK_BYTES as u64, 1, |_| Ok(()));
        assert!(matches!(failed, Err(CobblestoneError::Chunk { index: 2 })));
        assert_eq!(first(&mut reader), plain[..CHUNK_BYTES]);
    }
}
