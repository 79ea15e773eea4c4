//! Many envelopes in files: rewritten on all cores, made durable a batch at a time, each all or nothing.
//!
//! A batch is written to temporary files, these are made durable with one `syncfs`, then each takes its envelope's name
//! in one step, and the names are made durable before the next batch. After a crash every envelope is the old or the new
//! one, whole; running the same command again skips what is done. The folders of a batch are locked from before its envelopes are read
//! until they have their names, so that two runs sign no two envelopes of one generation.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, anyhow};

use super::{Outcome, Rewrapper, Summary};
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::envelopes::{Lock, Neighbours, envelopes, folder_of, of_owner, one_of_each, unit_at};
use crate::outcomes::FOREIGN;
use crate::output::{AtomicFile, read_bounded};
use crate::progress;

/// Envelopes made durable together.
const BATCH: usize = 1024;

/// Folders of a batch, at most: each is open while it is locked.
const FOLDERS: usize = 256;

/// A new envelope under its temporary name.
struct Written {
    path: PathBuf,
    old: Vec<u8>,
    file: AtomicFile,
}

pub(super) fn run(rewrapper: &Rewrapper, targets: &[PathBuf]) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let failed = &mut summary.outcomes.failed;
    let paths = one_of_each(envelopes(targets, failed)?, failed);
    let bar = progress::count(paths.len() as u64, "rewrap");
    for batch in batches(&paths) {
        let _alone = Lock::all(batch.iter().map(|path| folder_of(path)).collect())?;
        let beside = beside(rewrapper, targets, batch)?;
        let written = write_all(rewrapper, batch, &beside, &mut summary);
        sync(&written)?;
        let mut folders = BTreeSet::new();
        for Written { path, old, file } in written {
            // Whoever rewrote it meanwhile would be undone.
            let unchanged = read_bounded(&path, ENVELOPE_FILE_BYTES_MAX).is_ok_and(|now| now == old);
            let done = if unchanged { file.commit_synced() } else { Err(anyhow!("changed meanwhile")) };
            match done {
                Ok(()) => {
                    summary.rewrapped += 1;
                    folders.insert(folder_of(&path).to_owned());
                }
                Err(e) => summary.outcomes.add(path.display(), Err(e)),
            }
        }
        for folder in folders {
            File::open(&folder)
                .and_then(|d| d.sync_all())
                .with_context(|| format!("cannot make the directory {} durable", folder.display()))?;
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(summary)
}

/// Batches of neighbours, each in so few folders that the process may have them all open.
fn batches(mut paths: &[PathBuf]) -> impl Iterator<Item = &[PathBuf]> {
    std::iter::from_fn(move || {
        let mut seen = BTreeSet::new();
        let mut fitting = 0;
        for path in paths.iter().take(BATCH) {
            seen.insert(folder_of(path));
            if seen.len() > FOLDERS {
                break;
            }
            fitting += 1;
        }
        let (batch, rest) = paths.split_at(fitting);
        paths = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

/// What lies beside the envelopes of a batch that were named one by one. Of a directory all are at hand, each unit's sole one.
fn beside(rewrapper: &Rewrapper, targets: &[PathBuf], batch: &[PathBuf]) -> anyhow::Result<Neighbours> {
    let named: BTreeSet<&Path> = targets.iter().filter(|t| !t.is_dir()).map(|t| folder_of(t)).collect();
    let of_batch: BTreeSet<&Path> = batch.iter().map(|path| folder_of(path)).collect();
    let folders: BTreeSet<&Path> = named.intersection(&of_batch).copied().collect();
    let in_them = batch.iter().filter(|path| folders.contains(folder_of(path)));
    let units: BTreeSet<_> = in_them.filter_map(|path| unit_at(path)).collect();
    Neighbours::of(&rewrapper.pinned, &folders, |name| units.contains(name))
}

/// Rewrites a batch on all cores.
fn write_all(
    rewrapper: &Rewrapper,
    batch: &[PathBuf],
    beside: &Neighbours,
    summary: &mut Summary,
) -> Vec<Written> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::new(), summary)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(batch.len());
    let carry = || {
        while let Some(path) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = write_one(rewrapper, path, beside);
            let mut guard = results.lock().unwrap_or_else(PoisonError::into_inner);
            let (written, summary) = &mut *guard;
            match done {
                Ok(Ok(new)) => written.push(new),
                Ok(Err(why)) => summary.outcomes.add(path.display(), Ok(why)),
                Err(e) => summary.outcomes.add(path.display(), Err(e)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // A thread that does not start is not missed: the caller carries what others do not.
            if std::thread::Builder::new().spawn_scoped(scope, carry).is_err() {
                break;
            }
        }
        carry();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).0
}

/// The new envelope beside the old one, not durable yet; or why there is none.
fn write_one(
    rewrapper: &Rewrapper,
    path: &Path,
    beside: &Neighbours,
) -> anyhow::Result<Result<Written, &'static str>> {
    let old = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    let Some(envelope) = of_owner(&rewrapper.pinned, &old)? else { return Ok(Err(FOREIGN)) };
    beside.check(&envelope, &old)?;
    let new = match rewrapper.rewrap(&old)? {
        Outcome::New(new) => new,
        Outcome::Skipped(why) => return Ok(Err(why)),
    };
    let mode = fs::metadata(path)?.mode() & 0o777;
    let mut file = AtomicFile::replace(path, mode)?;
    file.write_all(&new)?;
    Ok(Ok(Written { path: path.to_owned(), old, file }))
}

/// Makes what was written durable: one `syncfs` for each file system.
fn sync(written: &[Written]) -> anyhow::Result<()> {
    let mut devices = BTreeSet::new();
    for Written { path, .. } in written {
        let folder = File::open(folder_of(path))?;
        if devices.insert(folder.metadata()?.dev()) {
            rustix::fs::syncfs(&folder).context("cannot make the new envelopes durable")?;
        }
    }
    Ok(())
}
