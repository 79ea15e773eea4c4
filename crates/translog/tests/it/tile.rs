//! Paths and contents of tiles.

use bailiwick_translog::{
    ENTRY_BYTES_MAX, Level, Tile, TileError, decode_bundle, decode_hashes, encode_bundle,
};
use proptest::prelude::*;

#[test]
fn paths_of_the_specification() {
    let cases = [
        (Level::Hashes(0), 1_234_067, u64::MAX >> 1, "tile/0/x001/x234/067"),
        (Level::Hashes(0), 273, 70_000, "tile/0/273.p/112"),
        (Level::Hashes(1), 0, 70_000, "tile/1/000"),
        (Level::Hashes(1), 1, 70_000, "tile/1/001.p/17"),
        (Level::Hashes(2), 0, 70_000, "tile/2/000.p/1"),
        (Level::Entries, 273, 70_000, "tile/entries/273.p/112"),
        (Level::Hashes(0), 0, 256, "tile/0/000"),
        (Level::Hashes(1), 0, 256, "tile/1/000.p/1"),
        (Level::Entries, 1000, 1 << 40, "tile/entries/x001/000"),
    ];
    for (level, index, size, path) in cases {
        let tile = Tile::of_size(level, index, size).unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(Tile::parse(path), Ok(tile));
    }
    for (level, index, size) in [
        (Level::Hashes(0), 0, 0),
        (Level::Hashes(0), 274, 70_000),
        (Level::Hashes(0), 1, 256),
        (Level::Hashes(1), 0, 255),
        (Level::Hashes(8), 0, u64::MAX >> 1),
        (Level::Hashes(63), 0, u64::MAX >> 1),
        (Level::Entries, u64::MAX, u64::MAX >> 1),
    ] {
        assert_eq!(Tile::of_size(level, index, size), None);
    }
}

#[test]
fn other_spellings_are_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/005",
        "tile/0/001/005",
        "tile/0/x001/x005",
        "tile/00/005",
        "tile/+1/005",
        "tile/64/005",
        "tile/256/005",
        "tile/-1/005",
        "tile/0/005.p/0",
        "tile/0/005.p/256",
        "tile/0/005.p/01",
        "tile/0/005.p/",
        "tile/0/005.p",
        "tile/0/005.p/1/2",
        "tile/0/005/",
        "/tile/0/005",
        "tile//005",
        "tile/0/../005",
        "tile/entries/00x",
        "tile/data/005",
        "Tile/0/005",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/\u{661}23",
        "tile/0/005.p/1 ",
    ] {
        assert_eq!(Tile::parse(path), Err(TileError::Path), "{path:?}");
    }
}

/// Only what a tree of the published size has may be shown.
#[test]
fn tiles_beyond_a_size_are_told_apart() {
    let tile = |p: &str| Tile::parse(p).unwrap();
    for (path, size, within) in [
        ("tile/0/000.p/5", 5, true),
        ("tile/0/000.p/5", 4, false),
        ("tile/0/000.p/5", 600, true),
        ("tile/0/000", 255, false),
        ("tile/0/000", 256, true),
        ("tile/1/000.p/1", 255, false),
        ("tile/1/000.p/1", 256, true),
        ("tile/entries/002.p/1", 512, false),
        ("tile/entries/002.p/1", 513, true),
        ("tile/9/000.p/1", u64::MAX >> 1, false),
    ] {
        assert_eq!(tile(path).is_within(size), within, "{path} in {size}");
    }
}

#[test]
fn bundles_are_read_whole() {
    let entries = [b"".to_vec(), vec![7; ENTRY_BYTES_MAX], b"x".to_vec()];
    let bytes = encode_bundle(&entries).unwrap();
    assert_eq!(decode_bundle(&bytes, 3).unwrap(), entries);
    assert_eq!(&bytes[..4], [0, 0, 0xff, 0xff], "lengths are 16 bits big-endian");
    for width in [0, 1, 2, 4, 256] {
        assert_eq!(decode_bundle(&bytes, width), Err(TileError::Length), "{width}");
    }
    assert_eq!(decode_bundle(&bytes[..bytes.len() - 1], 3), Err(TileError::Length));
    let long = encode_bundle(&[vec![0; ENTRY_BYTES_MAX + 1]]);
    assert_eq!(long, Err(TileError::EntryTooLong { len: ENTRY_BYTES_MAX + 1 }));
    assert_eq!(decode_hashes(&[0; 64], 2).unwrap().len(), 2);
    for (len, width) in [(64, 1), (64, 3), (63, 2), (65, 2), (0, 1)] {
        assert_eq!(decode_hashes(&vec![0; len], width), Err(TileError::Length));
    }
}

proptest! {
    #[test]
    fn paths_round_trip(level in 0u8..8, index in any::<u64>(), size in any::<u64>(), entries in any::<bool>()) {
        let level = if entries { Level::Entries } else { Level::Hashes(level) };
        let index = index % (level.count(size) / 256 + 1);
        if let Some(tile) = Tile::of_size(level, index, size) {
            prop_assert_eq!(Tile::parse(&tile.to_string()), Ok(tile));
            prop_assert!(tile.is_within(size));
        }
    }

    #[test]
    fn parsed_paths_are_canonical(path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = Tile::parse(&path) {
            prop_assert_eq!(tile.to_string(), path);
        }
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let bytes = encode_bundle(&entries).unwrap();
        let width = entries.len() as u16;
        prop_assert_eq!(decode_bundle(&bytes, width).unwrap(), entries);
    }
}
