//! Signing the next generation of an envelope in a file, alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::verify;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{OwnerKey, UnitName};

use super::{Lock, folder_of, is_envelope, not_a_link, note_name};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::output::{AtomicFile, read_bounded};

/// All envelopes that lie in some folders, by unit, as far as they are `wanted`. Each file of the folders is read: some 10 µs apiece.
/// Nothing less tells: names are anybody's choice, a list kept of what was read would not see a file that is written in place, and most of the
/// time goes into opening, so that reading their heads alone would save half of it at most.
pub(crate) struct Neighbours(BTreeMap<UnitName, Vec<(PathBuf, Vec<u8>, Envelope)>>);

impl Neighbours {
    /// Those of this owner, `*.envelope`; a link is read like what it leads to.
    pub(crate) fn of(
        owner: &OwnerKey,
        folders: &BTreeSet<&Path>,
        wanted: impl Fn(&UnitName) -> bool,
    ) -> anyhow::Result<Self> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for folder in folders {
            let failed = || format!("cannot list {}", folder.display());
            for entry in fs::read_dir(folder).with_context(failed)? {
                let path = entry.with_context(failed)?.path();
                if !is_envelope(&path) || !path.is_file() {
                    continue;
                }
                let Ok(bytes) = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX) else { continue };
                // The name is cheaper to learn than the signature to verify.
                let unverified =
                    SignedEnvelope::from_bytes(&bytes).and_then(|signed| signed.decode_unverified());
                if !unverified.is_ok_and(|envelope| wanted(&envelope.name())) {
                    continue;
                }
                if let Ok(envelope) = verify(owner, &bytes) {
                    found.entry(envelope.name()).or_default().push((path, bytes, envelope));
                }
            }
        }
        Ok(Self(found))
    }

    /// Each with where it is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Path, &Envelope)> {
        self.0.values().flatten().map(|(path, _, envelope)| (path.as_path(), envelope))
    }

    /// Refuses to go on from an envelope where there is a later one of its unit, or another of its generation: what would be signed could
    /// be a second one of a generation. Copies of it do no harm.
    pub(crate) fn check(&self, envelope: &Envelope, bytes: &[u8]) -> anyhow::Result<()> {
        for (path, other, is) in self.0.get(&envelope.name()).into_iter().flatten() {
            let (at, generation) = (path.display(), is.generation);
            if generation > envelope.generation {
                return Err(anyhow!("{at} is generation {generation} of it already"))
                    .context(Help("go on from that one, or let `rotate --replace` give it its place first"));
            }
            if generation == envelope.generation && other != bytes {
                return Err(anyhow!("{at} is another envelope of generation {generation} of it")).context(
                    Help("the owner's signature under each is evidence; find out which one hosts have"),
                );
            }
        }
        Ok(())
    }
}

/// One envelope that this run alone signs a next generation of, until dropped.
pub(crate) struct Signing {
    path: PathBuf,
    output: Option<PathBuf>,
    bytes: Vec<u8>,
    _alone: Vec<Lock>,
}

impl Signing {
    /// Locks the folders of the envelope and of `output`, where the new one is to go if not in its place, and reads it.
    pub(crate) fn begin(path: &Path, output: Option<&Path>) -> anyhow::Result<Self> {
        not_a_link(path)?;
        // A missing folder or file is better said by its own name.
        let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
        Self::locked(path, output, bytes)
    }

    /// Locks the folders of an envelope whose `bytes` were read before: another run may have signed in between.
    pub(super) fn locked(path: &Path, output: Option<&Path>, bytes: Vec<u8>) -> anyhow::Result<Self> {
        let alone = Lock::all(Self::folders(path, output))?;
        let signing =
            Self { path: path.to_owned(), output: output.map(Path::to_owned), bytes, _alone: alone };
        signing.unchanged()?;
        Ok(signing)
    }

    fn folders<'a>(path: &'a Path, output: Option<&'a Path>) -> BTreeSet<&'a Path> {
        std::iter::once(path).chain(output).map(folder_of).collect()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The signed envelope as it was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Refuses when there is a later one of its unit in those folders, or another of its generation.
    pub(crate) fn check_latest(&self, owner: &OwnerKey) -> anyhow::Result<()> {
        let envelope = verify(owner, &self.bytes)?;
        let name = envelope.name();
        let folders = Self::folders(&self.path, self.output.as_deref());
        Neighbours::of(owner, &folders, |other| *other == name)?.check(&envelope, &self.bytes)
    }

    /// Whether the envelope is still what was read: whoever rewrote it meanwhile, and took no lock, would be undone.
    pub(crate) fn unchanged(&self) -> anyhow::Result<()> {
        ensure!(
            read_bounded(&self.path, ENVELOPE_FILE_BYTES_MAX).is_ok_and(|now| now == self.bytes),
            "{} changed meanwhile: it stays as it is",
            self.path.display()
        );
        Ok(())
    }

    /// Gives the next generation its name, durably, unless the envelope changed meanwhile. Returns where it is.
    pub(crate) fn write(self, signed: &[u8]) -> anyhow::Result<PathBuf> {
        let (destination, mut out) = match &self.output {
            Some(new) => (new.clone(), AtomicFile::create(new, 0o644)?),
            None => {
                let mode = fs::metadata(&self.path)?.mode() & 0o777;
                (self.path.clone(), AtomicFile::replace(&self.path, mode)?)
            }
        };
        out.write_all(signed).with_context(|| format!("cannot write {}", destination.display()))?;
        self.unchanged()?;
        out.commit()?;
        note_name(&destination);
        Ok(destination)
    }
}
