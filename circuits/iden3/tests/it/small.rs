//! One small system, its witness, key and proof as iden3's own code wrote them (test-vectors/iden3/v1, reference/snarkjs/make_vectors.mjs).

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result};
use bailiwick_groth16::{Matrices, assign};

pub(crate) const R1CS: &[u8] = include_bytes!("../../../../test-vectors/iden3/v1/small.r1cs");
pub(crate) const WTNS: &[u8] = include_bytes!("../../../../test-vectors/iden3/v1/small.wtns");
pub(crate) const KEY: &str = include_str!("../../../../test-vectors/iden3/v1/small.verification_key.json");
pub(crate) const PROOF: &str = include_str!("../../../../test-vectors/iden3/v1/small.proof.json");
pub(crate) const PUBLIC: &str = include_str!("../../../../test-vectors/iden3/v1/small.public.json");

/// The system of the vectors: wires 1, z (public), x, y, w; x·y = z, (x + 2y + 3)·z = w.
struct Small;

impl ConstraintSynthesizer<Fr> for Small {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let (x, y) = (Fr::from(3u64), -Fr::from(5u64));
        let [z, two, three] = [x * y, Fr::from(2u64), Fr::from(3u64)];
        let w = (x + two * y + three) * z;
        let z = cs.new_input_variable(|| Ok(z))?;
        let [x, y, w] = [x, y, w].map(|v| cs.new_witness_variable(|| Ok(v)));
        let (x, y, w) = (x?, y?, w?);
        let of = LinearCombination::<Fr>::from;
        cs.enforce_r1cs_constraint(|| of(x), || of(y), || of(z))?;
        let one = ark_relations::gr1cs::Variable::One;
        let sum = move || of(x) + (two, y) + (three, one);
        cs.enforce_r1cs_constraint(sum, || of(z), || of(w))
    }
}

pub(crate) fn matrices() -> Matrices {
    Matrices::synthesize(Small).unwrap()
}

pub(crate) fn assignment() -> Vec<Fr> {
    assign(Small).unwrap()
}
