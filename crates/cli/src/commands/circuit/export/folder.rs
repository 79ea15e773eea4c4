//! A folder made by one command: there with all its files, or not at all.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::Help;
use crate::output::AtomicFile;

/// A new folder. Its files have their names only when durable; dropping it without `keep` removes it.
pub(super) struct NewFolder {
    path: PathBuf,
    files: Vec<String>,
    kept: bool,
}

impl NewFolder {
    /// Makes the folder; refuses one that exists.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir(path)
            .with_context(|| format!("cannot make {}", path.display()))
            .context(Help("name a folder that does not exist, in one that does, with -o"))?;
        Ok(Self { path: path.to_owned(), files: Vec::new(), kept: false })
    }

    /// Writes one file through a buffer.
    pub(super) fn write(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<&mut AtomicFile>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let mut file = AtomicFile::create(&path, 0o666)?;
        let mut buffered = BufWriter::with_capacity(1 << 20, &mut file);
        fill(&mut buffered).with_context(|| format!("cannot write {}", path.display()))?;
        buffered.flush().with_context(|| format!("cannot write {}", path.display()))?;
        drop(buffered);
        file.commit()?;
        self.files.push(name.to_owned());
        Ok(())
    }

    /// Writes a small file.
    pub(super) fn write_text(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        self.write(name, |to| Ok(to.write_all(text.as_bytes())?))
    }

    /// Keeps it; the names of its files in the order they were written.
    pub(super) fn keep(mut self) -> anyhow::Result<Vec<String>> {
        self.kept = true;
        Ok(std::mem::take(&mut self.files))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.kept {
            // Only what this command wrote; with anything else in it the folder stays.
            for name in &self.files {
                let _ = fs::remove_file(self.path.join(name));
            }
            let _ = fs::remove_dir(&self.path);
        }
    }
}
