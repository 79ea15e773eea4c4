//! Bodies, challenges, witnesses and keys the tests share.

use std::sync::OnceLock;

use bailiwick_groth16::{Matrices, assign};
use bailiwick_possession::challenge::{Sampled, sampled};
use bailiwick_possession::field::Fr;
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::statement::{Clause, Witness, check, lifted_roots, public_input, statement};
use bailiwick_possession::tree::{BLOCK_BYTES, CELLS_PER_BLOCK, commit};
use bailiwick_possession_circuit::ProverKey;
use bailiwick_possession_circuit::circuit::{ClauseRange, PossessionCircuit, matrices_by_clause};
use bailiwick_protocol::challenge::{Challenge, Target};
use bailiwick_protocol::ids::{
    AuditorKey, ClassId, ContentId, HostKey, Nonce, ObjectId, OwnerKey, Unit, UnitName, VkDigest,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Two samples, one level more than the bodies below need: several slots and a lifted root at little cost.
pub(crate) const PAIR: ClassId = ClassId { samples: 2, depth: 4 };

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn body(len: usize, seed: u8) -> Vec<u8> {
    let mut out = vec![0; len];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut out);
    out
}

pub(crate) fn challenge(class: ClassId, vk: VkDigest, bodies: &[Vec<u8>]) -> Challenge {
    let target = |(i, body): (u8, &Vec<u8>)| {
        let tree = commit([body]).expect("not empty");
        Target {
            name: UnitName { owner: OwnerKey([7; 32]), object: ObjectId([i; 16]), unit: Unit::WHOLE },
            generation: 3,
            blake3: ContentId(blake3::hash(body).into()),
            size: tree.size(),
            root: tree.root(),
            cells: tree.cells(),
        }
    };
    Challenge {
        class,
        vk,
        host: HostKey([2; 32]),
        targets: (0..).zip(bodies).map(target).collect(),
        inventory: None,
        epoch: 1,
        beacon: None,
        auditor: AuditorKey([4; 32]),
        nonce: Nonce([5; 32]),
    }
}

/// What a challenge over named objects asks for.
pub(crate) fn drawn(challenge: &Challenge) -> Sampled {
    sampled(challenge, &[]).expect("no leaves")
}

pub(crate) fn openings(challenge: &Challenge, bodies: &[Vec<u8>]) -> Vec<Opening> {
    let opening = |(target, cell): (usize, u64)| {
        let body = &bodies[target];
        let start = usize::try_from(cell).expect("small") / CELLS_PER_BLOCK * BLOCK_BYTES;
        let block = &body[start..body.len().min(start + BLOCK_BYTES)];
        open(&commit([body]).expect("not empty"), cell, challenge.class.depth, block).expect("honest")
    };
    drawn(challenge).slots.iter().map(|slot| opening((slot.target, slot.cell))).collect()
}

/// A statement and a witness, honest until a test changes them.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) class: ClassId,
    pub(crate) public: Fr,
    pub(crate) witness: Witness,
}

impl Case {
    pub(crate) fn of(class: ClassId, bodies: &[Vec<u8>]) -> Self {
        let c = challenge(class, VkDigest([1; 32]), bodies);
        let drawn = drawn(&c);
        let roots = lifted_roots(class, &drawn).expect("honest");
        let with_root = drawn.slots.iter().map(|s| roots[s.target]).zip(openings(&c, bodies)).collect();
        let witness = Witness { binding: drawn.binding, openings: with_root };
        Self { class, public: public_input(&c, &drawn).expect("honest"), witness }
    }

    /// One body of 100 cells, one sample, no lifting.
    pub(crate) fn tiny() -> Self {
        Self::of(ClassId::TINY, &[body(49_500, 1)])
    }

    /// Two samples of a body of 100 cells (natural depth 3), lifted to 4.
    pub(crate) fn pair() -> Self {
        Self::of(PAIR, &[body(49_500, 1)])
    }

    pub(crate) fn slot(&mut self, i: usize) -> &mut (Fr, Opening) {
        &mut self.witness.openings[i]
    }

    /// The statement of a prover that writes its own: C1 then holds by construction.
    pub(crate) fn restated(mut self) -> Self {
        let slots: Vec<_> = self.witness.openings.iter().map(|(root, o)| (*root, o.index)).collect();
        self.public = statement(self.class, &self.witness.binding, &slots);
        self
    }

    pub(crate) fn native(&self) -> Result<(), Clause> {
        check(self.class, &self.public, &self.witness)
    }

    pub(crate) fn assignment(&self) -> Vec<Fr> {
        assign(PossessionCircuit::assigned(self.class, self.public, &self.witness)).expect("right shape")
    }

    /// Clauses of which some constraint fails.
    pub(crate) fn circuit(&self) -> Vec<Clause> {
        let (matrices, ranges) = system(self.class);
        let z = self.assignment();
        let at = |row: &[(Fr, usize)]| row.iter().map(|(k, i)| *k * z[*i]).sum::<Fr>();
        let failed: Vec<usize> = matrices
            .rows()
            .enumerate()
            .filter(|(_, [a, b, c])| at(a) * at(b) != at(c))
            .map(|(i, _)| i)
            .collect();
        assert_eq!(matrices.first_unsatisfied(&z), failed.first().copied());
        let mut clauses: Vec<Clause> = ranges
            .iter()
            .filter(|(_, range)| failed.iter().any(|i| range.contains(i)))
            .map(|(clause, _)| *clause)
            .collect();
        clauses.sort();
        clauses.dedup();
        clauses
    }
}

/// Matrices of a class and their clauses, synthesised once.
pub(crate) fn system(class: ClassId) -> &'static (Matrices, Vec<ClauseRange>) {
    static TINY: OnceLock<(Matrices, Vec<ClauseRange>)> = OnceLock::new();
    static PAIRED: OnceLock<(Matrices, Vec<ClauseRange>)> = OnceLock::new();
    let cell = if class == PAIR { &PAIRED } else { &TINY };
    let system = cell.get_or_init(|| matrices_by_clause(class).expect("R1CS"));
    assert!(class == PAIR || class == ClassId::TINY);
    system
}

/// An auditor's key of class tiny.
pub(crate) fn tiny_key() -> &'static ProverKey {
    static KEY: OnceLock<ProverKey> = OnceLock::new();
    KEY.get_or_init(|| ProverKey::generate(ClassId::TINY, &mut rng(1), &mut |_| ()).expect("set-up").0)
}
