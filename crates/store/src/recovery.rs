//! What happens when a store is opened (spec store, clauses S1-S7): claim the directory, sweep what was never
//! acknowledged, bring the index in line with the objects.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::{OwnerKey, UnitName};

use crate::accounts::{Accounts, OwnerUsage};
use crate::disk::Disk;
use crate::error::StoreError;
use crate::files::{DirEntry, Lock, read_exact_at};
use crate::index::Index;
use crate::layout::{
    FORMAT_VERSION, FORMAT_VERSION_BEFORE, Layout, envelope_beside, format_text, parse_envelope_file,
    parse_format, parse_inventory_head, parse_inventory_leaves, parse_object_file, parse_retained_envelope,
    parse_retained_file,
};
use crate::object_file::{ObjectFile, OpenError};
use crate::record::{KEY_BYTES, ObjectRecord, key};
use crate::retained::keep_aside;
use crate::store::Damaged;

/// What opening a store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Unfinished uploads removed.
    pub swept: u64,
    /// The index was unusable and was made anew.
    pub index_rebuilt: bool,
    /// Objects on disk the index did not have, or had otherwise; it has them now.
    pub adopted: Vec<UnitName>,
    /// Objects the index had that are not on disk; it has them no more. After a crash these can be deletions;
    /// otherwise someone removed files.
    pub lost: Vec<UnitName>,
    /// Files of lower generations removed.
    pub superseded: u64,
    /// Objects whose file is damaged where opening looked; they are kept, refused to readers, and can be put again.
    pub damaged: Vec<UnitName>,
    /// Files and directories that are not the store's; left alone.
    pub foreign: Vec<PathBuf>,
}

/// Checks the format, takes the lock, makes what is missing.
pub(crate) fn claim(disk: &Disk, layout: &Layout) -> Result<Box<dyn Lock>, StoreError> {
    if read_format(disk, layout)?.is_none() {
        // Not yet ours: look before touching anything.
        let ours = ["lock", "format.part"];
        if disk.list(&layout.root)?.iter().any(|e| e.is_dir || !ours.contains(&e.name.as_str())) {
            // Another process may have made it between the two looks.
            read_format(disk, layout)?.ok_or(StoreError::NotAStore { path: layout.root.clone() })?;
        }
        disk.ensure_path(&layout.root)?;
    }
    let lock = disk.try_lock(&layout.lock())?;
    // A directory of the version before is one of this version from here on: what this version adds, that one would not see.
    if read_format(disk, layout)? != Some(FORMAT_VERSION) {
        let temporary = layout.root.join("format.part");
        if disk.open(&temporary, false).is_ok() {
            disk.remove(&temporary)?;
        }
        disk.write_whole(&temporary, &layout.format(), format_text().as_bytes())?;
    }
    for dir in
        [layout.objects(), layout.temporary(), layout.evidence(), layout.retained(), layout.inventories()]
    {
        disk.ensure_dir(&dir)?;
    }
    Ok(lock)
}

/// Version of the format file, which must be one that this build knows; `None` without one.
fn read_format(disk: &Disk, layout: &Layout) -> Result<Option<u64>, StoreError> {
    let path = layout.format();
    let file = match disk.open(&path, false) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|e| StoreError::io("open", &path, e))?,
    };
    let io_error = |e| StoreError::io("read", &path, e);
    let len = file.len().map_err(io_error)?.min(64);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(64)];
    read_exact_at(&*file, 0, &mut bytes).map_err(io_error)?;
    match parse_format(&bytes) {
        Some(known @ (FORMAT_VERSION | FORMAT_VERSION_BEFORE)) => Ok(Some(known)),
        Some(found) => Err(StoreError::UnknownFormat { path, found, known: FORMAT_VERSION }),
        None => Err(StoreError::NotAStore { path: layout.root.clone() }),
    }
}

/// Removes unfinished uploads. Nothing in there was ever acknowledged.
pub(crate) fn sweep(disk: &Disk, layout: &Layout) -> Result<u64, StoreError> {
    let dir = layout.temporary();
    let mut swept = 0;
    for entry in disk.list(&dir)?.into_iter().filter(|e| !e.is_dir) {
        disk.remove(&dir.join(entry.name))?;
        swept += 1;
    }
    Ok(swept + sweep_inventories(disk, layout)?)
}

/// Removes leaves without a head, and makes durable what the last process may have died before syncing: what is told from here on
/// must not change with a power cut.
fn sweep_inventories(disk: &Disk, layout: &Layout) -> Result<u64, StoreError> {
    let dir = layout.inventories();
    let mut swept = 0;
    for epoch in disk.list(&dir)?.iter().filter_map(|e| parse_inventory_leaves(&e.name)) {
        match disk.open(&layout.inventory_head(epoch), false) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                disk.remove(&layout.inventory_leaves(epoch))?;
                swept += 1;
            }
            other => drop(other.map_err(|e| StoreError::io("open", layout.inventory_head(epoch), e))?),
        }
    }
    for dir in [dir, layout.retained()] {
        disk.sync_dir(&disk.open_dir(&dir)?)?;
    }
    Ok(swept)
}

/// Epochs whose head is there; after a sweep, which synced their directory, durably so.
pub(crate) fn decided(disk: &Disk, layout: &Layout) -> Result<BTreeSet<u64>, StoreError> {
    let entries = disk.list(&layout.inventories())?;
    Ok(entries.iter().filter_map(|e| parse_inventory_head(&e.name)).collect())
}

/// Counts the versions kept aside.
pub(crate) fn count_retained(disk: &Disk, layout: &Layout, accounts: &Accounts) -> Result<(), StoreError> {
    let entries = disk.list(&layout.retained())?;
    let there: BTreeSet<&str> = entries.iter().filter(|e| !e.is_dir).map(|e| e.name.as_str()).collect();
    for entry in entries.iter().filter(|e| !e.is_dir) {
        if let Some((name, _)) = parse_retained_file(&entry.name) {
            accounts.retain(name.owner, entry.len);
        } else if let Some((name, _)) = parse_retained_envelope(&entry.name) {
            let path = layout.retained().join(&entry.name);
            let object = path.with_extension("obj");
            // Its object's file was never kept, or is released.
            if object.file_name().and_then(|n| n.to_str()).is_some_and(|n| there.contains(n)) {
                accounts.retain(name.owner, entry.len);
            } else {
                disk.remove(&path)?;
            }
        }
    }
    Ok(())
}

/// One shard directory: an owner, and the first byte of its object ids.
type Shard = (OwnerKey, u8);

struct Reconciler<'a> {
    disk: &'a Disk,
    layout: &'a Layout,
    index: &'a Index,
    accounts: &'a Accounts,
    /// Whether superseded files are kept aside.
    retain: bool,
    report: OpenReport,
    damaged: BTreeMap<UnitName, Damaged>,
}

/// Walks the objects and makes index and accounts agree with them. Also returns what is damaged.
pub(crate) fn reconcile(
    disk: &Disk,
    layout: &Layout,
    index: &Index,
    accounts: &Accounts,
    retain: bool,
) -> Result<(OpenReport, BTreeMap<UnitName, Damaged>), StoreError> {
    // A directory that cannot be read ends this: not knowing what was stored, the store could be made to go back.
    let (shards, foreign) = shards(layout, &mut |dir| disk.list(dir))?;
    let report = OpenReport { foreign, ..OpenReport::default() };
    let mut r = Reconciler { disk, layout, index, accounts, retain, report, damaged: BTreeMap::new() };
    for (shard, dir) in &shards {
        r.shard(*shard, dir)?;
    }
    r.entries_without_directory(&shards.iter().map(|(shard, _)| *shard).collect())?;
    r.report.damaged = r.damaged.keys().copied().collect();
    let report = &r.report;
    if !(report.adopted.is_empty() && report.lost.is_empty() && report.damaged.is_empty()) {
        tracing::warn!(
            adopted = report.adopted.len(),
            lost = report.lost.len(),
            damaged = report.damaged.len(),
            "index and objects disagreed; the objects are the authority"
        );
    }
    Ok((r.report, r.damaged))
}

/// How directories are listed: what to do about one that cannot be is the caller's to decide.
pub(crate) type List<'a> = dyn FnMut(&Path) -> Result<Vec<DirEntry>, StoreError> + 'a;

/// A shard and its directory.
pub(crate) type ShardDir = (Shard, PathBuf);

/// Every shard directory, in name order, and what else lies there.
pub(crate) fn shards(
    layout: &Layout,
    list: &mut List<'_>,
) -> Result<(Vec<ShardDir>, Vec<PathBuf>), StoreError> {
    let (mut shards, mut foreign) = (Vec::new(), Vec::new());
    for owner_entry in list(&layout.objects())? {
        let owner_dir = layout.objects().join(&owner_entry.name);
        let Some(owner) = owner_entry.name.parse::<OwnerKey>().ok().filter(|_| owner_entry.is_dir) else {
            foreign.push(owner_dir);
            continue;
        };
        for entry in list(&owner_dir)? {
            let dir = owner_dir.join(&entry.name);
            let byte = u8::from_str_radix(&entry.name, 16).ok();
            match byte.filter(|b| entry.is_dir && format!("{b:02x}") == entry.name) {
                Some(byte) => shards.push(((owner, byte), dir)),
                None => foreign.push(dir),
            }
        }
    }
    Ok((shards, foreign))
}

/// Files in one shard directory.
#[derive(Default)]
pub(crate) struct ShardFiles {
    /// Objects' files: each name's generations ascending, with the files' lengths.
    pub(crate) files: BTreeMap<UnitName, Vec<(u64, u64)>>,
    /// Lengths of the envelopes beside them.
    pub(crate) envelopes: BTreeMap<UnitName, BTreeMap<u64, u64>>,
    /// What else lies there.
    pub(crate) foreign: Vec<PathBuf>,
}

pub(crate) fn shard_files(shard: Shard, dir: &Path, list: &mut List<'_>) -> Result<ShardFiles, StoreError> {
    let mut found = ShardFiles::default();
    let ours = |name: &UnitName, entry: &DirEntry| !entry.is_dir && name.object.0[0] == shard.1;
    for entry in list(dir)? {
        let object = parse_object_file(&shard.0, &entry.name).filter(|(n, _)| ours(n, &entry));
        let envelope = parse_envelope_file(&shard.0, &entry.name).filter(|(n, _)| ours(n, &entry));
        match (object, envelope) {
            (Some((name, generation)), _) => {
                found.files.entry(name).or_default().push((generation, entry.len));
            }
            (None, Some((name, generation))) => {
                found.envelopes.entry(name).or_default().insert(generation, entry.len);
            }
            (None, None) => found.foreign.push(dir.join(&entry.name)),
        }
    }
    found.files.values_mut().for_each(|generations| generations.sort_unstable());
    Ok(found)
}

/// What was found of an object the index did not have right.
struct Adopted {
    /// Its envelope is in the file beside it.
    envelope_beside: bool,
}

impl Reconciler<'_> {
    fn shard(&mut self, shard: Shard, dir: &Path) -> Result<(), StoreError> {
        // The last process may have died between a rename or removal and its fsync. What is told from here on must
        // not change with a power cut.
        self.disk.sync_dir(&self.disk.open_dir(dir)?)?;
        let ShardFiles { files, mut envelopes, foreign } =
            shard_files(shard, dir, &mut |dir| self.disk.list(dir))?;
        self.report.foreign.extend(foreign);
        let (records, bad) = self.index.scan(
            Bound::Included(bound(shard, 0)),
            Bound::Included(bound(shard, u8::MAX)),
            usize::MAX,
        )?;
        let mut records: BTreeMap<UnitName, ObjectRecord> =
            records.into_iter().map(|r| (r.name, r)).collect();
        for (name, generations) in &files {
            let Some((&(generation, len), lower)) = generations.split_last() else { continue };
            let record = records.remove(name);
            let mut beside = envelopes.remove(name).unwrap_or_default();
            let bytes = len + beside.get(&generation).copied().unwrap_or(0);
            if let Some(record) =
                record.as_ref().filter(|r| r.generation == generation && r.file_bytes == bytes)
            {
                self.accounts.add(record);
                beside.remove(&generation);
            } else {
                match self.adopt(name, generations, &beside, record.as_ref())? {
                    None => continue,
                    Some(Adopted { envelope_beside: true }) => drop(beside.remove(&generation)),
                    Some(Adopted { envelope_beside: false }) => {}
                }
            }
            self.remove_superseded(name, lower, dir)?;
            self.remove_envelopes(name, beside.into_keys(), dir)?;
        }
        // Of objects that were deleted.
        for (name, beside) in envelopes {
            self.remove_envelopes(&name, beside.into_keys(), dir)?;
        }
        let lost = records.into_keys().chain(bad.into_iter().filter(|n| !files.contains_key(n)));
        for name in lost {
            self.index.remove(&name);
            self.report.lost.push(name);
        }
        Ok(())
    }

    /// Reads a file the index does not have right. `None` when the file is damaged.
    fn adopt(
        &mut self,
        name: &UnitName,
        generations: &[(u64, u64)],
        beside: &BTreeMap<u64, u64>,
        record: Option<&ObjectRecord>,
    ) -> Result<Option<Adopted>, StoreError> {
        let Some((&(generation, len), lower)) = generations.split_last() else { return Ok(None) };
        let path = self.layout.object(name, generation);
        let opened = ObjectFile::open(self.disk, &path, name, generation);
        let good = match opened {
            Ok(file) => {
                let envelope_beside = file.bytes_beside() > 0;
                file.signed
                    .verify(&name.owner.0)
                    .is_ok()
                    .then(|| (file.record(), Adopted { envelope_beside }))
            }
            Err(OpenError::Missing | OpenError::Store(StoreError::Damaged { .. })) => None,
            Err(OpenError::Store(e)) => return Err(e),
        };
        let Some((good, adopted)) = good else {
            tracing::error!(object = %name, "damaged object");
            // Still stored, still counted, never served; and what may be beside it stays.
            let own = beside.get(&generation).copied().unwrap_or(0);
            let lower: u64 = lower.iter().map(|(_, len)| len).chain(beside.values()).sum();
            let file_bytes = lower - own;
            let mut unindexed = OwnerUsage { file_bytes, ..OwnerUsage::default() };
            match record {
                Some(record) if record.generation == generation => self.accounts.add(record),
                _ => {
                    unindexed.objects = 1;
                    unindexed.file_bytes += len + own;
                    self.index.remove(name);
                }
            }
            self.accounts.add_unindexed(name.owner, unindexed);
            self.damaged.insert(*name, Damaged { generation, unindexed });
            return Ok(None);
        };
        self.accounts.add(&good);
        self.index.put(good);
        self.report.adopted.push(*name);
        Ok(Some(adopted))
    }

    /// Removes envelopes beside object files that are gone for good, or never came.
    fn remove_envelopes(
        &mut self,
        name: &UnitName,
        generations: impl Iterator<Item = u64>,
        dir: &Path,
    ) -> Result<(), StoreError> {
        let mut any = None;
        for generation in generations {
            any = Some(self.disk.open_dir(dir)?);
            self.disk.remove(&envelope_beside(&self.layout.object(name, generation)))?;
        }
        any.map_or(Ok(()), |dir| self.disk.sync_dir(&dir))
    }

    /// Removes lower generations, once the highest is durable.
    fn remove_superseded(
        &mut self,
        name: &UnitName,
        lower: &[(u64, u64)],
        dir: &Path,
    ) -> Result<(), StoreError> {
        if lower.is_empty() {
            return Ok(());
        }
        let open_dir = self.disk.open_dir(dir)?;
        for (generation, _) in lower {
            if self.retain {
                keep_aside(self.disk, self.layout, self.accounts, name, *generation)?;
            }
            self.disk.remove(&self.layout.object(name, *generation))?;
            self.report.superseded += 1;
        }
        self.disk.sync_dir(&open_dir)
    }

    /// Index entries of shards that have no directory at all.
    fn entries_without_directory(&mut self, present: &BTreeSet<Shard>) -> Result<(), StoreError> {
        const STEP: usize = 1024;
        let mut after = Bound::Unbounded;
        loop {
            let (records, bad) = self.index.scan(after, Bound::Unbounded, STEP)?;
            let Some(last) = records.last().map(|r| key(&r.name)) else { return Ok(()) };
            for name in records.into_iter().map(|r| r.name).chain(bad) {
                if !present.contains(&(name.owner, name.object.0[0])) {
                    self.index.remove(&name);
                    self.report.lost.push(name);
                }
            }
            after = Bound::Excluded(last);
        }
    }
}

/// First (`fill` 0) or last (255) possible key of a shard.
fn bound(shard: Shard, fill: u8) -> [u8; KEY_BYTES] {
    let mut out = [fill; KEY_BYTES];
    out[..32].copy_from_slice(&shard.0.0);
    out[32] = shard.1;
    out
}
