//! The envelopes an owner keeps in files: which there are, and what a node's answer is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_envelope::{RollbackError, check_newer, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, UnitName};

use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::with_suffix;
use crate::output::{AtomicFile, read_bounded};

const ENVELOPES_MAX: usize = 10_000_000;

/// The envelopes that the targets (envelopes, bodies beside theirs, directories) mean, each once, in order of their names.
pub(crate) fn envelopes(targets: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    for target in targets {
        let beside = if is_envelope(target) { target.clone() } else { with_suffix(target, ".envelope") };
        match fs::symlink_metadata(target) {
            Ok(about) if about.is_symlink() => {
                return Err(anyhow!("{} is a symbolic link", target.display()))
                    .context(Help("name what it leads to: a new envelope would replace the link"));
            }
            Ok(about) if about.is_dir() => below(target, &mut found)?,
            // Only the envelope is read, so a body may be elsewhere.
            _ if beside.is_file() => drop(found.insert(beside)),
            about => {
                about.with_context(|| format!("cannot open {}", target.display()))?;
                return Err(anyhow!("{} has no envelope beside it", target.display()))
                    .context(Help("name the envelope itself, or a directory"));
            }
        }
    }
    if found.is_empty() {
        return Err(anyhow!("no envelope found"))
            .context(Help("envelopes in directories are named *.envelope"));
    }
    Ok(found.into_iter().collect())
}

/// Symbolic links are not followed: a rename would replace the link and not its target.
fn below(folder: &Path, found: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_envelope(&entry.path()) {
                found.insert(entry.path());
            }
            if found.len() > ENVELOPES_MAX {
                bail!("more than ten million envelopes: name fewer directories");
            }
        }
    }
    Ok(())
}

pub(crate) fn is_envelope(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "envelope")
}

/// Leaves out what is there twice: two envelopes of one unit, each signed anew, could be two of one generation.
pub(crate) fn one_of_each(paths: Vec<PathBuf>, failed: &mut Vec<String>) -> Vec<PathBuf> {
    let mut units: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    let mut kept = Vec::new();
    for path in paths {
        let unverified = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)
            .ok()
            .and_then(|bytes| SignedEnvelope::from_bytes(&bytes).ok()?.decode_unverified().ok());
        match unverified {
            Some(envelope) => units.entry(envelope.name()).or_default().push(path),
            // Said when its turn comes.
            None => kept.push(path),
        }
    }
    for (unit, mut paths) in units {
        if paths.len() == 1 {
            kept.append(&mut paths);
            continue;
        }
        let named: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        failed.push(format!(
            "{unit}: {} are of the same unit, and each signed anew could be a second one of its generation: keep the latest",
            named.join(", ")
        ));
    }
    kept.sort();
    kept
}

/// The latest envelope known of a unit.
#[derive(Debug)]
pub(crate) struct Latest {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    generation: u64,
    /// Another envelope of the same generation.
    conflict: Option<PathBuf>,
}

/// The latest envelopes of one owner in files. What a node serves is compared with them, and what is signed is kept among them before it
/// is sent: so no two envelopes of one generation are ever signed, whatever nodes answer and whenever a run breaks off.
pub(crate) struct Known {
    owner: OwnerKey,
    latest: BTreeMap<UnitName, Latest>,
    /// Files that are not envelopes of this owner.
    pub(crate) foreign: u64,
}

impl Known {
    /// Reads envelopes; of several of a unit the latest counts.
    pub(crate) fn read(owner: OwnerKey, paths: Vec<PathBuf>) -> anyhow::Result<Self> {
        let mut known = Self { owner, latest: BTreeMap::new(), foreign: 0 };
        for path in paths {
            let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
            match verify(&owner, &bytes) {
                Ok(envelope) => known.add(path, bytes, &envelope),
                Err(_) => known.foreign += 1,
            }
        }
        Ok(known)
    }

    /// All envelopes below a directory, which may still be empty, or is made.
    pub(crate) fn below(owner: OwnerKey, folder: &Path) -> anyhow::Result<Self> {
        match fs::create_dir(folder) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("cannot make {}", folder.display()));
            }
            _ => {}
        }
        let mut found = BTreeSet::new();
        below(folder, &mut found)?;
        Self::read(owner, found.into_iter().collect())
    }

    fn add(&mut self, path: PathBuf, bytes: Vec<u8>, envelope: &Envelope) {
        let generation = envelope.generation;
        let new = Latest { path, bytes, generation, conflict: None };
        match self.latest.get_mut(&envelope.name()) {
            Some(old) if old.generation > generation => {}
            Some(old) if old.generation == generation => {
                if matches!(
                    check_newer(&self.owner, &old.bytes, &new.bytes),
                    Err(RollbackError::Equivocation { .. })
                ) {
                    old.conflict = Some(new.path);
                }
            }
            _ => drop(self.latest.insert(envelope.name(), new)),
        }
    }

    /// Every unit with its latest envelope; an error where there are two of one generation.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&UnitName, anyhow::Result<&Latest>)> {
        self.latest.iter().map(|(name, latest)| (name, latest.sole()))
    }

    /// The latest envelope of a unit.
    pub(crate) fn latest(&self, name: &UnitName) -> Option<&Latest> {
        self.latest.get(name)
    }

    /// Whether the envelope a node serves is one to go on from: not older than what is known, and not another one of its generation.
    pub(crate) fn check(&self, served: &Envelope, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(latest) = self.latest.get(&served.name()) else { return Ok(()) };
        let known = latest.sole()?;
        let at = known.path.display();
        match check_newer(&self.owner, &known.bytes, bytes) {
            Ok(_) => {}
            Err(RollbackError::Older { known, found }) => bail!(
                "the node serves generation {found}, {at} is {known}: it was given back an old state, or {at} was never sent \
                 to it; `bailiwick put {at} --envelope-only` sends it, nothing was signed"
            ),
            Err(RollbackError::Equivocation { generation, .. }) => bail!(
                "the node serves another envelope of generation {generation} than {at}: keep both, the owner's signature under \
                 each is evidence; nothing was signed"
            ),
            Err(e) => return Err(e.into()),
        }
        let body = verify(&self.owner, &known.bytes)?.body;
        ensure!(
            body == served.body,
            "the node serves generation {} over another body than that of {at}: fetch it first; nothing was signed",
            served.generation
        );
        Ok(())
    }

    /// Keeps an envelope that was just signed, durably, in the place of the one before it, else in `folder`. Returns where.
    pub(crate) fn keep(&mut self, folder: &Path, bytes: Vec<u8>) -> anyhow::Result<PathBuf> {
        let envelope = verify(&self.owner, &bytes)?;
        let name = envelope.name();
        let (mut file, path) = match self.latest.get(&name) {
            Some(old) => {
                let now = read_bounded(&old.path, ENVELOPE_FILE_BYTES_MAX)?;
                ensure!(now == old.bytes, "{} changed meanwhile", old.path.display());
                let mode = fs::metadata(&old.path)?.mode() & 0o777;
                (AtomicFile::replace(&old.path, mode)?, old.path.clone())
            }
            None => {
                let path = folder.join(format!("{}-{}.envelope", name.object, name.unit));
                (AtomicFile::create(&path, 0o644)?, path)
            }
        };
        file.write_all(&bytes).with_context(|| format!("cannot write {}", path.display()))?;
        file.commit()?;
        let generation = envelope.generation;
        self.latest.insert(name, Latest { path: path.clone(), bytes, generation, conflict: None });
        Ok(path)
    }
}

impl Latest {
    fn sole(&self) -> anyhow::Result<&Self> {
        match &self.conflict {
            None => Ok(self),
            Some(other) => Err(anyhow!(
                "{} and {} are two envelopes of generation {}: the owner's signature under each is evidence; find out which one \
                 hosts have",
                self.path.display(),
                other.display(),
                self.generation
            )),
        }
    }
}
