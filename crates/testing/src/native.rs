//! The simulation's stand-in for the prover: proofs of native statements.
//!
//! A Groth16 proof shows that its maker knows a witness. Making one takes seconds, so a simulation of thousands of rounds uses a key
//! whose secrets are known (Groth 2016, section 3.2: who knows them makes a proof of any statement with no witness) and makes such a
//! proof exactly when `statement::check` accepts the witness that the host gives. What comes out is judged by the shipped verifier,
//! which cannot tell it from a real proof, and which computes the statement by itself from challenge, openings and envelopes.

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use ark_serialize::CanonicalSerialize;
use bailiwick_groth16::VerifyingKey;
use bailiwick_possession::statement::{Clause, Witness, check};
use bailiwick_protocol::ids::ClassId;

/// A key with known secrets. Whoever has it can forge: for simulations only.
#[derive(Debug)]
pub struct NativeProofs {
    alpha_beta: Fr,
    gamma: Fr,
    delta_inverse: Fr,
    inputs: [Fr; 2],
    ab: Fr,
    /// A and B of every proof, compressed.
    head: Vec<u8>,
    key: VerifyingKey,
}

fn scalar(what: &str) -> Fr {
    Fr::from_le_bytes_mod_order(blake3::hash(format!("simulation/{what}").as_bytes()).as_bytes())
}

fn g1(s: Fr, out: &mut Vec<u8>) {
    let point = (G1Projective::generator() * s).into_affine();
    point.serialize_compressed(out).expect("a vector takes all bytes");
}

fn g2(s: Fr, out: &mut Vec<u8>) {
    let point = (G2Projective::generator() * s).into_affine();
    point.serialize_compressed(out).expect("a vector takes all bytes");
}

impl Default for NativeProofs {
    fn default() -> Self {
        Self::new()
    }
}

impl NativeProofs {
    /// The key; the same everywhere.
    ///
    /// # Panics
    /// Never: the secrets are constants.
    #[must_use]
    pub fn new() -> Self {
        let [alpha, beta, gamma, delta] = ["alpha", "beta", "gamma", "delta"].map(scalar);
        let inputs = [scalar("0"), scalar("1")];
        let mut bytes = Vec::new();
        g1(alpha, &mut bytes);
        for s in [beta, gamma, delta] {
            g2(s, &mut bytes);
        }
        bytes.extend(2u64.to_le_bytes());
        for s in inputs {
            g1(s, &mut bytes);
        }
        let key = VerifyingKey::from_bytes(&bytes).expect("secrets that are neither zero nor equal");
        let (a, b) = (scalar("a"), scalar("b"));
        let mut head = Vec::new();
        g1(a, &mut head);
        g2(b, &mut head);
        let delta_inverse = delta.inverse().expect("delta is not zero");
        Self { alpha_beta: alpha * beta, gamma, delta_inverse, inputs, ab: a * b, head, key }
    }

    /// The key that proofs verify under.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Checks the witness natively, on the bytes in it. The proof verifies for `public` if the statement holds, and for nothing that is
    /// asked if it does not: what a host sends that cheats as well as it can.
    pub fn prove(&self, class: ClassId, public: &Fr, witness: &Witness) -> ([u8; 128], Result<(), Clause>) {
        let held = check(class, public, witness);
        let shown = if held.is_ok() { *public } else { *public + Fr::from(1u64) };
        (self.simulate(shown), held)
    }

    fn simulate(&self, public: Fr) -> [u8; 128] {
        let input = self.inputs[0] + self.inputs[1] * public;
        let c = (self.ab - self.alpha_beta - self.gamma * input) * self.delta_inverse;
        let mut bytes = self.head.clone();
        g1(c, &mut bytes);
        bytes.try_into().expect("two points of 32 bytes and one of 64")
    }
}
