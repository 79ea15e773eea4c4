//! What was seen of an object before: an older envelope that is given back is noticed (spec envelope, clause E13).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_envelope::check_newer;
use bailiwick_protocol::ids::OwnerKey;

use super::{InCustody, owner};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::output::read_bounded;

/// Whose the envelope is, and which were seen before.
#[derive(Debug, clap::Args)]
pub(super) struct SeenArgs {
    /// The owner's public key, known from elsewhere: hexadecimal, or its .pub file
    #[arg(long, value_name = "KEY")]
    owner: String,
    /// Refuse an envelope older than this generation, known from an earlier visit: what shows that an old state is given back
    #[arg(long, value_name = "GENERATION", default_value_t = 1)]
    not_before: u64,
    /// An envelope of the same object that was seen before: an older one now, or another of the same generation, is refused; repeat for several
    #[arg(long, value_name = "ENVELOPE")]
    known: Vec<PathBuf>,
}

impl SeenArgs {
    /// The envelope at `path`, of the pinned owner and no older than what was seen, with its dealing.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<InCustody> {
        let owner = owner(&self.owner)?;
        let object = InCustody::read(path, &owner)?;
        self.check(path, &owner, object.envelope.generation)
            .with_context(|| format!("cannot use {}", path.display()))?;
        Ok(object)
    }

    fn check(&self, path: &Path, owner: &OwnerKey, found: u64) -> anyhow::Result<()> {
        if found < self.not_before {
            let known = self.not_before;
            return Err(anyhow!("this is generation {found} of the envelope, {known} was seen before"))
                .context(Help("someone gives back an old state; keep the envelope as evidence"));
        }
        let bytes = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
        for known in &self.known {
            let seen = read_bounded(known, ENVELOPE_FILE_BYTES_MAX)?;
            check_newer(owner, &seen, &bytes)
                .with_context(|| format!("compared with {}", known.display()))
                .context(Help("keep both envelopes: the owner's signature under each is evidence"))?;
        }
        Ok(())
    }

    /// What to say of rollback.
    pub(super) fn note(&self) -> String {
        match (self.not_before, self.known.is_empty()) {
            (1, true) => "rollback not excluded: at first sight nobody can tell".to_owned(),
            (1, false) => "not older than the envelope known".to_owned(),
            (known, _) => format!("not older than {known}; later ones not excluded"),
        }
    }
}
