//! The tree against the oracle, its streaming, its stored form.

use bailiwick_possession::field::{Fr, element_from_bytes, element_to_bytes};
use bailiwick_possession::tree::{
    BLOCK_BYTES, CELL_BYTES, CELLS_MAX, CellTree, TreeBuilder, TreeError, block_len, cells_of, commit,
    depth_of, empty_node, lift,
};
use proptest::prelude::*;

use crate::fixture::{body, tree};
use crate::oracle;

fn root_of(bytes: &[u8]) -> Fr {
    element_from_bytes(tree(bytes).root().as_bytes()).expect("a root is canonical")
}

/// Every boundary of element, cell, group, block and depth.
#[test]
fn roots_equal_the_oracle_at_every_boundary() {
    let edges =
        [31, CELL_BYTES, 2 * CELL_BYTES, 16 * CELL_BYTES, 17 * CELL_BYTES, BLOCK_BYTES, 2 * BLOCK_BYTES];
    for len in edges.iter().flat_map(|e| [e - 1, *e, e + 1]) {
        let b = body(len, 1);
        let t = tree(&b);
        assert_eq!((t.size(), t.cells()), (len as u64, len.div_ceil(496) as u64));
        assert_eq!(u32::from(t.depth()), oracle::natural_depth(&b), "{len} bytes");
        assert_eq!(root_of(&b), oracle::root(&b), "{len} bytes");
    }
}

/// One cell more than 16 blocks: the first body of depth 5, whose last nodes are mostly empty.
#[test]
fn roots_equal_the_oracle_across_a_level_4_boundary() {
    for (len, depth) in [(16 * BLOCK_BYTES, 4), (16 * BLOCK_BYTES + 1, 5)] {
        let b = body(len, 2);
        assert_eq!(tree(&b).depth(), depth);
        assert_eq!(root_of(&b), oracle::root(&b), "{len} bytes");
    }
}

/// Several batches of the parallel builder, and a short last one: cut differently they give one tree.
#[test]
fn many_blocks_do_not_depend_on_how_they_are_cut() {
    let b = body(33 * BLOCK_BYTES + 12345, 3);
    let whole = tree(&b);
    for cut in [1 << 16, 32 * BLOCK_BYTES + 1] {
        assert_eq!(commit(b.chunks(cut)).expect("not empty"), whole, "cut every {cut} bytes");
    }
}

/// P20: an empty body is a defined refusal, a body of one byte has a one-cell tree.
#[test]
fn p20_empty_is_refused_and_one_byte_is_a_tree() {
    assert_eq!(TreeBuilder::new().finish(), Err(TreeError::Empty));
    assert_eq!(commit([b""]), Err(TreeError::Empty));
    let t = tree(&[9]);
    assert_eq!((t.cells(), t.depth()), (1, 1));
    assert_eq!(root_of(&[9]), oracle::compress(&oracle::cell(&[9], 0)));
}

/// The cell is zero-padded, so the root alone does not tell a body from the same body and a zero: the *size* is signed too.
#[test]
fn a_zero_more_shows_in_the_size_and_not_in_the_root() {
    let (a, b) = (tree(b"abc"), tree(b"abc\0"));
    assert_eq!(a.root(), b.root());
    assert_ne!(a.size(), b.size());
}

#[test]
fn depth_is_the_least_that_holds_the_cells() {
    for (cells, depth) in [(1, 1), (2, 2), (16, 2), (17, 3), (256, 3), (257, 4), (4096, 4), (4097, 5)] {
        assert_eq!(depth_of(cells), depth, "{cells} cells");
    }
    assert_eq!((depth_of(CELLS_MAX), depth_of(CELLS_MAX + 1), depth_of(u64::MAX)), (8, 9, 17));
    assert_eq!((cells_of(0), cells_of(1), cells_of(496), cells_of(497)), (0, 1, 1, 2));
    let size = BLOCK_BYTES as u64 + 5;
    assert_eq!((block_len(size, 0), block_len(size, 1), block_len(size, 2)), (BLOCK_BYTES, 5, 0));
    assert_eq!(block_len(size, u64::MAX), 0);
}

#[test]
fn empty_nodes_and_lifting_equal_the_oracle() {
    for level in 1..=8 {
        assert_eq!(empty_node(level), oracle::empty(u32::from(level)));
    }
    // Lifting is what padding to the deeper tree gives.
    let b = body(300, 4);
    for depth in 1..=5u8 {
        assert_eq!(lift(root_of(&b), 1, depth), oracle::node(&b, u32::from(depth), 0));
    }
    let b = body(20 * CELL_BYTES, 4);
    assert_eq!(lift(root_of(&b), 3, 6), oracle::node(&b, 6, 0));
    assert_eq!(lift(root_of(&b), 3, 3), root_of(&b));
}

/// `Z_1` is at or above 2^248, which no 31 bytes of data are.
#[test]
fn an_empty_cell_is_no_data() {
    assert_eq!(element_to_bytes(&empty_node(1))[31], 1);
}

#[test]
fn the_stored_form_survives_and_names_the_same_tree() {
    for len in [1, 496, 497, 17 * 496, BLOCK_BYTES + 1, 17 * BLOCK_BYTES] {
        let t = tree(&body(len, 5));
        let bytes = t.to_bytes();
        assert_eq!(bytes.len() as u64, CellTree::encoded_len(len as u64));
        assert_eq!(CellTree::from_bytes(&bytes).expect("just written"), t);
    }
}

/// Z14 for stored trees: a bit flipped anywhere, a byte more or less, another version, size 0 or beyond every class.
#[test]
fn z14_a_damaged_stored_tree_is_refused() {
    for len in [496, 17 * 496, 17 * BLOCK_BYTES] {
        let bytes = tree(&body(len, 6)).to_bytes();
        assert!(CellTree::from_bytes(&bytes).is_ok());
        for at in 0..bytes.len() {
            // Size bits that leave the number of blocks alone are the envelope's to check, which signs the size.
            if (1..9).contains(&at) {
                continue;
            }
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(CellTree::from_bytes(&bad).is_err(), "{len} bytes, flipped byte {at}");
        }
        assert!(CellTree::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(CellTree::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
        let resized = |size: u64| {
            let mut b = bytes.clone();
            b[1..9].copy_from_slice(&size.to_le_bytes());
            CellTree::from_bytes(&b)
        };
        assert_eq!(resized(0), Err(TreeError::Empty));
        assert!(matches!(resized(u64::MAX), Err(TreeError::TooLarge { .. })));
        assert!(matches!(resized(len as u64 + (1 << 24)), Err(TreeError::Length { .. })));
    }
    assert!(CellTree::from_bytes(&[]).is_err());
    let mut other = tree(&body(1, 6)).to_bytes();
    other[0] = 1;
    assert_eq!(CellTree::from_bytes(&other), Err(TreeError::UnknownVersion(1)));
}

/// Z03 for stored trees: `x + p` is refused where `x` is accepted.
#[test]
fn z03_a_stored_element_above_the_modulus_is_refused() {
    let bytes = tree(&body(BLOCK_BYTES, 7)).to_bytes();
    let mut bad = bytes.clone();
    bad[9..41].fill(0xff);
    assert!(CellTree::from_bytes(&bytes).is_ok());
    assert_eq!(CellTree::from_bytes(&bad), Err(TreeError::NotCanonical { index: 0 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the bytes are cut, the root is the oracle's.
    #[test]
    fn any_cut_gives_the_oracles_root(len in 1usize..40_000, cuts in prop::collection::vec(0usize..9_000, 0..12), seed: u8) {
        let b = body(len, seed);
        let mut builder = TreeBuilder::new();
        let mut rest = b.as_slice();
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            builder.update(head);
            rest = tail;
        }
        builder.update(rest);
        let t = builder.finish().expect("not empty");
        prop_assert_eq!(element_from_bytes(t.root().as_bytes()), Some(oracle::root(&b)));
    }

    /// Any bytes are refused or are exactly what reading them gives back.
    #[test]
    fn stored_trees_are_canonical(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 0u64..2000) {
        let mut bytes = bytes;
        if bytes.len() > 9 {
            bytes[0] = 2;
            bytes[1..9].copy_from_slice(&size.to_le_bytes());
        }
        if let Ok(t) = CellTree::from_bytes(&bytes) {
            prop_assert_eq!(t.to_bytes(), bytes);
        }
    }
}
