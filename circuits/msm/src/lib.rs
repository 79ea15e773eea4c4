//! Multi-scalar multiplication in both groups of BN254: the sum of `scalars[i] · bases[i]`.
//!
//! - [`msm_g1`], [`msm_g2`]: for any points of the groups and any scalars;
//! - `digits`: scalars cut into signed digits, window by window;
//! - `window`: points of one window sorted by digit, summed digit by digit, and the sums weighted;
//! - `batch`: sums of runs of points, pair by pair, with one inversion for all pairs of a round;
//! - `coordinate`: the two fields of coordinates, on [`bailiwick_field::base`].
//!
//! Pippenger's method with affine buckets (gnark-crypto's; <https://ia.cr/2022/1396>, section 5.3), turned round: instead of adding points one
//! after another to buckets that must then be distinct, each window sorts its points by digit and adds neighbours in pairs, so that
//! additions are independent by construction and their results lie where the next round reads.
//! `docs/adr/0013-multi-scalar-multiplication.md` says what was measured.
//!
//! Work is split over rayon's current pool. Nothing is constant time.

mod batch;
mod coordinate;
mod digits;
mod window;

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr as _, VariableBaseMSM as _};
use ark_ff::AdditiveGroup as _;
use bailiwick_field::base::{Backend, Visit, dispatch};
use rayon::prelude::*;

use coordinate::Coordinate;
use digits::Digits;

/// Below this many points arkworks' own multiplication is faster.
const FEW: usize = 64;

/// The sum of `scalars[i] · bases[i]`; what is longer is cut to the shorter length. Points must be in the group, infinity among them.
pub fn msm_g1(bases: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    msm(bases, scalars)
}

/// [`msm_g1`] in the second group.
pub fn msm_g2(bases: &[G2Affine], scalars: &[Fr]) -> G2Projective {
    msm(bases, scalars)
}

fn msm<P>(bases: &[Affine<P>], scalars: &[Fr]) -> Projective<P>
where
    P: SWCurveConfig<ScalarField = Fr>,
    P::BaseField: Coordinate,
{
    let n = bases.len().min(scalars.len());
    let (bases, scalars) = (&bases[..n], &scalars[..n]);
    if n < FEW {
        return Projective::<P>::msm_unchecked(bases, scalars);
    }
    dispatch(Windows { bases, scalars })
}

/// All windows, and their sum.
struct Windows<'a, P: SWCurveConfig> {
    bases: &'a [Affine<P>],
    scalars: &'a [Fr],
}

impl<P> Visit for Windows<'_, P>
where
    P: SWCurveConfig<ScalarField = Fr>,
    P::BaseField: Coordinate,
{
    type Out = Projective<P>;

    fn visit<B: Backend>(self, backend: B) -> Projective<P> {
        let bits = digits::width(self.bases.len());
        let digits = Digits::new(self.scalars, |i| self.bases[i].is_zero(), bits);
        let sums: Vec<Projective<P>> = (0..digits.windows())
            .into_par_iter()
            .map_init(
                || window::Scratch::new(backend),
                |scratch, w| scratch.window_sum(self.bases, digits.window(w), bits),
            )
            .collect();
        sums.iter().rev().fold(Projective::ZERO, |mut total, sum| {
            for _ in 0..bits {
                total.double_in_place();
            }
            total + sum
        })
    }
}
