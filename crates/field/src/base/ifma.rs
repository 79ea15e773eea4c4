//! The backend in integers of 52 bits, [`crate::ifma`], with `R = 2^256`: a coordinate is as Montgomery multiplication would have it. A
//! product's first three columns are folded, the fourth vanishes by Montgomery's multiple of 52 bits, the last by one of 48, after which
//! columns are moved up by the four bits that are left of a limb.
//!
//! Bounds, as multiples of `p`, by `s t / 5.29 + 1.001` for a product (sums of two products: `(s t + u v) / 5.29 + 1.001`), where `2^256 =
//! 5.29 p`; what folding leaves is divided by 2^48 at least and is in the last digit. All limbs but those of columns are below 2^52.
//!
//! | what | value |
//! |---|---|
//! | coordinate `x`, `y` | 1.001 |
//! | difference `a + 2 p - b` | 3.001 |
//! | product of differences and products | 2.32, the fixed point of `3.001 a / 5.29 + 1.001` |
//! | norm | 4.41 |
//! | product of norms and products | 6.03, the fixed point of `4.41 a / 5.29 + 1.001` |
//! | what `invert` gives | 1.001 |
//! | the way back: times differences or norms; times the products of the way there | 2.32, 6.03; 2.02, 7.88 |
//! | quotient `q` | 2.34 |
//! | `q^2 + 4 p - a - b`; `q d + 2 p - c` | 6.04; 4.33 |
//! | extension: `d` times the inverse | 5.48 |
//! | quotient, before it is reduced; after | 8.3; 1.001 |
//! | its square: `(q0 + q1)(q0 + 2 p - q1)`, `2 q0 q1`, with `4 p - a - b` | 6.14 |
//! | `q0 d0 + (2 p - q1) d1`, `q0 d1 + q1 d0`, with `2 p - c` | 4.71 |
//!
//! The last two of each are reduced to coordinates, which [`reduce`] does below `1024 p`; nothing else comes near the `84 p` that five limbs hold.
//! Columns of a sum of two products get at most 30 halves of a product of limbs and are below 2^57, 2^61 when they are moved, 2^62 doubled.

use std::sync::LazyLock;

use ark_bn254::Fq;
use ark_ff::{Zero as _, batch_inversion};

use super::portable::unpack;
use super::{Backend, Eight, Words};
use crate::ifma::{
    Avx512, Element, LIMB_BITS, Lanes64, Modulus, add, add_product, carry, fold, load, reduce, splat, step,
    store,
};
use crate::modulus::{LIMBS, WIDTH};

/// Integers of 52 bits, on lanes `I`.
#[derive(Clone, Copy, Debug)]
pub struct Integers<I> {
    isa: I,
    field: &'static Field,
}

/// The base field's constants.
#[derive(Debug)]
struct Field {
    modulus: Modulus,
    /// `2 p`, in limbs from which one that is carried can be subtracted.
    two: [u64; LIMBS],
    /// `4 p`, in limbs from which two can be.
    four: [u64; LIMBS],
}

static FIELD: LazyLock<Field> = LazyLock::new(|| {
    let modulus = Modulus::new::<Fq>();
    let (two, four) = (multiple(&modulus.p, 1), multiple(&modulus.p, 2));
    Field { modulus, two, four }
});

/// `2^bits p` in limbs of which each lends `2^bits` to the one below, all of which are `2^bits (2^52 - 1)` at least, but the last.
fn multiple(p: &[u64; LIMBS], bits: u32) -> [u64; LIMBS] {
    let lent = 1 << (bits - 1);
    let mut out = p.map(|l| l << bits);
    for j in 0..LIMBS - 1 {
        out[j] += lent << LIMB_BITS;
        out[j + 1] -= lent;
    }
    out
}

impl Integers<Avx512> {
    /// If the processor has AVX-512 IFMA, and computes as it should.
    #[must_use]
    pub fn detect() -> Option<Self> {
        Avx512::detect().map(Self::on)
    }
}

impl<I: Lanes64> Integers<I> {
    /// On these lanes.
    #[must_use]
    pub fn on(isa: I) -> Self {
        Self { isa, field: &FIELD }
    }
}

/// Columns of the sum of products, times `2^-256`.
#[inline(always)]
fn products<I: Lanes64, const N: usize>(
    isa: I,
    of: [(&Element<I>, &Element<I>); N],
    modulus: &Modulus,
) -> Element<I> {
    const LAST: u32 = 48;
    let mut t = [isa.splat(0); LIMBS + 1];
    for i in 0..3 {
        for (a, b) in of {
            add_product(isa, &mut t, a[i], b);
        }
        fold(isa, &mut t, modulus);
    }
    for (a, b) in of {
        add_product(isa, &mut t, a[3], b);
    }
    let [t0, t1, t2, t3, t4] = step(isa, &mut t, modulus);
    let mut t = [t0, t1, t2, t3, t4, isa.splat(0)];
    for (a, b) in of {
        add_product(isa, &mut t, a[4], b);
    }
    let m = isa.multiply_add_low(isa.splat(0), t[0], isa.splat(modulus.inverse));
    let m = isa.and(m, isa.splat((1 << LAST) - 1));
    add_product(isa, &mut t, m, &splat(isa, &modulus.p));
    let [t0, t1, t2, t3, t4, t5] = t;
    let up = |x| isa.shift_left::<{ LIMB_BITS - LAST }>(x);
    [isa.add(up(t1), isa.shift_right::<LAST>(t0)), up(t2), up(t3), up(t4), up(t5)]
}

/// `k - x`, limb by limb.
#[inline(always)]
fn less<I: Lanes64>(isa: I, k: &Element<I>, x: &Element<I>) -> Element<I> {
    core::array::from_fn(|j| isa.sub(k[j], x[j]))
}

impl Field {
    /// `a b`, carried.
    #[inline(always)]
    fn mul<I: Lanes64>(&self, isa: I, a: &Element<I>, b: &Element<I>) -> Element<I> {
        carry(isa, &products(isa, [(a, b)], &self.modulus))
    }

    /// `2 p - x`, carried.
    #[inline(always)]
    fn minus<I: Lanes64>(&self, isa: I, x: &Element<I>) -> Element<I> {
        carry(isa, &less(isa, &splat(isa, &self.two), x))
    }

    /// `m - a` of columns, a coordinate.
    #[inline(always)]
    fn take<I: Lanes64>(&self, isa: I, m: &Element<I>, a: &Element<I>) -> Element<I> {
        reduce(isa, &add(isa, m, &less(isa, &splat(isa, &self.two), a)), &self.modulus)
    }

    /// `m - a - b` of columns, a coordinate.
    #[inline(always)]
    fn take_two<I: Lanes64>(&self, isa: I, m: &Element<I>, a: &Element<I>, b: &Element<I>) -> Element<I> {
        let rest = less(isa, &less(isa, &splat(isa, &self.four), a), b);
        reduce(isa, &add(isa, m, &rest), &self.modulus)
    }
}

/// Runs code over lanes, where the compiler may use the instructions for them.
macro_rules! run {
    ($self:ident, |$isa:ident, $field:ident, $args:tt| $code:expr) => {{
        let $field = $self.field;
        $self.isa.run(
            #[inline(always)]
            |$isa, $args| $code,
            $args,
        )
    }};
}

impl<I: Lanes64> Backend for Integers<I> {
    type Lanes = Element<I>;

    fn zero(self) -> Element<I> {
        self.isa.run(|isa: I, ()| [isa.splat(0); LIMBS], ())
    }

    fn load(self, from: Eight<'_>) -> Element<I> {
        run!(self, |isa, _f, from| load(isa, from))
    }

    fn store(self, x: &Element<I>) -> [Words; WIDTH] {
        run!(self, |isa, _f, x| store(isa, x))
    }

    fn replace(self, lanes: &mut Element<I>, lane: usize, with: &Words) {
        let limbs = crate::ifma::limbs(*with);
        for (row, limb) in lanes.iter_mut().zip(limbs) {
            let mut numbers = self.isa.run(|isa: I, row| isa.store(row), *row);
            numbers[lane] = limb;
            *row = self.isa.run(|isa: I, numbers| isa.load(numbers), &numbers);
        }
    }

    fn sub(self, a: &Element<I>, b: &Element<I>) -> Element<I> {
        run!(self, |isa, f, (a, b)| carry(isa, &add(isa, a, &less(isa, &splat(isa, &f.two), b))))
    }

    fn mul(self, a: &Element<I>, b: &Element<I>) -> Element<I> {
        run!(self, |isa, f, (a, b)| f.mul(isa, a, b))
    }

    fn invert(self, a: &Element<I>) -> Option<Element<I>> {
        let words = run!(self, |isa, f, a| store(isa, &reduce(isa, a, &f.modulus)));
        let mut inverses = words.each_ref().map(unpack);
        if inverses.iter().any(Fq::is_zero) {
            return None;
        }
        batch_inversion(&mut inverses);
        Some(self.load(inverses.each_ref().map(|x| &x.0.0)))
    }

    fn square_minus(self, q: &Element<I>, a: &Element<I>, b: &Element<I>) -> Element<I> {
        run!(self, |isa, f, (q, a, b)| f.take_two(isa, &products(isa, [(q, q)], &f.modulus), a, b))
    }

    fn mul_minus(self, q: &Element<I>, d: &Element<I>, c: &Element<I>) -> Element<I> {
        run!(self, |isa, f, (q, d, c)| f.take(isa, &products(isa, [(q, d)], &f.modulus), c))
    }

    fn norm(self, d: &[Element<I>; 2]) -> Element<I> {
        run!(self, |isa, f, d| carry(isa, &products(isa, [(&d[0], &d[0]), (&d[1], &d[1])], &f.modulus)))
    }

    fn divide2(self, n: &[Element<I>; 2], d: &[Element<I>; 2], inverse: &Element<I>) -> [Element<I>; 2] {
        run!(self, |isa, f, (n, d, inverse)| {
            // d's conjugate is e0 - e1 u.
            let (e0, e1) = (f.mul(isa, &d[0], inverse), f.mul(isa, &d[1], inverse));
            let minus_n0 = carry(isa, &less(isa, &splat(isa, &f.four), &n[0]));
            let q0 = products(isa, [(&n[0], &e0), (&n[1], &e1)], &f.modulus);
            let q1 = products(isa, [(&n[1], &e0), (&minus_n0, &e1)], &f.modulus);
            [reduce(isa, &q0, &f.modulus), reduce(isa, &q1, &f.modulus)]
        })
    }

    fn square_minus2(self, q: &[Element<I>; 2], a: &[Element<I>; 2], b: &[Element<I>; 2]) -> [Element<I>; 2] {
        run!(self, |isa, f, (q, a, b)| {
            let sum = carry(isa, &add(isa, &q[0], &q[1]));
            let difference = carry(isa, &add(isa, &q[0], &less(isa, &splat(isa, &f.two), &q[1])));
            let first = products(isa, [(&sum, &difference)], &f.modulus);
            let half = products(isa, [(&q[0], &q[1])], &f.modulus);
            let second = add(isa, &half, &half);
            [f.take_two(isa, &first, &a[0], &b[0]), f.take_two(isa, &second, &a[1], &b[1])]
        })
    }

    fn mul_minus2(self, q: &[Element<I>; 2], d: &[Element<I>; 2], c: &[Element<I>; 2]) -> [Element<I>; 2] {
        run!(self, |isa, f, (q, d, c)| {
            let minus_q1 = f.minus(isa, &q[1]);
            let first = products(isa, [(&q[0], &d[0]), (&minus_q1, &d[1])], &f.modulus);
            let second = products(isa, [(&q[0], &d[1]), (&q[1], &d[0])], &f.modulus);
            [f.take(isa, &first, &c[0]), f.take(isa, &second, &c[1])]
        })
    }
}
