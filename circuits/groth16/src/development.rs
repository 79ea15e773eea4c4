//! Development keys: everyone knows the trapdoor, so everyone can forge. For tests, demonstrations and continuous
//! integration; evidence under such a key supports no claim.

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::Field;
use bailiwick_protocol::ids::CircuitDigest;
use bailiwick_protocol::labels::Label;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};

use crate::key::VerifyingKey;
use crate::matrices::Matrices;
use crate::proof::{Proof, ProofError};
use crate::proving_key::ProvingKey;
use crate::setup::{SetupError, SetupProgress, Trapdoor, generate, scalar};
use crate::subversion::Transcript;

/// The trapdoor everyone can derive: ChaCha20 from BLAKE3(label ‖ circuit digest).
fn public_trapdoor(circuit: &CircuitDigest) -> Trapdoor {
    let seed = blake3::hash(&[Label::DevelopmentSeed.as_bytes(), circuit.as_bytes()].concat());
    Trapdoor::draw(&mut ChaCha20Rng::from_seed(seed.into()))
}

/// The development key of a circuit: the same bytes on every machine.
///
/// # Errors
/// [`SetupError`].
pub fn development_setup(
    matrices: &Matrices,
    progress: &mut dyn FnMut(SetupProgress),
) -> Result<(ProvingKey, Transcript), SetupError> {
    generate(matrices, &public_trapdoor(&matrices.digest()), progress)
}

/// A proof of any statement, true or false, under the development key of `circuit`: no witness, no circuit.
///
/// A = a·G1, B = b·G2, C = (ab − alpha·beta)/delta · G1 − gamma/delta · IC(x), which is what the pairing check asks.
/// This is why a development key supports nothing.
///
/// # Errors
/// [`ProofError`] when `a` or `b` came out zero (probability 2^-253), or with inputs that make C infinity.
pub fn forge_with_development_trapdoor(
    circuit: &CircuitDigest,
    vk: &VerifyingKey,
    inputs: &[Fr],
    rng: &mut impl CryptoRng,
) -> Result<Proof, ProofError> {
    let t = public_trapdoor(circuit);
    let delta_inverse = t.delta.inverse().unwrap_or_default();
    let (a, b) = (scalar(rng), scalar(rng));
    let points = &vk.inner().gamma_abc_g1;
    let ic = points.iter().zip(core::iter::once(Fr::ONE).chain(inputs.iter().copied())).map(|(p, x)| *p * x);
    let ic: G1Projective = ic.sum();
    let c = G1Projective::generator() * ((a * b - *t.alpha * *t.beta) * delta_inverse)
        - ic * (*t.gamma * delta_inverse);
    Proof::from_points(&ark_groth16::Proof::<Bn254> {
        a: (G1Projective::generator() * a).into_affine(),
        b: (G2Projective::generator() * b).into_affine(),
        c: c.into_affine(),
    })
}
