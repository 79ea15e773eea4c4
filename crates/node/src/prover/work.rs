//! One challenge, answered: look up, read the drawn blocks, prove, sign.

use std::io::ErrorKind;

use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::inventory::InventoryError;
use bailiwick_possession::tree::{CELLS_PER_BLOCK, CellTree};
use bailiwick_protocol::api::{JobCost, JobState};
use bailiwick_protocol::challenge::{CannotProve, Challenge, Response, SignedResponse, Target};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Envelope;
use bailiwick_scheme::{Held, NotHeld, Phase, ProveFailure};
use bailiwick_store::{BodyReader, Object, StoreError};
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
    Prove(#[from] ProveFailure),
    #[error(transparent)]
    Inventories(#[from] InventoriesError),
    #[error("inventory: {0}")]
    Inventory(#[from] InventoryError),
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
) -> Result<Vec<u8>, Failure> {
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
    let mut held = HeldObjects { parts, challenge, meter, open: None, failure: None };
    let key = match parts.circuits.load(&challenge.vk) {
        Ok(key) => key,
        // A loss is said whatever else is wrong.
        Err(error) => return Err(held.first_loss(&sampled).unwrap_or(Failure::Node(error.into()))),
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| WorkError::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(seed);
    let mut phase = 0.0;
    let mut progress = |now: Phase| match now {
        Phase::Reading(share) => report(JobState::Reading, READING_SHARE * share, meter.so_far()),
        _ => {
            phase += 1.0;
            // Half of what is left at each phase: never done before it is.
            let left = (1.0 - READING_SHARE) * 0.5_f64.powf(phase);
            report(JobState::Proving, 1.0 - left, meter.so_far());
        }
    };
    key.prove(challenge, &sampled, &mut held, &mut rng, &mut progress).map_err(|why| match why {
        ProveFailure::NotHeld(_) => held.failure.unwrap_or(Failure::Node(WorkError::Prove(why))),
        ProveFailure::CellsUnavailable => Failure::Cannot(CannotProve::CellsUnavailable),
        other => Failure::Node(WorkError::Prove(other)),
    })
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

/// What this node holds of the challenged objects. One is open at a time.
struct HeldObjects<'a> {
    parts: &'a Parts,
    challenge: &'a Challenge,
    meter: &'a Meter<'a>,
    open: Option<Open>,
    /// Why something could not be had.
    failure: Option<Failure>,
}

struct Open {
    target: Target,
    body: BodyReader,
    /// Of the bytes this reader took from disk, those that are metered.
    counted: u64,
}

impl HeldObjects<'_> {
    fn open(&mut self, target: &Target) -> Result<&mut Open, Failure> {
        let open = match self.open.take() {
            Some(open) if open.target == *target => open,
            _ => match self.parts.store.open_target(target).map_err(store_failure)? {
                Some(body) => Open { target: target.clone(), body, counted: 0 },
                None => return Err(gone(self.parts, self.challenge)),
            },
        };
        Ok(self.open.insert(open))
    }

    /// Why one of the drawn blocks cannot be had, if one cannot.
    fn first_loss(&mut self, sampled: &Sampled) -> Option<Failure> {
        let lost = sampled.slots.iter().any(|slot| {
            let target = &sampled.targets[slot.target];
            self.tree(target).and_then(|_| self.block(target, slot.cell / CELLS_PER_BLOCK as u64)).is_err()
        });
        if lost { self.failure.take() } else { None }
    }

    fn noted<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, NotHeld> {
        outcome.map_err(|failure| {
            self.failure = Some(failure);
            NotHeld
        })
    }
}

impl Held for HeldObjects<'_> {
    fn envelope(&mut self, target: &Target) -> Result<Envelope, NotHeld> {
        let envelope = self.open(target).map(|open| open.body.envelope().clone());
        self.noted(envelope)
    }

    fn tree(&mut self, target: &Target) -> Result<CellTree, NotHeld> {
        let tree = self.open(target).and_then(|open| open.body.tree().map_err(store_failure));
        if let Ok(tree) = &tree {
            self.meter.read(tree_bytes(tree));
        }
        self.noted(tree)
    }

    fn block(&mut self, target: &Target, number: u64) -> Result<Vec<u8>, NotHeld> {
        let block = self.open(target).and_then(|open| {
            let bytes = open.body.read_block(number).map_err(store_failure)?;
            // Whole pieces and tables, not only the bytes wanted.
            let before = std::mem::replace(&mut open.counted, open.body.disk_bytes());
            Ok((bytes, open.counted - before))
        });
        let (bytes, read) = self.noted(block)?;
        self.meter.read(read);
        Ok(bytes)
    }
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
