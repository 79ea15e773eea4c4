//! Takes a body's plaintext apart while it streams: metadata first, data to the writer, padding checked, length last.

use std::io::Write;

use crate::cobblestone::CobblestoneError;
use crate::layout::{LayoutError, Metadata, TAIL_BYTES, check_length};
use crate::open::OpenError;

/// Where the data ends is known only from the last eight bytes, so a run of zeros is counted and held back
/// until something else follows it; what is still held at the end is padding, or data that ends in zeros.
pub(crate) struct LayoutSink<W> {
    out: W,
    plain_total: u64,
    /// Plaintext bytes seen.
    seen: u64,
    metadata: Option<(Metadata, u64)>,
    zeros: u64,
    tail: [u8; 8],
}

impl<W: Write> LayoutSink<W> {
    pub(crate) fn new(out: W, plain_total: u64) -> Self {
        Self { out, plain_total, seen: 0, metadata: None, zeros: 0, tail: [0; 8] }
    }

    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), OpenError> {
        if self.metadata.is_none() {
            // The first piece is at least the first chunk, or all there is.
            let (metadata, len) = Metadata::decode(piece)?;
            check_length(self.plain_total, len, 0)?;
            self.metadata = Some((metadata, len));
            self.seen = len;
            piece = &piece[usize::try_from(len).map_err(|_| LayoutError::MetadataLength)?..];
        }
        let tail_at = self.plain_total - TAIL_BYTES;
        let before = tail_at.saturating_sub(self.seen).min(piece.len() as u64);
        let (data, tail) = piece.split_at(usize::try_from(before).map_err(|_| LayoutError::DataLength)?);
        self.data(data)?;
        self.seen += before;
        for &byte in tail {
            let at = usize::try_from(self.seen - tail_at).map_err(|_| LayoutError::DataLength)?;
            *self.tail.get_mut(at).ok_or(LayoutError::DataLength)? = byte;
            self.seen += 1;
        }
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<(), OpenError> {
        let trailing = data.iter().rev().take_while(|b| **b == 0).count();
        let (solid, _) = data.split_at(data.len() - trailing);
        if !solid.is_empty() {
            self.write_zeros(self.zeros)?;
            self.zeros = 0;
            self.out.write_all(solid).map_err(CobblestoneError::Write)?;
        }
        self.zeros += trailing as u64;
        Ok(())
    }

    fn write_zeros(&mut self, mut count: u64) -> Result<(), OpenError> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        while count > 0 {
            let n = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
            self.out.write_all(&ZEROS[..n]).map_err(CobblestoneError::Write)?;
            count -= n as u64;
        }
        Ok(())
    }

    /// Checks length and padding, writes the zeros that are data, and gives the metadata and the data length.
    pub(crate) fn finish(mut self) -> Result<(Metadata, u64), OpenError> {
        let (metadata, head) = self.metadata.take().ok_or(LayoutError::MetadataLength)?;
        if self.seen != self.plain_total {
            return Err(LayoutError::DataLength.into());
        }
        let data_len = u64::from_le_bytes(self.tail);
        check_length(self.plain_total, head, data_len)?;
        let solid = self.plain_total - TAIL_BYTES - head - self.zeros;
        let zeros = data_len.checked_sub(solid).ok_or(LayoutError::Padding)?;
        self.write_zeros(zeros)?;
        self.out.flush().map_err(CobblestoneError::Write)?;
        Ok((metadata, data_len))
    }
}
