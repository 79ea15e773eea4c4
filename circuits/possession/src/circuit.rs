//! The constraints, one block per clause.

use core::ops::Range;

use ark_ff::AdditiveGroup;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, Result, SynthesisError};
use bailiwick_gadgets::Wire;
use bailiwick_gadgets::poseidon2::compress;
use bailiwick_gadgets::select::{boolean_digits, enforce_selected, enforce_value_of_bits};
use bailiwick_groth16::{Matrices, SynthesisError as MatricesError};
use bailiwick_possession::field::Fr;
use bailiwick_possession::opening::Opening;
use bailiwick_possession::poseidon2::WIDTH;
use bailiwick_possession::statement::{Clause, Witness, label};
use bailiwick_protocol::ids::ClassId;

/// Which constraints a clause is made of, in the order they were made.
pub type ClauseRange = (Clause, Range<usize>);

/// The statement of one class, with or without values.
#[derive(Clone, Debug)]
pub struct PossessionCircuit<'w> {
    class: ClassId,
    values: Option<(Fr, &'w Witness)>,
}

impl<'w> PossessionCircuit<'w> {
    /// For key set-up: the shape only.
    #[must_use]
    pub const fn shape(class: ClassId) -> Self {
        Self { class, values: None }
    }

    /// For proving: the public input and a witness.
    #[must_use]
    pub const fn assigned(class: ClassId, statement: Fr, witness: &'w Witness) -> Self {
        Self { class, values: Some((statement, witness)) }
    }
}

impl ConstraintSynthesizer<Fr> for PossessionCircuit<'_> {
    /// Errors with `AssignmentMissing` when the witness does not have S openings of D−1 levels.
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        constrain(&cs, &self, &mut |_| ())
    }
}

/// The matrices of a class, and which constraints belong to which clause.
///
/// # Errors
/// What synthesis reports.
pub fn matrices_by_clause(
    class: ClassId,
) -> core::result::Result<(Matrices, Vec<ClauseRange>), MatricesError> {
    struct Recording<'r>(ClassId, &'r mut Vec<ClauseRange>);
    impl ConstraintSynthesizer<Fr> for Recording<'_> {
        fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
            constrain(&cs, &PossessionCircuit::shape(self.0), &mut |range| self.1.push(range))
        }
    }
    let mut ranges = Vec::new();
    let matrices = Matrices::synthesize(Recording(class, &mut ranges))?;
    Ok((matrices, ranges))
}

/// The private variables of one sample.
struct Sample {
    root: Wire,
    index: Wire,
}

fn constrain(
    cs: &ConstraintSystemRef<Fr>,
    circuit: &PossessionCircuit<'_>,
    record: &mut dyn FnMut(ClauseRange),
) -> Result<()> {
    let class = circuit.class;
    if circuit.values.is_some_and(|(_, w)| w.openings.len() != usize::from(class.samples)) {
        return Err(SynthesisError::AssignmentMissing);
    }
    let mut clause = |which, body: &mut dyn FnMut() -> Result<()>| {
        let from = cs.num_constraints();
        body()?;
        record((which, from..cs.num_constraints()));
        Ok(())
    };

    let statement = Wire::input(cs, circuit.values.map(|(s, _)| s))?;
    let binding = Wire::witness(cs, circuit.values.map(|(_, w)| w.binding))?;
    let mut samples = Vec::with_capacity(usize::from(class.samples));
    for j in 0..usize::from(class.samples) {
        let opened = circuit.values.and_then(|(_, w)| w.openings.get(j));
        let opening = opened.map(|(_, opening)| opening);
        let index = opening.map(|o| o.index);
        let root = Wire::witness(cs, opened.map(|(root, _)| *root))?;
        let sample = Sample { root, index: Wire::witness(cs, index.map(Fr::from))? };

        // C2: index_j is the value of 4(D−1) boolean digit bits. At D = 8 that is 28 bits: no two settings of the
        // bits are equal modulo the 254-bit field, so a value has one decomposition and stays below 16^(D−1).
        let mut digits = Vec::new();
        clause(Clause::C2, &mut || {
            digits = boolean_digits(cs, index, 4 * (u32::from(class.depth) - 1))?;
            enforce_value_of_bits(cs, &sample.index, &digits)
        })?;

        // C3: the cell, hashed, leads along those base-16 digits to root_j.
        clause(Clause::C3, &mut || lead(cs, class, opening, &digits)?.enforce_equal(cs, &sample.root))?;
        samples.push(sample);
    }

    // C1: the binding, roots and indices hash to the statement. Last, so that it uses the very wires of C2 and C3.
    clause(Clause::C1, &mut || absorb(cs, class, &binding, &samples)?.enforce_equal(cs, &statement))
}

/// The node the cell leads to, at level D.
fn lead(
    cs: &ConstraintSystemRef<Fr>,
    class: ClassId,
    opening: Option<&Opening>,
    digits: &[Wire],
) -> Result<Wire> {
    let (digits, _) = digits.as_chunks::<4>();
    if opening.is_some_and(|o| o.path.len() != digits.len()) || digits.len() + 1 != usize::from(class.depth) {
        return Err(SynthesisError::AssignmentMissing);
    }
    let mut node = compress(cs, &sixteen(cs, opening.map(|o| &o.cell))?)?;
    for (level, digit) in digits.iter().enumerate() {
        let children = sixteen(cs, opening.and_then(|o| o.path.get(level)))?;
        enforce_selected(cs, &children, digit, &node)?;
        node = compress(cs, &children)?;
    }
    Ok(node)
}

fn sixteen(cs: &ConstraintSystemRef<Fr>, values: Option<&[Fr; WIDTH]>) -> Result<[Wire; WIDTH]> {
    let mut out = [Wire::constant(Fr::ZERO); WIDTH];
    for (i, wire) in out.iter_mut().enumerate() {
        *wire = Wire::witness(cs, values.map(|v| v[i]))?;
    }
    Ok(out)
}

/// The sponge of the statement: h = label, then h = C(h, next 15), zero-filled.
fn absorb(cs: &ConstraintSystemRef<Fr>, class: ClassId, binding: &Wire, samples: &[Sample]) -> Result<Wire> {
    let mut items =
        vec![Wire::constant(Fr::from(class.samples)), Wire::constant(Fr::from(class.depth)), *binding];
    items.extend(samples.iter().flat_map(|s| [s.root, s.index]));
    let mut h = Wire::constant(label());
    for next in items.chunks(WIDTH - 1) {
        let mut block = [Wire::constant(Fr::ZERO); WIDTH];
        block[0] = h;
        block[1..=next.len()].copy_from_slice(next);
        h = compress(cs, &block)?;
    }
    Ok(h)
}
