//! `C(x) = P(x)[0] + x[0]`, P = Poseidon2 of width 16, in 555 constraints: three for each of the 185 s-boxes.
//!
//! The input of every s-box is a linear combination of the 16 inputs and of the outputs of earlier s-boxes. Those
//! combinations are the same for every call, so they are computed once (`layout`) and then only renamed. The
//! longest has 74 terms (first full round after the partial ones).

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, Result, Variable};
use bailiwick_possession::poseidon2::{FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH, params};

use crate::Wire;

/// S-boxes of a permutation.
const SBOXES: usize = FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS;
/// Constraints of one [`compress`].
pub const CONSTRAINTS: usize = 3 * SBOXES;
/// Names inside one permutation: 16 inputs, then the output of each s-box.
const NAMES: usize = WIDTH + SBOXES;
/// M4 of the paper's section 5.1; the external layer is circ(2·M4, M4, M4, M4).
const M4: [[u64; 4]; 4] = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]];

fn external_entry(row: usize, column: usize) -> Fr {
    let double = u64::from(row / 4 == column / 4) + 1;
    Fr::from(M4[row % 4][column % 4] * double)
}

/// `Σ coefficient · name + constant` over the names of one permutation.
struct Affine {
    terms: Vec<(Fr, usize)>,
    constant: Fr,
}

/// The input of each s-box, in the order of rounds and lanes.
struct Layout {
    sbox_inputs: Vec<Affine>,
}

/// One lane of the symbolic state: coefficients by name, and a constant.
#[derive(Clone)]
struct Row([Fr; NAMES + 1]);

impl Row {
    fn zero() -> Self {
        Self([Fr::ZERO; NAMES + 1])
    }

    fn name(name: usize) -> Self {
        let mut row = Self::zero();
        row.0[name] = Fr::ONE;
        row
    }

    fn add_scaled(&mut self, scale: Fr, other: &Self) {
        for (x, y) in self.0.iter_mut().zip(&other.0) {
            *x += scale * y;
        }
    }

    fn affine(&self) -> Affine {
        let terms =
            self.0[..NAMES].iter().enumerate().filter(|(_, k)| !k.is_zero()).map(|(i, k)| (*k, i)).collect();
        Affine { terms, constant: self.0[NAMES] }
    }
}

/// Symbolic execution of the permutation.
struct Tracer {
    state: Vec<Row>,
    sbox_inputs: Vec<Affine>,
}

impl Tracer {
    fn sbox(&mut self, lane: usize, constant: Fr) {
        self.state[lane].0[NAMES] += constant;
        self.sbox_inputs.push(self.state[lane].affine());
        self.state[lane] = Row::name(WIDTH + self.sbox_inputs.len() - 1);
    }

    fn linear(&mut self, entry: impl Fn(usize, usize) -> Fr) {
        let rows = (0..WIDTH).map(|i| {
            let mut row = Row::zero();
            for (j, lane) in self.state.iter().enumerate() {
                row.add_scaled(entry(i, j), lane);
            }
            row
        });
        self.state = rows.collect();
    }
}

fn layout() -> &'static Layout {
    static LAYOUT: OnceLock<Layout> = OnceLock::new();
    LAYOUT.get_or_init(|| {
        let p = params();
        let mut t =
            Tracer { state: (0..WIDTH).map(Row::name).collect(), sbox_inputs: Vec::with_capacity(SBOXES) };
        let full = |t: &mut Tracer, constants: &[Fr; WIDTH]| {
            for (lane, constant) in constants.iter().enumerate() {
                t.sbox(lane, *constant);
            }
            t.linear(external_entry);
        };
        t.linear(external_entry);
        p.initial.iter().for_each(|constants| full(&mut t, constants));
        for constant in &p.partial {
            t.sbox(0, *constant);
            t.linear(|i, j| if i == j { Fr::ONE + p.diagonal[i] } else { Fr::ONE });
        }
        p.terminal.iter().for_each(|constants| full(&mut t, constants));
        Layout { sbox_inputs: t.sbox_inputs }
    })
}

/// The value entering each s-box, and the digest: the permutation run natively.
fn trace(inputs: &[Fr; WIDTH]) -> (Vec<Fr>, Fr) {
    let p = params();
    let mut state = *inputs;
    let mut seen = Vec::with_capacity(SBOXES);
    let mut sbox = |x: &mut Fr, constant: &Fr| {
        *x += constant;
        seen.push(*x);
        *x *= x.square().square();
    };
    external(&mut state);
    for constants in &p.initial {
        state.iter_mut().zip(constants).for_each(|(x, c)| sbox(x, c));
        external(&mut state);
    }
    for constant in &p.partial {
        sbox(&mut state[0], constant);
        let sum: Fr = state.iter().sum();
        state.iter_mut().zip(&p.diagonal).for_each(|(x, d)| *x = *x * d + sum);
    }
    for constants in &p.terminal {
        state.iter_mut().zip(constants).for_each(|(x, c)| sbox(x, c));
        external(&mut state);
    }
    (seen, state[0] + inputs[0])
}

/// The external layer with additions only: M4 has small entries.
fn external(state: &mut [Fr; WIDTH]) {
    for four in state.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (ab, cd) = (a + b, c + d);
        let (t2, t3) = (b.double() + cd, d.double() + ab);
        let (t4, t5) = (cd.double().double() + t3, ab.double().double() + t2);
        *four = [t3 + t5, t5, t2 + t4, t4];
    }
    let sums: [Fr; 4] = core::array::from_fn(|i| state[i] + state[i + 4] + state[i + 8] + state[i + 12]);
    for (i, x) in state.iter_mut().enumerate() {
        *x += sums[i % 4];
    }
}

/// One call: its 16 inputs and the s-box outputs so far.
struct Call<'c> {
    inputs: &'c [Wire; WIDTH],
    outputs: Vec<Variable>,
}

impl Call<'_> {
    /// Renames a combination of the layout; constant inputs are merged into its constant.
    fn lc(&self, affine: &Affine) -> LinearCombination<Fr> {
        let mut constant = affine.constant;
        let mut out = Vec::with_capacity(affine.terms.len() + 1);
        for (scale, name) in &affine.terms {
            match self.inputs.get(*name) {
                Some(wire) => match wire.as_constant() {
                    Some(value) => constant += *scale * value,
                    None => out.push(wire.term(*scale)),
                },
                None => out.push((*scale, self.outputs[name - WIDTH])),
            }
        }
        if !constant.is_zero() {
            out.push((constant, Variable::One));
        }
        LinearCombination(out)
    }

    /// x·x = y, y·y = z, z·x = fifth.
    fn enforce_fifth_power(
        &self,
        cs: &ConstraintSystemRef<Fr>,
        index: usize,
        x: Option<Fr>,
        fifth: impl FnOnce() -> LinearCombination<Fr>,
    ) -> Result<()> {
        let input = &layout().sbox_inputs[index];
        let square = Wire::witness(cs, x.map(|x| x.square()))?;
        let fourth = Wire::witness(cs, x.map(|x| x.square().square()))?;
        cs.enforce_r1cs_constraint(|| self.lc(input), || self.lc(input), || square.lc())?;
        cs.enforce_r1cs_constraint(|| square.lc(), || square.lc(), || fourth.lc())?;
        cs.enforce_r1cs_constraint(|| fourth.lc(), || self.lc(input), fifth)
    }
}

/// `C(inputs)` as one new variable: 555 constraints, 555 variables. Constant inputs cost nothing more.
///
/// Inputs must be pairwise distinct variables, or constants.
///
/// # Errors
/// What the constraint system reports.
pub fn compress(cs: &ConstraintSystemRef<Fr>, inputs: &[Wire; WIDTH]) -> Result<Wire> {
    let mut values = [Fr::ZERO; WIDTH];
    let mut known = true;
    for (slot, wire) in values.iter_mut().zip(inputs) {
        match wire.value() {
            Some(value) => *slot = value,
            None => known = false,
        }
    }
    let trace = known.then(|| trace(&values));
    let at = |index: usize| trace.as_ref().and_then(|(seen, _)| seen.get(index).copied());

    let mut call = Call { inputs, outputs: vec![Variable::Zero; SBOXES] };
    // The last round's lane 0 comes last: its output is expressed by the digest, which then is a single variable.
    let last = SBOXES - WIDTH;
    for index in (0..SBOXES).filter(|index| *index != last) {
        let x = at(index);
        let output = cs.new_witness_variable(|| {
            x.map(|x| x.square().square() * x).ok_or(ark_relations::gr1cs::SynthesisError::AssignmentMissing)
        })?;
        call.outputs[index] = output;
        call.enforce_fifth_power(cs, index, x, || LinearCombination::from(output))?;
    }
    let digest = Wire::witness(cs, trace.as_ref().map(|(_, digest)| *digest))?;
    call.enforce_fifth_power(cs, last, at(last), || call.last_output(&digest))?;
    Ok(digest)
}

impl Call<'_> {
    /// Solves `digest = x_0 + Σ_i M[0][i] · output_i` for output_0 of the last round; M[0][0] = 10.
    fn last_output(&self, digest: &Wire) -> LinearCombination<Fr> {
        let scale = external_entry(0, 0).inverse().unwrap_or_default();
        let mut lc = Wire::sum([(scale, *digest), (-scale, self.inputs[0])]);
        let others = self.outputs[SBOXES - WIDTH..].iter().enumerate().skip(1);
        lc.extend(others.map(|(i, output)| (-scale * external_entry(0, i), *output)));
        lc
    }
}
