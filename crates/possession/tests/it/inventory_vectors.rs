//! Openings and owner's ranges of inventories: from a vector's leaves by the crate, and by definition.

use bailiwick_possession::inventory::{InventoryTree, check_opening, check_owner_range};
use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::inventory::SumNode;

use crate::inventory::oracle;
use crate::vectors::{Row, leaf_of};

/// Hash and cells, as vectors have them.
type Node = (String, u64);

pub(crate) fn row(t: &Target) -> Row {
    let name = (t.name.owner.to_string(), t.name.object.to_string());
    (name.0, name.1, t.generation, t.blake3.to_string(), t.size, t.root.to_string(), t.cells)
}

/// Round 1000 of quicknet (test-vectors/beacon/v1/quicknet.json).
pub(crate) fn quicknet_round() -> BeaconRound {
    let file = include_str!("../../../../test-vectors/beacon/v1/quicknet.json");
    let json: serde_json::Value = serde_json::from_str(file).expect("JSON");
    let round =
        json["rounds"].as_array().expect("rounds").iter().find(|r| r["round"] == 1000).expect("listed");
    let bytes = |v: &serde_json::Value| hex::decode(v.as_str().expect("text")).expect("hex");
    BeaconRound {
        chain: bytes(&json["chain"]["hash"]).try_into().expect("32 bytes"),
        round: 1000,
        signature: bytes(&round["signature"]).try_into().expect("48 bytes"),
    }
}

/// Where the left of two subtrees ends (I3).
fn split(n: usize) -> usize {
    (0..).map(|i| 1 << i).take_while(|k| *k < n).last().expect("two leaves")
}

fn node(leaves: &[Target]) -> Node {
    let (hash, cells) = oracle(leaves);
    (hex::encode(hash), cells)
}

/// By definition: the sibling at each step from the leaf up.
pub(crate) fn path(leaves: &[Target], index: usize) -> Vec<Node> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut below, sibling) = match index.checked_sub(left.len()) {
        None => (path(left, index), node(right)),
        Some(index) => (path(right, index), node(left)),
    };
    below.push(sibling);
    below
}

/// By definition (I10): first place and number of an owner's leaves with a neighbour on either side, and the nodes of all parts of the
/// tree without any of them, in order.
pub(crate) fn range(leaves: &[Target], owner: &OwnerKey) -> (u64, u64, Vec<Node>) {
    let below = leaves.iter().filter(|l| l.name.owner < *owner).count();
    let own = leaves.iter().filter(|l| l.name.owner == *owner).count();
    let (from, to) = (below.saturating_sub(1), (below + own + 1).min(leaves.len()));
    let mut around = Vec::new();
    walk(leaves, from, to, &mut around);
    (from as u64, (to - from) as u64, around)
}

fn walk(leaves: &[Target], from: usize, to: usize, around: &mut Vec<Node>) {
    if from >= leaves.len() || to == 0 || from >= to {
        around.push(node(leaves));
    } else if leaves.len() > 1 {
        let at = split(leaves.len());
        let (left, right) = leaves.split_at(at);
        walk(left, from, to.min(at), around);
        walk(right, from.saturating_sub(at), to.saturating_sub(at), around);
    }
}

fn tree(rows: &[Row], (root, total): (&String, u64)) -> InventoryTree {
    let tree = InventoryTree::new(rows.iter().map(leaf_of).collect()).expect("good leaves");
    assert_eq!((&tree.target().root.to_string(), tree.target().cells), (root, total));
    tree
}

fn nodes(list: &[SumNode]) -> Vec<Node> {
    list.iter().map(|n| (hex::encode(n.hash), n.cells)).collect()
}

fn decoded(list: &[Node]) -> Vec<SumNode> {
    let node = |(hash, cells): &Node| SumNode {
        hash: hex::decode(hash).expect("hex").try_into().expect("32 bytes"),
        cells: *cells,
    };
    list.iter().map(node).collect()
}

pub(crate) fn run_opening(rows: &[Row], whole: (&String, u64), index: u64, path: &[Node]) {
    let tree = tree(rows, whole);
    let mut opening = tree.open(index).expect("in range");
    assert_eq!(nodes(&opening.path), path);
    opening.path = decoded(path);
    check_opening(&tree.target(), &opening).expect("leads to the root");
}

pub(crate) fn run_range(rows: &[Row], whole: (&String, u64), owner: &str, at: (u64, u64), around: &[Node]) {
    let tree = tree(rows, whole);
    let owner: OwnerKey = owner.parse().expect("hex");
    let (inventory, head) = crate::owner_range::signed(&tree);
    let mut range = tree.owner_range(head, &owner);
    assert_eq!((range.first, range.leaves.len() as u64), at);
    assert_eq!(nodes(&range.around), around);
    range.around = decoded(around);
    let own: Vec<Target> = tree.leaves().iter().filter(|l| l.name.owner == owner).cloned().collect();
    assert_eq!(check_owner_range(&inventory, &range, &owner), Ok(own));
}
