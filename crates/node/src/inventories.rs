//! What this host says it holds: one signed inventory for each epoch, durable before anyone sees it (spec inventory I5-I9).
//!
//! While an inventory is live, every version it lists stays provable: the store keeps aside what owners replace or delete. After
//! `retain_hours` its leaves and those versions go; what was signed stays for ever.

mod live;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bailiwick_possession::inventory::{Change, InventoryError, InventoryTree};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::ids::{AuditorKey, HostKey};
use bailiwick_protocol::inventory::{Inventory, SignedInventory};
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::{Held, ObjectRecord, Store, StoreError};

use crate::config::InventoryLimits;
use crate::error::NodeError;
use crate::metrics::Metrics;
use live::Live;

/// Trees kept in memory, the latest used: about 220 bytes an object each.
const TREES_MAX: usize = 2;

/// Why there is no inventory, or no part of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InventoriesError {
    #[error("this host makes inventories of epochs {} to {} now", .now.saturating_sub(1), .now + 1)]
    OtherTime { now: u64 },
    #[error("nothing is held that an inventory could list")]
    NothingHeld,
    #[error("too many inventories that this auditor had made are live")]
    TooManyLive,
    #[error("this host made no inventory of this epoch")]
    Unknown,
    #[error("this inventory is not live any more")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("inventory: {0}")]
    Tree(#[from] InventoryError),
    /// Signed by another key, or rotten.
    #[error("the stored inventory of epoch {epoch} is not this host's: {source}")]
    Head { epoch: u64, source: CodecError },
}

/// An inventory as it is kept.
struct Kept {
    inventory: Inventory,
    /// Who had it made.
    asker: AuditorKey,
    tree: Arc<InventoryTree>,
}

pub(crate) struct Inventories {
    store: Store,
    key: Arc<SigningKey>,
    metrics: Arc<Metrics>,
    limits: InventoryLimits,
    /// What making one builds on: all that was held when the store was asked last; `None` when that was nothing.
    making: Mutex<Option<Arc<InventoryTree>>>,
    live: Live,
    /// The tree used last stands last.
    trees: Mutex<VecDeque<(u64, Arc<InventoryTree>)>>,
    /// Held while a tree is built from disk.
    building: Mutex<()>,
}

impl Inventories {
    /// Takes up what the store has; `now` in milliseconds since 1970-01-01 UTC. An inventory whose leaves are damaged is given up.
    ///
    /// # Errors
    /// Also when an inventory cannot be read *now*: without it, the versions it lists would be given up.
    pub(crate) fn open(
        store: Store,
        key: Arc<SigningKey>,
        metrics: Arc<Metrics>,
        limits: InventoryLimits,
        now: u64,
    ) -> Result<Self, NodeError> {
        let decided = store.inventories()?;
        let (making, live) = (Mutex::default(), Live::default());
        let (trees, building) = (Mutex::default(), Mutex::default());
        let this = Self { store, key, metrics, limits, making, live, trees, building };
        for epoch in decided.into_iter().filter_map(|(epoch, kept)| kept.then_some(epoch)) {
            match this.load(epoch) {
                Ok(Kept { inventory, asker, tree }) => {
                    this.live.add(epoch, inventory.made_unix_ms, asker, tree.leaves());
                }
                // With the host key of another node every head looks like this.
                Err(InventoriesError::Head { epoch, source }) => {
                    return Err(NodeError::ForeignInventory { epoch, source });
                }
                Err(InventoriesError::Store(error))
                    if !matches!(error, StoreError::InventoryDamaged { .. }) =>
                {
                    tracing::error!(
                        epoch,
                        "an inventory cannot be read now (docs/operations.md, section Inventories)"
                    );
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::error!(epoch, %error, "an inventory cannot be proven any more");
                    this.store.drop_inventory_leaves(epoch)?;
                }
            }
        }
        this.store.retain_if(this.live.rule());
        this.expire(now)?;
        Ok(this)
    }

    fn making(&self) -> MutexGuard<'_, Option<Arc<InventoryTree>>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signed inventory of an epoch, made now for `asker` if it is not. The same bytes for ever, whatever happens in between.
    pub(crate) fn make(&self, epoch: u64, asker: AuditorKey, now: u64) -> Result<Vec<u8>, InventoriesError> {
        let mut making = self.making();
        if let Some(head) = self.store.inventory_head(epoch)? {
            return Ok(head);
        }
        if let Some(current) = self.limits.epoch_at(now)
            && epoch.abs_diff(current) > 1
        {
            return Err(InventoriesError::OtherTime { now: current });
        }
        self.expire(now)?;
        if self.live.of(&asker) >= self.limits.live_max {
            tracing::error!(
                live_max = self.limits.live_max,
                epoch,
                "an auditor is refused an inventory: its audit of this host fails; raise inventory.live_max if its epochs are as agreed"
            );
            return Err(InventoriesError::TooManyLive);
        }
        let begin = Instant::now();
        // Before looking at what is held: from here on nothing that will be listed can go.
        self.store.retain_if(Arc::new(|_, _| true));
        let made = self.decide(&mut making, epoch, asker, now);
        self.store.retain_if(self.live.rule());
        let head = made?;
        self.metrics.inventory(begin.elapsed(), self.live.len(), epoch);
        Ok(head)
    }

    fn decide(
        &self,
        base: &mut Option<Arc<InventoryTree>>,
        epoch: u64,
        asker: AuditorKey,
        now: u64,
    ) -> Result<Vec<u8>, InventoriesError> {
        let tree = Arc::new(self.held(base.take())?);
        *base = Some(Arc::clone(&tree));
        let target = tree.target();
        let inventory = Inventory {
            host: HostKey(self.key.public()),
            epoch,
            root: target.root,
            leaves: target.leaves,
            cells: target.cells,
            made_unix_ms: now,
        };
        let head = SignedInventory::new(&inventory, &self.key).to_bytes();
        // Before anyone can see it: who sees it may ask about it.
        self.live.add(epoch, now, asker, tree.leaves());
        if let Err(error) = self.store.keep_inventory(epoch, &head, &asker, tree.leaves()) {
            self.live.remove(epoch);
            return Err(error.into());
        }
        self.remember(epoch, tree);
        tracing::info!(epoch, leaves = target.leaves, cells = target.cells, "inventory made");
        Ok(head)
    }

    /// The tree of all that is held now: of what changed since it was built last, if that is known.
    fn held(&self, base: Option<Arc<InventoryTree>>) -> Result<InventoryTree, InventoriesError> {
        let built = match (self.store.take_changes()?, base) {
            (Held::All(records), _) => InventoryTree::new(records.iter().map(ObjectRecord::target).collect()),
            (Held::Changed(changes), Some(base)) => {
                base.updated(changes.into_iter().map(|(name, record)| match record {
                    Some(record) => Change::Held(record.target()),
                    None => Change::Gone(name),
                }))
            }
            // Nothing was held when it was asked last, so this is everything; names ascend.
            (Held::Changed(changes), None) => {
                let held = changes.into_iter().filter_map(|(_, record)| record);
                InventoryTree::new(held.map(|r| r.target()).collect())
            }
        };
        built.map_err(|error| match error {
            InventoryError::Empty => InventoriesError::NothingHeld,
            error => {
                self.store.forget_changes();
                error.into()
            }
        })
    }

    /// What was signed for an epoch, live or not.
    pub(crate) fn head(&self, epoch: u64) -> Result<Vec<u8>, InventoriesError> {
        self.store.inventory_head(epoch)?.ok_or(InventoriesError::Unknown)
    }

    /// What was signed for an epoch, verified and decoded.
    pub(crate) fn signed(&self, epoch: u64) -> Result<(SignedInventory, Inventory), InventoriesError> {
        let failed = |source| InventoriesError::Head { epoch, source };
        let signed = SignedInventory::from_bytes(&self.head(epoch)?).map_err(failed)?;
        let inventory = signed.verify(&self.key.public()).map_err(failed)?;
        if inventory.epoch != epoch {
            return Err(failed(CodecError::Invalid("epoch")));
        }
        Ok((signed, inventory))
    }

    /// The tree of a live inventory. However many ask, one is built from disk at a time.
    pub(crate) fn tree(&self, epoch: u64) -> Result<Arc<InventoryTree>, InventoriesError> {
        if !self.live.contains(epoch) {
            self.signed(epoch)?;
            return Err(InventoriesError::Gone);
        }
        if let Some(tree) = self.remembered(epoch) {
            return Ok(tree);
        }
        let _one_at_a_time = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = self.remembered(epoch) {
            return Ok(tree);
        }
        let tree = self.load(epoch)?.tree;
        self.remember(epoch, Arc::clone(&tree));
        Ok(tree)
    }

    /// From disk; leaves that do not lead to what was signed are damage.
    fn load(&self, epoch: u64) -> Result<Kept, InventoriesError> {
        let (_, inventory) = self.signed(epoch)?;
        let (asker, leaves) = self.store.inventory_leaves(epoch)?.ok_or(InventoriesError::Gone)?;
        self.metrics.inventory_read();
        let tree = InventoryTree::new(leaves)?;
        if tree.target() != inventory.target() {
            return Err(StoreError::InventoryDamaged { epoch }.into());
        }
        Ok(Kept { inventory, asker, tree: Arc::new(tree) })
    }

    fn trees(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<InventoryTree>)>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, epoch: u64) -> Option<Arc<InventoryTree>> {
        let mut trees = self.trees();
        let at = trees.iter().position(|(e, _)| *e == epoch)?;
        let used = trees.remove(at)?;
        let tree = Arc::clone(&used.1);
        trees.push_back(used);
        Some(tree)
    }

    fn remember(&self, epoch: u64, tree: Arc<InventoryTree>) {
        let mut trees = self.trees();
        trees.retain(|(e, _)| *e != epoch);
        trees.push_back((epoch, tree));
        if trees.len() > TREES_MAX {
            trees.pop_front();
        }
    }

    /// Gives up the leaves of inventories that are not live any more, and the versions kept for them.
    pub(crate) fn expire(&self, now: u64) -> Result<(), StoreError> {
        let retain_ms = self.limits.retain_hours.saturating_mul(3_600_000);
        for epoch in self.live.expired(now, retain_ms) {
            self.store.drop_inventory_leaves(epoch)?;
            self.live.remove(epoch);
            self.trees().retain(|(e, _)| *e != epoch);
            tracing::info!(epoch, "inventory is not live any more");
        }
        let (_, kept) = self.store.release()?;
        self.metrics.retained(kept, self.live.len());
        Ok(())
    }
}
