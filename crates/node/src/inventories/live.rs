//! Which versions live inventories list.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::{AuditorKey, UnitName};
use bailiwick_store::Wanted;

struct One {
    made_unix_ms: u64,
    /// Who had it made.
    asker: AuditorKey,
    /// Short hashes of the versions listed, ascending: 8 bytes an object. Two that collide keep a file too many, never one too few.
    versions: Vec<u64>,
}

/// The live inventories; shared with the rule given to the store.
#[derive(Default)]
pub(super) struct Live(Arc<RwLock<BTreeMap<u64, One>>>);

fn version(name: &UnitName, generation: u64) -> u64 {
    let mut h = blake3::Hasher::new();
    h.update(name.owner.as_bytes()).update(name.object.as_bytes()).update(&name.unit.to_bytes());
    h.update(&generation.to_le_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&h.finalize().as_bytes()[..8]);
    u64::from_le_bytes(short)
}

impl Live {
    pub(super) fn add(&self, epoch: u64, made_unix_ms: u64, asker: AuditorKey, leaves: &[Target]) {
        let mut versions: Vec<u64> = leaves.iter().map(|l| version(&l.name, l.generation)).collect();
        versions.sort_unstable();
        let one = One { made_unix_ms, asker, versions };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(epoch, one);
    }

    pub(super) fn remove(&self, epoch: u64) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&epoch);
    }

    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn contains(&self, epoch: u64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&epoch)
    }

    /// How many one auditor had made.
    pub(super) fn of(&self, asker: &AuditorKey) -> usize {
        let live = self.0.read().unwrap_or_else(PoisonError::into_inner);
        live.values().filter(|one| one.asker == *asker).count()
    }

    /// Epochs made longer than `retain_ms` ago.
    pub(super) fn expired(&self, now: u64, retain_ms: u64) -> Vec<u64> {
        let live = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let old = |one: &One| now.saturating_sub(one.made_unix_ms) >= retain_ms;
        live.iter().filter(|(_, one)| old(one)).map(|(epoch, _)| *epoch).collect()
    }

    /// What the store keeps aside.
    pub(super) fn rule(&self) -> Arc<Wanted> {
        let live = Arc::clone(&self.0);
        Arc::new(move |name, generation| {
            let version = version(name, generation);
            let live = live.read().unwrap_or_else(PoisonError::into_inner);
            live.values().any(|one| one.versions.binary_search(&version).is_ok())
        })
    }
}
