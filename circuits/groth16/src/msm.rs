//! Multi-scalar multiplication, on the threads of the current pool: a proof obeys the limits of the pool it is made in.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};

/// Σ scalar · point, over as many as there are of both.
pub(crate) fn msm_g1(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    bailiwick_msm::msm_g1(points, scalars)
}

/// [`msm_g1`] in G2.
pub(crate) fn msm_g2(points: &[G2Affine], scalars: &[Fr]) -> G2Projective {
    bailiwick_msm::msm_g2(points, scalars)
}
