//! Lanes of an AVX-512 register: intrinsics, one to one.

#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
mod intrinsics;
#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
pub use intrinsics::Avx512;

#[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
pub use absent::Avx512;

/// Where there is no such processor.
#[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
mod absent {
    use super::super::Lanes64;
    use crate::modulus::WIDTH;

    /// That the processor has AVX-512 IFMA: nothing is of this type here.
    #[derive(Clone, Copy, Debug)]
    pub enum Avx512 {}

    impl Avx512 {
        /// None.
        #[must_use]
        pub const fn detect() -> Option<Self> {
            None
        }
    }

    impl Lanes64 for Avx512 {
        type V = [u64; WIDTH];

        fn splat(self, _: u64) -> Self::V {
            match self {}
        }

        fn load(self, _: &[u64; WIDTH]) -> Self::V {
            match self {}
        }

        fn store(self, _: Self::V) -> [u64; WIDTH] {
            match self {}
        }

        fn gather(self, _: [&[u64; 4]; WIDTH]) -> [Self::V; 4] {
            match self {}
        }

        fn scatter(self, _: [Self::V; 4]) -> [[u64; 4]; WIDTH] {
            match self {}
        }

        fn multiply_add_low(self, _: Self::V, _: Self::V, _: Self::V) -> Self::V {
            match self {}
        }

        fn multiply_add_high(self, _: Self::V, _: Self::V, _: Self::V) -> Self::V {
            match self {}
        }

        fn add(self, _: Self::V, _: Self::V) -> Self::V {
            match self {}
        }

        fn sub(self, _: Self::V, _: Self::V) -> Self::V {
            match self {}
        }

        fn and(self, _: Self::V, _: Self::V) -> Self::V {
            match self {}
        }

        fn shift_right<const BITS: u32>(self, _: Self::V) -> Self::V {
            match self {}
        }

        fn shift_left<const BITS: u32>(self, _: Self::V) -> Self::V {
            match self {}
        }

        fn run<T, U, F: Fn(Self, T) -> U>(self, _: F, _: T) -> U {
            match self {}
        }
    }
}
