//! Whether a proving key made by someone else is what an honest set-up gives (subversion zero knowledge: Fuchsbauer,
//! "Subversion-Zero-Knowledge SNARKs", PKC 2018, for Groth16).
//!
//! A host that distrusts the auditor who made the key runs [`ProvingKey::check`] once. If it passes, then except
//! with probability about 2^-120 there are alpha, beta, gamma, delta, tau for which every element of the key is the
//! one of the paper's section 3.2 for exactly these matrices; so honest proofs always verify, A and B are uniform,
//! and C is determined by them and the statement: the proof's distribution does not depend on the witness.
//! It does not cover who knows those scalars: soundness still rests on the auditor.

use std::io::{BufReader, Read, Write};

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{PrimeField, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Valid};
use rand_core::CryptoRng;

use crate::matrices::{Matrices, Side};
use crate::proving_key::{KeyShape, ProvingKey, ProvingKeyError};
use crate::setup::domain;

/// What a set-up publishes beside the key so that the key can be checked: powers of its secret point.
#[derive(Clone, Debug, PartialEq, Eq, CanonicalSerialize, CanonicalDeserialize)]
pub struct Transcript {
    /// tau^k · G1, k below the domain size.
    pub(crate) tau_g1: Vec<G1Affine>,
    /// tau · G2.
    pub(crate) tau_g2: G2Affine,
    /// (tau^m − 1) · G2, m the domain size.
    pub(crate) vanishing_g2: G2Affine,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistency {
    /// Key, transcript and matrices are not of one circuit.
    #[error("key, transcript and circuit do not belong together")]
    Circuit,
    /// A point is off its curve or outside its subgroup.
    #[error("a point is outside its group")]
    Group,
    /// The transcript is not the powers of one number.
    #[error("the transcript is not a sequence of powers")]
    Powers,
    /// An element has another value in G1 than in G2.
    #[error("{0} differs between G1 and G2")]
    TwoGroups(&'static str),
    /// Points of a query are not what the circuit gives.
    #[error("the {0} query is not that of the circuit")]
    Query(&'static str),
}

impl Transcript {
    /// Writes it, uncompressed.
    ///
    /// # Errors
    /// What `to` reports.
    pub fn write_to(&self, to: &mut impl Write) -> Result<(), ProvingKeyError> {
        self.serialize_uncompressed(to).map_err(|e| match e {
            ark_serialize::SerializationError::IoError(e) => ProvingKeyError::Io(e),
            _ => ProvingKeyError::Malformed,
        })
    }

    /// Reads it. Its count of powers must be the domain of `shape`: another one is refused after 8 bytes. Decoding checks
    /// range, curve and subgroup of every point; that they are powers is checked by [`ProvingKey::check`], the only
    /// thing it is good for. Memory: 64 bytes a row of the domain.
    ///
    /// # Errors
    /// `Shape`, malformed, or what `from` reports.
    pub fn read_from(from: &mut impl Read, shape: &KeyShape) -> Result<Self, ProvingKeyError> {
        let mut count = [0; 8];
        from.read_exact(&mut count)?;
        if u64::from_le_bytes(count) != shape.domain {
            return Err(ProvingKeyError::Shape);
        }
        // The powers, two points of G2, and one byte that must not be there.
        let body = from.take(64 * shape.domain + 2 * 128 + 1);
        let mut rest = BufReader::new(count.as_slice().chain(body));
        let transcript = Self::deserialize_uncompressed(&mut rest).map_err(|_| ProvingKeyError::Malformed)?;
        if rest.read(&mut [0])? == 0 { Ok(transcript) } else { Err(ProvingKeyError::Malformed) }
    }
}

/// Products of pairings are compared as sums: e(a1, b1) + e(a2, b2) + … over these pairs.
fn pairings<const N: usize>(pairs: [(G1Projective, G2Projective); N]) -> PairingOutput<Bn254> {
    Bn254::multi_pairing(pairs.map(|p| p.0.into_affine()), pairs.map(|p| p.1.into_affine()))
}

fn equal(a: (G1Projective, G2Projective), b: (G1Projective, G2Projective)) -> bool {
    pairings([a]) == pairings([b])
}

fn sum_g1(points: &[G1Affine], weights: &[Fr]) -> G1Projective {
    G1Projective::msm(points, weights).unwrap_or_default()
}

fn sum_g2(points: &[G2Affine], weights: &[Fr]) -> G2Projective {
    G2Projective::msm(points, weights).unwrap_or_default()
}

fn draw(count: usize, rng: &mut impl CryptoRng) -> Vec<Fr> {
    let mut word = [0u8; 16];
    (0..count)
        .map(|_| {
            rng.fill_bytes(&mut word);
            Fr::from_le_bytes_mod_order(&word)
        })
        .collect()
}

impl ProvingKey {
    /// Checks every element of the key against `matrices`, by random linear combinations and 18 pairings (two more
    /// compared delta when the key was read). Costs a subgroup check of every point and about ten multi-scalar multiplications.
    ///
    /// `rng` must be unknown to whoever made the key.
    ///
    /// # Errors
    /// The first [`Inconsistency`].
    pub fn check(
        &self,
        matrices: &Matrices,
        transcript: &Transcript,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Inconsistency> {
        let domain = domain(matrices).ok_or(Inconsistency::Circuit)?;
        let size = domain.size();
        let fits = KeyShape::of(matrices).is_ok_and(|shape| self.fits(&shape));
        if !fits || self.circuit() != matrices.digest() || transcript.tau_g1.len() != size {
            return Err(Inconsistency::Circuit);
        }
        self.inner().check().map_err(|_| Inconsistency::Group)?;
        transcript.check().map_err(|_| Inconsistency::Group)?;
        let powers = check_powers(transcript, &draw(size - 1, rng))?;
        // delta was compared when the key was read or made.
        let (g1, g2) = (G1Affine::generator().into_group(), G2Affine::generator().into_group());
        if !equal((self.inner().beta_g1.into_group(), g2), (g1, self.inner().vk.beta_g2.into_group())) {
            return Err(Inconsistency::TwoGroups("beta"));
        }
        self.check_queries(matrices, &domain, transcript, &draw(matrices.variables(), rng))?;

        let h = sum_g1(&self.inner().h_query, &powers.weights);
        let delta = self.inner().vk.delta_g2.into_group();
        if equal((h, delta), (powers.sum, transcript.vanishing_g2.into_group())) {
            Ok(())
        } else {
            Err(Inconsistency::Query("H"))
        }
    }

    fn check_queries(
        &self,
        matrices: &Matrices,
        domain: &Radix2EvaluationDomain<Fr>,
        transcript: &Transcript,
        weights: &[Fr],
    ) -> Result<(), Inconsistency> {
        let (pk, n) = (self.inner(), matrices.instance_variables());
        // Σ weight_i · (polynomial of variable i) at tau, in G1, from the matrix alone.
        let at_tau = |side: Side, weights: &[Fr], instance_rows: bool| {
            let mut values: Vec<Fr> =
                matrices.matrix(side).map(|row| row.map(|(k, column)| k * weights[column]).sum()).collect();
            if instance_rows {
                values.extend_from_slice(&weights[..n]);
            }
            sum_g1(&transcript.tau_g1, &domain.ifft(&values))
        };
        if sum_g1(&pk.a_query, weights) != at_tau(Side::A, weights, true) {
            return Err(Inconsistency::Query("A"));
        }
        let b_g1 = sum_g1(&pk.b_g1_query, weights);
        if b_g1 != at_tau(Side::B, weights, false) {
            return Err(Inconsistency::Query("B in G1"));
        }
        let (g1, g2) = (G1Affine::generator().into_group(), G2Affine::generator().into_group());
        if !equal((b_g1, g2), (g1, sum_g2(&pk.b_g2_query, weights))) {
            return Err(Inconsistency::Query("B in G2"));
        }
        for (name, points, scale, part) in [
            ("input", &pk.vk.gamma_abc_g1, pk.vk.gamma_g2, 0..n),
            ("L", &pk.l_query, pk.vk.delta_g2, n..matrices.variables()),
        ] {
            let mut only = vec![Fr::zero(); weights.len()];
            only[part.clone()].copy_from_slice(&weights[part.clone()]);
            let found = pairings([(sum_g1(points, &weights[part.clone()]), scale.into_group())]);
            let u = sum_g1(&pk.a_query[part.clone()], &weights[part.clone()]);
            let v = sum_g2(&pk.b_g2_query[part.clone()], &weights[part]);
            let expected = pairings([
                (u, pk.vk.beta_g2.into_group()),
                (pk.vk.alpha_g1.into_group(), v),
                (at_tau(Side::C, &only, false), g2),
            ]);
            if found != expected {
                return Err(Inconsistency::Query(name));
            }
        }
        Ok(())
    }
}

/// A random combination of all powers but the last.
struct Combination {
    weights: Vec<Fr>,
    sum: G1Projective,
}

fn check_powers(transcript: &Transcript, weights: &[Fr]) -> Result<Combination, Inconsistency> {
    let Transcript { tau_g1, tau_g2, vanishing_g2 } = transcript;
    let (Some((first, shifted)), Some((last, all_but_last))) = (tau_g1.split_first(), tau_g1.split_last())
    else {
        return Err(Inconsistency::Powers);
    };
    let (g1, g2) = (G1Affine::generator().into_group(), G2Affine::generator().into_group());
    let sum = sum_g1(all_but_last, weights);
    let geometric = equal((sum_g1(shifted, weights), g2), (sum, tau_g2.into_group()));
    let vanishing = equal((last.into_group(), tau_g2.into_group()), (g1, g2 + vanishing_g2));
    if *first != G1Affine::generator() || !geometric || !vanishing || vanishing_g2.is_zero() {
        return Err(Inconsistency::Powers);
    }
    Ok(Combination { weights: weights.to_vec(), sum })
}
