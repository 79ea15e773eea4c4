//! The Merkle-sum tree: every opening of every small tree, every bit of it flipped; bad leaves; updates.

use bailiwick_possession::inventory::{
    Change, InventoryError, InventoryTree, check_opening, check_owner_range, leaf_hash, node_hash,
};
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::ids::{CellRoot, ContentId, ObjectId, OwnerKey, Unit, UnitName};
use bailiwick_protocol::inventory::{InventoryTarget, LeafOpening, SumNode};
use proptest::prelude::*;

use crate::owner_range::signed;

/// Leaf number `n` of `owner`, of `cells` cells. The root is a small number, so canonical.
pub(crate) fn leaf(owner: u8, n: u16, cells: u64) -> Target {
    let mut object = [0; 16];
    object[..2].copy_from_slice(&n.to_be_bytes());
    let mut root = [0; 32];
    root[..2].copy_from_slice(&n.to_le_bytes());
    Target {
        name: UnitName { owner: OwnerKey([owner; 32]), object: ObjectId(object), unit: Unit::WHOLE },
        generation: 1 + u64::from(n % 3),
        blake3: ContentId([n as u8; 32]),
        size: cells * 496 - u64::from(n % 400),
        root: CellRoot(root),
        cells,
    }
}

/// `n` leaves of three owners with 1 to 7 cells each.
pub(crate) fn leaves(n: u16) -> Vec<Target> {
    (0..n).map(|i| leaf(1 + (3 * i / n.max(1)) as u8, i, 1 + u64::from(i * i % 7))).collect()
}

pub(crate) fn tree(n: u16) -> InventoryTree {
    InventoryTree::new(leaves(n)).expect("good leaves")
}

/// The tree by its definition (RFC 9162 section 2.1.1), from leaf to root by recursion, with a hasher fed field by field.
pub(crate) fn oracle(leaves: &[Target]) -> ([u8; 32], u64) {
    let mut input = Vec::new();
    let sum = if let [l] = leaves {
        input.push(0);
        input.extend(l.name.owner.0);
        input.extend(l.name.object.0);
        for v in [l.name.unit.k, l.name.unit.n, l.name.unit.shard, l.name.unit.replica] {
            input.extend(v.to_le_bytes());
        }
        input.extend(l.generation.to_le_bytes());
        input.extend(l.blake3.0);
        input.extend(l.size.to_le_bytes());
        input.extend(l.root.0);
        input.extend(l.cells.to_le_bytes());
        l.cells
    } else {
        let k = (0..).map(|i| 1 << i).take_while(|k| *k < leaves.len()).last().expect("two leaves");
        let ((left, left_sum), (right, right_sum)) = (oracle(&leaves[..k]), oracle(&leaves[k..]));
        input.push(1);
        input.extend(left);
        input.extend(left_sum.to_le_bytes());
        input.extend(right);
        input.extend(right_sum.to_le_bytes());
        left_sum + right_sum
    };
    (*blake3::hash(&input).as_bytes(), sum)
}

#[test]
fn the_root_is_the_definitions() {
    for n in 1..=40 {
        let target = tree(n).target();
        assert_eq!((target.root.0, target.cells), oracle(&leaves(n)), "{n} leaves");
        assert_eq!(target.leaves, u64::from(n));
    }
}

/// Every leaf of every small tree opens, at its place and with the cells before it; one node more or less does not.
#[test]
fn every_opening_of_every_small_tree_checks() {
    for n in 1..=40 {
        let tree = tree(n);
        let target = tree.target();
        let mut before = 0;
        for (index, leaf) in (0..).zip(tree.leaves()) {
            let opening = tree.open(index).expect("a leaf");
            assert_eq!(opening.leaf, *leaf);
            assert_eq!(check_opening(&target, &opening), Ok(before), "leaf {index} of {n}");
            for position in before..before + leaf.cells {
                assert_eq!(tree.at(position), Some((index, before)));
            }
            before += leaf.cells;

            let mut longer = opening.clone();
            longer.path.push(SumNode { hash: [0; 32], cells: 1 << 40 });
            assert_eq!(check_opening(&target, &longer), Err(InventoryError::Nodes { index }));
            let mut shorter = opening.clone();
            if shorter.path.pop().is_some() {
                assert_eq!(check_opening(&target, &shorter), Err(InventoryError::Nodes { index }));
            }
            for elsewhere in (0..u64::from(n)).filter(|i| *i != index) {
                let moved = LeafOpening { index: elsewhere, ..opening.clone() };
                assert!(check_opening(&target, &moved).is_err(), "leaf {index} of {n} at {elsewhere}");
            }
        }
        assert_eq!((tree.at(before), tree.open(u64::from(n))), (None, None));
        let beyond = LeafOpening { index: u64::from(n), ..tree.open(0).expect("a leaf") };
        assert!(matches!(check_opening(&target, &beyond), Err(InventoryError::Index { .. })));
    }
}

/// Every bit of leaf, path and what the host signed.
#[test]
fn no_bit_of_an_opening_can_be_changed() {
    type Bytes<'a> = Vec<&'a mut [u8]>;
    fn flip_all(target: &InventoryTarget, honest: &LeafOpening) {
        let leaf_bytes = |l: &mut Target, bit: usize| {
            let parts: Bytes<'_> =
                vec![&mut l.name.owner.0, &mut l.name.object.0, &mut l.blake3.0, &mut l.root.0];
            flip(parts, bit)
        };
        for bit in 0.. {
            let mut opening = honest.clone();
            if !leaf_bytes(&mut opening.leaf, bit) {
                break;
            }
            assert!(check_opening(target, &opening).is_err(), "bit {bit} of the leaf");
        }
        for shift in 0..64 {
            let numbers: [fn(&mut Target, u64); 3] =
                [|l, b| l.generation ^= b, |l, b| l.size ^= b, |l, b| l.cells ^= b];
            for number in numbers {
                let mut opening = honest.clone();
                number(&mut opening.leaf, 1 << shift);
                assert!(check_opening(target, &opening).is_err());
            }
            for i in 0..honest.path.len() {
                let mut opening = honest.clone();
                opening.path[i].cells ^= 1 << shift;
                assert!(check_opening(target, &opening).is_err(), "sum {i}");
            }
            for field in [0, 1] {
                let mut other = *target;
                *[&mut other.leaves, &mut other.cells][field] ^= 1 << shift;
                // Another number of leaves may give this leaf the same place and path: the host signs that number, and nothing
                // else of the leaf changes with it.
                let accepted = check_opening(&other, honest).is_ok();
                assert!(!accepted || field == 0, "another total");
            }
        }
        for bit in 0..honest.path.len() * 256 {
            let mut opening = honest.clone();
            opening.path[bit / 256].hash[bit % 256 / 8] ^= 1 << (bit % 8);
            assert!(check_opening(target, &opening).is_err());
        }
        for bit in 0..256 {
            let mut other = *target;
            other.root.0[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(check_opening(&other, honest), Err(InventoryError::Root { .. })));
        }
    }
    fn flip(parts: Bytes<'_>, mut bit: usize) -> bool {
        for part in parts {
            if bit < 8 * part.len() {
                part[bit / 8] ^= 1 << (bit % 8);
                return true;
            }
            bit -= 8 * part.len();
        }
        false
    }
    for n in 1..=20 {
        let tree = tree(n);
        for index in 0..u64::from(n) {
            flip_all(&tree.target(), &tree.open(index).expect("a leaf"));
        }
    }
}

/// A signed total that is not the sum, and a node that claims fewer cells than it has leaves.
#[test]
fn sums_cannot_lie() {
    let tree = tree(9);
    let honest = tree.open(3).expect("a leaf");
    let mut target = tree.target();
    target.cells += 1;
    assert_eq!(check_opening(&target, &honest), Err(InventoryError::Total { index: 3 }));
    // A tree a cheat builds with a part that counts nothing: its root is made to fit.
    let mut opening = honest.clone();
    opening.path[2].cells = 3;
    assert_eq!(
        check_opening(&tree.target(), &opening),
        Err(InventoryError::Sum { index: 3 }),
        "4 leaves, 3 cells"
    );
    opening.path[2].cells = u64::MAX;
    assert_eq!(check_opening(&tree.target(), &opening), Err(InventoryError::Overflow));
    let huge = InventoryTarget { leaves: u64::MAX, ..tree.target() };
    assert_eq!(check_opening(&huge, &honest), Err(InventoryError::TooMany { found: u64::MAX }));
}

/// Leaf and node hashes are of different kinds: no leaf is a node.
#[test]
fn leaves_and_nodes_are_told_apart() {
    let node = |n: u8| SumNode { hash: [n; 32], cells: 1 };
    let input = [&[1u8][..], &[1; 32], &1u64.to_le_bytes(), &[2; 32], &1u64.to_le_bytes()].concat();
    assert_eq!(node_hash(&node(1), &node(2)), *blake3::hash(&input).as_bytes());
    assert_ne!(node_hash(&node(1), &node(2)), node_hash(&node(2), &node(1)));
    assert_eq!(leaf_hash(&leaf(1, 1, 1)), oracle(&[leaf(1, 1, 1)]).0);
}

/// Unsorted, repeated, overlapping, empty and overflowing leaves are no inventory.
#[test]
fn bad_leaves_are_refused() {
    let good = leaves(10);
    let refused = |change: fn(&mut Vec<Target>)| {
        let mut leaves = good.clone();
        change(&mut leaves);
        InventoryTree::new(leaves).expect_err("must be refused")
    };
    assert!(InventoryTree::new(good.clone()).is_ok());
    assert_eq!(refused(Vec::clear), InventoryError::Empty);
    assert_eq!(refused(|l| l.swap(3, 4)), InventoryError::Unsorted { index: 4 });
    assert_eq!(refused(|l| l[5] = l[4].clone()), InventoryError::Unsorted { index: 5 });
    // The same name at two generations would count one object twice.
    assert_eq!(
        refused(|l| {
            let again = Target { generation: 99, ..l[4].clone() };
            l.insert(5, again);
        }),
        InventoryError::Unsorted { index: 5 }
    );
    assert_eq!(refused(|l| l[2].cells += 1), InventoryError::Cells { index: 2 });
    assert_eq!(refused(|l| (l[2].cells, l[2].size) = (0, 0)), InventoryError::Cells { index: 2 });
    let most = u64::MAX.div_ceil(496);
    let huge: Vec<Target> =
        (0..300).map(|n| Target { cells: most, size: u64::MAX, ..leaf(1, n, 1) }).collect();
    assert_eq!(InventoryTree::new(huge).expect_err("2^63 cells and more"), InventoryError::Overflow);
}

/// Every change of a tree, applied at once or built anew, gives the same tree.
#[test]
fn an_updated_tree_is_the_tree_built_anew() {
    let base = tree(20);
    let gone = base.leaves()[7].name;
    let newer = Target { generation: 50, ..base.leaves()[12].clone() };
    let added = leaf(9, 900, 3);
    let first = leaf(0, 1, 2);
    let changes = [
        Change::Gone(gone),
        Change::Held(Target { generation: 49, ..newer.clone() }),
        Change::Held(added.clone()),
        Change::Gone(added.name),
        Change::Held(added.clone()),
        Change::Held(newer.clone()),
        Change::Held(first.clone()),
        Change::Gone(leaf(5, 5, 1).name),
    ];
    let mut expected = base.leaves().to_vec();
    expected[12] = newer;
    expected.remove(7);
    expected.push(added);
    expected.insert(0, first);
    let updated = base.updated(changes).expect("good");
    assert_eq!(updated.leaves(), expected);
    assert_eq!(updated.target(), InventoryTree::new(expected).expect("good").target());
    assert_eq!(base.updated([]).expect("good").target(), base.target());
    let all = base.leaves().iter().map(|l| Change::Gone(l.name));
    assert_eq!(base.updated(all).expect_err("nothing is left"), InventoryError::Empty);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any leaves, any changes: updating equals building anew; every leaf opens; every range checks.
    #[test]
    fn any_tree_is_consistent(
        held in prop::collection::btree_map((0u8..4, 0u16..300), 1u64..2_000, 1..80),
        changes in prop::collection::btree_map((0u8..4, 0u16..300), prop::option::of(1u64..2_000), 0..30),
    ) {
        let of = |((o, n), c): (&(u8, u16), &u64)| leaf(*o, *n, *c);
        let base = InventoryTree::new(held.iter().map(of).collect()).expect("good");
        let change = |(at, c): (&(u8, u16), &Option<u64>)| match c {
            Some(c) => Change::Held(of((at, c))),
            None => Change::Gone(leaf(at.0, at.1, 1).name),
        };
        let mut after = held.clone();
        for (at, c) in &changes {
            match c {
                Some(c) => _ = after.insert(*at, *c),
                None => _ = after.remove(at),
            }
        }
        prop_assume!(!after.is_empty());
        let tree = base.updated(changes.iter().map(change)).expect("good");
        let leaves: Vec<Target> = after.iter().map(of).collect();
        prop_assert_eq!((tree.target().root.0, tree.target().cells), oracle(&leaves));
        for index in 0..leaves.len() as u64 {
            let opening = tree.open(index).expect("a leaf");
            let (at, start) = tree.at(check_opening(&tree.target(), &opening).expect("honest")).expect("a cell");
            prop_assert_eq!((at, Ok(start)), (index, check_opening(&tree.target(), &opening)));
        }
        let (inventory, head) = signed(&tree);
        for owner in 0..5 {
            let owner = OwnerKey([owner; 32]);
            let range = tree.owner_range(head.clone(), &owner);
            let expected: Vec<Target> = leaves.iter().filter(|l| l.name.owner == owner).cloned().collect();
            prop_assert_eq!(check_owner_range(&inventory, &range, &owner), Ok(expected));
        }
    }
}
