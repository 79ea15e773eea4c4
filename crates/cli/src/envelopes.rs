//! The envelopes an owner keeps in files: which there are, and what a node's answer is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_envelope::{RollbackError, check_newer, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, UnitName};

use rustix::fs::{FlockOperation, flock};

use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::with_suffix;
use crate::output::{AtomicFile, read_bounded, write_new};

const ENVELOPES_MAX: usize = 10_000_000;

/// The envelopes that the targets (envelopes, bodies beside theirs, directories) mean, each once, in order of their names.
pub(crate) fn envelopes(targets: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    for target in targets {
        let beside = if is_envelope(target) { target.clone() } else { with_suffix(target, ".envelope") };
        let about = fs::symlink_metadata(target);
        let is_dir = about.as_ref().is_ok_and(fs::Metadata::is_dir);
        not_a_link(target)?;
        if !is_dir {
            not_a_link(&beside)?;
        }
        match about {
            Ok(_) if is_dir => below(target, &mut found)?,
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

/// A rename would replace the link, and the file it leads to would be signed a second time from the old generation.
fn not_a_link(path: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
        return Err(anyhow!("{} is a symbolic link", path.display()))
            .context(Help("name what it leads to: a new envelope would replace the link"));
    }
    Ok(())
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

/// Where a file is.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
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

/// A directory in which this run alone signs envelopes, until dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Fails when another run has it: that run and this one could sign two envelopes of one generation.
    pub(crate) fn on(folder: &Path) -> anyhow::Result<Self> {
        let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
        Self::take(file, folder)
    }

    /// All of them, each once by whatever names.
    pub(crate) fn all(folders: BTreeSet<&Path>) -> anyhow::Result<Vec<Self>> {
        let (mut seen, mut locks) = (BTreeSet::new(), Vec::new());
        for folder in folders {
            let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
            let about = file.metadata()?;
            if seen.insert((about.dev(), about.ino())) {
                locks.push(Self::take(file, folder)?);
            }
        }
        Ok(locks)
    }

    fn take(file: File, folder: &Path) -> anyhow::Result<Self> {
        let at = folder.display();
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(anyhow!("another run signs envelopes in {at}"))
                    .context(Help("wait until it has ended, then run the same command again"));
            }
            // Some network file systems lock no directories.
            Err(e) => eprintln!("note: {at} cannot be locked ({e}): run nothing else in it meanwhile"),
        }
        Ok(Self(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Said, since a process that was just started may hold the file a moment longer.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
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
    /// The directory they are read from, and nobody else's until this is dropped.
    lock: Option<(PathBuf, Lock)>,
}

impl Known {
    /// Reads envelopes; of several of a unit the latest counts.
    pub(crate) fn read(owner: OwnerKey, paths: Vec<PathBuf>) -> anyhow::Result<Self> {
        let mut known = Self { owner, latest: BTreeMap::new(), foreign: 0, lock: None };
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
        let lock = Lock::on(folder)?;
        let mut found = BTreeSet::new();
        below(folder, &mut found)?;
        let known = Self::read(owner, found.into_iter().collect())?;
        Ok(Self { lock: Some((folder.to_owned(), lock)), ..known })
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

    /// Whether the envelope a node serves, verified, is one to go on from: not older than what is known, and not another one of its
    /// generation. A newer one is kept, whatever becomes of it then: or the node could serve an older one the next time, and a second one
    /// of a generation would be signed. While what is returned lives, no other run signs in the place of the known one.
    #[must_use = "the lock is held until what is signed is kept"]
    pub(crate) fn remember(
        &mut self,
        folder: &Path,
        served: &Envelope,
        bytes: &[u8],
    ) -> anyhow::Result<Option<Lock>> {
        let Some(latest) = self.latest.get(&served.name()) else {
            self.keep(folder, bytes.to_vec())?;
            return Ok(None);
        };
        let known = latest.sole()?;
        let lock = self.lock_beside(&known.path)?;
        known.unchanged()?;
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
        if served.generation == known.generation {
            return Ok(lock);
        }
        if verify(&self.owner, &known.bytes)?.body == served.body {
            self.keep(folder, bytes.to_vec())?;
            return Ok(lock);
        }
        // The body of the known one may lie beside it: that pair stays.
        let (name, generation) = (served.name(), served.generation);
        let path = folder.join(format!("{}-{}.{generation}.envelope", name.object, name.unit));
        write_new(&path, 0o644, bytes)?;
        let error = anyhow!(
            "the node serves generation {generation} over another body than that of {at}: kept as {}, nothing was signed",
            path.display()
        );
        self.latest.insert(name, Latest { path, bytes: bytes.to_vec(), generation, conflict: None });
        Err(error).context(Help(
            "fetch the body if you want it here; the same command goes on from that generation",
        ))
    }

    /// The lock of the folder in which a known envelope is, if it is not the one that is held already.
    fn lock_beside(&self, path: &Path) -> anyhow::Result<Option<Lock>> {
        let folder = folder_of(path);
        match &self.lock {
            Some((held, _)) if held == folder => Ok(None),
            _ => Lock::on(folder).map(Some),
        }
    }

    /// Keeps an envelope that was just signed or served, durably, in the place of the one before it, else in `folder`. Returns where.
    pub(crate) fn keep(&mut self, folder: &Path, bytes: Vec<u8>) -> anyhow::Result<PathBuf> {
        let envelope = verify(&self.owner, &bytes)?;
        let name = envelope.name();
        let (mut file, path) = match self.latest.get(&name) {
            Some(old) => {
                old.unchanged()?;
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
    /// Whether the file still has it.
    fn unchanged(&self) -> anyhow::Result<()> {
        let now = read_bounded(&self.path, ENVELOPE_FILE_BYTES_MAX)?;
        ensure!(now == self.bytes, "{} changed meanwhile", self.path.display());
        Ok(())
    }

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
