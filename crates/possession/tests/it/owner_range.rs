//! All leaves of an owner: every range of every small tree, whatever is left out of it, and its pages.

use bailiwick_possession::inventory::{
    Change, InventoryError, InventoryTree, check_owner_range, join_ranges,
};
use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::{HostKey, OwnerKey};
use bailiwick_protocol::inventory::{Inventory, InventoryTarget, OwnerRange, SignedInventory, SumNode};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use crate::inventory::{oracle, tree};

fn host() -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| b.fill(3)))
}

pub(crate) fn signed(tree: &InventoryTree) -> (Inventory, SignedInventory) {
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
/// I10a: pages put together are the range, wherever they are cut; pages that leave something out, repeat it or are of another inventory
/// do not fit together, and what a host changes in one is noticed in the whole.
#[test]
fn pages_of_a_range_make_the_range() {
    for n in [1, 2, 7, 12, 33] {
        let tree = tree(n);
        let (inventory, head) = signed(&tree);
        for owner in 0..=4 {
            let owner = OwnerKey([owner; 32]);
            let whole = tree.owner_range(head.clone(), &owner);
            for limit in 1..=13 {
                let mut pages = Vec::new();
                let mut from = 0;
                while let Some(page) = tree.owner_page(head.clone(), &owner, from, limit) {
                    from = page.first + page.leaves.len() as u64;
                    pages.push(OwnerRange::from_bytes(&page.to_bytes()).expect("canonical"));
                }
                let join = |a, b| join_ranges(a, b, inventory.leaves).expect("they follow each other");
                let joined = pages.into_iter().reduce(join).expect("at least one");
                assert_eq!(joined, whole, "{owner} of {n} by {limit}");
            }
        }
    }
    let tree = tree(30);
    let (inventory, head) = signed(&tree);
    let owner = OwnerKey([2; 32]);
    let page = |from, limit| tree.owner_page(head.clone(), &owner, from, limit).expect("a page");
    let (first, second) = (page(0, 5), page(14, 100));
    assert_eq!((first.first, second.first), (9, 14));
    let index = |index| Err(InventoryError::Index { index, leaves: 30 });
    assert_eq!(join_ranges(first.clone(), page(15, 100), 30), index(15));
    assert_eq!(join_ranges(first.clone(), page(13, 100), 30), index(13));
    assert_eq!(join_ranges(second.clone(), first.clone(), 30), index(9));
    let (_, other) = signed(&self::tree(29));
    let of_another = OwnerRange { inventory: other, ..second.clone() };
    assert_eq!(join_ranges(first.clone(), of_another, 30), Err(InventoryError::OtherInventory));
    let bare = OwnerRange { around: vec![], ..second.clone() };
    assert_eq!(join_ranges(first.clone(), bare, 30), Err(InventoryError::Nodes { index: 14 }));
    let mut changed = second.clone();
    changed.leaves[1].generation += 1;
    let changed = join_ranges(first.clone(), changed, 30).expect("nothing is verified yet");
    assert!(check_owner_range(&inventory, &changed, &owner).is_err());
    let mut joined = join_ranges(first.clone(), second, 30).expect("they follow each other");
    assert_eq!(check_owner_range(&inventory, &joined, &owner).map(|l| l.len()), Ok(10));
    joined.leaves.pop();
    assert!(check_owner_range(&inventory, &joined, &owner).is_err());
    assert_eq!(
        check_owner_range(&inventory, &first, &owner),
        Err(InventoryError::Incomplete),
        "a page alone"
    );
}
