//! One column of a product, in assembly. Everything here reads through references and writes registers.
//!
//! A step adds limb `i` of half `h` of `a` times `b`, makes column 0 vanish, and moves on by a column. It vanishes in one of two ways: by
//! Montgomery's multiple of the modulus, `m = t0 (-p^-1) mod 2^51`; or folded, `t0 / 2^51 = t0 (2^-51 mod p)`, which needs no product to find `m` and so
//! shortens the chain from one column to the next by half, but leaves `t0 2^-51 mod p` where Montgomery leaves `m p / 2^51`: as large as its number is,
//! so that steps after it must divide by 2^51 and 2^102.

use core::arch::asm;
use core::arch::x86_64::{__m256i, _mm256_set1_epi64x, _mm256_set1_pd};

use super::factor::Factor;
use super::{REGISTER, SPLIT, SPLIT_MAGIC};
use crate::lanes::Lanes;
use crate::modulus::{Modulus, WIDTH};

/// `x` times a limb in memory, split: its low part to one column, its high part to the next.
macro_rules! product {
    ($limb:literal, $low:literal, $high:literal) => {
        concat!(
            "vmovapd {h}, {c1}\n",
            "vfmadd231pd {h}, {x}, [",
            $limb,
            "]\n",
            "vsubpd {l}, {h}, {c2}\n",
            "vfmsub231pd {l}, {x}, [",
            $limb,
            "]\n",
            "vpaddq {",
            $low,
            "}, {",
            $low,
            "}, {l}\n",
            "vpaddq {",
            $high,
            "}, {",
            $high,
            "}, {h}\n"
        )
    };
}

/// `x` times five limbs in memory, to six columns.
macro_rules! row {
    ([$l0:literal $l1:literal $l2:literal $l3:literal $l4:literal], $t0:literal $t1:literal $t2:literal $t3:literal $t4:literal $t5:literal) => {
        concat!(
            product!($l0, $t0, $t1),
            product!($l1, $t1, $t2),
            product!($l2, $t2, $t3),
            product!($l3, $t3, $t4),
            product!($l4, $t4, $t5)
        )
    };
}

/// `x` becomes a column mod 2^51, as a double.
macro_rules! low {
    ($t0:literal) => {
        concat!(
            "vpand {x}, {",
            $t0,
            "}, [{m} + 192]\n",
            "vpor {x}, {x}, [{m} + 224]\n",
            "vsubpd {x}, {x}, [{m} + 224]\n"
        )
    };
}

/// What is above 51 bits of a column, to the next.
macro_rules! carry {
    ($t0:literal, $t1:literal) => {
        concat!("vpsrlq {h}, {", $t0, "}, 51\n", "vpaddq {", $t1, "}, {", $t1, "}, {h}\n")
    };
}

/// The multiple of the modulus: a column mod 2^51, times `-p^-1`, the low part of it.
macro_rules! montgomery {
    ($t0:literal $t1:literal $t2:literal $t3:literal $t4:literal $t5:literal) => {
        concat!(
            low!($t0),
            "vmovapd {h}, {c1}\n",
            "vfmadd231pd {h}, {x}, [{m} + 160]\n",
            "vsubpd {l}, {h}, {c2}\n",
            "vfmsub231pd {l}, {x}, [{m} + 160]\n",
            "vsubpd {x}, {l}, [{m} + 256]\n",
            row!(["{m} + 0" "{m} + 32" "{m} + 64" "{m} + 96" "{m} + 128"], $t0 $t1 $t2 $t3 $t4 $t5),
            carry!($t0, $t1)
        )
    };
}

/// Pointers to what a step multiplies: from the whole arrays, so that they may be used for all of them.
fn places(a: &Lanes, i: usize, b: &Lanes, h: usize) -> (*const f64, *const f64) {
    let a = (&raw const a.0).cast::<f64>().wrapping_add(WIDTH * i + REGISTER * h);
    (a, (&raw const b.0).cast::<f64>().wrapping_add(REGISTER * h))
}

/// Adds limb `i` of half `h` of `a` times `b`, and no more.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn accumulate(t: &mut [__m256i; 6], a: &Lanes, i: usize, b: &Lanes, h: usize) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    let (a, b) = places(a, i, b, h);
    // SAFETY: reads 32 bytes at `a`, at `b` and at each of four rows of 64 bytes after it: all inside what the references name, and
    // aligned to 32 bytes as their types are. Writes registers only.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            row!(["{b} + 0" "{b} + 64" "{b} + 128" "{b} + 192" "{b} + 256"], "t0" "t1" "t2" "t3" "t4" "t5"),
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

/// A step that ends with Montgomery's multiple; `next` is what the column that comes into view starts with.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn montgomery(
    t: &mut [__m256i; 6],
    a: &Lanes,
    i: usize,
    b: &Lanes,
    h: usize,
    modulus: &Modulus,
    next: i64,
) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    let (a, b) = places(a, i, b, h);
    // SAFETY: reads 32 bytes at `a`, at `b` and at each of four rows of 64 bytes after it, and the first 288 bytes of `modulus`: all
    // inside what the references name, and aligned to 32 bytes as their types are. Writes registers only.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            row!(["{b} + 0" "{b} + 64" "{b} + 128" "{b} + 192" "{b} + 256"], "t0" "t1" "t2" "t3" "t4" "t5"),
            montgomery!("t0" "t1" "t2" "t3" "t4" "t5"),
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

/// A step that folds.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn fold(
    t: &mut [__m256i; 6],
    a: &Lanes,
    i: usize,
    b: &Lanes,
    h: usize,
    modulus: &Modulus,
    next: i64,
) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    let (a, b) = places(a, i, b, h);
    let mut t6 = _mm256_set1_epi64x(next);
    // SAFETY: as in `montgomery`, and reads bytes 288 to 448 of `modulus`.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            row!(["{b} + 0" "{b} + 64" "{b} + 128" "{b} + 192" "{b} + 256"], "t0" "t1" "t2" "t3" "t4" "t5"),
            low!("t0"),
            carry!("t0", "t1"),
            row!(["{m} + 288" "{m} + 320" "{m} + 352" "{m} + 384" "{m} + 416"], "t1" "t2" "t3" "t4" "t5" "t6"),
            x = out(ymm_reg) _, h = out(ymm_reg) _, l = out(ymm_reg) _,
            t0 = inout(ymm_reg) t0, t1 = inout(ymm_reg) t1, t2 = inout(ymm_reg) t2,
            t3 = inout(ymm_reg) t3, t4 = inout(ymm_reg) t4, t5 = inout(ymm_reg) t5, t6 = inout(ymm_reg) t6,
            c1 = in(ymm_reg) _mm256_set1_pd(SPLIT), c2 = in(ymm_reg) _mm256_set1_pd(SPLIT_MAGIC),
            a = in(reg) a, b = in(reg) b, m = in(reg) modulus,
            options(pure, readonly, nostack)
        );
    }
    // Column 0 has been carried and folded.
    let _ = t0;
    *t = [t1, t2, t3, t4, t5, t6];
}

/// Half `h` of `x` times the rows of a constant, and Montgomery's multiple once.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn rows(t: &mut [__m256i; 6], x: &Lanes, h: usize, d: &Factor, modulus: &Modulus) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    let a = (&raw const x.0).cast::<f64>().wrapping_add(REGISTER * h);
    // SAFETY: reads 32 bytes at `a` and at each of four rows of 64 bytes after it, the 800 bytes of `d`, and the first 288 bytes of `modulus`:
    // all inside what the references name, and aligned to 32 bytes as their types are. Writes registers only.
    unsafe {
        asm!(
            "vmovapd {x}, [{a}]",
            row!(["{d} + 0" "{d} + 32" "{d} + 64" "{d} + 96" "{d} + 128"], "t0" "t1" "t2" "t3" "t4" "t5"),
            "vmovapd {x}, [{a} + 64]",
            row!(["{d} + 160" "{d} + 192" "{d} + 224" "{d} + 256" "{d} + 288"], "t0" "t1" "t2" "t3" "t4" "t5"),
            "vmovapd {x}, [{a} + 128]",
            row!(["{d} + 320" "{d} + 352" "{d} + 384" "{d} + 416" "{d} + 448"], "t0" "t1" "t2" "t3" "t4" "t5"),
            "vmovapd {x}, [{a} + 192]",
            row!(["{d} + 480" "{d} + 512" "{d} + 544" "{d} + 576" "{d} + 608"], "t0" "t1" "t2" "t3" "t4" "t5"),
            "vmovapd {x}, [{a} + 256]",
            row!(["{d} + 640" "{d} + 672" "{d} + 704" "{d} + 736" "{d} + 768"], "t0" "t1" "t2" "t3" "t4" "t5"),
            montgomery!("t0" "t1" "t2" "t3" "t4" "t5"),
            x = out(ymm_reg) _, h = out(ymm_reg) _, l = out(ymm_reg) _,
            t0 = inout(ymm_reg) t0, t1 = inout(ymm_reg) t1, t2 = inout(ymm_reg) t2,
            t3 = inout(ymm_reg) t3, t4 = inout(ymm_reg) t4, t5 = inout(ymm_reg) t5,
            c1 = in(ymm_reg) _mm256_set1_pd(SPLIT), c2 = in(ymm_reg) _mm256_set1_pd(SPLIT_MAGIC),
            a = in(reg) a, d = in(reg) d, m = in(reg) modulus,
            options(pure, readonly, nostack)
        );
    }
    // Column 0 has been carried.
    let _ = t0;
    *t = [t1, t2, t3, t4, t5, _mm256_set1_epi64x(0)];
}

/// Montgomery's multiple once more.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn once_more(t: &mut [__m256i; 6], modulus: &Modulus) {
    let [mut t0, mut t1, mut t2, mut t3, mut t4, mut t5] = *t;
    // SAFETY: reads the first 288 bytes of `modulus`, aligned to 32 bytes as its type is. Writes registers only.
    unsafe {
        asm!(
            montgomery!("t0" "t1" "t2" "t3" "t4" "t5"),
            x = out(ymm_reg) _, h = out(ymm_reg) _, l = out(ymm_reg) _,
            t0 = inout(ymm_reg) t0, t1 = inout(ymm_reg) t1, t2 = inout(ymm_reg) t2,
            t3 = inout(ymm_reg) t3, t4 = inout(ymm_reg) t4, t5 = inout(ymm_reg) t5,
            c1 = in(ymm_reg) _mm256_set1_pd(SPLIT), c2 = in(ymm_reg) _mm256_set1_pd(SPLIT_MAGIC),
            m = in(reg) modulus,
            options(pure, readonly, nostack)
        );
    }
    let _ = t0;
    *t = [t1, t2, t3, t4, t5, _mm256_set1_epi64x(0)];
}
