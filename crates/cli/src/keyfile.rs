//! Key files: a few lines of text, `name = "value"` each (a subset of TOML that needs no copies of a secret).
//!
//! A secret key file is created with permission bits 0600 and never over something that exists; reading one
//! that others can read is refused. Beside it stands `FILE.pub`, which may be given to anyone.

mod create;
mod kind;
mod parse;
mod public;
mod read;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::anyhow;

pub(crate) use self::create::{create, write_agent, write_public};
pub(crate) use self::kind::{Algorithm, Kind};
pub(crate) use self::public::PublicKey;
pub(crate) use self::read::{
    OpeningKey, any_public, is_agents, public_key, read_any_public, read_custodian_key,
    read_custodian_public, read_opening_key, read_recipient_key, read_recipient_public,
    read_secret_of_any_kind, read_signing_key, read_signing_key_of_any_kind,
};

/// The system's generator, after checking that it answers.
pub(crate) fn system_rng() -> anyhow::Result<impl rand_core::CryptoRng> {
    getrandom::fill(&mut [0; 1]).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    Ok(rand_core::UnwrapErr(getrandom::SysRng))
}

/// `path` with `suffix` appended to its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
