//! Inventories of epochs (spec store, clauses N1-N4): what the host signed, for ever, and beside it the leaves, while they are needed.
//!
//! The leaves are durable before the signed head is, and the head before anyone sees it: an epoch with a durable head is decided, and
//! one without was never answered.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::{AuditorKey, CellRoot, ContentId, UnitName};
use bailiwick_protocol::limits::INVENTORY_HEAD_BYTES_MAX;

use crate::error::StoreError;
use crate::files::read_exact_at;
use crate::layout::{parse_inventory_head, parse_inventory_leaves};
use crate::record::{KEY_BYTES, ObjectRecord, key, name_of_key};
use crate::store::{Inner, Store};

/// A head is small: the message, its signature, and the array around both.
const HEAD_BYTES_MAX: u64 = INVENTORY_HEAD_BYTES_MAX as u64 + 128;

/// Before the leaves: the key of the auditor that had the inventory made.
const ASKER_BYTES: usize = 32;

const LEAF_BYTES: usize = KEY_BYTES + 3 * 8 + 2 * 32;

/// Objects listed at a time.
const PAGE: usize = 4096;

/// What is held, as told by [`Store::take_changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Everything, in name order: it was never asked before, or too much has changed.
    All(Vec<ObjectRecord>),
    /// What changed since it was asked last; `None` for what is gone.
    Changed(Vec<(UnitName, Option<ObjectRecord>)>),
}

impl Store {
    /// What is held now, as far as it was not told before. A change made meanwhile is told now or the next time, possibly both.
    ///
    /// # Errors
    /// `Io`, `Index`; then the next call tells everything.
    pub fn take_changes(&self) -> Result<Held, StoreError> {
        let told = match self.inner.index.take_changed() {
            Some(names) => names
                .into_iter()
                .map(|name| Ok((name, self.inner.indexed(&name)?)))
                .collect::<Result<_, _>>()
                .map(Held::Changed),
            None => self.list_all().map(Held::All),
        };
        if told.is_err() {
            self.forget_changes();
        }
        told
    }

    /// What was told could not be used: the next call of [`Store::take_changes`] tells everything.
    pub fn forget_changes(&self) {
        self.inner.index.forget_changed();
    }

    fn list_all(&self) -> Result<Vec<ObjectRecord>, StoreError> {
        let mut out: Vec<ObjectRecord> = Vec::new();
        loop {
            let page = self.list(out.last().map(|r| &r.name), PAGE)?;
            if page.is_empty() {
                return Ok(out);
            }
            out.extend(page);
        }
    }

    /// Decides an epoch: after `Ok` both parts survive a crash. `head` is what the host signed, `leaves` what it signed it about,
    /// `asker` who had it made.
    ///
    /// # Errors
    /// `InventoryExists`: the epoch is decided and stays so. `ReadOnly`, `SyncFailed`, `NoSpace`, `Io`.
    pub fn keep_inventory(
        &self,
        epoch: u64,
        head: &[u8],
        asker: &AuditorKey,
        leaves: &[Target],
    ) -> Result<(), StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        let _one_at_a_time = self.inner.inventories.lock().unwrap_or_else(PoisonError::into_inner);
        disk.check_writable()?;
        if self.inventory_head(epoch)?.is_some() {
            return Err(StoreError::InventoryExists { epoch });
        }
        self.forget_undecided(epoch)?;
        let mut bytes = Vec::with_capacity(ASKER_BYTES + LEAF_BYTES * leaves.len());
        bytes.extend(asker.0);
        leaves.iter().for_each(|leaf| encode(leaf, &mut bytes));
        disk.write_whole(&self.inner.temporary_path(), &layout.inventory_leaves(epoch), &bytes)?;
        disk.write_whole(&self.inner.temporary_path(), &layout.inventory_head(epoch), head)?;
        self.inner.decided.write().unwrap_or_else(PoisonError::into_inner).insert(epoch);
        Ok(())
    }

    /// Removes, durably, a head of an attempt whose rename was told failed and happened all the same (a network file system whose
    /// answer was lost). Nobody was shown it; other leaves put under it would not be those it signs, if the machine fails before the
    /// new head replaces it.
    fn forget_undecided(&self, epoch: u64) -> Result<(), StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        let path = layout.inventory_head(epoch);
        match disk.open(&path, false) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(StoreError::io("open", &path, e)),
            Ok(_) => {
                let dir = disk.open_dir(&layout.inventories())?;
                disk.remove(&path)?;
                disk.sync_dir(&dir)
            }
        }
    }

    /// What the host signed for an epoch, if it is decided. A head that has its name and is not known to be durable is shown to
    /// nobody: a power cut could take it back, and the epoch would be decided once more, otherwise.
    ///
    /// # Errors
    /// `Io`; `InventoryDamaged` when it is not of a possible length; `ReadOnly` when the `fsync` that was to decide it failed.
    pub fn inventory_head(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.inner.layout.inventory_head(epoch);
        let bytes = self.read_small(&path, HEAD_BYTES_MAX)?;
        let decided = self.inner.decided.read().unwrap_or_else(PoisonError::into_inner).contains(&epoch);
        match bytes {
            Some(_) if !decided => self.inner.disk.check_writable().map(|()| None),
            Some(bytes) if bytes.is_empty() => Err(StoreError::InventoryDamaged { epoch }),
            other => Ok(other),
        }
    }

    /// Who had the inventory of a decided epoch made, and its leaves in their order, as long as they are kept.
    ///
    /// # Errors
    /// `Io`, `InventoryDamaged`. Whether they lead to the signed root is for the caller to check.
    pub fn inventory_leaves(&self, epoch: u64) -> Result<Option<(AuditorKey, Vec<Target>)>, StoreError> {
        let path = self.inner.layout.inventory_leaves(epoch);
        let Some(bytes) = self.read_small(&path, u64::MAX)? else { return Ok(None) };
        let damaged = StoreError::InventoryDamaged { epoch };
        let Some((asker, leaves)) = bytes.split_first_chunk::<ASKER_BYTES>() else { return Err(damaged) };
        let (leaves, rest) = leaves.as_chunks::<LEAF_BYTES>();
        let leaves: Option<Vec<Target>> = leaves.iter().map(decode).collect();
        match leaves {
            Some(leaves) if rest.is_empty() => Ok(Some((AuditorKey(*asker), leaves))),
            _ => Err(damaged),
        }
    }

    /// Decided epochs, ascending, and whether their leaves are kept.
    ///
    /// # Errors
    /// `Io`.
    pub fn inventories(&self) -> Result<Vec<(u64, bool)>, StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        let entries = disk.list(&layout.inventories())?;
        let kept: BTreeSet<u64> = entries.iter().filter_map(|e| parse_inventory_leaves(&e.name)).collect();
        let mut epochs: Vec<u64> = entries.iter().filter_map(|e| parse_inventory_head(&e.name)).collect();
        epochs.sort_unstable();
        Ok(epochs.into_iter().map(|epoch| (epoch, kept.contains(&epoch))).collect())
    }

    /// Gives up the leaves of an epoch; what was signed stays.
    ///
    /// # Errors
    /// `ReadOnly`, `SyncFailed`, `Io`.
    pub fn drop_inventory_leaves(&self, epoch: u64) -> Result<(), StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        disk.check_writable()?;
        let path = layout.inventory_leaves(epoch);
        let dir = disk.open_dir(&layout.inventories())?;
        if disk.open(&path, false).is_ok() {
            disk.remove(&path)?;
            disk.sync_dir(&dir)?;
        }
        Ok(())
    }

    fn read_small(&self, path: &std::path::Path, max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let io_error = |e| StoreError::io("read", path, e);
        let file = match self.inner.disk.open(path, false) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| StoreError::io("open", path, e))?,
        };
        let len = file.len().map_err(io_error)?;
        // One that is too long is as wrong as an empty one.
        let mut bytes = vec![0; usize::try_from(if len > max { 0 } else { len }).unwrap_or(0)];
        read_exact_at(&*file, 0, &mut bytes).map_err(io_error)?;
        Ok(Some(bytes))
    }
}

fn encode(leaf: &Target, out: &mut Vec<u8>) {
    let Target { name, generation, blake3, size, root, cells } = leaf;
    out.extend(key(name));
    for v in [generation, size, cells] {
        out.extend(v.to_le_bytes());
    }
    out.extend(blake3.0);
    out.extend(root.0);
}

fn decode(bytes: &[u8; LEAF_BYTES]) -> Option<Target> {
    let (name, rest) = bytes.split_first_chunk::<KEY_BYTES>()?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (cells, rest) = rest.split_first_chunk::<8>()?;
    let (blake3, root) = rest.split_first_chunk::<32>()?;
    Some(Target {
        name: name_of_key(name)?,
        generation: u64::from_le_bytes(*generation),
        blake3: ContentId(*blake3),
        size: u64::from_le_bytes(*size),
        root: CellRoot(root.try_into().ok()?),
        cells: u64::from_le_bytes(*cells),
    })
}
