//! Key generation from the matrices of a circuit (Groth, Eurocrypt 2016, section 3.2), over the standard generators.
//!
//! The matrices are synthesised once and kept by the caller, progress is reported, and every secret scalar that
//! has a name here, and every vector of them, is wiped when dropped: the five of the trapdoor are `Zeroizing`, so
//! the compiler refuses to copy them silently. Not wiped, because it is out of reach from here: scalars on their
//! way through function arguments, results and temporaries of an expression (field elements are `Copy`), copies
//! that the multiplication and FFT code of `ark-ec` and `ark-poly` makes on the stack and heap, and registers.
//! Who needs more runs the set-up in a process of its own and ends it.

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::scalar_mul::{BatchMulPreprocessing, ScalarMul};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, One, PrimeField, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::key::{KeyError, VerifyingKey};
use crate::matrices::{Matrices, Side};
use crate::proving_key::ProvingKey;
use crate::subversion::Transcript;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// More constraints than the scalar field has roots of unity for (2^28).
    #[error("{constraints} constraints are more than a domain of the scalar field holds")]
    TooLarge {
        /// Constraints of the system.
        constraints: usize,
    },
    /// The key came out degenerate: a variable or input that no constraint uses, or a broken random generator.
    #[error("the generated key is degenerate: {0}")]
    Key(#[from] KeyError),
}

/// What a set-up is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupPhase {
    /// Evaluating the circuit's polynomials at the secret point.
    Polynomials,
    /// Points of G2.
    PointsG2,
    /// Points of G1.
    PointsG1,
}

/// How far a set-up is. Units are G1 scalar multiplications; one in G2 counts three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupProgress {
    /// What it is doing.
    pub phase: SetupPhase,
    /// Units done, `0..=total`.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// The secrets of a set-up: who knows them forges. Wiped on drop.
pub(crate) struct Trapdoor {
    pub(crate) alpha: Zeroizing<Fr>,
    pub(crate) beta: Zeroizing<Fr>,
    pub(crate) gamma: Zeroizing<Fr>,
    pub(crate) delta: Zeroizing<Fr>,
    tau: Zeroizing<Fr>,
}

impl Trapdoor {
    /// Five independent uniform non-zero scalars, in the order alpha, beta, gamma, delta, tau.
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut next = || Zeroizing::new(nonzero_scalar(rng));
        Self { alpha: next(), beta: next(), gamma: next(), delta: next(), tau: next() }
    }
}

/// A uniform scalar: 64 random bytes reduced, which is within 2^-257 of uniform.
pub(crate) fn scalar(rng: &mut impl CryptoRng) -> Fr {
    let mut wide = Zeroizing::new([0u8; 64]);
    rng.fill_bytes(wide.as_mut_slice());
    Fr::from_le_bytes_mod_order(wide.as_slice())
}

fn nonzero_scalar(rng: &mut impl CryptoRng) -> Fr {
    loop {
        let s = scalar(rng);
        if !s.is_zero() {
            return s;
        }
    }
}

/// A key for `matrices` from fresh randomness. Whoever sees `rng`'s output can forge.
///
/// With `transcript` it also returns what [`ProvingKey::check`] needs to convince a host that the key is
/// what an honest set-up gives.
///
/// # Errors
/// [`SetupError`].
pub fn setup(
    matrices: &Matrices,
    rng: &mut impl CryptoRng,
    progress: &mut dyn FnMut(SetupProgress),
) -> Result<(ProvingKey, Transcript), SetupError> {
    generate(matrices, &Trapdoor::draw(rng), progress)
}

/// u_i, v_i, w_i of the paper at tau, by variable.
struct Polynomials {
    u: Zeroizing<Vec<Fr>>,
    v: Zeroizing<Vec<Fr>>,
    w: Zeroizing<Vec<Fr>>,
}

/// The domain of a system: a row per constraint, then one per instance variable, which binds every public
/// input even if no constraint uses it (libsnark's reduction).
pub(crate) fn domain(matrices: &Matrices) -> Option<Radix2EvaluationDomain<Fr>> {
    Radix2EvaluationDomain::new(matrices.constraints() + matrices.instance_variables())
}

fn polynomials(matrices: &Matrices, domain: &Radix2EvaluationDomain<Fr>, tau: &Fr) -> Polynomials {
    let lagrange = Zeroizing::new(domain.evaluate_all_lagrange_coefficients(*tau));
    let column = |side: Side| {
        let mut out = Zeroizing::new(vec![Fr::zero(); matrices.variables()]);
        for (row, at_row) in matrices.matrix(side).zip(lagrange.iter()) {
            for (coefficient, column) in row {
                out[column] += *at_row * coefficient;
            }
        }
        out
    };
    let (mut u, v, w) = (column(Side::A), column(Side::B), column(Side::C));
    for (u, at_row) in
        u.iter_mut().zip(lagrange.iter().skip(matrices.constraints())).take(matrices.instance_variables())
    {
        *u += at_row;
    }
    Polynomials { u, v, w }
}

/// Multiplies in slices, so that progress moves.
struct Multiplier<'p> {
    progress: &'p mut dyn FnMut(SetupProgress),
    done: u64,
    total: u64,
}

impl Multiplier<'_> {
    /// Scalars of one slice: about 0.2 s of one core in G1.
    const SLICE: usize = 1 << 14;

    fn run<G: ScalarMul>(
        &mut self,
        phase: SetupPhase,
        weight: u64,
        table: &BatchMulPreprocessing<G>,
        scalars: &[G::ScalarField],
    ) -> Vec<G::MulBase> {
        let mut out = Vec::with_capacity(scalars.len());
        for slice in scalars.chunks(Self::SLICE) {
            out.extend(table.batch_mul(slice));
            self.done += weight * slice.len() as u64;
            (self.progress)(SetupProgress { phase, done: self.done, total: self.total });
        }
        out
    }
}

pub(crate) fn generate(
    matrices: &Matrices,
    trapdoor: &Trapdoor,
    progress: &mut dyn FnMut(SetupProgress),
) -> Result<(ProvingKey, Transcript), SetupError> {
    let too_large = SetupError::TooLarge { constraints: matrices.constraints() };
    let domain = domain(matrices).ok_or_else(|| too_large.clone())?;
    let Trapdoor { alpha, beta, gamma, delta, tau } = trapdoor;
    let vanishing = Zeroizing::new(domain.evaluate_vanishing_polynomial(**tau));
    // tau in the domain has probability 2^-226 and would make the h query all infinity.
    let (Some(gamma_inverse), Some(delta_inverse), false) =
        (gamma.inverse().map(Zeroizing::new), delta.inverse().map(Zeroizing::new), vanishing.is_zero())
    else {
        return Err(too_large);
    };

    let (variables, instances, size) = (matrices.variables(), matrices.instance_variables(), domain.size());
    // B in G2 at 3; A, B, and L with the input points; H; powers of tau.
    let total = (3 * variables + 3 * variables + (size - 1) + size) as u64;
    progress(SetupProgress { phase: SetupPhase::Polynomials, done: 0, total });
    let Polynomials { u, v, w } = polynomials(matrices, &domain, tau);
    let sums = Zeroizing::new(
        (0..variables)
            .map(|i| {
                (**beta * u[i] + **alpha * v[i] + w[i])
                    * if i < instances { &*gamma_inverse } else { &*delta_inverse }
            })
            .collect::<Vec<_>>(),
    );
    drop(w);
    let mut powers = Zeroizing::new(Vec::with_capacity(size));
    let mut power = Zeroizing::new(Fr::one());
    for _ in 0..size {
        powers.push(*power);
        *power *= &**tau;
    }
    let h = Zeroizing::new(
        powers.iter().take(size - 1).map(|p| *p * *vanishing * *delta_inverse).collect::<Vec<_>>(),
    );

    let mut multiply = Multiplier { progress, done: 0, total };
    let (g1, g2) = (G1Projective::generator(), G2Projective::generator());
    let table = BatchMulPreprocessing::new(g2, variables);
    let b_g2_query = multiply.run(SetupPhase::PointsG2, 3, &table, &v);
    drop(table);
    let table = BatchMulPreprocessing::new(g1, 3 * variables + 2 * size);
    let mut points = |scalars: &[Fr]| multiply.run(SetupPhase::PointsG1, 1, &table, scalars);
    let a_query = points(&u);
    let b_g1_query = points(&v);
    let h_query = points(&h);
    let gamma_abc_g1 = points(&sums[..instances]);
    let l_query = points(&sums[instances..]);
    let tau_g1 = points(&powers);

    let vk = ark_groth16::VerifyingKey::<Bn254> {
        alpha_g1: (g1 * **alpha).into_affine(),
        beta_g2: (g2 * **beta).into_affine(),
        gamma_g2: (g2 * **gamma).into_affine(),
        delta_g2: (g2 * **delta).into_affine(),
        gamma_abc_g1,
    };
    let checked = VerifyingKey::from_points(&vk)?;
    let inner = ark_groth16::ProvingKey {
        vk,
        beta_g1: (g1 * **beta).into_affine(),
        delta_g1: (g1 * **delta).into_affine(),
        a_query,
        b_g1_query,
        b_g2_query,
        h_query,
        l_query,
    };
    let transcript = Transcript {
        tau_g1,
        tau_g2: (g2 * **tau).into_affine(),
        vanishing_g2: (g2 * *vanishing).into_affine(),
    };
    Ok((ProvingKey::new(inner, checked, matrices.digest()), transcript))
}
