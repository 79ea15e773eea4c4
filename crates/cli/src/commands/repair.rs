//! `bailiwick repair`: make lost or wrong shards of a split object again.

mod at_hand;
mod reissue;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_protocol::ids::OwnerKey;

use self::at_hand::AtHand;
use self::reissue::Ways;
use crate::keyfile::{self, Kind};
use crate::opening::OpeningArgs;
use crate::output::{AtomicFile, print_json};
use crate::shards::member::Member;
use crate::shards::rebuild::not_as_signed;
use crate::shards::set::tell_notes;
use crate::shards::staging::remake;
use crate::shards::{Health, Set};
use crate::{Help, say};

/// Arguments of `repair`.
#[derive(Debug, clap::Args)]
// Options that take several values would swallow what comes after them.
#[command(override_usage = "bailiwick repair <FOLDER> [OPTIONS]")]
pub(crate) struct Args {
    /// The folder with the shards and their envelopes
    folder: PathBuf,
    /// The owner's public key, known from elsewhere than the envelopes: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: String,
    #[command(flatten)]
    opening: OpeningArgs,
    /// The owner's secret key file, when envelopes are lost, too: their shards are sealed anew and all envelopes signed again
    #[arg(long, value_name = "FILE", requires = "output")]
    reissue: Option<PathBuf>,
    /// Where the shards go when they are issued again: a folder that does not exist
    #[arg(short, long, value_name = "FOLDER", requires = "reissue")]
    output: Option<PathBuf>,
    /// Public key file of someone who may open a shard that is sealed anew; repeat for several
    #[arg(long = "to", value_name = "FILE", num_args = 1.., requires = "reissue")]
    to: Vec<PathBuf>,
    /// Let a passphrase stand beside recipients in what is sealed anew: it is then only as strong as the passphrase. The passphrase is the one that opens
    /// the other shards
    #[arg(long, requires = "reissue")]
    also_passphrase: bool,
    /// Seal anew although the newest envelopes have a passphrase, custodians or recipients that the new ones will not have
    #[arg(long, requires = "reissue")]
    fewer_ways: bool,
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
    let mut notes = set.notes();
    tell_notes(&notes);
    let missing: Vec<u16> = (0..set.geometry.n()).filter(|s| !set.members.contains_key(s)).collect();
    if !missing.is_empty() && signer.is_none() {
        return Err(anyhow!("the envelopes of shards {missing:?} are not here or cannot be used, and with them their keys")).context(
            Help("fetch the envelopes from where they are, or see above what is wrong with them; or seal these shards anew with --reissue, --to and -o, which signs all envelopes again"),
        );
    }
    let ways = match &signer {
        Some(signer) if !missing.is_empty() => {
            let at_hand = AtHand::read(&set, &owner, &args, &opening)?;
            Some(Ways::of(at_hand, &args, signer, &recipients, &opening)?)
        }
        _ => None,
    };
    if let Some(ways) = &ways {
        let removed = ways.removed(&set);
        tell_notes(&removed);
        notes.extend(removed);
    }
    let (mended, rebuilt) = match restore(&mut set, &args.folder) {
        Ok(done) => done,
        Err(e) => {
            tell_notes(&set.notes());
            return Err(e);
        }
    };
    let generation = match (&ways, &args.output) {
        (Some(ways), Some(output)) => ways.reissue(&mut set, output, &missing)?,
        _ => set.generation(),
    };
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
