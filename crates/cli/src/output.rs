//! Files that appear under their final name only when whole, and machine-readable output.

pub(crate) mod leftovers;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

/// A file being written beside its final name.
///
/// `commit` makes it durable (fsync, rename, fsync of the directory) and gives it its name; dropping it
/// without `commit` removes what was written, so a failed command leaves nothing behind. [`remove_partial_files_on_signals`]
/// does the same for the signals that end a command.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    temporary: PathBuf,
    destination: PathBuf,
    may_replace: bool,
    committed: bool,
}

impl AtomicFile {
    /// Creates the temporary file with permission bits `mode` (less the umask). Refuses a destination that exists.
    pub(crate) fn create(destination: &Path, mode: u32) -> anyhow::Result<Self> {
        // symlink_metadata: a dangling link is something that exists, too.
        if fs::symlink_metadata(destination).is_ok() {
            return Err(anyhow::anyhow!("{} exists already", destination.display()))
                .context(crate::Help("choose another name with -o, or remove the file first"));
        }
        let mut file = Self::replace(destination, mode)?;
        file.may_replace = false;
        Ok(file)
    }

    /// Like `create`, but an existing destination is replaced at `commit`, in one step.
    pub(crate) fn replace(destination: &Path, mode: u32) -> anyhow::Result<Self> {
        let name = destination
            .file_name()
            .with_context(|| format!("{} does not name a file", destination.display()))?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.partial", std::process::id()));
        let temporary = destination.with_file_name(temporary_name);
        leftovers::remove(destination);
        let make = || OpenOptions::new().write(true).read(true).create_new(true).mode(mode).open(&temporary);
        let file = create_partial(&temporary, make)
            .with_context(|| format!("cannot create {}", temporary.display()))
            .context(crate::Help("check that the folder exists and can be written to"))?;
        leftovers::mark(&file);
        Ok(Self { file, temporary, destination: destination.to_owned(), may_replace: true, committed: false })
    }

    /// Gives the name to contents that the caller has made durable; the directory is the caller's to make durable, too.
    pub(crate) fn commit_synced(mut self) -> anyhow::Result<()> {
        self.give_name().with_context(|| format!("cannot rename to {}", self.destination.display()))?;
        self.committed = true;
        PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.temporary);
        Ok(())
    }

    /// Makes the contents durable and gives them their name.
    pub(crate) fn commit(mut self) -> anyhow::Result<()> {
        self.file.sync_all().with_context(|| format!("cannot make {} durable", self.temporary.display()))?;
        self.give_name().with_context(|| format!("cannot rename to {}", self.destination.display()))?;
        self.committed = true;
        PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.temporary);
        let directory = match self.destination.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        File::open(directory)
            .and_then(|d| d.sync_all())
            .with_context(|| format!("cannot make the directory {} durable", directory.display()))
    }
}

impl AtomicFile {
    /// The file that is being written, to write and read anywhere.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Renames; without `may_replace` a file made meanwhile under the final name stays.
    fn give_name(&self) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if !self.may_replace {
            match renameat_with(CWD, &self.temporary, CWD, &self.destination, RenameFlags::NOREPLACE) {
                // A file system that does not know the flag; `create` has looked.
                Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
                done => return Ok(done?),
            }
        }
        fs::rename(&self.temporary, &self.destination)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing useful can be done when removal fails; the name says what the file is.
            let _ = fs::remove_file(&self.temporary);
            PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.temporary);
        }
    }
}

/// Temporary files of this process.
static PARTIAL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Makes `path`, a temporary file or folder, and has it removed when a signal ends the process. What `make` did not make is never
/// registered, so a file or folder of someone else's that has the name already stays; and a signal comes before both or after both.
pub(crate) fn create_partial<T>(path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let mut partial = PARTIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let made = make()?;
    partial.insert(path.to_owned());
    Ok(made)
}

/// Has `path`, a temporary folder of this process under a random name, removed when a signal ends it.
pub(crate) fn remember_partial(path: &Path) {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
}

/// Whether this process fills `path`.
fn is_partial(path: &Path) -> bool {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
}

/// `path` has its final name, or is gone.
pub(crate) fn forget_partial(path: &Path) {
    PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
}

/// From now on SIGINT, SIGTERM and SIGHUP remove the temporary files before they end the process. Not for `node run`,
/// which stops in its own order.
pub(crate) fn remove_partial_files_on_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    let watch = move || {
        if let Some(signal) = signals.forever().next() {
            for path in PARTIAL.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                // The process ends now; the name says what the file or folder is.
                if fs::remove_file(path).is_err() {
                    let _ = fs::remove_dir_all(path);
                }
            }
            crate::passphrase::restore_terminal();
            std::process::exit(128 + signal);
        }
    };
    if let Err(error) = std::thread::Builder::new().spawn(watch) {
        eprintln!(
            "warning: a signal will leave unfinished .partial files behind: no thread to wait for signals ({error})"
        );
    }
}

/// Writes a small file whole, refusing to replace one.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = AtomicFile::create(path, mode)?;
    file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
    file.commit()
}

/// Prints one JSON value and a newline on standard output.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Reads a file of at most `max` bytes, so that a wrong path cannot fill the memory.
pub(crate) fn read_bounded(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    use io::Read as _;
    let mut file = open_input(path).with_context(|| format!("cannot open {}", path.display()))?;
    // Of a file of that length two reads: all of it, and its end. One that grows, or tells no length, is read on; one byte too many tells.
    let length = file.metadata().map_or(0, |about| about.len());
    let most = max.saturating_add(1);
    let mut bytes = vec![0; usize::try_from(length.saturating_add(1).min(most))?];
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            let more = (filled as u64).saturating_mul(2).max(4096).min(most);
            let more = usize::try_from(more)?;
            if more == filled {
                return Err(anyhow::anyhow!("{} is larger than {max} bytes", path.display()))
                    .context(crate::Help("check that this is the file you meant"));
            }
            bytes.resize(more, 0);
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Opens a small file without waiting: a named pipe in a folder of someone else's would hold a command for ever. Pipes and devices are read where a path
/// of `/dev` or `/proc` says that they are meant, as a shell's `<(command)` does.
fn open_input(path: &Path) -> io::Result<File> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let meant = path.starts_with("/dev") || path.starts_with("/proc");
    if !file.metadata()?.is_file() {
        if !meant {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        fcntl_setfl(&file, fcntl_getfl(&file)? & !OFlags::NONBLOCK)?;
    }
    Ok(file)
}

/// What went wrong and why, on one line and without what to do.
pub(crate) fn reason(error: &anyhow::Error) -> String {
    let help = error.downcast_ref::<crate::Help>();
    let said = error.chain().map(ToString::to_string).filter(|text| help.is_none_or(|h| h.0 != text));
    said.collect::<Vec<_>>().join(": ")
}

/// Text from outside as it may be shown on a terminal: what does not print becomes `\u{..}`.
pub(crate) use bailiwick_verifier::printable;

/// Writes one line, or several, on standard output with whatever does not print escaped.
pub(crate) fn say(lines: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines.split('\n') {
        writeln!(out, "{}", printable(line))?;
    }
    Ok(())
}

/// Like `println!`, but names from outside cannot drive the terminal, and a closed pipe is an error and not a panic.
#[macro_export]
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::say(&format!($($arg)*)) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn an_abandoned_file_leaves_nothing_and_a_committed_one_has_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut f = AtomicFile::create(&path, 0o600).unwrap();
        f.write_all(b"half").unwrap();
        drop(f);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let mut f = AtomicFile::create(&path, 0o600).unwrap();
        f.write_all(b"whole").unwrap();
        f.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(AtomicFile::create(&path, 0o600).is_err(), "an existing file must not be replaced");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// The bound holds whatever length the file tells: exact, one too many, none at all (a file of the system's, a pipe).
    #[test]
    fn a_bounded_reading_reads_all_or_refuses() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for length in [0, 1, 4096, 70_000] {
            let content: Vec<u8> = (0..length).map(|i: u64| i.to_le_bytes()[0]).collect();
            fs::write(&path, &content).unwrap();
            for max in [length, length + 1, 1 << 20] {
                assert_eq!(read_bounded(&path, max).unwrap(), content, "{length} of {max}");
            }
            if length > 0 {
                read_bounded(&path, length - 1).unwrap_err();
            }
        }
        // What a shell's `<(command)` is, which tells no length.
        for (max, whole) in [(99_999, false), (100_000, true), (1 << 20, true)] {
            let (reader, mut writer) = io::pipe().unwrap();
            // Who is refused closes it before all is written.
            let writing = std::thread::spawn(move || drop(writer.write_all(&[7; 100_000])));
            let read = read_bounded(Path::new(&format!("/proc/self/fd/{}", reader.as_raw_fd())), max);
            drop(reader);
            assert_eq!(read.ok(), whole.then(|| vec![7; 100_000]), "{max}");
            writing.join().unwrap();
        }
    }

    /// What has the temporary name already and is being filled is someone else's: refused, and never registered to be removed when a
    /// signal comes. What nobody fills was left by a process of this number, which in a container comes again, and does not stand in the way.
    #[test]
    fn a_foreign_file_of_the_temporary_name_is_not_ours_to_remove() {
        let dir = tempfile::tempdir().unwrap();
        let registered = |path: &Path| PARTIAL.lock().unwrap().contains(path);
        let temporary = |name: &str| dir.path().join(format!(".{name}.{}.partial", std::process::id()));
        fs::write(temporary("file"), "someone else's").unwrap();
        fs::create_dir(temporary("folder")).unwrap();
        fs::write(temporary("folder").join("inside"), "someone else's").unwrap();
        let filled = ["file", "folder"].map(|name| {
            let opened = fs::File::open(temporary(name)).unwrap();
            opened.lock().unwrap();
            opened
        });
        AtomicFile::replace(&dir.path().join("file"), 0o600).unwrap_err();
        crate::shards::Folder::create(&dir.path().join("folder")).unwrap_err();
        for name in ["file", "folder"] {
            assert!(!registered(&temporary(name)), "{name} would be removed");
            assert!(temporary(name).exists());
        }
        drop(filled);
        // Another folder of the same things: each is listed once.
        let moved = tempfile::tempdir().unwrap();
        for name in ["file", "folder"] {
            let of = temporary(name);
            fs::rename(&of, moved.path().join(of.file_name().unwrap())).unwrap();
        }
        drop(AtomicFile::replace(&moved.path().join("file"), 0o600).unwrap());
        drop(crate::shards::Folder::create(&moved.path().join("folder")).unwrap());
        // The honest twin: what was made here is registered while it is partial, and only then.
        let file = AtomicFile::replace(&dir.path().join("mine"), 0o600).unwrap();
        let folder = crate::shards::Folder::create(&dir.path().join("ours")).unwrap();
        assert!(registered(&temporary("mine")) && registered(&temporary("ours")));
        file.commit().unwrap();
        folder.commit().unwrap();
        assert!(!registered(&temporary("mine")) && !registered(&temporary("ours")));
    }

    /// T18: hostile names cannot move the cursor or start a line of their own.
    #[test]
    fn t18_control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2K\nPASS\u{202e}"), "a\\u{1b}[2K\\u{a}PASS\\u{202e}");
        assert_eq!(printable("Überblick 概要.pdf"), "Überblick 概要.pdf");
    }
}
