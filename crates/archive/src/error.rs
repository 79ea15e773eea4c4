//! What can be wrong with an archive or a tree.

use core::fmt;

use crate::{COMPONENT_BYTES_MAX, DEPTH_MAX, ENTRIES_MAX, INDEX_BYTES_MAX, PATH_BYTES_MAX};

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameFault {
    /// Nothing, or nothing between two slashes.
    Empty,
    /// Not UTF-8.
    NotUtf8,
    /// Begins with a slash.
    Absolute,
    /// A component `.` or `..`.
    Dots,
    /// A NUL byte.
    Nul,
    /// A backslash: Windows takes it for a slash.
    Backslash,
    /// A control character, or one that reorders what stands beside it.
    Control,
    /// A drive letter and a colon.
    Drive,
    /// One of `< > : " | ? *`: no name of a Windows file has them, and what follows a colon is another stream of the file before it.
    Forbidden,
    /// A device of Windows, whatever follows its first dot.
    Reserved,
    /// A component that ends in a dot or a space: Windows drops it.
    Ending,
    /// A component above 255 bytes.
    ComponentTooLong,
    /// A path above 4,096 bytes.
    PathTooLong,
    /// More than 128 components.
    TooDeep,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => "it, or a part of it, is empty",
            Self::NotUtf8 => "it is not UTF-8",
            Self::Absolute => "it is absolute",
            Self::Dots => "it has a part `.` or `..`",
            Self::Nul => "it has a NUL byte",
            Self::Backslash => "it has a backslash",
            Self::Control => "it has a control character",
            Self::Drive => "it begins like a drive",
            Self::Forbidden => "it has one of < > : \" | ? *, which no name of a Windows file can have",
            Self::Reserved => "a part of it names a device on Windows",
            Self::Ending => "a part of it ends in a dot or a space",
            Self::ComponentTooLong => {
                return write!(f, "a part of it has more than {COMPONENT_BYTES_MAX} bytes");
            }
            Self::PathTooLong => return write!(f, "it has more than {PATH_BYTES_MAX} bytes"),
            Self::TooDeep => return write!(f, "it has more than {DEPTH_MAX} parts"),
        };
        f.write_str(text)
    }
}

/// What is neither a file nor a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Special {
    /// A hard link.
    HardLink,
    /// A symbolic link.
    SymbolicLink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A sparse file.
    Sparse,
    /// Something else, by its tar type.
    Other(u8),
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HardLink => f.write_str("hard link"),
            Self::SymbolicLink => f.write_str("symbolic link"),
            Self::CharacterDevice => f.write_str("character device"),
            Self::BlockDevice => f.write_str("block device"),
            Self::Fifo => f.write_str("named pipe"),
            Self::Sparse => f.write_str("sparse file"),
            Self::Other(t) => write!(f, "entry of type {t:#04x}"),
        }
    }
}

/// Why an archive cannot be made or is refused. Names are as they were found: escape them before a terminal sees them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A name that could lead elsewhere, or nowhere on some system.
    #[error("the name {name:?} is refused: {fault}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// Two names that some file system takes for one.
    #[error("{first:?} and {second:?} are one name on some systems")]
    Collision {
        /// The one that came first.
        first: String,
        /// The other.
        second: String,
    },
    /// Names that do not ascend; one name twice among them.
    #[error("{name:?} is out of order, or there twice")]
    Order {
        /// The name.
        name: String,
    },
    /// An entry whose folder is not there, or is a file.
    #[error("{name:?} stands in no folder of the archive")]
    NoFolder {
        /// The name.
        name: String,
    },
    /// Neither a file nor a folder.
    #[error("{name:?} is a {special}: archives hold files and folders only")]
    Special {
        /// Its name.
        name: String,
        /// What it is.
        special: Special,
    },
    /// Permission bits other than 0644 and 0755; set-user-id and the like among them.
    #[error("{name:?} has permission bits {mode:#o}: only 0644 and 0755 are taken")]
    Mode {
        /// Its name.
        name: String,
        /// The bits.
        mode: u32,
    },
    /// More entries than an archive may have.
    #[error("more than {ENTRIES_MAX} entries")]
    TooManyEntries,
    /// Names so long that the index would exceed its limit.
    #[error("the index would have more than {INDEX_BYTES_MAX} bytes")]
    IndexTooLong,
    /// A file above the limit.
    #[error("{name:?} has {size} bytes, more than an archive takes")]
    FileTooLong {
        /// Its name.
        name: String,
        /// Its size.
        size: u64,
    },
    /// Not the one encoding of what it says.
    #[error("byte {at}: {what} is not as an archive of this form has it")]
    NotCanonical {
        /// Where, in bytes from the start.
        at: u64,
        /// What.
        what: &'static str,
    },
    /// The bytes end too early.
    #[error("the archive is cut short at byte {at}")]
    CutShort {
        /// Where it ended.
        at: u64,
    },
    /// Index and entries say different things, or the index does not fit the length.
    #[error("the index is not that of the entries: {what}")]
    Index {
        /// What differs.
        what: &'static str,
    },
    /// A source gave fewer or more bytes than was said.
    #[error("{name:?} changed while it was read: it has {found} bytes than {expected}", found = if *.longer { "more" } else { "fewer" })]
    Changed {
        /// Its name.
        name: String,
        /// Bytes it had at first.
        expected: u64,
        /// Whether there are more now.
        longer: bool,
    },
    /// Reading a source or writing to a target failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
