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
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::inventory::{Inventory, SignedInventory};
use bailiwick_protocol::signing::SigningKey;
use bailiwick_store::{Held, ObjectRecord, Store, StoreError};

use crate::config::InventoryLimits;
use crate::metrics::Metrics;
use live::Live;

/// Trees kept in memory, the latest used: about 220 bytes an object each.
const TREES_MAX: usize = 2;

/// Why there is no inventory, or no part of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InventoriesError {
    #[error("the inventory of epoch {last} is made already; none is made for an earlier epoch")]
    Passed { last: u64 },
    #[error("nothing is held that an inventory could list")]
    NothingHeld,
    #[error("too many inventories are live")]
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

/// What making one builds on.
struct Making {
    /// All that was held when the store was asked last; `None` when that was nothing.
    base: Option<Arc<InventoryTree>>,
    /// The last epoch decided.
    last: u64,
}

pub(crate) struct Inventories {
    store: Store,
    key: Arc<SigningKey>,
    metrics: Arc<Metrics>,
    limits: InventoryLimits,
    making: Mutex<Making>,
    live: Live,
    trees: Mutex<VecDeque<(u64, Arc<InventoryTree>)>>,
}

impl Inventories {
    /// Takes up what the store has; `now` in milliseconds since 1970-01-01 UTC.
    pub(crate) fn open(
        store: Store,
        key: Arc<SigningKey>,
        metrics: Arc<Metrics>,
        limits: InventoryLimits,
        now: u64,
    ) -> Result<Self, StoreError> {
        let decided = store.inventories()?;
        let last = decided.last().map_or(0, |(epoch, _)| *epoch);
        let making = Mutex::new(Making { base: None, last });
        let (live, trees) = (Live::default(), Mutex::default());
        let this = Self { store, key, metrics, limits, making, live, trees };
        for epoch in decided.into_iter().filter_map(|(epoch, kept)| kept.then_some(epoch)) {
            match this.load(epoch) {
                Ok((inventory, tree)) => this.live.add(epoch, inventory.made_unix_ms, tree.leaves()),
                Err(error) => {
                    tracing::error!(epoch, %error, "an inventory cannot be proven any more")
                }
            }
        }
        this.store.retain_if(this.live.rule());
        this.expire(now)?;
        Ok(this)
    }

    fn making(&self) -> MutexGuard<'_, Making> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signed inventory of an epoch, made now if it is not. The same bytes for ever, whatever happens in between.
    pub(crate) fn make(&self, epoch: u64, now: u64) -> Result<Vec<u8>, InventoriesError> {
        let mut making = self.making();
        if let Some(head) = self.store.inventory_head(epoch)? {
            return Ok(head);
        }
        if epoch <= making.last {
            return Err(InventoriesError::Passed { last: making.last });
        }
        self.expire(now)?;
        if self.live.len() >= self.limits.live_max {
            return Err(InventoriesError::TooManyLive);
        }
        let begin = Instant::now();
        // Before looking at what is held: from here on nothing that will be listed can go.
        self.store.retain_if(Arc::new(|_, _| true));
        let made = self.decide(&mut making, epoch, now);
        self.store.retain_if(self.live.rule());
        let head = made?;
        self.metrics.inventory(begin.elapsed(), self.live.len(), epoch);
        Ok(head)
    }

    fn decide(&self, making: &mut Making, epoch: u64, now: u64) -> Result<Vec<u8>, InventoriesError> {
        let tree = Arc::new(self.held(making)?);
        making.base = Some(Arc::clone(&tree));
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
        match self.store.keep_inventory(epoch, &head, tree.leaves()) {
            Ok(()) => {}
            // Decided while this process did not know: what is kept is what counts.
            Err(StoreError::InventoryExists { .. }) => {
                return self.store.inventory_head(epoch)?.ok_or(InventoriesError::Unknown);
            }
            Err(error) => return Err(error.into()),
        }
        making.last = epoch;
        self.live.add(epoch, now, tree.leaves());
        self.remember(epoch, tree);
        tracing::info!(epoch, leaves = target.leaves, cells = target.cells, "inventory made");
        Ok(head)
    }

    /// The tree of all that is held now: of what changed since it was built last, if that is known.
    fn held(&self, making: &mut Making) -> Result<InventoryTree, InventoriesError> {
        let base = making.base.take();
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

    /// The tree of a live inventory.
    pub(crate) fn tree(&self, epoch: u64) -> Result<Arc<InventoryTree>, InventoriesError> {
        if let Some(tree) = self.remembered(epoch) {
            return Ok(tree);
        }
        let (_, tree) = self.load(epoch)?;
        self.remember(epoch, Arc::clone(&tree));
        Ok(tree)
    }

    /// From disk; leaves that do not lead to what was signed are damage.
    fn load(&self, epoch: u64) -> Result<(Inventory, Arc<InventoryTree>), InventoriesError> {
        let (_, inventory) = self.signed(epoch)?;
        let leaves = self.store.inventory_leaves(epoch)?.ok_or(InventoriesError::Gone)?;
        let tree = InventoryTree::new(leaves)?;
        if tree.target() != inventory.target() {
            return Err(StoreError::InventoryDamaged { epoch }.into());
        }
        Ok((inventory, Arc::new(tree)))
    }

    fn trees(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<InventoryTree>)>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, epoch: u64) -> Option<Arc<InventoryTree>> {
        self.trees().iter().find(|(e, _)| *e == epoch).map(|(_, tree)| Arc::clone(tree))
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
