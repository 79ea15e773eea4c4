//! Multi-scalar multiplication, on the threads of the current pool: a proof obeys the limits of the pool it is made in.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ff::PrimeField;
use rayon::prelude::*;
use taceo_ark_algebra::msm::msm_bigint;

/// Σ scalar · point, over as many as there are of both.
pub(crate) fn msm_g1(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    msm_bigint(points, &integers(scalars))
}

/// [`msm_g1`] in G2.
pub(crate) fn msm_g2(points: &[G2Affine], scalars: &[Fr]) -> G2Projective {
    msm_bigint(points, &integers(scalars))
}

fn integers(scalars: &[Fr]) -> Vec<<Fr as PrimeField>::BigInt> {
    scalars.par_iter().map(|s| s.into_bigint()).collect()
}
