//! A new directory that appears under its name only when whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_archive::{Entry, Kind, Sink};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, mkdirat, openat, renameat_with};

use crate::Help;
use crate::output::{forget_partial, remember_partial};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// What was sealed is its readers' alone, as a single opened file is; they may give it to others.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o700);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Files that are made durable one by one. Beyond that one call for the whole file system is quicker, though it waits for whatever else
/// is to be written there.
const SYNC_EACH_MAX: usize = 256;

/// Permission bits of an extracted file.
pub(super) const fn file_mode(kind: Kind) -> u32 {
    match kind {
        Kind::Executable => 0o700,
        _ => 0o600,
    }
}

/// Folders and files below a directory of our own, each reached by the handle of the one above it: a link that takes a folder's
/// place is never followed. Dropped without [`NewTree::commit`] it removes everything.
#[derive(Debug)]
pub(crate) struct NewTree {
    /// Ours alone, mode 0700; the tree is in it as `tree`.
    outer: Option<tempfile::TempDir>,
    destination: PathBuf,
    root: OwnedFd,
    /// Folders from the root down to the one written to last.
    open: Vec<(String, OwnedFd)>,
    file: Option<File>,
    /// Files made so far.
    files: usize,
    /// Components of every path that the destination stands for.
    strip: usize,
}

impl NewTree {
    /// A tree for `destination`, which must not exist. The first `strip` components of every path are left out.
    pub(crate) fn create(destination: &Path, strip: usize) -> anyhow::Result<Self> {
        if fs::symlink_metadata(destination).is_ok() {
            return Err(anyhow!("{} exists already", destination.display())).context(Help(
                "choose another name with -o; nothing is ever written into a directory that exists",
            ));
        }
        let name = destination
            .file_name()
            .with_context(|| format!("{} does not name a directory", destination.display()))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let outer = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            .tempdir_in(parent(destination))
            .with_context(|| format!("cannot create a directory beside {}", destination.display()))
            .context(Help("check that the folder exists and can be written to"))?;
        remember_partial(outer.path());
        let handle = rustix::fs::open(outer.path(), FOLDER, Mode::empty())?;
        mkdirat(&handle, "tree", FOLDER_MODE)?;
        let root = openat(&handle, "tree", FOLDER, Mode::empty())?;
        let destination = destination.to_owned();
        Ok(Self { outer: Some(outer), destination, root, open: Vec::new(), file: None, files: 0, strip })
    }

    /// Makes everything durable and gives the tree its name; a directory made meanwhile under that name stays.
    pub(crate) fn commit(mut self) -> anyhow::Result<()> {
        self.close_folders(0)
            .and_then(|()| match self.files > SYNC_EACH_MAX {
                true => rustix::fs::syncfs(&self.root),
                false => rustix::fs::fsync(&self.root),
            })
            .context("cannot make the files durable")?;
        let outer = self.outer.take().context("a tree is committed once")?;
        let tree = outer.path().join("tree");
        let named = || format!("cannot rename to {}", self.destination.display());
        match renameat_with(CWD, &tree, CWD, &self.destination, RenameFlags::NOREPLACE) {
            // A file system that does not know the flag; `create` has looked.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
                fs::rename(&tree, &self.destination).with_context(named)?;
            }
            done => done.with_context(named)?,
        }
        forget_partial(outer.path());
        drop(outer);
        let above = parent(&self.destination);
        File::open(above)
            .and_then(|d| d.sync_all())
            .with_context(|| format!("cannot make the directory {} durable", above.display()))
    }

    /// Closes all but the first `keep` open folders: everything in them was made.
    fn close_folders(&mut self, keep: usize) -> rustix::io::Result<()> {
        for (_, folder) in self.open.drain(keep..) {
            if self.files <= SYNC_EACH_MAX {
                rustix::fs::fsync(folder)?;
            }
        }
        Ok(())
    }

    /// The folder `parts` names, from the handles that are open.
    fn folder(&mut self, parts: &[&str]) -> io::Result<BorrowedFd<'_>> {
        let same = self.open.iter().zip(parts).take_while(|((name, _), part)| name == *part).count();
        self.close_folders(same)?;
        for part in &parts[same..] {
            let above = self.open.last().map_or(self.root.as_fd(), |(_, fd)| fd.as_fd());
            let fd = openat(above, *part, FOLDER, Mode::empty())?;
            self.open.push(((*part).to_owned(), fd));
        }
        Ok(self.open.last().map_or(self.root.as_fd(), |(_, fd)| fd.as_fd()))
    }
}

impl Drop for NewTree {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            forget_partial(outer.path());
        }
    }
}

impl Sink for NewTree {
    fn begin(&mut self, entry: &Entry) -> io::Result<()> {
        let named = |e: rustix::io::Errno| {
            let e = io::Error::from(e);
            io::Error::new(e.kind(), format!("cannot create {:?}: {e}", entry.path))
        };
        let parts: Vec<&str> = entry.path.split('/').skip(self.strip).collect();
        let Some((name, parents)) = parts.split_last() else { return Ok(()) };
        let above = self.folder(parents)?;
        match entry.kind {
            Kind::Folder => mkdirat(above, *name, FOLDER_MODE).map_err(named),
            kind => {
                let mode = Mode::from_raw_mode(file_mode(kind));
                let fd = openat(above, *name, NEW_FILE, mode).map_err(named)?;
                self.file = Some(fd.into());
                self.files += 1;
                Ok(())
            }
        }
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(io::Error::other("bytes of no file")),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(file) if self.files <= SYNC_EACH_MAX => file.sync_data(),
            _ => Ok(()),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// E27: a link raced into the place of a folder, whether its handle is open or not, leads nowhere.
    #[test]
    fn e27_a_link_raced_into_the_tree_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let mut tree = NewTree::create(&dir.path().join("out"), 0).unwrap();
        let at = tree.outer.as_ref().unwrap().path().join("tree");
        for folder in ["a", "b"] {
            tree.begin(&Entry::folder(folder)).unwrap();
        }
        tree.begin(&Entry::file("a/honest", 0, false)).unwrap();
        for folder in ["a", "b"] {
            fs::rename(at.join(folder), at.join(format!("{folder}-away"))).unwrap();
            symlink(outside.path(), at.join(folder)).unwrap();
        }
        // The handle of `a` is open: what is written goes where it was made.
        tree.begin(&Entry::file("a/x", 0, false)).unwrap();
        assert!(at.join("a-away/x").is_file());
        // A link where a file is to come is not written through.
        symlink(outside.path().join("new"), at.join("a-away/y")).unwrap();
        tree.begin(&Entry::file("a/y", 0, false)).unwrap_err();
        // The handle of `b` is not open: the link in its place is refused.
        tree.begin(&Entry::file("b/x", 0, false)).unwrap_err();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        assert!(at.join("a-away/honest").is_file());
        drop(tree);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left of an abandoned tree");
    }

    /// A directory made meanwhile under the final name is not replaced, even an empty one.
    #[test]
    fn e26_an_existing_destination_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let tree = NewTree::create(&out, 0).unwrap();
        fs::create_dir(&out).unwrap();
        tree.commit().unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        NewTree::create(&out, 0).unwrap_err();
        fs::remove_dir(&out).unwrap();
        symlink("nowhere", &out).unwrap();
        NewTree::create(&out, 0).unwrap_err();
        fs::remove_file(&out).unwrap();
        NewTree::create(&out, 0).unwrap().commit().unwrap();
        assert!(out.is_dir());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
