//! Openings of cells.

use bailiwick_possession::opening::{OpeningError, open};
use bailiwick_possession::tree::BLOCK_BYTES;

use crate::fixture::{block_of, body, open_cell, tree};
use crate::oracle;

/// Every class depth that holds the body accepts, first, last and middle cells alike, and the cell is the body's.
#[test]
fn honest_openings_lead_to_the_lifted_root() {
    for len in [1, 496, 497, 16 * 496, 17 * 496 + 3, BLOCK_BYTES, BLOCK_BYTES + 1, 17 * BLOCK_BYTES + 500] {
        let b = body(len, 1);
        let t = tree(&b);
        for depth in t.depth().max(3)..=8 {
            let root = t.lifted_root(depth).expect("deep enough");
            for index in [0, t.cells() / 2, t.cells() - 1] {
                let o = open_cell(&t, &b, index, depth);
                assert_eq!(o.path.len(), usize::from(depth) - 1);
                assert_eq!(o.cell, oracle::cell(&b, index as usize));
                assert!(o.leads_to(&root), "{len} bytes, depth {depth}, cell {index}");
            }
        }
    }
}

/// Damage anywhere in the block is found before a proof is tried, also in a cell that was not drawn.
#[test]
fn a_damaged_block_is_unavailable() {
    let b = body(2 * BLOCK_BYTES + 700, 2);
    let t = tree(&b);
    for (index, at) in [(0, 5), (0, BLOCK_BYTES - 1), (300, BLOCK_BYTES + 7), (513, 2 * BLOCK_BYTES + 699)] {
        let mut bad = b.clone();
        bad[at] ^= 0x10;
        assert!(open(&t, index, 6, block_of(&b, index)).is_ok());
        let block = index / 256;
        assert_eq!(open(&t, index, 6, block_of(&bad, index)), Err(OpeningError::CellsUnavailable { block }));
    }
}

/// P20, Z31: cells past the end are not opened, neither just past it nor far away.
#[test]
fn z31_no_opening_outside_the_body() {
    let b = body(1000, 3);
    let t = tree(&b);
    assert!(open(&t, 2, 5, &b).is_ok());
    for index in [3, 255, 256, 1 << 16, u64::MAX] {
        assert_eq!(open(&t, index, 5, &b), Err(OpeningError::IndexOutOfRange { index, cells: 3 }));
    }
}

#[test]
fn a_class_that_does_not_hold_the_body_is_refused() {
    let b = body(BLOCK_BYTES + 1, 4);
    let t = tree(&b);
    assert_eq!(t.depth(), 4);
    for class_depth in [0, 1, 3, 9, 255] {
        let refused = OpeningError::Depth { class_depth, depth: 4 };
        assert_eq!(open(&t, 0, class_depth, block_of(&b, 0)), Err(refused));
        assert_eq!(t.lifted_root(class_depth), Err(refused));
    }
    assert!(open(&t, 0, 4, block_of(&b, 0)).is_ok());
}

#[test]
fn only_the_whole_block_is_taken() {
    let b = body(BLOCK_BYTES + 500, 5);
    let t = tree(&b);
    assert!(open(&t, 256, 4, &b[BLOCK_BYTES..]).is_ok());
    for bad in [&b[BLOCK_BYTES..BLOCK_BYTES + 499], &b[..BLOCK_BYTES], &b[..0]] {
        let refused = OpeningError::BlockLength { block: 1, expected: 500, found: bad.len() };
        assert_eq!(open(&t, 256, 4, bad), Err(refused));
    }
}
