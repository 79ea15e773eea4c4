//! Cuts a stream whose end is not known into stripes (spec shards, clauses Q2 and Q3).

use std::io::{ErrorKind, Read};

use zeroize::Zeroizing;

use crate::error::ErasureError;
use crate::geometry::{BLOCK_BYTES, Geometry};

/// Whole stripes, the last filled with zeros.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Number of the first stripe.
    pub first: u64,
    /// The k data blocks of each stripe, one stripe after the other.
    pub data: &'a [u8],
    /// Bytes of a block, known since the first batch.
    pub block: usize,
}

/// Reads a padded plaintext in batches of stripes, in bounded memory.
#[derive(Debug)]
pub struct Splitter<R> {
    input: R,
    k: u16,
    n: u16,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes at the start of the buffer that belong to the next batch.
    ahead: usize,
    stripes: u64,
    length: u64,
    block: usize,
    ended: bool,
}

impl<R: Read> Splitter<R> {
    /// Splits what `input` gives into n shards of which k rebuild it, `stripes` stripes at a time (at least one).
    ///
    /// # Errors
    /// `Count`.
    pub fn new(input: R, k: u16, n: u16, stripes: usize) -> Result<Self, ErasureError> {
        Geometry::new(k, n, 1)?;
        // One byte more than a batch tells whether there is another.
        let buffer = Zeroizing::new(vec![0; stripes.max(1) * usize::from(k) * BLOCK_BYTES + 1]);
        Ok(Self { input, k, n, buffer, ahead: 0, stripes: 0, length: 0, block: BLOCK_BYTES, ended: false })
    }

    /// The next batch; none at the end.
    ///
    /// # Errors
    /// `Read`; `Length` when the stream was empty.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, ErasureError> {
        if self.ended {
            return Ok(None);
        }
        let batch = self.buffer.len() - 1;
        let filled = self.fill()?;
        self.ended = filled <= batch;
        let fresh = filled.min(batch);
        self.length += fresh as u64;
        let wide = usize::from(self.k) * BLOCK_BYTES;
        let used = if self.stripes == 0 && self.ended && filled <= wide {
            // All there is fits one stripe: its blocks shrink.
            let geometry = Geometry::new(self.k, self.n, filled as u64)?;
            self.block = geometry.block_bytes();
            geometry.stripe_bytes()
        } else {
            fresh.next_multiple_of(wide)
        };
        if self.ended {
            self.buffer[filled..used.max(filled)].fill(0);
        }
        let first = self.stripes;
        self.stripes += (used / (usize::from(self.k) * self.block)) as u64;
        Ok(Some(Batch { first, data: &self.buffer[..used], block: self.block }))
    }

    /// Fills the buffer, beginning with the byte that was read ahead; bytes in it.
    fn fill(&mut self) -> Result<usize, ErasureError> {
        if self.ahead == 1 {
            let last = self.buffer.len() - 1;
            self.buffer[0] = self.buffer[last];
        }
        let mut filled = self.ahead;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(ErasureError::Read(e)),
            }
        }
        self.ahead = 1;
        Ok(filled)
    }

    /// The geometry, once the stream has ended; and the stream.
    ///
    /// # Errors
    /// `Length` when it has not ended or was empty.
    pub fn finish(self) -> Result<(Geometry, R), ErasureError> {
        if !self.ended {
            return Err(ErasureError::Length { bytes: self.length });
        }
        Ok((Geometry::new(self.k, self.n, self.length)?, self.input))
    }
}
