//! One challenge, answered: look up, read the drawn blocks, prove, sign.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::ErrorKind;

use bailiwick_possession::challenge::{Sampled, Slot, sampled};
use bailiwick_possession::inventory::InventoryError;
use bailiwick_possession::opening::{Opening, OpeningError, open};
use bailiwick_possession::tree::{CELLS_PER_BLOCK, CellTree};
use bailiwick_possession_circuit::{Progress, ProveError, prove};
use bailiwick_protocol::api::{JobCost, JobState};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedResponse, Target};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_store::{Object, StoreError};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rustix::io::Errno;

use super::Parts;
use super::cost::Meter;
use crate::circuits::CircuitError;
use crate::inventories::InventoriesError;
use crate::metrics::PROVED;

/// Share of the whole that reading stands for in the progress; the rest is proving.
const READING_SHARE: f64 = 0.1;

/// Why there is no answer at all: a fault of this node, not of what it holds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    #[error("proving key: {0}")]
    Circuit(#[from] CircuitError),
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("prover: {0}")]
    Prove(#[from] ProveError),
    #[error(transparent)]
    Inventories(#[from] InventoriesError),
    #[error("inventory: {0}")]
    Inventory(#[from] InventoryError),
    #[error("opening: {0}")]
    Opening(#[from] OpeningError),
    #[error("no randomness")]
    Randomness,
}

/// Whether a cell could not be had, or the node failed.
enum Failure {
    Cannot(CannotProve),
    Node(WorkError),
}

impl<E: Into<WorkError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Node(error.into())
    }
}

pub(crate) struct Done {
    /// Signed response and the outcome's name, for the metrics.
    pub(crate) response: Result<(Vec<u8>, &'static str), WorkError>,
    pub(crate) cost: JobCost,
}

type Report<'a> = &'a (dyn Fn(JobState, f64, JobCost) + Sync);

pub(crate) fn answer(
    parts: &Parts,
    pool: &rayon::ThreadPool,
    challenge: &Challenge,
    report: Report<'_>,
) -> Done {
    let meter = Meter::start(pool);
    report(JobState::Reading, 0.0, meter.so_far());
    // Everything parallel inside runs on the prover's pool, not on the process-wide one.
    let outcome = pool.install(|| proof(parts, challenge, &meter, report));
    let cost = meter.total();
    let (outcome, label) = match outcome {
        Ok(proof) => (Ok(proof), PROVED),
        Err(Failure::Cannot(why @ CannotProve::ObjectUnknown)) => (Err(why), "object-unknown"),
        Err(Failure::Cannot(why)) => (Err(why), "cells-unavailable"),
        Err(Failure::Node(error)) => return Done { response: Err(error), cost },
    };
    let response = Response { challenge: challenge.digest(), outcome };
    Done { response: Ok((SignedResponse::new(&response, &parts.key).to_bytes(), label)), cost }
}

fn proof(
    parts: &Parts,
    challenge: &Challenge,
    meter: &Meter<'_>,
    report: Report<'_>,
) -> Result<[u8; 128], Failure> {
    // All named objects must be held, drawn from or not. Of an inventory only the sampled leaves are looked at, and those may
    // have been replaced or deleted since.
    let leaves = match challenge.inventory {
        Some(_) => {
            let tree = parts.inventories.tree(challenge.epoch).map_err(WorkError::from)?;
            tree.sample(challenge).map_err(WorkError::from)?
        }
        None => Vec::new(),
    };
    let sampled = sampled(challenge, &leaves).map_err(WorkError::from)?;
    for target in &challenge.targets {
        check_held(parts, target)?;
    }
    let openings = openings(parts, challenge, &sampled, meter, report)?;
    report(JobState::Proving, READING_SHARE, meter.so_far());
    let key = parts.circuits.load(&challenge.vk).map_err(WorkError::from)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| WorkError::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(seed);
    let mut phase = 0.0;
    let mut progress = |_: Progress| {
        phase += 1.0;
        // Half of what is left at each phase: never done before it is.
        let left = (1.0 - READING_SHARE) * 0.5_f64.powf(phase);
        report(JobState::Proving, 1.0 - left, meter.so_far());
    };
    Ok(prove(&key, challenge, &sampled, openings, &mut rng, &mut progress).map_err(WorkError::from)?)
}

/// The object is here, at the generation and with everything else the challenge names.
fn check_held(parts: &Parts, target: &Target) -> Result<(), Failure> {
    match parts.store.get(&target.name) {
        Ok(Some(Object { record, .. })) => {
            if record.target() == *target {
                Ok(())
            } else {
                Err(Failure::Cannot(CannotProve::ObjectUnknown))
            }
        }
        Ok(None) => Err(Failure::Cannot(CannotProve::ObjectUnknown)),
        Err(error) => Err(store_failure(error)),
    }
}

fn openings(
    parts: &Parts,
    challenge: &Challenge,
    sampled: &Sampled,
    meter: &Meter<'_>,
    report: Report<'_>,
) -> Result<Vec<Opening>, Failure> {
    let slots = &sampled.slots;
    let mut by_target: BTreeMap<usize, Vec<(usize, Slot)>> = BTreeMap::new();
    for (i, slot) in slots.iter().enumerate() {
        by_target.entry(slot.target).or_default().push((i, *slot));
    }
    let mut out: Vec<Option<Opening>> = vec![None; slots.len()];
    let mut done = 0.0;
    #[expect(clippy::cast_precision_loss, reason = "at most 1024 slots")]
    let all = slots.len() as f64;
    // One tree in memory at a time, and each block read once.
    for (target, slots) in by_target {
        let target = &sampled.targets[target];
        let body = parts.store.open_target(target).map_err(store_failure)?;
        let Some(body) = body else { return Err(gone(parts, challenge)) };
        let tree = body.tree().map_err(store_failure)?;
        meter.read(tree_bytes(&tree));
        let mut counted = 0;
        let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (i, slot) in slots {
            let number = slot.cell / CELLS_PER_BLOCK as u64;
            let block = match blocks.entry(number) {
                Entry::Occupied(block) => block.into_mut(),
                Entry::Vacant(place) => {
                    let bytes = body.read_block(number).map_err(store_failure)?;
                    // Whole pieces and tables, not only the bytes wanted.
                    meter.read(body.disk_bytes() - counted);
                    counted = body.disk_bytes();
                    place.insert(bytes)
                }
            };
            let opening = match open(&tree, slot.cell, challenge.class.depth, block) {
                Err(OpeningError::CellsUnavailable { .. }) => {
                    return Err(Failure::Cannot(CannotProve::CellsUnavailable));
                }
                other => other.map_err(WorkError::from)?,
            };
            out[i] = Some(opening);
            done += 1.0;
            report(JobState::Reading, READING_SHARE * done / all, meter.so_far());
        }
    }
    Ok(out.into_iter().flatten().collect())
}

/// What was checked a moment ago, or is listed in an inventory and therefore kept, is gone: a loss, which is signed, unless the time
/// of the inventory has just run out.
fn gone(parts: &Parts, challenge: &Challenge) -> Failure {
    let live = challenge.inventory.map(|_| parts.inventories.tree(challenge.epoch));
    match live {
        Some(Err(error)) => WorkError::from(error).into(),
        _ => Failure::Cannot(CannotProve::CellsUnavailable),
    }
}

/// Bytes of the tree's nodes as stored.
fn tree_bytes(tree: &CellTree) -> u64 {
    tree.encoded().map(|piece| piece.len() as u64).sum()
}

/// Damage, a missing or short file and a failing disk are "the sampled cells cannot be had", which is signed and stays.
/// Anything else (no descriptors, no memory, no permission) says nothing about the cells: the job fails, and the same
/// challenge runs again when it is asked again.
fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::NotFound(_) => Failure::Cannot(CannotProve::ObjectUnknown),
        ref gone if is_loss(gone) => {
            tracing::error!(%error, "sampled cells are unavailable");
            Failure::Cannot(CannotProve::CellsUnavailable)
        }
        other => Failure::Node(other.into()),
    }
}

/// Whether the stored bytes are gone, as opposed to out of reach for now.
fn is_loss(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged { .. } => true,
        StoreError::Io { source, .. } => {
            matches!(source.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof)
                || source.raw_os_error() == Some(Errno::IO.raw_os_error())
        }
        _ => false,
    }
}
