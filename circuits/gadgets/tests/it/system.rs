//! Running a gadget: its matrices, its assignment, what a change to one variable does, and its Jacobian.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, OptimizationGoal, R1CS_PREDICATE_LABEL,
    Result, SynthesisMode,
};
use bailiwick_groth16::{Matrices, assign};

pub(crate) struct Gadget<F>(pub(crate) F);

impl<F: FnOnce(&ConstraintSystemRef<Fr>) -> Result<()>> ConstraintSynthesizer<Fr> for Gadget<F> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        (self.0)(&cs)
    }
}

/// Matrices and assignment of one gadget.
pub(crate) struct Run {
    pub(crate) matrices: Matrices,
    pub(crate) assignment: Vec<Fr>,
}

impl Run {
    pub(crate) fn new(gadget: impl Fn(&ConstraintSystemRef<Fr>) -> Result<()>) -> Self {
        let matrices = Matrices::synthesize(Gadget(&gadget)).expect("R1CS");
        Self { matrices, assignment: assign(Gadget(&gadget)).expect("values") }
    }

    pub(crate) fn satisfied(&self) -> bool {
        self.matrices.first_unsatisfied(&self.assignment).is_none()
    }

    /// Private variables that can be set to one of five other values without any constraint failing.
    pub(crate) fn loose_variables(&self) -> Vec<usize> {
        let mut loose = Vec::new();
        for i in self.matrices.instance_variables()..self.assignment.len() {
            let v = self.assignment[i];
            for other in [v + Fr::ONE, Fr::ZERO, Fr::ONE, -v, Fr::from(0x0bad_5eed_u64)] {
                let mut changed = self.assignment.clone();
                changed[i] = other;
                if other != v && self.matrices.first_unsatisfied(&changed).is_none() {
                    loose.push(i);
                }
            }
        }
        loose
    }
}

/// Dimension of the kernel of d(Az ∘ Bz − Cz)/dz over the private columns, at the assignment: 0 means that no private
/// variable can move, alone or together with others, with the public ones held.
pub(crate) fn free_dimensions(gadget: impl Fn(&ConstraintSystemRef<Fr>) -> Result<()>) -> usize {
    let cs = ConstraintSystem::<Fr>::new_ref();
    cs.set_optimization_goal(OptimizationGoal::None);
    cs.set_mode(SynthesisMode::Prove { construct_matrices: true, generate_lc_assignments: true });
    gadget(&cs).expect("runs");
    cs.finalize();
    let z = [cs.instance_assignment().expect("values"), cs.witness_assignment().expect("values")].concat();
    let public = cs.num_instance_variables();
    let columns = z.len() - public;
    let matrices = cs.to_matrices().expect("matrices");
    let [a, b, c] = matrices[R1CS_PREDICATE_LABEL].as_slice() else { panic!("three matrices") };
    let at = |row: &[(Fr, usize)]| row.iter().map(|(k, i)| *k * z[*i]).sum::<Fr>();
    let rows = a.iter().zip(b).zip(c).map(|((a, b), c)| {
        let mut out = vec![Fr::ZERO; columns];
        for (scale, terms) in [(at(b), a), (at(a), b), (-Fr::ONE, c)] {
            for (k, i) in terms.iter().filter(|(_, i)| *i >= public) {
                out[i - public] += scale * k;
            }
        }
        out
    });
    columns - rank(rows.collect())
}

fn rank(mut rows: Vec<Vec<Fr>>) -> usize {
    let (columns, mut rank) = (rows.first().map_or(0, Vec::len), 0);
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|r| !rows[*r][column].is_zero()) else { continue };
        rows.swap(rank, pivot);
        let (above, below) = rows.split_at_mut(rank + 1);
        let pivot = &above[rank];
        let inverse = pivot[column].inverse().expect("not zero");
        for row in below.iter_mut().filter(|row| !row[column].is_zero()) {
            let scale = row[column] * inverse;
            for (x, p) in row[column..].iter_mut().zip(&pivot[column..]) {
                *x -= scale * p;
            }
        }
        rank += 1;
    }
    rank
}
