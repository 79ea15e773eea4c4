//! The same on the machine's own file system.

use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_store::files::{FileSystem, StdFiles};
use bailiwick_store::{CellCheck, DamagedPart, Options, Store, StoreError};

use super::fixture::{FORKS, Spec};

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files_below(&path));
        } else {
            out.push(path);
        }
    }
    out
}

#[test]
fn objects_survive_reopening_and_are_readable_by_their_user_only() {
    let _no_forks = FORKS.read();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let store = Store::open(&root, Options::default()).unwrap();
    let samples: Vec<_> =
        (1..=5).map(|o| Spec { object: o, size: 70_000, ..Spec::default() }.seal()).collect();
    for sample in &samples {
        sample.put(&store).unwrap();
    }
    assert!(store.delete(&samples[2].name()).unwrap());
    let upload = Spec { object: 9, ..Spec::default() }.seal().upload(&store).unwrap();
    drop((upload, store));
    for path in files_below(&root) {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    assert_eq!(files_below(&root.join("tmp")).len(), 0);
    let store = Store::open(&root, Options::default()).unwrap();
    assert_eq!(store.report().adopted, []);
    for (i, sample) in samples.iter().enumerate() {
        if i == 2 {
            assert_eq!(store.get(&sample.name()).unwrap(), None);
        } else {
            sample.assert_whole(&store);
        }
    }
    assert!(store.scrub(CellCheck::Recompute, |_| (), || false).unwrap().is_clean());
}

/// A body of more than one page of the piece table (8 MiB); D14 on it, far from the start.
#[test]
fn d14_bodies_of_several_pages_are_read_and_checked_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let size = 56 + 16_400 * 530 + 1000;
    let sample = Spec { size, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let reader = store.open_body(&sample.name()).unwrap();
    for offset in [0, 65_535, (8 << 20) - 10, 8 << 20, size - 20] {
        let at = usize::try_from(offset).unwrap();
        let end = (at + 100_000).min(sample.body.len());
        assert!(reader.read_range(offset, 100_000).unwrap() == sample.body[at..end], "at {offset}");
    }
    // The body is at byte 0 of its file.
    let path = files_below(&dir.path().join("objects")).remove(0);
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let at = (8 << 20) + 70_000;
    file.write_all_at(&[sample.body[at] ^ 1], at as u64).unwrap();
    let damaged = reader.read_range(at as u64 + 3, 5).unwrap_err();
    assert!(matches!(damaged, StoreError::Damaged { part: DamagedPart::Body, .. }), "{damaged}");
    assert!(reader.read_range(0, 8 << 20).unwrap() == sample.body[..8 << 20]);
    let report = store.scrub(CellCheck::Stored, |_| (), || false).unwrap();
    assert_eq!(report.damage.len(), 1);
    assert_eq!(report.damage[0].offset, (8 << 20) + 65_536);
}

/// A file that is removed while its directory is listed is left out; the rest of the list is there. Taken for a missing directory
/// it would make a stored object look deleted.
#[test]
fn a_listing_survives_files_removed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("stays"), "x").unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..20_000 {
                let path = dir.path().join(format!("goes{}", i % 50));
                if i % 100 < 50 {
                    std::fs::write(&path, "").unwrap();
                } else {
                    std::fs::remove_file(&path).unwrap();
                }
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let names = StdFiles.list(dir.path()).unwrap();
            assert!(names.iter().any(|e| e.name == "stays" && e.len == 1));
        }
    });
}

/// D05: on the real file system too, the directories above a new store are made.
#[test]
fn d05_a_store_is_made_below_missing_directories() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/b/store");
    let sample = Spec::default().seal();
    sample.put(&Store::open(&root, Options::default()).unwrap()).unwrap();
    assert_eq!(std::fs::metadata(dir.path().join("a")).unwrap().permissions().mode() & 0o077, 0);
}
