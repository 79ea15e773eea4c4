//! The statement of possession and its native check (spec possession). `circuits/possession` is its twin in constraints.
//!
//! One public input: `h = LABEL`, then `h = C(h, next 15)` over `(S, D, binding, root_0, index_0, .., root_(S-1), index_(S-1))`,
//! zero-filled; roots lifted to `D`. Its length is fixed by `S`, which is itself absorbed, so zeros cannot be mistaken for items.
//!
//! - **C1** the witnessed binding, roots and indices hash to the statement.
//! - **C2** each index is the value of its `D - 1` base-16 digits: below `16^(D-1)`.
//! - **C3** each witnessed cell, hashed, leads along those digits to its root.

mod batch;

use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::ClassId;
use bailiwick_protocol::labels::Label;

use crate::challenge::Sampled;
use crate::field::{Fr, element_from_bytes, element_of_label};
use crate::opening::{Opening, digits_left};
use crate::poseidon2::{WIDTH, compress};
use crate::tree::{DEPTH_MAX, KEPT_LEVEL, cells_of, depth_of, lift};

pub use batch::public_inputs;

/// Why a challenge has no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// A class outside `1..` samples and depth `3..=8`.
    #[error("class {0} is outside what a statement allows")]
    Class(ClassId),
    /// No targets.
    #[error("a challenge without targets")]
    NoTargets,
    /// Cells of a target that are 0, more than the class holds, or not `ceil(size / 496)`.
    #[error("target {target}: {cells} cells do not fit its size or the class")]
    Cells {
        /// Index of the target.
        target: usize,
        /// Its stated cells.
        cells: u64,
    },
    /// A root that is not a canonical element.
    #[error("target {target}: root is not a canonical element")]
    Root {
        /// Index of the target.
        target: usize,
    },
}

/// A clause of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Clause {
    /// Binding, roots and indices hash to the statement.
    #[error("clause C1: binding, roots and indices do not hash to the statement")]
    C1,
    /// Every index has `D - 1` base-16 digits.
    #[error("clause C2: an index is not the value of its digits")]
    C2,
    /// Every cell leads to its root.
    #[error("clause C3: a cell does not lead to its root")]
    C3,
}

/// What a prover knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The challenge's binding.
    pub binding: Fr,
    /// For each slot in order, the lifted root and the opening.
    pub openings: Vec<(Fr, Opening)>,
}

/// The label element the sponge starts from, at least 2^248.
#[must_use]
pub fn label() -> Fr {
    element_of_label(Label::Statement.as_str())
}

/// The public input, from the binding and each slot's lifted root and index.
#[must_use]
pub fn statement(class: ClassId, binding: &Fr, slots: &[(Fr, u64)]) -> Fr {
    items(class, binding, slots).chunks(WIDTH - 1).fold(label(), |h, next| compress(&block(h, next)))
}

/// What the sponge absorbs.
fn items(class: ClassId, binding: &Fr, slots: &[(Fr, u64)]) -> Vec<Fr> {
    let mut items = vec![Fr::from(class.samples), Fr::from(class.depth), *binding];
    items.extend(slots.iter().flat_map(|(root, index)| [*root, Fr::from(*index)]));
    items
}

/// The sponge so far and its next 15 items, zero-filled.
fn block(h: Fr, next: &[Fr]) -> [Fr; WIDTH] {
    let mut block = [Fr::default(); WIDTH];
    block[0] = h;
    block[1..=next.len()].copy_from_slice(next);
    block
}

/// The public input of a challenge, as a verifier computes it: lift the roots of the drawn slots, hash. `sampled` is what
/// [`crate::challenge::sampled`] gave for this very challenge.
///
/// # Errors
/// `Class`, `NoTargets`, `Cells`, `Root`.
pub fn public_input(challenge: &Challenge, sampled: &Sampled) -> Result<Fr, StatementError> {
    batch::one(challenge, sampled)
}

/// The root of each sampled target, lifted to the class's depth.
///
/// # Errors
/// `Class`, `NoTargets`, `Cells`, `Root`.
pub fn lifted_roots(class: ClassId, sampled: &Sampled) -> Result<Vec<Fr>, StatementError> {
    let roots = root_elements(class, &sampled.targets)?;
    Ok(sampled.targets.iter().zip(roots).map(|(t, root)| lifted(class, t, root)).collect())
}

fn lifted(class: ClassId, target: &Target, root: Fr) -> Fr {
    lift(root, depth_of(target.cells), class.depth)
}

/// The root of each target at its natural depth, after checking class and targets.
fn root_elements(class: ClassId, targets: &[Target]) -> Result<Vec<Fr>, StatementError> {
    if class.samples == 0 || !(KEPT_LEVEL..=DEPTH_MAX).contains(&class.depth) {
        return Err(StatementError::Class(class));
    }
    if targets.is_empty() {
        return Err(StatementError::NoTargets);
    }
    targets.iter().enumerate().map(|(i, t)| root_element(i, t, class)).collect()
}

fn root_element(target: usize, t: &Target, class: ClassId) -> Result<Fr, StatementError> {
    if t.cells == 0 || t.cells > class.cells_max() || t.cells != cells_of(t.size) {
        return Err(StatementError::Cells { target, cells: t.cells });
    }
    element_from_bytes(t.root.as_bytes()).ok_or(StatementError::Root { target })
}

/// Checks a witness against the statement, natively: the oracle the circuit is tested against, and a prover's own check.
///
/// # Errors
/// The first clause that does not hold.
pub fn check(class: ClassId, public: &Fr, witness: &Witness) -> Result<(), Clause> {
    let slots: Vec<(Fr, u64)> = witness.openings.iter().map(|(root, o)| (*root, o.index)).collect();
    if slots.len() != usize::from(class.samples) || statement(class, &witness.binding, &slots) != *public {
        return Err(Clause::C1);
    }
    let digits = usize::from(class.depth).saturating_sub(1);
    let in_range = |o: &Opening| o.path.len() == digits && digits_left(o.index, digits) == 0;
    if !witness.openings.iter().all(|(_, o)| in_range(o)) {
        return Err(Clause::C2);
    }
    if !witness.openings.iter().all(|(root, o)| o.leads_to(root)) {
        return Err(Clause::C3);
    }
    Ok(())
}
