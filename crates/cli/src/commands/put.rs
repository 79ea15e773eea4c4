//! `bailiwick put`: hand a sealed object to a node.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::limits::ENVELOPE_BYTES_MAX;

use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded};
use crate::say;
use crate::{Help, progress};

/// Arguments of `put`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sealed body
    body: PathBuf,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The owner's secret key file, which signs the request
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    /// Print the stored record as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let path = args.envelope.unwrap_or_else(|| keyfile::with_suffix(&args.body, ".envelope"));
    let bytes = read_bounded(&path, ENVELOPE_BYTES_MAX as u64 + 128)?;
    let envelope = SignedEnvelope::from_bytes(&bytes)
        .and_then(|signed| signed.verify(&owner.public()))
        .with_context(|| format!("{} is not an envelope of this owner", path.display()))
        .context(Help("give the envelope that `seal` wrote, and the key that sealed it"))?;
    let length =
        std::fs::metadata(&args.body).with_context(|| format!("cannot open {}", args.body.display()))?.len();
    if length != envelope.body.size {
        return Err(anyhow::anyhow!(
            "{} has {length} bytes, its envelope says {}",
            args.body.display(),
            envelope.body.size
        ))
        .context(Help("the body is damaged or belongs to another envelope"));
    }
    let client = args.node.connect(owner)?;
    let bar = progress::bar(Some(length), "put");
    let name = envelope.name();
    let stored = client.put(&name, &bytes, || Ok(bar.wrap_read(File::open(&args.body)?)), length)?;
    bar.finish_and_clear();
    if args.json {
        print_json(&stored.record)?;
    } else {
        let verb = if stored.created { "stored" } else { "already stored" };
        say!("{verb} {name}, {length} bytes, durable at the node")?;
    }
    Ok(ExitCode::SUCCESS)
}
