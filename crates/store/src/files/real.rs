//! The real file system.

use std::fs::{self, DirBuilder, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use super::{Dir, DirEntry, File, FileSystem, Lock};

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct StdFiles;

impl File for fs::File {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, buf, offset)
    }

    fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync: the length counts as data (POSIX.1-2024 fdatasync), times do not matter here.
        self.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        fs::File::set_len(self, len)
    }
}

/// A directory, open for reading: all that `fsync` needs.
#[derive(Debug)]
struct OpenDir(fs::File);

impl Dir for OpenDir {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// An open file whose `flock` goes with it.
#[derive(Debug)]
struct Flock(#[expect(dead_code, reason = "held for its lock")] fs::File);

impl Lock for Flock {}

impl FileSystem for StdFiles {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let (is_dir, len) = match entry.metadata() {
                Ok(meta) => (meta.is_dir(), meta.len()),
                // Removed since the name was read. Said of the file, not of the directory.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                // One file of which nothing can be told must not hide the others.
                Err(_) => (entry.file_type()?.is_dir(), 0),
            };
            entries.push(DirEntry { name: entry.file_name().to_string_lossy().into_owned(), is_dir, len });
        }
        entries.sort();
        Ok(entries)
    }

    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(OpenDir(fs::File::open(path)?)))
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Flock(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}
