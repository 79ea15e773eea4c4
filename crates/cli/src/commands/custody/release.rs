//! `custody release` and `custody receipt`: the custodian's side.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{Receipt, ReleaseRecord, Request, release};
use bailiwick_protocol::codec::Canonical as _;

use super::seen::SeenArgs;
use super::{MESSAGE_BYTES_MAX, name};
use crate::Help;
use crate::audit::now_unix_ms;
use crate::keyfile;
use crate::output::{AtomicFile, print_json, read_bounded, write_new};
use crate::say;

/// Arguments of `release`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    seen: SeenArgs,
    /// The custodian's secret key file; no agent holds such keys, a share takes the secret itself
    #[arg(long, value_name = "FILE")]
    custodian: PathBuf,
    /// The request
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Public key file of whom you have decided to answer; the request must name the same key
    #[arg(long, value_name = "FILE")]
    requester: PathBuf,
    /// Where the release goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Where the entry goes that `bailiwick log add` puts on record, before the release is handed over [default: OUTPUT.entry]
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    /// Print the release as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    custodian: String,
    dealing: String,
    requester: String,
    nonce: String,
    /// What to log: it tells releases apart and says nothing of the share.
    release: String,
    entry: String,
    output: String,
}

/// Runs `release`.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (object, _) = args.seen.read(&args.envelope)?;
    let key = keyfile::read_custodian_key(&args.custodian)?;
    let bytes = read_bounded(&args.request, MESSAGE_BYTES_MAX)?;
    let request = Request::from_bytes(&bytes)
        .with_context(|| format!("{} is no request", args.request.display()))
        .context(Help("`bailiwick custody request` makes one"))?;
    let requester = keyfile::read_recipient_public(&args.requester)?;
    if requester.kem() != request.kem || requester.as_bytes() != request.key {
        return Err(anyhow!(
            "{} names another key than {}",
            args.request.display(),
            args.requester.display()
        ))
        .context(Help("answer only whom you know: somebody else may have made this request"));
    }
    let made = release(&object.dealing, &request, &key, &mut keyfile::system_rng()?)
        .context("nothing is released")?;
    let entry = ReleaseRecord::of(&made, &request, now_unix_ms()).sign(&key);
    let entry_path = args.entry.clone().unwrap_or_else(|| keyfile::with_suffix(&args.output, ".entry"));
    write_both((&entry_path, &entry.to_bytes()), (&args.output, &made.to_bytes()))?;
    let report = Report {
        object: object.envelope.name().to_string(),
        custodian: name(&object.dealing, usize::from(made.point) - 1).to_owned(),
        dealing: made.dealing.to_string(),
        requester: hex::encode(requester.fingerprint()),
        nonce: hex::encode(made.nonce),
        release: hex::encode(made.digest()),
        entry: entry_path.display().to_string(),
        output: args.output.display().to_string(),
    };
    if args.json {
        print_json(&report)?;
    } else {
        say!(
            "released   the share of {} for {}",
            bailiwick_roster::Quoted(&report.custodian),
            report.object
        )?;
        say!("requester  {} (nobody else can open it)", report.requester)?;
        say!("digest     {}", report.release)?;
        say!("to log     {}: `bailiwick log add` it before you hand the release over", report.entry)?;
        say!("wrote      {}", report.output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Entry and release, both or none: an entry without a release would be in the way of the next try.
fn write_both(entry: (&Path, &[u8]), release: (&Path, &[u8])) -> anyhow::Result<()> {
    let begun = |(path, bytes): (&Path, &[u8])| {
        let mut file = AtomicFile::create(path, 0o644)?;
        file.write_all(bytes).with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(file)
    };
    let (entry_file, release_file) = (begun(entry)?, begun(release)?);
    // The record first: no release is there that nobody can enter.
    entry_file.commit()?;
    release_file.commit().inspect_err(|_| {
        if !release.0.exists() {
            let _ = std::fs::remove_file(entry.0);
        }
    })
}

/// Arguments of `receipt`.
#[derive(Debug, clap::Args)]
pub(super) struct ReceiptArgs {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    seen: SeenArgs,
    /// The custodian's secret key file
    #[arg(long, value_name = "FILE")]
    custodian: PathBuf,
    /// Where the receipt goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Runs `receipt`.
pub(super) fn receipt(args: &ReceiptArgs) -> anyhow::Result<ExitCode> {
    let (object, _) = args.seen.read(&args.envelope)?;
    let key = keyfile::read_custodian_key(&args.custodian)?;
    let receipt = Receipt::sign(&object.dealing, &key).context("no receipt is signed")?;
    write_new(&args.output, 0o644, &receipt.to_bytes())?;
    say!("signed     that the post-quantum share of custodian {} opens", receipt.point)?;
    say!("wrote      {}", args.output.display())?;
    Ok(ExitCode::SUCCESS)
}
