//! Per group of constraints: an attack that only this group refuses.

use ark_ff::Field;
use bailiwick_possession::field::Fr;
use bailiwick_possession::poseidon2::compress;
use bailiwick_possession_circuit::circuit::{Group, GroupRange, matrices_by_group};
use bailiwick_protocol::ids::ClassId;

use super::case::Case;

/// A false witness that breaks one group of the one sample of class tiny, and nothing else.
type GroupAttack = (Group, &'static str, Vec<Fr>);

/// `z` with the columns made for `group` taken from `honest`: the prover that writes them as it likes.
fn with_columns(mut z: Vec<Fr>, groups: &[GroupRange], group: Group, honest: &[Fr]) -> Vec<Fr> {
    let range = groups.iter().find(|g| g.group == group).expect("recorded").variables.clone();
    z[range.clone()].copy_from_slice(&honest[range]);
    z
}

/// The cell changed, and the way up rebuilt to the node of level `levels`, which then is not what the level above has.
fn other_cell(levels: usize) -> Case {
    let mut case = Case::tiny();
    let (_, o) = case.slot(0);
    o.cell[7] += Fr::ONE;
    let mut node = compress(&o.cell);
    for level in 0..levels {
        let digit = o.digit(level);
        o.path[level][digit] = node;
        node = compress(&o.path[level]);
    }
    case
}

fn attacks_on_c1_and_c2(groups: &[GroupRange]) -> Vec<GroupAttack> {
    let column = |group| groups.iter().find(|g| g.group == group).expect("recorded").variables.start;
    let honest = Case::tiny();
    let mut other_statement = honest.clone();
    other_statement.public += Fr::ONE;
    // Column 2 is the binding: another challenge's, under the hash of this one's.
    let mut other_binding = honest.assignment();
    other_binding[2] += Fr::ONE;

    // Sixteen equal cells: with a digit that is no bit, cell 2^20 of a tree that has 256 places.
    let mut beyond = Case::of(ClassId::TINY, &[vec![0; 16 * 496]]);
    beyond.slot(0).1.index = 1 << 20;
    let mut beyond = beyond.restated().assignment();
    beyond[column(Group::Booleans)] = Fr::from(1u64 << 20);

    // The way of another cell, digits included, under the index that was asked for.
    let mut asked = honest.clone();
    asked.slot(0).1.index ^= 0x21;
    let mut elsewhere = asked.restated().assignment();
    for group in [Group::Booleans, Group::Selection { level: 0 }, Group::Selection { level: 1 }] {
        elsewhere = with_columns(elsewhere, groups, group, &honest.assignment());
    }
    vec![
        (Group::StatementEqual, "another statement", other_statement.assignment()),
        (Group::StatementHash, "another binding", other_binding),
        (Group::Booleans, "a digit that is no bit", beyond),
        (Group::IndexValue, "another cell's digits", elsewhere),
    ]
}

fn attacks_on_c3(groups: &[GroupRange]) -> Vec<GroupAttack> {
    let honest = Case::tiny().assignment();
    let kept = |case: Case, group| with_columns(case.assignment(), groups, group, &honest);
    let cell = groups.iter().find(|g| g.group == Group::CellHash).expect("recorded").variables.start - 16;
    let mut not_hashed = honest.clone();
    not_hashed[cell + 7] += Fr::ONE;
    let mut sibling = Case::tiny();
    let (_, o) = sibling.slot(0);
    let beside = (o.digit(0) + 1) % 16;
    o.path[0][beside] += Fr::ONE;
    let [zero, one] = [0, 1].map(|level| Group::NodeHash { level });
    vec![
        (Group::CellHash, "another cell under the stored hash", not_hashed),
        (Group::Selection { level: 0 }, "a cell that is no child", other_cell(0).assignment()),
        (Group::Selection { level: 1 }, "a node that is no child", sibling.assignment()),
        (zero, "own children under the stored node", kept(other_cell(1), zero)),
        (one, "own children under the stored root", kept(other_cell(2), one)),
        (Group::RootEqual, "a tree of its own", other_cell(2).assignment()),
    ]
}

/// Z25, finest: every group of constraints of one sample has an attack that is refused, and accepted when that group, and
/// only when that group, is deleted.
#[test]
fn z25_every_group_is_needed() {
    let (matrices, groups) = matrices_by_group(ClassId::TINY).expect("R1CS");
    assert_eq!(groups.iter().map(|g| g.constraints.len()).sum::<usize>(), matrices.constraints());
    assert_eq!(matrices.first_unsatisfied(&Case::tiny().assignment()), None);
    let attacks = [attacks_on_c1_and_c2(&groups), attacks_on_c3(&groups)].concat();
    for GroupRange { group, .. } in &groups {
        assert!(attacks.iter().any(|(attacked, ..)| attacked == group), "no attack on {group:?}");
    }
    for (_, what, z) in &attacks {
        assert!(matrices.first_unsatisfied(z).is_some(), "refused: {what}");
    }
    for GroupRange { group: deleted, constraints, .. } in &groups {
        let weaker = matrices.without(&constraints.clone().collect::<Vec<_>>());
        for (attacked, what, z) in &attacks {
            assert_eq!(
                weaker.first_unsatisfied(z).is_none(),
                attacked == deleted,
                "{what} without {deleted:?}"
            );
        }
    }
}
