//! The index after tar's end: what is where, found with one read from the end (spec archive, clause AR7).

use std::ops::Range;
use std::sync::Arc;

use crate::entry::{order_key, padded};
use crate::header::header_bytes;
use crate::tree::TreeCheck;
use crate::{ArchiveError, BLOCK_BYTES, ENTRIES_MAX, Entry, INDEX_BYTES_MAX, Kind};

/// Last eight bytes of an archive.
const MAGIC: [u8; 8] = *b"bwarchv1";
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Read at the end at first: finds small indices whole.
const FIRST_READ_BYTES: u64 = 64 * 1024;

/// Bytes of the entry of the shortest path.
const ENTRY_BYTES_MIN: usize = 1 + 2 + 1 + 8;

/// Bytes of one entry: kind, LE16 length of the path, path, LE64 size.
pub(crate) fn entry_bytes(entry: &Entry) -> usize {
    1 + 2 + entry.path.len() + 8
}

/// How many bytes stand after the entries when the index has `index` bytes.
fn trailer_bytes(index: usize) -> u64 {
    3 * BLOCK + padded(index as u64)
}

/// What stands after the entries: tar's end, then the index, which grows as they come, then the last block. One buffer, so that the index
/// is never held twice.
#[derive(Debug)]
pub(crate) struct Trailer {
    pub(crate) bytes: Vec<u8>,
    entries: u64,
}

impl Trailer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 2 * BLOCK_BYTES], entries: 0 }
    }

    pub(crate) fn push(&mut self, entry: &Entry) {
        self.bytes.push(entry.kind.id());
        let len = u16::try_from(entry.path.len()).expect("paths were checked to have at most 4,096 bytes");
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(entry.path.as_bytes());
        self.bytes.extend_from_slice(&entry.size.to_le_bytes());
        self.entries += 1;
    }

    /// Paths pushed so far.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        listed_paths(&self.bytes[2 * BLOCK_BYTES..])
    }

    /// Nothing is pushed any more.
    pub(crate) fn complete(&mut self) {
        let index = (self.bytes.len() - 2 * BLOCK_BYTES) as u64;
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK_BYTES) + BLOCK_BYTES - 24, 0);
        self.bytes.extend_from_slice(&index.to_le_bytes());
        self.bytes.extend_from_slice(&self.entries.to_le_bytes());
        self.bytes.extend_from_slice(&MAGIC);
    }
}

/// One entry at the beginning of index bytes, and the rest.
fn split_entry(bytes: &[u8]) -> Result<(Kind, &str, u64, &[u8]), ArchiveError> {
    let fault = |what| ArchiveError::Index { what };
    let (head, rest) = bytes.split_first_chunk::<3>().ok_or(fault("it is cut short"))?;
    let len = usize::from(u16::from_le_bytes([head[1], head[2]]));
    let (path, rest) = rest.split_at_checked(len).ok_or(fault("it is cut short"))?;
    let (size, rest) = rest.split_first_chunk::<8>().ok_or(fault("it is cut short"))?;
    let path = std::str::from_utf8(path).map_err(|_| fault("a name is not UTF-8"))?;
    let kind = Kind::from_id(head[0]).ok_or(fault("a kind"))?;
    Ok((kind, path, u64::from_le_bytes(*size), rest))
}

const CHECKED: &str = "every entry was read when the index was";

/// Paths of index bytes that were checked, or made here.
fn listed_paths(mut bytes: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (_, path, _, rest) = split_entry(bytes).ok()?;
        bytes = rest;
        Some(path)
    })
}

/// Entries as the index lists them, one after the other. Holds the index's bytes, not copies of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    bytes: Arc<Vec<u8>>,
    /// Those still to come.
    range: Range<usize>,
}

impl Listed {
    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

impl Iterator for Listed {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.is_empty() {
            return None;
        }
        let (kind, path, size, rest) = split_entry(&self.bytes[self.range.clone()]).expect(CHECKED);
        self.range.start = self.range.end - rest.len();
        Some(Entry { path: path.to_owned(), kind, size })
    }
}

/// An entry and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub entry: Entry,
    /// Where its header begins, in bytes from the start of the archive.
    pub header_at: u64,
    /// Where its data begins; it has `entry.size` bytes.
    pub data_at: u64,
    /// Where it and, for a folder, everything in it ends.
    pub end: u64,
    /// It and, for a folder, everything in it.
    pub listed: Listed,
}

/// What an archive holds, from its last bytes. It is checked like the archive itself, and that offsets and length add up.
///
/// Memory is that of the index's bytes and twelve bytes an entry; while it is read, some thirty more an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    bytes: Arc<Vec<u8>>,
    /// Where each entry stands in `bytes`.
    starts: Vec<u32>,
    /// Where each entry's header begins in the archive, and where the last ends.
    at: Vec<u64>,
}

impl Index {
    /// Reads the index of an archive of `total` bytes with one or two calls of `read(offset, length)`.
    ///
    /// # Errors
    /// `Index` when there is none, or one that does not fit; the errors of [`crate::Entries::new`] for what it lists; what `read` returns.
    pub fn read<E: From<ArchiveError>>(
        total: u64,
        mut read: impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let fault = |what| E::from(ArchiveError::Index { what });
        let first = total.min(FIRST_READ_BYTES);
        let first_len = usize::try_from(first).map_err(|_| fault("its length"))?;
        let mut tail = read(total - first, first_len)?;
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
            tail.truncate(start + len);
            tail.split_off(start)
        } else {
            let bytes = read(total - from_end, len)?;
            if bytes.len() != len {
                return Err(fault("its length"));
            }
            bytes
        };
        let trailer = trailer_bytes(len);
        let end = total.checked_sub(trailer).ok_or_else(|| fault("it is longer than the archive"))?;
        Ok(Self::decode(bytes, count, end)?)
    }

    /// `count` entries, which end at byte `end` of the archive.
    fn decode(bytes: Vec<u8>, count: u64, end: u64) -> Result<Self, ArchiveError> {
        let fault = |what| ArchiveError::Index { what };
        let count = usize::try_from(count).map_err(|_| fault("the number of entries"))?;
        // Before room for them is made: a path has at least one byte.
        if count > bytes.len() / ENTRY_BYTES_MIN {
            return Err(fault("the number of entries"));
        }
        let mut check = TreeCheck::default();
        let (mut starts, mut at) = (Vec::with_capacity(count), Vec::with_capacity(count + 1));
        at.push(0);
        let (mut left, mut here) = (bytes.as_slice(), 0u64);
        while !left.is_empty() {
            if starts.len() == count {
                return Err(fault("the number of entries"));
            }
            let start = bytes.len() - left.len();
            let (kind, path, size, rest) = split_entry(left)?;
            let entry = Entry { path: path.to_owned(), kind, size };
            check.admit(&entry, || listed_paths(&bytes[..start]))?;
            // 2^20 entries of at most 2^40 bytes and their headers stay below 2^61.
            here += entry.packed_bytes();
            if here > end {
                return Err(fault("sizes do not add up to the archive's"));
            }
            starts.push(u32::try_from(start).map_err(|_| fault("its length"))?);
            at.push(here);
            left = rest;
        }
        if starts.len() != count {
            return Err(fault("the number of entries"));
        }
        if here != end {
            return Err(fault("sizes do not add up to the archive's"));
        }
        Ok(Self { bytes: Arc::new(bytes), starts, at })
    }

    /// All entries, in order.
    #[must_use]
    pub fn entries(&self) -> Listed {
        self.listed(0..self.starts.len())
    }

    fn listed(&self, entries: Range<usize>) -> Listed {
        let start = |i: usize| self.starts.get(i).map_or(self.bytes.len(), |s| *s as usize);
        Listed { bytes: Arc::clone(&self.bytes), range: start(entries.start)..start(entries.end) }
    }

    fn path(&self, i: usize) -> &str {
        split_entry(&self.bytes[self.starts[i] as usize..]).expect(CHECKED).1
    }

    /// The entry of exactly this path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Found> {
        let before = |i: usize| order_key(self.path(i)).lt(order_key(path));
        let i = partition_point(0..self.starts.len(), before);
        let entry = self.listed(i..self.starts.len()).next().filter(|e| e.path == path)?;
        let inside = |i: usize| self.path(i).strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let after = partition_point(i + 1..self.starts.len(), inside);
        Some(Found {
            header_at: self.at[i],
            data_at: self.at[i] + header_bytes(&entry),
            end: self.at[after],
            listed: self.listed(i..after),
            entry,
        })
    }
}

/// The first number of `range`, or its end, for which `holds` does not; up to there it does.
fn partition_point(mut range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    while !range.is_empty() {
        let middle = range.start + range.len() / 2;
        if holds(middle) {
            range.start = middle + 1;
        } else {
            range.end = middle;
        }
    }
    range.start
}
