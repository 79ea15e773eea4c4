//! `repair --reissue`: shards whose envelopes are lost are sealed anew, and all envelopes signed again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::{
    Metadata, Opener, Padding, Passphrase, PassphraseChange, RecipientChange, RecipientPublicKey, Rewrap,
    SealOptions, ShardSealer, rewrap, sign_next, verify,
};
use bailiwick_erasure::bodies_digest;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, Role, ShardSet, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::at_hand::AtHand;
use super::{Args, parent};
use crate::Help;
use crate::keyfile;
use crate::opening::{Opening, asked_for, check_mix};
use crate::shards::body::facts;
use crate::shards::rebuild::with_enough;
use crate::shards::staging::stage;
use crate::shards::{Folder, Set, body_name};

/// Who will open what is issued anew, and under which policy it stands (spec shards, clause Q11c).
pub(super) struct Ways<'a> {
    at_hand: AtHand,
    signer: &'a SigningKey,
    recipients: &'a [RecipientPublicKey],
    passphrase: Option<&'a Passphrase>,
    also_passphrase: bool,
    anonymous: bool,
    policy: Option<[u8; 32]>,
}

impl<'a> Ways<'a> {
    /// What the arguments say, held against the newest envelopes at hand, the owner's last word on who may open: a way in that they have and
    /// these would not is named and refused, unless that was asked for.
    pub(super) fn of(
        at_hand: AtHand,
        args: &Args,
        signer: &'a SigningKey,
        recipients: &'a [RecipientPublicKey],
        opening: &'a Opening,
    ) -> anyhow::Result<Self> {
        let (passphrase, also_passphrase) = (opening.passphrase(), args.also_passphrase);
        check_mix(recipients.len(), passphrase.is_some(), also_passphrase)?;
        let anonymous = at_hand.newest().flat_map(|s| &s.envelope.recipients).any(|r| r.key_id.is_none());
        let policy = at_hand.newest().next().and_then(|s| s.envelope.policy);
        if let Some(passphrase) = passphrase {
            at_hand.check_passphrase(&OwnerKey(signer.public()), passphrase)?;
        }
        let ways = Self { at_hand, signer, recipients, passphrase, also_passphrase, anonymous, policy };
        let lacking: BTreeSet<String> = ways.at_hand.newest().flat_map(|s| ways.lacks(&s.envelope)).collect();
        if !lacking.is_empty() && !args.fewer_ways {
            let lacking: Vec<String> = lacking.into_iter().collect();
            return Err(anyhow!(
                "what is sealed anew would lack ways in that the newest envelopes, of generation {}, have: {}",
                ways.at_hand.highest(),
                lacking.join(", ")
            ))
            .context(Help(
                "name with --to whoever of them shall open, and give the passphrase if there is one; or say --fewer-ways: `bailiwick rewrap` can add recipients and a passphrase afterwards, custodians hold keys only of objects that are not split",
            ));
        }
        Ok(ways)
    }

    /// What older envelopes have beyond these ways: the owner removed it since, and it is not signed again.
    pub(super) fn removed(&self, set: &Set) -> Vec<String> {
        let highest = self.at_hand.highest();
        let mut notes = Vec::new();
        for (shard, member) in &set.members {
            let envelope = member.envelope();
            let gone = if envelope.generation < highest { self.lacks(envelope) } else { Vec::new() };
            if !gone.is_empty() {
                notes.push(format!(
                    "the envelope of shard {shard} is of generation {}, others are of {highest}; what only it has counts as removed and is not signed again: {}",
                    envelope.generation,
                    gone.join(", ")
                ));
            }
        }
        notes
    }

    /// The envelope of a shard that is here as it is signed again: of the newest generation as it is; an older one opens by these ways and no others, since
    /// what was removed after it must not come back under a later generation.
    fn renewed(&self, opener: &Opener, rng: &mut impl rand_core::CryptoRng) -> anyhow::Result<Envelope> {
        let mut bare = opener.envelope().clone();
        if bare.generation >= self.at_hand.highest() {
            return Ok(bare);
        }
        bare.recipients.retain(|r| r.role == Role::FileKey);
        (bare.custody, bare.policy) = (None, self.policy);
        let key = Secret::init_with(|b| b.copy_from_slice(opener.file_key().expose_secret()));
        let opener = Opener::with_file_key(bare, key)?;
        let passphrase = match self.passphrase {
            Some(passphrase) => PassphraseChange::Set(asked_for(passphrase, self.also_passphrase)),
            None => PassphraseChange::Remove,
        };
        let recipients = RecipientChange::Replace(self.recipients);
        let changes = Rewrap { recipients, passphrase, anonymous: self.anonymous };
        Ok(match rewrap(&opener, &changes, self.signer, rng)? {
            Some(next) => verify(&OwnerKey(self.signer.public()), &next.to_bytes())?,
            None => opener.envelope().clone(),
        })
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
    pub(super) fn reissue(&self, set: &mut Set, output: &Path, missing: &[u16]) -> anyhow::Result<u64> {
        let generation = self.at_hand.generation_after()?;
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
                passphrase: self.passphrase.map(|p| asked_for(p, self.also_passphrase)),
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
            let renewed = self.renewed(&member.opener, &mut rng)?;
            let next = Envelope { shards: Some(shards.clone()), generation, ..renewed };
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
