//! Releases on record: entries of custodians, and the proofs that a log has them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use bailiwick_custody::{ReleaseEntry, ReleaseRecord, VerifiedDealing, enough_released};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_roster::Quoted;
use bailiwick_translog::{ENTRY_BYTES_MAX, LogPolicy, PROOF_BYTES_MAX, verify_proof};

use super::super::log::verifier_key;
use super::name;
use crate::Help;
use crate::output::read_bounded;
use crate::say;

/// Which records, and whose log counts.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    /// A release on record: the custodian's entry, and the proof that the log has it; repeat for each
    #[arg(long, num_args = 2, value_names = ["ENTRY", "PROOF"], requires = "log_key")]
    logged: Vec<PathBuf>,
    /// The log's verifier key, or its .vkey file
    #[arg(long, value_name = "KEY", requires = "logged")]
    log_key: Option<String>,
    /// Verifier key (or .vkey file) of a witness that counts
    #[arg(long, value_name = "KEY", requires = "logged")]
    witness: Vec<String>,
    /// How many of them must have cosigned [default: all]
    #[arg(long, value_name = "N", requires = "logged")]
    quorum: Option<usize>,
}

/// One release, by its custodian's word.
#[derive(serde::Serialize)]
pub(super) struct ReleaseLine {
    custodian: String,
    requester: String,
    released_unix_ms: u64,
    log_index: u64,
}

/// Releases on record.
#[derive(serde::Serialize)]
pub(super) struct Released {
    releases: Vec<ReleaseLine>,
    /// Fingerprints of keys to which enough custodians released.
    enough_released_to: Vec<String>,
}

impl RecordArgs {
    /// Checks every record under the dealing and the log; none without any.
    pub(super) fn read(&self, dealing: &VerifiedDealing) -> anyhow::Result<Option<Released>> {
        let Some(log_key) = &self.log_key else { return Ok(None) };
        let witnesses = self.witness.iter().map(|w| verifier_key(w)).collect::<anyhow::Result<Vec<_>>>()?;
        let quorum = self.quorum.unwrap_or(witnesses.len());
        let policy = LogPolicy::new(verifier_key(log_key)?, witnesses, quorum)?;
        let (mut releases, mut records) = (Vec::new(), Vec::new());
        for pair in self.logged.chunks_exact(2) {
            let (record, log_index) = read(&pair[0], &pair[1], dealing, &policy)?;
            releases.push(ReleaseLine {
                custodian: name(dealing, usize::from(record.point) - 1).to_owned(),
                requester: hex::encode(record.requester),
                released_unix_ms: record.released_unix_ms,
                log_index,
            });
            records.push(record);
        }
        let enough = enough_released(dealing, &records).into_keys().map(hex::encode).collect();
        Ok(Some(Released { releases, enough_released_to: enough }))
    }
}

fn read(
    entry_path: &Path,
    proof_path: &Path,
    dealing: &VerifiedDealing,
    policy: &LogPolicy,
) -> anyhow::Result<(ReleaseRecord, u64)> {
    let bytes = read_bounded(entry_path, ENTRY_BYTES_MAX as u64)?;
    let entry = ReleaseEntry::from_bytes(&bytes)
        .map_err(|e| anyhow!("{} is no record of a release: {e}", entry_path.display()))
        .context(Help("`bailiwick custody release` writes one"))?;
    let record = entry.verify(dealing).with_context(|| format!("{}", entry_path.display()))?;
    let proof = read_bounded(proof_path, PROOF_BYTES_MAX as u64)?;
    let verified = verify_proof(&proof, &bytes, policy).with_context(|| {
        format!("{} does not show that the log has {}", proof_path.display(), entry_path.display())
    })?;
    Ok((record, verified.index))
}

impl Released {
    pub(super) fn print(&self, threshold: usize) -> std::io::Result<()> {
        for r in &self.releases {
            say!("released    {} to key {}, log entry {}", Quoted(&r.custodian), r.requester, r.log_index)?;
        }
        for key in &self.enough_released_to {
            say!("RECOVERED   {threshold} or more released to key {key}: its holder can open the object")?;
        }
        say!("not proved  that custodians entered every release: a log shows what is in it")
    }
}
