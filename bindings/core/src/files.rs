//! Files that appear under their name only when whole, and reading with a bound.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::{Code, Error, Result};

/// A file being written beside its name; dropped without [`NewFile::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    temporary: PathBuf,
    destination: PathBuf,
    committed: bool,
}

impl NewFile {
    /// Begins a file with permission bits `mode` less the umask.
    ///
    /// # Errors
    /// `Io`, when `destination` exists for one: nothing is replaced.
    pub fn create(destination: &Path, mode: u32) -> Result<Self> {
        let cannot = |e| Error::io(format_args!("cannot create {}", destination.display()), e);
        let name = destination.file_name().ok_or_else(|| cannot(io::ErrorKind::InvalidInput.into()))?;
        // A dangling link is something that exists, too.
        if fs::symlink_metadata(destination).is_ok() {
            return Err(cannot(io::ErrorKind::AlreadyExists.into()));
        }
        let mut unique = [0; 8];
        getrandom::fill(&mut unique).map_err(|e| cannot(io::Error::other(e)))?;
        let mut partial = std::ffi::OsString::from(".");
        partial.push(name);
        partial.push(format!(".{}.partial", hex::encode(unique)));
        let temporary = destination.with_file_name(partial);
        let file =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary).map_err(cannot)?;
        Ok(Self { file, temporary, destination: destination.to_owned(), committed: false })
    }

    /// Makes it durable and gives it its name.
    ///
    /// # Errors
    /// `Io`, also when something has taken the name meanwhile.
    pub fn commit(mut self) -> Result<()> {
        self.sync()?;
        self.give_name()?;
        self.name_durable()
    }

    /// Makes both durable, then gives `self` its name, then `second`: whoever sees the second sees the first, whatever interrupts this.
    ///
    /// # Errors
    /// As for [`NewFile::commit`]; neither name appears then, unless all that failed was to make the second durable.
    pub(crate) fn commit_before(mut self, mut second: Self) -> Result<()> {
        self.sync()?;
        second.sync()?;
        self.give_name()?;
        // Durable before the second name can be: folders are made durable one by one, names in them in any order.
        let done = self.name_durable().and_then(|()| second.give_name());
        if done.is_err() {
            // This call has made it, over nothing that was there. Removal that fails leaves a file that says itself what is missing.
            let _ = fs::remove_file(&self.destination);
        }
        done?;
        second.name_durable()
    }

    fn cannot_write(&self, e: io::Error) -> Error {
        Error::io(format_args!("cannot write {}", self.destination.display()), e)
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| self.cannot_write(e))
    }

    fn give_name(&mut self) -> Result<()> {
        self.rename().map_err(|e| self.cannot_write(e))?;
        self.committed = true;
        Ok(())
    }

    fn name_durable(&self) -> Result<()> {
        let directory = self.destination.parent().filter(|p| !p.as_os_str().is_empty());
        let durable = File::open(directory.unwrap_or(Path::new("."))).and_then(|d| d.sync_all());
        durable.map_err(|e| self.cannot_write(e))
    }

    /// In one step, and never over something that exists.
    fn rename(&self) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, &self.temporary, CWD, &self.destination, RenameFlags::NOREPLACE) {
            // A system or file system that does not know the flag.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::hard_link(&self.temporary, &self.destination)?;
                fs::remove_file(&self.temporary)
            }
            done => Ok(done?),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing useful can be done when removal fails; the name says what the file is.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| Error::io(format_args!("cannot open {}", path.display()), e))
}

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// `Io`; `Argument` when it is longer.
pub fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|e| Error::io(format_args!("cannot read {}", path.display()), e))?;
    if bytes.len() as u64 > max {
        return Err(Error::new(Code::Argument, format!("{} is longer than {max} bytes", path.display())));
    }
    Ok(bytes)
}

/// `path` with `suffix` appended to its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
