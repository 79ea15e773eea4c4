//! The file calls the store makes, behind a small trait, so that tests can lose, tear and refuse them.

mod real;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use real::StdFiles;

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// File name, without the directory; names that are not UTF-8 are given lossily.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes, for a file; 0 when that cannot be told.
    pub len: u64,
}

/// An open file. Positions are explicit, so handles are shared freely between threads.
#[expect(clippy::len_without_is_empty, reason = "a file's length is a system call that can fail")]
pub trait File: Debug + Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; 0 at the end.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, extending the file as needed.
    ///
    /// # Errors
    /// The system's; any part may have been written.
    fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file's data and length durable. Says nothing about its name.
    ///
    /// # Errors
    /// The system's; after one, nothing may be assumed about any unsynced byte, nor may it be retried.
    fn sync(&self) -> io::Result<()>;

    /// Bytes in the file.
    ///
    /// # Errors
    /// The system's.
    fn len(&self) -> io::Result<u64>;

    /// Cuts or zero-extends the file.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&self, len: u64) -> io::Result<()>;
}

/// An open directory, for making its names durable. Opened before a name in it changes, so that afterwards nothing but the
/// `fsync` itself is left to fail.
pub trait Dir: Debug + Send + Sync {
    /// Makes the names in the directory durable.
    ///
    /// # Errors
    /// As for [`File::sync`].
    fn sync(&self) -> io::Result<()>;
}

/// A lock that is held until dropped.
pub trait Lock: Debug + Send + Sync {}

/// File-system calls with POSIX meaning: a name is durable only after [`Dir::sync`] of its directory.
pub trait FileSystem: Debug + Send + Sync {
    /// Makes one directory, readable by this user only; `AlreadyExists` if there is one.
    ///
    /// # Errors
    /// The system's.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a new file for reading and writing, readable by this user only; `AlreadyExists` if there is one.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading, and for writing too if asked.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>>;

    /// Atomically gives `from` the name `to`, replacing what had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; `AlreadyExists` if that is taken.
    ///
    /// # Errors
    /// The system's; file systems without hard links refuse.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Opens a directory, to make its names durable later. A failure here says nothing about durability.
    ///
    /// # Errors
    /// The system's.
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>>;

    /// Takes the exclusive lock of a file, made if missing, without waiting; `None` if another open file has it.
    ///
    /// # Errors
    /// The system's.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// Fills `buf` from `offset`.
///
/// # Errors
/// The system's; `UnexpectedEof` when the file is shorter.
pub fn read_exact_at(file: &dyn File, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        match file.read_at(offset, buf) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                buf = &mut buf[n..];
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
