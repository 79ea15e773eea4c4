//! Eight Poseidon2 permutations of width 16 over the scalar field, side by side (Grassi, Khovratovich, Schofnegger, Africacrypt 2023).
//!
//! Values are kept as small as the next step needs, never canonical; the bounds are in the two kernels, one over [`crate::lanes`] and one
//! over [`crate::ifma`].

use ark_bn254::Fr;

use crate::ifma::{Avx512, Emulated};
use crate::modulus::WIDTH;

#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
mod avx2;
mod ifma;

/// Elements of a state.
pub const STATE: usize = 16;

/// How the integers given to [`Permutations::compress`] stand for elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The integer is the element.
    Integer,
    /// The integer is `2^256` times the element, as arkworks keeps it in memory.
    Montgomery,
}

/// What a permutation is made of, as in the paper's notation.
#[derive(Clone, Copy, Debug)]
pub struct Constants<'a> {
    /// Of the full rounds before the partial ones.
    pub initial: &'a [[Fr; STATE]],
    /// Of the partial rounds, added to element 0.
    pub partial: &'a [Fr],
    /// Of the full rounds after the partial ones.
    pub terminal: &'a [[Fr; STATE]],
    /// `d` of the internal layer `J + diag(d)`.
    pub diagonal: &'a [Fr; STATE],
}

/// Code that permutes eight states at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Integers of 52 bits in AVX-512 IFMA.
    Avx512,
    /// Doubles in AVX2 and FMA.
    Avx2,
    /// The code of [`Backend::Avx512`] over one lane after the other, on any processor: for tests, and far slower than one permutation at a time.
    Emulated,
}

/// The permutation's constants, for eight at once.
#[derive(Debug)]
pub struct Permutations(Kernel);

#[derive(Debug)]
enum Kernel {
    Avx512(ifma::Kernel<Avx512>),
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    Avx2(Box<avx2::Kernel>),
    Emulated(ifma::Kernel<Emulated>),
}

impl Permutations {
    /// On the fastest code for this processor. `None` where it lacks AVX-512 IFMA and either AVX2 or FMA: one permutation at a time is faster
    /// then.
    #[must_use]
    pub fn new(constants: &Constants<'_>) -> Option<Self> {
        Self::on(Backend::Avx512, constants).or_else(|| Self::on(Backend::Avx2, constants))
    }

    /// On this code, whether or not other is faster. `None` where the processor cannot run it, or where AVX-512 failed its check against the
    /// emulation: few machines that test it can run it.
    #[must_use]
    pub fn on(backend: Backend, constants: &Constants<'_>) -> Option<Self> {
        Some(Self(match backend {
            Backend::Avx512 => {
                let kernel = ifma::Kernel::new(Avx512::detect()?, constants)?;
                Kernel::Avx512(
                    kernel.agrees_with(&ifma::Kernel::new(Emulated, constants)?).then_some(kernel)?,
                )
            }
            #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
            Backend::Avx2 => Kernel::Avx2(Box::new(avx2::Kernel::new(constants)?)),
            #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
            Backend::Avx2 => return None,
            Backend::Emulated => Kernel::Emulated(ifma::Kernel::new(Emulated, constants)?),
        }))
    }

    /// `P(x)[0] + x[0]` of eight states. `word(i, k)` is element `k` of state `i`, an integer below the modulus.
    #[must_use]
    pub fn compress(&self, form: Form, word: impl FnMut(usize, usize) -> [u64; 4]) -> [Fr; WIDTH] {
        match &self.0 {
            Kernel::Avx512(kernel) => kernel.compress(form, word),
            #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
            Kernel::Avx2(kernel) => kernel.compress(form, word),
            Kernel::Emulated(kernel) => kernel.compress(form, word),
        }
    }
}
