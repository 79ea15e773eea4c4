//! File calls that fail while the process lives on.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bailiwick_store::{CellCheck, Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful, Op};

fn open(fs: &Forgetful) -> Store {
    // Every change goes to the index file at once, so that its faults are met too.
    Store::open_with(Arc::new(fs.clone()), "/s", Options { index_batch: 1, ..Options::default() }).unwrap()
}

fn of(object: u8, generation: u64) -> Sample {
    Spec { object, generation, content: u8::try_from(generation).unwrap(), ..Spec::default() }.seal()
}

/// Fails the `nth` call (from 0) that `which` picks, with `kind`; returns the number of such calls so far.
fn fail_nth(
    fs: &Forgetful,
    nth: u64,
    kind: ErrorKind,
    which: impl Fn(Op, &Path) -> bool + Send + 'static,
) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    fs.judge(move |op, path| {
        if which(op, path) && counter.fetch_add(1, Ordering::SeqCst) == nth {
            return Fate::Fail(kind);
        }
        Fate::Go
    });
    count
}

fn is_sync(op: Op, _: &Path) -> bool {
    matches!(op, Op::Sync | Op::SyncDir)
}

#[derive(Clone, Copy, Debug)]
enum Change {
    New,
    Replace,
    Delete,
}

impl Change {
    fn run(self, store: &Store) -> Result<(), StoreError> {
        match self {
            Self::New => of(2, 1).put(store).map(drop),
            Self::Replace => of(1, 2).put(store).map(drop),
            Self::Delete => store.delete(&of(1, 1).name()).map(drop),
        }
    }
}

/// D07: each fsync of each change fails once. No acknowledgement, no retry that then succeeds, read-only from then on;
/// reads go on; what was acknowledged before survives the power cut that follows.
#[test]
fn d07_a_failed_fsync_never_acknowledges_and_makes_the_store_read_only() {
    for change in [Change::New, Change::Replace, Change::Delete] {
        let mut nth = 0;
        loop {
            let context = format!("{change:?}, fsync {nth}");
            let fs = Forgetful::new();
            let store = open(&fs);
            of(1, 1).put(&store).unwrap();
            let count = fail_nth(&fs, nth, ErrorKind::Other, is_sync);
            let result = change.run(&store);
            if count.load(Ordering::SeqCst) <= nth {
                // The honest twin: no fsync failed, so it is acknowledged and the store takes more.
                result.unwrap();
                assert!(!store.is_read_only());
                fs.judge(|_, _| Fate::Go);
                of(9, 1).put(&store).unwrap();
                break;
            }
            let e = result.expect_err(&context);
            assert!(matches!(e, StoreError::SyncFailed { .. } | StoreError::ReadOnly), "{context}: {e}");
            assert!(store.is_read_only() && store.read_only_cause().is_some(), "{context}");

            // Nothing is accepted or deleted any more, and no fsync is tried again.
            let tried = count.load(Ordering::SeqCst);
            assert_eq!(tried, nth + 1, "{context}: an fsync was tried after one had failed");
            assert!(
                matches!(of(3, 1).begin(&store), Err(StoreError::ReadOnly)),
                "{context}: before its body comes"
            );
            assert!(matches!(store.delete(&of(1, 1).name()), Err(StoreError::ReadOnly)), "{context}");
            assert!(store.flush().is_err() || tried == count.load(Ordering::SeqCst));
            if !matches!(change, Change::Delete) {
                // Reads go on.
                store.open_body(&of(1, 1).name()).unwrap().read_range(0, 1000).unwrap();
            }
            let after = fs.crash(Crash::Lost);
            drop(store);
            assert_eq!(count.load(Ordering::SeqCst), tried, "{context}: closing tried an fsync");

            let store = open(&after);
            let found = store.get(&of(1, 1).name()).unwrap();
            match (change, found.map(|o| o.record.generation)) {
                (Change::New, Some(1)) | (Change::Replace | Change::Delete, Some(1)) => {
                    of(1, 1).assert_whole(&store)
                }
                (Change::Replace, Some(2)) => of(1, 2).assert_whole(&store),
                (Change::Delete, None) => {}
                (_, found) => panic!("{context}: found generation {found:?}"),
            }
            nth += 1;
        }
        assert!(nth >= 2, "{change:?} used {nth} fsyncs: fewer than the write path needs");
    }
}

/// D09: the disk is full at every byte budget. Clean error, nothing left over, reads and deletes go on, and when there is
/// space again the same put succeeds.
#[test]
fn d09_no_space_at_every_budget() {
    let needed = {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(2, 1).put(&store).unwrap().record.file_bytes
    };
    let (mut refused, mut taken) = (0, 0);
    for budget in (0..needed + 64).step_by(23) {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(1, 1).put(&store).unwrap();
        let objects = |fs: &Forgetful| {
            let files = fs.files().into_iter().map(|(path, _)| path);
            files.filter(|p| p.starts_with("/s/objects") || p.starts_with("/s/tmp")).collect::<Vec<_>>()
        };
        let before = objects(&fs);
        fs.set_capacity(fs.used() + budget);
        match of(2, 1).put(&store) {
            Err(StoreError::NoSpace { .. }) => {
                refused += 1;
                assert_eq!(objects(&fs), before, "budget {budget}: leftovers");
                assert_eq!(store.get(&of(2, 1).name()).unwrap(), None);
                assert_eq!(store.usage().total.reserved_bytes, 0);
                of(1, 1).assert_whole(&store);
                assert!(!store.is_read_only());
                fs.set_capacity(u64::MAX);
                of(2, 1).put(&store).unwrap();
            }
            Ok(_) => taken += 1,
            Err(e) => panic!("budget {budget}: {e}"),
        }
        of(2, 1).assert_whole(&store);
        fs.set_capacity(0);
        assert!(store.delete(&of(1, 1).name()).unwrap());
        assert_eq!(store.get(&of(1, 1).name()).unwrap(), None);
        fs.set_capacity(u64::MAX);
        // Nothing depends on luck: it is all there after a power cut.
        let after = fs.crash(Crash::Lost);
        drop(store);
        let store = open(&after);
        of(2, 1).assert_whole(&store);
        assert_eq!(store.get(&of(1, 1).name()).unwrap(), None);
    }
    assert!(refused > 10 && taken > 1, "{refused} refused, {taken} taken");
}

/// D09: ENOSPC from any single call, the index file's included.
#[test]
fn d09_no_space_from_any_call() {
    let mut nth = 0;
    loop {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(1, 1).put(&store).unwrap();
        let space = |op: Op, _: &Path| {
            matches!(op, Op::Create | Op::CreateDir | Op::Write | Op::SetLen | Op::Rename | Op::Link)
        };
        let count = fail_nth(&fs, nth, ErrorKind::StorageFull, space);
        let result = of(2, 1).put(&store);
        if count.load(Ordering::SeqCst) <= nth {
            result.unwrap();
            break;
        }
        match result {
            Ok(_) => {}
            Err(StoreError::NoSpace { .. }) => assert_eq!(store.get(&of(2, 1).name()).unwrap(), None),
            Err(e) => panic!("call {nth}: {e}"),
        }
        assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/tmp")), "call {nth}: leftovers");
        assert!(!store.is_read_only());
        of(1, 1).assert_whole(&store);
        // It recovers by itself.
        of(2, 1).put(&store).unwrap();
        of(3, 1).put(&store).unwrap();
        assert!(store.delete(&of(1, 1).name()).unwrap());
        let names: Vec<_> = store.list(None, 10).unwrap().iter().map(|r| r.name).collect();
        assert_eq!(names, [of(2, 1).name(), of(3, 1).name()], "call {nth}");
        store.flush().unwrap();
        assert!(store.scrub(CellCheck::Recompute, |_| (), || false).unwrap().is_clean());
        let after = fs.crash(Crash::Lost);
        drop(store);
        let store = open(&after);
        of(2, 1).assert_whole(&store);
        of(3, 1).assert_whole(&store);
        nth += 1;
    }
    assert!(nth >= 6, "only {nth} calls that need space");
}

/// An I/O error on any call is an error: never "no such object", never a wrong byte, never an acknowledgement of
/// something that is then not there.
#[test]
fn an_io_error_on_any_call_is_told_and_harms_nothing() {
    let mut nth = 0;
    loop {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(1, 1).put(&store).unwrap();
        let count = fail_nth(&fs, nth, ErrorKind::Other, |op, path| !is_sync(op, path));
        let put = of(2, 1).put(&store);
        let read = store.open_body(&of(1, 1).name()).and_then(|r| r.read_range(0, 1000));
        let got = store.get(&of(1, 1).name());
        if count.load(Ordering::SeqCst) <= nth {
            put.unwrap();
            assert_eq!(read.unwrap(), of(1, 1).body);
            break;
        }
        if let Ok(bytes) = read {
            assert_eq!(bytes, of(1, 1).body);
        }
        assert!(!matches!(got, Ok(None)), "call {nth}: an error was taken for absence");
        if put.is_ok() {
            of(2, 1).assert_whole(&store);
        }
        let after = fs.crash(Crash::Lost);
        drop(store);
        let store = open(&after);
        of(1, 1).assert_whole(&store);
        if put.is_ok() {
            of(2, 1).assert_whole(&store);
        }
        nth += 1;
    }
    assert!(nth > 10);
}

/// The order on disk, spelled out: write, fsync, rename, fsync of the directory; two fsyncs for a put.
#[test]
fn the_write_path_is_write_fsync_rename_fsync_directory() {
    let fs = Forgetful::new();
    let store = Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap();
    of(1, 1).put(&store).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    fs.judge(move |op, _| {
        if op.changes() {
            log.lock().unwrap().push(op);
        }
        Fate::Go
    });
    // Same directory as the first, so that none is made.
    let mut sample = of(1, 1);
    sample.envelope.unit.replica = 1;
    sample.put(&store).unwrap();
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls, [Op::Create, Op::Write, Op::Write, Op::Sync, Op::Rename, Op::SyncDir]);
}

/// EMFILE as on Linux.
const TOO_MANY_FILES: i32 = 24;

/// D07: a directory that cannot be opened (too many files are open) is no failed fsync. The change fails before anything has
/// changed, the store takes more, and the same change then succeeds.
#[test]
fn d07_a_directory_that_cannot_be_opened_is_no_failed_fsync() {
    for change in [Change::New, Change::Replace, Change::Delete] {
        let mut nth = 0;
        loop {
            let context = format!("{change:?}, directory {nth}");
            let fs = Forgetful::new();
            let store = open(&fs);
            of(1, 1).put(&store).unwrap();
            let mut count = 0;
            let reached = Arc::new(AtomicU64::new(0));
            let tell = Arc::clone(&reached);
            fs.judge(move |op, _| {
                let hit = op == Op::OpenDir && count == nth;
                count += u64::from(op == Op::OpenDir);
                tell.fetch_add(u64::from(hit), Ordering::SeqCst);
                if hit { Fate::FailOs(TOO_MANY_FILES) } else { Fate::Go }
            });
            let result = change.run(&store);
            if reached.load(Ordering::SeqCst) == 0 {
                result.unwrap();
                break;
            }
            assert!(matches!(result, Err(StoreError::Io { .. })), "{context}: {result:?}");
            assert!(!store.is_read_only(), "{context}");
            of(1, 1).assert_whole(&store);
            assert_eq!(store.get(&of(2, 1).name()).unwrap(), None, "{context}");
            assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/tmp")), "{context}: leftovers");
            change.run(&store).unwrap();
            nth += 1;
        }
        assert!(nth >= 1, "{change:?} opens no directory");
    }
}

/// D07: the index is synced before a deleted object's name is used again. When that fsync fails, the caller hears that the store
/// is read-only, not that something is wrong with an index.
#[test]
fn d07_a_failed_fsync_of_the_index_is_told_as_one() {
    for put in [true, false] {
        for nth in 0..2 {
            let fs = Forgetful::new();
            let store = Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap();
            of(1, 1).put(&store).unwrap();
            assert!(store.delete(&of(1, 1).name()).unwrap());
            let count = fail_nth(&fs, nth, ErrorKind::Other, |op, path| {
                op == Op::Sync && path.ends_with("index.redb")
            });
            let result = if put { of(1, 1).put(&store).map(drop) } else { store.flush() };
            if count.load(Ordering::SeqCst) <= nth {
                assert!(nth > 0, "the index was not synced");
                result.unwrap();
                continue;
            }
            let e = result.unwrap_err();
            assert!(matches!(e, StoreError::SyncFailed { .. } | StoreError::ReadOnly), "{put} {nth}: {e}");
            assert!(store.is_read_only());
        }
    }
}

/// I3: closing writes the index, even when another handle is never dropped, and tells when it could not.
#[test]
fn closing_writes_the_index() {
    let fs = Forgetful::new();
    let open = |fs: &Forgetful| Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap();
    let store = open(&fs);
    of(1, 1).put(&store).unwrap();
    std::mem::forget(store.clone());
    store.close().unwrap();
    let after = fs.crash(Crash::Lost);
    let store = open(&after);
    assert_eq!(store.report().adopted, [], "the index had not been written");
    of(1, 1).assert_whole(&store);
    of(2, 1).put(&store).unwrap();
    fail_nth(&after, 0, ErrorKind::Other, is_sync);
    assert!(matches!(store.close(), Err(StoreError::ReadOnly | StoreError::SyncFailed { .. })));
}
