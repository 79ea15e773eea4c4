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

/// What the constraints of a clause are made of. Levels count from the cells: 0 chooses among cell hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// C2: each digit bit is 0 or 1.
    Booleans,
    /// C2: the bits' value is the index.
    IndexValue,
    /// C3: the cell, hashed.
    CellHash,
    /// C3: of 16 children the one the digit names is the node below.
    Selection {
        /// Which level.
        level: usize,
    },
    /// C3: 16 children, hashed.
    NodeHash {
        /// Which level.
        level: usize,
    },
    /// C3: the topmost hash is the root.
    RootEqual,
    /// C1: binding, roots and indices, hashed.
    StatementHash,
    /// C1: that hash is the public input.
    StatementEqual,
}

impl Group {
    /// The clause it belongs to.
    #[must_use]
    pub const fn clause(self) -> Clause {
        match self {
            Self::Booleans | Self::IndexValue => Clause::C2,
            Self::CellHash | Self::Selection { .. } | Self::NodeHash { .. } | Self::RootEqual => Clause::C3,
            Self::StatementHash | Self::StatementEqual => Clause::C1,
        }
    }
}

/// One group of one sample: where its constraints are, and the columns of the variables made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRange {
    /// Which group.
    pub group: Group,
    /// Its constraints.
    pub constraints: Range<usize>,
    /// Its own private variables.
    pub variables: Range<usize>,
}

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
    /// Errors with `AssignmentMissing` when the witness does not have S openings of D−1 levels, and with `Unsatisfiable`
    /// when D = 0.
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        constrain(&mut Recorder { cs: &cs, record: &mut |_| () }, &self)
    }
}

/// The matrices of a class, and which constraints belong to which clause.
///
/// # Errors
/// What synthesis reports.
pub fn matrices_by_clause(
    class: ClassId,
) -> core::result::Result<(Matrices, Vec<ClauseRange>), MatricesError> {
    let (matrices, groups) = matrices_by_group(class)?;
    let mut ranges: Vec<ClauseRange> = Vec::new();
    for GroupRange { group, constraints, .. } in groups {
        match ranges.last_mut() {
            Some((clause, range)) if *clause == group.clause() => range.end = constraints.end,
            _ => ranges.push((group.clause(), constraints)),
        }
    }
    Ok((matrices, ranges))
}

/// The matrices of a class, and which constraints belong to which group.
///
/// # Errors
/// What synthesis reports.
pub fn matrices_by_group(class: ClassId) -> core::result::Result<(Matrices, Vec<GroupRange>), MatricesError> {
    struct Recording<'r>(ClassId, &'r mut Vec<GroupRange>);
    impl ConstraintSynthesizer<Fr> for Recording<'_> {
        fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
            let mut record = |range| self.1.push(range);
            constrain(&mut Recorder { cs: &cs, record: &mut record }, &PossessionCircuit::shape(self.0))
        }
    }
    let mut groups = Vec::new();
    let matrices = Matrices::synthesize(Recording(class, &mut groups))?;
    Ok((matrices, groups))
}

/// The constraint system, and who is told which constraints a group became.
struct Recorder<'c> {
    cs: &'c ConstraintSystemRef<Fr>,
    record: &'c mut dyn FnMut(GroupRange),
}

impl Recorder<'_> {
    fn group<T>(
        &mut self,
        group: Group,
        body: impl FnOnce(&ConstraintSystemRef<Fr>) -> Result<T>,
    ) -> Result<T> {
        let columns = || self.cs.num_instance_variables() + self.cs.num_witness_variables();
        let (row, column) = (self.cs.num_constraints(), columns());
        let out = body(self.cs)?;
        let (constraints, variables) = (row..self.cs.num_constraints(), column..columns());
        (self.record)(GroupRange { group, constraints, variables });
        Ok(out)
    }
}

/// The private variables of one sample.
struct Sample {
    root: Wire,
    index: Wire,
}

fn constrain(recorder: &mut Recorder<'_>, circuit: &PossessionCircuit<'_>) -> Result<()> {
    let (cs, class) = (recorder.cs, circuit.class);
    let levels = class.depth.checked_sub(1).ok_or(SynthesisError::Unsatisfiable)?;
    if circuit.values.is_some_and(|(_, w)| w.openings.len() != usize::from(class.samples)) {
        return Err(SynthesisError::AssignmentMissing);
    }

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
        let count = 4 * u32::from(levels);
        let digits = recorder.group(Group::Booleans, |cs| boolean_digits(cs, index, count))?;
        recorder.group(Group::IndexValue, |cs| enforce_value_of_bits(cs, &sample.index, &digits))?;

        // C3: the cell, hashed, leads along those base-16 digits to root_j.
        let top = lead(recorder, class, opening, &digits)?;
        recorder.group(Group::RootEqual, |cs| top.enforce_equal(cs, &sample.root))?;
        samples.push(sample);
    }

    // C1: the binding, roots and indices hash to the statement. Last, so that it uses the very wires of C2 and C3.
    let hash = recorder.group(Group::StatementHash, |cs| absorb(cs, class, &binding, &samples))?;
    recorder.group(Group::StatementEqual, |cs| hash.enforce_equal(cs, &statement))
}

/// The node the cell leads to, at level D.
fn lead(
    recorder: &mut Recorder<'_>,
    class: ClassId,
    opening: Option<&Opening>,
    digits: &[Wire],
) -> Result<Wire> {
    let (digits, _) = digits.as_chunks::<4>();
    if opening.is_some_and(|o| o.path.len() != digits.len()) || digits.len() + 1 != usize::from(class.depth) {
        return Err(SynthesisError::AssignmentMissing);
    }
    let cs = recorder.cs;
    let cell = sixteen(cs, opening.map(|o| &o.cell))?;
    let mut node = recorder.group(Group::CellHash, |cs| compress(cs, &cell))?;
    for (level, digit) in digits.iter().enumerate() {
        let children = sixteen(cs, opening.and_then(|o| o.path.get(level)))?;
        recorder.group(Group::Selection { level }, |cs| enforce_selected(cs, &children, digit, &node))?;
        node = recorder.group(Group::NodeHash { level }, |cs| compress(cs, &children))?;
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
