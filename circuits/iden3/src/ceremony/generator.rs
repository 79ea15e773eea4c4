//! The generator of snarkjs: ChaCha20 with a seed of eight big-endian words, and how scalars and points are drawn.
//!
//! Facts from ffjavascript 0.3 (`chacha.js`, `wasm_field1.js`, `wasm_curve.js`): a field element is four 64-bit words
//! (each two outputs, the higher first), the lowest word first, cut to 254 bits, drawn again until below the modulus,
//! and *taken as its Montgomery form*. A point draws x, then one bit that chooses the larger y, until x is on the curve.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, G2Projective};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ec::{CurveConfig, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, Field, Fp, MontBackend, MontConfig, PrimeField};
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

/// Bits kept of the highest word: both moduli have 254.
const TOP_MASK: u64 = u64::MAX >> 2;

/// Wiped on drop.
pub(super) struct Generator(ChaCha20Rng);

impl Generator {
    /// Seeded by eight big-endian words.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let mut words = Zeroizing::new(*seed);
        // The generator takes its words little-endian.
        words.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        Self(ChaCha20Rng::from_seed(*words))
    }

    fn word(&mut self) -> u64 {
        let high = u64::from(self.0.next_u32());
        high << 32 | u64::from(self.0.next_u32())
    }

    fn field<M: MontConfig<4>>(&mut self) -> Fp<MontBackend<M, 4>, 4> {
        loop {
            let mut raw = Zeroizing::new([0; 4]);
            for limb in raw.iter_mut() {
                *limb = self.word();
            }
            raw[3] &= TOP_MASK;
            if BigInt(*raw) < M::MODULUS {
                return Fp::new_unchecked(BigInt(*raw));
            }
        }
    }

    /// A scalar: the secret of a contribution.
    pub(super) fn scalar(&mut self) -> Zeroizing<Fr> {
        Zeroizing::new(self.field())
    }

    /// A point of G1 whose logarithm nobody knows.
    pub(super) fn g1(&mut self) -> G1Affine {
        loop {
            let x: Fq = self.field();
            let larger = self.0.next_u32() & 1 == 1;
            if let Some(y) = (x.square() * x + ark_bn254::g1::Config::COEFF_B).sqrt() {
                let y = if is_larger(y) == larger { y } else { -y };
                return G1Affine::new_unchecked(x, y);
            }
        }
    }

    /// A point of G2 whose logarithm nobody knows: a point of the curve times the cofactor.
    pub(super) fn g2(&mut self) -> G2Affine {
        loop {
            let x = Fq2::new(self.field(), self.field());
            let larger = self.0.next_u32() & 1 == 1;
            if let Some(y) = (x.square() * x + ark_bn254::g2::Config::COEFF_B).sqrt() {
                // As ffjavascript: by the second coordinate, unless it is zero.
                let y_is_larger = is_larger(if y.c1 == Fq::ZERO { y.c0 } else { y.c1 });
                let y = if y_is_larger == larger { y } else { -y };
                return times_cofactor(G2Affine::new_unchecked(x, y));
            }
        }
    }
}

/// Plain double-and-add: the cofactor is above the group's order, so nothing that reduces scalars may be used.
fn times_cofactor(point: G2Affine) -> G2Affine {
    let mut sum = G2Projective::ZERO;
    for limb in ark_bn254::g2::Config::COFACTOR.iter().rev() {
        for bit in (0..64).rev() {
            sum.double_in_place();
            if limb >> bit & 1 == 1 {
                sum += point;
            }
        }
    }
    sum.into_affine()
}

fn is_larger(y: Fq) -> bool {
    y.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

/// The point of G2 a hash names: the first 32 of its 64 bytes seed a generator.
pub(super) fn hash_to_g2(hash: &[u8; 64]) -> G2Affine {
    let mut seed = [0; 32];
    seed.copy_from_slice(hash.first_chunk::<32>().map_or(&[0; 32], |s| s));
    Generator::new(&seed).g2()
}
