//! The Merkle-sum tree: every opening of every small tree, every bit of it flipped; ranges of owners; bad leaves.

use bailiwick_possession::challenge::{draw as words, sampled, scale};
use bailiwick_possession::inventory::{
    Change, InventoryError, InventoryTree, check_opening, check_owner_range, leaf_hash, node_hash,
};
use bailiwick_possession::statement::{StatementError, public_input};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{
    CellRoot, ClassId, ContentId, HostKey, InventoryRoot, ObjectId, OwnerKey, Unit, UnitName,
};
use bailiwick_protocol::inventory::{
    Inventory, InventoryTarget, LeafOpening, OwnerRange, SignedInventory, SumNode,
};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use proptest::prelude::*;

use crate::fixture;

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

fn tree(n: u16) -> InventoryTree {
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

fn host() -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(3)))
}

fn signed(tree: &InventoryTree) -> (Inventory, SignedInventory) {
    let InventoryTarget { root, leaves, cells } = tree.target();
    let inventory =
        Inventory { host: HostKey(host().public()), epoch: 5, root, leaves, cells, made_unix_ms: 1 };
    (inventory.clone(), SignedInventory::new(&inventory, &host()))
}

/// Every owner of every small tree, present or not: first, middle, last, and between two others; through the wire.
#[test]
fn every_owner_range_of_every_small_tree_checks() {
    for n in 1..=40 {
        let tree = tree(n);
        let (inventory, head) = signed(&tree);
        for owner in 0..=4 {
            let owner = OwnerKey([owner; 32]);
            let range = tree.owner_range(head.clone(), &owner);
            let range = OwnerRange::from_bytes(&range.to_bytes()).expect("canonical");
            let expected: Vec<Target> =
                tree.leaves().iter().filter(|l| l.name.owner == owner).cloned().collect();
            assert_eq!(check_owner_range(&inventory, &range, &owner), Ok(expected), "{owner} of {n}");
        }
    }
}

/// Leaves left out of a range, in its middle, at either end, or all of them, are noticed; so is every other change.
#[test]
fn an_omitted_leaf_is_noticed() {
    let tree = tree(30);
    let (inventory, head) = signed(&tree);
    let owner = OwnerKey([2; 32]);
    let honest = tree.owner_range(head.clone(), &owner);
    assert_eq!((honest.first, honest.leaves.len()), (9, 12), "ten leaves and two neighbours");
    let refuse = |change: &dyn Fn(&mut OwnerRange)| {
        let mut range = honest.clone();
        change(&mut range);
        check_owner_range(&inventory, &range, &owner).expect_err("must be refused")
    };
    // One leaf less: the walk lacks it.
    for i in 0..12 {
        refuse(&|r| _ = r.leaves.remove(i));
    }
    // A narrower range that does lead to the root, with the nodes that complete it: without a neighbour on one side.
    for given in [10..21, 9..20, 10..20, 11..21, 9..19] {
        assert_eq!(
            refuse(&|r| *r = narrowed(&tree, &head, given.clone())),
            InventoryError::Incomplete,
            "{given:?}"
        );
    }
    // One that shows only neighbours of others, or of none of the owner's.
    for given in [0..9, 21..30, 8..21, 9..22] {
        assert_eq!(
            refuse(&|r| *r = narrowed(&tree, &head, given.clone())),
            InventoryError::Incomplete,
            "{given:?}"
        );
    }
    assert_eq!(refuse(&|r| r.leaves.clear()), InventoryError::Empty);
    assert_eq!(refuse(&|r| r.first = u64::MAX), InventoryError::Index { index: u64::MAX, leaves: 30 });
    assert_eq!(refuse(&|r| r.first = 19), InventoryError::Index { index: 19, leaves: 30 });
    for first in [8, 10] {
        refuse(&|r| r.first = first);
    }
    assert_eq!(refuse(&|r| r.leaves.swap(2, 3)), InventoryError::Unsorted { index: 11 + 1 });
    for i in 0..honest.around.len() {
        refuse(&|r| _ = r.around.remove(i));
        refuse(&|r| r.around[i].hash[5] ^= 1);
        refuse(&|r| r.around[i].cells += 1);
        assert_eq!(refuse(&|r| r.around[i].cells = 0), InventoryError::Sum { index: 9 });
    }
    refuse(&|r| r.around.push(SumNode { hash: [0; 32], cells: 1 << 30 }));
    for i in 0..12 {
        refuse(&|r| r.leaves[i].generation += 1);
    }
    // Of another inventory, also one the same host signed.
    let (_, other) = signed(&tree.updated([Change::Gone(tree.leaves()[0].name)]).expect("good"));
    assert_eq!(refuse(&|r| r.inventory = other.clone()), InventoryError::OtherInventory);
    // The same leaves are not what another owner asked for.
    let asked = OwnerKey([3; 32]);
    assert_eq!(check_owner_range(&inventory, &honest, &asked), Err(InventoryError::Incomplete));
    assert!(check_owner_range(&inventory, &honest, &owner).is_ok());
}

/// A range of any leaves that leads to the root: the walk of RFC 9162, written again.
fn narrowed(tree: &InventoryTree, head: &SignedInventory, given: core::ops::Range<u64>) -> OwnerRange {
    fn walk(leaves: &[Target], at: u64, given: &core::ops::Range<u64>, out: &mut Vec<SumNode>) {
        let end = at + leaves.len() as u64;
        if end <= given.start || given.end <= at {
            let (hash, cells) = oracle(leaves);
            out.push(SumNode { hash, cells });
        } else if leaves.len() > 1 && !(given.start <= at && end <= given.end) {
            let k = (0..).map(|i| 1 << i).take_while(|k| *k < leaves.len()).last().expect("two");
            walk(&leaves[..k], at, given, out);
            walk(&leaves[k..], at + k as u64, given, out);
        }
    }
    let mut around = Vec::new();
    walk(tree.leaves(), 0, &given, &mut around);
    let leaves = tree.leaves()[given.start as usize..given.end as usize].to_vec();
    OwnerRange { inventory: head.clone(), first: given.start, leaves, around }
}

/// A challenge over an inventory of these leaves.
pub(crate) fn challenge(class: ClassId, tree: &InventoryTree) -> Challenge {
    let of_objects = fixture::challenge(class, &[]);
    Challenge { inventory: Some(tree.target()), epoch: 5, ..of_objects }
}

/// The sampled leaves, slots and statement are those of the definition: w picks the position among all cells, the independent u the
/// cell; the leaves opened are those hit, once each.
#[test]
fn samples_fall_where_the_words_say() {
    let tree = tree(33);
    for nonce in 0..40 {
        let mut c = challenge(ClassId::SMALL, &tree);
        c.nonce.0[0] = nonce;
        let opened = tree.sample(&c).expect("its inventory");
        let s = sampled(&c, &opened).expect("honest");
        let drawn = words(&c);
        assert_eq!((s.binding, s.slots.len(), drawn.words.len()), (drawn.binding, 16, 16));
        for (slot, words) in s.slots.iter().zip(&drawn.words) {
            let mut position = scale(words.w, tree.target().cells);
            let holder = tree.leaves().iter().find(|l| {
                let here = position < l.cells;
                position = position.wrapping_sub(if here { 0 } else { l.cells });
                here
            });
            let holder = holder.expect("below the total");
            assert_eq!(&s.targets[slot.target], holder);
            assert_eq!(slot.cell, scale(words.u, holder.cells));
        }
        assert!(public_input(&c, &s).is_ok());
    }
}

/// What a host gives beside its proof cannot be padded, thinned, repeated, reordered or exchanged.
#[test]
fn opened_leaves_are_exactly_the_sampled_ones() {
    let tree = tree(33);
    let c = challenge(ClassId::SMALL, &tree);
    let honest = tree.sample(&c).expect("its inventory");
    assert!((3..=16).contains(&honest.len()));
    let refuse = |change: &dyn Fn(&mut Vec<LeafOpening>)| {
        let mut leaves = honest.clone();
        change(&mut leaves);
        sampled(&c, &leaves).expect_err("must be refused")
    };
    for i in 0..honest.len() {
        assert!(matches!(refuse(&|l| drop(l.remove(i))), InventoryError::NotOpened { .. }));
        assert!(matches!(
            refuse(&|l| l.insert(i, l[i].clone())),
            InventoryError::Unsorted { .. } | InventoryError::NotSampled { .. }
        ));
        assert!(matches!(refuse(&|l| l[i].leaf.root.0[0] ^= 1), InventoryError::Root { .. }));
    }
    assert!(matches!(refuse(&|l| l.swap(0, 1)), InventoryError::Unsorted { .. }));
    assert!(matches!(refuse(&Vec::clear), InventoryError::NotOpened { .. }));
    // A leaf that no sample falls on, in its place.
    let idle = (0..33).find(|i| honest.iter().all(|l| l.index != *i)).expect("one is not sampled");
    let add = |l: &mut Vec<LeafOpening>| {
        l.push(tree.open(idle).expect("a leaf"));
        l.sort_by_key(|o| o.index);
    };
    assert_eq!(refuse(&add), InventoryError::NotSampled { index: idle });
    // More leaves than samples are refused before any is hashed.
    let many = |l: &mut Vec<LeafOpening>| *l = (0..33).filter_map(|i| tree.open(i)).collect();
    assert_eq!(refuse(&many), InventoryError::NotSampled { index: 16 });
    assert!(sampled(&c, &honest).is_ok());
    // Leaves beside named objects, and an inventory without any.
    let named = fixture::challenge(ClassId::SMALL, &[vec![1]]);
    assert_eq!(sampled(&named, &honest), Err(InventoryError::NoInventory));
    assert!(sampled(&named, &[]).is_ok());
    let other = challenge(ClassId::SMALL, &self::tree(32));
    assert_eq!(tree.sample(&other), Err(InventoryError::OtherInventory));
    assert_eq!(tree.sample(&named), Err(InventoryError::OtherInventory));
}

/// Two leaves of one name, as a host that signs an unsorted tree would have them, are refused when both are opened.
#[test]
fn a_name_listed_twice_is_refused_when_sampled() {
    let twice = [leaf(1, 1, 200), Target { generation: 9, ..leaf(1, 1, 200) }];
    let nodes: Vec<SumNode> = twice.iter().map(|l| SumNode { hash: leaf_hash(l), cells: l.cells }).collect();
    let target =
        InventoryTarget { root: InventoryRoot(node_hash(&nodes[0], &nodes[1])), leaves: 2, cells: 400 };
    let mut c = challenge(ClassId::SMALL, &tree(1));
    c.inventory = Some(target);
    let opened: Vec<LeafOpening> = (0..2)
        .map(|i| LeafOpening { index: i, leaf: twice[i as usize].clone(), path: vec![nodes[1 - i as usize]] })
        .collect();
    assert!(opened.iter().all(|o| check_opening(&target, o).is_ok()), "each leads to the root");
    assert_eq!(sampled(&c, &opened), Err(InventoryError::Unsorted { index: 1 }));
}

/// Z34: an inventory's root, leaves and cells, and its presence, are absorbed; epoch and beacon too.
#[test]
fn z34_the_inventory_is_absorbed() {
    let honest = challenge(ClassId::SMALL, &tree(9));
    let base = words(&honest);
    let changes: [fn(&mut Challenge); 6] = [
        |c| c.inventory.as_mut().expect("set").root.0[31] ^= 1,
        |c| c.inventory.as_mut().expect("set").leaves += 1,
        |c| c.inventory.as_mut().expect("set").cells += 1,
        |c| c.inventory = None,
        |c| c.epoch += 1,
        |c| {
            c.beacon =
                Some(bailiwick_protocol::beacon::BeaconRound { chain: [1; 32], round: 9, signature: [2; 48] })
        },
    ];
    for change in changes {
        let mut other = honest.clone();
        change(&mut other);
        assert_ne!(words(&other).binding, base.binding);
        assert_ne!(words(&other).words, base.words);
    }
}

/// P11: a host that may choose its inventory grinds nothing once it is signed: the root fixes every word, and the words are drawn
/// after it (the beacon and nonce come later). Another root is another draw, so each try is another inventory, of which it signs one.
#[test]
fn p11_one_inventory_is_one_draw() {
    let tree = tree(20);
    let c = challenge(ClassId::SMALL, &tree);
    assert_eq!(words(&c), words(&Challenge::from_bytes(&c.to_bytes()).expect("canonical")));
    let junk = tree.updated([Change::Held(leaf(9, 999, 1))]).expect("good");
    let padded = Challenge { inventory: Some(junk.target()), ..c.clone() };
    assert_ne!(words(&padded).words, words(&c).words);
}

/// P25: over an inventory of unequal objects every cell is as likely as any other, an object of one cell and last cells included.
/// Fixed nonces; 99.9 % bound of chi-square by Wilson-Hilferty.
#[test]
fn p25_draws_over_an_inventory_are_even() {
    let cells = [1u64, 100, 7, 250, 1, 40, 101];
    let leaves = (0..).zip(cells).map(|(n, c)| leaf(1, n, c)).collect();
    let tree = InventoryTree::new(leaves).expect("good");
    let mut c = challenge(ClassId { samples: 64, depth: 5 }, &tree);
    let mut hits = vec![0u64; 500];
    for round in 0..1_000u64 {
        c.nonce.0[..8].copy_from_slice(&round.to_le_bytes());
        let opened = tree.sample(&c).expect("its inventory");
        let s = sampled(&c, &opened).expect("honest");
        for slot in &s.slots {
            let opening = &opened[slot.target];
            let start = check_opening(&tree.target(), opening).expect("honest");
            hits[(start + slot.cell) as usize] += 1;
        }
    }
    let expected = 64_000.0 / 500.0;
    let x: f64 = hits.iter().map(|h| (*h as f64 - expected).powi(2) / expected).sum();
    let dof = 499.0f64;
    let bound = dof * (1.0 - 2.0 / (9.0 * dof) + 3.09 * (2.0 / (9.0 * dof)).sqrt()).powi(3);
    assert!(x < bound, "chi-square {x:.0}, bound {bound:.0}");
    assert!(x > dof - 3.09 * (2.0 * dof).sqrt(), "chi-square {x:.0} is too even to be random");
}

/// Junk of the host's own only dilutes: of an owner's cells the share of samples is its share of all cells, junk included.
#[test]
fn junk_dilutes_as_the_formula_says() {
    let owned = leaf(1, 1, 1000);
    let tree = InventoryTree::new(vec![owned, leaf(9, 2, 3000)]).expect("good");
    let mut c = challenge(ClassId { samples: 64, depth: 5 }, &tree);
    let mut hit = 0u32;
    for round in 0..200u64 {
        c.nonce.0[..8].copy_from_slice(&round.to_le_bytes());
        hit += words(&c).positions(4000).filter(|p| *p < 1000).count() as u32;
    }
    // 12,800 draws at a quarter: mean 3,200, standard deviation 49.
    assert!((3_000..3_400).contains(&hit), "{hit}");
}

/// Constructions 4: a sampled leaf with more cells than the class holds has no statement.
#[test]
fn a_leaf_beyond_the_class_has_no_statement() {
    let tree = InventoryTree::new(vec![leaf(1, 1, 257)]).expect("good");
    let c = challenge(ClassId::TINY, &tree);
    let s = sampled(&c, &tree.sample(&c).expect("its inventory")).expect("opened");
    assert_eq!(public_input(&c, &s), Err(StatementError::Cells { target: 0, cells: 257 }));
    let fits = InventoryTree::new(vec![leaf(1, 1, 256)]).expect("good");
    let c = challenge(ClassId::TINY, &fits);
    let s = sampled(&c, &fits.sample(&c).expect("its inventory")).expect("opened");
    assert!(public_input(&c, &s).is_ok());
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
