//! Scrub: read every byte of every file again and say what is not what was stored. Repairs nothing.

mod object;

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_protocol::ids::UnitName;

use crate::error::{DamagedPart, StoreError, is_unreadable};
use crate::evidence;
use crate::files::DirEntry;
use crate::layout::{parse_retained_envelope, parse_retained_file};
use crate::recovery::{ShardFiles, shard_files, shards};
use crate::store::{Inner, Store};

/// How the cell tree is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellCheck {
    /// The stored tree leads to the signed root, and the body to the signed BLAKE3. The tree was compared with the
    /// body at admission, so this misses nothing unless admission was faulty. At disk speed.
    Stored,
    /// The tree is computed again from the body: about 10 MB/s a core.
    Recompute,
}

/// How far a scrub is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubProgress {
    /// Objects finished; versions kept aside are none.
    pub objects_done: u64,
    /// Objects there were at the start.
    pub objects_total: u64,
    /// Bytes of files read. Files of lower generations that were left beside a damaged one come on top of the total.
    pub bytes_done: u64,
    /// Bytes of files there were at the start.
    pub bytes_total: u64,
}

/// One thing that is not what was stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// Which object; `None` for what is not one object: evidence, a directory, the index as a whole.
    pub name: Option<UnitName>,
    /// Which file.
    pub path: PathBuf,
    /// Which part.
    pub part: DamagedPart,
    /// First byte of the damaged stretch in the file.
    pub offset: u64,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// What was read.
    pub progress: ScrubProgress,
    /// Everything damaged, index disagreements included.
    pub damage: Vec<Damage>,
    /// Files that are not the store's; not read.
    pub foreign: Vec<PathBuf>,
    /// Asked to stop before the end.
    pub stopped: bool,
}

impl ScrubReport {
    /// Everything was read and nothing is damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_empty() && !self.stopped
    }
}

/// What is told about progress and asked whether to go on.
struct Watch<'a> {
    report: ScrubReport,
    progress: &'a mut dyn FnMut(ScrubProgress),
    should_stop: &'a mut dyn FnMut() -> bool,
}

impl Watch<'_> {
    /// Counts bytes read; false when asked to stop.
    fn read(&mut self, bytes: u64) -> bool {
        self.report.progress.bytes_done += bytes;
        (self.progress)(self.report.progress);
        self.report.stopped |= (self.should_stop)();
        !self.report.stopped
    }

    fn damage(&mut self, name: Option<UnitName>, path: PathBuf, part: DamagedPart, offset: u64) {
        tracing::error!(path = %path.display(), ?part, offset, "scrub found damage");
        self.report.damage.push(Damage { name, path, part, offset });
    }
}

impl Store {
    /// Reads every object file, lower generations that still stand and versions kept aside included (body, envelope with its
    /// signature, tree, tables, footer), the index and the evidence, and names everything damaged. What cannot be read (a bad sector) is damage like any other, and the scrub goes on. The store stays in use; objects deleted or replaced meanwhile are left out.
    ///
    /// `progress` hears of every mebibyte, `should_stop` is asked as often.
    ///
    /// # Errors
    /// `Io`: the scrub could not go on for a reason that says nothing about the bytes on disk, such as too many open files. Damage is in the report, not here.
    pub fn scrub(
        &self,
        cells: CellCheck,
        mut progress: impl FnMut(ScrubProgress),
        mut should_stop: impl FnMut() -> bool,
    ) -> Result<ScrubReport, StoreError> {
        let total = self.usage().total;
        let start = ScrubProgress {
            objects_total: total.objects,
            bytes_total: total.file_bytes + total.retained_bytes,
            ..ScrubProgress::default()
        };
        let report = ScrubReport { progress: start, ..ScrubReport::default() };
        let mut watch = Watch { report, progress: &mut progress, should_stop: &mut should_stop };
        self.inner.scrub_objects(cells, &mut watch)?;
        if !watch.report.stopped {
            self.inner.scrub_entries(&mut watch)?;
            self.inner.scrub_retained(cells, &mut watch)?;
        }
        if !watch.report.stopped {
            self.inner.scrub_evidence(&mut watch)?;
        }
        let mut report = watch.report;
        report.damage.sort();
        Ok(report)
    }
}

impl Inner {
    /// Every object there is a file of.
    fn scrub_objects(&self, cells: CellCheck, watch: &mut Watch<'_>) -> Result<(), StoreError> {
        let (shards, foreign) = shards(&self.layout, &mut |dir| self.list_or_damage(dir, watch))?;
        watch.report.foreign.extend(foreign);
        for (shard, dir) in shards {
            let ShardFiles { files, foreign, .. } =
                shard_files(shard, &dir, &mut |dir| self.list_or_damage(dir, watch))?;
            watch.report.foreign.extend(foreign);
            for (name, generations) in files {
                let highest = generations.last().map(|(generation, _)| *generation);
                for (generation, _) in generations {
                    let before = watch.report.damage.len();
                    self.scrub_object(&name, generation, cells, watch)?;
                    let found = &watch.report.damage[before..];
                    // Of a lower generation, the higher one is no worse for it.
                    if Some(generation) == highest && found.iter().any(|d| d.part != DamagedPart::Index) {
                        self.remember_damaged(&name, generation);
                    }
                    if watch.report.stopped {
                        return Ok(());
                    }
                }
                watch.report.progress.objects_done += 1;
            }
        }
        Ok(())
    }

    /// Every version kept aside.
    fn scrub_retained(&self, cells: CellCheck, watch: &mut Watch<'_>) -> Result<(), StoreError> {
        for entry in self.list_or_damage(&self.layout.retained(), watch)? {
            let path = self.layout.retained().join(&entry.name);
            if parse_retained_envelope(&entry.name).is_some() {
                // Read with the object's file it is beside.
                continue;
            }
            match parse_retained_file(&entry.name).filter(|_| !entry.is_dir) {
                Some((name, generation)) => self.scrub_version(&name, generation, path, cells, watch)?,
                None => watch.report.foreign.push(path),
            }
            if watch.report.stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Names in a directory; none, and damage, when it cannot be read.
    fn list_or_damage(&self, dir: &Path, watch: &mut Watch<'_>) -> Result<Vec<DirEntry>, StoreError> {
        match self.disk.list(dir) {
            Err(StoreError::Io { source, .. }) if is_unreadable(&source) => {
                watch.damage(None, dir.into(), DamagedPart::Directory, 0);
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// Every index entry: readable, and there is a file.
    fn scrub_entries(&self, watch: &mut Watch<'_>) -> Result<(), StoreError> {
        use std::ops::Bound::{Excluded, Unbounded};
        const STEP: usize = 1024;
        let mut after = Unbounded;
        loop {
            let (records, bad) = match self.index.scan(after, Unbounded, STEP) {
                // A cache: what it says further on is not known, what it describes has been read.
                Err(StoreError::Index(_)) => {
                    watch.damage(None, self.layout.index(), DamagedPart::Index, 0);
                    return Ok(());
                }
                other => other?,
            };
            for name in bad {
                watch.damage(Some(name), self.layout.index(), DamagedPart::Index, 0);
            }
            let Some(last) = records.last().map(|r| crate::record::key(&r.name)) else { return Ok(()) };
            for record in records {
                let path = self.layout.object(&record.name, record.generation);
                match self.disk.open(&path, false) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    // What is there has been read, or could not be and was named.
                    Ok(_) => continue,
                    Err(e) if is_unreadable(&e) => continue,
                    Err(e) => return Err(StoreError::io("open", path, e)),
                }
                if self.index_still_has(&record.name, record.generation) {
                    self.remember_damaged(&record.name, record.generation);
                    watch.damage(Some(record.name), path, DamagedPart::File, 0);
                }
            }
            after = Excluded(last);
        }
    }

    /// Whether the index, with changes excluded, names this generation.
    fn index_still_has(&self, name: &UnitName, generation: u64) -> bool {
        let _guard = self.lock_name(name);
        self.index.get(name).is_ok_and(|r| r.is_some_and(|r| r.generation == generation))
    }

    fn scrub_evidence(&self, watch: &mut Watch<'_>) -> Result<(), StoreError> {
        for entry in self.list_or_damage(&self.layout.evidence(), watch)? {
            let path = self.layout.evidence().join(&entry.name);
            let fits = |e: &evidence::Equivocation| path == self.layout.evidence_file(&e.name, e.generation);
            let sound = match evidence::read(&self.disk, &path) {
                Err(StoreError::Io { source, .. }) if is_unreadable(&source) => false,
                other => other?.is_ok_and(|e| fits(&e)),
            };
            if !sound {
                watch.damage(None, path, DamagedPart::Envelope, 0);
            }
        }
        Ok(())
    }
}
