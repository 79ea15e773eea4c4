//! `repair --reissue`: shards whose envelopes are lost are sealed anew, and all envelopes signed again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::{
    Metadata, Opener, Padding, Passphrase, RecipientPublicKey, SealOptions, ShardSealer, sign_next, verify,
};
use bailiwick_erasure::bodies_digest;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Role, ShardSet, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::signing::SigningKey;

use super::{Args, parent};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::{self, with_suffix};
use crate::opening::{Opening, asked_for, check_mix};
use crate::output::read_bounded;
use crate::shards::body::facts;
use crate::shards::rebuild::with_enough;
use crate::shards::set::bodies;
use crate::shards::staging::stage;
use crate::shards::{Folder, Set, body_name};

/// Who will open what is sealed anew, and under which policy it stands.
pub(super) struct Ways<'a> {
    signer: &'a SigningKey,
    recipients: &'a [RecipientPublicKey],
    passphrase: Option<&'a Passphrase>,
    anonymous: bool,
    policy: Option<[u8; 32]>,
}

impl<'a> Ways<'a> {
    /// What the arguments say, held against the shards that are here: a way into those that would not be one into the new ones is named and refused,
    /// unless that was asked for. Their policy is the new ones', the newest envelope's if they differ.
    pub(super) fn of(
        set: &Set,
        args: &Args,
        signer: &'a SigningKey,
        recipients: &'a [RecipientPublicKey],
        opening: &'a Opening,
    ) -> anyhow::Result<Self> {
        let passphrase = opening.passphrase();
        check_mix(recipients.len(), passphrase.is_some(), args.also_passphrase)?;
        let envelopes = || set.members.values().map(|m| m.envelope());
        let anonymous = envelopes().flat_map(|e| &e.recipients).any(|r| r.key_id.is_none());
        let policy = envelopes().max_by_key(|e| e.generation).and_then(|e| e.policy);
        let ways = Self { signer, recipients, passphrase, anonymous, policy };
        if let Some(passphrase) = passphrase {
            ways.check_passphrase(set, passphrase)?;
        }
        let lacking: BTreeSet<String> = envelopes().flat_map(|e| ways.lacks(e)).collect();
        if !lacking.is_empty() && !args.fewer_ways {
            let lacking: Vec<String> = lacking.into_iter().collect();
            return Err(anyhow!(
                "what is sealed anew would lack ways in that other shards have: {}",
                lacking.join(", ")
            ))
            .context(Help(
                "name every recipient with --to, open with the passphrase; or say --fewer-ways, and `bailiwick custody deal` the new shards afterwards",
            ));
        }
        Ok(ways)
    }

    /// A passphrase with a slip of the finger would be found out when it is needed.
    fn check_passphrase(&self, set: &Set, passphrase: &Passphrase) -> anyhow::Result<()> {
        let member = set.members.values().find(|m| m.envelope().passphrase.is_some());
        let member = member.context("no other shard opens by a passphrase: leave it out")?;
        let envelope = read_bounded(&with_suffix(&member.path, ".envelope"), ENVELOPE_FILE_BYTES_MAX)?;
        Opener::with_passphrase(&OwnerKey(self.signer.public()), &envelope, passphrase)
            .with_context(|| format!("the passphrase is not that of {}", member.path.display()))?;
        Ok(())
    }

    /// Ways into the shard of `envelope` that are none of these.
    fn lacks(&self, envelope: &Envelope) -> Vec<String> {
        let mut lacking = Vec::new();
        if envelope.passphrase.is_some() && self.passphrase.is_none() {
            lacking.push("a passphrase".to_owned());
        }
        if envelope.custody.is_some() {
            lacking.push("custodians".to_owned());
        }
        let ours: BTreeSet<[u8; 8]> = self.recipients.iter().map(RecipientPublicKey::key_id).collect();
        let theirs: Vec<_> = envelope.recipients.iter().filter(|r| r.role == Role::FileKey).collect();
        let named = |id: &[u8; 8]| format!("recipient {}", hex::encode(id));
        lacking.extend(
            theirs.iter().filter_map(|r| r.key_id).filter(|id| !ours.contains(id)).map(|id| named(&id)),
        );
        // Whose an anonymous entry is cannot be told; how many there are can.
        if theirs.len() > ours.len() && theirs.iter().any(|r| r.key_id.is_none()) {
            lacking.push(format!("{} recipients, not all of them named", theirs.len()));
        }
        lacking
    }

    /// Seals the shards of `missing` anew, signs all envelopes with the digest of the bodies as they are then, and puts everything in a folder of its own: both at once
    /// or neither, since envelopes of two makings do not go together. Their generation.
    pub(super) fn reissue(
        &self,
        set: &mut Set,
        output: &Path,
        missing: &[u16],
        args: &Args,
        owner: &OwnerKey,
    ) -> anyhow::Result<u64> {
        let generation = generation_after(set, owner, &args.folder, &args.after)?;
        let folder = Folder::create(output)?;
        let beside = parent(output);
        let mut rng = keyfile::system_rng()?;
        let mut fresh = Vec::new();
        for shard in missing {
            let name = set.name(*shard).context("a set has a shard")?;
            let options = SealOptions {
                owner: name.owner,
                object: name.object,
                unit: name.unit,
                recipients: self.recipients,
                passphrase: self.passphrase.map(|p| asked_for(p, args.also_passphrase)),
                anonymous: self.anonymous,
                metadata: Metadata::default(),
                padding: Padding::None,
            };
            let sealer = ShardSealer::new(&options, &mut rng)?.with_policy(self.policy);
            fresh.push((*shard, folder.file(&body_name(*shard))?, sealer));
        }
        let again: Vec<_> = fresh.iter().map(|(shard, _, sealer)| (*shard, sealer.cipher())).collect();
        let bodies = with_enough(set, beside, |set, chosen| {
            let mut bodies = Vec::new();
            for ((_, file, sealer), staged) in fresh.iter().zip(stage(set, chosen, &again, beside)?) {
                staged.release_new(sealer.cipher(), file)?;
                bodies.push(facts(file, true).context("cannot read the shard back")?);
            }
            Ok(bodies)
        })?;
        let mut digests: BTreeMap<u16, [u8; 32]> =
            set.members.iter().map(|(s, m)| (*s, *m.envelope().body.blake3.as_bytes())).collect();
        digests.extend(missing.iter().copied().zip(bodies.iter().map(|b| *b.blake3.as_bytes())));
        ensure!(digests.len() == usize::from(set.geometry.n()), "a shard has no body");
        let digests: Vec<[u8; 32]> = digests.into_values().collect();
        let shards = ShardSet { bodies: bodies_digest(&digests), ..set.shards.clone() };
        let envelope = |shard: u16, signed: SignedEnvelope| -> anyhow::Result<()> {
            let mut file = folder.file(&(body_name(shard) + ".envelope"))?;
            file.write_all(&signed.to_bytes())
                .and_then(|()| file.sync_all())
                .context("cannot write an envelope")
        };
        for (shard, member) in &set.members {
            let from = member.file.as_ref().context("every shard has a body now")?;
            copy(&member.path, from, &folder, &body_name(*shard))?;
            // `sign_next` signs the one after.
            let generation = generation - 1;
            let next = Envelope { shards: Some(shards.clone()), generation, ..member.envelope().clone() };
            envelope(*shard, sign_next(next, self.signer)?)?;
        }
        for ((shard, file, sealer), body) in fresh.into_iter().zip(bodies) {
            file.sync_all().context("cannot make a shard durable")?;
            envelope(shard, sealer.envelope(body, shards.clone(), generation, self.signer)?)?;
        }
        folder.commit()?;
        Ok(generation)
    }
}

/// The generation of envelopes that are issued again (spec shards, clause Q11a). An envelope that is not here may be newer than all that are, and
/// this may not be the first time that what is here is issued again; so the next number is not taken but one at random from the 2^32 that follow.
fn generation_after(set: &Set, owner: &OwnerKey, folder: &Path, after: &[PathBuf]) -> anyhow::Result<u64> {
    let name = set.name(0).context("a set has a shard")?;
    let mut highest = set.generation();
    // Of all in the folder, not only of those that could be used: copies, and what none of the keys opens.
    for body in bodies(&[folder.to_owned()])? {
        let envelope = read_bounded(&with_suffix(&body, ".envelope"), ENVELOPE_FILE_BYTES_MAX).ok();
        if let Some(Ok(envelope)) = envelope.map(|bytes| verify(owner, &bytes))
            && envelope.object == name.object
        {
            highest = highest.max(envelope.generation);
        }
    }
    for path in after {
        let envelope = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)
            .and_then(|bytes| Ok(verify(owner, &bytes)?))
            .with_context(|| format!("cannot use {}", path.display()))?;
        ensure!(envelope.object == name.object, "{} is another object's", path.display());
        highest = highest.max(envelope.generation);
    }
    let mut skip = [0; 4];
    rand_core::Rng::fill_bytes(&mut keyfile::system_rng()?, &mut skip);
    highest
        .checked_add(1 + u64::from(u32::from_le_bytes(skip)))
        .context("the generation is the last one; seal the object anew")
}

/// The same body in the other folder: a second name of it, or where that is impossible a copy.
fn copy(path: &Path, from: &File, folder: &Folder, name: &str) -> anyhow::Result<()> {
    if folder.link(path, from, name).unwrap_or(false) {
        return Ok(());
    }
    let (mut from, mut to) = (from, folder.file(name)?);
    from.rewind()
        .and_then(|()| io::copy(&mut from, &mut to))
        .and_then(|_| to.sync_all())
        .with_context(|| format!("cannot copy {}", path.display()))
}
