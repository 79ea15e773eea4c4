//! From a circuit to its matrices and to an assignment, by `ark-relations`.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, OptimizationGoal, R1CS_PREDICATE_LABEL,
    SynthesisMode,
};
use bailiwick_protocol::ids::CircuitDigest;
use bailiwick_protocol::labels::Label;
use rayon::prelude::*;

/// One matrix: per constraint its non-zero (coefficient, column).
pub(crate) type Matrix = Vec<Vec<(Fr, usize)>>;

/// Why a circuit gives no usable constraint system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesisError {
    /// The circuit itself failed.
    #[error("the circuit could not be synthesised: {0}")]
    Circuit(#[from] ark_relations::utils::error::SynthesisError),
    /// Constraints under a predicate other than R1CS, which Groth16 would silently leave out.
    #[error("{count} constraints are not R1CS")]
    NotR1cs {
        /// How many.
        count: usize,
    },
}

/// The matrices A, B, C of a circuit: `(A·z) ∘ (B·z) = C·z`, z = (1, public inputs, witness).
///
/// Kept beside the proving key, so that a proof needs the witness only. 40 bytes per non-zero entry.
#[derive(Clone, Debug)]
pub struct Matrices {
    inner: taceo_groth16::ConstraintMatrices<Fr>,
    digest: OnceLock<CircuitDigest>,
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
        let mut all = cs.to_matrices()?;
        let r1cs = all.remove(R1CS_PREDICATE_LABEL).unwrap_or_default();
        let [a, b, c]: [Matrix; 3] = r1cs.try_into().map_err(|_| SynthesisError::NotR1cs { count: 0 })?;
        Ok(Self::from_parts(cs.num_instance_variables(), cs.num_witness_variables(), [a, b, c]))
    }

    fn from_parts(inputs: usize, witnesses: usize, mut abc: [Matrix; 3]) -> Self {
        for row in abc.iter_mut().flatten() {
            row.retain(|(coefficient, _)| !coefficient.is_zero());
            row.sort_unstable_by_key(|(_, column)| *column);
            row.shrink_to_fit();
        }
        let [a, b, c] = abc;
        let entries = |m: &Matrix| m.iter().map(Vec::len).sum();
        let inner = taceo_groth16::ConstraintMatrices {
            num_instance_variables: inputs,
            num_witness_variables: witnesses,
            num_constraints: a.len(),
            a_num_non_zero: entries(&a),
            b_num_non_zero: entries(&b),
            c_num_non_zero: entries(&c),
            a,
            b,
            c,
        };
        Self { inner, digest: OnceLock::new() }
    }

    /// Number of constraints.
    #[must_use]
    pub const fn constraints(&self) -> usize {
        self.inner.num_constraints
    }

    /// Columns: the constant one, public inputs, witness.
    #[must_use]
    pub const fn variables(&self) -> usize {
        self.inner.num_instance_variables + self.inner.num_witness_variables
    }

    /// Columns of the constant one and the public inputs.
    #[must_use]
    pub const fn instance_variables(&self) -> usize {
        self.inner.num_instance_variables
    }

    /// Non-zero entries of A, B and C together.
    #[must_use]
    pub const fn non_zero(&self) -> usize {
        self.inner.a_num_non_zero + self.inner.b_num_non_zero + self.inner.c_num_non_zero
    }

    /// The rows of A, B and C, constraint by constraint: (coefficient, column), columns ascending.
    pub fn rows(&self) -> impl Iterator<Item = [&[(Fr, usize)]; 3]> {
        let m = &self.inner;
        m.a.iter().zip(&m.b).zip(&m.c).map(|((a, b), c)| [a.as_slice(), b, c])
    }

    /// The same system without the constraints of these indices: for tests that delete a clause.
    #[must_use]
    pub fn without(&self, drop: &[usize]) -> Self {
        let keep = |m: &Matrix| {
            m.iter().enumerate().filter(|(i, _)| !drop.contains(i)).map(|(_, row)| row.clone()).collect()
        };
        Self::from_parts(
            self.inner.num_instance_variables,
            self.inner.num_witness_variables,
            [keep(&self.inner.a), keep(&self.inner.b), keep(&self.inner.c)],
        )
    }

    /// First constraint that `assignment` does not satisfy; a wrong length fails constraint 0.
    #[must_use]
    pub fn first_unsatisfied(&self, assignment: &[Fr]) -> Option<usize> {
        if assignment.len() != self.variables() || assignment.first() != Some(&Fr::from(1u64)) {
            return Some(0);
        }
        let row =
            |terms: &[(Fr, usize)]| terms.iter().map(|(k, column)| *k * assignment[*column]).sum::<Fr>();
        let m = &self.inner;
        (m.a.par_iter().zip(&m.b).zip(&m.c)).position_first(|((a, b), c)| row(a) * row(b) != row(c))
    }

    /// Digest of shape and entries: BLAKE3 derive-key under its label over LE64 (columns of the instance,
    /// of the witness, constraints), then for A, B and C per row LE64 number of entries and per entry
    /// LE64 column ‖ coefficient as 32 bytes little-endian, columns ascending. Computed once.
    #[must_use]
    pub fn digest(&self) -> CircuitDigest {
        *self.digest.get_or_init(|| self.compute_digest())
    }

    fn compute_digest(&self) -> CircuitDigest {
        let m = &self.inner;
        let mut h = blake3::Hasher::new_derive_key(Label::CircuitDigest.as_str());
        for n in [m.num_instance_variables, m.num_witness_variables, m.num_constraints] {
            h.update(&(n as u64).to_le_bytes());
        }
        let mut row_bytes = Vec::new();
        for row in [&m.a, &m.b, &m.c].into_iter().flatten() {
            row_bytes.clear();
            row_bytes.extend_from_slice(&(row.len() as u64).to_le_bytes());
            for (coefficient, column) in row {
                row_bytes.extend_from_slice(&(*column as u64).to_le_bytes());
                row_bytes.extend_from_slice(&coefficient.into_bigint().to_bytes_le());
            }
            h.update(&row_bytes);
        }
        CircuitDigest(h.finalize().into())
    }

    pub(crate) const fn inner(&self) -> &taceo_groth16::ConstraintMatrices<Fr> {
        &self.inner
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
