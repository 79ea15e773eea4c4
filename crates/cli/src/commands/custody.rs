//! `bailiwick custody`: an object's key in the hands of several custodians.

mod deal;
mod network;
mod records;
mod recover;
mod release;
mod request;
mod seen;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{Dealing, RecipientError, VerifiedDealing};
use bailiwick_envelope::{OpenError, Opener, RecipientSecretKey};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{CustodyPart, Envelope, Role};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;

use super::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::Help;
use crate::keyfile::{self, Kind};
use crate::output::read_bounded;
use crate::say;

/// Bytes of a request, a release or a receipt, at most.
const MESSAGE_BYTES_MAX: u64 = 4096;

/// Bytes of a policy file, at most; the verifier reads no longer one.
const POLICY_BYTES_MAX: u64 = 1 << 20;

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
    verified(path, owner, &read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?)
}

/// The envelope whose bytes were read from `path`.
fn verified(path: &Path, owner: &OwnerKey, bytes: &[u8]) -> anyhow::Result<Envelope> {
    bailiwick_envelope::verify(owner, bytes)
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

/// Who opens an object without custodians.
#[derive(serde::Serialize)]
struct Beside {
    /// Entries with the file key.
    other_recipients: usize,
    /// Entries with the secret that custodians share: each opens the object alone, too, but in hybrid mode.
    recipients_of_secret: usize,
    /// How many of those with the file key are x25519 or p256 keys: beside a hybrid dealing they are what a quantum computer breaks.
    classical_recipients: usize,
    passphrase: bool,
    /// Whether any of these opens it.
    opens_without_custodians: bool,
    #[serde(skip)]
    hybrid: bool,
}

impl Beside {
    fn of(envelope: &Envelope, hybrid: bool) -> Self {
        let with = |role| envelope.recipients.iter().filter(|r| r.role == role).count();
        let (keys, secrets) = (with(Role::FileKey), with(Role::CustodySecret));
        let passphrase = envelope.passphrase.is_some();
        Self {
            other_recipients: keys,
            recipients_of_secret: secrets,
            classical_recipients: classical(envelope),
            passphrase,
            opens_without_custodians: keys > 0 || passphrase || (secrets > 0 && !hybrid),
            hybrid,
        }
    }

    fn print(&self) -> std::io::Result<()> {
        if self.other_recipients > 0 {
            say!(
                "beside      {} recipients open it without custodians; `bailiwick rewrap` removes them",
                self.other_recipients
            )?;
        }
        if self.hybrid && self.classical_recipients > 0 {
            say!(
                "NO PROTECTION by the post-quantum half: {} of them are x25519 or p256 keys, through which a quantum computer opens it",
                self.classical_recipients
            )?;
        }
        if self.passphrase {
            say!("beside      whoever knows the passphrase opens it without custodians")?;
        }
        match (self.recipients_of_secret, self.hybrid) {
            (0, _) => Ok(()),
            (n, false) => say!(
                "beside      {n} recipients were sent the shared secret: each opens it alone, without custodians"
            ),
            (n, true) => say!(
                "beside      {n} recipients were sent the shared secret; without the post-quantum half it opens nothing"
            ),
        }
    }
}

/// How many recipients of the file key have keys that a quantum computer breaks.
fn classical(envelope: &Envelope) -> usize {
    envelope.recipients.iter().filter(|r| r.role == Role::FileKey && !r.kem.is_post_quantum()).count()
}

fn name(dealing: &VerifiedDealing, custodian: usize) -> &str {
    dealing.dealing().custodians.get(custodian).map_or("nobody", |c| c.name.as_str())
}

/// Opens an envelope as a recipient: of the file key, or of the secret that custodians share.
///
/// # Errors
/// `OpenError` as `Opener::new` gives it. To whoever was sent the secret, else what is wrong with the dealing, or with what was sent.
pub(crate) fn open_as_recipient(
    owner: &OwnerKey,
    bytes: &[u8],
    keys: &[RecipientSecretKey],
) -> anyhow::Result<Opener> {
    match Opener::new(owner, bytes, keys) {
        Err(OpenError::NoRecipient) => {}
        other => return Ok(other?),
    }
    let envelope = bailiwick_envelope::verify(owner, bytes)?;
    let Some(content) = bailiwick_envelope::open_custody_secret(&envelope, keys) else {
        return Err(OpenError::NoRecipient.into());
    };
    let file_key =
        file_key_under(&envelope, &content).context("you were sent the custodians\u{2019} secret")?;
    with_dealt_key(envelope, file_key)
}

/// The file key under the secret a recipient was sent.
fn file_key_under(envelope: &Envelope, content: &Secret<96>) -> anyhow::Result<Secret<32>> {
    let part = envelope.custody.as_ref().context("the envelope has no dealing that it could be of")?;
    let dealing = checked(envelope, part).context("the dealing does not hold")?;
    dealing.open_as_recipient(content, &part.wrapped).map_err(|e| match e {
        RecipientError::Hybrid => anyhow!(e),
        cheat => anyhow!(cheat).context("the dealer cheated or made a mistake"),
    })
}

/// Opens with a key that custodians share: if it is not the body's, the dealer is at fault.
fn with_dealt_key(envelope: Envelope, file_key: Secret<32>) -> anyhow::Result<Opener> {
    Opener::with_file_key(envelope, file_key).map_err(|e| {
        anyhow!("what was dealt is not this body\u{2019}s key ({e}): the dealer cheated or made a mistake")
    })
}

/// Digest of a policy file that this program can read: BLAKE3 of its bytes, as reports name it.
pub(super) fn policy_digest(path: &Path) -> anyhow::Result<[u8; 32]> {
    let bytes = read_bounded(path, POLICY_BYTES_MAX)?;
    std::str::from_utf8(&bytes)
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(bailiwick_verifier::Policy::parse(text)?))
        .with_context(|| format!("{} is no policy", path.display()))
        .context(Help("`bailiwick policy check` says what a policy may say"))?;
    Ok(*blake3::hash(&bytes).as_bytes())
}

fn recipient_keys(paths: &[PathBuf]) -> anyhow::Result<Vec<RecipientSecretKey>> {
    paths.iter().map(|p| keyfile::read_recipient_key(p)).collect()
}
