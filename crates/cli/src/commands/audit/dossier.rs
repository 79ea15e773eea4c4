//! `bailiwick audit dossier`: the evidence of a campaign as one file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use bailiwick_auditor::FileJournal;
use bailiwick_custody::ReleaseEntry;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::dossier::{Dossier, Logged, SignedOpened};
use bailiwick_protocol::inventory::{OwnerRange, SignedInventory};
use bailiwick_protocol::limits::{DOSSIER_BYTES_MAX, LOG_ENTRY_BYTES_MAX, ROSTER_BYTES_MAX};

use super::files::CampaignFile;
use crate::Help;
use crate::output::{AtomicFile, print_json, read_bounded};
use crate::say;

/// Arguments of `audit dossier`.
#[derive(Debug, clap::Args)]
pub(super) struct DossierArgs {
    /// The campaign that `audit schedule` made; it may be under way
    #[arg(long, value_name = "DIR")]
    campaign: PathBuf,
    /// A signed roster of the principals
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// A statement of opening, as `bailiwick open --attest` writes it; give one for each
    #[arg(long, value_name = "FILE")]
    add_opened: Vec<PathBuf>,
    /// An inventory that someone else was given, such as a second one of an epoch: signed by the host, or as
    /// `bailiwick check-inventory --save` keeps it; give one for each
    #[arg(long, value_name = "FILE")]
    add_inventory: Vec<PathBuf>,
    /// A release on record: the custodian's entry, as `bailiwick custody release` writes it, and the proof of `bailiwick log add`; give one for each
    #[arg(long, num_args = 2, value_names = ["ENTRY", "PROOF"])]
    add_release: Vec<PathBuf>,
    /// The dossier to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    dossier: String,
    bytes: usize,
    announced: usize,
    audits: usize,
    logged: usize,
    inventories: usize,
    opened: usize,
}

/// The entry of a release with its proof; `verify` judges both.
fn read_release(entry: &Path, proof: &Path) -> anyhow::Result<Logged> {
    let bytes = read_bounded(entry, LOG_ENTRY_BYTES_MAX as u64)?;
    ReleaseEntry::from_bytes(&bytes)
        .with_context(|| format!("{} is no record of a release", entry.display()))?;
    Ok(Logged { entry: bytes, proof: read_bounded(proof, bailiwick_translog::PROOF_BYTES_MAX as u64)? })
}

/// Runs the command.
pub(super) fn run(args: &DossierArgs) -> anyhow::Result<ExitCode> {
    CampaignFile::read(&args.campaign)?;
    let (journal, records) = FileJournal::read(&args.campaign)?;
    let mut dossier = bailiwick_auditor::dossier(&records, &journal)?;
    if let Some(path) = &args.roster {
        dossier.roster = Some(read_bounded(path, ROSTER_BYTES_MAX as u64)?);
    }
    for path in &args.add_opened {
        dossier.opened.push(read_message::<SignedOpened>(path)?);
    }
    for path in &args.add_inventory {
        dossier.inventories.push(read_inventory(path)?);
    }
    for pair in args.add_release.chunks_exact(2) {
        dossier.announced.push(read_release(&pair[0], &pair[1])?);
    }
    dossier.sort();
    let bytes = dossier.to_bytes();
    ensure!(
        bytes.len() <= DOSSIER_BYTES_MAX,
        "the dossier would have {} bytes, {DOSSIER_BYTES_MAX} are allowed",
        bytes.len()
    );
    // What is written is what a reader accepts.
    Dossier::from_bytes(&bytes).context("the evidence does not fit a dossier")?;
    let mut file = AtomicFile::create(&args.output, 0o666)?;
    file.write_all(&bytes).with_context(|| format!("cannot write {}", args.output.display()))?;
    file.commit()?;
    let report = Report {
        dossier: args.output.display().to_string(),
        bytes: bytes.len(),
        announced: dossier.announced.len(),
        audits: dossier.audits.len(),
        logged: dossier.audits.iter().filter(|a| a.outcome.is_some()).count(),
        inventories: dossier.inventories.len(),
        opened: dossier.opened.len(),
    };
    if args.json {
        print_json(&report)?;
    } else {
        say!(
            "{}: {} announcements, {} audits, {} of them with a log proof. Judge it with `bailiwick verify`.",
            report.dossier,
            report.announced,
            report.audits,
            report.logged
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A signed inventory, alone or with an owner's range of it.
fn read_inventory(path: &Path) -> anyhow::Result<SignedInventory> {
    let bytes = read_bounded(path, OwnerRange::BYTES_MAX as u64)?;
    if let Ok(inventory) = SignedInventory::from_bytes(&bytes) {
        return Ok(inventory);
    }
    let range = OwnerRange::from_bytes(&bytes)
        .with_context(|| {
            format!("{} is neither a signed inventory nor an owner\u{2019}s range of one", path.display())
        })
        .context(Help("give the file that `bailiwick check-inventory --save` wrote"))?;
    Ok(range.inventory)
}

fn read_message<T: Canonical>(path: &Path) -> anyhow::Result<T> {
    let bytes = read_bounded(path, T::BYTES_MAX as u64)?;
    T::from_bytes(&bytes)
        .with_context(|| format!("{} is not a {}", path.display(), T::WHAT))
        .context(Help("give the file as the program wrote it"))
}
