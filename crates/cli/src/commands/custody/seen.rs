//! What was seen of an object before: an older envelope that is given back is noticed (spec envelope, clause E13).

use std::path::Path;

use anyhow::Context as _;
use bailiwick_protocol::ids::OwnerKey;

use super::{InCustody, owner};
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::opening::KnownArgs;
use crate::output::read_bounded;

/// Whose the envelope is, and which were seen before.
#[derive(Debug, clap::Args)]
pub(super) struct SeenArgs {
    /// The owner's public key, known from elsewhere: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: String,
    #[command(flatten)]
    known: KnownArgs,
}

impl SeenArgs {
    /// The envelope at `path`, of the pinned owner and no older than what was seen, with its dealing, and what to say of rollback.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<(InCustody, String)> {
        not_older(path, &owner(&self.owner)?, &self.known)
    }
}

/// [`SeenArgs::read`] where the owner is known already.
pub(super) fn not_older(
    path: &Path,
    owner: &OwnerKey,
    known: &KnownArgs,
) -> anyhow::Result<(InCustody, String)> {
    let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let envelope = super::verified(path, owner, &bytes)?;
    let known = known.read()?;
    known.check_unit(owner, &envelope, &bytes).with_context(|| format!("cannot use {}", path.display()))?;
    Ok((InCustody::of(envelope, path)?, known.note()))
}
