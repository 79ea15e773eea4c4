//! Montgomery multiplication with the doubles of AVX2 and FMA, and the check that a processor has them.
//!
//! `step` is assembly because compilers reorder the integer sums of a column, so that 16 registers do not suffice and every second
//! instruction becomes a load (measured: 17 ns an element instead of 11).
#![expect(unsafe_code, reason = "inline assembly without memory writes; loads from references")]

use core::arch::asm;
use core::arch::x86_64::{
    __m256d, __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_castpd_si256, _mm256_castsi256_pd,
    _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_srli_epi64,
    _mm256_store_pd, _mm256_sub_pd,
};
use core::mem::offset_of;

use crate::lanes::{Columns, Lanes};
use crate::modulus::{HALF, LIMBS, MAGIC, MASK, Modulus, TWO_52, WIDTH};

/// Lanes of a register.
const HALVES: usize = 2;
const REGISTER: usize = 4;
/// 1.5·2^103: doubles around it are 2^51 apart.
const SPLIT: f64 = 15_211_807_202_738_752_817_960_438_464_512.0;
/// Exact: a multiple of 2^51.
const SPLIT_MAGIC: f64 = SPLIT + MAGIC;
/// Added to every column, so that none is negative when it is shifted: columns stay below 2^59 in magnitude.
const BIAS: i64 = 1 << 60;

const _: () = assert!(SPLIT == 1.5 * (1u128 << 103) as f64 && SPLIT_MAGIC - SPLIT == MAGIC);
// What the assembly counts on.
const _: () = assert!(
    offset_of!(Modulus, p) == 0
        && offset_of!(Modulus, inverse) == 160
        && offset_of!(Modulus, mask) == 192
        && offset_of!(Modulus, two_52) == 224
        && offset_of!(Modulus, magic) == 256
);

/// That this processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma"))
            .then_some(Self(()))
    }

    /// [`crate::product::multiply_add`].
    pub(crate) fn multiply_add(self, a: &Lanes, b: &Lanes, addend: &Columns, modulus: &Modulus) -> Lanes {
        // SAFETY: a value of this type exists only where the processor has both features.
        unsafe { multiply_add(a, b, Some(addend), modulus) }
    }
}

/// What column `c` of a product with its reduction starts with: the constants of all that will be added to it taken off, the
/// bias put on, the bias of the column before (shifted) taken off; columns that become limbs are balanced by a half, the last is a double
/// at once.
///
/// `products` is how many there are: `m p`, and one `a b` or more.
const fn start(c: usize, products: i64) -> i64 {
    // Products of limbs whose numbers sum to `c`.
    const PRODUCTS: [i64; 2 * LIMBS] = [1, 2, 3, 4, 5, 4, 3, 2, 1, 0];
    let low = products * PRODUCTS[c];
    let high = if c > 0 { products * PRODUCTS[c - 1] } else { 0 };
    let constants = low
        .wrapping_mul(MAGIC.to_bits().cast_signed())
        .wrapping_add(high.wrapping_mul(SPLIT.to_bits().cast_signed()));
    let own = match c {
        0..LIMBS => BIAS,
        LIMBS..9 => BIAS + HALF,
        _ => MAGIC.to_bits().cast_signed(),
    };
    let carried = if c > 0 { BIAS >> 51 } else { 0 };
    own.wrapping_sub(carried).wrapping_sub(constants)
}

const fn starts(products: i64) -> [i64; 2 * LIMBS] {
    let (mut s, mut c) = ([0; 2 * LIMBS], 0);
    while c < 2 * LIMBS {
        s[c] = start(c, products);
        c += 1;
    }
    s
}

const START: [i64; 2 * LIMBS] = starts(2);
const START_TWO: [i64; 2 * LIMBS] = starts(3);

/// `a b / 2^255 + addend`; bounds in [`crate::product`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_add(a: &Lanes, b: &Lanes, addend: Option<&Columns>, modulus: &Modulus) -> Lanes {
    let begin = [0, 1, 2, 3, 4, 5].map(|c: usize| START[c]);
    let mut t = [columns(begin); HALVES];
    for (i, next) in [START[6], START[7], START[8], START[9], 0].into_iter().enumerate() {
        for (h, t) in t.iter_mut().enumerate() {
            step(t, a, i, b, h, modulus, next);
        }
    }
    let mut out = Lanes::ZERO;
    for (h, t) in t.iter_mut().enumerate() {
        if let Some(addend) = addend {
            for (t, row) in t.iter_mut().zip(addend) {
                // SAFETY: four of the eight numbers of a row, from 0 or from 4; no alignment is asked for.
                let more = unsafe { _mm256_loadu_si256(row.as_ptr().add(REGISTER * h).cast()) };
                *t = _mm256_add_epi64(*t, more);
            }
        }
        finish(t, &mut out, h);
    }
    out
}

/// `(a0 b0 + a1 b1) / 2^255`, with one reduction. Bounds as for one product, the value's with the sum of both for `a b`.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_two(a: [&Lanes; 2], b: [&Lanes; 2], modulus: &Modulus) -> Lanes {
    let begin = [0, 1, 2, 3, 4, 5].map(|c: usize| START_TWO[c]);
    let mut t = [columns(begin); HALVES];
    let nexts = [START_TWO[6], START_TWO[7], START_TWO[8], START_TWO[9], 0];
    for (i, next) in nexts.into_iter().enumerate() {
        for (h, t) in t.iter_mut().enumerate() {
            accumulate(t, a[1], i, b[1], h);
            step(t, a[0], i, b[0], h, modulus, next);
        }
    }
    let mut out = Lanes::ZERO;
    for (h, t) in t.iter().enumerate() {
        finish(t, &mut out, h);
    }
    out
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn columns(start: [i64; 6]) -> [__m256i; 6] {
    let [a, b, c, d, e, f] = start;
    [
        _mm256_set1_epi64x(a),
        _mm256_set1_epi64x(b),
        _mm256_set1_epi64x(c),
        _mm256_set1_epi64x(d),
        _mm256_set1_epi64x(e),
        _mm256_set1_epi64x(f),
    ]
}

/// Adds limb `i` of half `h` of `a` times `b`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn accumulate(t: &mut [__m256i; 6], a: &Lanes, i: usize, b: &Lanes, h: usize) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    // From the whole arrays, so that the pointers may be used for all of them.
    let a = (&raw const a.0).cast::<f64>().wrapping_add(WIDTH * i + REGISTER * h);
    let b = (&raw const b.0).cast::<f64>().wrapping_add(REGISTER * h);
    // SAFETY: reads 32 bytes at `a`, at `b` and at each of four rows of 64 bytes after it: all inside what the references name, and
    // aligned to 32 bytes as their types are. Writes registers only.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 0]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 0]",
            "vpaddq {t0}, {t0}, {l}",
            "vpaddq {t1}, {t1}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 64]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 64]",
            "vpaddq {t1}, {t1}, {l}",
            "vpaddq {t2}, {t2}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 128]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 128]",
            "vpaddq {t2}, {t2}, {l}",
            "vpaddq {t3}, {t3}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 192]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 192]",
            "vpaddq {t3}, {t3}, {l}",
            "vpaddq {t4}, {t4}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 256]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 256]",
            "vpaddq {t4}, {t4}, {l}",
            "vpaddq {t5}, {t5}, {h}",
            x = out(ymm_reg) _, h = out(ymm_reg) _, l = out(ymm_reg) _,
            t0 = inout(ymm_reg) t0, t1 = inout(ymm_reg) t1, t2 = inout(ymm_reg) t2,
            t3 = inout(ymm_reg) t3, t4 = inout(ymm_reg) t4, t5 = inout(ymm_reg) t5,
            c1 = in(ymm_reg) _mm256_set1_pd(SPLIT), c2 = in(ymm_reg) _mm256_set1_pd(SPLIT_MAGIC),
            a = in(reg) a, b = in(reg) b,
            options(pure, readonly, nostack)
        );
    }
    *t = [t0, t1, t2, t3, t4, t5];
}

/// Adds limb `i` of half `h` of `a` times `b`, then the multiple of the modulus that makes column 0 vanish, and moves on by a column.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn step(t: &mut [__m256i; 6], a: &Lanes, i: usize, b: &Lanes, h: usize, modulus: &Modulus, next: i64) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    // From the whole arrays, so that the pointers may be used for all of them.
    let a = (&raw const a.0).cast::<f64>().wrapping_add(WIDTH * i + REGISTER * h);
    let b = (&raw const b.0).cast::<f64>().wrapping_add(REGISTER * h);
    // SAFETY: reads 32 bytes at `a`, at `b` and at each of four rows of 64 bytes after it, and the first 288 bytes of `modulus`: all
    // inside what the references name, and aligned to 32 bytes as their types are. Writes registers only.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 0]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 0]",
            "vpaddq {t0}, {t0}, {l}",
            "vpaddq {t1}, {t1}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 64]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 64]",
            "vpaddq {t1}, {t1}, {l}",
            "vpaddq {t2}, {t2}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 128]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 128]",
            "vpaddq {t2}, {t2}, {l}",
            "vpaddq {t3}, {t3}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 192]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 192]",
            "vpaddq {t3}, {t3}, {l}",
            "vpaddq {t4}, {t4}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{b} + 256]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{b} + 256]",
            "vpaddq {t4}, {t4}, {l}",
            "vpaddq {t5}, {t5}, {h}",
            // The multiple: column 0 mod 2^51, as a double, times -p^-1, its low part.
            "vpand {x}, {t0}, [{m} + 192]",
            "vpor {x}, {x}, [{m} + 224]",
            "vsubpd {x}, {x}, [{m} + 224]",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 160]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 160]",
            "vsubpd {x}, {l}, [{m} + 256]",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 0]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 0]",
            "vpaddq {t0}, {t0}, {l}",
            "vpaddq {t1}, {t1}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 32]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 32]",
            "vpaddq {t1}, {t1}, {l}",
            "vpaddq {t2}, {t2}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 64]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 64]",
            "vpaddq {t2}, {t2}, {l}",
            "vpaddq {t3}, {t3}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 96]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 96]",
            "vpaddq {t3}, {t3}, {l}",
            "vpaddq {t4}, {t4}, {h}",
            "vmovapd {h}, {c1}",
            "vfmadd231pd {h}, {x}, [{m} + 128]",
            "vsubpd {l}, {h}, {c2}",
            "vfmsub231pd {l}, {x}, [{m} + 128]",
            "vpaddq {t4}, {t4}, {l}",
            "vpaddq {t5}, {t5}, {h}",
            "vpsrlq {h}, {t0}, 51",
            "vpaddq {t1}, {t1}, {h}",
            x = out(ymm_reg) _, h = out(ymm_reg) _, l = out(ymm_reg) _,
            t0 = inout(ymm_reg) t0, t1 = inout(ymm_reg) t1, t2 = inout(ymm_reg) t2,
            t3 = inout(ymm_reg) t3, t4 = inout(ymm_reg) t4, t5 = inout(ymm_reg) t5,
            c1 = in(ymm_reg) _mm256_set1_pd(SPLIT), c2 = in(ymm_reg) _mm256_set1_pd(SPLIT_MAGIC),
            a = in(reg) a, b = in(reg) b, m = in(reg) modulus,
            options(pure, readonly, nostack)
        );
    }
    // Column 0 has been carried.
    let _ = t0;
    *t = [t1, t2, t3, t4, t5, _mm256_set1_epi64x(next)];
}

/// Columns to limbs.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn finish(t: &[__m256i; 6], out: &mut Lanes, h: usize) {
    let mut x = t[0];
    for j in 0..LIMBS {
        let limb = if j + 1 < LIMBS {
            let limb = balanced(x);
            x = _mm256_add_epi64(t[j + 1], _mm256_srli_epi64::<51>(x));
            limb
        } else {
            _mm256_sub_pd(_mm256_castsi256_pd(x), _mm256_set1_pd(MAGIC))
        };
        // SAFETY: four of the eight numbers of a row, from 0 or from 4, aligned to 32 bytes as the type is.
        unsafe { _mm256_store_pd(out.0[j].as_mut_ptr().add(REGISTER * h), limb) };
    }
}

/// The low 51 bits, less a half, as doubles.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn balanced(x: __m256i) -> __m256d {
    let low = _mm256_and_si256(x, _mm256_set1_epi64x(MASK));
    let double = _mm256_or_si256(low, _mm256_castpd_si256(_mm256_set1_pd(TWO_52)));
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    let off = _mm256_set1_pd(TWO_52 + HALF as f64);
    _mm256_sub_pd(_mm256_castsi256_pd(double), off)
}
