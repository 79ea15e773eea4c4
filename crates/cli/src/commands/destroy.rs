//! `bailiwick destroy`: crypto-erasure. Without a way to the file key a body is noise.

mod erase;
mod examine;
mod remaining;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_client::{Client, ClientError};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use self::examine::Found;
use self::remaining::{Remaining, at_other_nodes};
use crate::connect::NodeArgs;
use crate::envelopes::is_envelope;
use crate::keyfile::{self, Kind};
use crate::{Help, say};

const NOT_REACHED: &str = "not reached: copies of the envelope elsewhere, at hosts and in their backups; other shards of the object, \
and its other generations; file keys and data that recipients kept; custodians' shares; what a disk or a copy-on-write file system still holds of overwritten blocks";

/// Arguments of `destroy`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Make an object unreadable: overwrite and remove its envelope, which holds every way to its file key, and on request \
    secret key files and the objects at a node. The body is left, as noise.\n\n\
    Of an object in shards any k still open it: name the folder of its shards, and every envelope in it goes. What an earlier run overwrote, or removed, is \
    done.\n\nWhat this does not reach: copies of the envelope elsewhere, at \
    hosts and in their backups; other shards of the object, and its other generations; file keys and data that recipients kept; custodians' shares; what a disk or a copy-on-write file \
    system still holds of overwritten blocks. Where an envelope may have been copied, destroy the recipients' keys."
)]
pub(crate) struct Args {
    /// Envelopes, bodies beside theirs, or a folder of one object's shards
    #[arg(required = true)]
    targets: Vec<PathBuf>,
    /// The owner's secret key file: only this owner's envelopes are destroyed
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Secret key file of a recipient to destroy, too: everything sealed to it alone becomes unreadable; repeat for several
    #[arg(long, value_name = "FILE", num_args = 1..)]
    key_file: Vec<PathBuf>,
    /// Remove the objects from this node, too; of an object in shards the other hosts keep theirs
    #[arg(long, value_name = "URL", requires = "host")]
    node: Option<String>,
    /// The host's public key: text, hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY", requires = "node")]
    host: Option<String>,
    /// PEM file with the certificates to trust (https needs it)
    #[arg(long, value_name = "FILE", requires = "node")]
    roots: Option<PathBuf>,
    /// Do it: nothing of this can be undone
    #[arg(long)]
    yes_destroy: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let owner = keyfile::read_signing_key(&args.owner, Kind::Owner)?;
    let pinned = OwnerKey(owner.public());
    // Everything is examined before anything is destroyed.
    let found = examine::all(&args.targets, &args.key_file, &pinned)?;
    let remaining = Remaining::of(&pinned, &found)?;
    if !args.yes_destroy {
        for found in &found {
            match found {
                Found::Envelope { path, envelope } => {
                    eprintln!("would destroy {} ({}): {}", path.display(), envelope.name(), ways(envelope));
                }
                Found::Key(path) => {
                    eprintln!(
                        "would destroy {}: everything sealed to it alone becomes unreadable",
                        path.display()
                    );
                }
                Found::Zeros(path) => eprintln!("would remove {}: it is overwritten already", path.display()),
                Found::Gone(path) => eprintln!("{} is not there", path.display()),
            }
        }
        for line in remaining.lines() {
            eprintln!("{line}");
        }
        for line in args.node.iter().flat_map(|node| at_other_nodes(node, &found)) {
            eprintln!("{line}");
        }
        eprintln!("{NOT_REACHED}");
        return Err(anyhow!("nothing was destroyed")).context(Help("say --yes-destroy if that is meant"));
    }
    let elsewhere = args.node.as_ref().map(|node| at_other_nodes(node, &found)).unwrap_or_default();
    let client = match (args.node, args.host) {
        (Some(node), Some(host)) => Some(NodeArgs::new(node, host, args.roots).connect(owner)?),
        _ => None,
    };
    for found in &found {
        destroy(found, client.as_ref())?;
    }
    for line in remaining.lines().chain(elsewhere.iter().map(String::as_str)) {
        say!("{line}")?;
    }
    say!("{NOT_REACHED}")?;
    Ok(ExitCode::SUCCESS)
}

fn destroy(found: &Found, client: Option<&Client>) -> anyhow::Result<()> {
    match found {
        Found::Envelope { path, envelope } => {
            let name = envelope.name();
            match client.map(|client| client.delete(&name)) {
                // Gone already, perhaps by this command before it was interrupted.
                None | Some(Ok(()) | Err(ClientError::Refused { status: 404, .. })) => {}
                Some(Err(error)) => {
                    return Err(error).with_context(|| format!("the node may still have {name}"));
                }
            }
            erase::erase(path)?;
            say!("destroyed {} ({name}): {}", path.display(), ways(envelope))?;
        }
        Found::Key(path) => {
            erase::erase(path)?;
            say!("destroyed {}", path.display())?;
        }
        Found::Zeros(path) => {
            erase::erase(path)?;
            say!("removed   {}: it was overwritten already", path.display())?;
        }
        Found::Gone(path) => {
            say!("not there {}: destroyed before, or it has another name", path.display())?;
        }
    }
    if client.is_some() && matches!(found, Found::Zeros(path) | Found::Gone(path) if is_envelope(path)) {
        say!(
            "which object that was cannot be told: the node was asked by the run that overwrote it, if that run named the node"
        )?;
    }
    Ok(())
}

/// What the envelope held.
fn ways(e: &Envelope) -> String {
    let mut ways = format!("{} recipient entries", e.recipients.len());
    if e.passphrase.is_some() {
        ways.push_str(", a passphrase entry");
    }
    if e.custody.is_some() {
        ways.push_str(", a custody part");
    }
    ways
}
