//! From entries and their sources to bytes.

use std::io::{self, Read};

use crate::entry::padded;
use crate::header::header;
use crate::index::Trailer;
use crate::{ArchiveError, Entries, Entry, Kind};

/// Reads as the archive of `entries`. Each file's bytes come from the reader that the source gives for it, one at a time, in order.
///
/// A source that gives fewer or more bytes than its entry says ends the archive with [`ArchiveError::Changed`] inside an
/// [`io::Error`] of kind `Other`.
#[derive(Debug)]
pub struct Packer<'a, S, R> {
    entries: &'a Entries,
    source: S,
    /// The entry whose turn is next.
    next: usize,
    /// Header, zeros or trailer being given out.
    block: Vec<u8>,
    given: usize,
    file: Option<(R, u64)>,
    ended: bool,
}

impl<'a, R: Read, S: FnMut(&Entry) -> io::Result<R>> Packer<'a, S, R> {
    /// A reader from the start.
    pub fn new(entries: &'a Entries, source: S) -> Self {
        Self { entries, source, next: 0, block: Vec::new(), given: 0, file: None, ended: false }
    }

    /// Bytes from the file whose turn it is; none when it is complete, after which its padding follows.
    fn read_file(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        let Some((file, left)) = &mut self.file else { return Ok(None) };
        let entry = &self.entries.as_slice()[self.next - 1];
        let changed = |longer| {
            let name = entry.path.clone();
            Err(io::Error::other(ArchiveError::Changed { name, expected: entry.size, longer }))
        };
        if *left == 0 {
            if read_some(file, &mut [0])? != 0 {
                return changed(true);
            }
            self.file = None;
            self.block = vec![0; usize::try_from(padded(entry.size) - entry.size).unwrap_or(0)];
            self.given = 0;
            return Ok(None);
        }
        let want = out.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let n = read_some(file, &mut out[..want])?;
        if n == 0 {
            return changed(false);
        }
        *left -= n as u64;
        Ok(Some(n))
    }

    /// Prepares the next header or the trailer.
    fn advance(&mut self) -> io::Result<()> {
        self.given = 0;
        let Some(entry) = self.entries.as_slice().get(self.next) else {
            let mut trailer = Trailer::new();
            self.entries.iter().for_each(|e| trailer.push(e));
            trailer.complete();
            self.block = trailer.bytes;
            self.ended = true;
            return Ok(());
        };
        self.next += 1;
        self.block = header(entry);
        if entry.kind != Kind::Folder {
            self.file = Some(((self.source)(entry)?, entry.size));
        }
        Ok(())
    }
}

impl<R: Read, S: FnMut(&Entry) -> io::Result<R>> Read for Packer<'_, S, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.given < self.block.len() {
                let n = out.len().min(self.block.len() - self.given);
                out[..n].copy_from_slice(&self.block[self.given..self.given + n]);
                self.given += n;
                return Ok(n);
            }
            if self.file.is_some() {
                if let Some(n) = self.read_file(out)? {
                    return Ok(n);
                }
            } else if self.ended {
                return Ok(0);
            } else {
                self.advance()?;
            }
        }
    }
}

fn read_some(file: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(out) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
