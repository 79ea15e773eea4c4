//! The host's half of scheme 1: openings of the drawn cells, then the circuit.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bailiwick_possession::challenge::{Sampled, Slot};
use bailiwick_possession::opening::{Opening, OpeningError, open};
use bailiwick_possession::tree::CELLS_PER_BLOCK;
use bailiwick_possession_circuit::{ProverKey, prove};
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{ClassId, VkDigest};
use rand_core::CryptoRng;

use crate::held::{Held, Phase, ProveFailure, ProvingKey};

#[derive(Debug)]
pub(super) struct Prover(pub(super) ProverKey);

impl ProvingKey for Prover {
    fn verifying_key(&self) -> VkDigest {
        self.0.prepared().digest()
    }

    fn class(&self) -> ClassId {
        self.0.class()
    }

    fn prove(
        &self,
        challenge: &Challenge,
        sampled: &Sampled,
        held: &mut dyn Held,
        mut rng: &mut dyn CryptoRng,
        progress: &mut dyn FnMut(Phase),
    ) -> Result<Vec<u8>, ProveFailure> {
        let openings = openings(challenge, sampled, held, progress)?;
        let mut proving = |_| progress(Phase::Proving);
        let proof = prove(&self.0, challenge, sampled, openings, &mut rng, &mut proving);
        Ok(proof.map_err(|e| ProveFailure::Prover(Box::new(e)))?.to_vec())
    }
}

/// An opening for each slot, in order. One tree in memory at a time, and each block read once.
fn openings(
    challenge: &Challenge,
    sampled: &Sampled,
    held: &mut dyn Held,
    progress: &mut dyn FnMut(Phase),
) -> Result<Vec<Opening>, ProveFailure> {
    let slots = &sampled.slots;
    let mut by_target: BTreeMap<usize, Vec<(usize, Slot)>> = BTreeMap::new();
    for (i, slot) in slots.iter().enumerate() {
        by_target.entry(slot.target).or_default().push((i, *slot));
    }
    let mut out: Vec<Option<Opening>> = vec![None; slots.len()];
    let mut done = 0.0;
    #[expect(clippy::cast_precision_loss, reason = "at most 1024 slots")]
    let all = slots.len() as f64;
    for (target, slots) in by_target {
        let target = &sampled.targets[target];
        let tree = held.tree(target)?;
        let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (i, slot) in slots {
            let number = slot.cell / CELLS_PER_BLOCK as u64;
            let block = match blocks.entry(number) {
                Entry::Occupied(block) => block.into_mut(),
                Entry::Vacant(place) => place.insert(held.block(target, number)?),
            };
            out[i] = Some(match open(&tree, slot.cell, challenge.class.depth, block) {
                Err(OpeningError::CellsUnavailable { .. }) => return Err(ProveFailure::CellsUnavailable),
                other => other.map_err(|e| ProveFailure::Prover(Box::new(e)))?,
            });
            done += 1.0;
            progress(Phase::Reading(done / all));
        }
    }
    Ok(out.into_iter().flatten().collect())
}
