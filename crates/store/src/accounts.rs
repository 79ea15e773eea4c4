//! Who uses how much, uploads under way and versions kept aside included.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailiwick_protocol::ids::OwnerKey;

use crate::error::StoreError;
use crate::record::ObjectRecord;

/// What one owner has stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerUsage {
    /// Objects, damaged ones included.
    pub objects: u64,
    /// Bytes of their bodies, of those that have an index entry.
    pub body_bytes: u64,
    /// Bytes of their files: body, envelope, cell tree, tables, footer. Quotas count these.
    pub file_bytes: u64,
    /// Bytes of files set aside for uploads under way. Quotas count these too.
    pub reserved_bytes: u64,
    /// Bytes of files of replaced and deleted versions that are kept aside until they are released. Quotas count these too.
    pub retained_bytes: u64,
}

/// What everyone has stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All owners together.
    pub total: OwnerUsage,
    /// Each owner that has something stored or under way.
    pub owners: BTreeMap<OwnerKey, OwnerUsage>,
    /// Limit for all together, on `file_bytes`, `reserved_bytes` and `retained_bytes`.
    pub quota_bytes: u64,
    /// Limit for each owner, on the same.
    pub owner_quota_bytes: u64,
}

impl Usage {
    fn change(&mut self, owner: OwnerKey, change: impl Fn(&mut OwnerUsage)) {
        change(&mut self.total);
        let one = self.owners.entry(owner).or_default();
        change(one);
        if *one == OwnerUsage::default() {
            self.owners.remove(&owner);
        }
    }
}

/// The books, shared with every reservation.
#[derive(Debug)]
pub(crate) struct Accounts(Mutex<Usage>);

impl Accounts {
    pub(crate) fn new(quota_bytes: u64, owner_quota_bytes: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Usage { quota_bytes, owner_quota_bytes, ..Usage::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn usage(&self) -> Usage {
        self.lock().clone()
    }

    pub(crate) fn add(&self, record: &ObjectRecord) {
        self.add_unindexed(record.name.owner, usage_of(record));
    }

    pub(crate) fn subtract(&self, record: &ObjectRecord) {
        self.subtract_unindexed(record.name.owner, usage_of(record));
    }

    /// Counts files that no index entry describes: damaged ones.
    pub(crate) fn add_unindexed(&self, owner: OwnerKey, more: OwnerUsage) {
        self.lock().change(owner, |u| {
            u.objects += more.objects;
            u.body_bytes += more.body_bytes;
            u.file_bytes += more.file_bytes;
        });
    }

    /// Takes them off the books.
    pub(crate) fn subtract_unindexed(&self, owner: OwnerKey, less: OwnerUsage) {
        self.lock().change(owner, |u| {
            u.objects = u.objects.saturating_sub(less.objects);
            u.body_bytes = u.body_bytes.saturating_sub(less.body_bytes);
            u.file_bytes = u.file_bytes.saturating_sub(less.file_bytes);
        });
    }

    /// Counts a version that got its name aside.
    pub(crate) fn retain(&self, owner: OwnerKey, bytes: u64) {
        self.lock().change(owner, |u| u.retained_bytes += bytes);
    }

    /// One was released.
    pub(crate) fn release(&self, owner: OwnerKey, bytes: u64) {
        self.lock().change(owner, |u| u.retained_bytes = u.retained_bytes.saturating_sub(bytes));
    }

    /// Sets `bytes` aside until the reservation is dropped.
    ///
    /// # Errors
    /// `QuotaExceeded`.
    pub(crate) fn reserve(self: &Arc<Self>, owner: OwnerKey, bytes: u64) -> Result<Reservation, StoreError> {
        let mut usage = self.lock();
        let left = |quota: u64, u: &OwnerUsage| {
            quota
                .saturating_sub(u.file_bytes)
                .saturating_sub(u.reserved_bytes)
                .saturating_sub(u.retained_bytes)
        };
        let own = usage.owners.get(&owner).copied().unwrap_or_default();
        let left = left(usage.quota_bytes, &usage.total).min(left(usage.owner_quota_bytes, &own));
        if bytes > left {
            return Err(StoreError::QuotaExceeded { needed: bytes, left });
        }
        usage.change(owner, |u| u.reserved_bytes += bytes);
        Ok(Reservation { accounts: Arc::clone(self), owner, bytes })
    }
}

fn usage_of(record: &ObjectRecord) -> OwnerUsage {
    OwnerUsage { objects: 1, body_bytes: record.size, file_bytes: record.file_bytes, ..OwnerUsage::default() }
}

/// Bytes set aside for one upload.
#[derive(Debug)]
pub(crate) struct Reservation {
    accounts: Arc<Accounts>,
    owner: OwnerKey,
    bytes: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes;
        self.accounts
            .lock()
            .change(self.owner, |u| u.reserved_bytes = u.reserved_bytes.saturating_sub(bytes));
    }
}
