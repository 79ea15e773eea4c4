//! Groth16's simulator (Groth 2016, section 3.2): whoever knows a key's secrets makes a proof of any statement, with no
//! witness. What a leaked trapdoor or a public seed allows.

use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use ark_serialize::CanonicalSerialize;
use bailiwick_groth16::VerifyingKey;
use bailiwick_protocol::challenge::Challenge;

/// The secrets of a verifying key with one public input.
pub(crate) struct Trapdoor {
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
    inputs: [Fr; 2],
}

fn scalar(name: &str, what: &str) -> Fr {
    Fr::from_le_bytes_mod_order(blake3::hash(format!("{name}/{what}").as_bytes()).as_bytes())
}

impl Trapdoor {
    pub(crate) fn new(name: &str) -> Self {
        let s = |what| scalar(name, what);
        Self {
            alpha: s("alpha"),
            beta: s("beta"),
            gamma: s("gamma"),
            delta: s("delta"),
            inputs: [s("0"), s("1")],
        }
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        let mut bytes = Vec::new();
        let g1 = |s: Fr, out: &mut Vec<u8>| {
            (G1Projective::generator() * s).into_affine().serialize_compressed(out).unwrap();
        };
        g1(self.alpha, &mut bytes);
        for s in [self.beta, self.gamma, self.delta] {
            (G2Projective::generator() * s).into_affine().serialize_compressed(&mut bytes).unwrap();
        }
        bytes.extend(2u64.to_le_bytes());
        for s in self.inputs {
            g1(s, &mut bytes);
        }
        VerifyingKey::from_bytes(&bytes).unwrap()
    }

    /// A proof that verifies for `challenge`, made without a single byte of any object.
    pub(crate) fn forge(&self, challenge: &Challenge) -> [u8; 128] {
        self.forge_sampled(challenge, &bailiwick_possession::challenge::sampled(challenge, &[]).unwrap())
    }

    /// The same for what a challenge samples of an inventory.
    pub(crate) fn forge_sampled(
        &self,
        challenge: &Challenge,
        sampled: &bailiwick_possession::challenge::Sampled,
    ) -> [u8; 128] {
        let x = bailiwick_possession::statement::public_input(challenge, sampled).unwrap();
        let (a, b) = (scalar("forge", "a"), scalar("forge", "b"));
        let input = self.inputs[0] + self.inputs[1] * x;
        let c = (a * b - self.alpha * self.beta - self.gamma * input) * self.delta.inverse().unwrap();
        let mut bytes = Vec::new();
        (G1Projective::generator() * a).into_affine().serialize_compressed(&mut bytes).unwrap();
        (G2Projective::generator() * b).into_affine().serialize_compressed(&mut bytes).unwrap();
        (G1Projective::generator() * c).into_affine().serialize_compressed(&mut bytes).unwrap();
        bytes.try_into().unwrap()
    }
}
