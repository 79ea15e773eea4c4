//! A folder that appears under its final name only when whole.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::Help;
use crate::output::{create_partial, forget_partial, leftovers};

/// A folder being filled beside its final name; dropping it without `commit` removes it, and so does a signal.
#[derive(Debug)]
pub(crate) struct Folder {
    temporary: PathBuf,
    destination: PathBuf,
    committed: bool,
    /// Locked as long as it is open, which says that it is being filled.
    _opened: Option<File>,
}

impl Folder {
    /// Creates the temporary folder. Refuses a destination that exists.
    pub(crate) fn create(destination: &Path) -> anyhow::Result<Self> {
        if fs::symlink_metadata(destination).is_ok() {
            return Err(anyhow!("{} exists already", destination.display()))
                .context(Help("choose another name with -o, or remove the folder first"));
        }
        let name = destination
            .file_name()
            .with_context(|| format!("{} does not name a folder", destination.display()))?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.partial", std::process::id()));
        let temporary = destination.with_file_name(temporary_name);
        leftovers::remove(destination);
        create_partial(&temporary, || fs::create_dir(&temporary))
            .with_context(|| format!("cannot create {}", temporary.display()))
            .context(Help("check that the folder around it exists and can be written to"))?;
        let opened = File::open(&temporary).ok();
        if let Some(opened) = &opened {
            leftovers::mark(opened);
        }
        Ok(Self { temporary, destination: destination.to_owned(), committed: false, _opened: opened })
    }

    /// Creates a file in it, to write and read.
    pub(crate) fn file(&self, name: &str) -> anyhow::Result<File> {
        let path = self.temporary.join(name);
        File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("cannot create {}", path.display()))
    }

    /// Takes a file out again.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        fs::remove_file(self.temporary.join(name)).with_context(|| format!("cannot remove {name}"))
    }

    /// Gives `file`, which was opened as `path`, a second name in it. False, and no name, when `path` is not that very file: a symbolic
    /// link to it, which a hard link would copy as it is, or another that took its place.
    ///
    /// # Errors
    /// When the file system cannot.
    pub(crate) fn link(&self, path: &Path, file: &File, name: &str) -> std::io::Result<bool> {
        let new = self.temporary.join(name);
        fs::hard_link(path, &new)?;
        let (named, opened) = (fs::symlink_metadata(&new)?, file.metadata()?);
        let same = named.is_file() && (named.dev(), named.ino()) == (opened.dev(), opened.ino());
        if !same {
            fs::remove_file(&new)?;
        }
        Ok(same)
    }

    /// Makes it durable, its files having been made so, and gives it its name.
    pub(crate) fn commit(mut self) -> anyhow::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let sync = |path: &Path| {
            File::open(path)
                .and_then(|d| d.sync_all())
                .with_context(|| format!("cannot make {} durable", path.display()))
        };
        sync(&self.temporary)?;
        let named = match renameat_with(CWD, &self.temporary, CWD, &self.destination, RenameFlags::NOREPLACE)
        {
            // A file system that does not know the flag; `create` has looked.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::rename(&self.temporary, &self.destination)
            }
            done => done.map_err(Into::into),
        };
        named.with_context(|| format!("cannot rename to {}", self.destination.display()))?;
        self.committed = true;
        forget_partial(&self.temporary);
        match self.destination.parent() {
            Some(p) if !p.as_os_str().is_empty() => sync(p),
            _ => sync(Path::new(".")),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing useful can be done when removal fails; the name says what the folder is.
            let _ = fs::remove_dir_all(&self.temporary);
            forget_partial(&self.temporary);
        }
    }
}
