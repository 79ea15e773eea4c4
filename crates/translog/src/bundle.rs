//! Proofs that travel (C2SP tlog-proof): index, path and checkpoint in one text file, `.tlog-proof`.

use crate::hash::Hash;
use crate::note::NOTE_BYTES_MAX;
use crate::text::{base64, decimal, from_base64};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// Bytes of extra data, at most.
pub const EXTRA_BYTES_MAX: usize = 64 * 1024;
/// Hashes of a path in a tree of less than 2^64 entries, at most.
const PATH_MAX: usize = 64;
/// Bytes of a proof, at most: the note, the path's lines, the extra data in base64, and the first lines.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + PATH_MAX * 45 + EXTRA_BYTES_MAX.div_ceil(3) * 4 + 128;

/// Why bytes are not a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// Longer than [`PROOF_BYTES_MAX`], or its extra data than [`EXTRA_BYTES_MAX`].
    #[error("proof: longer than the limit")]
    TooLong,
    /// The first line is not `c2sp.org/tlog-proof@v1`: another format, or another version.
    #[error("proof: not of the form c2sp.org/tlog-proof@v1")]
    Header,
    /// The line `extra` is not base64.
    #[error("proof: malformed extra data")]
    Extra,
    /// The line `index` is missing or malformed.
    #[error("proof: malformed index")]
    Index,
    /// A line of the path is not a hash, or there are more than 64.
    #[error("proof: malformed path")]
    Path,
}

/// A proof whose form was checked, and nothing else: [`crate::verify_proof`] judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque and not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub path: Vec<Hash>,
    /// The checkpoint note as it came.
    pub checkpoint: Vec<u8>,
}

impl TlogProof {
    /// The text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = HEADER.to_owned();
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", base64(extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.path {
            text += &hash.to_base64();
            text.push('\n');
        }
        text.push('\n');
        [text.as_bytes(), &self.checkpoint].concat()
    }

    /// Reads the text; only one text has this meaning: `to_bytes` gives the same bytes back. The checkpoint is not looked into.
    ///
    /// # Errors
    /// `TlogProofError`.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(TlogProofError::TooLong);
        }
        let mut rest = bytes.strip_prefix(HEADER.as_bytes()).ok_or(TlogProofError::Header)?;
        let mut extra = None;
        if rest.starts_with(b"extra ") {
            let line = next_line(&mut rest).ok_or(TlogProofError::Extra)?;
            let data = line.strip_prefix("extra ").and_then(from_base64).ok_or(TlogProofError::Extra)?;
            if data.len() > EXTRA_BYTES_MAX {
                return Err(TlogProofError::TooLong);
            }
            extra = Some(data);
        }
        let line = next_line(&mut rest).ok_or(TlogProofError::Index)?;
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(TlogProofError::Index)?;
        let mut path = Vec::new();
        loop {
            match next_line(&mut rest).ok_or(TlogProofError::Path)? {
                "" => break,
                line if path.len() < PATH_MAX => {
                    path.push(Hash::from_base64(line).ok_or(TlogProofError::Path)?);
                }
                _ => return Err(TlogProofError::Path),
            }
        }
        Ok(Self { extra, index, path, checkpoint: rest.to_vec() })
    }
}

/// Takes a line off the front, without its newline.
pub(crate) fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().position(|b| *b == b'\n')?;
    let line = core::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 1..];
    Some(line)
}
