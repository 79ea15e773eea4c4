//! A body at a node, read anywhere, every byte checked against the root its owner signed.

use std::io;

use bailiwick_envelope::{RangeAuthenticity, ReadAt};
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::envelope::Envelope;

use crate::client::Client;
use crate::error::ClientError;

/// A body as a source of ranges for [`bailiwick_envelope::Opener::open_range`].
///
/// Whole blocks (126,976 bytes) are fetched and verified as by [`Client::fetch_verified_block`]; the one used last is kept.
#[derive(Debug)]
pub struct VerifiedBody<'a> {
    client: &'a Client,
    envelope: &'a Envelope,
    held: Option<(u64, Vec<u8>)>,
    blocks_fetched: u64,
}

impl Client {
    /// The body `envelope` speaks of. `envelope` must come from a signature verified under the pinned owner key, e.g. from
    /// [`bailiwick_envelope::Opener::envelope`]. Does not connect.
    #[must_use]
    pub fn verified_body<'a>(&'a self, envelope: &'a Envelope) -> VerifiedBody<'a> {
        VerifiedBody { client: self, envelope, held: None, blocks_fetched: 0 }
    }
}

impl VerifiedBody<'_> {
    /// Blocks that have travelled so far.
    #[must_use]
    pub fn blocks_fetched(&self) -> u64 {
        self.blocks_fetched
    }

    fn block(&mut self, block: u64) -> io::Result<&[u8]> {
        let held = match self.held.take() {
            Some(held) if held.0 == block => held,
            _ => {
                let bytes = self.client.fetch_verified_block(self.envelope, block).map_err(error)?;
                self.blocks_fetched += 1;
                (block, bytes)
            }
        };
        Ok(&self.held.insert(held).1)
    }
}

impl ReadAt for VerifiedBody<'_> {
    fn read_exact_at(&mut self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        let end = u64::try_from(buffer.len()).ok().and_then(|n| offset.checked_add(n));
        if end.is_none_or(|end| end > self.envelope.body.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !buffer.is_empty() {
            let block = self.block(offset / BLOCK_BYTES as u64)?;
            let from = usize::try_from(offset % BLOCK_BYTES as u64).map_err(io::Error::other)?;
            let here = block.get(from..).ok_or(io::ErrorKind::UnexpectedEof)?;
            let n = here.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(n);
            now.copy_from_slice(&here[..n]);
            buffer = later;
            offset += n as u64;
        }
        Ok(())
    }

    fn authenticity(&self) -> RangeAuthenticity {
        RangeAuthenticity::OwnerSigned
    }
}

fn error(error: ClientError) -> io::Error {
    let kind = match &error {
        ClientError::BadBytes(_) => io::ErrorKind::InvalidData,
        ClientError::TimedOut => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
