//! `put --placement`: the shards of a split object, or their envelopes alone, each to its host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_erasure::{PLACEMENT_BYTES_MAX, Place, Placement};
use bailiwick_protocol::ids::OwnerKey;

use super::Args;
use super::sending::{Local, replace, send};
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind, with_suffix};
use crate::output::{print_json, printable, read_bounded, reason};
use crate::shards::in_parallel;
use crate::shards::set::{bodies, refuse_mixed};
use crate::{Help, say};

/// Hosts that are sent to side by side.
const HOSTS_AT_A_TIME: usize = 4;

/// A placement file and the folder it lies in.
pub(crate) struct Placed {
    pub(crate) placement: Placement,
    folder: PathBuf,
}

impl Placed {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = read_bounded(path, PLACEMENT_BYTES_MAX as u64)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| anyhow!("{} is not text", path.display()))?;
        let placement = Placement::parse(text).with_context(|| format!("cannot use {}", path.display()))?;
        Ok(Self { placement, folder: path.parent().unwrap_or(Path::new("")).to_owned() })
    }

    /// How the host of a shard is reached; a path in the file starts at the file's folder.
    pub(crate) fn node(&self, place: &Place) -> NodeArgs {
        let roots = place.roots.as_ref().map(|r| self.folder.join(r));
        NodeArgs::new(place.node.clone(), hex::encode(place.host), roots)
    }
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    k: u16,
    n: u16,
    shards: Vec<Outcome>,
}

#[derive(serde::Serialize)]
struct Outcome {
    shard: u16,
    node: String,
    host: String,
    /// `stored`, `stored again` (the host had the envelope and not these bytes), `already stored` (the host gave the bytes), or `failed`; of
    /// envelopes alone `replaced`, `already stored` or `failed`.
    state: &'static str,
    why: Option<String>,
}

/// Runs `put` with `--placement`.
pub(super) fn run(args: &Args, path: &Path) -> anyhow::Result<ExitCode> {
    ensure!(args.body.is_dir(), "{} is not a folder of shards", args.body.display());
    ensure!(args.envelope.is_none(), "every shard's envelope lies beside its body: leave out --envelope");
    let placed = Placed::read(path)?;
    let owner = OwnerKey(keyfile::read_signing_key(&args.owner, Kind::Owner)?.public());
    let local = load(&args.body, &owner)?;
    let first = &local.values().next().context("a folder without shards was refused")?.envelope;
    let (object, k, n) = (format!("{}/{}", first.owner, first.object), first.unit.k, first.unit.n);
    placed
        .placement
        .check_complete(n)
        .with_context(|| format!("{} does not fit the object", path.display()))?;
    let shards = in_parallel(HOSTS_AT_A_TIME, &placed.placement.places, |place| {
        let done = give(args, &placed, place, local.get(&place.shard));
        Ok::<_, anyhow::Error>(Outcome {
            shard: place.shard,
            node: place.node.clone(),
            host: hex::encode(place.host),
            state: done.as_ref().map_or("failed", |s| s),
            why: done.err().map(|e| reason(&e)),
        })
    })?;
    let failed = shards.iter().filter(|s| s.why.is_some()).count();
    let report = Report { object, k, n, shards };
    if args.json {
        print_json(&report)?;
    } else {
        for s in &report.shards {
            say!("shard {:3}  {:14}  {}", s.shard, s.state, printable(&s.node))?;
        }
    }
    if failed == 0 {
        if !args.json {
            let what = if args.envelope_only { "envelopes of the shards" } else { "shards" };
            say!("all {n} {what} of {} are durable at their hosts", report.object)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for s in report.shards.iter() {
        if let Some(why) = &s.why {
            eprintln!("note: shard {} at {}: {}", s.shard, printable(&s.node), printable(why));
        }
    }
    if args.envelope_only {
        return Err(anyhow!("{failed} of {n} envelopes are not at their hosts, which have what they had"))
            .context(Help("mend what is said above and run the same command again"));
    }
    Err(anyhow!("{failed} of {n} shards are not stored; {} are, and {k} are needed", usize::from(n) - failed))
        .context(Help("run the same command again: what its host can give back is not sent again"))
}

/// The shards in a folder, of one set, under their owner.
fn load(folder: &Path, owner: &OwnerKey) -> anyhow::Result<BTreeMap<u16, Local>> {
    let mut found = Vec::new();
    for body in bodies(&[folder.to_owned()])? {
        let path = with_suffix(&body, ".envelope");
        let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
        let envelope = bailiwick_envelope::verify(owner, &bytes)
            .with_context(|| format!("{} is not an envelope of this owner", path.display()))?;
        ensure!(envelope.shards.is_some(), "{} is not a shard's: its object is not split", path.display());
        if envelope.commitment.is_none() {
            return Err(anyhow!("{} has no storage commitment, which nodes ask for", path.display()))
                .context(Help("run `bailiwick commit` on each shard first, with the owner's key"));
        }
        found.push(Local { body, envelope, bytes });
    }
    ensure!(!found.is_empty(), "{} holds no envelope", folder.display());
    refuse_mixed(found.iter().map(|l| (l.body.as_path(), &l.envelope)))?;
    let mut local = BTreeMap::new();
    for l in found {
        let (shard, body) = (l.envelope.unit.shard, l.body.clone());
        if let Some(other) = local.insert(shard, l) {
            let other: Local = other;
            return Err(anyhow!("{} and {} are both shard {shard}", other.body.display(), body.display()))
                .context(Help("keep one of them in the folder"));
        }
    }
    Ok(local)
}

/// Sends one shard, or its envelope alone.
fn give(args: &Args, placed: &Placed, place: &Place, local: Option<&Local>) -> anyhow::Result<&'static str> {
    let local = local.context("it is not in the folder")?;
    let client = placed.node(place).connect(keyfile::read_signing_key(&args.owner, Kind::Owner)?)?;
    if args.envelope_only {
        let replaced = replace(&client, &local.envelope.name(), &local.bytes)?;
        return Ok(if replaced { "replaced" } else { "already stored" });
    }
    Ok(send(&client, local, args.patience, false)?.state)
}
