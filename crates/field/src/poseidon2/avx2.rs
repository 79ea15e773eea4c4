//! The kernel for AVX2 and FMA. Loops over eight lanes become vector instructions because of the features.
//!
//! Bounds, as multiples of `p`, by [`crate::product`]'s `s t / 2.64 + 0.5` and [`crate::avx2::factor`]'s 0.5 for two steps and
//! `1.5 + 0.19 s` for one:
//!
//! | step | given | gives |
//! |---|---|---|
//! | input | 1 times a constant, two steps | 0.5 |
//! | external layer | 0.8, rows sum to 80 | columns of 64, reduced to 0.5 |
//! | full round | 0.5 and a constant of 0.5 | square 0.88, fourth 0.8, fifth 0.8 |
//! | partial round, element 0 | 1 and a constant of 0.5 | square 1.36, fourth 1.2, fifth 1.18 |
//! | partial round, sum | 15 · 2.47 + 1.18 = 38.3 | reduced to 0.5 |
//! | partial round, element 0 | 1.18 times a constant, two steps, and the sum | 1 |
//! | partial round, others | 2.47 times a constant, one step, and the sum | 2.47 |
//! | after the partial rounds | 2.47 | reduced to 0.5 |
//!
//! Limbs: those of a product are at most 2^50 (the last: 2.47 p is 2^50.9 of its units), with a constant 2^51: the square's are 2^102.

use ark_bn254::Fr;
use ark_ff::Field as _;

use super::{Constants, Form, STATE};
use crate::avx2::factor::{Factor, multiply_once, multiply_twice};
use crate::avx2::{Avx2, multiply_add};
use crate::lanes::{Columns, Lanes};
use crate::modulus::{LIMBS, MAGIC, SCALAR, WIDTH, centred, power_of_two, unsigned};

type State = [Lanes; STATE];
/// A constant that is added, as limbs.
type Constant = [f64; LIMBS];

/// The permutation's constants, for eight at once, and the proof that the processor can.
#[derive(Debug)]
pub(super) struct Kernel {
    avx2: Avx2,
    initial: Vec<[Constant; STATE]>,
    partial: Vec<Constant>,
    terminal: Vec<[Constant; STATE]>,
    /// The internal layer's for element 0: two steps.
    first: Factor,
    /// The internal layer's for the others: one step.
    others: Vec<Factor>,
    /// From an integer, and from arkworks' form: two steps.
    entry: [Factor; 2],
    /// From this module's form: `2^-255`.
    exit: Fr,
}

impl Kernel {
    pub(super) fn new(c: &Constants<'_>) -> Option<Self> {
        let avx2 = Avx2::detect()?;
        let r = power_of_two::<Fr>(255);
        let constant = |x: &Fr| -> Constant { Lanes::splat(&centred(*x * r)).0.map(|row| row[0]) };
        let rows = |rows: &[[Fr; STATE]]| rows.iter().map(|row| row.each_ref().map(constant)).collect();
        Some(Self {
            avx2,
            initial: rows(c.initial),
            partial: c.partial.iter().map(constant).collect(),
            terminal: rows(c.terminal),
            first: Factor::new(c.diagonal[0], 2),
            others: c.diagonal[1..].iter().map(|d| Factor::new(*d, 1)).collect(),
            entry: [Factor::new(r, 2), Factor::new(r * power_of_two::<Fr>(256).inverse()?, 2)],
            exit: r.inverse()?,
        })
    }

    #[expect(unsafe_code, reason = "a call of code for processors that have been asked")]
    pub(super) fn compress(&self, form: Form, mut word: impl FnMut(usize, usize) -> [u64; 4]) -> [Fr; WIDTH] {
        let mut state: State = [Lanes::ZERO; STATE];
        for (k, x) in state.iter_mut().enumerate() {
            *x = Lanes::from_limbs(&core::array::from_fn(|i| unsigned(word(i, k))));
        }
        let entry = &self.entry[usize::from(form == Form::Montgomery)];
        let Avx2 { .. } = self.avx2;
        // SAFETY: a value of type `Avx2` exists only where the processor has both features.
        let out = unsafe { compress(self, entry, &mut state) };
        core::array::from_fn(|i| out.element::<Fr>(i) * self.exit)
    }
}

#[target_feature(enable = "avx2,fma")]
fn compress(p: &Kernel, entry: &Factor, state: &mut State) -> Lanes {
    for x in &mut *state {
        *x = multiply_twice(entry, x, None, &SCALAR);
    }
    let first = columns(&state[0]);
    external(state);
    for rc in &p.initial {
        full_round(state, rc);
    }
    for rc in &p.partial {
        partial_round(state, rc, p);
    }
    for x in &mut state[1..] {
        *x = limbs(&reduce(columns(x)));
    }
    for rc in &p.terminal {
        full_round(state, rc);
    }
    let mut sum = columns(&state[0]);
    add(&mut sum, &first);
    limbs(&reduce(sum))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn full_round(state: &mut State, rc: &[Constant; STATE]) {
    for (x, c) in state.iter_mut().zip(rc) {
        *x = fifth_power(x, c);
    }
    external(state);
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn partial_round(state: &mut State, rc: &Constant, p: &Kernel) {
    state[0] = fifth_power(&state[0], rc);
    let mut sum = columns(&state[0]);
    for x in &state[1..] {
        add(&mut sum, &columns(x));
    }
    let sum = reduce(sum);
    state[0] = multiply_twice(&p.first, &state[0], Some(&sum), &SCALAR);
    for (x, d) in state[1..].iter_mut().zip(&p.others) {
        *x = multiply_once(d, x, &sum, &SCALAR);
    }
}

/// `(x + c)^5`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn fifth_power(x: &Lanes, c: &Constant) -> Lanes {
    let mut x = *x;
    for (row, c) in x.0.iter_mut().zip(c) {
        for l in row {
            *l += c;
        }
    }
    let square = multiply_add(&x, &x, None, &SCALAR);
    let fourth = multiply_add(&square, &square, None, &SCALAR);
    multiply_add(&fourth, &x, None, &SCALAR)
}

/// circ(2·M4, M4, M4, M4).
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn external(state: &mut State) {
    let mut wide = [[[0; WIDTH]; LIMBS]; STATE];
    for (out, q) in wide.as_chunks_mut::<4>().0.iter_mut().zip(state.as_chunks::<4>().0) {
        *out = times_m4(q);
    }
    for l in 0..4 {
        let mut sum = wide[l];
        for w in wide.iter().skip(l + 4).step_by(4) {
            add(&mut sum, w);
        }
        for (x, w) in state.iter_mut().zip(&mut wide).skip(l).step_by(4) {
            add(w, &sum);
            *x = limbs(&reduce(*w));
        }
    }
}

/// The paper's addition chain for M4 (appendix B).
#[inline]
#[target_feature(enable = "avx2,fma")]
fn times_m4([a, b, c, d]: &[Lanes; 4]) -> [Columns; 4] {
    let (a, b, c, d) = (columns(a), columns(b), columns(c), columns(d));
    let (ab, cd) = (sum(&a, 1, &b), sum(&c, 1, &d));
    let (t2, t3) = (sum(&b, 2, &cd), sum(&d, 2, &ab));
    let (t4, t5) = (sum(&cd, 4, &t3), sum(&ab, 4, &t2));
    [sum(&t3, 1, &t5), t5, sum(&t2, 1, &t4), t4]
}

/// `scale x + y`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum(x: &Columns, scale: i64, y: &Columns) -> Columns {
    let mut out = *y;
    for (out, x) in out.iter_mut().zip(x) {
        for (out, x) in out.iter_mut().zip(x) {
            *out += scale * x;
        }
    }
    out
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn add(x: &mut Columns, y: &Columns) {
    *x = sum(y, 1, x);
}

/// Limbs of at most 2^51, as integers.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn columns(x: &Lanes) -> Columns {
    let mut out = [[0; WIDTH]; LIMBS];
    for (out, x) in out.iter_mut().zip(&x.0) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = integer(*x);
        }
    }
    out
}

/// An integer of at most 2^51 in magnitude.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn integer(x: f64) -> i64 {
    (x + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()).cast_signed()
}

/// Less the nearest multiple of the modulus: at most 0.5 p + 2^-40 p is left. Columns are below 2^58; the last alone tells the quotient, to
/// within 2^-42.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn reduce(mut x: Columns) -> Columns {
    let mut quotient = [0; WIDTH];
    for (q, top) in quotient.iter_mut().zip(&x[LIMBS - 1]) {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let estimate = *top as f64 * SCALAR.reciprocal;
        *q = integer(estimate);
    }
    for (x, p) in x.iter_mut().zip(&SCALAR.limbs) {
        for (x, q) in x.iter_mut().zip(&quotient) {
            *x -= q * p;
        }
    }
    x
}

/// Carried, balanced.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn limbs(x: &Columns) -> Lanes {
    const HALF: i64 = crate::modulus::HALF;
    const MASK: i64 = crate::modulus::MASK;
    let mut out = Lanes::ZERO;
    let mut carry = [0; WIDTH];
    for (j, (out, x)) in out.0.iter_mut().zip(x).enumerate() {
        for ((out, x), carry) in out.iter_mut().zip(x).zip(&mut carry) {
            let x = x + *carry;
            let low = if j + 1 < LIMBS { ((x + HALF) & MASK) - HALF } else { x };
            *carry = (x - low) >> crate::modulus::LIMB_BITS;
            *out = double(low);
        }
    }
    out
}

/// An integer of at most 2^51 in magnitude, as a double.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn double(x: i64) -> f64 {
    f64::from_bits(MAGIC.to_bits().wrapping_add_signed(x)) - MAGIC
}

#[cfg(test)]
mod tests;
