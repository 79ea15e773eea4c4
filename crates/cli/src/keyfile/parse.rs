//! Key files as they are read: text, halves and permission bits.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_protocol::key_file::{KEY_FILE_BYTES_MAX, KeyFile};
use bailiwick_protocol::secret::Secret;
use zeroize::Zeroizing;

use super::create::public_of;
use super::{Algorithm, Kind, PublicKey};
use crate::Help;

/// A key file of any sort.
pub(super) struct Parsed {
    pub(super) public: PublicKey,
    pub(super) secret: Option<Secret<32>>,
    pub(super) agent: Option<String>,
}

/// Checks the halves against each other.
pub(super) fn parse(text: &str) -> anyhow::Result<Parsed> {
    let file = KeyFile::parse(text)?;
    let kind = Kind::parse(file.kind).context("no known kind")?;
    let algorithm = Algorithm::parse(file.algorithm).context("no known algorithm")?;
    let public = PublicKey::new(kind, algorithm, file.public)?;
    if file.fingerprint.is_some_and(|f| f != public.fingerprint()) {
        bail!("the fingerprint is not the one of the public key");
    }
    let derived = file.secret.as_ref().map(|s| public_of(algorithm, s)).transpose()?;
    if derived.is_some_and(|derived| derived != public.bytes) {
        bail!("the public key does not belong to the secret one");
    }
    if file.agent.is_some() && kind != Kind::Recipient {
        bail!("an agent holds recipient keys only");
    }
    Ok(Parsed { public, secret: file.secret, agent: file.agent.map(str::to_owned) })
}

/// A key file that holds a secret nobody else can read.
pub(super) fn read_secret(path: &Path) -> anyhow::Result<Parsed> {
    let (parsed, mode) = read_file(path)?;
    checked_secret(path, parsed, mode)
}

/// What was read of a file with these permission bits, if it holds a secret and keeps it.
pub(super) fn checked_secret(path: &Path, parsed: Parsed, mode: u32) -> anyhow::Result<Parsed> {
    if parsed.agent.is_some() {
        return Err(anyhow!("the secret half of {} is held by an agent", path.display()))
            .context(Help("this command needs a key file that holds the secret itself"));
    }
    if parsed.secret.is_none() {
        return Err(anyhow!("{} holds a public key only", path.display()))
            .context(Help("give the secret key file, the one without .pub"));
    }
    check_private(path, mode)?;
    Ok(parsed)
}

/// A key file of any sort, and the permission bits of the file that was read.
pub(super) fn read_file(path: &Path) -> anyhow::Result<(Parsed, u32)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mode = file.metadata().with_context(|| format!("cannot examine {}", path.display()))?.mode();
    // One byte more than a key file has, so that a longer one is refused and not cut; all at once, so that no copy is left.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|e| anyhow!("cannot read {} as text: {}", path.display(), e.kind()))?;
    let parsed = parse(&text).with_context(|| format!("{} is not a key file", path.display()))?;
    Ok((parsed, mode))
}

fn check_private(path: &Path, mode: u32) -> anyhow::Result<()> {
    if mode & 0o077 != 0 {
        return Err(anyhow!(
            "{} can be read by others (mode {:03o}); run: chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        ))
        .context(Help("if others could read it for long, make a new key instead"));
    }
    Ok(())
}
