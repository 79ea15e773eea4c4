//! Two envelopes of one unit and generation, both signed by its owner: kept, so that anyone can be shown.

use std::path::Path;

use bailiwick_protocol::codec::{Canonical, CodecError};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::UnitName;
use bailiwick_protocol::limits::ENVELOPE_BYTES_MAX;

use crate::disk::Disk;
use crate::error::StoreError;
use crate::files::read_exact_at;
use crate::layout::Layout;

const MAGIC: [u8; 8] = *b"bwequ\0\0\x01";
const SIGNED_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + 128;

/// Files kept, at most: an owner who equivocates more often has already been shown to, and shall not fill the disk.
const FILES_MAX: usize = 1024;

/// Proof that an owner signed two envelopes of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// Which unit.
    pub name: UnitName,
    /// Which generation.
    pub generation: u64,
    /// The signed envelope that was stored, canonical bytes.
    pub first: Vec<u8>,
    /// The signed envelope that was offered later, canonical bytes.
    pub second: Vec<u8>,
}

impl Equivocation {
    /// Judges two signed envelopes from their own bytes: both verify under the owner they name, agree in name and
    /// generation, and differ.
    ///
    /// # Errors
    /// `CodecError`, `Invalid` when they do not prove an equivocation.
    pub fn from_envelopes(first: &[u8], second: &[u8]) -> Result<Self, CodecError> {
        let signed = [SignedEnvelope::from_bytes(first)?, SignedEnvelope::from_bytes(second)?];
        let owner = signed[0].decode_unverified()?.owner;
        let (a, b) = (signed[0].verify(&owner.0)?, signed[1].verify(&owner.0)?);
        let proves = a.name() == b.name() && a.generation == b.generation && a != b;
        if !proves {
            return Err(CodecError::Invalid("equivocation"));
        }
        Ok(Self { name: a.name(), generation: a.generation, first: first.into(), second: second.into() })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let first_len = (self.first.len() as u64).to_le_bytes();
        [MAGIC.as_slice(), &first_len, &self.first, &self.second].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let invalid = CodecError::Invalid("equivocation");
        let rest = bytes.strip_prefix(&MAGIC).ok_or(invalid.clone())?;
        let (len, rest) = rest.split_first_chunk::<8>().ok_or(invalid.clone())?;
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (first, second) = rest.split_at_checked(len).ok_or(invalid)?;
        Self::from_envelopes(first, second)
    }

    /// Keeps it, durably; the first of a unit and generation stays.
    pub(crate) fn keep(&self, disk: &Disk, layout: &Layout, temporary: &Path) -> Result<(), StoreError> {
        let path = layout.evidence_file(&self.name, self.generation);
        let kept = disk.list(&layout.evidence())?;
        if kept.len() >= FILES_MAX || disk.open(&path, false).is_ok() {
            return Ok(());
        }
        disk.write_whole(temporary, &path, &self.to_bytes())
    }
}

/// Reads one evidence file. The inner error is what is wrong with its content.
pub(crate) fn read(disk: &Disk, path: &Path) -> Result<Result<Equivocation, CodecError>, StoreError> {
    let io_error = |e| StoreError::io("read", path, e);
    let file = disk.open(path, false).map_err(|e| StoreError::io("open", path, e))?;
    let len = usize::try_from(file.len().map_err(io_error)?).unwrap_or(usize::MAX);
    let max = 2 * SIGNED_BYTES_MAX + 16;
    if len > max {
        return Ok(Err(CodecError::TooLong { what: "equivocation", len, max }));
    }
    let mut bytes = vec![0; len];
    read_exact_at(&*file, 0, &mut bytes).map_err(io_error)?;
    Ok(Equivocation::from_bytes(&bytes))
}
