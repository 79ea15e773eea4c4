//! Per clause: an honest case, and attacks that the native check and the circuit refuse at the same clause.

use ark_ff::{AdditiveGroup, Field};
use bailiwick_groth16::{SynthesisError, assign};
use bailiwick_possession::field::Fr;
use bailiwick_possession::poseidon2::compress;
use bailiwick_possession::statement::Clause;
use bailiwick_possession::tree::empty_node;
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_protocol::ids::ClassId;

use super::case::{Case, PAIR, body, system};

type Attack = (&'static str, fn(&mut Case));

fn both_refuse(what: &str, case: &Case, clause: Clause) {
    assert_eq!(case.native(), Err(clause), "natively: {what}");
    assert_eq!(case.circuit(), [clause], "in the circuit: {what}");
}

fn both_accept(case: &Case) {
    assert_eq!(case.native(), Ok(()));
    assert_eq!(case.circuit(), []);
}

/// Sizes at every edge: one byte, a cell, a cell and a byte, all zero, all 0xff, a full block and more, several objects.
#[test]
fn honest_cases_of_every_size_are_accepted() {
    both_accept(&Case::tiny());
    both_accept(&Case::pair());
    for bytes in [vec![1], body(496, 2), body(497, 3), vec![0; 5000], vec![0xff; 5000], body(126_976, 4)] {
        both_accept(&Case::of(ClassId::TINY, std::slice::from_ref(&bytes)));
        both_accept(&Case::of(PAIR, &[bytes]));
    }
    both_accept(&Case::of(PAIR, &[body(126_977, 5)]));
    both_accept(&Case::of(PAIR, &[body(1, 1), body(200_000, 2), body(600, 3)]));
}

/// C1, Z05: binding, root, index, their order and the statement itself.
#[test]
fn c1_the_statement_binds_binding_roots_and_indices() {
    let attacks: [Attack; 4] = [
        ("statement", |c| c.public += Fr::ONE),
        ("statement negated", |c| c.public = -c.public),
        ("binding", |c| c.witness.binding += Fr::ONE),
        ("order of slots", |c| c.witness.openings.swap(0, 1)),
    ];
    for (what, attack) in attacks {
        let mut case = Case::pair();
        let indices: Vec<u64> = case.witness.openings.iter().map(|(_, o)| o.index).collect();
        assert_ne!(indices[0], indices[1]);
        attack(&mut case);
        both_refuse(what, &case, Clause::C1);
        if what != "statement" && what != "statement negated" {
            both_accept(&case.restated());
        }
    }
}

/// C1: another root or index is refused there, even when the opening is honest for it.
#[test]
fn c1_another_object_or_cell_is_another_statement() {
    let honest = Case::tiny();
    let other_object = Case::of(ClassId::TINY, &[body(49_500, 99)]);
    let mut case = other_object.clone();
    case.public = honest.public;
    both_refuse("another object", &case, Clause::C1);
    both_accept(&other_object);
}

/// C2, Z31: index = 16^(D−1) and beyond; the low digits are those of an honest cell.
#[test]
fn c2_z31_an_index_beyond_the_digits_is_refused() {
    for add in [1u64 << 12, 1 << 20, 1 << 63] {
        let mut case = Case::pair();
        case.slot(1).1.index += add;
        both_refuse("too many digits", &case.restated(), Clause::C2);
    }
}

/// C2, Z29: a path of another depth is not even a witness.
#[test]
fn c2_z29_a_path_of_another_depth_is_refused() {
    let mut shorter = Case::pair();
    shorter.slot(0).1.path.pop();
    let mut longer = Case::pair();
    longer.slot(0).1.path.push([Fr::ZERO; 16]);
    let mut fewer = Case::pair();
    fewer.witness.openings.pop();
    for case in [shorter, longer, fewer] {
        assert!(case.native().is_err());
        let result = assign(PossessionCircuit::assigned(case.class, case.public, &case.witness));
        assert!(matches!(result, Err(SynthesisError::Circuit(_))));
    }
}

/// C3: one bit of the cell, zeros, another cell, another body's cell.
#[test]
fn c3_cells_that_are_not_stored_are_refused() {
    let attacks: [Attack; 5] = [
        ("one bit", |c| c.slot(1).1.cell[7] += Fr::ONE),
        ("zeros", |c| c.slot(1).1.cell = [Fr::ZERO; 16]),
        ("the other sampled cell", |c| c.slot(1).1.cell = c.witness.openings[0].1.cell),
        ("elements exchanged", |c| c.slot(1).1.cell.swap(0, 15)),
        ("another body's cell", |c| {
            let other = Case::of(PAIR, &[body(49_500, 50)]);
            c.slot(1).1.cell = other.witness.openings[1].1.cell;
        }),
    ];
    for (what, attack) in attacks {
        let mut case = Case::pair();
        attack(&mut case);
        both_refuse(what, &case, Clause::C3);
    }
}

/// C3, P01: a host that kept hashes and deleted bytes has paths, but no cell.
#[test]
fn c3_p01_kept_hashes_are_not_a_cell() {
    let mut case = Case::pair();
    let (_, o) = case.slot(0);
    let kept_hash = o.path[0][o.digit(0)];
    o.cell = [kept_hash; 16];
    both_refuse("the hash in place of the cell", &case, Clause::C3);
}

/// C3, Z29: siblings exchanged at any level, and a node on the way changed.
#[test]
fn c3_z29_siblings_exchanged_are_refused() {
    for level in 0..3 {
        let mut case = Case::pair();
        let (_, o) = case.slot(0);
        let (here, there) = (o.digit(level), (o.digit(level) + 1) % 16);
        assert_ne!(o.path[level][here], o.path[level][there]);
        o.path[level].swap(here, there);
        both_refuse("exchanged", &case, Clause::C3);

        let mut case = Case::pair();
        let (_, o) = case.slot(0);
        let there = (o.digit(level) + 1) % 16;
        o.path[level][there] += Fr::ONE;
        both_refuse("sibling changed", &case, Clause::C3);
    }
}

/// C3: the honest path under another index leads elsewhere.
#[test]
fn c3_the_index_decides_the_way() {
    for digit in 0..3 {
        let mut case = Case::pair();
        case.slot(0).1.index ^= 1 << (4 * digit);
        both_refuse("other index", &case.restated(), Clause::C3);
    }
}

/// C3, Z30: an inner node offered as a cell, one level up, with a level of the prover's own on top.
#[test]
fn c3_z30_an_inner_node_is_no_cell() {
    let mut case = Case::pair();
    let (root, o) = case.slot(0);
    let mut top = [empty_node(4); 16];
    top[0] = *root;
    o.cell = o.path.remove(0);
    o.path.push(top);
    o.index >>= 4;
    let own_root = compress(&top);
    both_refuse("second preimage under the true root", &case.clone().restated(), Clause::C3);
    // The way itself is consistent, to a root no verifier lifts to: the statement refuses it.
    let truth = Case::pair().public;
    case.slot(0).0 = own_root;
    both_accept(&case.clone().restated());
    case.public = truth;
    both_refuse("under its own root", &case, Clause::C1);
}

/// C3, Z31: a place without a cell holds the empty node, which nothing known hashes to: index = cells, with the genuine
/// siblings of a body of one cell.
#[test]
fn c3_z31_a_cell_past_the_end_cannot_be_answered() {
    let one_cell = Case::of(ClassId::TINY, &[body(400, 8)]);
    both_accept(&one_cell);
    assert_eq!(one_cell.witness.openings[0].1.path[0][1], empty_node(1));
    for cell in [[Fr::ZERO; 16], [empty_node(1); 16], one_cell.witness.openings[0].1.cell] {
        let mut attempt = one_cell.clone();
        attempt.slot(0).1.index = 1;
        attempt.slot(0).1.cell = cell;
        both_refuse("empty place", &attempt.restated(), Clause::C3);
    }
}

/// Z32: one cell drawn twice: both slots are bound, each for itself.
#[test]
fn z32_the_same_cell_twice_binds_both_slots() {
    let honest = Case::of(PAIR, &[body(100, 9)]);
    assert_eq!(honest.witness.openings[0], honest.witness.openings[1]);
    both_accept(&honest);
    for slot in 0..2 {
        let mut case = honest.clone();
        case.slot(slot).1.cell[0] += Fr::ONE;
        both_refuse("one of two equal slots", &case, Clause::C3);
    }
}

/// Z25: with the constraints of a clause deleted, the attacks on that clause, and only those, are accepted.
#[test]
fn z25_every_clause_is_needed() {
    let mut c1 = Case::pair();
    c1.witness.binding += Fr::ONE;
    let mut c2 = Case::pair();
    c2.slot(1).1.index += 1 << 12;
    let c2 = c2.restated();
    let mut c3 = Case::pair();
    c3.slot(1).1.cell[7] += Fr::ONE;
    let attacks = [(Clause::C1, c1), (Clause::C2, c2), (Clause::C3, c3)];

    let (matrices, ranges) = system(PAIR);
    let covered: usize = ranges.iter().map(|(_, range)| range.len()).sum();
    assert_eq!(covered, matrices.constraints(), "every constraint belongs to a clause");
    for deleted in [Clause::C1, Clause::C2, Clause::C3] {
        let drop: Vec<usize> = ranges
            .iter()
            .filter(|(clause, _)| *clause == deleted)
            .flat_map(|(_, range)| range.clone())
            .collect();
        let weaker = matrices.without(&drop);
        for (clause, case) in &attacks {
            let z = case.assignment();
            assert!(matrices.first_unsatisfied(&z).is_some());
            assert_eq!(
                weaker.first_unsatisfied(&z).is_none(),
                *clause == deleted,
                "{clause:?} without {deleted:?}"
            );
        }
    }
}

/// Z25, finer: without any one group (the clause of one sample), an attack on that very sample is accepted.
#[test]
fn z25_every_sample_is_needed() {
    let (matrices, ranges) = system(PAIR);
    let groups: Vec<_> = ranges.iter().filter(|(clause, _)| *clause == Clause::C3).collect();
    assert_eq!(groups.len(), 2);
    for (sample, (_, range)) in groups.into_iter().enumerate() {
        let weaker = matrices.without(&range.clone().collect::<Vec<_>>());
        for attacked in 0..2 {
            let mut case = Case::pair();
            case.slot(attacked).1.cell[0] += Fr::ONE;
            assert_eq!(weaker.first_unsatisfied(&case.assignment()).is_none(), attacked == sample);
        }
    }
}
