//! `bailiwick put`: hand a sealed object to a node.

mod envelope_only;
pub(crate) mod placement;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded};
use crate::say;
use crate::{Help, progress};

/// Arguments of `put`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sealed body; with --placement the folder of shards; with --envelope-only a body's name, an envelope, or a directory
    body: PathBuf,
    /// Its envelope [default: BODY.envelope]
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The owner's secret key file, which signs the request
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Address of the node, e.g. `http://127.0.0.1:8470`
    #[arg(long, value_name = "URL", required_unless_present = "placement")]
    node: Option<String>,
    /// The host's public key: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", required_unless_present = "placement")]
    host: Option<String>,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Which shard goes to which host: a placement file (docs/guides/shards.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["node", "host", "roots"])]
    placement: Option<PathBuf>,
    /// With --placement: seconds a host may take to give a shard back that it has, beside one for every 256 KiB; it is sent again after that
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "placement", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    /// Send only the envelope, as `rewrap` signed it, of an object whose body the node holds; of a directory all below it. So every
    /// node gets the same one
    #[arg(long, conflicts_with = "placement")]
    envelope_only: bool,
    /// Print the stored record as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.placement {
        return placement::run(&args, path);
    }
    if args.envelope_only {
        return envelope_only::run(args);
    }
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let path = args.envelope.unwrap_or_else(|| keyfile::with_suffix(&args.body, ".envelope"));
    let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
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
    let (Some(node), Some(host)) = (args.node, args.host) else {
        anyhow::bail!("say which node with --node and --host, or which hosts with --placement");
    };
    let client = NodeArgs::new(node, host, args.roots).connect(owner)?;
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
