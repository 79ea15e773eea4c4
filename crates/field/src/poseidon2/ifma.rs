//! The kernel over lanes of 64 bits, [`crate::ifma`].
//!
//! Bounds, as multiples of `p` (2^260 = 84.65 p), by that module's `s t / 84.65 + 1.13`, 6 for a product with a constant and 1.001 after a reduction:
//!
//! | step | given | gives |
//! |---|---|---|
//! | input | a constant's product | 6 |
//! | external layer | 6 at first, then 1.3, rows sum to 80 | columns of 480, reduced to 1.001 |
//! | full round | 1.001 and a constant of 1 | square 1.18, fourth 1.15, fifth 1.16 |
//! | partial round, element 0 | 7.01 and a constant of 1 | square 1.89, fourth 1.18, fifth 1.25 |
//! | partial round, sum | 15 · 7.01 + 1.25 = 106.4 | reduced to 1.001 |
//! | partial round, all | a constant's product and the sum | 7.01 |
//! | full round after the partial ones | 7.01 and a constant of 1 | fifth 1.25 |
//! | output | 1.001 and the input's 6 | reduced to 1.001 |

use ark_bn254::Fr;
use ark_ff::{BigInt, Field as _, PrimeField as _};

use super::{Constants, Form, STATE};
use crate::ifma::{
    Element, Factor, Lanes64, Modulus, add, carry, limbs, load, multiply, multiply_by, reduce, store,
};
use crate::modulus::{LIMBS, WIDTH, power_of_two};

/// A constant that is added, as limbs.
type Constant = [u64; LIMBS];
type State<I> = [Element<I>; STATE];
/// Eight states as they come in, element by element.
type Input = [[[u64; 4]; WIDTH]; STATE];

/// The permutation's constants, and the lanes it runs on.
#[derive(Debug)]
pub(super) struct Kernel<I> {
    isa: I,
    modulus: Modulus,
    initial: Vec<[Constant; STATE]>,
    partial: Vec<Constant>,
    terminal: Vec<[Constant; STATE]>,
    diagonal: Vec<Factor>,
    /// From an integer, and from arkworks' form.
    entry: [Factor; 2],
    /// From this module's form: `2^-260`.
    exit: Fr,
}

impl<I: Lanes64> Kernel<I> {
    pub(super) fn new(isa: I, c: &Constants<'_>) -> Option<Self> {
        let r = power_of_two::<Fr>(260);
        let constant = |x: &Fr| limbs((*x * r).into_bigint().0);
        let rows = |rows: &[[Fr; STATE]]| rows.iter().map(|row| row.each_ref().map(constant)).collect();
        Some(Self {
            isa,
            modulus: Modulus::new::<Fr>(),
            initial: rows(c.initial),
            partial: c.partial.iter().map(constant).collect(),
            terminal: rows(c.terminal),
            diagonal: c.diagonal.iter().map(|d| Factor::new(*d)).collect(),
            entry: [Factor::new(r), Factor::new(r * power_of_two::<Fr>(256).inverse()?)],
            exit: r.inverse()?,
        })
    }

    pub(super) fn compress(&self, form: Form, mut word: impl FnMut(usize, usize) -> [u64; 4]) -> [Fr; WIDTH] {
        let input: Input = core::array::from_fn(|k| core::array::from_fn(|i| word(i, k)));
        let entry = &self.entry[usize::from(form == Form::Montgomery)];
        let out = self.isa.run(
            #[inline(always)]
            |isa, input: &Input| compress(isa, self, entry, input),
            &input,
        );
        // Below 1.001 p: the few that are not below p wrap in the field.
        out.map(|x| Fr::from_bigint(BigInt::new(x)).unwrap_or_else(|| wrapped(x)) * self.exit)
    }

    /// Whether both compress eight states alike, in both forms.
    pub(super) fn agrees_with<J: Lanes64>(&self, other: &Kernel<J>) -> bool {
        // Edges in half of the lanes, powers of 3 in the others.
        let edges = [Fr::from(0u64), -Fr::from(1u64), Fr::from(u64::MAX), Fr::from(1u64)];
        let word = |i: usize, k: usize| {
            let x = if i < 4 { edges[(i + k) % 4] } else { Fr::from(3u64).pow([(160 + 16 * i + k) as u64]) };
            x.into_bigint().0
        };
        [Form::Integer, Form::Montgomery].iter().all(|f| self.compress(*f, word) == other.compress(*f, word))
    }
}

/// `x mod p` of an integer between `p` and `2 p`.
fn wrapped(x: [u64; 4]) -> Fr {
    let p = Fr::MODULUS.0;
    let (a, borrow) = x[0].overflowing_sub(p[0]);
    let (b, borrow) = x[1].borrowing_sub(p[1], borrow);
    let (c, borrow) = x[2].borrowing_sub(p[2], borrow);
    let (d, _) = x[3].borrowing_sub(p[3], borrow);
    Fr::from_bigint(BigInt::new([a, b, c, d])).unwrap_or_default()
}

#[inline(always)]
fn compress<I: Lanes64>(isa: I, k: &Kernel<I>, entry: &Factor, input: &Input) -> [[u64; 4]; WIDTH] {
    let zero = [isa.splat(0); LIMBS];
    let mut state: State<I> = [zero; STATE];
    for (x, words) in state.iter_mut().zip(input) {
        *x = multiply_by(isa, entry, &load(isa, words.each_ref()), &zero, &k.modulus);
    }
    let first = state[0];
    external(isa, &mut state, &k.modulus);
    for rc in &k.initial {
        full_round(isa, &mut state, rc, &k.modulus);
    }
    for rc in &k.partial {
        partial_round(isa, &mut state, rc, k);
    }
    for rc in &k.terminal {
        full_round(isa, &mut state, rc, &k.modulus);
    }
    store(isa, &reduce(isa, &add(isa, &state[0], &first), &k.modulus))
}

#[inline(always)]
fn full_round<I: Lanes64>(isa: I, state: &mut State<I>, rc: &[Constant; STATE], modulus: &Modulus) {
    for (x, c) in state.iter_mut().zip(rc) {
        *x = fifth_power(isa, x, c, modulus);
    }
    external(isa, state, modulus);
}

#[inline(always)]
fn partial_round<I: Lanes64>(isa: I, state: &mut State<I>, rc: &Constant, k: &Kernel<I>) {
    state[0] = fifth_power(isa, &state[0], rc, &k.modulus);
    let mut sum = state[0];
    for x in &state[1..] {
        sum = add(isa, &sum, x);
    }
    let sum = reduce(isa, &sum, &k.modulus);
    for (x, d) in state.iter_mut().zip(&k.diagonal) {
        *x = multiply_by(isa, d, x, &sum, &k.modulus);
    }
}

/// `(x + c)^5`.
#[inline(always)]
fn fifth_power<I: Lanes64>(isa: I, x: &Element<I>, c: &Constant, modulus: &Modulus) -> Element<I> {
    let x = carry(isa, &add(isa, x, &c.map(|l| isa.splat(l))));
    let square = multiply(isa, &x, &x, modulus);
    let fourth = multiply(isa, &square, &square, modulus);
    multiply(isa, &fourth, &x, modulus)
}

/// circ(2·M4, M4, M4, M4).
#[inline(always)]
fn external<I: Lanes64>(isa: I, state: &mut State<I>, modulus: &Modulus) {
    for quarter in state.as_chunks_mut::<4>().0 {
        *quarter = times_m4(isa, quarter);
    }
    for l in 0..4 {
        let mut sum = state[l];
        for x in state.iter().skip(l + 4).step_by(4) {
            sum = add(isa, &sum, x);
        }
        for x in state.iter_mut().skip(l).step_by(4) {
            *x = reduce(isa, &add(isa, x, &sum), modulus);
        }
    }
}

/// The paper's addition chain for M4 (appendix B), limb by limb.
#[inline(always)]
fn times_m4<I: Lanes64>(isa: I, [a, b, c, d]: &[Element<I>; 4]) -> [Element<I>; 4] {
    let (ab, cd) = (add(isa, a, b), add(isa, c, d));
    let (t2, t3) = (add(isa, &shift::<I, 1>(isa, b), &cd), add(isa, &shift::<I, 1>(isa, d), &ab));
    let (t4, t5) = (add(isa, &shift::<I, 2>(isa, &cd), &t3), add(isa, &shift::<I, 2>(isa, &ab), &t2));
    [add(isa, &t3, &t5), t5, add(isa, &t2, &t4), t4]
}

#[inline(always)]
fn shift<I: Lanes64, const BITS: u32>(isa: I, x: &Element<I>) -> Element<I> {
    x.map(|l| isa.shift_left::<BITS>(l))
}
