//! Roots, inclusion and consistency: against the definition, exhaustively for small sizes, and every way to bend a proof.

use bailiwick_translog::{
    Hash, MerkleError, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use super::fixture::{Memory, entry, log_of, mth, tree};

const SIZE: u64 = 70;

struct World {
    memory: Memory,
    leaves: Vec<Hash>,
}

impl World {
    fn new(size: u64) -> Self {
        let (memory, _) = log_of(size);
        Self { memory, leaves: (0..size).map(|i| leaf_hash(&entry(i))).collect() }
    }

    fn root(&self, size: u64) -> Hash {
        mth(&self.leaves[..size as usize])
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        tree(&self.memory, self.leaves.len() as u64).inclusion(index, size).unwrap()
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        tree(&self.memory, self.leaves.len() as u64).consistency(old, new).unwrap()
    }
}

/// PATH of RFC 6962 section 2.1.1.
fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    if d.len() <= 1 {
        return Vec::new();
    }
    let k = d.len().next_power_of_two() / 2;
    let (mut inner, last) =
        if m < k { (path(m, &d[..k]), mth(&d[k..])) } else { (path(m - k, &d[k..]), mth(&d[..k])) };
    inner.push(last);
    inner
}

/// SUBPROOF of RFC 6962 section 2.1.2.
fn subproof(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
    if m == d.len() {
        return if whole { Vec::new() } else { vec![mth(d)] };
    }
    let k = d.len().next_power_of_two() / 2;
    let (mut inner, last) = if m <= k {
        (subproof(m, &d[..k], whole), mth(&d[k..]))
    } else {
        (subproof(m - k, &d[k..], false), mth(&d[..k]))
    };
    inner.push(last);
    inner
}

/// T04: every index of every size up to 70 gives the path of RFC 6962 and verifies.
#[test]
fn t04_inclusion_is_the_definition_for_every_small_tree() {
    let world = World::new(SIZE);
    for size in 1..=SIZE {
        let root = world.root(size);
        assert_eq!(tree(&world.memory, SIZE).root_at(size).unwrap(), root);
        for index in 0..size {
            let proof = world.inclusion(index, size);
            assert_eq!(proof, path(index as usize, &world.leaves[..size as usize]), "{index} of {size}");
            let leaf = &world.leaves[index as usize];
            verify_inclusion(leaf, index, size, &proof, &root).unwrap();
        }
    }
}

/// T04: every pair of sizes up to 70 gives the proof of RFC 6962 and verifies.
#[test]
fn t04_consistency_is_the_definition_for_every_small_pair() {
    let world = World::new(SIZE);
    for new in 1..=SIZE {
        for old in 0..=new {
            let proof = world.consistency(old, new);
            if old > 0 {
                assert_eq!(
                    proof,
                    subproof(old as usize, &world.leaves[..new as usize], true),
                    "{old} to {new}"
                );
            }
            verify_consistency(old, &world.root(old), new, &world.root(new), &proof).unwrap();
        }
    }
}

/// T04: wrong index, size 0, too long, too short, for every index of every small size.
#[test]
fn t04_inclusion_with_another_index_size_or_length_is_refused() {
    let world = World::new(SIZE);
    for size in 1..=SIZE {
        let root = world.root(size);
        for index in 0..size {
            let leaf = &world.leaves[index as usize];
            let proof = world.inclusion(index, size);
            for other in (0..=size).filter(|i| *i != index) {
                verify_inclusion(leaf, other, size, &proof, &root).unwrap_err();
            }
            assert_eq!(verify_inclusion(leaf, index, 0, &proof, &root), Err(MerkleError::Range));
            assert_eq!(verify_inclusion(leaf, size, size, &proof, &root), Err(MerkleError::Range));
            for extra in [root, *leaf] {
                for at in 0..=proof.len() {
                    let mut long = proof.clone();
                    long.insert(at, extra);
                    assert_eq!(verify_inclusion(leaf, index, size, &long, &root), Err(MerkleError::Length));
                }
            }
            for at in 0..proof.len() {
                let mut short = proof.clone();
                short.remove(at);
                assert_eq!(verify_inclusion(leaf, index, size, &short, &root), Err(MerkleError::Length));
            }
        }
    }
}

/// T04: another old or new size, too long, too short, swapped roots, for every small pair.
#[test]
fn t04_consistency_with_another_size_or_length_is_refused() {
    let world = World::new(SIZE);
    for new in 1..=SIZE {
        let (new_root, after) = (world.root(new), world.root(SIZE));
        for old in 1..new {
            let old_root = world.root(old);
            let proof = world.consistency(old, new);
            for other in (0..=new).filter(|o| *o != old) {
                verify_consistency(other, &old_root, new, &new_root, &proof).unwrap_err();
            }
            assert_eq!(verify_consistency(new, &new_root, old, &old_root, &proof), Err(MerkleError::Range));
            verify_consistency(old, &new_root, new, &old_root, &proof).unwrap_err();
            if new < SIZE {
                verify_consistency(old, &old_root, new, &after, &proof).unwrap_err();
            }
            for at in 0..proof.len() {
                let mut short = proof.clone();
                short.remove(at);
                verify_consistency(old, &old_root, new, &new_root, &short).unwrap_err();
            }
            for at in 0..=proof.len() {
                let mut long = proof.clone();
                long.insert(at, old_root);
                verify_consistency(old, &old_root, new, &new_root, &long).unwrap_err();
            }
        }
    }
}

/// T04: every bit of leaf, path and root, at sizes around powers of two.
#[test]
fn t04_every_flipped_bit_is_refused() {
    let world = World::new(SIZE);
    for (index, size) in [(0, 2), (5, 7), (7, 8), (8, 9), (0, 64), (63, 64), (64, 65), (31, 63), (69, 70)] {
        let (leaf, root) = (world.leaves[index as usize], world.root(size));
        let proof = world.inclusion(index, size);
        for bit in 0..256 {
            let flip = |h: &Hash| {
                let mut h = *h;
                h.0[bit / 8] ^= 1 << (bit % 8);
                h
            };
            assert_eq!(verify_inclusion(&flip(&leaf), index, size, &proof, &root), Err(MerkleError::Root));
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, &flip(&root)), Err(MerkleError::Root));
            for at in 0..proof.len() {
                let mut bent = proof.clone();
                bent[at] = flip(&bent[at]);
                assert_eq!(verify_inclusion(&leaf, index, size, &bent, &root), Err(MerkleError::Root));
            }
        }
    }
    for (old, new) in [(1, 2), (3, 7), (4, 8), (7, 8), (8, 9), (63, 64), (64, 65), (33, 70)] {
        let (old_root, new_root) = (world.root(old), world.root(new));
        let proof = world.consistency(old, new);
        for at in 0..proof.len() {
            for bit in 0..256 {
                let mut bent = proof.clone();
                bent[at].0[bit / 8] ^= 1 << (bit % 8);
                let found = verify_consistency(old, &old_root, new, &new_root, &bent);
                assert_eq!(found, Err(MerkleError::Root), "{old} to {new}, hash {at}, bit {bit}");
            }
        }
    }
}

/// T04: size 0: the empty tree begins every tree, with an empty proof and its one root.
#[test]
fn t04_empty_and_equal_trees() {
    let world = World::new(3);
    let (root, empty) = (world.root(3), empty_root());
    verify_consistency(0, &empty, 3, &root, &[]).unwrap();
    verify_consistency(0, &empty, 0, &empty, &[]).unwrap();
    verify_consistency(3, &root, 3, &root, &[]).unwrap();
    assert_eq!(verify_consistency(0, &empty, 3, &root, &[root]), Err(MerkleError::Length));
    assert_eq!(verify_consistency(0, &root, 3, &root, &[]), Err(MerkleError::Root));
    assert_eq!(verify_consistency(0, &empty, 0, &root, &[]), Err(MerkleError::Root));
    assert_eq!(verify_consistency(3, &root, 3, &root, &[root]), Err(MerkleError::Length));
    assert_eq!(verify_consistency(3, &empty, 3, &root, &[]), Err(MerkleError::Root));
    assert_eq!(verify_consistency(1, &root, 3, &root, &[]), Err(MerkleError::Length));
}

/// T05: a node is no leaf and a leaf no node: the first byte of what is hashed differs.
#[test]
fn t05_leaf_node_confusion() {
    let world = World::new(4);
    let root = world.root(4);
    let (left, right) = (world.root(2), node_hash(&world.leaves[2], &world.leaves[3]));
    // The two children of the root, served as one entry of a tree of one.
    let forged = [left.0, right.0].concat();
    assert_ne!(leaf_hash(&forged), root);
    assert_eq!(verify_inclusion(&leaf_hash(&forged), 0, 1, &[], &root), Err(MerkleError::Root));
    // The honest twin without the prefix would have passed.
    assert_eq!(node_hash(&left, &right), root);
    // An entry that begins with a prefix byte is another entry.
    assert_ne!(leaf_hash(b"\x01x"), leaf_hash(b"x"));
}

proptest! {
    /// Any bytes for a path, any sizes: no panic, and only the honest proof passes.
    #[test]
    fn arbitrary_proofs_never_pass(
        index in any::<u64>(), size in any::<u64>(), old in any::<u64>(),
        path in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
    ) {
        let root = Hash([7; 32]);
        verify_inclusion(&Hash([8; 32]), index, size, &path, &root).unwrap_err();
        if old != size {
            verify_consistency(old, &Hash([9; 32]), size, &root, &path).unwrap_err();
        }
    }

    /// Proofs out of tiles of a tree larger than two tiles verify, at every size the tree had.
    #[test]
    fn proofs_from_tiles_verify(size in 1u64..900, a in any::<u64>(), b in any::<u64>()) {
        let world = World::new(size);
        let new = 1 + a % size;
        let old = b % (new + 1);
        let root = world.root(new);
        let proof = world.consistency(old, new);
        verify_consistency(old, &world.root(old), new, &root, &proof).unwrap();
        let index = b % new;
        verify_inclusion(&world.leaves[index as usize], index, new, &world.inclusion(index, new), &root).unwrap();
    }
}
