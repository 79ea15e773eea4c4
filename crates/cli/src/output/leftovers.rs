//! What a run that was killed left under a temporary name, `.NAME.PID.partial`: the next run that makes NAME takes it up or removes it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::process::{Pid, test_kill_process};

use super::{is_partial, printable};

/// Temporary names by the folder they are in, as they were when this process first made something there: so that a command that makes many files
/// lists a folder once.
static FOUND: Mutex<BTreeMap<PathBuf, Vec<Leftover>>> = Mutex::new(BTreeMap::new());

/// A temporary name of another process.
struct Leftover {
    /// What it was to be.
    name: String,
    process: Pid,
    path: PathBuf,
}

/// Locks a temporary file or folder that this process fills; the lock goes when the process does, however that ends.
pub(crate) fn mark(opened: &File) {
    // Where a file system knows no locks, nothing is ever removed by others.
    let _ = opened.try_lock();
}

/// What is left of runs that were to make `destination` and are no more, some of it whole.
pub(crate) fn abandoned(destination: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    each(destination, |leftover| {
        let gone = leftover.is_abandoned();
        paths.extend(gone.then(|| leftover.path.clone()));
        false
    });
    paths
}

/// Removes what is left of runs that were to make `destination` and are no more, and says so.
pub(crate) fn remove(destination: &Path) {
    each(destination, |leftover| {
        if leftover.is_abandoned() && leftover.remove() {
            eprintln!(
                "note: {} is removed, which a run that was killed left",
                printable(&leftover.path.display().to_string())
            );
        }
        true
    });
}

/// Each temporary name of `destination`; it is not looked at again where `done`.
fn each(destination: &Path, mut done: impl FnMut(&Leftover) -> bool) {
    let Some(name) = destination.file_name().and_then(|n| n.to_str()) else { return };
    let folder = destination.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let inside = found.entry(folder.to_owned()).or_insert_with(|| list(folder));
    inside.retain(|leftover| leftover.name != name || !done(leftover));
}

fn list(folder: &Path) -> Vec<Leftover> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Leftover::of(entry.path())).collect()
}

impl Leftover {
    /// `.NAME.PID.partial`.
    fn of(path: PathBuf) -> Option<Self> {
        let (name, process) =
            path.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".partial")?.rsplit_once('.')?;
        let process = Pid::from_raw(process.parse().ok().filter(|pid| *pid > 0)?)?;
        Some(Self { name: name.to_owned(), process, path })
    }

    /// Its process is no more here, and none elsewhere, on a shared disk or in another container, fills it. In a container numbers of
    /// processes come again, so what has this process's number and was not made by it is an earlier one's.
    fn is_abandoned(&self) -> bool {
        let gone = match self.process == rustix::process::getpid() {
            true => !is_partial(&self.path),
            false => matches!(test_kill_process(self.process), Err(rustix::io::Errno::SRCH)),
        };
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let opened = || File::options().read(true).custom_flags(flags).open(&self.path);
        gone && opened().is_ok_and(|f| f.try_lock().is_ok())
    }

    fn remove(&self) -> bool {
        match fs::symlink_metadata(&self.path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(&self.path).is_ok(),
            Ok(about) if about.is_file() => fs::remove_file(&self.path).is_ok(),
            _ => false,
        }
    }
}
