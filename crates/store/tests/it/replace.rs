//! Replacing an envelope: what it costs, what it must not bring back, and what becomes of the files beside objects.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bailiwick_protocol::challenge::Target;
use bailiwick_store::files::{Dir, DirEntry, File, FileSystem, Lock};
use bailiwick_store::{CellCheck, DamagedPart, Options, Store, StoreError};

use super::fixture::{Sample, Spec};
use super::forgetful::{Crash, Fate, Forgetful, Op};

fn open(fs: &Forgetful) -> Store {
    Store::open_with(Arc::new(fs.clone()), "/s", Options::default()).unwrap()
}

fn of(generation: u64, size: u64) -> Sample {
    Spec { generation, size, ..Spec::default() }.seal()
}

/// Files of objects and the envelopes beside them.
fn files(fs: &Forgetful, ending: &str) -> Vec<PathBuf> {
    let all = fs.files().into_iter().map(|(path, _)| path);
    all.filter(|p| p.starts_with("/s/objects") && p.to_string_lossy().ends_with(ending)).collect()
}

/// What it costs does not depend on the body's size: of 3 MiB, not 16 KiB are read or written.
#[test]
fn only_the_envelope_is_read_and_written() {
    let fs = Forgetful::new();
    let store = open(&fs);
    of(1, 3 << 20).put(&store).unwrap();
    let before = fs.moved();
    of(2, 3 << 20).rewrap(&store).unwrap();
    of(3, 3 << 20).rewrap(&store).unwrap();
    let moved = fs.moved() - before;
    assert!(moved < 16 << 10, "{moved} bytes were read or written");
    assert_eq!((files(&fs, ".obj").len(), files(&fs, ".env").len()), (1, 1), "the old ones are gone");
    of(3, 3 << 20).assert_whole(&store);
    let usage = store.usage().total;
    assert_eq!(usage.file_bytes, store.list(None, 1).unwrap()[0].file_bytes);
    assert_eq!((usage.objects, usage.reserved_bytes), (1, 0));
    let report = store.scrub(CellCheck::Recompute, |_| (), || false).unwrap();
    assert!(report.is_clean() && report.foreign.is_empty(), "{report:?}");
    assert_eq!(report.progress.bytes_done, report.progress.bytes_total);
    drop(store);
    // Neither is the body read when the store is opened again, with its index or without.
    for index in [true, false] {
        let after = fs.crash(Crash::Kept);
        if !index {
            after.tamper(Path::new("/s/index.redb"), |bytes| bytes.fill(0));
        }
        let store = open(&after);
        of(3, 3 << 20).assert_whole(&store);
        assert_eq!(store.usage().total, usage);
        assert_eq!(store.report().adopted.len(), usize::from(!index));
    }
}

/// Also with a quota that has no room for a second body.
#[test]
fn a_replacement_needs_room_for_an_envelope_only() {
    let fs = Forgetful::new();
    let file = 3 << 20;
    let options = Options { quota_bytes: file + (file >> 2), ..Options::default() };
    let store = Store::open_with(Arc::new(fs), "/s", options).unwrap();
    of(1, file).put(&store).unwrap();
    assert!(
        matches!(of(2, file).begin(&store), Err(StoreError::QuotaExceeded { .. })),
        "the whole has no room"
    );
    of(2, file).rewrap(&store).unwrap();
    of(2, file).assert_whole(&store);
}

/// But room for that there must be.
#[test]
fn a_replacement_without_room_for_its_envelope_is_refused() {
    let fs = Forgetful::new();
    let first = of(1, 5_000).put(&open(&fs)).unwrap().record;
    let with = |quota_bytes| {
        let options = Options { quota_bytes, ..Options::default() };
        let store = Store::open_with(Arc::new(fs.clone()), "/s", options).unwrap();
        of(2, 5_000).rewrap(&store).map(drop)
    };
    assert!(matches!(with(first.file_bytes), Err(StoreError::QuotaExceeded { .. })));
    of(1, 5_000).assert_whole(&open(&fs));
    with(first.file_bytes + 4_000).unwrap();
}

/// A limit on bodies is about bodies that come: what is stored already can be rewrapped under a lower one.
#[test]
fn a_lower_limit_does_not_keep_a_stored_object_from_being_rewrapped() {
    let fs = Forgetful::new();
    of(1, 5_000).put(&open(&fs)).unwrap();
    let options = Options { body_bytes_max: 4_000, ..Options::default() };
    let store = Store::open_with(Arc::new(fs), "/s", options).unwrap();
    assert!(matches!(of(2, 5_000).begin(&store), Err(StoreError::TooLarge { .. })));
    of(2, 5_000).rewrap(&store).unwrap();
    of(2, 5_000).assert_whole(&store);
}

/// An envelope without a commitment, over the same body: nothing could be proven about the object any more.
#[test]
fn an_envelope_without_commitment_does_not_replace_one_that_has_one() {
    let store = open(&Forgetful::new());
    of(1, 5_000).put(&store).unwrap();
    let mut bare = of(2, 5_000);
    bare.envelope.commitment = None;
    assert!(matches!(bare.rewrap(&store), Err(StoreError::NoCommitment)));
    of(1, 5_000).assert_whole(&store);
    of(2, 5_000).rewrap(&store).unwrap();
}

/// A commitment to other cells than those that were counted when the body came.
#[test]
fn an_envelope_with_another_cell_root_does_not_replace() {
    let store = open(&Forgetful::new());
    of(1, 5_000).put(&store).unwrap();
    let mut other = of(2, 5_000);
    other.envelope.commitment.as_mut().unwrap().root.0[0] ^= 1;
    assert!(matches!(other.rewrap(&store), Err(StoreError::CellTreeMismatch { .. })));
    of(1, 5_000).assert_whole(&store);
    of(2, 5_000).rewrap(&store).unwrap();
}

/// A file system that does something before a file is made.
struct Hooked {
    files: Forgetful,
    hook: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooked")
    }
}

impl FileSystem for Hooked {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        self.files.create(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.files.create_dir(path)
    }
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn File>> {
        self.files.open(path, write)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.files.list(path)
    }
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>> {
        self.files.open_dir(path)
    }
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.files.try_lock(path)
    }
}

/// An object that is deleted while its new envelope is on its way stays deleted, and nothing of it is left.
#[test]
fn a_replaced_envelope_does_not_bring_a_deleted_object_back() {
    let fs = Forgetful::new();
    let hooked = Arc::new(Hooked { files: fs.clone(), hook: Mutex::new(None) });
    let store =
        Store::open_with(Arc::clone(&hooked) as Arc<dyn FileSystem>, "/s", Options::default()).unwrap();
    of(1, 5_000).put(&store).unwrap();
    let (other, name) = (store.clone(), of(1, 5_000).name());
    *hooked.hook.lock().unwrap() = Some(Box::new(move || assert!(other.delete(&name).unwrap())));
    assert!(matches!(of(2, 5_000).rewrap(&store), Err(StoreError::NotFound(_))));
    assert!(hooked.hook.lock().unwrap().is_none(), "it was deleted meanwhile");
    assert!(store.get(&name).unwrap().is_none());
    assert_eq!((files(&fs, "").len(), store.usage().total.file_bytes), (0, 0));
    assert!(!fs.files().iter().any(|(p, _)| p.starts_with("/s/tmp")));
    // Honest twin: nothing happens meanwhile. A delete takes the envelope with it: it holds the ways to the file key.
    of(1, 5_000).put(&store).unwrap();
    of(2, 5_000).rewrap(&store).unwrap();
    assert!(store.delete(&name).unwrap());
    assert_eq!((files(&fs, "").len(), store.usage().total.file_bytes), (0, 0));
}

/// A failed replacement changes nothing, whichever call fails; what it leaves does not outlive the next start.
#[test]
fn a_failed_replacement_leaves_the_old_version() {
    for failing in [Op::Create, Op::Write, Op::Rename, Op::Link, Op::OpenDir] {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(1, 5_000).put(&store).unwrap();
        fs.judge(move |op, _| if op == failing { Fate::Fail(io::ErrorKind::StorageFull) } else { Fate::Go });
        assert!(of(2, 5_000).rewrap(&store).is_err(), "{failing:?}");
        fs.judge(|_, _| Fate::Go);
        of(1, 5_000).assert_whole(&store);
        assert_eq!(store.usage().total.reserved_bytes, 0);
        drop(store);
        let store = open(&fs);
        of(1, 5_000).assert_whole(&store);
        assert!(files(&fs, ".env").is_empty(), "{failing:?}");
        of(2, 5_000).rewrap(&store).unwrap();
        of(2, 5_000).assert_whole(&store);
    }
}

/// K1: what cannot be kept aside now stays where it is, with its envelope, and can still be proved; nothing is said against the version
/// that is served. Kept aside as soon as it can be.
#[test]
fn a_wanted_version_that_cannot_be_kept_aside_stays_with_its_envelope() {
    let retaining = || Options { retain: true, ..Options::default() };
    for failing in [Op::OpenDir, Op::Link] {
        let fs = Forgetful::new();
        let store = Store::open_with(Arc::new(fs.clone()), "/s", retaining()).unwrap();
        of(1, 5_000).put(&store).unwrap();
        of(2, 5_000).rewrap(&store).unwrap();
        let second = Target::of(&of(2, 5_000).envelope).expect("committed");
        fs.judge(move |op, path| match path.starts_with("/s/retained") && op == failing {
            true => Fate::Fail(io::ErrorKind::StorageFull),
            false => Fate::Go,
        });
        of(3, 5_000).rewrap(&store).unwrap();
        fs.judge(|_, _| Fate::Go);
        let provable = |store: &Store| store.open_target(&second).unwrap().is_some();
        assert!(provable(&store), "{failing:?}");
        of(3, 5_000).assert_whole(&store);
        assert!(store.damaged().is_empty(), "{failing:?}");
        drop(store);
        let store = Store::open_with(Arc::new(fs.clone()), "/s", retaining()).unwrap();
        assert!(provable(&store), "{failing:?}, started again");
        of(3, 5_000).assert_whole(&store);
        assert_eq!(
            (files(&fs, ".obj").len(), files(&fs, ".env").len()),
            (1, 1),
            "{failing:?}: the second is kept aside"
        );
    }
}

/// D14: an envelope beside an object that rotted or is gone is damage that is named, and a put of the whole repairs it.
#[test]
fn d14_a_damaged_envelope_beside_an_object_is_named() {
    // Gone; a bit of the envelope; a bit of what only the checksum covers.
    for damage in [None, Some(40), Some(1 << 20)] {
        let fs = Forgetful::new();
        let store = open(&fs);
        of(1, 5_000).put(&store).unwrap();
        of(2, 5_000).rewrap(&store).unwrap();
        let [path] = files(&fs, ".env").try_into().unwrap();
        match damage {
            None => FileSystem::remove(&fs, &path).unwrap(),
            Some(at) => fs.tamper(&path, |bytes| {
                let at = at.min(bytes.len() - 36);
                bytes[at] ^= 1;
            }),
        }
        let name = of(1, 5_000).name();
        let found = store.scrub(CellCheck::Stored, |_| (), || false).unwrap().damage;
        assert_eq!(found.len(), 1, "{damage:?}: {found:?}");
        assert_eq!((found[0].name, found[0].part), (Some(name), DamagedPart::Envelope));
        assert!(matches!(store.get(&name), Err(StoreError::Damaged { part: DamagedPart::Envelope, .. })));
        assert!(matches!(of(3, 5_000).rewrap(&store), Err(StoreError::Damaged { .. })), "put it whole");
        of(2, 5_000).put(&store).unwrap();
        of(2, 5_000).assert_whole(&store);
        assert!(store.damaged().is_empty() && files(&fs, ".env").is_empty());
    }
}

/// A body that is known to be damaged gets no new envelope: whoever asks hears of it.
#[test]
fn d14_a_damaged_body_is_not_given_a_new_envelope() {
    let fs = Forgetful::new();
    let store = open(&fs);
    of(1, 5_000).put(&store).unwrap();
    let [path] = files(&fs, ".obj").try_into().unwrap();
    fs.tamper(&path, |bytes| bytes[4_000] ^= 1);
    assert_eq!(store.scrub(CellCheck::Stored, |_| (), || false).unwrap().damage.len(), 1);
    assert!(matches!(of(2, 5_000).rewrap(&store), Err(StoreError::Damaged { .. })));
    assert!(matches!(of(1, 5_000).rewrap(&store), Err(StoreError::Damaged { .. })), "nor the one it has");
    assert_eq!(store.get(&of(1, 5_000).name()).unwrap().unwrap().record.generation, 1);
    of(2, 5_000).put(&store).unwrap();
    of(3, 5_000).rewrap(&store).unwrap();
}

/// The version before knew no envelopes beside objects; its directory is taken up, and says so from then on.
#[test]
fn a_store_of_the_version_before_is_taken_up() {
    let fs = Forgetful::new();
    drop(open(&fs));
    fs.tamper(Path::new("/s/format"), |bytes| *bytes = b"bailiwick-store 2\n".to_vec());
    drop(open(&fs));
    let format = fs.crash(Crash::Lost).files().into_iter().find(|(p, _)| p.ends_with("format"));
    assert_eq!(format.unwrap().1, b"bailiwick-store 3\n");
}
