//! What is inside a body: metadata ‖ data ‖ zeros ‖ LE64 data length (spec envelope, clause E6).
//!
//! The length stands last so that sealing can stream from a pipe whose end is not known.

use std::io::{self, IoSliceMut, Read};

use bailiwick_protocol::limits::{BODY_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, NAME_BYTES_MAX};

use crate::cobblestone::CHUNK_BYTES;

/// Bytes of the length at the end.
pub(crate) const TAIL_BYTES: u64 = 8;

/// Name and media type: known to whoever can open the object, to nobody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Name the owner gave; at most 4,096 bytes. Untrusted text: never use it as a path unchecked.
    pub name: String,
    /// Media type (RFC 6838), may be empty; at most 255 bytes.
    pub media_type: String,
}

/// Why the inside of a body is malformed although it is authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A name or media type longer than the limit or than the body.
    #[error("name or media type too long")]
    MetadataLength,
    /// A name or media type that is not UTF-8.
    #[error("name or media type is not UTF-8")]
    MetadataText,
    /// The data length at the end does not fit the body.
    #[error("the data length at the end does not fit the body")]
    DataLength,
    /// The padding holds something other than zeros.
    #[error("the padding is not zero")]
    Padding,
}

/// How the true length is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Padmé (Nikitin et al., PoPETs 2019): at most 12 % larger; a length of L bits shows about log2(L) bits of itself.
    #[default]
    Padme,
    /// None: the size of the body shows the length of the data to the byte.
    None,
}

impl Padding {
    /// Bytes that `len` grows to.
    #[must_use]
    pub const fn padded(self, len: u64) -> u64 {
        match self {
            Self::Padme => padme(len),
            Self::None => len,
        }
    }
}

/// Padmé, integers only: keeps the top bits of a length, as many as its exponent has bits, and rounds up.
#[must_use]
pub const fn padme(len: u64) -> u64 {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let kept = match exponent.checked_ilog2() {
        Some(bits) => bits + 1,
        None => 1,
    };
    let mask = (1u64 << exponent.saturating_sub(kept)) - 1;
    (len.saturating_add(mask)) & !mask
}

impl Metadata {
    /// LE16 name length ‖ name ‖ LE16 media type length ‖ media type.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, LayoutError> {
        let mut out = Vec::with_capacity(4 + self.name.len() + self.media_type.len());
        for (text, max) in [(&self.name, NAME_BYTES_MAX), (&self.media_type, MEDIA_TYPE_BYTES_MAX)] {
            let len = u16::try_from(text.len()).map_err(|_| LayoutError::MetadataLength)?;
            if text.len() > max {
                return Err(LayoutError::MetadataLength);
            }
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Ok(out)
    }

    /// Reads it from the first chunk, which always holds it whole; also its encoded length.
    pub(crate) fn decode(first: &[u8]) -> Result<(Self, u64), LayoutError> {
        let (name, rest) = take_text(first, NAME_BYTES_MAX)?;
        let (media_type, rest) = take_text(rest, MEDIA_TYPE_BYTES_MAX)?;
        Ok((Self { name, media_type }, (first.len() - rest.len()) as u64))
    }
}

const _: () = assert!(4 + NAME_BYTES_MAX + MEDIA_TYPE_BYTES_MAX <= CHUNK_BYTES);

fn take_text(bytes: &[u8], max: usize) -> Result<(String, &[u8]), LayoutError> {
    let (len, rest) = bytes.split_first_chunk::<2>().ok_or(LayoutError::MetadataLength)?;
    let len = usize::from(u16::from_le_bytes(*len));
    if len > max {
        return Err(LayoutError::MetadataLength);
    }
    let (text, rest) = rest.split_at_checked(len).ok_or(LayoutError::MetadataLength)?;
    let text = std::str::from_utf8(text).map_err(|_| LayoutError::MetadataText)?;
    Ok((text.to_owned(), rest))
}

/// Where the parts lie, once the data length is known; refuses one that does not fit.
pub(crate) fn check_length(plain_total: u64, metadata: u64, data: u64) -> Result<(), LayoutError> {
    let used = metadata.checked_add(data).and_then(|n| n.checked_add(TAIL_BYTES));
    if used.is_some_and(|n| n <= plain_total) { Ok(()) } else { Err(LayoutError::DataLength) }
}

/// Gives metadata ‖ data ‖ zeros ‖ length, reading the data once.
pub(crate) struct LayoutReader<R> {
    head: io::Cursor<Vec<u8>>,
    data: R,
    data_len: u64,
    padding: Padding,
    /// Zeros left and the length, once the data has ended.
    ending: Option<(u64, io::Cursor<[u8; 8]>)>,
}

impl<R: Read> LayoutReader<R> {
    pub(crate) fn new(metadata: &Metadata, data: R, padding: Padding) -> Result<Self, LayoutError> {
        Ok(Self { head: io::Cursor::new(metadata.encode()?), data, data_len: 0, padding, ending: None })
    }

    /// Bytes of data read.
    pub(crate) fn data_len(&self) -> u64 {
        self.data_len
    }
}

impl<R: Read> Read for LayoutReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if bufs.iter().all(|b| b.is_empty()) {
            return Ok(0);
        }
        let n = self.head.read_vectored(bufs)?;
        if n > 0 {
            return Ok(n);
        }
        if self.ending.is_none() {
            let n = self.data.read_vectored(bufs)?;
            self.data_len += n as u64;
            // Beyond this no envelope can name the body; a pipe that never ends stops here.
            if self.data_len > BODY_BYTES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            if n > 0 {
                return Ok(n);
            }
            let used = self.head.get_ref().len() as u64 + self.data_len + TAIL_BYTES;
            self.ending =
                Some((self.padding.padded(used) - used, io::Cursor::new(self.data_len.to_le_bytes())));
        }
        let Some((zeros, length)) = &mut self.ending else { return Ok(0) };
        if *zeros > 0 {
            return Ok(fill_zeros(zeros, bufs));
        }
        length.read_vectored(bufs)
    }
}

/// Writes as many of the `zeros` left as fit; how many.
fn fill_zeros(zeros: &mut u64, bufs: &mut [IoSliceMut<'_>]) -> usize {
    let mut written = 0;
    for buf in bufs {
        let n = usize::try_from(*zeros).unwrap_or(usize::MAX).min(buf.len());
        buf[..n].fill(0);
        *zeros -= n as u64;
        written += n;
    }
    written
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _};

    use super::{BODY_BYTES_MAX, LayoutReader, Metadata, Padding};

    fn reader(data: &[u8]) -> LayoutReader<&[u8]> {
        LayoutReader::new(&Metadata::default(), data, Padding::None).expect("no metadata is short enough")
    }

    /// A pipe without end stops at the largest body; counting so far would take 124 GiB, so the count is set.
    #[test]
    fn data_beyond_the_largest_body_is_refused() {
        for (before, fits) in [(BODY_BYTES_MAX - 4, true), (BODY_BYTES_MAX - 3, false)] {
            let mut r = reader(b"data");
            r.data_len = before;
            let read = r.read_to_end(&mut Vec::new()).map_err(|e| e.kind());
            assert_eq!(read.err(), (!fits).then_some(ErrorKind::FileTooLarge));
        }
    }

    /// Being asked for nothing is not the end of the data.
    #[test]
    fn an_empty_read_ends_nothing() {
        let mut plain = Vec::new();
        reader(b"data").read_to_end(&mut plain).expect("in memory");
        let mut r = reader(b"data");
        let mut head = [0; 4];
        r.read_exact(&mut head).expect("in memory");
        assert_eq!(r.read(&mut []).expect("in memory"), 0);
        let mut rest = Vec::new();
        r.read_to_end(&mut rest).expect("in memory");
        assert_eq!([&head[..], &rest].concat(), plain);
    }
}
