//! From a snarkjs key to one our prover takes.
//!
//! The two differ in H only. Circom's reduction takes values of h(x)·(x^n − 1) at the odd powers of w, the 2n-th root
//! of unity, so its key holds H_j = L_(2j+1)(tau)/delta over the domain of size 2n. Ours takes coefficients of h, so it wants
//! tau^i (tau^n − 1)/delta. The polynomial x^i (x^n − 1) is 0 at even powers and −2 w^((2j+1)i) at odd ones, hence
//!
//! tau^i (tau^n − 1)/delta = −2 w^i · Σ_j w_n^(ij) H_j:
//!
//! an FFT over points and one more multiplication each. Exact; the prover and the verifying key stay as they are.

use std::io::{Read, Seek};

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use bailiwick_groth16::{KeyParts, Matrices, ProvingKey, ProvingKeyError};
use rayon::prelude::*;

use crate::ceremony::CeremonyError;
use crate::zkey::{Zkey, ZkeyError, section};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be read.
    #[error(transparent)]
    Zkey(#[from] ZkeyError),
    /// The circuit does not fit the format.
    #[error(transparent)]
    Circuit(#[from] CeremonyError),
    /// Its counts or its coefficients of A and B are another circuit's.
    #[error("the key is not for this circuit")]
    OtherCircuit,
    /// The elements do not make a key: an unfinished ceremony, delta differing between the groups.
    #[error(transparent)]
    Key(#[from] ProvingKeyError),
}

/// The proving key in a `.zkey`.
///
/// Checks what [`ProvingKey::from_parts`] does, and that the coefficients of A and B are those of `matrices`. It does *not*
/// verify the ceremony ([`crate::ceremony::verify`]): anyone can write a key whose trapdoor they know.
/// Memory: about 450 bytes a variable; costs n·log2(n)/2 scalar multiplications for a domain of n rows.
///
/// # Errors
/// [`ImportError`].
pub fn import<R: Read + Seek>(key: &mut Zkey<R>, matrices: &Matrices) -> Result<ProvingKey, ImportError> {
    let header = key.header().clone();
    if !crate::ceremony::has_coefficients(key, matrices)? {
        return Err(ImportError::OtherCircuit);
    }
    let parts = KeyParts {
        alpha: header.alpha1,
        beta: (header.beta1, header.beta2),
        gamma: header.gamma2,
        delta: (header.delta1, header.delta2),
        inputs: key.all_points(section::IC)?,
        a: key.all_points(section::A)?,
        b_g1: key.all_points(section::B1)?,
        b_g2: key.all_points(section::B2)?,
        h: monomial(&key.all_points::<G1Affine>(section::H)?).ok_or(ImportError::OtherCircuit)?,
        l: key.all_points(section::L)?,
    };
    Ok(ProvingKey::from_parts(parts, matrices)?)
}

/// H from Circom's form to libsnark's; one point fewer.
fn monomial(h: &[G1Affine]) -> Option<Vec<G1Affine>> {
    let n = Radix2EvaluationDomain::<Fr>::new(h.len())?;
    let w = Radix2EvaluationDomain::<Fr>::new(2 * h.len())?.group_gen();
    let mut points: Vec<G1Projective> = h.iter().map(|p| p.into_group()).collect();
    n.fft_in_place(&mut points);
    points.pop();
    let minus_two = -Fr::from(2u64);
    points.par_iter_mut().enumerate().for_each(|(i, p)| *p *= minus_two * w.pow([i as u64]));
    Some(G1Projective::normalize_batch(&points))
}
