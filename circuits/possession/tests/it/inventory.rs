//! One proof over an inventory.

use bailiwick_groth16::VerifyError as PairingError;
use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::inventory::{Change, InventoryTree};
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, commit};
use bailiwick_possession_circuit::{ProveError, VerifyError, prove, verify};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::ClassId;
use bailiwick_protocol::inventory::LeafOpening;

use super::case::{body, challenge, rng, tiny_key};

struct Scene {
    bodies: Vec<Vec<u8>>,
    tree: InventoryTree,
    challenge: Challenge,
    leaves: Vec<LeafOpening>,
}

impl Scene {
    fn new(nonce: u8) -> Self {
        let bodies = vec![body(49_500, 1), body(1, 2), body(30_000, 3)];
        let named = challenge(ClassId::TINY, tiny_key().prepared().digest(), &bodies);
        let tree = InventoryTree::new(named.targets.clone()).expect("ascending");
        let mut challenge = Challenge { targets: vec![], inventory: Some(tree.target()), ..named };
        challenge.nonce.0[0] = nonce;
        let leaves = tree.sample(&challenge).expect("its inventory");
        Self { bodies, tree, challenge, leaves }
    }

    fn sampled(&self) -> Sampled {
        sampled(&self.challenge, &self.leaves).expect("honest")
    }

    fn openings(&self, s: &Sampled) -> Vec<Opening> {
        let opening = |slot: &bailiwick_possession::challenge::Slot| {
            // The object's number is its id.
            let body = &self.bodies[usize::from(s.targets[slot.target].name.object.0[0])];
            let start = usize::try_from(slot.cell).expect("small") / CELLS_PER_BLOCK * BLOCK_BYTES;
            let block = &body[start..body.len().min(start + BLOCK_BYTES)];
            open(&commit([body]).expect("not empty"), slot.cell, 3, block).expect("honest")
        };
        s.slots.iter().map(opening).collect()
    }

    fn prove(&self, seed: u64) -> Result<[u8; 128], ProveError> {
        let s = self.sampled();
        prove(tiny_key(), &self.challenge, &s, self.openings(&s), &mut rng(seed), &mut |_| ())
    }
}

/// Whatever object the samples fall on, the proof verifies with the leaves opened beside it, and with no others.
#[test]
fn a_proof_over_an_inventory_verifies() {
    let mut hit = std::collections::BTreeSet::new();
    for nonce in 0..12 {
        let scene = Scene::new(nonce);
        let s = scene.sampled();
        hit.insert(s.targets[0].name.object);
        let proof = scene.prove(5).expect("honest");
        let vk = tiny_key().prepared();
        assert_eq!(verify(vk, &scene.challenge, &s, &proof), Ok(()));
        // The same position in another inventory, or the same cell of another object, is another statement.
        let mut other = s.clone();
        other.targets[0] = scene.tree.leaves().iter().find(|l| **l != s.targets[0]).expect("three").clone();
        assert_eq!(
            verify(vk, &scene.challenge, &other, &proof),
            Err(VerifyError::False(PairingError::False))
        );
    }
    assert!(hit.len() > 1, "several objects were sampled");
}

/// Z06: a proof over an inventory says nothing of another one, another epoch, or named objects.
#[test]
fn z06_a_proof_answers_its_own_inventory_only() {
    let scene = Scene::new(1);
    let proof = scene.prove(5).expect("honest");
    let vk = tiny_key().prepared();
    let smaller = scene.tree.updated([Change::Gone(scene.tree.leaves()[1].name)]).expect("two are left");
    let others = [
        Challenge { inventory: Some(smaller.target()), ..scene.challenge.clone() },
        Challenge { epoch: 2, ..scene.challenge.clone() },
        Challenge { inventory: None, targets: scene.tree.leaves().to_vec(), ..scene.challenge.clone() },
    ];
    for other in others {
        let tree = if other.inventory == Some(smaller.target()) { &smaller } else { &scene.tree };
        let leaves = other.inventory.map_or(vec![], |_| tree.sample(&other).expect("its inventory"));
        let s = sampled(&other, &leaves).expect("honest");
        assert_eq!(verify(vk, &other, &s, &proof), Err(VerifyError::False(PairingError::False)));
    }
    assert_eq!(verify(vk, &scene.challenge, &scene.sampled(), &proof), Ok(()));
}

/// Z12, Z13: other bytes of the same truth verify for the same challenge and no other: an answer is counted by its challenge.
#[test]
fn z12_z13_a_proof_in_other_bytes_is_the_same_answer() {
    let scene = Scene::new(1);
    let [a, b] = [5, 6].map(|seed| scene.prove(seed).expect("honest"));
    let mut flipped = a;
    flipped[31] ^= 0x80;
    flipped[95] ^= 0x80;
    assert!(a != b && a != flipped);
    let next = Scene::new(2);
    for proof in [a, b, flipped] {
        assert_eq!(verify(tiny_key().prepared(), &scene.challenge, &scene.sampled(), &proof), Ok(()));
        let refused = verify(tiny_key().prepared(), &next.challenge, &next.sampled(), &proof);
        assert_eq!(refused, Err(VerifyError::False(PairingError::False)));
    }
}
