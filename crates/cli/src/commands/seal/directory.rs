//! Sealing a directory: what is in it, listed and read without following a link out of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_archive::{ArchiveError, Entries, Entry, MEDIA_TYPE, NameFault, Packer};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use crate::Help;
use crate::output::printable;

/// Arguments of `seal` for directories.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Of a directory: leave out links, devices, pipes and sockets instead of refusing them
    #[arg(long)]
    skip_special: bool,
    /// Of a directory: store a file that has several names (hard links) under each of them
    #[arg(long)]
    copy_hard_links: bool,
}

impl Args {
    pub(super) fn is_given(&self) -> bool {
        self.skip_special || self.copy_hard_links
    }
}

/// What to do about a name.
const RENAME: Help =
    Help("rename what is named, or seal it by itself: not every system can hold such a name");

/// Lists `input` if it is a directory. A slash at its end is taken off, and the media type becomes that of archives.
pub(crate) fn list(
    input: &mut PathBuf,
    media_type: &mut String,
    args: &Args,
) -> anyhow::Result<Option<Listing>> {
    if input.as_os_str() == "-" || !input.is_dir() {
        return Ok(None);
    }
    if !media_type.is_empty() {
        return Err(anyhow!("a directory has the media type of archives"))
            .context(Help("leave out --media-type"));
    }
    *input = input.components().collect();
    if input.file_name().is_none() {
        return Err(anyhow!("{} has no name of its own", input.display()))
            .context(Help("name the directory itself, e.g. ../NAME"));
    }
    MEDIA_TYPE.clone_into(media_type);
    Listing::of(input, args).map(Some)
}

/// What a file was when it was listed; whatever differs when it is read says that it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Facts {
    fn of(file: &File) -> io::Result<(Self, std::fs::Metadata)> {
        let about = file.metadata()?;
        let facts = Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        };
        Ok((facts, about))
    }
}

/// A directory as it was found.
#[derive(Debug)]
pub(crate) struct Listing {
    root: OwnedFd,
    entries: Entries,
    facts: HashMap<String, Facts>,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A pipe that took a file's place must not block the opening.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

impl Listing {
    /// Lists `path`, which may itself be reached through a link; nothing in it is.
    pub(crate) fn of(path: &Path, args: &Args) -> anyhow::Result<Self> {
        let root = rustix::fs::open(path, FOLDER, Mode::empty())
            .with_context(|| format!("cannot open {}", path.display()))?;
        let mut walk = Walk { args, entries: Vec::new(), facts: HashMap::new(), skipped: 0 };
        walk.folder(root.as_fd(), "").with_context(|| format!("cannot seal {}", path.display()))?;
        if walk.skipped > 0 {
            eprintln!("note: {} link(s) or special file(s) were left out", walk.skipped);
        }
        let entries = Entries::new(walk.entries)
            .with_context(|| format!("cannot seal {}", path.display()))
            .context(RENAME)?;
        Ok(Self { root, entries, facts: walk.facts })
    }

    /// Bytes of the archive.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.packed_bytes()
    }

    /// The archive.
    pub(crate) fn reader(&self) -> impl Read + Send + '_ {
        Packer::new(&self.entries, |entry: &Entry| self.open(entry))
    }

    /// Opens a listed file, folder by folder from the root; a link anywhere on the way is refused.
    fn open(&self, entry: &Entry) -> io::Result<Unchanged> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot read {:?}: {e}", entry.path));
        let mut folder: Option<OwnedFd> = None;
        let (parents, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        for part in parents.split('/').filter(|p| !p.is_empty()) {
            let from = folder.as_ref().map_or(self.root.as_fd(), |f| f.as_fd());
            let next = openat(from, part, FOLDER | OFlags::NOFOLLOW, Mode::empty());
            folder = Some(next.map_err(|e| named(e.into()))?);
        }
        let from = folder.as_ref().map_or(self.root.as_fd(), |f| f.as_fd());
        let file = File::from(openat(from, name, FILE, Mode::empty()).map_err(|e| named(e.into()))?);
        let facts = self.facts.get(&entry.path).copied().ok_or_else(|| changed(&entry.path))?;
        let unchanged = Unchanged { file, facts, path: entry.path.clone() };
        unchanged.check()?;
        Ok(unchanged)
    }
}

fn changed(path: &str) -> io::Error {
    io::Error::other(format!("{:?} changed while the directory was sealed: seal it again", printable(path)))
}

/// A file that has to be at its end what it was when it was listed.
struct Unchanged {
    file: File,
    facts: Facts,
    path: String,
}

impl Unchanged {
    fn check(&self) -> io::Result<()> {
        if Facts::of(&self.file)?.0 == self.facts { Ok(()) } else { Err(changed(&self.path)) }
    }
}

impl Read for Unchanged {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(out)?;
        if n == 0 && !out.is_empty() {
            self.check()?;
        }
        Ok(n)
    }
}

struct Walk<'a> {
    args: &'a Args,
    entries: Vec<Entry>,
    facts: HashMap<String, Facts>,
    skipped: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: rustix::fd::BorrowedFd<'_>, prefix: &str) -> anyhow::Result<()> {
        let shown = if prefix.is_empty() { "." } else { prefix };
        let list = Dir::read_from(folder).with_context(|| format!("cannot list {shown:?}"))?;
        for item in list {
            let item = item.with_context(|| format!("cannot list {shown:?}"))?;
            let name = item.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let refused = || ArchiveError::Name {
                name: format!("{prefix}/{}", String::from_utf8_lossy(name)),
                fault: NameFault::NotUtf8,
            };
            let name = std::str::from_utf8(name).map_err(|_| refused()).context(RENAME)?;
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            self.item(folder, name, &path)?;
        }
        Ok(())
    }

    fn item(&mut self, folder: rustix::fd::BorrowedFd<'_>, name: &str, path: &str) -> anyhow::Result<()> {
        let about = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .with_context(|| format!("cannot examine {path:?}"))?;
        let kind = FileType::from_raw_mode(about.st_mode);
        if !matches!(kind, FileType::Directory | FileType::RegularFile) {
            return self.special(kind, path);
        }
        // Before it is opened: the depth is bounded here.
        bailiwick_archive::check_name(path).context(RENAME)?;
        if kind == FileType::Directory {
            self.entries.push(Entry::folder(path));
            let below = openat(folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())
                .with_context(|| format!("cannot open {path:?}"))?;
            return self.folder(below.as_fd(), path);
        }
        let opened =
            openat(folder, name, FILE, Mode::empty()).with_context(|| format!("cannot open {path:?}"))?;
        let (facts, about) = Facts::of(&File::from(opened))?;
        anyhow::ensure!(about.is_file(), "{path:?} changed while the directory was listed");
        if about.nlink() > 1 && !self.args.copy_hard_links {
            return Err(anyhow!("{path:?} has {} names (hard links)", about.nlink()))
                .context(Help("--copy-hard-links stores it under each of its names in the directory"));
        }
        self.entries.push(Entry::file(path, facts.size, about.mode() & 0o100 != 0));
        self.facts.insert(path.to_owned(), facts);
        Ok(())
    }

    fn special(&mut self, kind: FileType, path: &str) -> anyhow::Result<()> {
        if self.args.skip_special {
            self.skipped += 1;
            return Ok(());
        }
        let what = match kind {
            FileType::Symlink => "a symbolic link",
            FileType::Fifo => "a named pipe",
            FileType::Socket => "a socket",
            FileType::CharacterDevice | FileType::BlockDevice => "a device",
            _ => "neither a file nor a directory",
        };
        Err(anyhow!("{path:?} is {what}"))
            .context(Help("only files and directories are sealed; --skip-special leaves the rest out"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(listing: &Listing) -> io::Result<usize> {
        listing.reader().read_to_end(&mut Vec::new())
    }

    /// E27: a link put where a file or a folder was listed is not followed, and what it leads to is not read.
    #[test]
    fn e27_a_link_raced_into_the_tree_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("f"), "secret").unwrap();
        for swap in ["d/f", "d"] {
            let dir = tempfile::tempdir().unwrap();
            let at = |p: &str| dir.path().join(p);
            fs::create_dir(at("d")).unwrap();
            fs::write(at("d/f"), "public").unwrap();
            let listing = Listing::of(dir.path(), &Args::default()).unwrap();
            assert_eq!(read(&listing).unwrap() as u64, listing.bytes());
            fs::rename(at(swap), at("away")).unwrap();
            let target = if swap == "d" { outside.path().to_owned() } else { outside.path().join("f") };
            symlink(target, at(swap)).unwrap();
            let error = read(&listing).unwrap_err().to_string();
            assert!(error.contains("cannot read \"d/f\""), "{error}");
        }
    }

    /// A file that is replaced, grows, shrinks or is only touched between listing and reading is named.
    #[test]
    fn a_file_that_changed_is_named() {
        let changes: [fn(&Path); 4] = [
            |p| fs::write(p, "12345").unwrap(),
            |p| fs::write(p, "123456789").unwrap(),
            |p| fs::write(p, "").unwrap(),
            |p| {
                fs::remove_file(p).unwrap();
                fs::write(p, "abcde").unwrap();
            },
        ];
        for change in changes {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f");
            fs::write(&path, "12345").unwrap();
            let listing = Listing::of(dir.path(), &Args::default()).unwrap();
            read(&listing).unwrap();
            // Coarse clocks of some file systems.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change(&path);
            let error = read(&listing).unwrap_err().to_string();
            assert!(error.contains("\"f\\\"\" changed") || error.contains("\"f\" changed"), "{error}");
        }
    }
}
