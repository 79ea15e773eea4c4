//! Files of replaced and deleted objects that are still needed: an inventory that lists them is being audited (spec store, clauses
//! K1-K4). Such a file gets a second name aside, durably, before its first one goes, so that no power cut loses both.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::UnitName;

use crate::accounts::Accounts;
use crate::disk::Disk;
use crate::error::StoreError;
use crate::layout::{Layout, envelope_beside, parse_retained_envelope, parse_retained_file};
use crate::object_file::{ObjectFile, OpenError};
use crate::reader::BodyReader;
use crate::record::ObjectRecord;
use crate::store::{Inner, Store};

/// Whether a generation of a unit must stay readable although it is replaced or deleted.
pub type Wanted = dyn Fn(&UnitName, u64) -> bool + Send + Sync;

impl ObjectRecord {
    /// What an inventory and a challenge say about it.
    #[must_use]
    pub const fn target(&self) -> Target {
        Target {
            name: self.name,
            generation: self.generation,
            blake3: self.blake3,
            size: self.size,
            root: self.root,
            cells: self.cells,
        }
    }
}

impl Store {
    /// From now on keeps aside what `wanted` says of every file that is replaced or deleted; until the first call every one is kept.
    /// Without [`crate::Options::retain`] nothing ever is. Waits for changes under way, so what [`Store::take_changes`] tells after
    /// this call was either changed before, or is kept by the new rule.
    pub fn retain_if(&self, wanted: Arc<Wanted>) {
        *self.inner.wanted.write().unwrap_or_else(PoisonError::into_inner) = Some(wanted);
    }

    /// Removes what was kept aside and is not wanted any more; gives the number of files removed and of those that stay.
    ///
    /// # Errors
    /// `ReadOnly`, `SyncFailed`, `Io`.
    pub fn release(&self) -> Result<(u64, u64), StoreError> {
        let Inner { disk, layout, .. } = &*self.inner;
        disk.check_writable()?;
        let (mut removed, mut kept) = (0, 0);
        let dir = disk.open_dir(&layout.retained())?;
        for entry in disk.list(&layout.retained())?.into_iter().filter(|e| !e.is_dir) {
            if parse_retained_envelope(&entry.name).is_some() {
                continue;
            }
            let Some((name, generation)) = parse_retained_file(&entry.name) else {
                tracing::warn!(file = entry.name, "not the store's; left alone");
                continue;
            };
            // Until the file has gone: meanwhile the rule could come to want it, and a deletion of the same version, put once more,
            // would take it for kept.
            let retention = self.inner.retention();
            if retention.keeps(&name, generation) {
                kept += 1;
                continue;
            }
            disk.remove(&layout.retained().join(&entry.name))?;
            self.inner.accounts.release(name.owner, entry.len);
            removed += 1;
        }
        if removed > 0 {
            disk.sync_dir(&dir)?;
            self.inner.release_envelopes()?;
        }
        Ok((removed, kept))
    }

    /// The very version of a body that `target` names: the current one, or one kept aside. `None` when there is neither.
    ///
    /// # Errors
    /// `Damaged`, `Io`.
    pub fn open_target(&self, target: &Target) -> Result<Option<BodyReader>, StoreError> {
        let layout = &self.inner.layout;
        let current = layout.object(&target.name, target.generation);
        let aside = layout.retained_file(&target.name, target.generation, &target.blake3);
        // It may be moved aside between the two looks, never back.
        for (path, retained) in [(current, false), (aside, true)] {
            match ObjectFile::open(&self.inner.disk, &path, &target.name, target.generation) {
                Ok(file) if file.record().target() == *target => {
                    return Ok(Some(BodyReader::new(Arc::clone(&self.inner), file, path)));
                }
                // Deleted, and then put with other content under the same generation.
                Ok(_) | Err(OpenError::Missing) => {}
                // Damage of an older version says nothing of the one that is served.
                Err(OpenError::Store(e)) if retained || self.is_older(target) => return Err(e),
                Err(OpenError::Store(e)) => return self.inner.note_damage(Err(e)),
            }
        }
        Ok(None)
    }

    /// Whether a later generation than the target's is served.
    fn is_older(&self, target: &Target) -> bool {
        let served = self.inner.index.get(&target.name).ok().flatten();
        served.is_some_and(|record| record.generation > target.generation)
    }
}

/// The rule of what is kept aside; it does not change while this lives.
pub(crate) struct Retention<'a> {
    wanted: RwLockReadGuard<'a, Option<Arc<Wanted>>>,
    retain: bool,
}

impl Retention<'_> {
    fn keeps(&self, name: &UnitName, generation: u64) -> bool {
        self.retain && self.wanted.as_ref().is_none_or(|wanted| wanted(name, generation))
    }
}

impl Inner {
    /// Removes envelopes kept aside whose object files are gone, durably.
    fn release_envelopes(&self) -> Result<(), StoreError> {
        let Self { disk, layout, accounts, .. } = self;
        for entry in disk.list(&layout.retained())? {
            let Some((name, _)) = parse_retained_envelope(&entry.name) else { continue };
            let path = layout.retained().join(&entry.name);
            // While a version is kept aside its envelope is there first.
            let _guard = self.lock_name(&name);
            if matches!(disk.open(&path.with_extension("obj"), false), Err(e) if e.kind() == io::ErrorKind::NotFound)
            {
                disk.remove(&path)?;
                accounts.release(name.owner, entry.len);
            }
        }
        Ok(())
    }

    /// To be held from before a file goes until the index says so; taken after the name's lock, never twice by one thread.
    pub(crate) fn retention(&self) -> Retention<'_> {
        let wanted = self.wanted.read().unwrap_or_else(PoisonError::into_inner);
        Retention { wanted, retain: self.options.retain }
    }

    /// Removes an object's file, which is kept aside if it is still wanted. The caller makes its directory durable.
    pub(crate) fn discard(
        &self,
        retention: &Retention<'_>,
        name: &UnitName,
        generation: u64,
    ) -> Result<(), StoreError> {
        if retention.keeps(name, generation) {
            keep_aside(&self.disk, &self.layout, &self.accounts, name, generation)?;
        }
        self.disk.remove(&self.layout.object(name, generation))
    }
}

/// Gives an object's file its second name, durably. A damaged file can answer nothing and is not kept.
pub(crate) fn keep_aside(
    disk: &Disk,
    layout: &Layout,
    accounts: &Accounts,
    name: &UnitName,
    generation: u64,
) -> Result<(), StoreError> {
    let from = layout.object(name, generation);
    let (content, bytes, beside) = match ObjectFile::open(disk, &from, name, generation) {
        Ok(file) => (file.envelope.body.blake3, file.bytes(), file.bytes_beside()),
        Err(OpenError::Missing | OpenError::Store(StoreError::Damaged { .. })) => return Ok(()),
        Err(OpenError::Store(e)) => return Err(e),
    };
    let to = layout.retained_file(name, generation, &content);
    let dir = disk.open_dir(&layout.retained())?;
    let link = |from: &Path, to: &Path, bytes| match disk.link(from, to) {
        // Of an attempt before a crash, or the same version deleted twice.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(StoreError::io("link", to, e)),
        Ok(()) => {
            accounts.retain(name.owner, bytes);
            Ok(())
        }
    };
    if beside > 0 {
        // An object's file without the envelope beside it could not be told from a damaged one.
        link(&envelope_beside(&from), &envelope_beside(&to), beside)?;
        disk.sync_dir(&dir)?;
    }
    link(&from, &to, bytes)?;
    disk.sync_dir(&dir)
}
