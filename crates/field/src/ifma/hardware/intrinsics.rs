//! AVX-512 IFMA by the intrinsics of the standard library.
#![expect(
    unsafe_code,
    reason = "intrinsics for processors that have been asked; one load and one store of whole references"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
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
