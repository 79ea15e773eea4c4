//! From bytes to a tree, refusing everything that is not the one encoding of a harmless one.

use std::io::{self, Write};

use crate::entry::padded;
use crate::header::{Block, decode, read_block};
use crate::index::{Listed, Trailer};
use crate::tree::TreeCheck;
use crate::{ArchiveError, BLOCK_BYTES, Entry, Found, Kind};

/// Where a tree goes.
pub trait Sink {
    /// A file or folder begins. Its folder began before; its path was checked.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    fn begin(&mut self, entry: &Entry) -> io::Result<()>;

    /// More bytes of the file that began last.
    ///
    /// # Errors
    /// Whatever keeps them from being written.
    fn data(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The file that began last is complete. Not called for folders.
    ///
    /// # Errors
    /// Whatever keeps it from being closed.
    fn end(&mut self) -> io::Result<()>;
}

/// What comes next.
#[derive(Debug)]
enum Expect {
    /// A block: header, extended header, or the first of tar's end.
    Header,
    /// Records of an extended header of so many bytes, then a plain header.
    Records(usize),
    /// The header after the records.
    Extended(usize),
    /// So many bytes of data, then so many zeros.
    Data(u64, u64),
    /// The second zero block, the index and the last block: nothing but what the entries give.
    Trailer(usize),
}

/// Takes an archive's bytes as a writer and hands the tree to a [`Sink`] as it comes. What the sink made counts only after
/// [`Unpacker::finish`].
///
/// The error behind a failed `write` is an [`ArchiveError`] inside an [`io::Error`] of kind `Other`.
#[derive(Debug)]
pub struct Unpacker<S> {
    sink: S,
    check: TreeCheck,
    expect: Expect,
    /// Bytes of the header being gathered.
    held: Vec<u8>,
    /// With the index entries of what was seen; complete once the entries have ended.
    trailer: Trailer,
    /// Bytes taken, from the start of the archive.
    at: u64,
    /// Entries still to come when only some are unpacked.
    only: Option<Listed>,
}

impl<S: Sink> Unpacker<S> {
    /// For a whole archive.
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            check: TreeCheck::default(),
            expect: Expect::Header,
            held: Vec::new(),
            trailer: Trailer::new(),
            at: 0,
            only: None,
        }
    }

    /// For the bytes from `found.header_at` to `found.end` alone: exactly the entries the index lists there have to come, and nothing after them.
    pub fn some(sink: S, found: &Found) -> Self {
        Self { at: found.header_at, only: Some(found.listed.clone()), ..Self::new(sink) }
    }

    /// Gives the sink back when everything was there.
    ///
    /// # Errors
    /// `CutShort`; `Io`.
    pub fn finish(self) -> Result<S, ArchiveError> {
        let done = match (&self.expect, &self.only) {
            (Expect::Trailer(given), None) => *given == self.trailer.bytes.len(),
            (Expect::Header, Some(left)) => left.is_empty() && self.held.is_empty(),
            _ => false,
        };
        if done { Ok(self.sink) } else { Err(ArchiveError::CutShort { at: self.at }) }
    }

    /// Takes some of `bytes`, at least one.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, ArchiveError> {
        match self.expect {
            Expect::Header => self.gather(bytes, BLOCK_BYTES),
            Expect::Records(n) => {
                let whole = usize::try_from(padded(n as u64)).unwrap_or(usize::MAX);
                self.gather(bytes, BLOCK_BYTES + whole)
            }
            Expect::Extended(n) => {
                let whole = usize::try_from(padded(n as u64)).unwrap_or(usize::MAX);
                self.gather(bytes, 2 * BLOCK_BYTES + whole)
            }
            Expect::Data(data, zeros) => self.data(bytes, data, zeros),
            Expect::Trailer(given) => {
                let n = bytes.len().min(self.trailer.bytes.len() - given);
                if n == 0 {
                    return Err(ArchiveError::NotCanonical { at: self.at, what: "what follows the end" });
                }
                if bytes[..n] != self.trailer.bytes[given..given + n] {
                    return Err(ArchiveError::Index {
                        what: "it lists other entries, or tar's end is missing",
                    });
                }
                self.expect = Expect::Trailer(given + n);
                Ok(n)
            }
        }
    }

    /// Gathers a header until it has `whole` bytes.
    fn gather(&mut self, bytes: &[u8], whole: usize) -> Result<usize, ArchiveError> {
        let n = bytes.len().min(whole - self.held.len());
        self.held.extend_from_slice(&bytes[..n]);
        if self.held.len() == whole {
            self.header()?;
        }
        Ok(n)
    }

    fn header(&mut self) -> Result<(), ArchiveError> {
        let at = self.at.saturating_sub(self.held.len() as u64 - 1);
        if let Expect::Records(n) = self.expect {
            self.expect = Expect::Extended(n);
            return Ok(());
        }
        let last = self.held.last_chunk().expect("a whole block was gathered");
        match (read_block(last, at)?, &self.expect) {
            (Block::End, Expect::Header) if self.only.is_none() => {
                self.trailer.complete();
                self.expect = Expect::Trailer(BLOCK_BYTES);
                self.held.clear();
                Ok(())
            }
            (Block::Extended(n), Expect::Header) => {
                self.expect = Expect::Records(n);
                Ok(())
            }
            (Block::Plain(name, kind, size), _) => {
                let held = std::mem::take(&mut self.held);
                let records = match self.expect {
                    Expect::Extended(n) => held.get(BLOCK_BYTES..BLOCK_BYTES + n),
                    _ => None,
                };
                let entry = decode(&held, records, (name, kind, size), at)?;
                self.begin(&entry)
            }
            _ => Err(ArchiveError::NotCanonical { at, what: "a block" }),
        }
    }

    fn begin(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        if let Some(left) = &mut self.only {
            if left.next().as_ref() != Some(entry) {
                return Err(ArchiveError::Index { what: "it lists another entry than stands there" });
            }
        } else {
            self.check.admit(entry, || self.trailer.paths())?;
            self.trailer.push(entry);
        }
        self.sink.begin(entry)?;
        self.expect = Expect::Header;
        if entry.kind != Kind::Folder {
            if entry.size == 0 {
                self.sink.end()?;
            } else {
                self.expect = Expect::Data(entry.size, padded(entry.size) - entry.size);
            }
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8], data: u64, zeros: u64) -> Result<usize, ArchiveError> {
        let up_to = |left: u64| bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (n, data, zeros) = if data > 0 {
            let n = up_to(data);
            self.sink.data(&bytes[..n])?;
            let left = data - n as u64;
            if left == 0 {
                self.sink.end()?;
            }
            (n, left, zeros)
        } else {
            let n = up_to(zeros);
            if bytes[..n].iter().any(|b| *b != 0) {
                return Err(ArchiveError::NotCanonical { at: self.at, what: "padding" });
            }
            (n, 0, zeros - n as u64)
        };
        self.expect = if data == 0 && zeros == 0 { Expect::Header } else { Expect::Data(data, zeros) };
        Ok(n)
    }
}

impl<S: Sink> Write for Unpacker<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let n = self.take(bytes).map_err(|e| match e {
            ArchiveError::Io(e) => e,
            other => io::Error::other(other),
        })?;
        self.at += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
