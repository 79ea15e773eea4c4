//! Whether private variables of the whole circuit can move together: its Jacobian's kernel.

use std::collections::BTreeMap;

use ark_ff::{AdditiveGroup, Field, Zero};
use bailiwick_groth16::Matrices;
use bailiwick_possession::field::Fr;
use bailiwick_possession_circuit::circuit::matrices_by_group;
use bailiwick_protocol::ids::ClassId;

use super::case::Case;

/// A row of the Jacobian by column, without zeros.
type Row = BTreeMap<usize, Fr>;

/// The rows of d(Az ∘ Bz − Cz)/dz at `z`, in the free columns.
fn jacobian(matrices: &Matrices, z: &[Fr], free: &[bool]) -> Vec<Row> {
    let at = |row: &[(Fr, usize)]| row.iter().map(|(k, i)| *k * z[*i]).sum::<Fr>();
    let row = |[a, b, c]: [Vec<(Fr, usize)>; 3]| {
        let mut out = Row::new();
        for (scale, terms) in [(at(&b), &a), (at(&a), &b), (-Fr::ONE, &c)] {
            for (k, i) in terms.iter().filter(|(_, i)| free[*i]) {
                *out.entry(*i).or_insert(Fr::ZERO) += scale * k;
            }
        }
        out.retain(|_, value| !value.is_zero());
        out
    };
    matrices.rows().map(row).collect()
}

/// Dimension of the kernel. A constraint mostly determines the last variable it names, so that is where rows are reduced.
fn free_dimensions(matrices: &Matrices, z: &[Fr], free: &[bool]) -> usize {
    let mut pivots: BTreeMap<usize, Row> = BTreeMap::new();
    for mut row in jacobian(matrices, z, free) {
        while let Some((column, value)) = row.last_key_value().map(|(i, v)| (*i, *v)) {
            let Some(pivot) = pivots.get(&column) else {
                pivots.insert(column, row);
                break;
            };
            let scale = value * pivot[&column].inverse().expect("not zero");
            for (i, p) in pivot {
                let entry = row.entry(*i).or_insert(Fr::ZERO);
                *entry -= scale * p;
                if entry.is_zero() {
                    row.remove(i);
                }
            }
        }
    }
    free.iter().filter(|free| **free).count() - pivots.len()
}

/// Z24, the whole circuit of class tiny: with statement, binding, root, index, cell and siblings held, no private variable
/// can move, alone or with others. With the cell let go, fifteen of its sixteen elements can (one equation, its hash, holds
/// them: that there is no other preimage is the hash's), so that the measure is seen to measure.
#[test]
fn z24_the_whole_circuit_has_a_trivial_kernel() {
    let (matrices, groups) = matrices_by_group(ClassId::TINY).expect("R1CS");
    let z = Case::tiny().assignment();
    assert_eq!(matrices.first_unsatisfied(&z), None);
    let mut free = vec![false; z.len()];
    for column in groups.iter().flat_map(|g| g.variables.clone()) {
        free[column] = true;
    }
    // Held: one, statement, binding, root, index; a cell and two levels of siblings, sixteen each.
    assert_eq!(free.iter().filter(|free| !**free).count(), 5 + 3 * 16);
    assert_eq!(free_dimensions(&matrices, &z, &free), 0);

    // After the index come its eight bits, then the cell.
    let cell = 5 + 8..5 + 8 + 16;
    assert!(free[cell.clone()].iter().all(|free| !free));
    free[cell].fill(true);
    assert_eq!(free_dimensions(&matrices, &z, &free), 15);
}
