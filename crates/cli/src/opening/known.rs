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

/// What `--known` names.
pub(super) struct Known(Vec<Seen>);

/// One of them; its signature is looked at when it is compared with another.
struct Seen {
    path: PathBuf,
    bytes: Vec<u8>,
    envelope: Envelope,
}

const EVIDENCE: Help = Help("keep both envelopes: the owner's signature under each is evidence");

impl Known {
    /// Reads envelopes and directories of them.
    pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut seen = Vec::new();
        for path in paths {
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
        if seen.is_empty() && !paths.is_empty() {
            return Err(anyhow!("{} holds no envelope to compare with", paths[0].display()))
                .context(Help("name envelopes that were seen before with --known, or a directory of them"));
        }
        Ok(Self(seen))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|s| s.path.as_path())
    }

    /// Compares with every one of the same unit, of which there has to be one unless none is known at all.
    pub(super) fn check_unit(
        &self,
        owner: &OwnerKey,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> anyhow::Result<()> {
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
        self.0.iter().filter(move |s| (s.envelope.owner, s.envelope.object) == object)
    }
}

fn read(path: &Path) -> anyhow::Result<Seen> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = SignedEnvelope::from_bytes(&bytes)
        .and_then(|signed| signed.decode_unverified())
        .with_context(|| format!("{} is not an envelope", path.display()))?;
    Ok(Seen { path: path.to_owned(), bytes, envelope })
}
