//! The latest envelopes of one owner, and what a node serves compared with them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_envelope::{RollbackError, check_newer, verify};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{OwnerKey, UnitName};

use super::{Below, Lock, NOT_A_FILE, folder_of, of_owner};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::output::{AtomicFile, read_bounded, write_new};

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
    /// How many are other owners'.
    pub(crate) foreign: u64,
    /// Files that verify under no owner's key, and why: they may be this owner's, damaged.
    pub(crate) unverified: Vec<(PathBuf, anyhow::Error)>,
    /// The directory they are read from, and nobody else's until this is dropped.
    lock: Option<(PathBuf, Lock)>,
}

impl Known {
    /// Reads envelopes; of several of a unit the latest counts.
    pub(crate) fn read(owner: OwnerKey, paths: Vec<PathBuf>) -> anyhow::Result<Self> {
        let mut known =
            Self { owner, latest: BTreeMap::new(), foreign: 0, unverified: Vec::new(), lock: None };
        for path in paths {
            let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
            match of_owner(&owner, &bytes) {
                Ok(Some(envelope)) => known.add(path, bytes, &envelope),
                Ok(None) => known.foreign += 1,
                Err(e) => known.unverified.push((path, e)),
            }
        }
        Ok(known)
    }

    /// All envelopes below a directory, which may still be empty, or is made.
    pub(crate) fn below(owner: OwnerKey, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self::below_but(owner, folder, |_, _| false)?.0)
    }

    /// Like `below`, with those apart that wait to be sent, by the paths and units of all: what a node serves is to be the one before.
    pub(crate) fn below_but(
        owner: OwnerKey,
        folder: &Path,
        waits: impl Fn(&Path, &UnitName) -> bool,
    ) -> anyhow::Result<(Self, BTreeMap<UnitName, Latest>)> {
        match fs::create_dir(folder) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("cannot make {}", folder.display()));
            }
            _ => {}
        }
        let lock = Lock::on(folder)?;
        let mut found = Below::default();
        found.look(folder)?;
        // What a link leads to is remembered elsewhere, and what is signed would take the link's place.
        if let Some(path) = found.elsewhere().first() {
            bail!("{}: {NOT_A_FILE}: nothing was signed", path.display());
        }
        let mut known = Self { lock: Some((folder.to_owned(), lock)), ..Self::read(owner, Vec::new())? };
        let mut waiting = BTreeMap::new();
        for path in found.envelopes {
            let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
            // What a damaged one remembered is not known, and a node could serve what came before it.
            let about = of_owner(&owner, &bytes)
                .with_context(|| format!("{}: nothing was signed", path.display()))?;
            match about {
                Some(envelope) if waits(&path, &envelope.name()) => {
                    let generation = envelope.generation;
                    waiting.insert(envelope.name(), Latest { path, bytes, generation, conflict: None });
                }
                Some(envelope) => known.add(path, bytes, &envelope),
                None => known.foreign += 1,
            }
        }
        Ok((known, waiting))
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
