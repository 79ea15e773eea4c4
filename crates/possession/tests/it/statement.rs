//! The native statement: honest witnesses pass, one attack per clause fails that clause.

use ark_ff::{AdditiveGroup, Field};
use bailiwick_possession::field::{Fr, element_to_bytes};
use bailiwick_possession::opening::Opening;
use bailiwick_possession::poseidon2::compress;
use bailiwick_possession::statement::{
    Clause, StatementError, Witness, check, label, public_input, public_inputs, statement,
};
use bailiwick_possession::tree::empty_node;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::{CellRoot, ClassId};
use proptest::prelude::*;

use crate::fixture::{body, challenge, draw, witness};
use crate::oracle;

struct Case {
    class: ClassId,
    public: Fr,
    witness: Witness,
}

impl Case {
    fn of(class: ClassId, bodies: &[Vec<u8>]) -> Self {
        let c = challenge(class, bodies);
        Self { class, public: public_input(&c, &draw(&c)).expect("honest"), witness: witness(&c, bodies) }
    }

    /// Three objects of 1, 3 and 605 cells.
    fn small() -> Self {
        Self::of(ClassId::SMALL, &[body(100, 1), body(1200, 2), body(300_000, 3)])
    }

    fn check(&self) -> Result<(), Clause> {
        check(self.class, &self.public, &self.witness)
    }

    /// What a prover who writes its own statement would claim: C1 then holds by construction.
    fn restate(mut self) -> Self {
        let slots: Vec<_> = self.witness.openings.iter().map(|(r, o)| (*r, o.index)).collect();
        self.public = statement(self.class, &self.witness.binding, &slots);
        self
    }

    fn slot(&mut self, i: usize) -> &mut (Fr, Opening) {
        &mut self.witness.openings[i]
    }
}

#[test]
fn honest_witnesses_pass_in_every_pinned_class() {
    let bodies = [body(100, 1), body(1200, 2), body(100_000, 3)];
    for (_, class) in ClassId::PINNED {
        assert_eq!(Case::of(class, &bodies).check(), Ok(()), "{class}");
    }
}

/// The sponge, from its definition: h = LABEL, then h = C(h, next 15), zero-filled.
#[test]
fn the_statement_equals_its_definition() {
    let class = ClassId { samples: 8, depth: 5 };
    let slots: Vec<(Fr, u64)> = (0..8).map(|i| (Fr::from(100 + i), 7 * i)).collect();
    let binding = Fr::from(9u64);
    let mut items = vec![Fr::from(8u64), Fr::from(5u64), binding];
    for (root, index) in &slots {
        items.push(*root);
        items.push(Fr::from(*index));
    }
    items.resize(30, Fr::ZERO);
    let h = oracle::label_element("bailiwick/v1/possession-statement");
    assert_eq!(label(), h);
    let first: [Fr; 16] = core::array::from_fn(|i| if i == 0 { h } else { items[i - 1] });
    let h = oracle::compress(&first);
    let second: [Fr; 16] = core::array::from_fn(|i| if i == 0 { h } else { items[14 + i] });
    assert_eq!(statement(class, &binding, &slots), oracle::compress(&second));
}

/// Challenges of every class, with and without a statement, in one batch: each as it is alone, and the good ones from the definition.
#[test]
fn a_batch_of_statements_is_each_of_them() {
    let bodies = [body(100, 1), body(1200, 2), body(100_000, 3)];
    let mut challenges: Vec<Challenge> = (0..19)
        .map(|i| {
            let (_, class) = ClassId::PINNED[i % ClassId::PINNED.len()];
            let mut c = challenge(class, &bodies[..1 + i % 3]);
            c.epoch = i as u64;
            c
        })
        .collect();
    challenges[4].targets[0].cells += 1;
    challenges[7].class.depth = 9;
    let draws: Vec<_> = challenges.iter().map(draw).collect();
    let pairs: Vec<_> = challenges.iter().zip(&draws).collect();
    let all = public_inputs(&pairs);
    assert_eq!(all.len(), pairs.len());
    for (n, ((c, s), got)) in pairs.iter().zip(&all).enumerate() {
        assert_eq!(*got, public_input(c, s), "{n}");
        assert_eq!(got.is_err(), n == 4 || n == 7);
        if got.is_ok() {
            let roots = bailiwick_possession::statement::lifted_roots(c.class, s).expect("a statement");
            let slots: Vec<_> = s.slots.iter().map(|slot| (roots[slot.target], slot.cell)).collect();
            assert_eq!(*got, Ok(statement(c.class, &s.binding, &slots)), "{n}");
        }
    }
    assert!(public_inputs(&[]).is_empty());
}

/// C1: another binding, root, index, order or number of slots than the statement's.
#[test]
fn c1_what_is_witnessed_must_hash_to_the_statement() {
    let attacks: [(&str, fn(&mut Case)); 7] = [
        ("binding", |c| c.witness.binding += Fr::ONE),
        ("root", |c| c.slot(3).0 += Fr::ONE),
        ("index", |c| c.slot(3).1.index ^= 1),
        ("order", |c| {
            let other = (1..16).find(|i| c.witness.openings[*i].1.index != c.witness.openings[0].1.index);
            c.witness.openings.swap(0, other.expect("two different cells are drawn"));
        }),
        ("fewer slots", |c| drop(c.witness.openings.pop())),
        ("more slots", |c| c.witness.openings.push(c.witness.openings[0].clone())),
        ("statement", |c| c.public += Fr::ONE),
    ];
    assert_eq!(Case::small().check(), Ok(()));
    for (what, attack) in attacks {
        let mut case = Case::small();
        attack(&mut case);
        assert_eq!(case.check(), Err(Clause::C1), "{what}");
    }
}

/// C1: number of slots and depth are themselves in the statement.
#[test]
fn c1_the_class_is_bound() {
    let slots = [(Fr::from(1u64), 2)];
    let of = |samples, depth| statement(ClassId { samples, depth }, &Fr::ONE, &slots);
    assert_ne!(of(1, 5), of(1, 6));
    assert_ne!(of(1, 5), of(2, 5));
    // Trailing zeros are not a slot: S differs.
    let two = statement(ClassId { samples: 2, depth: 5 }, &Fr::ONE, &[(Fr::from(1u64), 2), (Fr::ZERO, 0)]);
    assert_ne!(of(1, 5), two);
}

/// C2, Z31: an index with more digits than the class has levels, whatever its low digits say.
#[test]
fn c2_z31_index_out_of_range() {
    for add in [1 << 16, 1 << 20, u64::MAX << 16] {
        let mut case = Case::small();
        case.slot(5).1.index |= add;
        assert_eq!(case.restate().check(), Err(Clause::C2));
    }
    assert_eq!(Case::small().restate().check(), Ok(()));
}

/// C2, Z29: a path of another depth, also when the shorter tree's root is genuine.
#[test]
fn c2_z29_path_of_another_depth() {
    let mut shorter = Case::small();
    let (root, o) = shorter.slot(0);
    let top = o.path.pop().expect("five levels");
    *root = top[0];
    assert_eq!(shorter.restate().check(), Err(Clause::C2));

    let mut longer = Case::small();
    let (root, o) = longer.slot(0);
    let mut above = [empty_node(5); 16];
    above[0] = *root;
    o.path.push(above);
    *root = compress(&above);
    assert_eq!(longer.restate().check(), Err(Clause::C2));
}

/// C3: a cell of which one bit is wrong, zeros instead of a cell, another cell, another root.
#[test]
fn c3_cells_that_were_not_stored() {
    let attacks: [(&str, fn(&mut Case)); 4] = [
        ("one bit", |c| c.slot(2).1.cell[7] += Fr::ONE),
        ("zeros", |c| c.slot(2).1.cell = [Fr::ZERO; 16]),
        ("the cell of another body", |c| {
            let other = (3..16).find(|i| c.witness.openings[*i].1.cell != c.witness.openings[2].1.cell);
            c.slot(2).1.cell = c.witness.openings[other.expect("different cells are drawn")].1.cell;
        }),
        ("another root", |c| c.slot(2).0 = Fr::from(77u64)),
    ];
    for (what, attack) in attacks {
        let mut case = Case::small();
        attack(&mut case);
        assert_eq!(case.restate().check(), Err(Clause::C3), "{what}");
    }
}

/// C3, Z29: swapped siblings, a sibling replaced, a direction digit changed at any level.
#[test]
fn c3_z29_paths_that_do_not_lead_to_the_root() {
    for level in 0..4 {
        let mut swapped = Case::small();
        let o = &mut swapped.slot(1).1;
        let own = o.digit(level);
        // A sibling that differs from the node on the way; in an object of one cell all others are equal among themselves.
        o.path[level].swap(own, (own + 1) % 16);
        assert_eq!(swapped.restate().check(), Err(Clause::C3), "swap at {level}");

        let mut replaced = Case::small();
        let o = &mut replaced.slot(1).1;
        let own = o.digit(level);
        o.path[level][(own + 1) % 16] += Fr::ONE;
        assert_eq!(replaced.restate().check(), Err(Clause::C3), "sibling at {level}");

        let mut redirected = Case::small();
        redirected.slot(1).1.index ^= 1 << (4 * level);
        assert_eq!(redirected.restate().check(), Err(Clause::C3), "digit at {level}");
    }
}

/// Z30: an inner node is not a cell. Its children are offered as a cell's elements, at each level, with what is left of the path;
/// the depth of the class is fixed, so nothing is left to fill the missing levels with.
#[test]
fn z30_inner_nodes_are_not_cells() {
    let honest = Case::small();
    for level in 1..=4 {
        let mut case = Case::small();
        let o = &mut case.slot(0).1;
        let children = o.path[level - 1];
        o.cell = children;
        // Cut off below: too few levels.
        o.path.drain(..level);
        o.index >>= 4 * level;
        assert_eq!(case.restate().check(), Err(Clause::C2), "cut at {level}");

        // Levels made up above, so the depth is right: the root is another.
        let mut case = Case::small();
        let (root, o) = case.slot(0);
        let genuine = *root;
        let (mut node, mut up) = (*root, vec![]);
        for _ in 0..level {
            let above: [Fr; 16] = core::array::from_fn(|i| if i == 0 { node } else { Fr::ZERO });
            node = compress(&above);
            up.push(above);
        }
        o.cell = o.path[level - 1];
        o.path.drain(..level);
        o.path.extend(up);
        o.index >>= 4 * level;
        assert_ne!(node, genuine);
        assert_eq!(case.restate().check(), Err(Clause::C3), "filled at {level}");
    }
    assert_eq!(honest.check(), Ok(()));
}

/// Z31: the place just past the last cell is empty, and nothing is known that hashes to an empty node.
#[test]
fn z31_an_empty_place_cannot_be_answered() {
    let mut case = Case::of(ClassId::SMALL, &[body(600, 1)]);
    let o = &mut case.slot(0).1;
    o.index = 2;
    assert_eq!(o.path[0][2], empty_node(1));
    o.cell = [Fr::ZERO; 16];
    assert_eq!(case.restate().check(), Err(Clause::C3));
}

/// Z32: the sampler may draw a cell twice (draws are independent, which is what the detection formula assumes); every slot is
/// bound and answered for itself.
#[test]
fn z32_repeated_slots_are_each_bound() {
    let honest = Case::of(ClassId::SMALL, &[body(700, 1)]);
    assert_eq!(honest.check(), Ok(()));
    let slots: Vec<_> = honest.witness.openings.iter().map(|(r, o)| (*r, o.index)).collect();
    assert!((1..16).any(|i| slots[i] == slots[0]), "sixteen slots over two cells repeat");
    for i in 0..16 {
        let mut other = slots.clone();
        other[i].1 ^= 1;
        assert_ne!(statement(honest.class, &honest.witness.binding, &other), honest.public, "slot {i}");
        let mut damaged = Case::of(ClassId::SMALL, &[body(700, 1)]);
        damaged.slot(i).1.cell[0] += Fr::ONE;
        assert_eq!(damaged.check(), Err(Clause::C3), "slot {i} is not covered by its double");
    }
}

/// Constructions 4: cells = 0, cells > 16^(D-1), cells ≠ ceil(size/496); roots at or above the modulus; classes without a statement.
#[test]
fn challenges_without_a_statement_are_refused() {
    let honest = challenge(ClassId::TINY, &[body(1000, 1), body(100 * 496, 2)]);
    assert!(public_input(&honest, &draw(&honest)).is_ok());
    let refused = |change: fn(&mut Challenge)| {
        let mut c = honest.clone();
        change(&mut c);
        public_input(&c, &draw(&c)).expect_err("must be refused")
    };
    let cells = |target, cells| StatementError::Cells { target, cells };
    assert_eq!(refused(|c| c.targets[0].cells = 0), cells(0, 0));
    assert_eq!(refused(|c| (c.targets[0].cells, c.targets[0].size) = (0, 0)), cells(0, 0));
    assert_eq!(refused(|c| c.targets[1].cells += 1), cells(1, 101));
    assert_eq!(refused(|c| c.targets[1].size += 1), cells(1, 100));
    assert_eq!(refused(|c| (c.targets[1].cells, c.targets[1].size) = (257, 257 * 496)), cells(1, 257));
    assert_eq!(
        refused(|c| (c.targets[1].cells, c.targets[1].size) = (u64::MAX, u64::MAX)),
        cells(1, u64::MAX)
    );
    assert_eq!(refused(|c| c.targets[1].root = CellRoot([0xff; 32])), StatementError::Root { target: 1 });
    assert_eq!(refused(|c| c.targets.clear()), StatementError::NoTargets);
    for class in [(0, 3), (1, 2), (1, 0), (1, 9), (1, 255)].map(|(samples, depth)| ClassId { samples, depth })
    {
        let mut c = honest.clone();
        c.class = class;
        assert_eq!(public_input(&c, &draw(&c)), Err(StatementError::Class(class)));
    }
}

/// Z03: a root and the same root plus the modulus are one residue; only the canonical one has a statement.
#[test]
fn z03_a_root_plus_the_modulus_is_refused() {
    let honest = challenge(ClassId::TINY, &[vec![1]]);
    let mut other = honest.clone();
    // root + p, on the bytes; p - 1 is the encoding of -1.
    let minus_one = element_to_bytes(&-Fr::ONE);
    let mut carry = 1u16;
    for (b, m) in other.targets[0].root.0.iter_mut().zip(minus_one) {
        carry += u16::from(*b) + u16::from(m);
        *b = (carry & 0xff) as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0, "fits 32 bytes");
    assert!(public_input(&honest, &draw(&honest)).is_ok());
    assert_eq!(public_input(&other, &draw(&other)), Err(StatementError::Root { target: 0 }));
}

/// The public input is the statement over the drawn slots with lifted roots.
#[test]
fn the_public_input_is_drawn_lifted_and_hashed() {
    let bodies = [body(100, 1), body(9000, 2)];
    let c = challenge(ClassId::SMALL, &bodies);
    let d = draw(&c);
    let slots: Vec<_> = d.slots.iter().map(|s| (oracle::node(&bodies[s.target], 5, 0), s.cell)).collect();
    assert_eq!(public_input(&c, &draw(&c)), Ok(statement(c.class, &d.binding, &slots)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any sizes, any nonce: honest witnesses pass.
    #[test]
    fn honest_witnesses_pass(lens in prop::collection::vec(1usize..130_000, 1..3), nonce: [u8; 32]) {
        let bodies: Vec<_> = (0..).zip(lens).map(|(i, len)| body(len, i)).collect();
        let mut c = challenge(ClassId { samples: 4, depth: 5 }, &bodies);
        c.nonce.0 = nonce;
        let public = public_input(&c, &draw(&c)).expect("honest");
        prop_assert_eq!(check(c.class, &public, &witness(&c, &bodies)), Ok(()));
    }
}
