//! Every envelope of the object that its owner signed and that is here, whether a given key opens it or not: what a reissue must come after.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::{Opener, Passphrase, verify};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use super::Args;
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::{self, with_suffix};
use crate::opening::Opening;
use crate::output::read_bounded;
use crate::shards::Set;
use crate::shards::set::bodies;

/// An envelope the owner signed.
pub(super) struct Signed {
    path: PathBuf,
    bytes: Vec<u8>,
    pub(super) envelope: Envelope,
}

/// All that are at hand, of any shard of the object and any making.
pub(super) struct AtHand(Vec<Signed>);

impl AtHand {
    /// Those in the folder, copies and what no given key opens too, and those that `--after` and `--known` name.
    ///
    /// # Errors
    /// Two different ones of one shard and one generation, by name: which of them speaks for the owner cannot be told.
    pub(super) fn read(set: &Set, owner: &OwnerKey, args: &Args, opening: &Opening) -> anyhow::Result<Self> {
        let object = set.name(0).context("a set has a shard")?.object;
        let read = |path: &Path| {
            let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
            let envelope = verify(owner, &bytes)?;
            Ok::<_, anyhow::Error>(Signed { path: path.to_owned(), bytes, envelope })
        };
        let inside = bodies(std::slice::from_ref(&args.folder))?;
        let inside = inside.iter().filter_map(|body| read(&with_suffix(body, ".envelope")).ok());
        let known = opening.known().filter_map(|path| read(path).ok());
        let mut all: Vec<Signed> = inside.chain(known).filter(|s| s.envelope.object == object).collect();
        for path in &args.after {
            let signed = read(path).with_context(|| format!("cannot use {}", path.display()))?;
            ensure!(signed.envelope.object == object, "{} is another object's", path.display());
            all.push(signed);
        }
        all.sort_by_key(|s| (s.envelope.unit.shard, s.envelope.generation));
        for pair in all.windows(2) {
            if let [a, b] = pair {
                refuse_equivocation(a, b)?;
            }
        }
        Ok(Self(all))
    }

    /// The highest generation.
    pub(super) fn highest(&self) -> u64 {
        self.0.iter().map(|s| s.envelope.generation).max().unwrap_or(1)
    }

    /// Those of the highest generation.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Signed> {
        let highest = self.highest();
        self.0.iter().filter(move |s| s.envelope.generation == highest)
    }

    /// A passphrase with a slip of the finger would be found out when it is needed.
    pub(super) fn check_passphrase(&self, owner: &OwnerKey, passphrase: &Passphrase) -> anyhow::Result<()> {
        let signed = self.newest().find(|s| s.envelope.passphrase.is_some());
        let Signed { path, bytes, .. } =
            signed.context("the newest envelopes open by no passphrase: leave it out")?;
        Opener::with_passphrase(owner, bytes, passphrase)
            .with_context(|| format!("the passphrase is not that of {}", path.display()))?;
        Ok(())
    }

    /// The generation of envelopes that are issued again (spec shards, clause Q11a). An envelope that is not here may be newer than all that are, and
    /// this may not be the first time that what is here is issued again; so the next number is not taken but one at random from the 2^32 that follow.
    pub(super) fn generation_after(&self) -> anyhow::Result<u64> {
        let mut skip = [0; 4];
        rand_core::Rng::fill_bytes(&mut keyfile::system_rng()?, &mut skip);
        self.highest()
            .checked_add(1 + u64::from(u32::from_le_bytes(skip)))
            .context("the generation is the last one; seal the object anew")
    }
}

fn refuse_equivocation(a: &Signed, b: &Signed) -> anyhow::Result<()> {
    let (x, y) = (&a.envelope, &b.envelope);
    if x.name() != y.name() || x.generation != y.generation || x == y {
        return Ok(());
    }
    Err(anyhow!(
        "{} and {} are two different envelopes of shard {}, both of generation {} and signed by the owner",
        a.path.display(),
        b.path.display(),
        x.unit.shard,
        x.generation
    ))
    .context(Help("keep both as evidence, and in the folder only the one that shall count"))
}
