//! `bailiwick check-inventory`: an owner checks that a host's inventory of an epoch lists its objects, so that the proofs over that
//! inventory speak of them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bailiwick_possession::inventory::check_owner_range;
use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::dossier::Dossier;
use bailiwick_protocol::ids::{AuditorKey, HostKey, InventoryDigest, OwnerKey, UnitName};
use bailiwick_protocol::inventory::{Inventory, OwnerRange};
use bailiwick_protocol::limits::DOSSIER_BYTES_MAX;
use bailiwick_protocol::schedule::{LogEntry, Offered};

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded, write_new};
use crate::say;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the node, e.g. `http://127.0.0.1:8470`
    #[arg(long, value_name = "URL", required_unless_present = "from")]
    node: Option<String>,
    /// The host's public key: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    host: String,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// The epoch whose inventory to check
    #[arg(long, value_name = "N")]
    epoch: u64,
    /// The owner's secret key file; with --from the public key is enough
    #[arg(long, value_name = "KEY")]
    owner: String,
    /// Envelopes that must be listed: files, or folders of *.envelope
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    envelopes: Vec<PathBuf>,
    /// An auditor's dossier: is this the inventory that the auditor committed to? `verify` judges the dossier itself
    #[arg(long, value_name = "FILE")]
    dossier: Option<PathBuf>,
    /// Keep what the host signed, as evidence
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    save: Option<PathBuf>,
    /// Check what --save kept, without the node
    #[arg(long, value_name = "FILE", conflicts_with = "node")]
    from: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// How an envelope stands in the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Listed, as its owner signed it.
    Listed,
    /// No unit of this name is listed.
    Missing,
    /// Listed at a lower generation.
    Older,
    /// Listed at a higher generation.
    Newer,
    /// Listed at this generation with other content.
    Differs,
}

/// How the inventory stands beside the commitments of a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Committed {
    /// No dossier was given: another inventory may have been shown to auditors.
    NotCompared,
    /// Every commitment to this host and epoch is to this inventory.
    Same,
    /// One is to another: the host signed two.
    Other,
    /// In one the auditor says that the host gave none.
    NoneGiven,
    /// In one the auditor says that it did not ask, which is nothing against the host; no other is there.
    NotAsked,
    /// The dossier has none for this host and epoch.
    Missing,
}

#[derive(serde::Serialize)]
struct Checked {
    envelope: String,
    name: String,
    generation: u64,
    state: State,
}

#[derive(serde::Serialize)]
struct Report {
    host: HostKey,
    epoch: u64,
    /// What an auditor's commitment names.
    digest: InventoryDigest,
    committed: Committed,
    /// Who signed those commitments. Whether they are auditors, and logged them, is not checked here.
    committed_by: Vec<AuditorKey>,
    root: String,
    made_unix_ms: u64,
    /// Objects of all owners.
    objects: u64,
    /// Cells of all owners.
    cells: u64,
    owner: OwnerKey,
    /// What is listed of this owner; it is all that is listed of it.
    listed: Vec<String>,
    /// Cells of this owner.
    owner_cells: u64,
    checked: Vec<Checked>,
    /// Every envelope given is listed.
    complete: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let host = HostKey(keyfile::public_key(&args.host, Kind::Host)?);
    let (owner, range) = range(&args)?;
    let inventory = verified(&range, &host, args.epoch)?;
    if let Some(path) = &args.save {
        write_new(path, 0o644, &range.to_bytes())?;
    }
    let listed = check_owner_range(&inventory, &range, &owner)
        .context("what the host gave does not show what its inventory lists of this owner")
        .context(Help("keep it with --save: the host signed the inventory it does not fit"))?;
    let mut checked = Vec::new();
    for path in envelope_files(&args.envelopes)? {
        checked.push(check(&path, &owner, &listed)?);
    }
    let (state, committed_by) = match &args.dossier {
        Some(path) => committed(path, &inventory)?,
        None => (Committed::NotCompared, Vec::new()),
    };
    let report = Report {
        host,
        epoch: inventory.epoch,
        digest: inventory.digest(),
        committed: state,
        committed_by,
        root: inventory.root.to_string(),
        made_unix_ms: inventory.made_unix_ms,
        objects: inventory.leaves,
        cells: inventory.cells,
        owner,
        owner_cells: listed.iter().map(|t| t.cells).sum(),
        listed: listed.iter().map(|t| t.name.to_string()).collect(),
        complete: checked.iter().all(|c| c.state == State::Listed),
        checked,
    };
    if args.json {
        print_json(&report)?
    } else {
        show(&report)?
    }
    let known = matches!(report.committed, Committed::NotCompared | Committed::Same);
    Ok(if report.complete && known { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The owner, and its range from the node or from a file.
fn range(args: &Args) -> anyhow::Result<(OwnerKey, OwnerRange)> {
    if let Some(path) = &args.from {
        let owner = OwnerKey(keyfile::public_key(&args.owner, Kind::Owner)?);
        let bytes = read_bounded(path, OwnerRange::BYTES_MAX as u64)?;
        let range = OwnerRange::from_bytes(&bytes)
            .with_context(|| format!("{} is not an owner's range of an inventory", path.display()))?;
        return Ok((owner, range));
    }
    let Some(node) = args.node.clone() else { bail!("--node is missing") };
    let key = keyfile::read_signing_key(Path::new(&args.owner), Kind::Owner)?;
    let owner = OwnerKey(key.public());
    let client = NodeArgs::new(node, args.host.clone(), args.roots.clone()).connect(key)?;
    Ok((owner, client.owner_range(args.epoch, &owner)?))
}

/// The inventory, signed by the pinned host for this epoch.
fn verified(range: &OwnerRange, host: &HostKey, epoch: u64) -> anyhow::Result<Inventory> {
    let inventory = range
        .inventory
        .verify(host.as_bytes())
        .context("the inventory is not signed by this host")
        .context(Help("check --host; an answer of anyone else says nothing"))?;
    if inventory.host != *host || inventory.epoch != epoch {
        bail!("the host gave its inventory of epoch {}, not of {epoch}", inventory.epoch);
    }
    Ok(inventory)
}

/// What the dossier's commitments to the host and epoch of `inventory` are to. That they were logged is for `verify` to judge.
fn committed(path: &Path, inventory: &Inventory) -> anyhow::Result<(Committed, Vec<AuditorKey>)> {
    let dossier = Dossier::from_bytes(&read_bounded(path, DOSSIER_BYTES_MAX as u64)?)
        .with_context(|| format!("{} is not a dossier", path.display()))?;
    let (mut found, mut by) = (Committed::Missing, std::collections::BTreeSet::new());
    for logged in &dossier.announced {
        let Ok(LogEntry::Epoch(signed)) = LogEntry::from_bytes(&logged.entry) else { continue };
        // Whose it says it is: it must be signed by that key, and which auditors count is for `verify` to judge.
        let claimed = signed.decode_unverified().ok().map(|c| c.auditor);
        let Some(c) = claimed.and_then(|a| signed.verify(a.as_bytes()).ok()) else { continue };
        let of_host =
            c.hosts.iter().filter(|(host, _)| *host == inventory.host && c.epoch == inventory.epoch);
        for (_, offered) in of_host {
            by.insert(c.auditor);
            found = match (offered, found) {
                (Offered::Inventory(digest), _) if *digest != inventory.digest() => Committed::Other,
                (Offered::Inventory(_), Committed::Missing | Committed::NotAsked) => Committed::Same,
                (Offered::Nothing(NoAnswer::NotAsked), Committed::Missing) => Committed::NotAsked,
                (Offered::Nothing(NoAnswer::NotAsked), before) => before,
                (Offered::Nothing(_), Committed::Missing | Committed::Same | Committed::NotAsked) => {
                    Committed::NoneGiven
                }
                (_, before) => before,
            };
        }
    }
    Ok((found, by.into_iter().collect()))
}

/// The files given, and those of folders that end in `.envelope`, sorted.
fn envelope_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if !path.is_dir() {
            out.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.with_context(|| format!("cannot list {}", path.display()))?.path();
            if file.extension().is_some_and(|e| e == "envelope") {
                files.push(file);
            }
        }
        if files.is_empty() {
            bail!("{} has no *.envelope", path.display());
        }
        files.sort();
        out.append(&mut files);
    }
    Ok(out)
}

fn check(path: &Path, owner: &OwnerKey, listed: &[Target]) -> anyhow::Result<Checked> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = bailiwick_envelope::verify(owner, &bytes)
        .with_context(|| format!("{} is not signed by this owner", path.display()))?;
    let target = Target::of(&envelope)
        .with_context(|| format!("{} has no storage commitment", path.display()))
        .context(Help("no inventory can list it; `bailiwick commit` adds one"))?;
    Ok(Checked {
        envelope: path.display().to_string(),
        name: target.name.to_string(),
        generation: target.generation,
        state: state(&target, listed),
    })
}

fn state(target: &Target, listed: &[Target]) -> State {
    let by_name = |name: &UnitName| listed.binary_search_by(|t| t.name.cmp(name)).ok();
    match by_name(&target.name).map(|i| &listed[i]) {
        None => State::Missing,
        Some(found) if found == target => State::Listed,
        Some(found) if found.generation < target.generation => State::Older,
        Some(found) if found.generation > target.generation => State::Newer,
        Some(_) => State::Differs,
    }
}

fn show(report: &Report) -> anyhow::Result<()> {
    say!("inventory of epoch {} of host {}", report.epoch, report.host)?;
    say!("  {} objects, {} cells, root {}", report.objects, report.cells, report.root)?;
    say!(
        "  of owner {}: {} objects, {} cells, and no others",
        report.owner,
        report.listed.len(),
        report.owner_cells
    )?;
    for c in &report.checked {
        let what = match c.state {
            State::Listed => "listed",
            State::Missing => "MISSING",
            State::Older => "listed at an OLDER generation",
            State::Newer => "listed at a NEWER generation",
            State::Differs => "listed with OTHER CONTENT",
        };
        say!("  {}  generation {}  {what}  ({})", c.name, c.generation, c.envelope)?;
    }
    match report.committed {
        Committed::NotCompared => say!(
            "not compared with what auditors committed to: digest {} (--dossier compares it)",
            report.digest
        )?,
        Committed::Same => say!("the dossier's commitments are to this inventory, digest {}", report.digest)?,
        Committed::Other => say!(
            "a commitment of the dossier is to ANOTHER INVENTORY than this one, digest {}: what --save keeps of it is evidence",
            report.digest
        )?,
        Committed::NoneGiven => say!(
            "in a commitment of the dossier the auditor says that the host GAVE NO INVENTORY; this one has digest {}",
            report.digest
        )?,
        Committed::NotAsked => say!(
            "in the dossier\u{2019}s commitment the auditor says that it DID NOT ASK for this epoch\u{2019}s inventory, which is nothing against the host; this one has digest {}",
            report.digest
        )?,
        Committed::Missing => {
            say!("the dossier has NO COMMITMENT to this host and epoch, digest {}", report.digest)?
        }
    }
    for key in &report.committed_by {
        say!(
            "  committed to by key {key}: is it an auditor you know? `verify` judges whether it was logged"
        )?;
    }
    if report.complete {
        let n = report.checked.len();
        say!("all {n} envelopes are listed: proofs over this inventory speak of them")?;
    } else {
        say!("not all envelopes are listed: proofs over this inventory say nothing of the others")?;
    }
    Ok(())
}
