//! Tiles and entry bundles (C2SP tlog-tiles): where they are, and what is in them.

use core::fmt;

use crate::hash::Hash;
use crate::text::decimal;

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Bytes of an entry, at most: its length is written with 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Bytes of an entry bundle, at most.
pub const BUNDLE_BYTES_MAX: usize = 256 * (2 + ENTRY_BYTES_MAX);
/// Levels of a tree of at most 2^63 - 1 entries are 0 to 7.
const LEVELS: u8 = 8;

/// Kind of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A bundle of entries.
    Entries,
    /// Hashes of subtrees of `256^level` entries.
    Hashes(u8),
}

/// Why a path is not a tile's, or bytes not a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// Not `tile/<level>/<index>[.p/<width>]`.
    #[error("not a tile path")]
    Path,
    /// Not as long as the tile's width says, or an entry runs over the end.
    #[error("tile is too short or too long")]
    Length,
    /// An entry of more than [`ENTRY_BYTES_MAX`] bytes.
    #[error("entry of {len} bytes, more than the limit of {ENTRY_BYTES_MAX}")]
    EntryTooLong {
        /// Bytes.
        len: usize,
    },
}

/// One static resource of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: Level,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile at `index` of `level` in a tree of `size` entries: full, or as wide as that tree has it. `None` when that tree
    /// has nothing there.
    #[must_use]
    pub fn of_size(level: Level, index: u64, size: u64) -> Option<Self> {
        let before = index.checked_mul(TILE_WIDTH.into())?;
        let here = level.count(size).checked_sub(before)?.min(TILE_WIDTH.into());
        let width = u16::try_from(here).ok().filter(|w| *w > 0)?;
        Some(Self { level, index, width })
    }

    /// Kind.
    #[must_use]
    pub const fn level(self) -> Level {
        self.level
    }

    /// Place within the level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Hashes or entries in it: 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it has 256.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile at the same place.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Whether a tree of `size` entries has everything this tile holds, so that it may be shown.
    #[must_use]
    pub fn is_within(self, size: u64) -> bool {
        Self::of_size(self.level, self.index, size).is_some_and(|t| t.width >= self.width)
    }

    /// Reads the path [`Tile`]'s `Display` writes, `tile/…`; no other spelling.
    ///
    /// # Errors
    /// `Path`.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let tile = Self::parse_loosely(path).ok_or(TileError::Path)?;
        if tile.to_string() == path { Ok(tile) } else { Err(TileError::Path) }
    }

    fn parse_loosely(path: &str) -> Option<Self> {
        let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => Level::Entries,
            number => Level::Hashes(decimal(number).and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 64)?),
        };
        let (place, width) = match place.split_once(".p/") {
            Some((place, width)) => {
                (place, decimal(width).and_then(|w| u16::try_from(w).ok()).filter(|w| (1..256).contains(w))?)
            }
            None => (place, TILE_WIDTH),
        };
        let mut index = 0u64;
        for element in place.split('/') {
            let digits = element.strip_prefix('x').unwrap_or(element);
            if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        Some(Self { level, index, width })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1000);
            rest /= 1000;
        }
        match self.level {
            Level::Entries => write!(f, "tile/entries/{place}")?,
            Level::Hashes(level) => write!(f, "tile/{level}/{place}")?,
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl Level {
    /// Hashes (or entries) a tree of `size` entries has at this level.
    #[must_use]
    pub fn count(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes(level) if level < LEVELS => size >> (8 * u32::from(level)),
            Self::Hashes(_) => 0,
        }
    }
}

/// The hashes of a tile of `width`.
///
/// # Errors
/// `Length`.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != usize::from(width) {
        return Err(TileError::Length);
    }
    Ok(hashes.iter().map(|h| Hash(*h)).collect())
}

/// The bytes of a tile.
pub(crate) fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Entries, each behind its length in 16 bits big-endian.
///
/// # Errors
/// `EntryTooLong`.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::with_capacity(entries.iter().map(|e| 2 + e.as_ref().len()).sum());
    for entry in entries {
        push_entry(&mut bytes, entry.as_ref())?;
    }
    Ok(bytes)
}

pub(crate) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let len = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong { len: entry.len() })?;
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle of `width`, all bytes consumed.
///
/// # Errors
/// `Length`.
pub fn decode_bundle(mut bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::with_capacity(width.into());
    for _ in 0..width {
        let (len, rest) = bytes.split_first_chunk::<2>().ok_or(TileError::Length)?;
        let (entry, rest) =
            rest.split_at_checked(u16::from_be_bytes(*len).into()).ok_or(TileError::Length)?;
        entries.push(entry);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(entries) } else { Err(TileError::Length) }
}
