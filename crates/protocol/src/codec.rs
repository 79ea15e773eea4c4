//! Canonical encoding: deterministic CBOR (RFC 8949 section 4.2.1) with integer keys.
//!
//! One rule makes decoding canonical whatever the underlying library accepts: after a message is
//! decoded, it is encoded again and must give the very same bytes. Non-minimal integers, indefinite
//! lengths, unsorted or duplicate keys, tags and left-over bytes all fail that comparison. Decoders are
//! typed and never recurse, so depth is bounded by the message type.

/// Why bytes are not a canonical message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Longer than the message may be.
    #[error("{what}: {len} bytes, more than the limit of {max}")]
    TooLong {
        /// The message.
        what: &'static str,
        /// Bytes found.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not CBOR of the expected shape at this byte.
    #[error("malformed CBOR at byte {at}")]
    Malformed {
        /// Offset in the message.
        at: usize,
    },
    /// More entries than the limit.
    #[error("{what}: {found} entries, more than the limit of {max}")]
    TooMany {
        /// The list.
        what: &'static str,
        /// Entries declared.
        found: u64,
        /// Entries allowed.
        max: usize,
    },
    /// A map key this version does not define, or one out of order.
    #[error("{what}: unknown or misplaced key {key}")]
    UnknownKey {
        /// The map.
        what: &'static str,
        /// The key found.
        key: u64,
    },
    /// A version this build does not know.
    #[error("{what}: unknown version {found}")]
    UnknownVersion {
        /// The message.
        what: &'static str,
        /// The version found.
        found: u64,
    },
    /// A value outside its range.
    #[error("{0}: value outside its range")]
    Invalid(&'static str),
    /// Bytes after the message.
    #[error("{left} bytes after the end of the message")]
    Trailing {
        /// Bytes left over.
        left: usize,
    },
    /// Decodes, but is not the canonical encoding of what it decodes to.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// A signature that does not verify under the pinned key.
    #[error("signature does not verify under the pinned key")]
    BadSignature,
}

/// A message with exactly one encoding.
pub trait Canonical: Sized {
    /// What to call it in errors.
    const WHAT: &'static str;
    /// Bytes at most.
    const BYTES_MAX: usize;

    /// Appends the message.
    fn encode(&self, e: &mut Encoder);

    /// Reads one message.
    ///
    /// # Errors
    /// `CodecError`, naming what is wrong and where.
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError>;

    /// The canonical bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut e = Encoder::new();
        self.encode(&mut e);
        e.into_bytes()
    }

    /// Reads a message that fills `bytes` exactly and is canonical.
    ///
    /// # Errors
    /// `TooLong`, `Trailing`, `NotCanonical`, or what `decode` reports.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(CodecError::TooLong { what: Self::WHAT, len: bytes.len(), max: Self::BYTES_MAX });
        }
        let mut d = Decoder::new(bytes);
        let message = Self::decode(&mut d)?;
        let left = bytes.len() - d.position();
        if left != 0 {
            return Err(CodecError::Trailing { left });
        }
        let mut again = Encoder::with_capacity(bytes.len());
        message.encode(&mut again);
        if again.into_bytes() != bytes {
            return Err(CodecError::NotCanonical);
        }
        Ok(message)
    }
}

/// Writes canonical CBOR into memory; cannot fail.
#[derive(Debug)]
pub struct Encoder {
    inner: minicbor::Encoder<Vec<u8>>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: minicbor::Encoder::new(Vec::new()) }
    }

    /// An empty message with room for `bytes`, so that large ones are not moved while they grow.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { inner: minicbor::Encoder::new(Vec::with_capacity(bytes)) }
    }

    /// The bytes written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.inner.into_writer()
    }

    fn infallible<T>(r: Result<T, minicbor::encode::Error<core::convert::Infallible>>) {
        r.map(|_| ()).expect("writing to memory cannot fail");
    }

    /// Map header with `len` entries.
    pub fn map(&mut self, len: u64) {
        Self::infallible(self.inner.map(len));
    }

    /// Array header with `len` entries.
    pub fn array(&mut self, len: u64) {
        Self::infallible(self.inner.array(len));
    }

    /// Unsigned integer, shortest form.
    pub fn u64(&mut self, v: u64) {
        Self::infallible(self.inner.u64(v));
    }

    /// Signed integer, shortest form.
    pub fn i64(&mut self, v: i64) {
        Self::infallible(self.inner.i64(v));
    }

    /// Byte string.
    pub fn bytes(&mut self, v: &[u8]) {
        Self::infallible(self.inner.bytes(v));
    }

    /// Text string.
    pub fn text(&mut self, v: &str) {
        Self::infallible(self.inner.str(v));
    }
}

/// Reads CBOR, definite lengths only.
#[derive(Debug)]
pub struct Decoder<'b> {
    inner: minicbor::Decoder<'b>,
}

impl<'b> Decoder<'b> {
    /// At the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { inner: minicbor::Decoder::new(bytes) }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.inner.position()
    }

    fn malformed<T>(&self, r: Result<T, minicbor::decode::Error>) -> Result<T, CodecError> {
        r.map_err(|_| CodecError::Malformed { at: self.inner.position() })
    }

    /// Unsigned integer.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        let r = self.inner.u64();
        self.malformed(r)
    }

    /// Signed integer.
    ///
    /// # Errors
    /// `Malformed`, also outside the range of `i64`.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        let r = self.inner.i64();
        self.malformed(r)
    }

    /// Unsigned integer that fits `T`.
    ///
    /// # Errors
    /// `Malformed`, or `Invalid(what)` when too large.
    pub fn uint<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, CodecError> {
        T::try_from(self.u64()?).map_err(|_| CodecError::Invalid(what))
    }

    /// Byte string of at most `max` bytes, borrowed.
    ///
    /// # Errors
    /// `Malformed`, `TooLong`.
    pub fn bytes(&mut self, what: &'static str, max: usize) -> Result<&'b [u8], CodecError> {
        let r = self.inner.bytes();
        let b = self.malformed(r)?;
        if b.len() > max {
            return Err(CodecError::TooLong { what, len: b.len(), max });
        }
        Ok(b)
    }

    /// Byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// `Malformed` for another length.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let at = self.position();
        let r = self.inner.bytes();
        let b = self.malformed(r)?;
        b.try_into().map_err(|_| CodecError::Malformed { at })
    }

    /// Text of at most `max` bytes.
    ///
    /// # Errors
    /// `Malformed`, `TooLong`.
    pub fn text(&mut self, what: &'static str, max: usize) -> Result<&'b str, CodecError> {
        let r = self.inner.str();
        let s = self.malformed(r)?;
        if s.len() > max {
            return Err(CodecError::TooLong { what, len: s.len(), max });
        }
        Ok(s)
    }

    /// Array header of at most `max` entries; nothing is allocated before the bound holds.
    ///
    /// # Errors
    /// `Malformed` (also for indefinite length), `TooMany`.
    pub fn list(&mut self, what: &'static str, max: usize) -> Result<usize, CodecError> {
        let at = self.position();
        let r = self.inner.array();
        let found = self.malformed(r)?.ok_or(CodecError::Malformed { at })?;
        match usize::try_from(found) {
            Ok(n) if n <= max => Ok(n),
            _ => Err(CodecError::TooMany { what, found, max }),
        }
    }

    /// Array header of exactly `len` entries.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn tuple(&mut self, len: u64) -> Result<(), CodecError> {
        let at = self.position();
        let r = self.inner.array();
        if self.malformed(r)? == Some(len) { Ok(()) } else { Err(CodecError::Malformed { at }) }
    }

    /// Reads a map whose keys are strictly ascending integers below 24.
    ///
    /// # Errors
    /// `Malformed`; the canonical comparison refuses everything else.
    pub fn map(&mut self, what: &'static str) -> Result<MapReader, CodecError> {
        let at = self.position();
        let r = self.inner.map();
        let left = self.malformed(r)?.ok_or(CodecError::Malformed { at })?;
        Ok(MapReader { what, left, peeked: None })
    }
}

/// Walks a map's entries in key order.
#[derive(Debug)]
pub struct MapReader {
    what: &'static str,
    left: u64,
    peeked: Option<u64>,
}

impl MapReader {
    fn peek(&mut self, d: &mut Decoder<'_>) -> Result<Option<u64>, CodecError> {
        if self.peeked.is_none() && self.left > 0 {
            self.left -= 1;
            self.peeked = Some(d.u64()?);
        }
        Ok(self.peeked)
    }

    /// True, and the value is next, when the next key is `key`.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn optional(&mut self, d: &mut Decoder<'_>, key: u64) -> Result<bool, CodecError> {
        let here = self.peek(d)? == Some(key);
        if here {
            self.peeked = None;
        }
        Ok(here)
    }

    /// The next key must be `key`.
    ///
    /// # Errors
    /// `UnknownKey` with what is there instead, `Invalid` when the map ends.
    pub fn required(&mut self, d: &mut Decoder<'_>, key: u64) -> Result<(), CodecError> {
        if self.optional(d, key)? {
            return Ok(());
        }
        Err(match self.peeked {
            Some(key) => CodecError::UnknownKey { what: self.what, key },
            None => CodecError::Invalid(self.what),
        })
    }

    /// No entry may be left.
    ///
    /// # Errors
    /// `UnknownKey`.
    pub fn end(mut self, d: &mut Decoder<'_>) -> Result<(), CodecError> {
        match self.peek(d)? {
            Some(key) => Err(CodecError::UnknownKey { what: self.what, key }),
            None => Ok(()),
        }
    }
}
