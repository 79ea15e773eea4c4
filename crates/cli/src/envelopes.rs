//! The envelopes an owner keeps in files: which there are, what a node's answer is compared with, and who signs their next generations.

mod below;
mod known;
mod signing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::verify;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, UnitName};

use rustix::fs::{FlockOperation, flock};

use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::with_suffix;
use crate::output::{printable, read_bounded};

use self::below::Below;
pub(crate) use self::known::{Known, Latest};
pub(crate) use self::signing::{Neighbours, Signing};

/// What a directory has under the name of an envelope, and nothing is signed in the place of.
const NOT_A_FILE: &str = "it is a symbolic link, or no file";

/// The envelopes that the targets (envelopes, bodies beside theirs, directories) mean, each once, in order of their names. What has the name
/// of an envelope and leads elsewhere is not done, and `failed` says so.
pub(crate) fn envelopes(targets: &[PathBuf], failed: &mut Vec<String>) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Below::default();
    for target in targets {
        // Named one by one, an envelope may have any name.
        let itself = |beside: &PathBuf| !beside.is_file() && target.is_file() && unit_at(target).is_some();
        let beside = match with_suffix(target, ".envelope") {
            beside if !is_envelope(target) && !itself(&beside) => beside,
            _ => target.clone(),
        };
        let about = fs::symlink_metadata(target);
        let is_dir = about.as_ref().is_ok_and(fs::Metadata::is_dir);
        not_a_link(target)?;
        if !is_dir {
            not_a_link(&beside)?;
        }
        match about {
            Ok(_) if is_dir => found.look(target)?,
            // Only the envelope is read, so a body may be elsewhere.
            _ if beside.is_file() => drop(found.envelopes.insert(beside)),
            about => {
                about.with_context(|| format!("cannot open {}", target.display()))?;
                return Err(anyhow!("{} has no envelope beside it", target.display()))
                    .context(Help("name the envelope itself, or a directory"));
            }
        }
    }
    let elsewhere = found.elsewhere();
    if found.envelopes.is_empty() && elsewhere.is_empty() {
        return Err(anyhow!("no envelope found"))
            .context(Help("envelopes in directories are named *.envelope"));
    }
    failed.extend(elsewhere.iter().map(|path| {
        format!("{}: {NOT_A_FILE}: what it leads to stays as it was: name that itself", path.display())
    }));
    Ok(found.envelopes.into_iter().collect())
}

/// A rename would replace the link, and the file it leads to would be signed a second time from the old generation.
pub(crate) fn not_a_link(path: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
        return Err(anyhow!("{} is a symbolic link", path.display()))
            .context(Help("name what it leads to: a new envelope would replace the link"));
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

/// Says so where a new envelope has a name by which no command finds it that is not told it.
pub(crate) fn note_name(envelope: &Path) {
    if !is_envelope(envelope) {
        eprintln!(
            "note: {} does not end in .envelope: commands over a directory pass it over, and whatever else signs for its object does not see it",
            printable(&envelope.display().to_string())
        );
    }
}

pub(crate) fn is_envelope(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "envelope")
}

/// The envelope, if it is this owner's; none if it is another owner's, who signed it. Everything else is an error: it may be this owner's
/// and damaged, and who was to lose access through it still has it.
pub(crate) fn of_owner(owner: &OwnerKey, bytes: &[u8]) -> anyhow::Result<Option<Envelope>> {
    let why = match verify(owner, bytes) {
        Ok(envelope) => return Ok(Some(envelope)),
        Err(why) => why,
    };
    let named = SignedEnvelope::from_bytes(bytes).and_then(|signed| signed.decode_unverified());
    match named {
        Ok(named) if named.owner != *owner && verify(&named.owner, bytes).is_ok() => Ok(None),
        _ => Err(anyhow!(why).context("it verifies under no owner's key: damaged, forged, or no envelope"))
            .context(Help("bring it back from a copy, or take it away if it is none of yours")),
    }
}

/// The unit that the envelope in a file says it is of; nothing is verified.
pub(crate) fn unit_at(path: &Path) -> Option<UnitName> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX).ok()?;
    Some(SignedEnvelope::from_bytes(&bytes).ok()?.decode_unverified().ok()?.name())
}

/// Leaves out what is there twice: two envelopes of one unit, each signed anew, could be two of one generation.
pub(crate) fn one_of_each(paths: Vec<PathBuf>, failed: &mut Vec<String>) -> Vec<PathBuf> {
    let mut units: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    let mut kept = Vec::new();
    for path in paths {
        match unit_at(&path) {
            Some(unit) => units.entry(unit).or_default().push(path),
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
