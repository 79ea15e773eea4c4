//! Keys of the kind a command needs, from files or, the public ones, from text.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_custody::{CustodianPublicKey, CustodianSecretKey};
use bailiwick_envelope::{RecipientPublicKey, RecipientSecretKey};
use bailiwick_protocol::key_file::KEY_FILE_BYTES_MAX;
use bailiwick_protocol::key_text::looks_like_a_key;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use zeroize::Zeroizing;

use super::parse::{Parsed, checked_secret, parse, read_file, read_secret};
use super::{Algorithm, Kind, PublicKey};
use crate::Help;
use crate::output::read_bounded;

/// Reads the public half of a key file of any kind, secret or `.pub`, without looking at a secret's permissions.
pub(crate) fn read_any_public(path: &Path) -> anyhow::Result<PublicKey> {
    let bytes = Zeroizing::new(read_bounded(path, KEY_FILE_BYTES_MAX as u64)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| anyhow!("{} is not text", path.display()))?;
    Ok(parse(text).with_context(|| format!("{} is not a key file", path.display()))?.public)
}

/// Reads a signing key of one kind.
pub(crate) fn read_signing_key(path: &Path, kind: Kind) -> anyhow::Result<SigningKey> {
    signing_key(path, read_secret(path)?, Some(kind))
}

/// Reads a signing key, whatever it was made for.
pub(crate) fn read_signing_key_of_any_kind(path: &Path) -> anyhow::Result<SigningKey> {
    signing_key(path, read_secret(path)?, None)
}

fn signing_key(path: &Path, parsed: Parsed, wanted: Option<Kind>) -> anyhow::Result<SigningKey> {
    let found = parsed.public.kind;
    if wanted.is_some_and(|k| k != found) || parsed.public.algorithm != Algorithm::Ed25519 {
        let wanted = wanted.map_or("signing", Kind::name);
        return Err(anyhow!("{} is a {} key, this needs a {wanted} key", path.display(), found.name()))
            .context(Help("`bailiwick key show FILE` says what a key file is"));
    }
    let secret = parsed.secret.context("a secret key was read")?;
    Ok(SigningKey::from_seed(&secret))
}

/// The 32 secret bytes of a key file, whatever they were made for: to show that they open nothing else.
pub(crate) fn read_secret_of_any_kind(path: &Path) -> anyhow::Result<Secret<32>> {
    read_secret(path)?.secret.context("a secret key was read")
}

/// Reads a recipient's secret key.
pub(crate) fn read_recipient_key(path: &Path) -> anyhow::Result<RecipientSecretKey> {
    recipient_key(path, read_secret(path)?)
}

fn recipient_key(path: &Path, parsed: Parsed) -> anyhow::Result<RecipientSecretKey> {
    let Parsed { public, secret, .. } = parsed;
    match (public.algorithm.kem(), secret) {
        (Some(kem), Some(secret)) => Ok(RecipientSecretKey::from_bytes(kem, secret)?),
        _ => Err(anyhow!("{} is a {} key, this needs a recipient key", path.display(), public.kind.name()))
            .context(Help("`bailiwick key show FILE` says what a key file is")),
    }
}

/// A recipient's key as it opens things: held in a file, or by an agent.
pub(crate) enum OpeningKey {
    Held(RecipientSecretKey),
    Agent { name: String, public: RecipientPublicKey },
}

/// Reads a recipient's secret key file, or one that names the agent that holds it.
pub(crate) fn read_opening_key(path: &Path) -> anyhow::Result<OpeningKey> {
    let (mut parsed, mode) = read_file(path)?;
    let Some(name) = parsed.agent.take() else {
        // Not read again: a pipe gives a key once.
        return Ok(OpeningKey::Held(recipient_key(path, checked_secret(path, parsed, mode)?)?));
    };
    // The file decides which program runs.
    if mode & 0o022 != 0 {
        return Err(anyhow!("{} can be written by others and names a program to run", path.display()))
            .context(Help("chmod go-w the file, and check what it says"));
    }
    let kem = parsed.public.algorithm.kem().context("an agent holds recipient keys only")?;
    Ok(OpeningKey::Agent { name, public: RecipientPublicKey::from_bytes(kem, &parsed.public.bytes)? })
}

/// Whether a key file names an agent instead of a secret.
pub(crate) fn is_agents(path: &Path) -> anyhow::Result<bool> {
    Ok(read_file(path)?.0.agent.is_some())
}

/// A public key given as its checksummed word, or as a key file.
pub(crate) fn any_public(text: &Path) -> anyhow::Result<PublicKey> {
    match text.to_str().filter(|t| looks_like_a_key(t)) {
        Some(word) => {
            PublicKey::from_text(word).with_context(|| format!("{} is no public key", shortened(word)))
        }
        None => read_any_public(text),
    }
}

/// Enough of a key's text to find it among others: a hybrid one fills a screen.
fn shortened(word: &str) -> String {
    const SHOWN: usize = 80;
    const END: usize = 8;
    let all = word.chars().count();
    if all <= SHOWN {
        return word.to_owned();
    }
    let start: String = word.chars().take(SHOWN - END).collect();
    let end: String = word.chars().skip(all - END).collect();
    format!("{start}…{end}")
}

/// A recipient's public key: its checksummed word, or its `.pub` file.
pub(crate) fn read_recipient_public(path: &Path) -> anyhow::Result<RecipientPublicKey> {
    let public = any_public(path)?;
    let kem = public.algorithm.kem().ok_or_else(|| {
        anyhow!("{} is a {} key, this needs a recipient key", path.display(), public.kind.name())
            .context(Help("make one with `bailiwick key new recipient`"))
    })?;
    Ok(RecipientPublicKey::from_bytes(kem, &public.bytes)?)
}

/// Reads a custodian's secret key.
pub(crate) fn read_custodian_key(path: &Path) -> anyhow::Result<CustodianSecretKey> {
    let Parsed { public, secret, .. } = read_secret(path)?;
    check_custodian(path, &public)?;
    Ok(CustodianSecretKey::from_bytes(secret.context("a secret key was read")?))
}

/// A custodian's public key: its checksummed word, or its `.pub` file; its proof of possession is checked.
pub(crate) fn read_custodian_public(path: &Path) -> anyhow::Result<CustodianPublicKey> {
    let public = any_public(path)?;
    check_custodian(path, &public)?;
    Ok(CustodianPublicKey::from_bytes(&public.bytes)?)
}

fn check_custodian(path: &Path, public: &PublicKey) -> anyhow::Result<()> {
    if public.kind == Kind::Custodian {
        return Ok(());
    }
    Err(anyhow!("{} is a {} key, this needs a custodian key", path.display(), public.kind.name()))
        .context(Help("make one with `bailiwick key new custodian`"))
}

/// A public signing key given as 64 hexadecimal digits or as the name of its `.pub` file.
pub(crate) fn public_key(text: &str, kind: Kind) -> anyhow::Result<[u8; 32]> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        return Ok(bytes);
    }
    let public = any_public(Path::new(text)).context(Help(
        "give the key's text (bw…1…), 64 lower-case hexadecimal digits, or the name of a .pub file",
    ))?;
    if public.kind != kind {
        bail!("{text} is a {} key, this needs a {} key", public.kind.name(), kind.name());
    }
    public.bytes.try_into().map_err(|_| anyhow!("{text} is not an Ed25519 key"))
}
