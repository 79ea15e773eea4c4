//! Writing a container, section by section.

use std::io::{Seek, SeekFrom, Write};

use super::{BinFileError, Format};

/// Writes a container. Wrap files in a [`std::io::BufWriter`].
#[derive(Debug)]
pub struct BinFileWriter<W> {
    to: W,
    announced: u32,
    written: u32,
}

impl<W: Write + Seek> BinFileWriter<W> {
    /// Writes the header of a file of `sections` sections.
    ///
    /// # Errors
    /// What `to` reports.
    pub fn new(mut to: W, format: Format, sections: u32) -> Result<Self, BinFileError> {
        to.write_all(&format.magic)?;
        to.write_all(&format.version.to_le_bytes())?;
        to.write_all(&sections.to_le_bytes())?;
        Ok(Self { to, announced: sections, written: 0 })
    }

    /// Writes a section: `content` writes its bytes, its length is filled in afterwards.
    ///
    /// # Errors
    /// What `to` or `content` reports.
    pub fn section<E: From<BinFileError>>(
        &mut self,
        kind: u32,
        content: impl FnOnce(&mut W) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.begin(kind)?;
        content(&mut self.to)?;
        self.end(start)?;
        Ok(())
    }

    /// Ends the file and hands back where it was written, flushed.
    ///
    /// # Errors
    /// [`BinFileError::SectionCount`] when it was given more or fewer sections than announced; `Io`.
    pub fn finish(mut self) -> Result<W, BinFileError> {
        if self.written != self.announced {
            return Err(BinFileError::SectionCount { announced: self.announced, written: self.written });
        }
        self.to.flush()?;
        Ok(self.to)
    }

    fn begin(&mut self, kind: u32) -> Result<u64, BinFileError> {
        self.to.write_all(&kind.to_le_bytes())?;
        self.to.write_all(&0u64.to_le_bytes())?;
        Ok(self.to.stream_position()?)
    }

    fn end(&mut self, start: u64) -> Result<(), BinFileError> {
        let end = self.to.stream_position()?;
        self.to.seek(SeekFrom::Start(start - 8))?;
        self.to.write_all(&(end - start).to_le_bytes())?;
        self.to.seek(SeekFrom::Start(end))?;
        self.written += 1;
        Ok(())
    }
}
