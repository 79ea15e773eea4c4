//! Challenges over an inventory: which leaves and cells the words pick, and that the leaves opened are those.

use bailiwick_possession::challenge::{draw as words, sampled, scale};
use bailiwick_possession::inventory::{
    Change, InventoryError, InventoryTree, check_opening, leaf_hash, node_hash,
};
use bailiwick_possession::statement::{StatementError, public_input};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{ClassId, InventoryRoot};
use bailiwick_protocol::inventory::{InventoryTarget, LeafOpening, SumNode};

use crate::fixture;
use crate::inventory::{leaf, tree};

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
