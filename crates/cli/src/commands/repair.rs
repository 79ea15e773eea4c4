//! `bailiwick repair`: make lost or wrong shards of a split object again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::{
    Metadata, Padding, RecipientPublicKey, SealOptions, ShardSealer, sign_next, verify,
};
use bailiwick_erasure::bodies_digest;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, ShardSet, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::signing::SigningKey;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::keyfile::{self, Kind};
use crate::opening::OpeningArgs;
use crate::output::{AtomicFile, print_json, read_bounded};
use crate::shards::body::facts;
use crate::shards::rebuild::{not_as_signed, with_enough};
use crate::shards::set::{Member, tell_notes};
use crate::shards::staging::{remake, stage};
use crate::shards::{Folder, Health, Set, body_name};
use crate::{Help, say};

/// Arguments of `repair`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the shards and their envelopes
    folder: PathBuf,
    /// The owner's public key, known from elsewhere than the envelopes: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: String,
    #[command(flatten)]
    opening: OpeningArgs,
    /// The owner's secret key file, when envelopes are lost, too: their shards are sealed anew and all envelopes signed again
    #[arg(long, value_name = "FILE", requires_all = ["to", "output"])]
    reissue: Option<PathBuf>,
    /// Where the shards go when they are issued again: a folder that does not exist
    #[arg(short, long, value_name = "FOLDER", requires = "reissue")]
    output: Option<PathBuf>,
    /// Public key file of someone who may open a shard that is sealed anew; repeat for several
    #[arg(long = "to", value_name = "FILE", num_args = 1.., requires = "reissue")]
    to: Vec<PathBuf>,
    /// An envelope of any shard of the object, newer than those in the folder, that the new ones must come after; repeat for several
    #[arg(long, value_name = "ENVELOPE", num_args = 1.., requires = "reissue")]
    after: Vec<PathBuf>,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    /// Repaired from what was left of the shard.
    mended: Vec<u16>,
    /// Made again from other shards, as their envelopes say.
    rebuilt: Vec<u16>,
    /// Sealed anew, with new envelopes for all.
    reissued: Vec<u16>,
    generation: u64,
    notes: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    ensure!(args.folder.is_dir(), "{} is not a folder", args.folder.display());
    let owner = OwnerKey(keyfile::public_key(&args.owner, Kind::Owner)?);
    let signer = args.reissue.as_deref().map(|p| keyfile::read_signing_key(p, Kind::Owner)).transpose()?;
    let recipients =
        args.to.iter().map(|p| keyfile::read_recipient_public(p)).collect::<Result<Vec<_>, _>>()?;
    let opening = args.opening.read()?;
    let mut set =
        Set::load(std::slice::from_ref(&args.folder), &|bytes| opening.open_one_of_many(&owner, bytes))?;
    check(&mut set)?;
    let notes = set.notes();
    tell_notes(&notes);
    let missing: Vec<u16> = (0..set.geometry.n()).filter(|s| !set.members.contains_key(s)).collect();
    if !missing.is_empty() && signer.is_none() {
        return Err(anyhow!("the envelopes of shards {missing:?} are not here, and with them their keys")).context(
            Help("fetch the envelopes from where they are; or seal these shards anew with --reissue, --to and -o, which signs all envelopes again"),
        );
    }
    let (mended, rebuilt) = match restore(&mut set, &args.folder) {
        Ok(done) => done,
        Err(e) => {
            tell_notes(&set.notes());
            return Err(e);
        }
    };
    let mut generation = set.generation();
    if let (Some(signer), Some(output), false) = (&signer, &args.output, missing.is_empty()) {
        generation = generation_after(&set, &owner, &args.after)?;
        let new = NewEnvelopes { signer, recipients: &recipients, generation };
        reissue(&mut set, output, &new, &missing)?;
    }
    let name = set.name(0).context("a set has a shard")?;
    let report = Report {
        object: format!("{}/{}", name.owner, name.object),
        mended,
        rebuilt,
        generation,
        reissued: missing,
        notes,
    };
    show(&args, &report)?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Args, report: &Report) -> anyhow::Result<()> {
    if args.json {
        return print_json(report);
    }
    if report.mended.is_empty() && report.rebuilt.is_empty() && report.reissued.is_empty() {
        return Ok(say!("nothing to repair: every shard is as its envelope says")?);
    }
    if !report.mended.is_empty() {
        say!("mended    shards {:?}, with the code inside them", report.mended)?;
    }
    if !report.rebuilt.is_empty() {
        say!("rebuilt   shards {:?}, byte for byte as their envelopes say", report.rebuilt)?;
    }
    if !report.reissued.is_empty() {
        say!("reissued  shards {:?}, under new keys", report.reissued)?;
        say!(
            "all envelopes are new, generation {}: put all of them to their hosts again",
            report.generation
        )?;
    }
    Ok(())
}

/// Compares every body with the BLAKE3 its owner signed.
fn check(set: &mut Set) -> anyhow::Result<()> {
    for (shard, why) in not_as_signed(set, &set.whole())? {
        set.damage(shard, why);
    }
    Ok(())
}

/// Repairs what is damaged and rebuilds what is lost, in place; which shards either was.
fn restore(set: &mut Set, folder: &Path) -> anyhow::Result<(Vec<u16>, Vec<u16>)> {
    let mended = mend_all(set)?;
    let lost = |m: &Member| matches!(m.health, Health::Lost(_));
    let lost: Vec<u16> = set.members.iter().filter(|(_, m)| lost(m)).map(|(s, _)| *s).collect();
    if !lost.is_empty() {
        rebuild(set, folder, &lost)?;
    }
    Ok((mended, lost))
}

/// Repairs damaged shards in place with the code inside them; those that cannot be count lost from now on.
fn mend_all(set: &mut Set) -> anyhow::Result<Vec<u16>> {
    let mut mended = Vec::new();
    while let Some(shard) = set.next_damaged() {
        let path = set.members.get(&shard).context("a shard that was looked at")?.path.clone();
        let room = AtomicFile::replace(&path, 0o644)?;
        if set.mend(shard, room.file().try_clone()?, parent(&path))? {
            room.commit()?;
            mended.push(shard);
        }
    }
    Ok(mended)
}

/// The folder a file lies in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the bodies of `lost` again, byte for byte as their envelopes say.
fn rebuild(set: &mut Set, folder: &Path, lost: &[u16]) -> anyhow::Result<()> {
    let mut rooms = Vec::new();
    for shard in lost {
        let member = set.members.get(shard).context("a shard that was looked at")?;
        rooms.push((*shard, AtomicFile::replace(&member.path, 0o644)?));
    }
    let files: Vec<(u16, &File)> = rooms.iter().map(|(shard, room)| (*shard, room.file())).collect();
    remake(set, folder, &files)?;
    for (shard, room) in rooms {
        let member = set.members.get_mut(&shard).context("a shard that was looked at")?;
        member.file = Some(room.file().try_clone()?);
        member.health = Health::Whole;
        room.commit()?;
    }
    Ok(())
}

/// The generation of envelopes that are issued again (spec shards, clause Q11a). An envelope that is not here may be newer than all that are, and
/// this may not be the first time that what is here is issued again; so the next number is not taken but one at random from the 2^32 that follow.
fn generation_after(set: &Set, owner: &OwnerKey, after: &[PathBuf]) -> anyhow::Result<u64> {
    let name = set.name(0).context("a set has a shard")?;
    let mut highest = set.generation();
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

/// What envelopes that are issued again have in common.
struct NewEnvelopes<'a> {
    signer: &'a SigningKey,
    recipients: &'a [RecipientPublicKey],
    generation: u64,
}

/// Seals the shards of `missing` anew, signs all envelopes with the digest of the bodies as they are then, and puts everything in a folder of its own: both at once
/// or neither, since envelopes of two makings do not go together.
fn reissue(set: &mut Set, output: &Path, new: &NewEnvelopes<'_>, missing: &[u16]) -> anyhow::Result<()> {
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
            recipients: new.recipients,
            passphrase: None,
            anonymous: false,
            metadata: Metadata::default(),
            padding: Padding::None,
        };
        fresh.push((*shard, folder.file(&body_name(*shard))?, ShardSealer::new(&options, &mut rng)?));
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
        file.write_all(&signed.to_bytes()).and_then(|()| file.sync_all()).context("cannot write an envelope")
    };
    for (shard, member) in &set.members {
        let from = member.file.as_ref().context("every shard has a body now")?;
        copy(&member.path, from, &folder, &body_name(*shard))?;
        // `sign_next` signs the one after.
        let generation = new.generation - 1;
        let next = Envelope { shards: Some(shards.clone()), generation, ..member.envelope().clone() };
        envelope(*shard, sign_next(next, new.signer)?)?;
    }
    for ((shard, file, sealer), body) in fresh.into_iter().zip(bodies) {
        file.sync_all().context("cannot make a shard durable")?;
        envelope(shard, sealer.envelope(body, shards.clone(), new.generation, new.signer)?)?;
    }
    folder.commit()
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
