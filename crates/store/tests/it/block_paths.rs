//! What reads touch: block paths their nodes only, readers what they say.

use bailiwick_store::{DamagedPart, StoreError};

use super::fixture::Spec;
use super::forgetful::Forgetful;
use super::rot::{object_file, open};

/// What a reader says it read from the disk is what it read: the head at opening, whole pieces and their table after that.
#[test]
fn a_reader_counts_the_bytes_it_reads_from_the_disk() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 400_000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let reader = store.open_body(&sample.name()).unwrap();
    let head = 136 + sample.signed().len() as u64 + 32;
    assert_eq!(reader.disk_bytes(), head);
    reader.read_range(70_000, 1).unwrap();
    assert_eq!(reader.disk_bytes(), head + 65_536 + 7 * 32, "a piece, and the piece table once");
    reader.read_range(131_071, 2).unwrap();
    assert_eq!(reader.disk_bytes(), head + 3 * 65_536 + 7 * 32);
    reader.read_range(399_999, 1).unwrap();
    assert_eq!(reader.disk_bytes(), head + 3 * 65_536 + 7 * 32 + (400_000 - 6 * 65_536));
}

/// D14, T9: a block's path needs the nodes on its way and no others: rot in those is noticed and named, rot elsewhere in the tree does not
/// matter to it.
#[test]
fn d14_a_block_path_is_checked_and_reads_its_nodes_only() {
    let fs = Forgetful::new();
    let store = open(&fs);
    let sample = Spec { size: 17 * 126_976 + 1000, ..Spec::default() }.seal();
    sample.put(&store).unwrap();
    let (name, whole) = (sample.name(), store.tree(&sample.name()).unwrap());
    for block in 0..18 {
        assert_eq!(store.block_path(&name, block).unwrap(), whole.block_path(block).unwrap());
    }
    assert!(matches!(store.block_path(&name, 18), Err(StoreError::OutOfRange { .. })));

    let (path, _) = object_file(&fs);
    let node = whole.to_bytes()[41..73].to_vec();
    let first =
        fs.files().iter().find(|(p, _)| *p == path).unwrap().1.windows(32).position(|w| w == node).unwrap();
    // Nodes of level 3: 18; of level 4: 2; the top.
    for (at, blocks_damaged) in
        [(0, 0..16), (15, 0..16), (16, 16..18), (17, 16..18), (18, 0..18), (19, 0..18), (20, 0..0)]
    {
        let flip = |bytes: &mut Vec<u8>| bytes[first + 32 * at] ^= 1;
        fs.tamper(&path, flip);
        for block in 0..18 {
            match store.block_path(&name, block) {
                Ok(found) => {
                    assert!(!blocks_damaged.contains(&block), "node {at}, block {block}");
                    assert_eq!(found, whole.block_path(block).unwrap());
                }
                Err(StoreError::Damaged { part, .. }) => {
                    assert!(blocks_damaged.contains(&block), "node {at}, block {block}");
                    assert_eq!(part, DamagedPart::CellTree);
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(
            matches!(store.tree(&name), Err(StoreError::Damaged { .. })),
            "the whole tree's checksum sees it"
        );
        fs.tamper(&path, flip);
    }
    sample.assert_whole(&store);
}
