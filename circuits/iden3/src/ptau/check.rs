//! Whether the elements of a file are the powers of one tau, with one alpha and one beta.
//!
//! Sequences are compared by random linear combinations with 128-bit weights: a wrong element passes with probability
//! 2^-128. What is *not* checked is who knows tau: that rests on the contributions of phase 1.

use std::io::{Read, Seek};

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::PrimeField;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand_core::CryptoRng;

use super::{Ptau, PtauError, section};
use crate::points::{Point, PointFault};

/// Points combined at once.
const PIECE: u64 = 1 << 16;

/// tau and beta as they stand in the file.
struct Anchors {
    tau1: G1Affine,
    tau2: G2Affine,
    beta1: G1Affine,
    beta2: G2Affine,
}

impl<R: Read + Seek> Ptau<R> {
    /// Checks sections 2 to 6 whole, and of sections 12 to 15 what a circuit of 2^`circuit_power` rows uses.
    ///
    /// `rng` must be unknown to whoever made the file.
    ///
    /// # Errors
    /// [`PtauError`]: `Inconsistent` names the section; `NoContribution` when tau, alpha or beta is 1, or the record of contributions is empty.
    pub fn check(&mut self, circuit_power: u32, rng: &mut impl CryptoRng) -> Result<(), PtauError> {
        use section::{ALPHA, BETA, L_ALPHA, L_BETA, L_TAU_G1, L_TAU_G2, TAU_G1, TAU_G2};
        if circuit_power > self.power() {
            return Err(PtauError::TooSmall { power: self.power(), needed: circuit_power });
        }
        // Before anything that takes time.
        if !self.is_prepared() {
            return Err(PtauError::NotPrepared);
        }
        // The record proves nothing to us (snarkjs verifies it); without one not even its maker says that anybody else took part.
        if self.contributions() == 0 {
            return Err(PtauError::NoContribution);
        }
        let anchors = self.anchors()?;
        let n = 1u64 << self.power();
        self.powers_g1(TAU_G1, 2 * n - 1, anchors.tau2, rng)?;
        self.powers_g1(ALPHA, n, anchors.tau2, rng)?;
        self.powers_g1(BETA, n, anchors.tau2, rng)?;
        self.powers_g2(n, anchors.tau1, rng)?;
        if !same_ratio(generator1(), anchors.beta1.into(), generator2(), anchors.beta2.into()) {
            return Err(PtauError::Inconsistent { section: section::BETA_G2 });
        }
        self.lagrange_form::<G1Affine>(TAU_G1, L_TAU_G1, circuit_power, rng)?;
        self.lagrange_form::<G1Affine>(TAU_G1, L_TAU_G1, circuit_power + 1, rng)?;
        self.lagrange_form::<G2Affine>(TAU_G2, L_TAU_G2, circuit_power, rng)?;
        self.lagrange_form::<G1Affine>(ALPHA, L_ALPHA, circuit_power, rng)?;
        self.lagrange_form::<G1Affine>(BETA, L_BETA, circuit_power, rng)
    }

    /// The first elements: generators where they belong, nothing at infinity, no secret equal to 1.
    fn anchors(&mut self) -> Result<Anchors, PtauError> {
        use section::{ALPHA, BETA, BETA_G2, TAU_G1, TAU_G2};
        let (one1, tau1) = (self.point::<G1Affine>(TAU_G1, 0)?, self.point(TAU_G1, 1)?);
        let (one2, tau2) = (self.point::<G2Affine>(TAU_G2, 0)?, self.point(TAU_G2, 1)?);
        let (alpha1, beta1) = (self.point::<G1Affine>(ALPHA, 0)?, self.point(BETA, 0)?);
        let beta2 = self.point::<G2Affine>(BETA_G2, 0)?;
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        for (wrong, section) in [(one1 != g1, TAU_G1), (one2 != g2, TAU_G2)] {
            if wrong {
                return Err(PtauError::Inconsistent { section });
            }
        }
        let identity = |section, index| PtauError::Point { section, index, fault: PointFault::Identity };
        for (point, section, index) in [(tau1, TAU_G1, 1), (alpha1, ALPHA, 0), (beta1, BETA, 0)] {
            if point.is_zero() {
                return Err(identity(section, index));
            }
            if point == g1 {
                return Err(PtauError::NoContribution);
            }
        }
        for (point, section, index) in [(tau2, TAU_G2, 1), (beta2, BETA_G2, 0)] {
            if point.is_zero() {
                return Err(identity(section, index));
            }
            if !point.in_subgroup() {
                return Err(PtauError::Point { section, index, fault: PointFault::OffSubgroup });
            }
        }
        Ok(Anchors { tau1, tau2, beta1, beta2 })
    }

    /// Each point of a G1 section is tau times the one before.
    fn powers_g1(
        &mut self,
        kind: u32,
        count: u64,
        tau2: G2Affine,
        rng: &mut impl CryptoRng,
    ) -> Result<(), PtauError> {
        let (lower, upper) = self.shifted::<G1Affine>(kind, count, rng)?;
        if same_ratio(lower, upper, generator2(), tau2.into()) {
            Ok(())
        } else {
            Err(PtauError::Inconsistent { section: kind })
        }
    }

    fn powers_g2(&mut self, count: u64, tau1: G1Affine, rng: &mut impl CryptoRng) -> Result<(), PtauError> {
        let (lower, upper) = self.shifted::<G2Affine>(section::TAU_G2, count, rng)?;
        if same_ratio(generator1(), tau1.into(), lower, upper) {
            Ok(())
        } else {
            Err(PtauError::Inconsistent { section: section::TAU_G2 })
        }
    }

    /// Σ r_i · P_i and Σ r_i · P_(i+1), i < count − 1. Points of G2 are checked for their subgroup on the way: both
    /// sums being in it follows from nothing else.
    fn shifted<P: Point>(
        &mut self,
        kind: u32,
        count: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(P::Group, P::Group), PtauError>
    where
        P::Group: VariableBaseMSM<MulBase = P>,
    {
        let wrong = |_| PtauError::Inconsistent { section: kind };
        let (mut lower, mut upper) = (P::Group::default(), P::Group::default());
        let mut at = 0;
        while at + 1 < count {
            let n = PIECE.min(count - 1 - at);
            let points = self.points::<P>(kind, at, n + 1)?;
            in_subgroup(&points, kind, at)?;
            let weights = weights(n, rng);
            let (Some((_, after)), Some((_, before))) = (points.split_first(), points.split_last()) else {
                break;
            };
            lower += P::Group::msm(before, &weights).map_err(wrong)?;
            upper += P::Group::msm(after, &weights).map_err(wrong)?;
            at += n;
        }
        Ok((lower, upper))
    }

    /// Σ r_i · tau^i from the powers equals Σ_j R(w^j) · L_j, where R is the polynomial with coefficients r.
    fn lagrange_form<P: Point>(
        &mut self,
        powers: u32,
        kind: u32,
        power: u32,
        rng: &mut impl CryptoRng,
    ) -> Result<(), PtauError>
    where
        P::Group: VariableBaseMSM<MulBase = P>,
    {
        let n = 1u64 << power;
        // The largest domain of section 12 is one larger than there are powers: the last one counts as infinity, as when it was
        // prepared. It has a weight like the others: without one, multiples of w^j could be added to every L_j unseen, and a forger
        // finds them in H (the last power is what H is divided by).
        let there = if power > self.power() { n - 1 } else { n };
        let r = weights(n, rng);
        let wrong = |_| PtauError::Inconsistent { section: kind };
        let powers = self.points::<P>(powers, 0, there)?;
        let from_powers = P::Group::msm(&powers, &r[..powers.len()]).map_err(wrong)?;
        let domain =
            Radix2EvaluationDomain::<Fr>::new(1 << power).ok_or(PtauError::Power { power: self.power() })?;
        let lagrange = self.lagrange::<P>(kind, power)?;
        in_subgroup(&lagrange, kind, n - 1)?;
        let from_lagrange = P::Group::msm(&lagrange, &domain.fft(&r)).map_err(wrong)?;
        if from_powers == from_lagrange { Ok(()) } else { Err(PtauError::Inconsistent { section: kind }) }
    }
}

fn in_subgroup<P: Point>(points: &[P], section: u32, start: u64) -> Result<(), PtauError> {
    use rayon::prelude::*;
    match points.par_iter().position_first(|p| !p.in_subgroup()) {
        None => Ok(()),
        Some(i) => Err(PtauError::Point { section, index: start + i as u64, fault: PointFault::OffSubgroup }),
    }
}

/// e(a1, b2) = e(a2, b1): a2/a1 = b2/b1. False when any of them is infinity.
pub(crate) fn same_ratio(a1: G1Projective, a2: G1Projective, b1: G2Projective, b2: G2Projective) -> bool {
    use ark_ff::Zero;
    if a1.is_zero() || a2.is_zero() || b1.is_zero() || b2.is_zero() {
        return false;
    }
    Bn254::multi_pairing([a1.into_affine(), (-a2).into_affine()], [b2.into_affine(), b1.into_affine()])
        .is_zero()
}

fn generator1() -> G1Projective {
    G1Affine::generator().into()
}

fn generator2() -> G2Projective {
    G2Affine::generator().into()
}

/// Random scalars of 128 bits.
pub(crate) fn weights(count: u64, rng: &mut impl CryptoRng) -> Vec<Fr> {
    let mut word = [0u8; 16];
    (0..count)
        .map(|_| {
            rng.fill_bytes(&mut word);
            Fr::from_le_bytes_mod_order(&word)
        })
        .collect()
}
