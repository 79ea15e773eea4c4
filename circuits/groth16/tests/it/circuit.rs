//! A small circuit with three public inputs (x, y, x·y + 1) and an unused one, its key and an honest proof.

use std::sync::OnceLock;

use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result, Variable};
use bailiwick_groth16::{
    Fr, KeyShape, Matrices, PreparedVerifyingKey, Proof, ProvingKey, Transcript, VerifyingKey, assign, prove,
    setup,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// `product = x·y + 1` by way of a private copy of `x`; input `unused` is in no constraint.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) product: u64,
    pub(crate) unused: u64,
}

pub(crate) const HONEST: Product = Product { x: 6, y: 7, product: 43, unused: 5 };

impl Product {
    pub(crate) fn inputs(&self) -> Vec<Fr> {
        [self.x, self.y, self.product, self.unused].map(Fr::from).to_vec()
    }
}

impl ConstraintSynthesizer<Fr> for Product {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let one = Fr::from(1u64);
        let lc = LinearCombination::from;
        let [x, y, product, _unused] = self
            .inputs()
            .try_into()
            .map(|v: [Fr; 4]| v.map(|v| cs.new_input_variable(|| Ok(v))))
            .expect("four");
        let (x, y, product) = (x?, y?, product?);
        let copy = cs.new_witness_variable(|| Ok(Fr::from(self.x)))?;
        let times = cs.new_witness_variable(|| Ok(Fr::from(self.x * self.y)))?;
        cs.enforce_r1cs_constraint(|| lc(x), || lc(Variable::One), || lc(copy))?;
        cs.enforce_r1cs_constraint(|| lc(copy), || lc(y), || lc(times))?;
        cs.enforce_r1cs_constraint(
            || LinearCombination(vec![(one, times), (one, Variable::One)]),
            || lc(Variable::One),
            || lc(product),
        )
    }
}

pub(crate) struct Fixture {
    pub(crate) matrices: Matrices,
    pub(crate) key: ProvingKey,
    pub(crate) transcript: Transcript,
    pub(crate) vk: VerifyingKey,
    pub(crate) pvk: PreparedVerifyingKey,
    pub(crate) proof: Proof,
}

impl Fixture {
    pub(crate) fn shape(&self) -> KeyShape {
        KeyShape::of(&self.matrices).expect("few constraints")
    }
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn prove_with(
    f: &Fixture,
    circuit: Product,
    seed: u64,
) -> std::result::Result<Proof, bailiwick_groth16::ProveError> {
    let assignment = assign(circuit).expect("the circuit runs");
    prove(&f.key, &f.pvk, &f.matrices, &assignment, &mut rng(seed), &mut |_| ())
}

pub(crate) fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let matrices = Matrices::synthesize(HONEST).expect("R1CS");
        let (key, transcript) = setup(&matrices, &mut rng(1), &mut |_| ()).expect("set-up");
        let vk = key.verifying_key().clone();
        let pvk = vk.prepare();
        let assignment = assign(HONEST).expect("runs");
        let proof = prove(&key, &pvk, &matrices, &assignment, &mut rng(2), &mut |_| ()).expect("proves");
        Fixture { matrices, key, transcript, vk, pvk, proof }
    })
}

/// `terms · 1 = y`, terms as a circuit may write them.
struct Terms(Vec<i64>);

impl ConstraintSynthesizer<Fr> for Terms {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let y = cs.new_input_variable(|| Ok(Fr::from(0u64)))?;
        let x = cs.new_witness_variable(|| Ok(Fr::from(0u64)))?;
        let terms = self.0.iter().map(|k| (Fr::from(*k), x)).collect();
        cs.enforce_r1cs_constraint(|| LinearCombination(terms), || Variable::One.into(), || y.into())
    }
}

/// Terms of one column are one entry: what digest and exports say is what set-up and prover compute.
#[test]
fn terms_of_one_column_are_added() {
    let rows = |terms: &[i64]| {
        let matrices = Matrices::synthesize(Terms(terms.to_vec())).expect("R1CS");
        let [a, _, _] = matrices.rows().next().expect("a row");
        (a, matrices.digest())
    };
    assert_eq!(rows(&[1, 1]).0, [(Fr::from(2u64), 2)]);
    assert_eq!(rows(&[1, 1]), rows(&[2]));
    assert_eq!(rows(&[1, -1]).0, []);
    assert_ne!(rows(&[1, 1]).1, rows(&[1]).1);
}
