//! Damaging what a node holds, as a failing disk or a dishonest host would: chosen before any challenge exists.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::envelope::CELL_BYTES;

/// A body inside the node's directory: the file and where the body begins in it.
#[derive(Debug)]
pub(crate) struct Stored {
    path: PathBuf,
    offset: u64,
    size: u64,
}

/// Finds a sealed body under `directory` by its first bytes, which are random and so occur nowhere else.
pub(crate) fn find(directory: &Path, sealed: &Path) -> anyhow::Result<Stored> {
    let body = fs::read(sealed)?;
    let head = body.get(..56).context("a body has at least 56 bytes")?;
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
            continue;
        }
        let bytes = fs::read(&path)?;
        let at = bytes.windows(head.len()).position(|w| w == head);
        if let Some(offset) = at.filter(|at| bytes[*at..].starts_with(&body)) {
            return Ok(Stored { path, offset: offset as u64, size: body.len() as u64 });
        }
    }
    anyhow::bail!("the node's directory does not hold {}", sealed.display())
}

impl Stored {
    /// Flips one bit of the body at `position`.
    pub(crate) fn flip(&self, position: u64) -> anyhow::Result<()> {
        let file = File::options().read(true).write(true).open(&self.path)?;
        let mut byte = [0];
        file.read_exact_at(&mut byte, self.offset + position)?;
        byte[0] ^= 1;
        file.write_all_at(&byte, self.offset + position)?;
        Ok(())
    }

    /// Deletes every second block of 124 KiB (every second cell of a body too small for two blocks) and keeps
    /// everything else: envelope, tree, checksums. Returns the bytes deleted, at least half.
    pub(crate) fn delete_every_second_block(&self) -> anyhow::Result<u64> {
        let file = File::options().write(true).open(&self.path)?;
        let block = BLOCK_BYTES as u64;
        let unit = if self.size >= 2 * block { block } else { CELL_BYTES };
        let mut deleted = 0;
        for start in (0..self.size).step_by(usize::try_from(2 * unit)?) {
            let length = unit.min(self.size - start);
            file.write_all_at(&vec![0; usize::try_from(length)?], self.offset + start)?;
            deleted += length;
        }
        file.sync_all()?;
        Ok(deleted)
    }
}
