//! `bailiwick custody`: an object's key in the hands of several custodians.

mod deal;
mod network;
mod recover;
mod release;
mod request;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{Dealing, VerifiedDealing};
use bailiwick_envelope::{OpenError, Opener, RecipientSecretKey};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{CustodyPart, Envelope};
use bailiwick_protocol::ids::OwnerKey;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::keyfile::{self, Kind};
use crate::output::read_bounded;

/// Bytes of a request, a release or a receipt, at most.
const MESSAGE_BYTES_MAX: u64 = 4096;

/// Arguments of `custody`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Share an object's key among custodians: writes a new envelope, the body stays as it is
    Deal(deal::DealArgs),
    /// Share it among other custodians: old shares are worth nothing for the new dealing
    Reshare(deal::ReshareArgs),
    /// Check what can be checked without a secret: the shares belong to one secret, and whose law reaches its holders
    Verify(verify::Args),
    /// Ask the custodians of an object for their shares
    Request(request::Args),
    /// As a custodian: answer a request with your share and the proof that it is the right one
    Release(release::Args),
    /// As a custodian: sign that your post-quantum share opens
    Receipt(release::ReceiptArgs),
    /// Open an object with the shares of enough custodians
    Recover(recover::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Deal(a) => deal::deal(&a),
        Command::Reshare(a) => deal::reshare(&a),
        Command::Verify(a) => verify::run(&a),
        Command::Request(a) => request::run(&a),
        Command::Release(a) => release::run(&a),
        Command::Receipt(a) => release::receipt(&a),
        Command::Recover(a) => recover::run(&a),
    }
}

/// An envelope of the pinned owner.
fn read_envelope(path: &Path, owner: &OwnerKey) -> anyhow::Result<Envelope> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    bailiwick_envelope::verify(owner, &bytes)
        .with_context(|| format!("{} is not an envelope of this owner", path.display()))
        .context(Help("check --owner against what the owner told you"))
}

fn owner(text: &str) -> anyhow::Result<OwnerKey> {
    keyfile::public_key(text, Kind::Owner).map(OwnerKey)
}

/// An envelope of the pinned owner with the dealing it carries, which was verified and is about it.
struct InCustody {
    envelope: Envelope,
    part: CustodyPart,
    dealing: VerifiedDealing,
}

impl InCustody {
    fn read(path: &Path, owner: &OwnerKey) -> anyhow::Result<Self> {
        Self::of(read_envelope(path, owner)?, path)
    }

    fn of(envelope: Envelope, path: &Path) -> anyhow::Result<Self> {
        let Some(part) = envelope.custody.clone() else {
            return Err(anyhow!("{} has no custody part: its key was not dealt", path.display()))
                .context(Help("its owner deals it with `bailiwick custody deal`"));
        };
        let dealing =
            checked(&envelope, &part).with_context(|| format!("the dealing in {}", path.display()))?;
        Ok(Self { envelope, part, dealing })
    }
}

/// The dealing of `part`: well-formed, about `envelope`, and its public proof holds.
fn checked(envelope: &Envelope, part: &CustodyPart) -> anyhow::Result<VerifiedDealing> {
    let dealing = Dealing::from_bytes(&part.dealing)?;
    dealing.belongs_to(envelope)?;
    Ok(dealing.verify()?)
}

fn name(dealing: &VerifiedDealing, custodian: usize) -> &str {
    dealing.dealing().custodians.get(custodian).map_or("nobody", |c| c.name.as_str())
}

/// Opens an envelope as a recipient: of the file key, or of the secret that custodians share.
///
/// # Errors
/// As `Opener::new`.
pub(crate) fn open_as_recipient(
    owner: &OwnerKey,
    bytes: &[u8],
    keys: &[RecipientSecretKey],
) -> Result<Opener, OpenError> {
    let refused = match Opener::new(owner, bytes, keys) {
        Err(OpenError::NoRecipient) => OpenError::NoRecipient,
        other => return other,
    };
    let envelope = bailiwick_envelope::verify(owner, bytes)?;
    let file_key = envelope.custody.as_ref().and_then(|part| {
        let content = bailiwick_envelope::open_custody_secret(&envelope, keys)?;
        checked(&envelope, part).ok()?.open_as_recipient(&content, &part.wrapped).ok()
    });
    match file_key {
        Some(key) => Opener::with_file_key(envelope, key),
        None => Err(refused),
    }
}

fn recipient_keys(paths: &[PathBuf]) -> anyhow::Result<Vec<RecipientSecretKey>> {
    paths.iter().map(|p| keyfile::read_recipient_key(p)).collect()
}
