//! Which units a run at a node has done, in a file beside the owner's envelopes, so that a run that broke off is not begun anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_protocol::ids::UnitName;

use super::reseal::sync_folder;
use crate::output::read_bounded;

const NAME: &str = ".bailiwick-rotate-done";
/// Ten million lines.
const BYTES_MAX: u64 = 1 << 30;

/// The generation that each unit was sealed anew as, one line for each.
pub(super) struct Done {
    path: PathBuf,
    /// Made with the first line: a run that does nothing leaves nothing.
    file: Option<File>,
    generations: BTreeMap<String, u64>,
}

impl Done {
    /// What an earlier run left, or nothing.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(Self { path, file: None, generations: BTreeMap::new() });
        }
        let file = append(&path)?;
        let bytes = read_bounded(&path, BYTES_MAX)?;
        // A last line that was not written whole is of a unit whose new generation still waits, and is found there.
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        let mut generations = BTreeMap::new();
        for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
            let (unit, generation) = line
                .split_once(' ')
                .and_then(|(unit, generation)| Some((unit, generation.parse().ok()?)))
                .with_context(|| format!("{} is no list of what is done: remove it", path.display()))?;
            generations.insert(unit.to_owned(), generation);
        }
        Ok(Self { path, file: Some(file), generations })
    }

    /// The generation that a unit was sealed anew as.
    pub(super) fn generation(&self, name: &UnitName) -> Option<u64> {
        self.generations.get(&key(name)).copied()
    }

    /// Adds a unit, durably.
    pub(super) fn add(&mut self, name: &UnitName, generation: u64) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(append(&self.path)?),
        };
        file.write_all(format!("{} {generation}\n", key(name)).as_bytes())
            .and_then(|()| file.sync_data())
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.generations.insert(key(name), generation);
        Ok(())
    }

    /// The run is complete: the next one begins anew.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot remove {}", self.path.display()));
            }
            _ => {}
        }
        sync_folder(&self.path)
    }
}

/// The file to add lines to, made if missing; its name is durable.
fn append(path: &Path) -> anyhow::Result<File> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    sync_folder(path)?;
    Ok(file)
}

fn key(name: &UnitName) -> String {
    format!("{}-{}", name.object, name.unit)
}
