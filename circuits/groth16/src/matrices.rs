//! From a circuit to its matrices and to an assignment, by `ark-relations`.

mod combinations;

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{BigInteger, One, PrimeField};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, OptimizationGoal, R1CS_PREDICATE_LABEL,
    SynthesisMode, Variable,
};
use bailiwick_field::fft::Transform;
use bailiwick_protocol::ids::CircuitDigest;
use bailiwick_protocol::labels::Label;
use rayon::prelude::*;

use combinations::{Collector, Combinations, TooMany};

/// Why a circuit gives no usable constraint system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesisError {
    /// The circuit itself failed.
    #[error("the circuit could not be synthesised: {0}")]
    Circuit(#[from] ark_relations::utils::error::SynthesisError),
    /// A linear combination names another one instead of a column: `ark-relations` inlines all of them.
    #[error("a linear combination was not inlined")]
    NotInlined,
    /// Constraints under a predicate other than R1CS, which Groth16 would silently leave out.
    #[error("{count} constraints are not R1CS")]
    NotR1cs {
        /// How many.
        count: usize,
    },
    /// More than 2^32 entries, columns or coefficients.
    #[error("the circuit is too large")]
    TooLarge,
}

impl From<TooMany> for SynthesisError {
    fn from(_: TooMany) -> Self {
        Self::TooLarge
    }
}

/// Which of the three matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
    C,
}

/// The matrices A, B, C of a circuit: `(A·z) ∘ (B·z) = C·z`, z = (1, public inputs, witness).
///
/// Kept beside the proving key, so that a proof needs the witness only. Rows are numbers of distinct linear combinations, whose
/// entries are pairs of a column and the number of a distinct coefficient: 12 bytes a constraint and 8 an entry kept.
#[derive(Clone, Debug)]
pub struct Matrices {
    instance_variables: usize,
    witness_variables: usize,
    combinations: Combinations,
    /// Per constraint the combinations that are its rows of A, B and C.
    constraints: Vec<[u32; 3]>,
    digest: OnceLock<CircuitDigest>,
    transform: OnceLock<Option<Transform>>,
}

/// The value of every row at an assignment that satisfies all constraints.
pub(crate) struct Evaluations<'m> {
    values: Vec<Fr>,
    constraints: &'m [[u32; 3]],
}

impl Evaluations<'_> {
    /// How many rows there are.
    pub(crate) const fn constraints(&self) -> usize {
        self.constraints.len()
    }

    /// Row `row` of A z or B z, if there is such a constraint.
    pub(crate) fn at(&self, side: Side, row: usize) -> Option<Fr> {
        self.constraints.get(row).map(|sides| self.values[sides[side as usize] as usize])
    }
}

fn system(mode: SynthesisMode) -> ConstraintSystemRef<Fr> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::None);
    cs.set_mode(mode);
    cs
}

impl Matrices {
    /// Runs the circuit without values.
    ///
    /// # Errors
    /// [`SynthesisError::NotR1cs`] when the circuit uses another predicate.
    pub fn synthesize(circuit: impl ConstraintSynthesizer<Fr>) -> Result<Self, SynthesisError> {
        let cs = system(SynthesisMode::Setup);
        circuit.generate_constraints(cs.clone())?;
        cs.finalize();
        let by_label = cs.get_all_predicates_num_constraints();
        let count: usize = by_label.iter().filter(|(l, _)| *l != R1CS_PREDICATE_LABEL).map(|(_, n)| n).sum();
        if count > 0 {
            return Err(SynthesisError::NotR1cs { count });
        }
        let cs = cs.borrow().ok_or(ark_relations::utils::error::SynthesisError::MissingCS)?;
        let instance_variables = cs.num_instance_variables();
        // Row by row: `to_matrices` would hold 40 bytes an entry, 260 MB for 64 samples.
        let mut collector = Collector::new();
        let mut terms = Vec::new();
        let mut number = |row: Variable| -> Result<u32, SynthesisError> {
            terms.clear();
            for (k, variable) in cs.get_lc(row).0.into_iter().filter(|(_, v)| !v.is_zero()) {
                // A term left out would weaken the constraint, in the key too.
                let column =
                    variable.get_variable_index(instance_variables).ok_or(SynthesisError::NotInlined)?;
                terms.push((k, column));
            }
            Ok(collector.number(&mut terms)?)
        };
        let mut constraints = Vec::new();
        if let Some(r1cs) = cs.predicate_constraint_systems.get(R1CS_PREDICATE_LABEL) {
            let [a, b, c] = &r1cs.get_constraints()[..] else {
                return Err(SynthesisError::NotR1cs { count: r1cs.num_constraints() });
            };
            constraints.reserve_exact(a.len());
            for ((a, b), c) in a.iter().zip(b).zip(c) {
                constraints.push([number(*a)?, number(*b)?, number(*c)?]);
            }
        }
        Ok(Self {
            instance_variables,
            witness_variables: cs.num_witness_variables(),
            combinations: collector.finish(),
            constraints,
            digest: OnceLock::new(),
            transform: OnceLock::new(),
        })
    }

    /// Number of constraints.
    #[must_use]
    pub const fn constraints(&self) -> usize {
        self.constraints.len()
    }

    /// Columns: the constant one, public inputs, witness.
    #[must_use]
    pub const fn variables(&self) -> usize {
        self.instance_variables + self.witness_variables
    }

    /// Columns of the constant one and the public inputs.
    #[must_use]
    pub const fn instance_variables(&self) -> usize {
        self.instance_variables
    }

    /// Non-zero entries of A, B and C together.
    #[must_use]
    pub fn non_zero(&self) -> usize {
        self.constraints.iter().flatten().map(|row| self.combinations.len(*row)).sum()
    }

    /// Entries kept in memory: those of equal rows once.
    #[must_use]
    pub const fn distinct_entries(&self) -> usize {
        self.combinations.kept()
    }

    /// The rows of A, B and C, constraint by constraint: (coefficient, column), columns ascending.
    pub fn rows(&self) -> impl Iterator<Item = [Vec<(Fr, usize)>; 3]> {
        self.constraints.iter().map(|rows| rows.map(|row| self.combinations.terms(row).collect()))
    }

    /// The rows of one matrix.
    pub(crate) fn matrix(
        &self,
        side: Side,
    ) -> impl ExactSizeIterator<Item = impl Iterator<Item = (Fr, usize)>> {
        self.constraints.iter().map(move |rows| self.combinations.terms(rows[side as usize]))
    }

    /// The same system without the constraints of these indices: for tests that delete a clause.
    #[must_use]
    pub fn without(&self, drop: &[usize]) -> Self {
        let kept = self.constraints.iter().enumerate().filter(|(i, _)| !drop.contains(i));
        Self {
            constraints: kept.map(|(_, rows)| *rows).collect(),
            digest: OnceLock::new(),
            transform: OnceLock::new(),
            instance_variables: self.instance_variables,
            witness_variables: self.witness_variables,
            combinations: self.combinations.clone(),
        }
    }

    /// First constraint that `assignment` does not satisfy; a wrong length fails constraint 0.
    #[must_use]
    pub fn first_unsatisfied(&self, assignment: &[Fr]) -> Option<usize> {
        self.evaluate(assignment).err()
    }

    /// The values of all rows at `assignment`, each distinct row computed once, in parallel over the current pool.
    ///
    /// # Errors
    /// The first constraint that `assignment` does not satisfy, as [`Matrices::first_unsatisfied`].
    pub(crate) fn evaluate(&self, assignment: &[Fr]) -> Result<Evaluations<'_>, usize> {
        if assignment.len() != self.variables() || assignment.first() != Some(&Fr::one()) {
            return Err(0);
        }
        let values = self.combinations.evaluate(assignment);
        let holds = |[a, b, c]: &[u32; 3]| {
            let [a, b, c] = [a, b, c].map(|row| values[*row as usize]);
            a * b == c
        };
        match self.constraints.par_iter().with_min_len(512).position_first(|rows| !holds(rows)) {
            Some(constraint) => Err(constraint),
            None => Ok(Evaluations { values, constraints: &self.constraints }),
        }
    }

    /// The transform over a domain of 2^`log` rows, its factors computed once (40 bytes a row). `None` where there is none: see
    /// [`Transform::new`].
    pub(crate) fn transform(&self, log: u32) -> Option<&Transform> {
        self.transform.get_or_init(|| Transform::new(log)).as_ref()
    }

    /// Digest of shape and entries: BLAKE3 derive-key under its label over LE64 (columns of the instance,
    /// of the witness, constraints), then for A, B and C per row LE64 number of entries and per entry
    /// LE64 column ‖ coefficient as 32 bytes little-endian, columns ascending. Computed once.
    #[must_use]
    pub fn digest(&self) -> CircuitDigest {
        *self.digest.get_or_init(|| self.compute_digest())
    }

    fn compute_digest(&self) -> CircuitDigest {
        let mut h = blake3::Hasher::new_derive_key(Label::CircuitDigest.as_str());
        for n in [self.instance_variables, self.witness_variables, self.constraints.len()] {
            h.update(&(n as u64).to_le_bytes());
        }
        let mut row_bytes = Vec::new();
        for side in [Side::A, Side::B, Side::C] {
            for row in &self.constraints {
                let row = row[side as usize];
                row_bytes.clear();
                row_bytes.extend_from_slice(&(self.combinations.len(row) as u64).to_le_bytes());
                for (coefficient, column) in self.combinations.terms(row) {
                    row_bytes.extend_from_slice(&(column as u64).to_le_bytes());
                    row_bytes.extend_from_slice(&coefficient.into_bigint().to_bytes_le());
                }
                h.update(&row_bytes);
            }
        }
        CircuitDigest(h.finalize().into())
    }
}

/// Runs the circuit with values only: z = (1, public inputs, witness). Builds no matrices.
///
/// # Errors
/// What the circuit reports.
pub fn assign(circuit: impl ConstraintSynthesizer<Fr>) -> Result<Vec<Fr>, SynthesisError> {
    let cs = system(SynthesisMode::Prove { construct_matrices: false, generate_lc_assignments: false });
    circuit.generate_constraints(cs.clone())?;
    let mut assignment = cs.instance_assignment()?.to_vec();
    assignment.extend_from_slice(&cs.witness_assignment()?);
    Ok(assignment)
}
