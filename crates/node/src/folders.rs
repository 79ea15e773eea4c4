//! Folders whose names survive a crash.

use std::io;
use std::path::Path;

use bailiwick_store::files::FileSystem;

/// The folder a name is in.
fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes one folder, which must not exist, and its name durable.
pub(crate) fn make_new(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    files.create_dir(path)?;
    files.open_dir(parent_of(path))?.sync()
}

/// Makes a folder and all that lead to it, each name durable before the next one is made in it.
pub(crate) fn make_all(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        match files.create_dir(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => files.open_dir(parent_of(folder))?.sync()?,
        }
    }
    Ok(())
}
