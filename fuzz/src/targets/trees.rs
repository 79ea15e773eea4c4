//! Stored cell trees and block paths.

use bailiwick_possession::opening::BlockPath;
use bailiwick_possession::tree::{CellTree, commit};

pub(super) fn cell_tree(data: &[u8]) -> bool {
    let Ok(tree) = CellTree::from_bytes(data) else { return false };
    assert_eq!(tree.to_bytes(), data, "a tree has a second encoding");
    true
}

pub(super) fn block_path(data: &[u8]) -> bool {
    let Ok(path) = BlockPath::from_bytes(data) else { return false };
    assert_eq!(path.to_bytes(), data, "a block path has a second encoding");
    true
}

fn tree(bytes: usize) -> CellTree {
    let body: Vec<u8> = (0u8..251).cycle().take(bytes).collect();
    commit([body]).expect("a body of this size has a tree")
}

pub(super) fn cell_tree_seeds() -> Vec<Vec<u8>> {
    [1, 500, 126_976, 126_977, 400_000].map(|n| tree(n).to_bytes()).to_vec()
}

pub(super) fn block_path_seeds() -> Vec<Vec<u8>> {
    let (small, large) = (tree(500), tree(400_000));
    [(&small, 0), (&large, 0), (&large, 3)]
        .map(|(t, block)| t.block_path(block).expect("the block exists").to_bytes())
        .to_vec()
}
