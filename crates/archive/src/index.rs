//! The index after tar's end: what is where, found with one read from the end (spec archive, clause AR7).

use crate::entry::{order_key, padded};
use crate::header::header_bytes;
use crate::tree::TreeCheck;
use crate::{ArchiveError, BLOCK_BYTES, ENTRIES_MAX, Entries, Entry, INDEX_BYTES_MAX, Kind};

/// Last eight bytes of an archive.
const MAGIC: [u8; 8] = *b"bwarchv1";
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Read at the end at first: finds small indices whole.
const FIRST_READ_BYTES: u64 = 64 * 1024;

/// Bytes of one entry: kind, LE16 length of the path, path, LE64 size.
pub(crate) fn entry_bytes(entry: &Entry) -> usize {
    1 + 2 + entry.path.len() + 8
}

pub(crate) fn push_entry(out: &mut Vec<u8>, entry: &Entry) {
    out.push(entry.kind.id());
    let len = u16::try_from(entry.path.len()).expect("paths were checked to have at most 4,096 bytes");
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(entry.path.as_bytes());
    out.extend_from_slice(&entry.size.to_le_bytes());
}

/// Bytes that stand after the entries: tar's end, the index, the last block.
pub(crate) fn trailer(index: &[u8], entries: usize) -> Vec<u8> {
    let mut out = vec![0; 2 * BLOCK_BYTES];
    out.extend_from_slice(index);
    out.resize(out.len().next_multiple_of(BLOCK_BYTES) + BLOCK_BYTES - 24, 0);
    out.extend_from_slice(&(index.len() as u64).to_le_bytes());
    out.extend_from_slice(&(entries as u64).to_le_bytes());
    out.extend_from_slice(&MAGIC);
    out
}

/// An entry and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Where its header begins, in bytes from the start of the archive.
    pub header_at: u64,
    /// Where its data begins; it has `entry.size` bytes.
    pub data_at: u64,
    /// Where it and, for a folder, everything in it ends.
    pub end: u64,
    /// How many entries that are.
    pub entries: usize,
}

/// What an archive holds, from its last bytes. It is checked like the archive itself, and that offsets and length add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    entries: Entries,
    /// Where each entry's header begins, and where the last ends.
    at: Vec<u64>,
}

impl Index {
    /// Reads the index of an archive of `total` bytes with one or two calls of `read(offset, length)`.
    ///
    /// # Errors
    /// `Index` when there is none, or one that does not fit; the errors of [`Entries::new`] for what it lists; what `read` returns.
    pub fn read<E: From<ArchiveError>>(
        total: u64,
        mut read: impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let fault = |what| E::from(ArchiveError::Index { what });
        let first = total.min(FIRST_READ_BYTES);
        let first_len = usize::try_from(first).map_err(|_| fault("its length"))?;
        let tail = read(total - first, first_len)?;
        let footer: &[u8; 24] = tail.last_chunk().ok_or_else(|| fault("there is none"))?;
        if tail.len() != first_len || footer[16..] != MAGIC {
            return Err(fault("there is none"));
        }
        let number =
            |at: usize| u64::from_le_bytes(footer[at..at + 8].try_into().expect("eight of 24 bytes"));
        let (len, count) = (number(0), number(8));
        if len > INDEX_BYTES_MAX as u64 || count > ENTRIES_MAX as u64 {
            return Err(fault("it says to be above the limits"));
        }
        let from_end = padded(len) + BLOCK;
        let len = usize::try_from(len).map_err(|_| fault("its length"))?;
        if from_end > total {
            return Err(fault("it is longer than the archive"));
        }
        let bytes = if from_end <= first {
            let start = tail.len() - usize::try_from(from_end).map_err(|_| fault("its length"))?;
            tail[start..start + len].to_vec()
        } else {
            let bytes = read(total - from_end, len)?;
            if bytes.len() != len {
                return Err(fault("its length"));
            }
            bytes
        };
        let index = Self::decode(&bytes, count)?;
        if index.end() + trailer(&bytes, index.entries.len()).len() as u64 != total {
            return Err(fault("sizes do not add up to the archive's"));
        }
        Ok(index)
    }

    fn decode(mut bytes: &[u8], count: u64) -> Result<Self, ArchiveError> {
        let fault = |what| ArchiveError::Index { what };
        let mut check = TreeCheck::default();
        // Every entry has eleven bytes or more, so this is bounded by what was read.
        let mut entries = Vec::with_capacity(bytes.len() / 12);
        let mut at = vec![0];
        let mut end = 0u64;
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_first_chunk::<3>().ok_or(fault("it is cut short"))?;
            let len = usize::from(u16::from_le_bytes([head[1], head[2]]));
            let (path, rest) = rest.split_at_checked(len).ok_or(fault("it is cut short"))?;
            let (size, rest) = rest.split_first_chunk::<8>().ok_or(fault("it is cut short"))?;
            let path = std::str::from_utf8(path).map_err(|_| fault("a name is not UTF-8"))?;
            let kind = Kind::from_id(head[0]).ok_or(fault("a kind"))?;
            let entry = Entry { path: path.to_owned(), kind, size: u64::from_le_bytes(*size) };
            check.admit(&entry)?;
            // 2^20 entries of at most 2^40 bytes and their headers stay below 2^61.
            end += entry.packed_bytes();
            at.push(end);
            entries.push(entry);
            bytes = rest;
        }
        if entries.len() as u64 != count {
            return Err(fault("the number of entries"));
        }
        Ok(Self { entries: Entries::admitted(entries), at })
    }

    /// Where the entries end.
    fn end(&self) -> u64 {
        self.at.last().copied().unwrap_or(0)
    }

    /// All entries, in order.
    #[must_use]
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The entry of exactly this path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        let all = self.entries.as_slice();
        let i = all.binary_search_by(|e| order_key(&e.path).cmp(order_key(path))).ok()?;
        let entry = &all[i];
        let inside = |e: &Entry| e.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let entries = 1 + all[i + 1..].partition_point(inside);
        Some(Found {
            entry,
            header_at: self.at[i],
            data_at: self.at[i] + header_bytes(entry),
            end: self.at[i + entries],
            entries,
        })
    }

    /// The entries `found` speaks of: itself and what is in it.
    #[must_use]
    pub fn subtree(&self, found: &Found<'_>) -> &[Entry] {
        let start = self.at.partition_point(|at| *at < found.header_at);
        &self.entries.as_slice()[start..start + found.entries]
    }
}
