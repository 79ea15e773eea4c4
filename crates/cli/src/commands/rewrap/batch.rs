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
use bailiwick_envelope::verify;

use super::{Outcome, Rewrapper, Summary};
use crate::Help;
use crate::commands::commit::ENVELOPE_FILE_BYTES_MAX;
use crate::envelopes::{Lock, envelopes, folder_of, one_of_each};
use crate::keyfile::with_suffix;
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
    let paths = one_of_each(envelopes(targets)?, &mut summary.outcomes.failed);
    let bar = progress::count(paths.len() as u64, "rewrap");
    for batch in batches(&paths) {
        let _alone = Lock::all(batch.iter().map(|path| folder_of(path)).collect())?;
        let written = write_all(rewrapper, batch, &mut summary);
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

/// Rewrites a batch on all cores.
fn write_all(rewrapper: &Rewrapper, batch: &[PathBuf], summary: &mut Summary) -> Vec<Written> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::new(), summary)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(batch.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = write_one(rewrapper, path);
                    let mut guard = results.lock().unwrap_or_else(PoisonError::into_inner);
                    let (written, summary) = &mut *guard;
                    match done {
                        Ok(Ok(new)) => written.push(new),
                        Ok(Err(why)) => summary.outcomes.skip(why),
                        Err(e) => summary.outcomes.add(path.display(), Err(e)),
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).0
}

/// The new envelope beside the old one, not durable yet; or why there is none.
fn write_one(rewrapper: &Rewrapper, path: &Path) -> anyhow::Result<Result<Written, &'static str>> {
    let old = read_bounded(path, ENVELOPE_FILE_BYTES_MAX)?;
    not_rotated(rewrapper, path, &old)?;
    let new = match rewrapper.rewrap(&old)? {
        Outcome::New(new) => new,
        Outcome::Skipped(why) => return Ok(Err(why)),
    };
    let mode = fs::metadata(path)?.mode() & 0o777;
    let mut file = AtomicFile::replace(path, mode)?;
    file.write_all(&new)?;
    Ok(Ok(Written { path: path.to_owned(), old, file }))
}

/// Refuses `X.envelope` when `rotate` has signed the generation that would be signed now, as `X.rotated.envelope`.
fn not_rotated(rewrapper: &Rewrapper, path: &Path, old: &[u8]) -> anyhow::Result<()> {
    let rotated = with_suffix(&path.with_extension(""), ".rotated.envelope");
    if !rotated.is_file() {
        return Ok(());
    }
    let bytes = read_bounded(&rotated, ENVELOPE_FILE_BYTES_MAX)?;
    let (Ok(old), Ok(next)) = (verify(&rewrapper.pinned, old), verify(&rewrapper.pinned, &bytes)) else {
        return Ok(());
    };
    if old.name() == next.name() && next.generation > old.generation {
        return Err(anyhow!("{} is generation {} of it already", rotated.display(), next.generation))
            .context(Help("rewrap that one, or let `rotate --replace` give it its place first"));
    }
    Ok(())
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
