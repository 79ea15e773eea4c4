//! Which units a run at a node has done, in a file beside the owner's envelopes, so that a run that broke off is not begun anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bailiwick_protocol::ids::UnitName;

use super::reseal::sync_folder;
use crate::output::read_bounded;

const NAME: &str = ".bailiwick-rotate-done";
/// Ten million lines.
const BYTES_MAX: u64 = 2 << 30;

/// The generation that each unit was sealed anew as, and the digest of what was asked, one line for each.
pub(super) struct Done {
    path: PathBuf,
    /// Made with the first line: a run that does nothing leaves nothing.
    file: Option<File>,
    units: BTreeMap<String, (u64, blake3::Hash)>,
}

impl Done {
    /// What an earlier run left, or nothing.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(Self { path, file: None, units: BTreeMap::new() });
        }
        let bytes = read_bounded(&path, BYTES_MAX)?;
        // A last line that was not written whole is of a unit whose new generation still waits, and is found there.
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut units = BTreeMap::new();
        for line in String::from_utf8_lossy(&bytes[..whole]).lines() {
            let mut words = line.split(' ');
            let mut unit = || {
                let unit = words.next()?.to_owned();
                let generation = words.next()?.parse().ok()?;
                let asked = blake3::Hash::from_hex(words.next()?).ok()?;
                words.next().is_none().then_some((unit, (generation, asked)))
            };
            let (unit, done) = unit()
                .with_context(|| format!("{} is no list of what is done: remove it", path.display()))?;
            units.insert(unit, done);
        }
        // Only now: a file that is no list stays as it is.
        let file = append(&path)?;
        file.set_len(whole as u64)?;
        Ok(Self { path, file: Some(file), units })
    }

    /// The generation that a unit was sealed anew as, and what was asked then.
    pub(super) fn get(&self, name: &UnitName) -> Option<(u64, blake3::Hash)> {
        self.units.get(&key(name)).copied()
    }

    /// Adds a unit, durably.
    pub(super) fn add(
        &mut self,
        name: &UnitName,
        generation: u64,
        asked: blake3::Hash,
    ) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(append(&self.path)?),
        };
        file.write_all(format!("{} {generation} {asked}\n", key(name)).as_bytes())
            .and_then(|()| file.sync_data())
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.units.insert(key(name), (generation, asked));
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
    // What it says of anonymous recipients only the owner can read out of it; others need not see it all the same.
    let file = File::options().create(true).append(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    sync_folder(path)?;
    Ok(file)
}

fn key(name: &UnitName) -> String {
    format!("{}-{}", name.object, name.unit)
}
