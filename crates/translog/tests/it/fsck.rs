//! Offline derivation of a log from its entries.

use bailiwick_translog::{Fault, FsckReport, Hash, Tile, fsck};

use super::fixture::{Memory, log_of};

fn tile(path: &str) -> Tile {
    Tile::parse(path).unwrap()
}

fn report(size: u64, harm: impl FnOnce(&Memory)) -> FsckReport {
    let (memory, log) = log_of(size);
    harm(&memory);
    fsck(&memory, log.head().checkpoint(), |_| {})
}

/// T09: an undamaged log is clean at every size around tile borders, and all entries were read.
#[test]
fn t09_honest_logs_are_clean() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, 700] {
        let r = report(size, |_| {});
        assert!(r.is_clean(), "{size}: {:?}", r.damage);
        assert_eq!(r.entries, size);
    }
    let r = report(65_536 + 300, |_| {});
    assert!(r.is_clean(), "{:?}", r.damage);
}

/// T09: one flipped bit anywhere is found, and the damaged file is named: not the one that disagrees with it.
#[test]
fn t09_fsck_names_the_damaged_file() {
    for (size, path, bit, index) in [
        (700, "tile/entries/000", 8 * 2, Some(0)),
        (700, "tile/entries/002.p/188", 8 * 2, Some(512)),
        (700, "tile/0/000", 256 * 7, Some(7)),
        (700, "tile/0/002.p/188", 256 * 5 + 3, Some(517)),
        (700, "tile/1/000.p/2", 256, Some(1)),
        (5, "tile/entries/000.p/5", 8 * 2, Some(0)),
        (5, "tile/0/000.p/5", 256 * 4, Some(4)),
        (65_536 + 300, "tile/entries/003", 8 * 2, Some(768)),
        (65_536 + 300, "tile/0/003", 256, Some(769)),
        (65_536 + 300, "tile/1/000", 256 * 9, Some(9)),
        (65_536 + 300, "tile/1/001.p/1", 5, Some(256)),
        (65_536 + 300, "tile/2/000.p/1", 5, Some(0)),
    ] {
        let r = report(size, |m| m.flip(tile(path), bit));
        let named: Vec<(Tile, Option<u64>)> = r.damage.iter().map(|d| (d.tile, d.index)).collect();
        assert_eq!(named, [(tile(path), index)], "{size} {path}: {:?}", r.damage);
        assert!(r.damage.iter().all(|d| d.fault == Fault::Hash));
    }
}

/// T09: files that are gone, cut or longer are named.
#[test]
fn t09_missing_and_malformed_files_are_named() {
    for path in
        ["tile/entries/001", "tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/188", "tile/0/002.p/188"]
    {
        let named = |r: FsckReport, fault| {
            assert_eq!(r.damage.len(), 1, "{path}: {:?}", r.damage);
            assert_eq!((r.damage[0].tile, r.damage[0].fault), (tile(path), fault), "{path}");
        };
        named(report(700, |m| drop(m.tiles.borrow_mut().remove(&tile(path)))), Fault::Missing);
        named(
            report(700, |m| assert!(m.tiles.borrow_mut().get_mut(&tile(path)).unwrap().pop().is_some())),
            Fault::Malformed,
        );
        named(report(700, |m| m.tiles.borrow_mut().get_mut(&tile(path)).unwrap().push(0)), Fault::Malformed);
    }
}

/// T09: a log that fits itself, and not what was signed.
#[test]
fn t09_another_root_than_the_signed_one_is_found() {
    for size in [1, 256, 700] {
        let (memory, log) = log_of(size);
        let mut checkpoint = log.head().checkpoint().clone();
        checkpoint.root = Hash([1; 32]);
        let r = fsck(&memory, &checkpoint, |_| {});
        assert_eq!(r.damage.len(), 1, "{size}: {:?}", r.damage);
        assert_eq!(r.damage[0].fault, Fault::Root);
    }
    // Entry and hash changed together, consistently: the tile above, or the root, tells.
    let (memory, log) = log_of(700);
    let (other, _) = log_of(0);
    let mut forged =
        bailiwick_translog::Log::create(Memory::default(), super::fixture::log_signer()).unwrap();
    let mut entries = super::fixture::entries(0..700);
    entries[3] = b"entry X".to_vec();
    forged.append(&entries).unwrap();
    drop(other);
    for path in ["tile/entries/000", "tile/0/000"] {
        let bytes = forged.storage().tiles.borrow()[&tile(path)].clone();
        memory.tiles.borrow_mut().insert(tile(path), bytes);
    }
    let r = fsck(&memory, log.head().checkpoint(), |_| {});
    assert_eq!(r.damage.iter().map(|d| d.tile).collect::<Vec<_>>(), [tile("tile/0/000")]);
}
