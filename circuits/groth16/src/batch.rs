//! Many proofs under one key, checked by one equation (Blazy, Fuchsbauer, Izabachène, Jambert, Sibert and Vergnaud, "Batch
//! Groth-Sahai", ACNS 2010, section 3: the small-exponents test of Bellare, Garay and Rabin, Eurocrypt 1998, for pairings).
//!
//! With coefficients r_i the n equations become
//! `prod e(r_i·A_i, B_i) · e(-sum r_i·alpha, beta) · e(-sum r_i·IC(x_i), gamma) · e(-sum r_i·C_i, delta) = 1`:
//! n + 3 Miller loops and one final exponentiation instead of 3n and n. If any equation is false, the product is 1 for at most
//! one in 2^127 choices of the coefficients. They are a hash of the key, every input and every proof, so nobody can choose a
//! proof after its coefficient, and the same batch always gets the same answer.

use ark_bn254::g1::Config as G1Config;
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Zero};
use ark_serialize::CanonicalSerialize;
use bailiwick_protocol::labels::Label;

use crate::key::PreparedVerifyingKey;
use crate::proof::Proof;
use crate::verify::VerifyError;

/// Bytes of a coefficient: soundness error 2^-128.
const COEFFICIENT_BYTES: usize = 16;

/// Proofs whose equations are multiplied together: past this, the final exponentiation and the three pairs that are paid
/// once are below one part in a hundred, and one false proof spoils no more than its own part.
const PART: usize = 256;

/// One statement and its proof.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    /// Public inputs.
    pub inputs: &'a [Fr],
    /// The proof.
    pub proof: &'a Proof,
}

impl PreparedVerifyingKey {
    /// Whether each proof shows its statement: the same answers as [`PreparedVerifyingKey::verify`] one by one, in order, but
    /// for an error of at most one in 2^127 that takes a false proof for a true one. Equal batches give equal answers.
    ///
    /// # Errors
    /// Per proof, as [`PreparedVerifyingKey::verify`]. Parts that hold a false proof are verified one by one to name it.
    #[must_use]
    pub fn verify_batch(&self, batch: &[Claimed<'_>]) -> Vec<Result<(), VerifyError>> {
        let seed = self.seed(batch);
        let part = |(i, part): (usize, &[Claimed<'_>])| -> Vec<Result<(), VerifyError>> {
            let counted = part.iter().all(|c| c.inputs.len() == self.inputs());
            if counted && part.len() > 1 && self.holds_together(part, &seed, i) {
                return vec![Ok(()); part.len()];
            }
            part.iter().map(|c| self.verify(c.inputs, c.proof)).collect()
        };
        #[cfg(feature = "parallel")]
        {
            use rayon::prelude::*;
            batch.par_chunks(PART).enumerate().flat_map_iter(part).collect()
        }
        #[cfg(not(feature = "parallel"))]
        batch.chunks(PART).enumerate().flat_map(part).collect()
    }

    /// Hash of key, number, inputs and proofs, each of fixed length or counted.
    fn seed(&self, batch: &[Claimed<'_>]) -> [u8; 32] {
        let mut h = blake3::Hasher::new_derive_key(Label::BatchCoefficients.as_str());
        h.update(self.digest().as_bytes());
        h.update(&(batch.len() as u64).to_le_bytes());
        let mut input_bytes = Vec::with_capacity(32);
        for c in batch {
            h.update(&(c.inputs.len() as u64).to_le_bytes());
            for x in c.inputs {
                input_bytes.clear();
                x.serialize_compressed(&mut input_bytes).expect("a vector takes all that is written to it");
                h.update(&input_bytes);
            }
            h.update(&c.proof.to_bytes());
        }
        h.finalize().into()
    }

    fn holds_together(&self, part: &[Claimed<'_>], seed: &[u8; 32], number: usize) -> bool {
        let halves = coefficients(seed, number, part.len());
        let coefficients: Vec<Fr> =
            halves.iter().map(|[low, high]| Fr::from(*low) + G1Config::LAMBDA * Fr::from(*high)).collect();
        let vk = &self.inner().vk;
        let sum: Fr = coefficients.iter().sum();
        let c: Vec<G1Affine> = part.iter().map(|p| p.proof.inner().c).collect();
        let Ok(c) = G1Projective::msm(&c, &coefficients) else { return false };
        // IC is linear: one combination of the key's few points, not one per proof.
        let mut ic = vk.gamma_abc_g1[0] * sum;
        for (j, point) in vk.gamma_abc_g1.iter().skip(1).enumerate() {
            ic += *point * part.iter().zip(&coefficients).map(|(p, r)| p.inputs[j] * r).sum::<Fr>();
        }
        let mut left: Vec<G1Projective> =
            part.iter().zip(&halves).map(|(p, r)| times(&p.proof.inner().a, *r)).collect();
        left.extend([-(vk.alpha_g1 * sum), -ic, -c]);
        let left = G1Projective::normalize_batch(&left);
        let mut right: Vec<G2Affine> = part.iter().map(|p| p.proof.inner().b).collect();
        right.extend([vk.beta_g2, vk.gamma_g2, vk.delta_g2]);
        Bn254::multi_pairing(left, right).is_zero()
    }
}

/// Coefficients of one part: two halves of 64 bits, `low + high lambda` with the eigenvalue `lambda` of the curve's endomorphism (Gallant, Lambert and
/// Vanstone, Crypto 2001). No two pairs of halves give one coefficient: the numbers (a, b) with a + b `lambda` = 0 are a lattice whose reduced basis has
/// entries of 127 bits (the test below), so none but (0, 0) has both below 2^64 in magnitude. Never zero, which would leave a proof out: (1, 0) stands for (0, 0)
/// too, so that a false proof passes for at most one in 2^127 choices.
fn coefficients(seed: &[u8; 32], number: usize, count: usize) -> Vec<[u64; 2]> {
    let mut reader = blake3::Hasher::new_keyed(seed).update(&(number as u64).to_le_bytes()).finalize_xof();
    let mut next = || {
        let mut bytes = [0; COEFFICIENT_BYTES];
        reader.fill(&mut bytes);
        let (halves, _) = bytes.as_chunks::<8>();
        let [low, high] = [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])];
        if [low, high] == [0, 0] { [1, 0] } else { [low, high] }
    };
    (0..count).map(|_| next()).collect()
}

/// `(low + high lambda) P`: the endomorphism multiplies by `lambda`, so both halves are read at once (Straus), at half the doublings.
fn times(point: &G1Affine, [low, high]: [u64; 2]) -> G1Projective {
    let moved = G1Config::endomorphism_affine(point);
    let both = (*point + moved).into_affine();
    let mut sum = G1Projective::zero();
    for bit in (0..u64::BITS).rev() {
        sum.double_in_place();
        match (low >> bit & 1, high >> bit & 1) {
            (1, 1) => sum += both,
            (1, 0) => sum += *point,
            (0, 1) => sum += moved,
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use ark_ec::AffineRepr as _;

    use super::*;

    /// The product by halves is the product by the coefficient whose halves they are.
    #[test]
    fn halves_multiply_as_their_coefficient() {
        let point = (G1Affine::generator() * Fr::from(1234u64)).into_affine();
        let edges = [0, 1, 2, u64::MAX, 1 << 63, 0x0123_4567_89ab_cdef];
        for low in edges {
            for high in edges {
                let r = Fr::from(low) + G1Config::LAMBDA * Fr::from(high);
                assert_eq!(times(&point, [low, high]), point * r, "{low} {high}");
                assert_eq!(r.is_zero(), low == 0 && high == 0);
            }
        }
    }

    /// The lattice {(a, b): a + b lambda = 0 mod r} has determinant r and, with this basis, no short vector but (0, 0): an integer combination with both
    /// numbers below 2^64 would, solved by Cramer's rule, have coefficients below one.
    #[test]
    fn halves_give_distinct_coefficients() {
        let number = |s: &str| Fr::from(s.parse::<u128>().expect("a number"));
        let (small, large) =
            (number("9931322734385697763"), number("147946756881789319010696353538189108491"));
        let other = number("147946756881789319000765030803803410728");
        assert!((-small - large * G1Config::LAMBDA).is_zero());
        assert!((other - small * G1Config::LAMBDA).is_zero());
        // The determinant, small^2 + large other: a multiple of r, and below 2r, as both large numbers are below 2^127. So these two are a basis.
        assert!((small * small + large * other).is_zero());
    }
}
