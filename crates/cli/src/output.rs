//! Files that appear under their final name only when whole, and machine-readable output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file being written beside its final name.
///
/// `commit` makes it durable (fsync, rename, fsync of the directory) and gives it its name; dropping it
/// without `commit` removes what was written, so a failed command leaves nothing behind. `abandon_all`
/// does the same for the signals that end a command.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    temporary: PathBuf,
    destination: PathBuf,
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
        Self::replace(destination, mode)
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
        let file = OpenOptions::new()
            .write(true)
            .read(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)
            .with_context(|| format!("cannot create {}", temporary.display()))?;
        Ok(Self { file, temporary, destination: destination.to_owned(), committed: false })
    }

    /// Makes the contents durable and gives them their name.
    pub(crate) fn commit(mut self) -> anyhow::Result<()> {
        self.file.sync_all().with_context(|| format!("cannot make {} durable", self.temporary.display()))?;
        fs::rename(&self.temporary, &self.destination)
            .with_context(|| format!("cannot rename to {}", self.destination.display()))?;
        self.committed = true;
        let directory = match self.destination.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        File::open(directory)
            .and_then(|d| d.sync_all())
            .with_context(|| format!("cannot make the directory {} durable", directory.display()))
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

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing useful can be done when removal fails; the name says what the file is.
            let _ = fs::remove_file(&self.temporary);
        }
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
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > max {
        return Err(anyhow::anyhow!("{} is larger than {max} bytes", path.display()))
            .context(crate::Help("check that this is the file you meant"));
    }
    Ok(bytes)
}

/// Text from outside as it may be shown on a terminal: control characters and bidirectional overrides become `\u{..}`.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            let shown: Box<dyn Iterator<Item = char>> =
                if hidden { Box::new(c.escape_unicode()) } else { Box::new(std::iter::once(c)) };
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
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

    /// T18: hostile names cannot move the cursor or start a line of their own.
    #[test]
    fn t18_control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2K\nPASS\u{202e}"), "a\\u{1b}[2K\\u{a}PASS\\u{202e}");
        assert_eq!(printable("Überblick 概要.pdf"), "Überblick 概要.pdf");
    }
}
