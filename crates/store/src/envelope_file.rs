//! The envelope that replaced the one in an object's file, in a file beside it (spec store, clauses F8-F9): `rewrap` touches no body.
//!
//! ```text
//! signed envelope ‖ magic ‖ LE64 time stored ‖ BLAKE3 of all before
//! ```

use std::io;
use std::path::Path;

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;

use crate::disk::Disk;
use crate::files::read_exact_at;

const MAGIC: [u8; 8] = *b"bwenv\0\0\x01";

/// Bytes after the envelope.
const FOOTER_BYTES: usize = 8 + 8 + 32;

/// Bytes of the file, known from the envelope.
pub(crate) const fn file_bytes_of(envelope_bytes: usize) -> u64 {
    (envelope_bytes + FOOTER_BYTES) as u64
}

/// The whole file.
pub(crate) fn encode(envelope: &[u8], stored_at_unix_ms: u64) -> Vec<u8> {
    let mut out = [envelope, &MAGIC, &stored_at_unix_ms.to_le_bytes()].concat();
    let check = *blake3::hash(&out).as_bytes();
    out.extend(check);
    out
}

/// What such a file says; its envelope's signature is not checked here.
pub(crate) struct EnvelopeFile {
    /// As the owner sent them.
    pub(crate) envelope: Vec<u8>,
    pub(crate) stored_at_unix_ms: u64,
}

impl EnvelopeFile {
    /// `None` for bytes that are not what was written.
    fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let (content, check) = bytes.split_at(bytes.len().checked_sub(32)?);
        let (envelope, footer) = content.split_at(content.len().checked_sub(16)?);
        if footer[..8] != MAGIC || *blake3::hash(content).as_bytes() != check {
            return None;
        }
        let stored_at_unix_ms = u64::from_le_bytes(footer[8..].try_into().ok()?);
        let length = envelope.len();
        bytes.truncate(length);
        Some(Self { envelope: bytes, stored_at_unix_ms })
    }

    /// Reads one; `InvalidData` for what is not what was written.
    pub(crate) fn read(disk: &Disk, path: &Path) -> io::Result<Self> {
        let file = disk.open(path, false)?;
        let length = file.len()?;
        let max = file_bytes_of(SignedEnvelope::BYTES_MAX);
        let length = usize::try_from(length.min(max + 1)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        if length as u64 > max {
            return Err(io::ErrorKind::InvalidData.into());
        }
        read_exact_at(&*file, 0, &mut bytes)?;
        Self::from_bytes(bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}
