//! A file system that does what it is told to fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bailiwick_store::files::{Dir, DirEntry, File, FileSystem, Lock, StdFiles};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Makes a file or a folder, or writes beyond the end of one.
    Grow,
    Open,
    Read,
    /// Of a file or a folder.
    Sync,
}

type Judge = dyn Fn(Call, &Path) -> Option<i32> + Send + Sync;

/// The real files; `judge` gives the error number of a call that is to fail.
#[derive(Clone)]
pub struct Faulty {
    judge: Arc<Mutex<Arc<Judge>>>,
    pub synced_dirs: Arc<Mutex<Vec<PathBuf>>>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

impl Faulty {
    pub fn new() -> Self {
        Self { judge: Arc::new(Mutex::new(Arc::new(|_, _| None))), synced_dirs: Arc::default() }
    }

    pub fn fail(&self, judge: impl Fn(Call, &Path) -> Option<i32> + Send + Sync + 'static) {
        *self.judge.lock().unwrap() = Arc::new(judge);
    }

    pub fn heal(&self) {
        self.fail(|_, _| None);
    }

    fn ask(&self, call: Call, path: &Path) -> io::Result<()> {
        // Not under the lock: a judge may take its time over one file.
        let judge = Arc::clone(&self.judge.lock().unwrap());
        judge(call, path).map_or(Ok(()), |n| Err(io::Error::from_raw_os_error(n)))
    }

    fn file(&self, path: &Path, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(Open { file, path: path.to_owned(), faulty: self.clone() })
    }
}

#[derive(Debug)]
struct Open<F: ?Sized> {
    path: PathBuf,
    faulty: Faulty,
    file: F,
}

impl File for Open<Box<dyn File>> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.faulty.ask(Call::Read, &self.path)?;
        self.file.read_at(offset, buf)
    }

    fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset + bytes.len() as u64 > self.file.len()? {
            self.faulty.ask(Call::Grow, &self.path)?;
        }
        self.file.write_all_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.faulty.ask(Call::Sync, &self.path)?;
        self.file.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
}

impl Dir for Open<Box<dyn Dir>> {
    fn sync(&self) -> io::Result<()> {
        self.faulty.ask(Call::Sync, &self.path)?;
        self.faulty.synced_dirs.lock().unwrap().push(self.path.clone());
        self.file.sync()
    }
}

impl FileSystem for Faulty {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.ask(Call::Grow, path)?;
        StdFiles.create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.ask(Call::Grow, path)?;
        Ok(self.file(path, StdFiles.create(path)?))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>> {
        self.ask(Call::Open, path)?;
        Ok(self.file(path, StdFiles.open(path, write)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        StdFiles.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Call::Grow, to)?;
        StdFiles.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        StdFiles.remove(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        StdFiles.list(path)
    }

    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>> {
        self.ask(Call::Open, path)?;
        Ok(Box::new(Open { file: StdFiles.open_dir(path)?, path: path.to_owned(), faulty: self.clone() }))
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        StdFiles.try_lock(path)
    }
}
