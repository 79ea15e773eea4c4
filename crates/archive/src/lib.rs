//! Directories as one deterministic archive (spec archive).
//!
//! The bytes are a POSIX tar archive (IEEE Std 1003.1, pax interchange format) that any `tar` reads, of which exactly one
//! encoding exists: names in order, no times, no owners, modes 0644 and 0755, every folder before what is in it. After tar's end
//! stands an index, so that one file of many is found with one read and fetched with another. [`Packer`] gives the bytes of a list
//! of entries as a reader; [`Unpacker`] takes them as a writer and refuses whatever is not the one encoding of a harmless tree:
//! links, devices, names that lead elsewhere or that some system takes for another's, sizes that lie.
//!
//! Nothing here touches a file: readers and a [`Sink`] are arguments.
//!
//! ```
//! use std::io::Read as _;
//! use bailiwick_archive::{Entries, Entry, Index, Packer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let entries = Entries::new(vec![Entry::folder("a"), Entry::file("a/b.txt", 5, false)])?;
//! let mut bytes = Vec::new();
//! Packer::new(&entries, |_: &Entry| Ok(&b"hello"[..])).read_to_end(&mut bytes)?;
//! let index = Index::read(bytes.len() as u64, |at, len| {
//!     let at = usize::try_from(at).expect("small");
//!     Ok::<_, bailiwick_archive::ArchiveError>(bytes[at..at + len].to_vec())
//! })?;
//! let found = index.find("a/b.txt").ok_or("not there")?;
//! assert_eq!((found.entry.size, &bytes[usize::try_from(found.data_at)?..][..5]), (5, &b"hello"[..]));
//! # Ok(()) }
//! ```

mod entry;
mod error;
mod header;
mod index;
mod name;
mod pack;
mod tree;
mod unpack;

pub use entry::{Entries, Entry, Kind};
pub use error::{ArchiveError, NameFault, Special};
pub use index::{Found, Index, Listed};
pub use name::{check_name, collision_key};
pub use pack::Packer;
pub use unpack::{Sink, Unpacker};

/// Media type that marks an archive of this form inside a body.
pub const MEDIA_TYPE: &str = "application/x-tar; profile=\"bailiwick-archive-v1\"";

/// Entries of one archive, at most.
pub const ENTRIES_MAX: usize = 1 << 20;

/// Bytes of an index, at most.
pub const INDEX_BYTES_MAX: usize = 128 << 20;

/// Bytes of a path, at most (the limit of names inside a body).
pub const PATH_BYTES_MAX: usize = 4096;

/// Bytes of one component of a path, at most (POSIX `NAME_MAX` on every common file system).
pub const COMPONENT_BYTES_MAX: usize = 255;

/// Components of a path, at most: extraction holds one folder open for each.
pub const DEPTH_MAX: usize = 128;

/// Bytes of one file, at most: more than a body can hold.
pub const FILE_BYTES_MAX: u64 = 1 << 40;

/// Bytes of a tar block.
pub const BLOCK_BYTES: usize = 512;
