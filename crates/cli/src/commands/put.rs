//! `bailiwick put`: hand a sealed object to a node.

mod envelope_only;
pub(crate) mod placement;
mod sending;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bailiwick_protocol::ids::OwnerKey;

use self::sending::{Local, send};
use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::{print_json, read_bounded};
use crate::say;

/// Arguments of `put`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Hand a sealed object to a node, or with --placement the shards of a split one to their hosts.\n\nA node that says that it has a \
    body is not believed: it is asked for all of it, and the body is sent again when other bytes come, or none, or too slowly (--patience). \
    So putting again what is stored costs reading it back, whole. What a node took for the first time is not read back, nor does any of this \
    show that it keeps it: that is for `bailiwick audit`.\n\nWith --envelope-only nothing of the body is sent or asked for: each node gets \
    the envelope that was signed, over the body it has."
)]
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
    /// Seconds a node may take to give a body back that it says it has, beside one for every 256 KiB; it is sent again after that
    #[arg(long, value_name = "SECONDS", default_value_t = 60, conflicts_with = "envelope_only", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    /// Send only the envelope, as `rewrap` signed it, of an object whose body the node holds; of a directory all below it; with --placement
    /// those of the shards in the folder, whose bodies need not be there, each to its host. So every node gets the same one
    #[arg(long)]
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
    let envelope = bailiwick_envelope::verify(&OwnerKey(owner.public()), &bytes)
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
    let name = envelope.name();
    let local = Local { body: args.body, envelope, bytes };
    let sent = send(&client, &local, args.patience, true)?;
    if args.json {
        let record = match sent.record {
            Some(record) => record,
            // The same again changes nothing, and the answer is the record.
            None => client.replace_envelope(&name, &local.bytes)?.record,
        };
        print_json(&record)?;
    } else {
        say!("{} {name}, {length} bytes, durable at the node", sent.state)?;
    }
    Ok(ExitCode::SUCCESS)
}
