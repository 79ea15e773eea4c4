//! Envelopes that were seen before, against old states given back (spec envelope, clause E13).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::{RollbackError, check_newer, verify};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;

use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::output::read_bounded;

/// What of an object was seen before.
#[derive(Debug, clap::Args)]
pub(crate) struct KnownArgs {
    /// Refuse an envelope older than this generation, known from an earlier visit: what shows that an old state is given back
    #[arg(long, value_name = "GENERATION", default_value_t = 1)]
    not_before: u64,
    /// An envelope of the same object that was seen before, or a directory of envelopes: an older one now, or another of the same generation, is refused.
    /// Shards are compared each with its own; repeat for several
    #[arg(long, value_name = "ENVELOPE")]
    known: Vec<PathBuf>,
}

/// What [`KnownArgs`] names.
pub(crate) struct Known {
    not_before: u64,
    seen: Vec<Seen>,
}

/// One envelope; its signature is looked at when it is compared with another.
struct Seen {
    path: PathBuf,
    bytes: Vec<u8>,
    envelope: Envelope,
}

const EVIDENCE: Help = Help("keep both envelopes: the owner's signature under each is evidence");

impl KnownArgs {
    /// Whether anything was said to be known.
    pub(crate) fn is_given(&self) -> bool {
        self.not_before != 1 || !self.known.is_empty()
    }

    /// Reads envelopes and directories of them.
    pub(crate) fn read(&self) -> anyhow::Result<Known> {
        let mut seen = Vec::new();
        for path in &self.known {
            if !path.is_dir() {
                seen.push(read(path)?);
                continue;
            }
            let cannot = || format!("cannot list {}", path.display());
            for entry in fs::read_dir(path).with_context(cannot)? {
                let inside = entry.with_context(cannot)?.path();
                if inside.extension().is_some_and(|e| e == "envelope") {
                    seen.push(read(&inside)?);
                }
            }
        }
        if let (Some(first), []) = (self.known.first(), &seen[..]) {
            return Err(anyhow!("{} holds no envelope to compare with", first.display()))
                .context(Help("name envelopes that were seen before with --known, or a directory of them"));
        }
        Ok(Known { not_before: self.not_before, seen })
    }
}

impl Known {
    fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.seen.iter().map(|s| s.path.as_path())
    }

    /// Compares with every one of the same unit, of which there has to be one unless none is known at all.
    pub(crate) fn check_unit(
        &self,
        owner: &OwnerKey,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        self.check_generation(envelope)?;
        if self.is_empty() || self.check_same(owner, envelope, bytes)? {
            return Ok(());
        }
        match self.of_object(envelope).next() {
            Some(seen) => check_newer(owner, &seen.bytes, bytes)
                .map(|_| ())
                .context(Help("name with --known the envelope of the same unit, or the directory it is in")),
            None => Err(RollbackError::OtherObject.into()),
        }
    }

    /// Compares with every one of the same shard, and with the makings of the object that those of other shards speak of: a making that is not
    /// the one seen has to be of a later generation.
    pub(super) fn check_shard(
        &self,
        owner: &OwnerKey,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
        self.check_generation(envelope)?;
        self.check_same(owner, envelope, bytes)?;
        if !self.is_empty() && self.of_object(envelope).next().is_none() {
            return Err(RollbackError::OtherObject.into());
        }
        for seen in self.of_object(envelope).filter(|s| s.envelope.shards != envelope.shards) {
            let known =
                verify(owner, &seen.bytes).with_context(|| format!("cannot use {}", seen.path.display()))?;
            if envelope.generation <= known.generation {
                return Err(anyhow!(
                    "generation {} of another making of the object than {} is of, and not later than it, generation {}: someone gives back an old state",
                    envelope.generation,
                    seen.path.display(),
                    known.generation
                ))
                .context(EVIDENCE);
            }
        }
        Ok(())
    }

    fn check_generation(&self, envelope: &Envelope) -> anyhow::Result<()> {
        let (found, known) = (envelope.generation, self.not_before);
        if found < known {
            return Err(anyhow!("this is generation {found} of the envelope, {known} was seen before"))
                .context(Help("someone gives back an old state; keep the envelope as evidence"));
        }
        Ok(())
    }

    /// What to say of rollback of what was not refused.
    pub(crate) fn note(&self) -> String {
        match (self.not_before, &self.seen[..]) {
            (1, []) => "rollback not excluded: at first sight nobody can tell".to_owned(),
            (1, [_]) => "not older than the envelope known".to_owned(),
            (1, _) => "not older than the envelopes known".to_owned(),
            (known, _) => format!("not older than {known}; later ones not excluded"),
        }
    }

    /// Whether there was one of the same unit.
    fn check_same(&self, owner: &OwnerKey, envelope: &Envelope, bytes: &[u8]) -> anyhow::Result<bool> {
        let mut any = false;
        for seen in self.of_object(envelope).filter(|s| s.envelope.unit == envelope.unit) {
            check_newer(owner, &seen.bytes, bytes).context(EVIDENCE)?;
            any = true;
        }
        Ok(any)
    }

    fn of_object(&self, envelope: &Envelope) -> impl Iterator<Item = &Seen> {
        let object = (envelope.owner, envelope.object);
        self.seen.iter().filter(move |s| (s.envelope.owner, s.envelope.object) == object)
    }
}

fn read(path: &Path) -> anyhow::Result<Seen> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = SignedEnvelope::from_bytes(&bytes)
        .and_then(|signed| signed.decode_unverified())
        .with_context(|| format!("{} is not an envelope", path.display()))?;
    Ok(Seen { path: path.to_owned(), bytes, envelope })
}
