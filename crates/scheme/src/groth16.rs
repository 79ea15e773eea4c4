//! Scheme 1: the Poseidon2 cell tree, shown by a Groth16 proof over BN254 (spec cell-tree, possession).

use std::sync::Arc;

use bailiwick_groth16::{Claimed, Fr, PreparedVerifyingKey, Proof};
use bailiwick_possession::tree::TreeBuilder;
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_protocol::envelope::COMMITMENT_SCHEME_CELL_TREE;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_protocol::labels::Label;

use crate::scheme::{
    Committer, KeyRefused, NoCommitment, Question, Refused, Scheme, Shown, Soundness, VerifyingKey,
};

#[cfg(feature = "prove")]
mod prover;

/// Scheme 1.
#[derive(Clone, Copy, Debug)]
pub struct CellTreeGroth16;

impl Scheme for CellTreeGroth16 {
    fn id(&self) -> u64 {
        COMMITMENT_SCHEME_CELL_TREE
    }

    fn name(&self) -> &'static str {
        "cell tree, Groth16 over BN254"
    }

    fn committer(&self) -> Box<dyn Committer> {
        Box::new(Tree(TreeBuilder::new()))
    }

    fn key_digest(&self, key: &[u8]) -> VkDigest {
        VkDigest(Label::VerifyingKeyDigest.hash(key))
    }

    fn verifying_key(&self, key: &[u8]) -> Result<Arc<dyn VerifyingKey>, KeyRefused> {
        let key = bailiwick_groth16::VerifyingKey::from_bytes(key).map_err(|e| KeyRefused(Box::new(e)))?;
        Ok(Arc::new(Prepared(key.prepare())))
    }

    fn soundness(&self) -> Soundness {
        Soundness {
            // Barbulescu and Duquesne, "Updating Key Size Estimations for Pairings" (J. Cryptology 32, 2019), after the tower number
            // field sieve of Kim and Barbulescu (Crypto 2016): about 2^100 operations for the 254-bit BN curve. The other parts are
            // stronger: challenge binding 248 bits, BLAKE3 and Poseidon2 collisions about 127, Ed25519 about 126.
            bits: 100,
            basis: "BN254 pairing group, the weakest part: about 100 bits (Barbulescu and Duquesne, J. Cryptology 2019, after Kim and Barbulescu, Crypto 2016); challenge binding 248 bits, hashes and signatures 126 bits or more",
            assumption: "Groth16 over BN254 is sound (discrete logarithms in its groups and its target field, in the algebraic group model) and Poseidon2 is collision resistant",
            owner_secret: false,
        }
    }

    #[cfg(feature = "prove")]
    fn proving_key(
        &self,
        mut from: &mut dyn crate::KeySource,
        expected: &bailiwick_protocol::ids::PkDigest,
        class: bailiwick_protocol::ids::ClassId,
    ) -> Result<Arc<dyn crate::ProvingKey>, crate::ProvingKeyError> {
        let key = bailiwick_possession_circuit::ProverKey::read_from(&mut from, expected, class);
        Ok(Arc::new(prover::Prover(key.map_err(|e| crate::ProvingKeyError(Box::new(e)))?)))
    }
}

struct Tree(TreeBuilder);

impl Committer for Tree {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, NoCommitment> {
        let tree = self.0.finish().map_err(|e| NoCommitment(Box::new(e)))?;
        Ok(tree.root().as_bytes().to_vec())
    }
}

#[derive(Debug)]
struct Prepared(PreparedVerifyingKey);

struct Instance {
    inputs: [Fr; PublicInputs::COUNT],
    proof: Proof,
}

fn inputs(question: &Question<'_>) -> Result<[Fr; PublicInputs::COUNT], Refused> {
    match PublicInputs::of(question.challenge, question.sampled) {
        Ok(public) => Ok(public.to_array()),
        Err(e) => Err(Refused::NoStatement(Box::new(e))),
    }
}

impl VerifyingKey for Prepared {
    fn digest(&self) -> VkDigest {
        self.0.digest()
    }

    fn has_statement(&self, question: &Question<'_>) -> Result<(), Refused> {
        inputs(question).map(drop)
    }

    fn is_proof(&self, proof: &[u8]) -> bool {
        decode(proof).is_some()
    }

    fn shown(&self, question: &Question<'_>, proof: &[u8]) -> Result<Shown, Refused> {
        let inputs = inputs(question)?;
        if self.0.inputs() != inputs.len() {
            return Err(Refused::NotAProof);
        }
        let proof = decode(proof).ok_or(Refused::NotAProof)?;
        Ok(Shown::new(Instance { inputs, proof }))
    }

    fn verify(&self, claims: &[&Shown]) -> Vec<bool> {
        let instances: Vec<Option<&Instance>> = claims.iter().map(|c| c.get()).collect();
        if let [Some(one)] = instances[..] {
            return vec![self.0.verify(&one.inputs, &one.proof).is_ok()];
        }
        let batch: Vec<Claimed<'_>> =
            instances.iter().flatten().map(|s| Claimed { inputs: &s.inputs, proof: &s.proof }).collect();
        let mut answers = self.0.verify_batch(&batch).into_iter();
        instances.iter().map(|s| s.is_some() && answers.next().is_some_and(|a| a.is_ok())).collect()
    }
}

fn decode(proof: &[u8]) -> Option<Proof> {
    Proof::from_bytes(proof).ok()
}
