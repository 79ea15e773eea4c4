//! Reading a container: the table first, then one section at a time.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::{BinFileError, Format, Part, SECTIONS_MAX};

/// Bytes of magic, version, section count.
const HEADER: u64 = 12;
/// Bytes of a section's type and length.
const SECTION_HEADER: u64 = 12;
/// Bytes read from the source at once.
const BUFFER: usize = 1 << 16;

/// Where a section's content lies.
#[derive(Clone, Copy, Debug)]
struct Entry {
    kind: u32,
    start: u64,
    length: u64,
}

/// An opened container whose section table has been checked against the real length.
///
/// Memory: 64 KiB of buffer and a line per section, whatever the file says.
#[derive(Debug)]
pub struct BinFile<R> {
    from: BufReader<R>,
    entries: Vec<Entry>,
}

impl<R: Read + Seek> BinFile<R> {
    /// Reads the header and the section table of `from`, from its beginning to its end.
    ///
    /// # Errors
    /// [`BinFileError`]: wrong magic or version, too many sections, truncated, duplicate, trailing bytes.
    pub fn open(from: R, format: Format) -> Result<Self, BinFileError> {
        let mut from = BufReader::with_capacity(BUFFER, from);
        let end = from.seek(SeekFrom::End(0))?;
        from.seek(SeekFrom::Start(0))?;
        within(HEADER, end, Part::Header)?;
        let magic = array(&mut from)?;
        if magic != format.magic {
            return Err(BinFileError::Magic { expected: format.magic, found: magic });
        }
        let version = u32::from_le_bytes(array(&mut from)?);
        if version != format.version {
            return Err(BinFileError::Version { expected: format.version, found: version });
        }
        let count = u32::from_le_bytes(array(&mut from)?);
        if count > SECTIONS_MAX {
            return Err(BinFileError::TooManySections { count });
        }
        let mut entries: Vec<Entry> = Vec::new();
        let mut at = HEADER;
        for n in 0..count {
            let part = Part::SectionHeader(n);
            let start = within(at.saturating_add(SECTION_HEADER), end, part)?;
            from.seek(SeekFrom::Start(at))?;
            let kind = u32::from_le_bytes(array(&mut from)?);
            let length = u64::from_le_bytes(array(&mut from)?);
            if entries.iter().any(|e| e.kind == kind) {
                return Err(BinFileError::Duplicate { kind });
            }
            at = within(start.saturating_add(length), end, Part::Section(kind))?;
            entries.push(Entry { kind, start, length });
        }
        if at != end {
            return Err(BinFileError::Trailing { bytes: end - at });
        }
        Ok(Self { from, entries })
    }

    /// The section types there are, in file order.
    pub fn kinds(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|e| e.kind)
    }

    /// Whether there is a section of type `kind`.
    #[must_use]
    pub fn has(&self, kind: u32) -> bool {
        self.entries.iter().any(|e| e.kind == kind)
    }

    /// Refuses sections of types other than `known`.
    ///
    /// # Errors
    /// [`BinFileError::Unknown`].
    pub fn only(&self, known: &[u32]) -> Result<(), BinFileError> {
        self.kinds().find(|k| !known.contains(k)).map_or(Ok(()), |kind| Err(BinFileError::Unknown { kind }))
    }

    /// Bytes of the section of type `kind`.
    ///
    /// # Errors
    /// [`BinFileError::Missing`].
    pub fn length(&self, kind: u32) -> Result<u64, BinFileError> {
        Ok(self.entry(kind)?.length)
    }

    /// Goes to the beginning of the section of type `kind`. [`Section::finish`] it after the last value.
    ///
    /// # Errors
    /// [`BinFileError::Missing`], `Io`.
    pub fn section(&mut self, kind: u32) -> Result<Section<'_, R>, BinFileError> {
        let Entry { start, length, .. } = self.entry(kind)?;
        self.from.seek(SeekFrom::Start(start))?;
        Ok(Section { from: &mut self.from, kind, left: length })
    }

    fn entry(&self, kind: u32) -> Result<Entry, BinFileError> {
        self.entries.iter().find(|e| e.kind == kind).copied().ok_or(BinFileError::Missing { kind })
    }
}

/// A cursor inside one section; it cannot leave it.
#[derive(Debug)]
pub struct Section<'f, R> {
    from: &'f mut BufReader<R>,
    kind: u32,
    left: u64,
}

impl<R: Read + Seek> Section<'_, R> {
    /// Steps over `bytes` bytes.
    ///
    /// # Errors
    /// [`BinFileError::Short`] when the section ends before, `Io`.
    pub fn skip(&mut self, bytes: u64) -> Result<(), BinFileError> {
        let short = BinFileError::Short { kind: self.kind, wanted: bytes, left: self.left };
        match (self.left.checked_sub(bytes), i64::try_from(bytes)) {
            (Some(left), Ok(step)) => {
                self.from.seek_relative(step)?;
                self.left = left;
                Ok(())
            }
            _ => Err(short),
        }
    }
}

impl<R: Read> Section<'_, R> {
    /// The section's type.
    #[must_use]
    pub const fn kind(&self) -> u32 {
        self.kind
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Checks that what is left is exactly `count` elements of `size` bytes. Ask before allocating for them.
    ///
    /// # Errors
    /// [`BinFileError::Count`].
    pub const fn count(&self, count: u64, size: u64) -> Result<usize, BinFileError> {
        let fits = match count.checked_mul(size) {
            Some(bytes) => bytes == self.left,
            None => false,
        };
        // On a machine whose usize is smaller, a count that does not fit cannot be held either.
        #[expect(clippy::cast_possible_truncation, reason = "compared after the cast")]
        let n = count as usize;
        if fits && n as u64 == count {
            Ok(n)
        } else {
            Err(BinFileError::Count { kind: self.kind, count, size, length: self.left })
        }
    }

    /// Fills `to`.
    ///
    /// # Errors
    /// [`BinFileError::Short`] when the section ends before, `Io`.
    pub fn fill(&mut self, to: &mut [u8]) -> Result<(), BinFileError> {
        let wanted = to.len() as u64;
        let Some(left) = self.left.checked_sub(wanted) else {
            return Err(BinFileError::Short { kind: self.kind, wanted, left: self.left });
        };
        self.from.read_exact(to)?;
        self.left = left;
        Ok(())
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// As [`Section::fill`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BinFileError> {
        let mut out = [0; N];
        self.fill(&mut out)?;
        Ok(out)
    }

    /// The next four bytes as a little-endian number.
    ///
    /// # Errors
    /// As [`Section::fill`].
    pub fn u32(&mut self) -> Result<u32, BinFileError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// The next eight bytes as a little-endian number.
    ///
    /// # Errors
    /// As [`Section::fill`].
    pub fn u64(&mut self) -> Result<u64, BinFileError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The section must have been read to its end.
    ///
    /// # Errors
    /// [`BinFileError::Leftover`].
    pub const fn finish(self) -> Result<(), BinFileError> {
        match self.left {
            0 => Ok(()),
            bytes => Err(BinFileError::Leftover { kind: self.kind, bytes }),
        }
    }
}

/// `needed`, if the file reaches that far.
const fn within(needed: u64, end: u64, what: Part) -> Result<u64, BinFileError> {
    if needed <= end { Ok(needed) } else { Err(BinFileError::Truncated { what, needed, end }) }
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], BinFileError> {
    let mut out = [0; N];
    from.read_exact(&mut out)?;
    Ok(out)
}
