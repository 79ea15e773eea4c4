//! Batched arithmetic in the fields of BN254: eight elements side by side, in the doubles of AVX2 and FMA, or in the integers of AVX-512 IFMA.
//!
//! - [`modulus`]: the two fields, as limbs;
//! - [`lanes`]: eight elements, [`Lanes`](lanes::Lanes), and their way in and out;
//! - [`fft`]: transforms between coefficients and values over the scalar field;
//! - [`product`]: Montgomery multiplication, by assembly and by integers (the oracle);
//! - [`base`]: what addition of affine points needs of the base field, for any processor;
//! - [`ifma`]: the same for five limbs of 52 bits as integers, over AVX-512 or emulated;
//! - [`poseidon2`]: eight Poseidon2 permutations of width 16 at once.
//!
//! An element is five signed limbs of 51 bits, each held in a double, and `R = 2^255`. A product of two limbs is split by two
//! fused multiply-adds into `q 2^51 + r` without loss: `h = fma(a, b, 1.5·2^103)` rounds the product to a multiple of 2^51, since that
//! is the distance of doubles from 2^103 to 2^104, and `fma(a, b, -(h - c))` is the rest, exact. Read as integers, both doubles are `q`
//! and `r` plus a constant, so columns are summed as 64-bit integers and all constants are taken off at once, where a column starts
//! (N. Emmart, *Faster modular exponentiation using double precision floating point arithmetic on the GPU*, ARITH 2018, who
//! rounds towards zero with 52 bits; to the nearest with 51 bits leaves the processor's rounding mode alone).
//!
//! Nothing here is constant time by intent, although no branch of the kernels depends on a value (reading elements back does); what is hashed and proven is ciphertext.

#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
mod avx2;
pub mod base;
pub mod fft;
pub mod ifma;
pub mod lanes;
pub mod modulus;
pub mod poseidon2;
pub mod product;
