//! Multiplication by constants: 30 products of limbs instead of 50.
//!
//! With `D_i = d 2^(51 (i + k)) mod p` of least magnitude, `sum x_i D_i` is `x d 2^(51 k)` modulo `p`, and so little larger than `p` that `k` steps of
//! Montgomery's reduction suffice instead of five. Limbs of `x` are at most 2^50 in magnitude and the last `s 2^49.6` for `x` below `s p`, so
//! the sum is at most `(4 · 2^50 + s 2^49.6) p / 2`. One step leaves `1.5 p + 0.19 s p`, two `(0.5 + 2^-50) p`.

use core::arch::x86_64::_mm256_set1_epi64x;

use ark_bn254::Fr;
use ark_ff::Field as _;

use super::{HALVES, columns, finish, starts, step};
use crate::lanes::{Columns, Lanes};
use crate::modulus::{LIMBS, Modulus, Splat, centred};

/// A constant: row `i` is `d 2^(51 (i + k))`.
#[repr(C, align(32))]
#[derive(Debug)]
pub(crate) struct Factor([[Splat; LIMBS]; LIMBS]);

const ONCE: [i64; 6] = starts([6, 6, 6, 6, 6, 0], 1);
const TWICE: [i64; 7] = starts([6, 7, 7, 7, 7, 1, 0], 2);

impl Factor {
    /// `d`, for `k` steps.
    pub(crate) fn new(d: Fr, k: u64) -> Self {
        let two_51 = Fr::from(1u64 << 51);
        #[expect(clippy::cast_precision_loss, reason = "limbs are below 2^50")]
        let row = |i: usize| centred(d * two_51.pow([i as u64 + k])).map(|l| [l as f64; 4]);
        Self(core::array::from_fn(row))
    }
}

/// `x d + addend` for a constant made for one step.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_once(d: &Factor, x: &Lanes, addend: &Columns, modulus: &Modulus) -> Lanes {
    let mut out = Lanes::ZERO;
    for h in 0..HALVES {
        let mut t = columns(ONCE);
        step::rows(&mut t, x, h, d, modulus);
        finish(&mut t, Some(addend), &mut out, h);
    }
    out
}

/// `x d + addend` for a constant made for two steps.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_twice(d: &Factor, x: &Lanes, addend: Option<&Columns>, modulus: &Modulus) -> Lanes {
    let mut out = Lanes::ZERO;
    for h in 0..HALVES {
        let mut t = columns([TWICE[0], TWICE[1], TWICE[2], TWICE[3], TWICE[4], TWICE[5]]);
        step::rows(&mut t, x, h, d, modulus);
        t[5] = _mm256_set1_epi64x(TWICE[6]);
        step::once_more(&mut t, modulus);
        finish(&mut t, addend, &mut out, h);
    }
    out
}
