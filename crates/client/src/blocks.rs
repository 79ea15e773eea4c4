//! Fetching single blocks as a customer would, and judging them by the owner's signature alone.

use std::io::Read as _;

use bailiwick_possession::opening::{BlockPath, verify_block};
use bailiwick_possession::tree::{BLOCK_BYTES, block_len, blocks_of};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::UnitName;

use crate::client::Client;
use crate::error::ClientError;
use crate::transport::Request;

impl Client {
    /// The path of block `block`, not verified.
    ///
    /// # Errors
    /// Transport errors, refusals, `Protocol` for a malformed path.
    pub fn block_path(&self, name: &UnitName, block: u64) -> Result<BlockPath, ClientError> {
        let request = Request::get(format!("/v1/objects/{name}/blocks/{block}/path"));
        let bytes = self.call(&request)?.bytes(BlockPath::BYTES_MAX as u64)?;
        BlockPath::from_bytes(&bytes).map_err(|_| ClientError::Protocol("malformed block path"))
    }

    /// Fetches block `block` of the body `envelope` speaks of, and verifies it against the cell root in it.
    ///
    /// `envelope` must come from a signature verified under the pinned owner key. Blocks have 126,976 bytes, the last fewer.
    ///
    /// # Errors
    /// `BadBytes` when what came does not match, also when fewer bytes came; `Protocol` when the envelope has no storage
    /// commitment or no such block; transport errors; refusals.
    pub fn fetch_verified_block(&self, envelope: &Envelope, block: u64) -> Result<Vec<u8>, ClientError> {
        let commitment = envelope
            .commitment
            .as_ref()
            .ok_or(ClientError::Protocol("envelope has no storage commitment"))?;
        let size = envelope.body.size;
        if block >= blocks_of(size) {
            return Err(ClientError::Protocol("no such block"));
        }
        let name = envelope.name();
        let length = block_len(size, block);
        let mut body = self.get_body(&name, Some((block * BLOCK_BYTES as u64, length as u64)))?;
        let mut bytes = vec![0; length];
        match body.reader.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(ClientError::BadBytes("fewer bytes than announced"));
            }
            Err(e) => return Err(ClientError::io(e)),
        }
        let path = self.block_path(&name, block)?;
        verify_block(&commitment.root, commitment.cells, size, block, &bytes, &path)
            .map_err(|_| ClientError::BadBytes("block does not lead to the signed cell root"))?;
        Ok(bytes)
    }
}
