//! The two fields of BN254, as limbs.

use ark_ff::{BigInteger, PrimeField};

/// Limbs of an element.
pub const LIMBS: usize = 5;
/// Bits of a limb.
pub const LIMB_BITS: u32 = 51;
/// Elements side by side.
pub const WIDTH: usize = 8;

/// One number in all lanes of a register.
pub(crate) type Splat = [f64; 4];

/// What multiplication in a field needs, where assembly finds it: offsets in bytes are in `avx2.rs`.
#[repr(C, align(32))]
#[derive(Debug)]
pub struct Modulus {
    /// The modulus, limb by limb.
    pub(crate) p: [Splat; LIMBS],
    /// `-p^-1 mod 2^51`, balanced.
    pub(crate) inverse: Splat,
    /// Low 51 bits, as a bit pattern.
    pub(crate) mask: Splat,
    /// 2^52: as a bit pattern, the exponent that makes a double of an integer below it; as a number, what is taken off then.
    pub(crate) two_52: Splat,
    /// 1.5·2^52.
    pub(crate) magic: Splat,
    /// `2^-51 mod p`, of least magnitude, limb by limb.
    pub(crate) fold: [Splat; LIMBS],
    /// `2^204 / p`.
    pub(crate) reciprocal: f64,
    /// The limbs of `p`, as integers.
    pub(crate) limbs: [i64; LIMBS],
}

/// 1.5·2^52: added to an integer of at most 2^51 in magnitude, the integer is in the low bits.
pub(crate) const MAGIC: f64 = 1.5 * 4_503_599_627_370_496.0;
/// 2^51 - 1.
pub(crate) const MASK: i64 = (1 << LIMB_BITS) - 1;
/// 2^50.
pub(crate) const HALF: i64 = 1 << (LIMB_BITS - 1);
pub(crate) const TWO_52: f64 = 4_503_599_627_370_496.0;

/// The scalar field's.
pub static SCALAR: Modulus = Modulus::new(<ark_bn254::Fr as PrimeField>::MODULUS.0);
/// The base field's.
pub static BASE: Modulus = Modulus::new(<ark_bn254::Fq as PrimeField>::MODULUS.0);

impl Modulus {
    const fn new(p: [u64; 4]) -> Self {
        let limbs = balanced(p);
        // Newton: each step doubles the bits that are right; an odd number is its own inverse modulo 8.
        let (mut inverse, mut step) = (p[0], 0);
        while step < 5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(p[0].wrapping_mul(inverse)));
            step += 1;
        }
        let low = (inverse.wrapping_neg() & MASK as u64).cast_signed();
        let inverse = if low >= HALF { low - 2 * HALF } else { low };
        Self {
            p: splat(limbs),
            fold: splat(fold(limbs, inverse)),
            inverse: [inverse as f64; 4],
            mask: [f64::from_bits(MASK as u64); 4],
            two_52: [TWO_52; 4],
            magic: [MAGIC; 4],
            reciprocal: 1.0 / (limbs[4] as f64),
            limbs,
        }
    }
}

const fn splat(limbs: [i64; LIMBS]) -> [Splat; LIMBS] {
    let (mut splats, mut i) = ([[0.0; 4]; LIMBS], 0);
    while i < LIMBS {
        splats[i] = [limbs[i] as f64; 4];
        i += 1;
    }
    splats
}

/// `(inverse p + 1) / 2^51`, whose numerator `inverse` makes divisible: `2^-51` modulo `p`, and as small beside `p` as `inverse` beside 2^51.
#[expect(clippy::cast_possible_truncation, reason = "masked to 51 bits")]
const fn fold(p: [i64; LIMBS], inverse: i64) -> [i64; LIMBS] {
    let mut carry = (inverse as i128 * p[0] as i128 + 1) >> LIMB_BITS;
    let (mut out, mut i) = ([0; LIMBS], 0);
    while i < LIMBS {
        if i + 1 < LIMBS {
            carry += inverse as i128 * p[i + 1] as i128;
        }
        let low = (carry & MASK as i128) as i64;
        out[i] = if i + 1 < LIMBS && low >= HALF { low - 2 * HALF } else { low };
        carry = (carry - out[i] as i128) >> LIMB_BITS;
        i += 1;
    }
    assert!(carry == 0);
    out
}

/// Limbs of an integer below 2^255, all but the last in `-2^50..2^50`.
pub(crate) const fn balanced(x: [u64; 4]) -> [i64; LIMBS] {
    let mut limbs = unsigned(x);
    let mut i = 0;
    while i < LIMBS - 1 {
        if limbs[i] >= HALF {
            limbs[i] -= 2 * HALF;
            limbs[i + 1] += 1;
        }
        i += 1;
    }
    limbs
}

/// Limbs of an integer below 2^255, all in `0..2^51`.
pub(crate) const fn unsigned(x: [u64; 4]) -> [i64; LIMBS] {
    const M: u64 = MASK as u64;
    [
        (x[0] & M).cast_signed(),
        ((x[0] >> 51 | x[1] << 13) & M).cast_signed(),
        ((x[1] >> 38 | x[2] << 26) & M).cast_signed(),
        ((x[2] >> 25 | x[3] << 39) & M).cast_signed(),
        (x[3] >> 12).cast_signed(),
    ]
}

/// `x` as the integer of least magnitude, limb by limb: what a constant is multiplied by.
pub(crate) fn centred<F: PrimeField<BigInt = ark_ff::BigInt<4>>>(x: F) -> [i64; LIMBS] {
    let (x, negative) = (x.into_bigint(), (-x).into_bigint());
    if x <= negative { balanced(x.0) } else { balanced(negative.0).map(|l| -l) }
}

/// `2^bits` in the field.
pub(crate) fn power_of_two<F: PrimeField>(bits: u32) -> F {
    F::from(2u64).pow([u64::from(bits)])
}

const _: () = assert!(<ark_ff::BigInt<4> as BigInteger>::NUM_LIMBS == 4);
