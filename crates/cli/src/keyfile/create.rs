//! New key files: private from their first byte, and never over something that exists.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_custody::CustodianSecretKey;
use bailiwick_envelope::RecipientSecretKey;
use bailiwick_protocol::key_file::{KeyFile, agent_name_is_valid};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::{Algorithm, Kind, PublicKey, system_rng, with_suffix};
use crate::Help;
use crate::output::write_new;

/// Makes a key, writes `path` (0600) and `path.pub`, and gives the public half.
pub(crate) fn create(kind: Kind, algorithm: Algorithm, path: &Path) -> anyhow::Result<PublicKey> {
    if path.as_os_str() == "-" {
        return Err(anyhow!("a key is two files, and does not go to standard output"))
            .context(Help("name the file of the secret with -o"));
    }
    let mut rng = system_rng()?;
    let (secret, bytes) = match algorithm.kem() {
        Some(kem) => {
            let key = RecipientSecretKey::generate(kem, &mut rng);
            let secret = Secret::init_with(|b| b.copy_from_slice(key.secret().expose_secret()));
            (secret, key.public().as_bytes().to_vec())
        }
        None => {
            let secret = Secret::<32>::init_with(|b| rand_core::Rng::fill_bytes(&mut rng, b));
            let bytes = public_of(algorithm, &secret)?;
            (secret, bytes)
        }
    };
    let public = PublicKey::new(kind, algorithm, bytes)?;
    let text = public.to_text(Some(secret));
    let beside = with_suffix(path, ".pub");
    if fs::symlink_metadata(&beside).is_ok() {
        return Err(anyhow!("{} exists already", beside.display()))
            .context(Help("choose another name with -o"));
    }
    write_secret(path, text.as_bytes())?;
    if let Err(e) = write_new(&beside, 0o644, public.to_text(None).as_bytes()) {
        // Nobody has seen its public half: nothing is lost, and the same command can be run again.
        fs::remove_file(path).with_context(|| format!("the new secret {} is of no use", path.display()))?;
        return Err(e);
    }
    Ok(public)
}

/// Writes the `.pub` file of a signing key whose secret half is kept elsewhere.
pub(crate) fn write_public(kind: Kind, bytes: &[u8; 32], path: &Path) -> anyhow::Result<()> {
    let public = PublicKey::new(kind, Algorithm::Ed25519, bytes.to_vec())?;
    write_new(path, 0o644, public.to_text(None).as_bytes())
}

/// `O_CREAT | O_EXCL`: neither a file nor a symbolic link that exists is followed or replaced.
fn write_secret(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            anyhow!("{} exists already; a key file is never replaced", path.display())
                .context(Help("choose another name with -o"))
        } else {
            anyhow!(e).context(format!("cannot create {}", path.display()))
        }
    })?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if let Err(e) = written {
        fs::remove_file(path).ok();
        return Err(e).with_context(|| format!("cannot write {}", path.display()));
    }
    Ok(())
}

/// The public half of 32 secret bytes.
pub(super) fn public_of(algorithm: Algorithm, secret: &Secret<32>) -> anyhow::Result<Vec<u8>> {
    let copy = || Secret::init_with(|b| b.copy_from_slice(secret.expose_secret()));
    Ok(match algorithm.kem() {
        Some(kem) => RecipientSecretKey::from_bytes(kem, copy())?.public().as_bytes().to_vec(),
        None if algorithm == Algorithm::Ristretto255 => {
            CustodianSecretKey::from_bytes(copy()).public().to_bytes()
        }
        None => SigningKey::from_seed(secret).public().to_vec(),
    })
}

/// Writes a key file whose secret half the agent `name` holds.
pub(crate) fn write_agent(public: &PublicKey, name: &str, path: &Path) -> anyhow::Result<()> {
    if !agent_name_is_valid(name) {
        bail!("an agent's name has 1 to 32 lower-case letters, digits and inner hyphens");
    }
    if public.kind != Kind::Recipient {
        bail!("an agent holds recipient keys only, this is a {} key", public.kind.name());
    }
    let fingerprint = public.fingerprint();
    let file = KeyFile {
        kind: public.kind.name(),
        algorithm: public.algorithm.name(),
        public: public.bytes.clone(),
        fingerprint: Some(&fingerprint),
        secret: None,
        agent: Some(name),
    };
    write_new(path, 0o600, file.to_text().as_bytes())
}
