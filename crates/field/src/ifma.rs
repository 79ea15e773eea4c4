//! Eight elements as integers of 52 bits: what AVX-512 IFMA multiplies.
//!
//! An element is five unsigned limbs of 52 bits, `R = 2^260 = 84.64 p`. Values stay below bounds, never canonical. The algorithm is written once, over
//! the few operations of [`Lanes64`], of which there are two implementations: [`Avx512`], intrinsics one to one, and [`Emulated`], plain integers
//! on any processor.
//!
//! **What has run.** The algorithm is tested on emulated lanes everywhere, and the intrinsics on processors that have them (an Intel Xeon
//! with AVX-512 IFMA; docs/adr/0012). Most machines that test this have none, so [`Avx512::detect`] compares every operation, and a few
//! hundred products at edges and at random, with the emulation before it says that the processor can, and the permutation compares itself
//! once more; where anything differs AVX2 is used.
//!
//! Products are scanned by operand. Column 0 vanishes in one of two ways: by Montgomery's multiple of the modulus, or folded, `t0 / 2^52 = t0 (2^-52 mod
//! p)`, which needs no product to find the multiple, but leaves as much as `c p` in the column above where `c = (2^-52 mod p) / p` is below 0.13 in both
//! fields. The last step is Montgomery's. The result is below `(s t / 84.65 + 1 + c) p` for factors below `s p` and `t p`: below 2 p for factors below
//! 8 p.

#[cfg(any(test, all(target_arch = "x86_64", not(feature = "portable"))))]
mod check;
mod emulated;
mod hardware;

use ark_ff::{BigInt, PrimeField};

pub use emulated::Emulated;
pub use hardware::Avx512;

use crate::modulus::{LIMBS, WIDTH};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 52;
const MASK: u64 = (1 << LIMB_BITS) - 1;

/// Eight lanes of 64 bits, and what is done with them. A value of the type shows that the processor can.
pub trait Lanes64: Copy + Send + Sync + core::fmt::Debug + 'static {
    /// Eight lanes.
    type V: Copy + Send + Sync + core::fmt::Debug;

    /// One number in all lanes.
    fn splat(self, x: u64) -> Self::V;
    /// Eight numbers.
    fn load(self, x: &[u64; WIDTH]) -> Self::V;
    /// The eight numbers.
    fn store(self, x: Self::V) -> [u64; WIDTH];
    /// Word `k` of eight integers, for each `k`.
    fn gather(self, from: [&[u64; 4]; WIDTH]) -> [Self::V; 4];
    /// Eight integers of their words: [`gather`](Self::gather) undone.
    fn scatter(self, words: [Self::V; 4]) -> [[u64; 4]; WIDTH];
    /// `acc` plus the low 52 bits of the product of the low 52 bits of `a` and of `b`.
    fn multiply_add_low(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// `acc` plus the high 52 bits of that product.
    fn multiply_add_high(self, acc: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// Sums modulo 2^64.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// Differences modulo 2^64.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// Bit by bit.
    fn and(self, a: Self::V, b: Self::V) -> Self::V;
    /// Towards the low end.
    fn shift_right<const BITS: u32>(self, a: Self::V) -> Self::V;
    /// Towards the high end.
    fn shift_left<const BITS: u32>(self, a: Self::V) -> Self::V;

    /// `f(x)` in a function for which the compiler may use all of the processor's instructions that `self` shows.
    fn run<T, U, F: Fn(Self, T) -> U>(self, f: F, x: T) -> U;
}

/// Eight elements, limb by limb. *Carried*: all limbs below 2^52.
pub type Element<I> = [<I as Lanes64>::V; LIMBS];

/// What multiplication in a field needs.
#[derive(Debug)]
pub struct Modulus {
    /// The modulus.
    pub(crate) p: [u64; LIMBS],
    /// `-p^-1 mod 2^52`.
    pub(crate) inverse: u64,
    /// `2^-52 mod p`.
    fold: [u64; LIMBS],
    /// `2^260 - p`: adding it and dropping what is above 2^260 subtracts the modulus.
    complement: [u64; LIMBS],
    /// `2^280 / p`, rounded down.
    reciprocal: u64,
}

/// Limbs of an integer.
#[must_use]
pub const fn limbs(x: [u64; 4]) -> [u64; LIMBS] {
    [
        x[0] & MASK,
        (x[0] >> 52 | x[1] << 12) & MASK,
        (x[1] >> 40 | x[2] << 24) & MASK,
        (x[2] >> 28 | x[3] << 36) & MASK,
        x[3] >> 16,
    ]
}

/// The integer of carried limbs, below 2^256.
#[must_use]
pub const fn words(l: [u64; LIMBS]) -> [u64; 4] {
    [l[0] | l[1] << 52, l[1] >> 12 | l[2] << 40, l[2] >> 24 | l[3] << 28, l[3] >> 36 | l[4] << 16]
}

impl Modulus {
    /// Of a field of BN254.
    #[must_use]
    pub fn new<F: PrimeField<BigInt = BigInt<4>>>() -> Self {
        let p = limbs(F::MODULUS.0);
        // Newton: each step doubles the bits that are right; an odd number is its own inverse modulo 8.
        let mut inverse = p[0];
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(p[0].wrapping_mul(inverse)));
        }
        let fold = F::from(2u64).pow([u64::from(LIMB_BITS)]).inverse().unwrap_or_default();
        let mut complement = p.map(|l| MASK - l);
        // An odd modulus: no carry.
        complement[0] += 1;
        // 2^280 / p from the top limb and a bit of the next: p / 2^196 is exact to 2^-57 of itself.
        let top = u128::from(p[4]) << 12 | u128::from(p[3] >> 40);
        let reciprocal = u64::try_from((1u128 << 84) / (top + 1)).unwrap_or_default();
        Self {
            p,
            inverse: inverse.wrapping_neg() & MASK,
            fold: limbs(fold.into_bigint().0),
            complement,
            reciprocal,
        }
    }
}

#[inline(always)]
pub(crate) fn splat<I: Lanes64>(isa: I, x: &[u64; LIMBS]) -> Element<I> {
    x.map(|l| isa.splat(l))
}

/// Column 0, as it stands, times `row`, to columns; high parts to the next.
#[inline(always)]
pub(crate) fn add_product<I: Lanes64>(isa: I, t: &mut [I::V; LIMBS + 1], x: I::V, row: &Element<I>) {
    for (t, y) in t.iter_mut().zip(row) {
        *t = isa.multiply_add_low(*t, x, *y);
    }
    for (t, y) in t[1..].iter_mut().zip(row) {
        *t = isa.multiply_add_high(*t, x, *y);
    }
}

/// On by a column: the lowest is folded.
#[inline(always)]
pub(crate) fn fold<I: Lanes64>(isa: I, t: &mut [I::V; LIMBS + 1], modulus: &Modulus) {
    let [t0, t1, t2, t3, t4, t5] = *t;
    *t = [isa.add(t1, isa.shift_right::<LIMB_BITS>(t0)), t2, t3, t4, t5, isa.splat(0)];
    add_product(isa, t, t0, &splat(isa, &modulus.fold));
}

/// Montgomery's multiple, and on by a column.
#[inline(always)]
pub(crate) fn step<I: Lanes64>(isa: I, t: &mut [I::V; LIMBS + 1], modulus: &Modulus) -> Element<I> {
    let m = isa.multiply_add_low(isa.splat(0), t[0], isa.splat(modulus.inverse));
    add_product(isa, t, m, &splat(isa, &modulus.p));
    let [t0, t1, t2, t3, t4, t5] = *t;
    [isa.add(t1, isa.shift_right::<LIMB_BITS>(t0)), t2, t3, t4, t5]
}

/// `a b / 2^260` of carried factors; carried.
#[inline(always)]
pub fn multiply<I: Lanes64>(isa: I, a: &Element<I>, b: &Element<I>, modulus: &Modulus) -> Element<I> {
    let mut t = [isa.splat(0); LIMBS + 1];
    for x in &a[..LIMBS - 1] {
        add_product(isa, &mut t, *x, b);
        fold(isa, &mut t, modulus);
    }
    add_product(isa, &mut t, a[LIMBS - 1], b);
    let out = step(isa, &mut t, modulus);
    carry(isa, &out)
}

/// A constant to multiply by: row `i` is `d 2^(52 (i + 1)) mod p`. With it `sum x_i D_i` is `2^52 x d` and below `5 · 2^52 p`: one step of
/// Montgomery's reduction is enough.
#[derive(Debug)]
pub struct Factor([[u64; LIMBS]; LIMBS]);

impl Factor {
    /// For `d`.
    #[must_use]
    pub fn new<F: PrimeField<BigInt = BigInt<4>>>(d: F) -> Self {
        let two_52 = F::from(1u64 << LIMB_BITS);
        Self(core::array::from_fn(|i| limbs((d * two_52.pow([i as u64 + 1])).into_bigint().0)))
    }
}

/// `x d + addend` of a carried factor; carried. Below `6 p` and the addend, whose columns are below 2^60.
#[inline(always)]
pub fn multiply_by<I: Lanes64>(
    isa: I,
    d: &Factor,
    x: &Element<I>,
    addend: &Element<I>,
    modulus: &Modulus,
) -> Element<I> {
    let mut t = [isa.splat(0); LIMBS + 1];
    for (x, row) in x.iter().zip(&d.0) {
        add_product(isa, &mut t, *x, &splat(isa, row));
    }
    let out = step(isa, &mut t, modulus);
    carry(isa, &add(isa, &out, addend))
}

/// Limb by limb.
#[inline(always)]
pub fn add<I: Lanes64>(isa: I, a: &Element<I>, b: &Element<I>) -> Element<I> {
    core::array::from_fn(|j| isa.add(a[j], b[j]))
}

/// Limbs below 2^52 of columns below 2^63. What is above 2^260 is dropped.
#[inline(always)]
pub fn carry<I: Lanes64>(isa: I, x: &Element<I>) -> Element<I> {
    // No closure: the compiler leaves one with state of its own outside the function that has the processor's features.
    let mask = isa.splat(MASK);
    let mut x = *x;
    for j in 1..LIMBS {
        x[j] = isa.add(x[j], isa.shift_right::<LIMB_BITS>(x[j - 1]));
        x[j - 1] = isa.and(x[j - 1], mask);
    }
    x[LIMBS - 1] = isa.and(x[LIMBS - 1], mask);
    x
}

/// Less a multiple of the modulus, carried: from below `1024 p` in columns below 2^62 to below `(1 + 2^-10) p`. The last column alone tells the quotient, rounded
/// down: it is too small by 2^-17 at most for what it does not see of itself, of the reciprocal and of the columns below.
#[inline(always)]
pub fn reduce<I: Lanes64>(isa: I, x: &Element<I>, modulus: &Modulus) -> Element<I> {
    let top = isa.shift_right::<20>(x[LIMBS - 1]);
    let quotient = isa.multiply_add_high(isa.splat(0), top, isa.splat(modulus.reciprocal));
    let [a, b, c, d, e] = *x;
    let mut t = [a, b, c, d, e, isa.splat(0)];
    add_product(isa, &mut t, quotient, &splat(isa, &modulus.complement));
    carry(isa, &[t[0], t[1], t[2], t[3], t[4]])
}

/// Eight integers below 2^256, carried.
#[inline(always)]
pub fn load<I: Lanes64>(isa: I, x: [&[u64; 4]; WIDTH]) -> Element<I> {
    let [a, b, c, d] = isa.gather(x);
    let mask = isa.splat(MASK);
    [
        isa.and(a, mask),
        isa.and(isa.add(isa.shift_right::<52>(a), isa.shift_left::<12>(b)), mask),
        isa.and(isa.add(isa.shift_right::<40>(b), isa.shift_left::<24>(c)), mask),
        isa.and(isa.add(isa.shift_right::<28>(c), isa.shift_left::<36>(d)), mask),
        isa.shift_right::<16>(d),
    ]
}

/// Eight integers below 2^256 from carried limbs.
#[inline(always)]
pub fn store<I: Lanes64>(isa: I, [a, b, c, d, e]: &Element<I>) -> [[u64; 4]; WIDTH] {
    // Bits do not overlap: sums are unions.
    isa.scatter([
        isa.add(*a, isa.shift_left::<52>(*b)),
        isa.add(isa.shift_right::<12>(*b), isa.shift_left::<40>(*c)),
        isa.add(isa.shift_right::<24>(*c), isa.shift_left::<28>(*d)),
        isa.add(isa.shift_right::<36>(*d), isa.shift_left::<16>(*e)),
    ])
}
