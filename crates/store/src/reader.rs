//! Reading bodies: nothing leaves here that does not lead to the content id in the envelope stored with the body. That this
//! envelope is the owner's was checked when it was stored, and is checked again by scrub; a read trusts the file's checksum
//! for it (spec store, clause F6).

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_possession::tree::{BLOCK_BYTES, CellTree, block_len, blocks_of};
use bailiwick_protocol::envelope::Envelope;
use blake3::hazmat::ChainingValue;

use crate::error::{DamagedPart, StoreError};
use crate::files::read_exact_at;
use crate::object_file::{ObjectFile, read_error};
use crate::pieces::{PAGE_PIECES, PIECE_BYTES, VALUE_BYTES, page_value, piece_count, piece_value, values_of};
use crate::store::Inner;

/// An open body. Reads of whole, aligned pieces ([`crate::PIECE_BYTES`]) cost no extra copy.
#[derive(Debug)]
pub struct BodyReader {
    inner: Arc<Inner>,
    file: ObjectFile,
    /// Where it was opened; it may have gone from there since.
    path: PathBuf,
    /// The page of the piece table used last, checked.
    page: Mutex<Option<(u64, Arc<[ChainingValue]>)>>,
    disk_bytes: AtomicU64,
}

impl BodyReader {
    pub(crate) fn new(inner: Arc<Inner>, file: ObjectFile, path: PathBuf) -> Self {
        let disk_bytes = AtomicU64::new(file.opening_bytes());
        Self { inner, file, path, page: Mutex::new(None), disk_bytes }
    }

    /// Bytes of the object's file read for this reader so far: footer, envelope and page table when it was opened, and since
    /// then whole pieces (64 KiB, even for a read of one byte) and pages of the piece table. What the system reads ahead
    /// or answers from its cache is not told apart; the cell tree ([`crate::Store::tree`]) is not read through here.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.disk_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the body.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a body is never empty")]
    pub fn len(&self) -> u64 {
        self.file.size()
    }

    /// What the owner signed about it. The signature was checked when it was stored, not now.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.file.envelope
    }

    /// The signed envelope stored with the body, canonical bytes as the owner sent them.
    #[must_use]
    pub fn signed_envelope(&self) -> &[u8] {
        &self.file.envelope_bytes
    }

    /// Nodes of the cell tree from level 3 up, as [`crate::Store::tree`] gives them.
    ///
    /// # Errors
    /// `Damaged`, `Io`.
    pub fn tree(&self) -> Result<CellTree, StoreError> {
        self.note_damage(self.file.tree(&self.path))
    }

    /// A version kept aside is nobody's current object: its damage says nothing about that.
    fn note_damage<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.path.starts_with(self.inner.layout.retained()) {
            return result;
        }
        self.inner.note_damage(result)
    }

    /// Fills `buf` from `offset`, or as much of it as there is up to the end of the body. Returns the bytes read.
    ///
    /// # Errors
    /// `OutOfRange` when `offset` is beyond the end; `Damaged` when any piece touched is not what was stored, in which
    /// case `buf` is zeroed; `Io`.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, StoreError> {
        let left =
            self.len().checked_sub(offset).ok_or(StoreError::OutOfRange { offset, size: self.len() })?;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let buf = &mut buf[..wanted];
        let read = self.read_pieces(offset, buf);
        if read.is_err() {
            buf.fill(0);
        }
        self.note_damage(read)?;
        Ok(wanted)
    }

    /// `length` bytes from `offset`; fewer only at the end of the body.
    ///
    /// # Errors
    /// As for [`BodyReader::read_at`].
    pub fn read_range(&self, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let left =
            self.len().checked_sub(offset).ok_or(StoreError::OutOfRange { offset, size: self.len() })?;
        let mut out = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(length)];
        self.read_at(offset, &mut out)?;
        Ok(out)
    }

    /// Block `block` of the cell tree.
    ///
    /// # Errors
    /// As for [`BodyReader::read_at`].
    pub fn read_block(&self, block: u64) -> Result<Vec<u8>, StoreError> {
        let offset = block.saturating_mul(BLOCK_BYTES as u64);
        if block >= blocks_of(self.len()) {
            return Err(StoreError::OutOfRange { offset, size: self.len() });
        }
        self.read_range(offset, block_len(self.len(), block))
    }

    fn read_pieces(&self, offset: u64, mut buf: &mut [u8]) -> Result<(), StoreError> {
        let mut at = offset;
        let mut scratch = Vec::new();
        while !buf.is_empty() {
            let piece = at / PIECE_BYTES;
            let start = piece * PIECE_BYTES;
            let piece_len = within(PIECE_BYTES.min(self.len() - start));
            let skip = within(at - start);
            let here = (piece_len - skip).min(buf.len());
            let (now, later) = buf.split_at_mut(here);
            if here == piece_len {
                self.read_piece(piece, now)?;
            } else {
                scratch.resize(piece_len, 0);
                self.read_piece(piece, &mut scratch)?;
                now.copy_from_slice(&scratch[skip..skip + here]);
            }
            at += here as u64;
            buf = later;
        }
        Ok(())
    }

    /// Reads one whole piece and checks it.
    fn read_piece(&self, piece: u64, buf: &mut [u8]) -> Result<(), StoreError> {
        let offset = piece * PIECE_BYTES;
        self.read_raw(offset, buf, DamagedPart::Body)?;
        let page = self.page(piece / PAGE_PIECES as u64)?;
        let expected = page.get(within(piece % PAGE_PIECES as u64));
        if expected == Some(&piece_value(piece, buf, piece_count(self.len()) == 1)) {
            Ok(())
        } else {
            Err(self.file.damaged(DamagedPart::Body, offset))
        }
    }

    /// One page of the piece table, checked against the page table, which was checked against the content id.
    fn page(&self, index: u64) -> Result<Arc<[ChainingValue]>, StoreError> {
        let mut cached = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, page)) = cached.as_ref().filter(|(i, _)| *i == index) {
            return Ok(Arc::clone(page));
        }
        let first = index * PAGE_PIECES as u64;
        let count = within(piece_count(self.len()) - first).min(PAGE_PIECES);
        let at = self.file.pieces_at() + first * VALUE_BYTES as u64;
        let mut bytes = vec![0; count * VALUE_BYTES];
        self.read_raw(at, &mut bytes, DamagedPart::PieceTable)?;
        let page: Arc<[ChainingValue]> = values_of(&bytes).into();
        let only = self.file.pages.len() == 1;
        if self.file.pages.get(within(index)) != Some(&page_value(&page, only)) {
            return Err(self.file.damaged(DamagedPart::PieceTable, at));
        }
        *cached = Some((index, Arc::clone(&page)));
        Ok(page)
    }

    fn read_raw(&self, offset: u64, buf: &mut [u8], part: DamagedPart) -> Result<(), StoreError> {
        read_exact_at(&*self.file.file, offset, buf)
            .map_err(|e| read_error(&self.file.name, part, offset, &self.path, e))?;
        self.disk_bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// A length within one piece, page or buffer.
fn within(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
