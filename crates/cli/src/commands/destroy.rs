//! `bailiwick destroy`: crypto-erasure. Without a way to the file key a body is noise.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_client::ClientError;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::OwnerKey;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::connect::NodeArgs;
use crate::keyfile::{self, Kind, with_suffix};
use crate::output::read_bounded;
use crate::{Help, say};

const NOT_REACHED: &str = "not reached: copies of the envelope elsewhere, at hosts and in their backups; file keys and data that \
recipients kept; custodians' shares; what a disk or a copy-on-write file system still holds of overwritten blocks";

/// Arguments of `destroy`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Make an object unreadable: overwrite and remove its envelope, which holds every way to its file key, and on request \
    secret key files and the objects at a node. The body is left, as noise.\n\nWhat this does not reach: copies of the envelope elsewhere, at \
    hosts and in their backups; file keys and data that recipients kept; custodians' shares; what a disk or a copy-on-write file \
    system still holds of overwritten blocks. Where an envelope may have been copied, destroy the recipients' keys."
)]
pub(crate) struct Args {
    /// Envelopes, or bodies beside theirs
    #[arg(required = true)]
    targets: Vec<PathBuf>,
    /// The owner's secret key file: only this owner's envelopes are destroyed
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Secret key file of a recipient to destroy, too: everything sealed to it alone becomes unreadable; repeat for several
    #[arg(long, value_name = "FILE", num_args = 1..)]
    key_file: Vec<PathBuf>,
    /// Remove the objects from this node, too
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
    let envelopes = args.targets.iter().map(|t| examine(t, &pinned)).collect::<anyhow::Result<Vec<_>>>()?;
    for path in &args.key_file {
        keyfile::read_recipient_key(path)
            .with_context(|| format!("{} is no recipient's secret key file", path.display()))?;
    }
    if !args.yes_destroy {
        for (path, envelope) in &envelopes {
            eprintln!("would destroy {} ({}): {}", path.display(), envelope.name(), ways(envelope));
        }
        for path in &args.key_file {
            eprintln!("would destroy {}: everything sealed to it alone becomes unreadable", path.display());
        }
        eprintln!("{NOT_REACHED}");
        return Err(anyhow!("nothing was destroyed")).context(Help("say --yes-destroy if that is meant"));
    }
    let client = match (args.node, args.host) {
        (Some(node), Some(host)) => Some(NodeArgs::new(node, host, args.roots).connect(owner)?),
        _ => None,
    };
    for (path, envelope) in &envelopes {
        if let Some(client) = &client {
            let name = envelope.name();
            match client.delete(&name) {
                // Gone already, perhaps by this command before it was interrupted.
                Ok(()) | Err(ClientError::Refused { status: 404, .. }) => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("the node may still have {name}"));
                }
            }
        }
        overwrite(path)?;
        say!("destroyed {} ({}): {}", path.display(), envelope.name(), ways(envelope))?;
    }
    for path in &args.key_file {
        overwrite(path)?;
        say!("destroyed {}", path.display())?;
    }
    say!("{NOT_REACHED}")?;
    Ok(ExitCode::SUCCESS)
}

fn examine(target: &Path, owner: &OwnerKey) -> anyhow::Result<(PathBuf, Envelope)> {
    let beside = with_suffix(target, ".envelope");
    let path = if beside.is_file() { beside } else { target.to_owned() };
    let about = fs::symlink_metadata(&path).with_context(|| format!("cannot open {}", path.display()))?;
    if !about.is_file() {
        return Err(anyhow!("{} is not a file of its own", path.display()))
            .context(Help("a link is not followed: name the envelope itself"));
    }
    let bytes = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = bailiwick_envelope::verify(owner, &bytes)
        .with_context(|| format!("{} is not an envelope of this owner", path.display()))
        .context(Help("only the owner's own envelopes are destroyed"))?;
    Ok((path, envelope))
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

/// Zeros over the file, durable, then its name goes, durable.
fn overwrite(path: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot destroy {}", path.display());
    // Not through a link that came meanwhile.
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).context("a flag of the system")?;
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(options.write(true), flags);
    let mut file = options.open(path).with_context(failed)?;
    let length = usize::try_from(file.metadata().with_context(failed)?.len())?;
    file.write_all(&vec![0; length]).and_then(|()| file.sync_all()).with_context(failed)?;
    fs::remove_file(path).with_context(failed)?;
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|d| d.sync_all()).with_context(failed)
}
