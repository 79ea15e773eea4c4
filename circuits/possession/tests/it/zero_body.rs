//! Bodies of gigabytes that are all zeros: equal subtrees have one node, so a tree of any size is a few hundred hashes.

use std::time::{Duration, Instant};

use bailiwick_groth16::{Matrices, PreparedVerifyingKey, ProvingKey, assign, prove, setup};
use bailiwick_possession::field::{Fr, element_to_bytes};
use bailiwick_possession::opening::Opening;
use bailiwick_possession::poseidon2::compress;
use bailiwick_possession::statement::{Witness, check, lifted_roots, public_input};
use bailiwick_possession::tree::{ARITY, cells_of, depth_of, empty_node};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{CellRoot, ClassId, VkDigest};

use super::case::{body, challenge, drawn, rng};

/// Deep enough for 100 GiB; one sample, so that the test is short.
const DEEP: ClassId = ClassId { samples: 1, depth: 8 };

/// The tree of so many bytes of zeros.
struct ZeroTree {
    cells: u64,
    /// `full[i]` is the node of level `i + 1` over zero cells only.
    full: Vec<Fr>,
}

impl ZeroTree {
    fn of(size: u64) -> Self {
        let cell = compress(&[Fr::default(); ARITY]);
        let full = std::iter::successors(Some(cell), |node| Some(compress(&[*node; ARITY])));
        Self { cells: cells_of(size), full: full.take(8).collect() }
    }

    fn node(&self, level: u8, number: u64) -> Fr {
        let covers = 1u64 << (4 * (level - 1));
        if number * covers >= self.cells {
            empty_node(level)
        } else if (number + 1) * covers <= self.cells {
            self.full[usize::from(level) - 1]
        } else {
            compress(&self.children(level, number))
        }
    }

    fn children(&self, level: u8, number: u64) -> [Fr; ARITY] {
        let mut child = number * ARITY as u64;
        [(); ARITY].map(|()| {
            child += 1;
            self.node(level - 1, child - 1)
        })
    }

    fn open(&self, index: u64, depth: u8) -> Opening {
        let path = (2..=depth).map(|level| self.children(level, index >> (4 * (level - 1)))).collect();
        Opening { cell: [Fr::default(); ARITY], path, index }
    }
}

fn challenge_over_zeros(size: u64, tree: &ZeroTree) -> Challenge {
    let mut challenge = challenge(DEEP, VkDigest([1; 32]), &[body(1, 1)]);
    let root = CellRoot(element_to_bytes(&tree.node(depth_of(tree.cells), 0)));
    let target = challenge.targets.remove(0);
    challenge.targets.push(Target { size, cells: tree.cells, root, ..target });
    challenge
}

/// Opens, assigns, proves and verifies; the time of all but the verification, and the values that were proven about.
fn answered(
    size: u64,
    matrices: &Matrices,
    key: &ProvingKey,
    vk: &PreparedVerifyingKey,
) -> (Duration, usize) {
    let tree = ZeroTree::of(size);
    let challenge = challenge_over_zeros(size, &tree);
    let begun = Instant::now();
    let drawn = drawn(&challenge);
    let roots = lifted_roots(DEEP, &drawn).expect("canonical");
    let opened = drawn.slots.iter().map(|s| (roots[s.target], tree.open(s.cell, DEEP.depth)));
    let witness = Witness { binding: drawn.binding, openings: opened.collect() };
    let public = public_input(&challenge, &drawn).expect("in bounds");
    assert_eq!(check(DEEP, &public, &witness), Ok(()));
    let z = assign(PossessionCircuit::assigned(DEEP, public, &witness)).expect("right shape");
    let proof = prove(key, vk, matrices, &z, &mut rng(size), &mut |_| ()).expect("honest");
    let took = begun.elapsed();
    assert_eq!(vk.verify(&[public], &proof), Ok(()));
    (took, z.len())
}

/// A body of 100 GiB is proven as one of 1 GiB is, under one key and with as many values: times (bar: 1.3 times) are printed, the least of five
/// runs each, in turns.
#[test]
fn a_proof_over_100_gib_takes_as_long_as_over_one() {
    let matrices = Matrices::synthesize(PossessionCircuit::shape(DEEP)).expect("R1CS");
    let (key, _) = setup(&matrices, &mut rng(1), &mut |_| ()).expect("set-up");
    let vk = key.verifying_key().prepare();
    assert!(depth_of(cells_of(1 << 30)) < depth_of(cells_of(100 << 30)));
    let (mut one, mut hundred) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let (took, values) = answered(1 << 30, &matrices, &key, &vk);
        one = one.min(took);
        let (took, as_many) = answered(100 << 30, &matrices, &key, &vk);
        hundred = hundred.min(took);
        assert_eq!(values, as_many);
    }
    println!("100 GiB {hundred:?}, 1 GiB {one:?}: {:.2} times", hundred.as_secs_f64() / one.as_secs_f64());
}

/// The shortcut is the tree itself: a body of zeros small enough to hash gives the same root.
#[test]
fn a_tree_of_zeros_is_the_tree_of_its_bytes() {
    for size in [1, 496, 497, 16 * 496, 49_500, 300_000] {
        let tree = ZeroTree::of(size);
        let hashed = bailiwick_possession::tree::commit([vec![0; usize::try_from(size).expect("small")]]);
        assert_eq!(tree.node(depth_of(tree.cells), 0), hashed.expect("not empty").root_element());
    }
}
