//! The dossier of a campaign, from its journal.

use std::collections::BTreeMap;

use bailiwick_protocol::bundle::SignedBundle;
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::dossier::{Dossier, Logged, LoggedAudit};
use bailiwick_protocol::ids::{BundleDigest, HostKey};
use bailiwick_protocol::schedule::LogEntry;

use crate::journal::JournalError;
use crate::ports::Journal;
use crate::record::{EntryId, Record};

/// Why a campaign has no dossier.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DossierError {
    /// A bundle or the journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A stored bundle is not one.
    #[error("bundle {digest}: {source}")]
    Bundle {
        /// Its digest.
        digest: BundleDigest,
        /// Why.
        source: CodecError,
    },
}

/// Everything a campaign has shown so far, in canonical order: also what is not logged yet, and second inventories.
///
/// # Errors
/// `DossierError`.
pub fn dossier(records: &[Record], journal: &dyn Journal) -> Result<Dossier, DossierError> {
    let mut entries: BTreeMap<EntryId, Vec<u8>> = BTreeMap::new();
    let mut bundles: BTreeMap<(u64, HostKey), BundleDigest> = BTreeMap::new();
    let mut proofs: BTreeMap<EntryId, &Vec<u8>> = BTreeMap::new();
    let mut out = Dossier::default();
    for record in records {
        match record {
            Record::Schedule(s) => {
                entries.insert(EntryId::Schedule, LogEntry::Schedule(s.clone()).to_bytes());
            }
            Record::Committed { epoch, commitment, .. } => {
                entries.insert(EntryId::Epoch(*epoch), LogEntry::Epoch(commitment.clone()).to_bytes());
            }
            Record::Bundled { epoch, host, bundle, outcome } => {
                bundles.insert((*epoch, *host), *bundle);
                let entry = LogEntry::Outcome(outcome.clone()).to_bytes();
                entries.insert(EntryId::Outcome(*epoch, *host), entry);
            }
            Record::Logged { id, proof, .. } => {
                proofs.insert(*id, proof);
            }
            Record::Second { inventory, .. } => out.inventories.push(inventory.clone()),
            _ => {}
        }
    }
    let logged = |id: &EntryId| {
        let proof = (*proofs.get(id)?).clone();
        Some(Logged { entry: entries.get(id)?.clone(), proof })
    };
    out.announced =
        entries.keys().filter(|id| !matches!(id, EntryId::Outcome(..))).filter_map(&logged).collect();
    for ((epoch, host), digest) in bundles {
        let bytes = journal.bundle(&digest)?;
        let bundle =
            SignedBundle::from_bytes(&bytes).map_err(|source| DossierError::Bundle { digest, source })?;
        if bundle.digest() != digest {
            return Err(JournalError::Bundle { digest }.into());
        }
        out.audits.push(LoggedAudit { bundle, outcome: logged(&EntryId::Outcome(epoch, host)) });
    }
    out.sort();
    Ok(out)
}
