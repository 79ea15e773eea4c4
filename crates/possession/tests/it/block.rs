//! Blocks fetched by a client and checked against the signed root.

use bailiwick_possession::opening::{
    BlockError, BlockPath, StoredPathError, stored_block_path, verify_block,
};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_MAX};
use bailiwick_protocol::ids::CellRoot;
use proptest::prelude::*;

use crate::fixture::{body, tree};

#[test]
fn every_block_of_every_depth_verifies() {
    for len in [1, 496, 5000, BLOCK_BYTES, BLOCK_BYTES + 1, 16 * BLOCK_BYTES, 17 * BLOCK_BYTES + 9] {
        let b = body(len, 1);
        let t = tree(&b);
        for (block, bytes) in (0..).zip(b.chunks(BLOCK_BYTES)) {
            let path = t.block_path(block).expect("in range");
            let again = BlockPath::from_bytes(&path.to_bytes()).expect("just written");
            assert_eq!(again, path);
            assert_eq!(verify_block(&t.root(), t.cells(), t.size(), block, bytes, &again), Ok(()));
        }
    }
}

/// Fills from a stored tree in memory, and notes what was read.
fn reading<'a>(
    stored: &'a [u8],
    read: &'a mut Vec<usize>,
) -> impl FnMut(u64, &mut [u8]) -> Result<(), std::convert::Infallible> + 'a {
    move |offset, buffer| {
        let from = usize::try_from(offset).expect("in memory");
        read.extend(from..from + buffer.len());
        buffer.copy_from_slice(&stored[from..from + buffer.len()]);
        Ok(())
    }
}

/// A path read from the stored form is the one of the whole tree, and at most 16 nodes a level are read for it.
#[test]
fn a_path_from_the_stored_form_reads_only_its_nodes() {
    for (len, levels) in
        [(1, 0), (BLOCK_BYTES, 0), (BLOCK_BYTES + 1, 1), (16 * BLOCK_BYTES, 1), (18 * BLOCK_BYTES, 2)]
    {
        let t = tree(&body(len, 6));
        let stored = t.to_bytes();
        for block in 0..len.div_ceil(BLOCK_BYTES) as u64 {
            let mut read = Vec::new();
            let path = stored_block_path(&t.root(), t.size(), block, reading(&stored, &mut read))
                .expect("undamaged");
            assert_eq!(path, t.block_path(block).expect("in range"), "{len} {block}");
            assert!(
                read.len() <= levels * 512 && read.is_empty() == (levels == 0),
                "{len} {block}: {}",
                read.len()
            );
        }
        let blocks = len.div_ceil(BLOCK_BYTES) as u64;
        let past = stored_block_path(&t.root(), t.size(), blocks, reading(&stored, &mut Vec::new()));
        assert!(matches!(past, Err(StoredPathError::Block(BlockError::OutOfRange { .. }))));
    }
}

/// D14 for paths: a bit flipped in any byte that is read is noticed, and so is another root; one that is not read is not.
#[test]
fn d14_a_path_from_damaged_nodes_is_refused() {
    let t = tree(&body(18 * BLOCK_BYTES, 7));
    let stored = t.to_bytes();
    let path = |root: &CellRoot, stored: &[u8], read: &mut Vec<usize>| {
        stored_block_path(root, t.size(), 17, reading(stored, read))
    };
    let mut read = Vec::new();
    let honest = path(&t.root(), &stored, &mut read).expect("undamaged");
    assert_eq!(read.len(), 64 + 64, "two nodes of level 3, two of level 4");
    for at in 0..stored.len() {
        let mut bad = stored.clone();
        bad[at] ^= 1 << (at % 8);
        let got = path(&t.root(), &bad, &mut Vec::new());
        if read.contains(&at) {
            assert!(
                matches!(got, Err(StoredPathError::Block(BlockError::Mismatch | BlockError::Malformed))),
                "byte {at}"
            );
        } else {
            assert_eq!(got.expect("not read"), honest, "byte {at}");
        }
    }
    let mut other = *t.root().as_bytes();
    other[0] ^= 1;
    let got = path(&CellRoot(other), &stored, &mut Vec::new());
    assert!(matches!(got, Err(StoredPathError::Block(BlockError::Mismatch))));
}

/// A host that answers with damaged, other, shortened or shifted bytes, or a path of another block.
#[test]
fn other_bytes_or_another_path_are_refused() {
    let b = body(17 * BLOCK_BYTES + 9, 2);
    let t = tree(&b);
    let block = |n: usize| b.chunks(BLOCK_BYTES).nth(n).expect("in range");
    let check =
        |n: u64, bytes: &[u8], path: &BlockPath| verify_block(&t.root(), t.cells(), t.size(), n, bytes, path);
    let path = t.block_path(5).expect("in range");
    assert_eq!(check(5, block(5), &path), Ok(()));

    let mut bad = block(5).to_vec();
    bad[100_000] ^= 1;
    assert_eq!(check(5, &bad, &path), Err(BlockError::Mismatch));
    assert_eq!(check(5, block(6), &path), Err(BlockError::Mismatch));
    assert_eq!(check(6, block(5), &path), Err(BlockError::Path));
    let renamed = BlockPath { block: 6, ..path.clone() };
    assert_eq!(check(6, block(5), &renamed), Err(BlockError::Mismatch));
    let short = BlockError::Length { expected: BLOCK_BYTES, found: BLOCK_BYTES - 1 };
    assert_eq!(check(5, &block(5)[1..], &path), Err(short));
    assert_eq!(check(18, block(5), &path), Err(BlockError::OutOfRange { block: 18, blocks: 18 }));

    let mut fewer = path.clone();
    fewer.siblings.pop();
    assert_eq!(check(5, block(5), &fewer), Err(BlockError::Path));
    for level in 0..path.siblings.len() {
        let mut swapped = path.clone();
        swapped.siblings[level].swap(0, 1);
        assert_eq!(check(5, block(5), &swapped), Err(BlockError::Mismatch));
    }
}

/// Sizes, cells and roots that an honest envelope cannot carry.
#[test]
fn statements_that_do_not_belong_together_are_refused() {
    let b = body(700, 3);
    let t = tree(&b);
    let path = t.block_path(0).expect("in range");
    let check = |root, cells, size| verify_block(&root, cells, size, 0, &b, &path);
    assert_eq!(check(t.root(), 2, 700), Ok(()));
    for (cells, size) in
        [(0, 0), (1, 700), (3, 700), (2, 0), (CELLS_MAX + 1, (CELLS_MAX + 1) * 496), (2, u64::MAX)]
    {
        assert_eq!(check(t.root(), cells, size), Err(BlockError::Cells { size, cells }));
    }
    assert_eq!(check(CellRoot([0xff; 32]), 2, 700), Err(BlockError::Root));
    assert_eq!(check(CellRoot([1; 32]), 2, 700), Err(BlockError::Mismatch));
    assert_eq!(t.block_path(1), Err(BlockError::OutOfRange { block: 1, blocks: 1 }));
}

/// Z14, Z03 for paths: trailing bytes, half a level, too many levels, elements above the modulus.
#[test]
fn z14_malformed_paths_are_refused() {
    let t = tree(&body(2 * BLOCK_BYTES, 4));
    let bytes = t.block_path(1).expect("in range").to_bytes();
    assert!(BlockPath::from_bytes(&bytes).is_ok());
    let mut above = bytes.clone();
    above[8..40].fill(0xff);
    let many = [vec![0; 8], vec![0; 480 * 6]].concat();
    for bad in
        [&bytes[..bytes.len() - 1], &[bytes.as_slice(), &[0]].concat(), &bytes[..7], &[], &above, &many]
    {
        assert_eq!(BlockPath::from_bytes(bad), Err(BlockError::Malformed));
    }
    assert!(BlockPath::from_bytes(&[0; 8 + 480 * 5]).is_ok());
    assert_eq!(BlockPath::BYTES_MAX, 8 + 480 * 5);
}

proptest! {
    #[test]
    fn paths_are_canonical(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
        if let Ok(path) = BlockPath::from_bytes(&bytes) {
            prop_assert_eq!(path.to_bytes(), bytes);
        }
    }
}
