//! `get --placement`: shards of a split object from their hosts into a folder, each checked against what the owner signed.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_client::Client;
use bailiwick_erasure::Place;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, ShardSet};
use bailiwick_protocol::ids::{Unit, UnitName};

use super::{Args, read_whole};
use crate::commands::put::placement::Placed;
use crate::output::reason;
use crate::shards::set::tell_notes;
use crate::shards::{Folder, body_name, in_parallel};
use crate::{Help, keyfile, progress, say};

/// Hosts that are asked side by side.
const HOSTS_AT_A_TIME: usize = 8;

/// A host's answer: its envelope of a shard, verified.
struct Offer<'a> {
    place: &'a Place,
    client: Client,
    envelope: Envelope,
    bytes: Vec<u8>,
}

/// Runs `get` with `--placement`.
pub(super) fn run(args: &Args, path: &Path) -> anyhow::Result<ExitCode> {
    ensure!(args.name.unit.n > 1, "{} is not a shard's name: its object is not split", args.name);
    ensure!(args.range.is_none() && args.envelope.is_none(), "with --placement whole shards are fetched");
    ensure!(args.output.as_os_str() != "-", "shards go to a folder, not to standard output");
    let placed = Placed::read(path)?;
    let n = args.name.unit.n;
    placed
        .placement
        .check_complete(n)
        .with_context(|| format!("{} does not fit the object", path.display()))?;
    let folder = Folder::create(&args.output)?;
    let mut notes = Vec::new();
    let mut offers = Vec::new();
    let answers = in_parallel(HOSTS_AT_A_TIME, &placed.placement.places, |place| {
        Ok::<_, anyhow::Error>((place, ask(args, &placed, place)))
    })?;
    for (place, answer) in answers {
        match answer {
            Ok(offer) if args.generation.is_some_and(|g| g < offer.envelope.generation) => {
                let newer = offer.envelope.generation;
                notes
                    .push(format!("shard {} at {}: generation {newer} is left out", place.shard, place.node));
            }
            Ok(offer) => offers.push(offer),
            Err(e) => notes.push(format!("shard {} at {}: {}", place.shard, place.node, reason(&e))),
        }
    }
    let outcome = newest(&offers, &mut notes).and_then(|set| fetch(args, &folder, &offers, set, &mut notes));
    tell_notes(&notes);
    let fetched = outcome?;
    folder.commit()?;
    say!("fetched shards {fetched:?} of {n} into {}", args.output.display())?;
    Ok(ExitCode::SUCCESS)
}

fn ask<'a>(args: &Args, placed: &Placed, place: &'a Place) -> anyhow::Result<Offer<'a>> {
    let client = placed.node(place).connect(keyfile::read_signing_key_of_any_kind(&args.key)?)?;
    let name = UnitName { unit: Unit { shard: place.shard, replica: 0, ..args.name.unit }, ..args.name };
    let signed = client.envelope(&name)?;
    // The owner key is in the name the caller gave, so it is pinned by the caller and not by the node.
    let envelope = signed.verify(name.owner.as_bytes()).context("the node's envelope for this name")?;
    ensure!(envelope.name() == name, "the node answered with the envelope of another unit");
    Ok(Offer { place, client, envelope, bytes: signed.to_bytes() })
}

/// The set of the highest generation: the owner's word for which is newer. Hosts with an older one are named; two of the same generation are refused.
fn newest<'a>(offers: &'a [Offer<'_>], notes: &mut Vec<String>) -> anyhow::Result<&'a ShardSet> {
    let latest =
        offers.iter().max_by_key(|o| o.envelope.generation).context("no host answered with a shard")?;
    let set = latest.envelope.shards.as_ref().context("a unit of a split object has a shard set")?;
    for o in offers.iter().filter(|o| o.envelope.shards.as_ref() != Some(set)) {
        let (a, b) = (o.envelope.generation, latest.envelope.generation);
        if a == b {
            bail!(
                "the hosts of shards {} and {} serve different sets of generation {a}: the owner signed both",
                o.place.shard,
                latest.place.shard
            );
        }
        notes.push(format!(
            "shard {} at {}: generation {a} of an older set, others have {b}; put the new one there",
            o.place.shard, o.place.node
        ));
    }
    for o in offers.iter().filter(|o| o.envelope.shards.as_ref() == Some(set)) {
        let (a, b) = (o.envelope.generation, latest.envelope.generation);
        if a < b {
            notes.push(format!(
                "shard {} at {}: its envelope is of generation {a}, others have {b}: perhaps one from before recipients were removed; send the newest with `put --envelope-only`",
                o.place.shard, o.place.node
            ));
        }
    }
    Ok(set)
}

/// Bodies of `set`, as many as are needed or all; those of shards below k first, since nothing has to be computed from them.
fn fetch(
    args: &Args,
    folder: &Folder,
    offers: &[Offer<'_>],
    set: &ShardSet,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<u16>> {
    let (k, n) = (usize::from(args.name.unit.k), args.name.unit.n);
    let mut fetched = Vec::new();
    for offer in offers.iter().filter(|o| o.envelope.shards.as_ref() == Some(set)) {
        if fetched.len() >= k && !args.all {
            break;
        }
        match fetch_one(folder, offer)? {
            Ok(()) => fetched.push(offer.place.shard),
            Err(e) => {
                notes.push(format!("shard {} at {}: {}", offer.place.shard, offer.place.node, reason(&e)));
            }
        }
    }
    if fetched.len() < k {
        return Err(anyhow!("{} of {n} shards could be fetched, {k} are needed", fetched.len()))
            .context(Help("try again later; or, if more hosts have an older set, leave out the newest with --generation"));
    }
    // Envelopes alone let `repair` make the other bodies again as they were.
    for offer in offers.iter().filter(|o| o.envelope.shards.as_ref() == Some(set)) {
        let mut file = folder.file(&(body_name(offer.place.shard) + ".envelope"))?;
        file.write_all(&offer.bytes).and_then(|()| file.sync_all()).context("cannot write an envelope")?;
    }
    Ok(fetched)
}

/// One body, checked; or what is wrong with the host that should give it.
///
/// # Errors
/// When the body cannot be written here, which is no host's fault.
fn fetch_one(folder: &Folder, offer: &Offer<'_>) -> anyhow::Result<anyhow::Result<()>> {
    let name = body_name(offer.place.shard);
    let file = folder.file(&name)?;
    let mut out = BufWriter::new(&file);
    let mut here = None;
    let bar = progress::bar(Some(offer.envelope.body.size), "get");
    let done = read_whole(&offer.client, &offer.envelope, |piece| {
        bar.inc(piece.len() as u64);
        out.write_all(piece).map_err(|e| {
            here = Some(e);
            anyhow!("it cannot be written")
        })
    });
    bar.finish_and_clear();
    let written = match here {
        Some(e) => Err(e),
        None if done.is_ok() => out.flush().and_then(|()| file.sync_all()),
        None => Ok(()),
    };
    if done.is_err() || written.is_err() {
        // What is left in it would be written when it is dropped.
        let _ = out.into_parts();
        folder.remove(&name)?;
    }
    written.with_context(|| format!("cannot write shard {} into the folder", offer.place.shard)).context(
        Help("no host is at fault: see to room and rights where the folder goes, and run the same command again"),
    )?;
    Ok(done)
}
