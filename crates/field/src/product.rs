//! Montgomery multiplication of [`Lanes`]: `a b / 2^255`.
//!
//! Bounds. Limbs of `a` and `b` are at most `2^51` in magnitude each, or any two bounds whose product is `2^102`. The result's limbs are in
//! `-2^50..2^50`, but for the last. Its value is at most `|a b| / 2^255 + (1/2 + 2^-50) p`, so below `(s t / 2.64 + 0.5) p` for values below
//! `s p` and `t p` (2^255 = 2.645 p). With what is added it must be below `2^255`: with nothing, `s t` is at most 5.6.

use crate::lanes::{Columns, Lanes};
use crate::modulus::{HALF, LIMB_BITS, LIMBS, MASK, Modulus, WIDTH};

/// The product plus `addend` (columns below 2^58 in magnitude), computed with integers: slow and obvious.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "limbs are integers; bounds as in the module's text")]
pub fn multiply_add(a: &Lanes, b: &Lanes, addend: &Columns, modulus: &Modulus) -> Lanes {
    let p = modulus.p.map(|l| l[0] as i128);
    let inverse = modulus.inverse[0] as i128;
    let mut out = [[0; LIMBS]; WIDTH];
    for (i, out) in out.iter_mut().enumerate() {
        let (a, b) = (a.limbs(i).map(i128::from), b.limbs(i).map(i128::from));
        let mut t = [0i128; 2 * LIMBS];
        for (j, x) in a.iter().enumerate() {
            for (k, y) in b.iter().enumerate() {
                t[j + k] += x * y;
            }
        }
        for j in 0..LIMBS {
            let m = centre((t[j] & i128::from(MASK)) * inverse);
            for (k, p) in p.iter().enumerate() {
                t[j + k] += m * p;
            }
            t[j + 1] += t[j] >> LIMB_BITS;
        }
        for (k, row) in addend.iter().enumerate() {
            t[LIMBS + k] += i128::from(row[i]);
        }
        for k in 0..LIMBS - 1 {
            let low = centre(t[LIMBS + k]);
            t[LIMBS + k + 1] += (t[LIMBS + k] - low) >> LIMB_BITS;
            out[k] = low as i64;
        }
        out[LIMBS - 1] = t[2 * LIMBS - 1] as i64;
    }
    Lanes::from_limbs(&out)
}

/// The integer in `-2^50..2^50` that is `x` modulo `2^51`.
fn centre(x: i128) -> i128 {
    let low = x & i128::from(MASK);
    if low >= i128::from(HALF) { low - 2 * i128::from(HALF) } else { low }
}

/// The product plus `addend`, by assembly where the processor has AVX2 and FMA; equal to [`multiply_add`] modulo the modulus, with the
/// same bounds (a limb of a factor `m` that is exactly 2^50 may be taken as -2^50).
#[must_use]
pub fn multiply_add_fast(a: &Lanes, b: &Lanes, addend: &Columns, modulus: &Modulus) -> Lanes {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    if let Some(avx2) = crate::avx2::Avx2::detect() {
        return avx2.multiply_add(a, b, addend, modulus);
    }
    multiply_add(a, b, addend, modulus)
}
