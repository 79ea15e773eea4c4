//! `put --placement`: the shards of a split object, each to its host. A host that has a shard's envelope is asked for the whole body: the
//! shard is not sent again only when what comes back is what the owner signed.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_erasure::{PLACEMENT_BYTES_MAX, Place, Placement};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use super::Args;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::commands::get::read_whole;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind, with_suffix};
use crate::output::{print_json, printable, read_bounded};
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

/// A shard on this machine.
struct Local {
    body: PathBuf,
    envelope: Envelope,
    bytes: Vec<u8>,
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
    /// `stored`, `stored again` (the host had the envelope and not these bytes), `already stored` (the host gave the bytes), or `failed`.
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
        let done = send(args, &placed, place, local.get(&place.shard));
        Ok::<_, anyhow::Error>(Outcome {
            shard: place.shard,
            node: place.node.clone(),
            host: hex::encode(place.host),
            state: done.as_ref().map_or("failed", |s| s),
            why: done.err().map(|e| format!("{e:#}")),
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
            say!("all {n} shards of {} are durable at their hosts", report.object)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for s in report.shards.iter() {
        if let Some(why) = &s.why {
            eprintln!("note: shard {} at {}: {}", s.shard, printable(&s.node), printable(why));
        }
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

/// Sends one shard, unless the node has this very envelope and gives back the body it speaks of. An envelope alone is no sign that a host
/// still has the body, nor is its word.
fn send(args: &Args, placed: &Placed, place: &Place, local: Option<&Local>) -> anyhow::Result<&'static str> {
    let Local { body, envelope, bytes } = local.context("it is not in the folder")?;
    let client = placed.node(place).connect(keyfile::read_signing_key(&args.owner, Kind::Owner)?)?;
    let name = envelope.name();
    let patience = patience(args.patience, envelope.body.size);
    let gives_back = || {
        let begun = Instant::now();
        read_whole(&client, envelope, |_| {
            ensure!(begun.elapsed() < patience, "it was not there after {} seconds", patience.as_secs());
            Ok(())
        })
    };
    let held = client.envelope(&name).is_ok_and(|held| held.to_bytes() == *bytes);
    if held && gives_back().is_ok() {
        return Ok("already stored");
    }
    let length = std::fs::metadata(body).with_context(|| format!("cannot open {}", body.display()))?.len();
    ensure!(
        length == envelope.body.size,
        "{} has {length} bytes, its envelope says {}: `bailiwick repair` makes it again",
        body.display(),
        envelope.body.size
    );
    let stored = client.put(&name, bytes, || File::open(body), length)?;
    // Its word for it is what a host that once had the shard and lost it gave before.
    if held || !stored.created {
        let what =
            if stored.created { "stored the shard again" } else { "has the shard, did not take it again" };
        gives_back().map_err(|e| {
            anyhow!("the host says that it {what}, and does not give it back: {}", e.root_cause())
        })?;
    }
    Ok(match (held, stored.created) {
        (_, false) => "already stored",
        (true, true) => "stored again",
        (false, true) => "stored",
    })
}

/// How long a host may take to give back `size` bytes: at 256 KiB a second, and `seconds` beside. A host that lets bytes drip would hold the
/// command for years otherwise.
fn patience(seconds: u64, size: u64) -> Duration {
    Duration::from_secs(seconds.saturating_add(size.div_ceil(256 << 10)))
}
