//! The sectioned binary container under `.r1cs`, `.wtns`, `.zkey` and `.ptau`.
//!
//! ```text
//! magic (4 bytes) ‖ version (u32) ‖ section count (u32) ‖ count × ( type (u32) ‖ length (u64) ‖ length bytes )
//! ```
//!
//! Little-endian throughout. Sections may stand in any order; each type at most once, and the last ends where the
//! file ends. Source: the iden3 r1cs binary format specification, section "General"; the other formats use the same.
//!
//! Nothing is allocated on a file's word: [`BinFile::open`] walks the section table against the real length, and
//! [`Section::count`] is asked before a vector is made.

mod read;
mod write;

pub use read::{BinFile, Section};
pub use write::BinFileWriter;

/// Most sections a file may have. The formats known define at most 15.
pub const SECTIONS_MAX: u32 = 64;

/// What a file of one format starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The four bytes at its beginning: `b"r1cs"`, `b"wtns"`, `b"zkey"`, `b"ptau"`.
    pub magic: [u8; 4],
    /// The version written, and the only one read.
    pub version: u32,
}

/// Why a file is not a well-formed container, or a section not what its format says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BinFileError {
    /// Reading or writing failed.
    #[error("iden3 file: {0}")]
    Io(#[from] std::io::Error),
    /// Another kind of file.
    #[error("not a .{} file: it starts with {found:02x?}", expected.escape_ascii())]
    Magic {
        /// The format asked for.
        expected: [u8; 4],
        /// What the file starts with.
        found: [u8; 4],
    },
    /// Another version of the format.
    #[error("version {found} of the format, only version {expected} is read")]
    Version {
        /// The version read here.
        expected: u32,
        /// The file's.
        found: u32,
    },
    /// More than [`SECTIONS_MAX`].
    #[error("{count} sections announced, more than {SECTIONS_MAX}")]
    TooManySections {
        /// What the file announces.
        count: u32,
    },
    /// The file ends inside its header, or a section reaches over its end.
    #[error("the file ends at byte {end}, {what} needs it to reach byte {needed}")]
    Truncated {
        /// Which part.
        what: Part,
        /// Where that part ends.
        needed: u64,
        /// Where the file ends.
        end: u64,
    },
    /// Bytes after the last section.
    #[error("{bytes} bytes after the last section")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// One section type twice.
    #[error("section {kind} occurs twice")]
    Duplicate {
        /// The type.
        kind: u32,
    },
    /// A section the format requires is not there.
    #[error("section {kind} is missing")]
    Missing {
        /// The type.
        kind: u32,
    },
    /// A section the format does not define.
    #[error("section {kind} is not one of this format")]
    Unknown {
        /// The type.
        kind: u32,
    },
    /// A section ends before the value being read does.
    #[error("section {kind} ends inside a value: {wanted} bytes wanted, {left} left")]
    Short {
        /// The section.
        kind: u32,
        /// Bytes asked for.
        wanted: u64,
        /// Bytes there are.
        left: u64,
    },
    /// A section has bytes nobody read.
    #[error("section {kind} has {bytes} bytes more than its content")]
    Leftover {
        /// The section.
        kind: u32,
        /// How many.
        bytes: u64,
    },
    /// The length of a section does not fit the number of elements announced.
    #[error("section {kind} has {length} bytes left for {count} elements of {size} bytes")]
    Count {
        /// The section.
        kind: u32,
        /// Elements announced.
        count: u64,
        /// Bytes of one.
        size: u64,
        /// Bytes the section has left.
        length: u64,
    },
    /// A writer was given more or fewer sections than it announced.
    #[error("{written} sections written, {announced} announced")]
    SectionCount {
        /// Announced in the header.
        announced: u32,
        /// Written.
        written: u32,
    },
}

/// A part of a file, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Magic, version, section count.
    Header,
    /// Type and length of a section, counted from 0.
    SectionHeader(u32),
    /// The content of the section of this type.
    Section(u32),
}

impl core::fmt::Display for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Header => f.write_str("the header"),
            Self::SectionHeader(n) => write!(f, "the header of section number {n}"),
            Self::Section(kind) => write!(f, "section {kind}"),
        }
    }
}
