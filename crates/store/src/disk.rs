//! The file system as the store uses it: errors with their path, directories made durable, and the one rule about
//! `fsync` (a failure is final) in one place.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::StoreError;
use crate::files::{Dir, DirEntry, File, FileSystem, Lock};

/// The failed `fsync` that made a store read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncFailure {
    /// What was being made durable.
    pub path: PathBuf,
    /// The system's answer.
    pub kind: io::ErrorKind,
}

/// A directory opened before a name in it changes.
#[derive(Debug)]
pub(crate) struct OpenDir {
    dir: Box<dyn Dir>,
    path: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Disk {
    files: Arc<dyn FileSystem>,
    failure: OnceLock<SyncFailure>,
    /// Directories whose name is known to be durable: synced by this process.
    durable_dirs: Mutex<HashSet<PathBuf>>,
}

impl Disk {
    pub(crate) fn new(files: Arc<dyn FileSystem>) -> Self {
        Self { files, failure: OnceLock::new(), durable_dirs: Mutex::default() }
    }

    /// The failure that made the store read-only, if one did.
    pub(crate) fn failure(&self) -> Option<&SyncFailure> {
        self.failure.get()
    }

    /// # Errors
    /// `ReadOnly` after a failed `fsync`.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.failure.get().is_some() { Err(StoreError::ReadOnly) } else { Ok(()) }
    }

    pub(crate) fn create(&self, path: &Path) -> Result<Box<dyn File>, StoreError> {
        self.files.create(path).map_err(|e| StoreError::io("create", path, e))
    }

    pub(crate) fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>> {
        self.files.open(path, write)
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.files.rename(from, to).map_err(|e| StoreError::io("rename", to, e))
    }

    pub(crate) fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.link(from, to)
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.files.remove(path).map_err(|e| StoreError::io("remove", path, e))
    }

    /// Names in a directory; none if it does not exist.
    pub(crate) fn list(&self, path: &Path) -> Result<Vec<DirEntry>, StoreError> {
        match self.files.list(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.map_err(|e| StoreError::io("list", path, e)),
        }
    }

    pub(crate) fn try_lock(&self, path: &Path) -> Result<Box<dyn Lock>, StoreError> {
        match self.files.try_lock(path) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(StoreError::Locked { path: path.into() }),
            Err(e) => Err(StoreError::io("lock", path, e)),
        }
    }

    /// Makes a file durable. A failure is remembered for good: the kernel may have marked the lost pages clean,
    /// so a second `fsync` that succeeds would mean nothing (Rebello et al., USENIX ATC 2020).
    pub(crate) fn sync(&self, file: &dyn File, path: &Path) -> Result<(), StoreError> {
        self.check_writable()?;
        file.sync().map_err(|e| self.failed(path, e))
    }

    /// Opens a directory whose names are about to change. That it cannot be opened (too many files are open, say) is an
    /// ordinary error: no `fsync` was tried, and nothing has changed yet.
    pub(crate) fn open_dir(&self, path: &Path) -> Result<OpenDir, StoreError> {
        let dir = self.files.open_dir(path).map_err(|e| StoreError::io("open directory", path, e))?;
        Ok(OpenDir { dir, path: path.into() })
    }

    /// Makes the names in a directory durable; failures as for [`Disk::sync`].
    pub(crate) fn sync_dir(&self, dir: &OpenDir) -> Result<(), StoreError> {
        self.check_writable()?;
        dir.dir.sync().map_err(|e| self.failed(&dir.path, e))
    }

    fn failed(&self, path: &Path, source: io::Error) -> StoreError {
        tracing::error!(path = %path.display(), error = %source, "fsync failed: the store is read-only from now on");
        // A second failure adds nothing to the first.
        let _ = self.failure.set(SyncFailure { path: path.into(), kind: source.kind() });
        StoreError::SyncFailed { path: path.into(), source }
    }

    /// Makes a directory and its name durable, under a parent that already is.
    pub(crate) fn ensure_dir(&self, path: &Path) -> Result<(), StoreError> {
        if self.durable_dirs.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            return Ok(());
        }
        let parent = self.open_dir(parent_of(path))?;
        match self.files.create_dir(path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StoreError::io("create directory", path, e));
            }
            // One that exists may have been made by a process that died before it synced the parent.
            _ => {}
        }
        self.sync_dir(&parent)?;
        self.durable_dirs.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into());
        Ok(())
    }

    /// Makes a directory and every missing one above it, from the top down, each durable before the next is made. So only
    /// the lowest that exists can have been left undurable by a process that died here, and that one is made durable too.
    pub(crate) fn ensure_path(&self, path: &Path) -> Result<(), StoreError> {
        match self.files.open_dir(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if parent_of(path) != path {
                    self.ensure_path(parent_of(path))?;
                }
                self.ensure_dir(path)
            }
            Err(e) => Err(StoreError::io("open directory", path, e)),
            Ok(_) if path.parent().is_none() => Ok(()),
            Ok(_) => match self.files.open_dir(parent_of(path)) {
                Ok(dir) => self.sync_dir(&OpenDir { dir, path: parent_of(path).into() }),
                // A directory this user may not even read: whoever made `path` in it was someone else.
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
                Err(e) => Err(StoreError::io("open directory", parent_of(path), e)),
            },
        }
    }

    /// Writes a small new file so that it appears whole under `to` or not at all, durably.
    pub(crate) fn write_whole(&self, temporary: &Path, to: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let dir = self.open_dir(parent_of(to))?;
        let written = self.create(temporary).and_then(|file| {
            file.write_all_at(0, bytes).map_err(|e| StoreError::io("write", temporary, e))?;
            self.sync(&*file, temporary)?;
            self.rename(temporary, to)
        });
        if let Err(e) = written {
            // Best effort: what stays is swept at the next start.
            let _ = self.remove(temporary);
            return Err(e);
        }
        self.sync_dir(&dir)
    }
}

/// Directory a name is in; the parent of a bare relative name is the current directory.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
