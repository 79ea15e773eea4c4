//! The store's discipline for small files: temporary file, `fsync`, rename, `fsync` of the directory.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_store::files::{FileSystem, Lock, read_exact_at};

/// A directory whose files appear whole and durable, or not at all.
#[derive(Debug)]
pub(crate) struct DurableDir {
    files: Arc<dyn FileSystem>,
    root: PathBuf,
    /// Directories whose names this process has made durable.
    known: Mutex<BTreeSet<PathBuf>>,
    temporary: AtomicU64,
    _lock: Option<Box<dyn Lock>>,
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl DurableDir {
    /// Makes `root` with its format file; `AlreadyExists` if there is something.
    pub(crate) fn create(files: &dyn FileSystem, root: &Path, format: &str) -> io::Result<()> {
        files.create_dir(root)?;
        files.open_dir(parent(root))?.sync()?;
        files.create_dir(&root.join("tmp"))?;
        let file = files.create(&root.join("format"))?;
        file.write_all_at(0, format.as_bytes())?;
        file.sync()?;
        files.open_dir(root)?.sync()
    }

    /// Opens and locks, checks the format, and removes what a crash left under way.
    pub(crate) fn open(files: Arc<dyn FileSystem>, root: &Path, format: &str) -> io::Result<Self> {
        Self::check_format(&*files, root, format)?;
        let lock = files.try_lock(&root.join("lock"))?;
        let lock =
            lock.ok_or_else(|| io::Error::new(io::ErrorKind::ResourceBusy, "in use by another process"))?;
        for left in files.list(&root.join("tmp"))? {
            files.remove(&root.join("tmp").join(left.name))?;
        }
        Ok(Self::of(files, root, Some(lock)))
    }

    /// Opens for reading, beside a process that writes.
    pub(crate) fn read_only(files: Arc<dyn FileSystem>, root: &Path, format: &str) -> io::Result<Self> {
        Self::check_format(&*files, root, format)?;
        Ok(Self::of(files, root, None))
    }

    fn of(files: Arc<dyn FileSystem>, root: &Path, lock: Option<Box<dyn Lock>>) -> Self {
        let known = Mutex::new(BTreeSet::from([root.to_owned()]));
        Self { files, root: root.to_owned(), known, temporary: AtomicU64::new(0), _lock: lock }
    }

    fn check_format(files: &dyn FileSystem, root: &Path, format: &str) -> io::Result<()> {
        let file = files.open(&root.join("format"), false)?;
        let mut found = vec![0; format.len()];
        if file.len()? != format.len() as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a directory of this kind and version",
            ));
        }
        read_exact_at(&*file, 0, &mut found)?;
        if found == format.as_bytes() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "not a directory of this kind and version"))
        }
    }

    /// All of a file, or its first `max + 1` bytes; `None` when there is none.
    pub(crate) fn read(&self, name: &str, max: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match self.files.open(&self.root.join(name), false) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let len = usize::try_from(file.len()?).unwrap_or(usize::MAX).min(max + 1);
        let mut bytes = vec![0; len];
        read_exact_at(&*file, 0, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes files, all durable when this returns; what had a name before is replaced.
    pub(crate) fn write<'a>(&self, new: impl Iterator<Item = (String, &'a [u8])>) -> io::Result<()> {
        let mut staged = Vec::new();
        for (name, bytes) in new {
            let number = self.temporary.fetch_add(1, Ordering::Relaxed);
            let temporary = self.root.join("tmp").join(number.to_string());
            let file = self.files.create(&temporary)?;
            file.write_all_at(0, bytes)?;
            staged.push((file, temporary, self.root.join(name)));
        }
        let (mut changed, mut made) = (BTreeSet::new(), BTreeSet::new());
        for (file, temporary, name) in staged {
            file.sync()?;
            let folder = parent(&name).to_owned();
            self.make_folder(&folder, &mut changed, &mut made)?;
            self.files.rename(&temporary, &name)?;
            changed.insert(folder);
        }
        self.sync_folders(&changed)?;
        // Not earlier: a write beside this one, or after this one failed, must not take them for durable.
        self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(made);
        Ok(())
    }

    fn sync_folders(&self, folders: &BTreeSet<PathBuf>) -> io::Result<()> {
        folders.iter().try_for_each(|folder| self.files.open_dir(folder)?.sync())
    }

    /// Makes a folder and those that lead to it, below the root; `changed` gets the folders to make durable, `made` the ones that
    /// are known to be then.
    fn make_folder(
        &self,
        folder: &Path,
        changed: &mut BTreeSet<PathBuf>,
        made: &mut BTreeSet<PathBuf>,
    ) -> io::Result<()> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = folder.ancestors().take_while(|p| !known.contains(*p) && !made.contains(*p));
        let missing: Vec<&Path> = missing.collect();
        drop(known);
        for path in missing.into_iter().rev() {
            match self.files.create_dir(path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                // One that a crashed process made, or one beside this makes, may not be durable yet, either.
                _ => changed.insert(parent(path).to_owned()),
            };
            made.insert(path.to_owned());
        }
        Ok(())
    }

    /// Names in a folder; none when there is no such folder.
    pub(crate) fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        match self.files.list(&self.root.join(folder)) {
            Ok(entries) => Ok(entries.into_iter().map(|e| e.name).collect()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    /// All files below a folder, named from the root; none when there is no such folder.
    pub(crate) fn walk(&self, folder: &str) -> io::Result<Vec<String>> {
        let (mut found, mut todo) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = todo.pop() {
            let entries = match self.files.list(&self.root.join(&folder)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let name = format!("{folder}/{}", entry.name);
                if entry.is_dir { todo.push(name) } else { found.push(name) }
            }
        }
        Ok(found)
    }

    /// Removes files, for good when this returns.
    pub(crate) fn remove_durably(&self, names: &[String]) -> io::Result<()> {
        let mut changed = BTreeSet::new();
        for name in names {
            self.remove(name)?;
            changed.insert(parent(&self.root.join(name)).to_owned());
        }
        self.sync_folders(&changed)
    }

    /// Removes one file.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(&self.root.join(name))
    }
}
