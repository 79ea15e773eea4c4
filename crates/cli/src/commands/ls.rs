//! `bailiwick ls` and `bailiwick rm`: what a node holds of an owner, and its removal.

use std::path::PathBuf;
use std::process::ExitCode;

use bailiwick_protocol::ids::UnitName;

use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind};
use crate::output::print_json;
use crate::say;

/// Arguments of `ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Secret key file: an owner sees its own objects, an auditor all
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
    /// Print the records as JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// What to remove: OWNER/OBJECT/UNIT as `ls` prints it
    name: UnitName,
    /// The owner's secret key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
}

/// Runs `ls`.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.node.connect(keyfile::read_signing_key_of_any_kind(&args.key)?)?;
    let records = client.list_all()?;
    if args.json {
        print_json(&records)?;
    } else {
        for r in &records {
            say!(
                "{}/{}/{}  {:>12} bytes  generation {}",
                r.owner,
                r.object,
                r.unit.escape_default(),
                r.size,
                r.generation
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `rm`.
pub(crate) fn remove(args: RemoveArgs) -> anyhow::Result<ExitCode> {
    let client = args.node.connect(keyfile::read_signing_key(&args.owner, Kind::Owner)?)?;
    client.delete(&args.name)?;
    say!("removed {}", args.name)?;
    Ok(ExitCode::SUCCESS)
}
