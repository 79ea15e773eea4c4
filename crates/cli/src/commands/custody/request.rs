//! `custody request`: ask custodians for their shares.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_custody::Request;
use bailiwick_protocol::codec::Canonical as _;

use super::network::quoted;
use super::seen::SeenArgs;
use crate::Help;
use crate::keyfile;
use crate::output::{print_json, write_new};
use crate::say;

/// Arguments of `request`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The envelope
    envelope: PathBuf,
    #[command(flatten)]
    seen: SeenArgs,
    /// Public key file of whom custodians shall answer: x-wing, or x25519 or p256 if the dealing is not hybrid
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the request goes
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print the request as JSON
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    object: String,
    dealing: String,
    requester: String,
    nonce: String,
    threshold: usize,
    custodians: Vec<String>,
    output: String,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (object, _) = args.seen.read(&args.envelope)?;
    let key = keyfile::read_recipient_public(&args.key)?;
    let mut rng = keyfile::system_rng()?;
    let request = Request::new(&object.dealing, key.kem(), key.as_bytes(), &mut rng)
        .with_context(|| format!("{}", args.key.display()))
        .context(Help("make one with `bailiwick key new recipient`"))?;
    write_new(&args.output, 0o644, &request.to_bytes())?;
    let report = Report {
        object: object.envelope.name().to_string(),
        dealing: request.dealing.to_string(),
        requester: hex::encode(key.fingerprint()),
        nonce: hex::encode(request.nonce),
        threshold: object.dealing.threshold(),
        custodians: object.dealing.dealing().custodians.iter().map(|c| c.name.clone()).collect(),
        output: args.output.display().to_string(),
    };
    if args.json {
        print_json(&report)?;
    } else {
        say!("wrote      {}", report.output)?;
        say!("send it    with the envelope to {} of: {}", report.threshold, quoted(&report.custodians))?;
        say!("tell them  in another way the fingerprint of your key: {}", report.requester)?;
    }
    Ok(ExitCode::SUCCESS)
}
