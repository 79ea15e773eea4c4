//! Overwriting a file and removing its name; and finding out beforehand that both can be done.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::Help;
use crate::envelopes::folder_of;

/// Bit of a directory's mode: only a file's owner, or the directory's, removes its name.
const STICKY: u32 = 0o1000;

/// Fails where the file cannot be overwritten, or its name not be removed: said before the first byte is.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    let untouched = || format!("cannot destroy {}, which is as it was", path.display());
    let file = open(path).with_context(untouched)?;
    let folder = folder_of(path);
    let allowed = accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    allowed
        .with_context(|| format!("no name can be removed from {}", folder.display()))
        .with_context(untouched)?;
    let (about, dir) = (file.metadata()?, fs::metadata(folder)?);
    let me = rustix::process::geteuid();
    if dir.mode() & STICKY != 0 && !me.is_root() && ![about.uid(), dir.uid()].contains(&me.as_raw()) {
        return Err(anyhow!("{} lets only its owner or the file's remove the name", folder.display()))
            .with_context(untouched)
            .context(Help("run this as the owner of the file"));
    }
    Ok(())
}

/// Not through a link that came meanwhile.
fn open(path: &Path) -> anyhow::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).context("a flag of the system")?;
    Ok(OpenOptions::new().write(true).custom_flags(flags).open(path)?)
}

/// Zeros over the file, durable, then its name goes, durable.
pub(super) fn erase(path: &Path) -> anyhow::Result<()> {
    let at = path.display();
    let mut file = open(path).with_context(|| format!("cannot destroy {at}, which is as it was"))?;
    let length = usize::try_from(file.metadata()?.len())?;
    file.write_all(&vec![0; length])
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot overwrite all of {at}: parts of it may be left"))?;
    fs::remove_file(path)
        .and_then(|()| File::open(folder_of(path))?.sync_all())
        .with_context(|| format!("{at} is overwritten, its name not removed"))
        .context(Help("make the folder writable and run the same command again: what is overwritten is done"))
}
