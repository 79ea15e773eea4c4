//! The transparency log of a campaign, over HTTP. What it answers is checked against its pinned key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_auditor::{Fault, Log, Page, Proof, checked_proof};
use bailiwick_logserver::{Added, ClientError, LogClient};
use bailiwick_protocol::signing::SigningKey;
use bailiwick_translog::{
    Hash, Level, LogPolicy, SignedCheckpoint, Tile, TileSource as _, Tree, decode_bundle, leaf_hash,
    node_hash, verify_inclusion,
};

use super::files::LogEntry;
use crate::output::{printable, read_bounded};

/// Certificates to trust are few and small.
const ROOTS_BYTES_MAX: u64 = 1 << 20;
/// For one answer of the log, which asks its witnesses meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries handed in side by side; the log puts them into one batch.
const SIDE_BY_SIDE: usize = 16;
/// Entries of a bundle of tlog-tiles.
const BUNDLE: u64 = 256;

/// A log, and who the auditor is to it.
pub(super) struct TransparencyLog {
    client: LogClient,
    policy: LogPolicy,
    /// The same log without a quorum: what lacks witnesses can still be read.
    bare: LogPolicy,
    key: Arc<SigningKey>,
    /// Proofs that came with the index, not verified.
    proofs: BTreeMap<u64, Vec<u8>>,
}

impl TransparencyLog {
    /// Does not connect.
    pub(super) fn new(entry: &LogEntry, key: &Arc<SigningKey>) -> anyhow::Result<Self> {
        let policy = entry.policy()?;
        let roots = entry.roots.as_deref().map(|path| read_bounded(path, ROOTS_BYTES_MAX)).transpose()?;
        Ok(Self {
            client: LogClient::new(&entry.url, roots.as_deref(), PATIENCE).context("the log's address")?,
            bare: LogPolicy::new(policy.log().clone(), policy.witnesses().to_vec(), 0)?,
            policy,
            key: Arc::clone(key),
            proofs: BTreeMap::new(),
        })
    }

    fn add(&self, entry: &[u8]) -> Result<Added, ClientError> {
        self.client.add(entry, self.policy.log().public(), &self.key)
    }

    /// The bundle that holds index `at`, each entry of it checked against the checkpoint's root.
    fn bundle(&self, at: u64, checkpoint: &SignedCheckpoint) -> Result<Vec<Vec<u8>>, Fault> {
        let (size, root) = (checkpoint.checkpoint().size, checkpoint.checkpoint().root);
        let tile =
            Tile::of_size(Level::Entries, at / BUNDLE, size).ok_or_else(|| untrusted("no such bundle"))?;
        let bytes =
            self.client.read(tile).map_err(|e| fault(&e))?.ok_or_else(|| untrusted("no such bundle"))?;
        let entries: Vec<Vec<u8>> = decode_bundle(&bytes, tile.width())
            .map_err(|e| untrusted(&e.to_string()))?
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
        let first = at / BUNDLE * BUNDLE;
        let above =
            Tree::new(&self.client, size).inclusion(first, size).map_err(|e| untrusted(&e.to_string()))?;
        // The path of the first entry within the bundle is made of all its other entries.
        let within = path_of_first(&leaves);
        let path: Vec<Hash> =
            within.iter().chain(above.get(within.len()..).unwrap_or_default()).copied().collect();
        verify_inclusion(&leaves[0], first, size, &path, &root).map_err(|e| untrusted(&e.to_string()))?;
        Ok(entries)
    }
}

/// Root of the tree over `leaves` (RFC 9162 section 2.1.1), which are not empty.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// Siblings on the way from the first of `leaves` to their root, from below.
fn path_of_first(leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let mut path = path_of_first(left);
    path.push(root_of(right));
    path
}

fn untrusted(why: &str) -> Fault {
    Fault::Untrusted { who: "the log", why: printable(why) }
}

fn unavailable(why: &str) -> Fault {
    Fault::Unavailable { who: "the log", why: printable(why) }
}

fn fault(error: &ClientError) -> Fault {
    match error {
        ClientError::Protocol(_) | ClientError::Proof(_) => untrusted(&error.to_string()),
        _ => unavailable(&error.to_string()),
    }
}

impl Log for TransparencyLog {
    fn append(&mut self, entries: &[Vec<u8>]) -> Result<Vec<u64>, Fault> {
        let mut indices = Vec::with_capacity(entries.len());
        for some in entries.chunks(SIDE_BY_SIDE) {
            let add = |entry: &[u8]| self.add(entry).map_err(|e| fault(&e));
            let add = &add;
            let added: Vec<Result<Added, Fault>> = std::thread::scope(|scope| {
                let asked: Vec<_> = some
                    .iter()
                    .map(|entry| (entry, std::thread::Builder::new().spawn_scoped(scope, move || add(entry))))
                    .collect();
                let answer = |(entry, thread): (&Vec<u8>, std::io::Result<ScopedJoinHandle<'_, _>>)| {
                    // Where no thread starts they are asked one after the other.
                    let Ok(thread) = thread else { return add(entry) };
                    thread.join().unwrap_or_else(|_| Err(unavailable("a thread of this program ended")))
                };
                asked.into_iter().map(answer).collect()
            });
            for one in added {
                let Added { index, proof } = one?;
                self.proofs.extend(proof.map(|p| (index, p)));
                indices.push(index);
            }
        }
        Ok(indices)
    }

    fn proof(&mut self, index: u64, entry: &[u8]) -> Result<Proof, Fault> {
        if let Some(text) = self.proofs.remove(&index)
            && let Ok(proof) = checked_proof(&self.policy, index, entry, text)
            && proof.witnessed
        {
            return Ok(proof);
        }
        let checkpoint = self.client.checkpoint(&self.bare).map_err(|e| fault(&e))?;
        if checkpoint.checkpoint().size <= index {
            return Err(unavailable(
                "it has published no checkpoint with the entry yet: are its witnesses there?",
            ));
        }
        let (_, proof) = self.client.prove(index, &checkpoint).map_err(|e| fault(&e))?;
        checked_proof(&self.policy, index, entry, proof.to_bytes())
    }

    fn entries(&mut self, from: u64) -> Result<Page, Fault> {
        let checkpoint = self.client.checkpoint(&self.bare).map_err(|e| fault(&e))?;
        let size = checkpoint.checkpoint().size;
        if from >= size {
            return Ok(Page { entries: Vec::new(), size });
        }
        let mut entries = self.bundle(from, &checkpoint)?;
        entries.drain(..usize::try_from(from % BUNDLE).unwrap_or(0).min(entries.len()));
        Ok(Page { entries, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every entry of a bundle of every width counts in the path that is checked.
    #[test]
    fn the_path_of_the_first_entry_depends_on_every_other() {
        for width in 1..=20u64 {
            let leaves: Vec<Hash> = (0..width).map(|i| leaf_hash(&i.to_le_bytes())).collect();
            let root = root_of(&leaves);
            let path = path_of_first(&leaves);
            verify_inclusion(&leaves[0], 0, width, &path, &root).unwrap();
            for i in 1..leaves.len() {
                let mut changed = leaves.clone();
                changed[i] = leaf_hash(b"another");
                assert!(verify_inclusion(&leaves[0], 0, width, &path_of_first(&changed), &root).is_err());
            }
        }
    }
}
