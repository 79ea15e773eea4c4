//! One object, one file (spec store, clauses F1-F9):
//!
//! ```text
//! body ‖ signed envelope ‖ page table ‖ cell tree ‖ piece table ‖ footer
//! ```
//!
//! The body starts at byte 0. The footer has a fixed size and tells where the rest is; envelope, page table and
//! cell tree are covered by checksums in the footer, the piece table by the page table, the page table by the
//! content id in the envelope, the envelope by the owner's signature.
//!
//! An object whose envelope was replaced keeps its file as it is, under the name of the new generation; the new envelope is in a file
//! beside it (see [`crate::envelope_file`]).

use std::io;
use std::path::Path;

use bailiwick_possession::opening::{BlockError, BlockPath, StoredPathError, stored_block_path};
use bailiwick_possession::tree::{BLOCK_BYTES, CellTree};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::UnitName;
use bailiwick_protocol::limits::{BODY_BYTES_MAX, ENVELOPE_BYTES_MAX};
use blake3::hazmat::ChainingValue;

use crate::disk::Disk;
use crate::envelope_file::{EnvelopeFile, file_bytes_of as file_bytes_beside};
use crate::error::{DamagedPart, StoreError, is_unreadable};
use crate::files::{File, read_exact_at};
use crate::layout::envelope_beside;
use crate::pieces::{PieceTables, VALUE_BYTES, content_id_of, page_count, piece_count, values_of};
use crate::record::ObjectRecord;

const MAGIC: [u8; 8] = *b"bwobj\0\0\x01";

/// Bytes of the footer: magic, four lengths and the time, two checksums, and its own.
pub(crate) const FOOTER_BYTES: usize = 8 + 4 * 8 + 3 * 32;

/// Bytes of the file of an object, known before its body is seen.
pub(crate) const fn file_bytes_of(size: u64, envelope_bytes: usize) -> u64 {
    let tables = (piece_count(size) + page_count(size)) * VALUE_BYTES as u64;
    size + envelope_bytes as u64 + tables + CellTree::encoded_len(size) + FOOTER_BYTES as u64
}

/// Lengths of the parts, as the footer has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Footer {
    size: u64,
    envelope_bytes: u64,
    tree_bytes: u64,
    stored_at_unix_ms: u64,
    head_blake3: [u8; 32],
    tree_blake3: [u8; 32],
}

impl Footer {
    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_BYTES);
        out.extend(MAGIC);
        for v in [self.size, self.envelope_bytes, self.tree_bytes, self.stored_at_unix_ms] {
            out.extend(v.to_le_bytes());
        }
        out.extend(self.head_blake3);
        out.extend(self.tree_blake3);
        let check = *blake3::hash(&out).as_bytes();
        out.extend(check);
        out
    }

    /// `None` unless magic and checksum hold and the lengths are possible and fill `file_bytes` exactly.
    fn from_bytes(bytes: &[u8; FOOTER_BYTES], file_bytes: u64) -> Option<Self> {
        let (content, check) = bytes.split_at(FOOTER_BYTES - 32);
        if content[..8] != MAGIC || *blake3::hash(content).as_bytes() != check {
            return None;
        }
        let number = |i: usize| Some(u64::from_le_bytes(content[8 * i..8 * (i + 1)].try_into().ok()?));
        let footer = Self {
            size: number(1)?,
            envelope_bytes: number(2)?,
            tree_bytes: number(3)?,
            stored_at_unix_ms: number(4)?,
            head_blake3: content[40..72].try_into().ok()?,
            tree_blake3: content[72..104].try_into().ok()?,
        };
        let possible = (1..=BODY_BYTES_MAX).contains(&footer.size)
            && footer.envelope_bytes <= ENVELOPE_BYTES_MAX as u64 + 128
            && footer.tree_bytes == CellTree::encoded_len(footer.size);
        (possible && footer.end() == file_bytes).then_some(footer)
    }

    fn pages_at(self) -> u64 {
        self.size + self.envelope_bytes
    }

    fn tree_at(self) -> u64 {
        self.pages_at() + page_count(self.size) * VALUE_BYTES as u64
    }

    fn pieces_at(self) -> u64 {
        self.tree_at() + self.tree_bytes
    }

    fn footer_at(self) -> u64 {
        self.pieces_at() + piece_count(self.size) * VALUE_BYTES as u64
    }

    fn end(self) -> u64 {
        self.footer_at() + FOOTER_BYTES as u64
    }
}

/// Everything after the body.
pub(crate) fn tail(
    size: u64,
    envelope: &[u8],
    tree: &[u8],
    tables: &PieceTables,
    stored_at_unix_ms: u64,
) -> Vec<u8> {
    let pages = tables.pages.as_flattened();
    let footer = Footer {
        size,
        envelope_bytes: envelope.len() as u64,
        tree_bytes: tree.len() as u64,
        stored_at_unix_ms,
        head_blake3: head_blake3(envelope, pages),
        tree_blake3: *blake3::hash(tree).as_bytes(),
    };
    [envelope, pages, tree, tables.pieces.as_flattened(), &footer.to_bytes()].concat()
}

fn head_blake3(envelope: &[u8], pages: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(envelope).update(pages).finalize().as_bytes()
}

/// An object's file, opened and found consistent in everything but tree, piece table and body.
#[derive(Debug)]
pub(crate) struct ObjectFile {
    pub(crate) file: Box<dyn File>,
    pub(crate) name: UnitName,
    pub(crate) signed: SignedEnvelope,
    pub(crate) envelope: Envelope,
    pub(crate) envelope_bytes: Vec<u8>,
    pub(crate) pages: Vec<ChainingValue>,
    footer: Footer,
    /// Bytes of the file beside it that holds `signed`; 0 when it is in the file itself.
    beside_bytes: u64,
    stored_at_unix_ms: u64,
}

/// An envelope, not verified.
struct Found {
    signed: SignedEnvelope,
    envelope: Envelope,
    bytes: Vec<u8>,
}

fn decoded(bytes: Vec<u8>) -> Option<Found> {
    let signed = SignedEnvelope::from_bytes(&bytes).ok()?;
    let envelope = signed.decode_unverified().ok()?;
    Some(Found { signed, envelope, bytes })
}

/// Why a file was not opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// No file of that name.
    Missing,
    /// Another failure.
    Store(StoreError),
}

impl ObjectFile {
    /// Opens and checks footer, envelope (not its signature) and page table.
    pub(crate) fn open(
        disk: &Disk,
        path: &Path,
        name: &UnitName,
        generation: u64,
    ) -> Result<Self, OpenError> {
        // Replaced between the look at the file and that at the envelope beside it: a second look finds another file or none.
        for _ in 0..2 {
            if let Some(file) = Self::open_once(disk, path, name, generation)? {
                return Ok(file);
            }
        }
        Err(OpenError::Store(StoreError::Damaged { name: *name, part: DamagedPart::Envelope, offset: 0 }))
    }

    /// `None` when the envelope beside the file is missing, or is of another body.
    fn open_once(
        disk: &Disk,
        path: &Path,
        name: &UnitName,
        generation: u64,
    ) -> Result<Option<Self>, OpenError> {
        let failed = |part, offset| move |e| OpenError::Store(read_error(name, part, offset, path, e));
        let file = disk.open(path, false).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => OpenError::Missing,
            _ if is_unreadable(&e) => failed(DamagedPart::File, 0)(e),
            _ => OpenError::Store(StoreError::io("open", path, e)),
        })?;
        let damaged = |part, offset| OpenError::Store(StoreError::Damaged { name: *name, part, offset });
        let file_bytes = file.len().map_err(failed(DamagedPart::File, 0))?;
        let mut footer = [0; FOOTER_BYTES];
        let footer_at = file_bytes.checked_sub(FOOTER_BYTES as u64).ok_or(damaged(DamagedPart::Footer, 0))?;
        read_exact_at(&*file, footer_at, &mut footer).map_err(failed(DamagedPart::Footer, footer_at))?;
        let footer =
            Footer::from_bytes(&footer, file_bytes).ok_or(damaged(DamagedPart::Footer, footer_at))?;

        let mut head = vec![0; length(footer.tree_at() - footer.size)];
        read_exact_at(&*file, footer.size, &mut head).map_err(failed(DamagedPart::Envelope, footer.size))?;
        let pages_from = length(footer.envelope_bytes);
        if head_blake3(&head[..pages_from], &head[pages_from..]) != footer.head_blake3 {
            return Err(damaged(DamagedPart::Envelope, footer.size));
        }
        let pages = values_of(&head[pages_from..]);
        head.truncate(pages_from);
        let no_envelope = || damaged(DamagedPart::Envelope, footer.size);
        let mut found = decoded(head).ok_or_else(no_envelope)?;
        let (mut beside_bytes, mut stored_at_unix_ms) = (0, footer.stored_at_unix_ms);
        if found.envelope.generation < generation {
            let beside = envelope_beside(path);
            let later = match EnvelopeFile::read(disk, &beside) {
                Ok(later) => later,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(no_envelope()),
                Err(e) => {
                    return Err(OpenError::Store(read_error(name, DamagedPart::Envelope, 0, &beside, e)));
                }
            };
            (beside_bytes, stored_at_unix_ms) =
                (file_bytes_beside(later.envelope.len()), later.stored_at_unix_ms);
            let later = decoded(later.envelope).ok_or_else(no_envelope)?;
            let (old, new) = (&found.envelope, &later.envelope);
            if old.name() != new.name() || old.body != new.body || old.commitment != new.commitment {
                return Ok(None);
            }
            found = later;
        }
        let Found { signed, envelope, bytes: envelope_bytes } = found;
        let belongs = envelope.name() == *name
            && envelope.generation == generation
            && envelope.body.size == footer.size
            && envelope.commitment.is_some();
        if !belongs {
            return Err(damaged(DamagedPart::Envelope, footer.size));
        }
        if content_id_of(&pages) != envelope.body.blake3.0 {
            return Err(damaged(DamagedPart::PieceTable, footer.pages_at()));
        }
        let name = *name;
        Ok(Some(Self {
            file,
            name,
            signed,
            envelope,
            envelope_bytes,
            pages,
            footer,
            beside_bytes,
            stored_at_unix_ms,
        }))
    }

    /// Bytes of the file beside it that holds its envelope; 0 when that is in the file itself.
    pub(crate) fn bytes_beside(&self) -> u64 {
        self.beside_bytes
    }

    /// Bytes of the file itself.
    pub(crate) fn bytes(&self) -> u64 {
        self.footer.end()
    }

    pub(crate) fn size(&self) -> u64 {
        self.footer.size
    }

    /// Bytes of its files.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.bytes() + self.beside_bytes
    }

    /// Bytes [`ObjectFile::open`] reads.
    pub(crate) fn opening_bytes(&self) -> u64 {
        self.footer.tree_at() - self.footer.size + FOOTER_BYTES as u64 + self.beside_bytes
    }

    pub(crate) fn pieces_at(&self) -> u64 {
        self.footer.pieces_at()
    }

    pub(crate) fn tree_at(&self) -> u64 {
        self.footer.tree_at()
    }

    pub(crate) fn damaged(&self, part: DamagedPart, offset: u64) -> StoreError {
        StoreError::Damaged { name: self.name, part, offset }
    }

    /// The stored cell tree's bytes, checked against the footer.
    pub(crate) fn tree_bytes(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; length(self.footer.tree_bytes)];
        read_exact_at(&*self.file, self.tree_at(), &mut bytes)
            .map_err(|e| read_error(&self.name, DamagedPart::CellTree, self.tree_at(), path, e))?;
        if *blake3::hash(&bytes).as_bytes() != self.footer.tree_blake3 {
            return Err(self.damaged(DamagedPart::CellTree, self.tree_at()));
        }
        Ok(bytes)
    }

    /// The stored cell tree, which must have the root in the envelope.
    pub(crate) fn tree(&self, path: &Path) -> Result<CellTree, StoreError> {
        let bytes = self.tree_bytes(path)?;
        let damaged = || self.damaged(DamagedPart::CellTree, self.tree_at());
        let tree = CellTree::from_bytes(&bytes).map_err(|_| damaged())?;
        let signed = self.envelope.commitment.as_ref().map(|c| c.root);
        if Some(tree.root()) == signed && tree.size() == self.size() { Ok(tree) } else { Err(damaged()) }
    }

    /// The path of a block, from the nodes on its way only; they must lead to the root in the envelope.
    pub(crate) fn block_path(&self, path: &Path, block: u64) -> Result<BlockPath, StoreError> {
        let damaged = |at| self.damaged(DamagedPart::CellTree, at);
        let root = self.envelope.commitment.as_ref().ok_or_else(|| damaged(self.tree_at()))?.root;
        let read = |offset: u64, buffer: &mut [u8]| {
            let at = self.tree_at() + offset;
            read_exact_at(&*self.file, at, buffer).map_err(|e| (at, e))
        };
        stored_block_path(&root, self.size(), block, read).map_err(|error| match error {
            StoredPathError::Read((at, e)) => read_error(&self.name, DamagedPart::CellTree, at, path, e),
            StoredPathError::Block(BlockError::OutOfRange { block, .. }) => {
                StoreError::OutOfRange { offset: block.saturating_mul(BLOCK_BYTES as u64), size: self.size() }
            }
            _ => damaged(self.tree_at()),
        })
    }

    /// Index entry of this file.
    pub(crate) fn record(&self) -> ObjectRecord {
        let envelope = &self.envelope;
        let commitment = envelope.commitment.as_ref().expect("`open` and admission require a commitment");
        ObjectRecord {
            name: self.name,
            generation: envelope.generation,
            size: envelope.body.size,
            blake3: envelope.body.blake3,
            root: commitment.root,
            cells: commitment.cells,
            envelope_blake3: *blake3::hash(self.signed.payload()).as_bytes(),
            file_bytes: self.file_bytes(),
            stored_at_unix_ms: self.stored_at_unix_ms,
        }
    }
}

/// A failed read of an object's file. A sector that cannot be read is as damaged as one that reads wrong, and so is a file that
/// has become shorter than it was when it was opened; anything else says nothing about what is stored.
pub(crate) fn read_error(
    name: &UnitName,
    part: DamagedPart,
    offset: u64,
    path: &Path,
    e: io::Error,
) -> StoreError {
    if is_unreadable(&e) || e.kind() == io::ErrorKind::UnexpectedEof {
        StoreError::Damaged { name: *name, part, offset }
    } else {
        StoreError::io("read", path, e)
    }
}

/// Lengths in a checked footer fit memory: an envelope has a limit, a table is 1/2048 of a body.
fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
