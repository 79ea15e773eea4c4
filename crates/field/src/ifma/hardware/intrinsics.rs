//! AVX-512 IFMA by the intrinsics of the standard library.
#![expect(
    unsafe_code,
    reason = "intrinsics for processors that have been asked; one load and one store of whole references"
)]

use core::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_add_epi64, _mm512_and_si512, _mm512_castsi256_si512,
    _mm512_inserti64x4, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_shuffle_i64x2, _mm512_slli_epi64,
    _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};
use std::sync::OnceLock;

use super::super::{Emulated, Lanes64, check};
use crate::modulus::WIDTH;

/// That this processor has AVX-512 F and IFMA, and computes with them as the emulation does.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// Asks the processor, and checks it, once.
    #[must_use]
    pub fn detect() -> Option<Self> {
        static CAN: OnceLock<bool> = OnceLock::new();
        let can = *CAN.get_or_init(|| {
            std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512ifma")
                && check::agree(Self(()), Emulated)
        });
        can.then_some(Self(()))
    }
}

// Every method is compiled into a caller that has the features (`run`), or is called as a function of its own that has them.
impl Lanes64 for Avx512 {
    type V = __m512i;

    #[inline(always)]
    fn splat(self, x: u64) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_set1_epi64(x.cast_signed()) }
    }

    #[inline(always)]
    fn load(self, x: &[u64; WIDTH]) -> __m512i {
        // SAFETY: `self` shows the features; 64 bytes of a reference, no alignment is asked for.
        unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, x: __m512i) -> [u64; WIDTH] {
        let mut out = [0; WIDTH];
        // SAFETY: `self` shows the features; 64 bytes of an array, no alignment is asked for.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), x) };
        out
    }

    #[inline(always)]
    fn gather(self, from: [&[u64; 4]; WIDTH]) -> [__m512i; 4] {
        // SAFETY: `self` shows the features; 32 bytes of each reference, no alignment is asked for.
        unsafe {
            let row = |i: usize| _mm256_loadu_si256(from[i].as_ptr().cast());
            let two = |i: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(row(i)), row(i + 1));
            let (a, b, c, d) = (two(0), two(2), two(4), two(6));
            // Words 0 and 1 of four integers; words 2 and 3.
            let low = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
            let high = _mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15);
            let (ab01, cd01) = (_mm512_permutex2var_epi64(a, low, b), _mm512_permutex2var_epi64(c, low, d));
            let (ab23, cd23) = (_mm512_permutex2var_epi64(a, high, b), _mm512_permutex2var_epi64(c, high, d));
            [
                _mm512_shuffle_i64x2::<0x44>(ab01, cd01),
                _mm512_shuffle_i64x2::<0xee>(ab01, cd01),
                _mm512_shuffle_i64x2::<0x44>(ab23, cd23),
                _mm512_shuffle_i64x2::<0xee>(ab23, cd23),
            ]
        }
    }

    #[inline(always)]
    fn scatter(self, [w0, w1, w2, w3]: [__m512i; 4]) -> [[u64; 4]; WIDTH] {
        let mut out = [[0; 4]; WIDTH];
        // SAFETY: `self` shows the features; each store is 64 bytes, two integers of an array, no alignment is asked for.
        unsafe {
            // Words 0 and 1 of four integers, and words 2 and 3; then two integers.
            let pairs =
                [_mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15)];
            let whole =
                [_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15)];
            for (half, out) in pairs.into_iter().zip(out.as_chunks_mut::<4>().0) {
                let low = _mm512_permutex2var_epi64(w0, half, w1);
                let high = _mm512_permutex2var_epi64(w2, half, w3);
                for (two, out) in whole.into_iter().zip(out.as_chunks_mut::<2>().0) {
                    _mm512_storeu_si512(out.as_mut_ptr().cast(), _mm512_permutex2var_epi64(low, two, high));
                }
            }
        }
        out
    }

    #[inline(always)]
    fn multiply_add_low(self, acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_madd52lo_epu64(acc, a, b) }
    }

    #[inline(always)]
    fn multiply_add_high(self, acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_madd52hi_epu64(acc, a, b) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_add_epi64(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_sub_epi64(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_srli_epi64::<BITS>(a) }
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` shows the features.
        unsafe { _mm512_slli_epi64::<BITS>(a) }
    }

    #[inline(always)]
    fn run<T, U, F: Fn(Self, T) -> U>(self, f: F, x: T) -> U {
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn with_features<T, U, F: Fn(Avx512, T) -> U>(isa: Avx512, f: F, x: T) -> U {
            f(isa, x)
        }
        // SAFETY: `self` shows the features.
        unsafe { with_features(self, f, x) }
    }
}
