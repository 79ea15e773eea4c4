//! Piece and page tables: the inner nodes of the body's own BLAKE3 tree, so that 64 KiB read from the middle of a body
//! can be checked against the content id the owner signed without reading the rest.
//!
//! A *piece* is 64 KiB of the body, a *page* is 128 pieces (8 MiB, 4 KiB of table). Both are subtrees of the BLAKE3 tree
//! (BLAKE3 paper, section 2.1: the left subtree is the largest power of two of chunks that leaves something on the right).

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// Bytes of a body that are checked together on a read.
pub const PIECE_BYTES: u64 = 64 * 1024;

/// Pieces under one entry of the page table.
pub(crate) const PAGE_PIECES: usize = 128;

/// Bytes of an entry of either table.
pub(crate) const VALUE_BYTES: usize = 32;

/// Pieces of a body of `size` bytes.
pub(crate) const fn piece_count(size: u64) -> u64 {
    size.div_ceil(PIECE_BYTES)
}

/// Pages of a body of `size` bytes.
pub(crate) const fn page_count(size: u64) -> u64 {
    piece_count(size).div_ceil(PAGE_PIECES as u64)
}

/// Both tables and the content id they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PieceTables {
    pub(crate) pieces: Vec<ChainingValue>,
    pub(crate) pages: Vec<ChainingValue>,
    pub(crate) content_id: [u8; 32],
}

/// Makes the tables in one pass over a body.
#[derive(Debug)]
pub(crate) struct PieceHasher {
    current: Hasher,
    filled: u64,
    done: Vec<ChainingValue>,
}

impl PieceHasher {
    pub(crate) fn new() -> Self {
        Self { current: Hasher::new(), filled: 0, done: Vec::new() }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == PIECE_BYTES {
                self.done.push(self.current.finalize_non_root());
                self.current = Hasher::new();
                self.current.set_input_offset(self.done.len() as u64 * PIECE_BYTES);
                self.filled = 0;
            }
            let room = usize::try_from(PIECE_BYTES - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.current.update(now);
            self.filled += now.len() as u64;
            bytes = later;
        }
    }

    /// The tables of what was given; at least one byte.
    pub(crate) fn finish(mut self) -> PieceTables {
        let only = self.done.is_empty();
        // The last piece is the whole tree when it is the only one, and then its value is the content id itself.
        self.done.push(if only {
            *self.current.finalize().as_bytes()
        } else {
            self.current.finalize_non_root()
        });
        let pages = pages_of(&self.done);
        let content_id = content_id_of(&pages);
        PieceTables { pieces: self.done, pages, content_id }
    }
}

/// The page table over a piece table.
fn pages_of(pieces: &[ChainingValue]) -> Vec<ChainingValue> {
    let only = pieces.len() <= PAGE_PIECES;
    pieces.chunks(PAGE_PIECES).map(|page| page_value(page, only)).collect()
}

/// Value of one page: the content id itself when it is the only page.
pub(crate) fn page_value(page: &[ChainingValue], only: bool) -> ChainingValue {
    merge(page, only)
}

/// The content id a page table leads to.
pub(crate) fn content_id_of(pages: &[ChainingValue]) -> [u8; 32] {
    merge(pages, true)
}

/// Value of one piece at `index`; `only` when the body is this piece.
pub(crate) fn piece_value(index: u64, bytes: &[u8], only: bool) -> ChainingValue {
    let mut hasher = Hasher::new();
    if only {
        return *hasher.update(bytes).finalize().as_bytes();
    }
    hasher.set_input_offset(index * PIECE_BYTES).update(bytes).finalize_non_root()
}

/// Merges equal-sized subtrees (the last may be smaller) into their parent. One value is its own parent:
/// at the root because a lone subtree already was finalized as the root.
fn merge(values: &[ChainingValue], root: bool) -> ChainingValue {
    match values {
        [] => [0; 32],
        [one] => *one,
        _ => {
            let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
            let (left, right) = (merge(left, false), merge(right, false));
            if root {
                *merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()
            } else {
                merge_subtrees_non_root(&left, &right, Mode::Hash)
            }
        }
    }
}

/// Table entries of stored bytes.
pub(crate) fn values_of(bytes: &[u8]) -> Vec<ChainingValue> {
    bytes.as_chunks().0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(len: u64) -> Vec<u8> {
        let mut out = vec![0; usize::try_from(len).unwrap()];
        Hasher::new().update(&len.to_le_bytes()).finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn tables_lead_to_the_blake3_of_the_body() {
        let page = PIECE_BYTES * PAGE_PIECES as u64;
        let p = PIECE_BYTES;
        for len in
            [1, 72, 1024, 1025, p - 1, p, p + 1, 2 * p, 3 * p, 5 * p + 7, page, page + 1, 3 * page + p + 9]
        {
            let body = body(len);
            let mut hasher = PieceHasher::new();
            for part in body.chunks(100_001) {
                hasher.update(part);
            }
            let tables = hasher.finish();
            assert_eq!(tables.content_id, *blake3::hash(&body).as_bytes(), "{len} bytes");
            assert_eq!(tables.pieces.len() as u64, piece_count(len));
            assert_eq!(tables.pages.len() as u64, page_count(len));
            let only = tables.pieces.len() == 1;
            for (i, piece) in body.chunks(65536).enumerate() {
                assert_eq!(piece_value(i as u64, piece, only), tables.pieces[i], "piece {i} of {len} bytes");
            }
        }
    }
}
