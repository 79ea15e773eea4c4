//! Whether anything in the circuit can move that should not.

use ark_ff::{AdditiveGroup, Field, PrimeField};
use bailiwick_possession::field::Fr;
use bailiwick_possession::tree::DEPTH_MAX;
use bailiwick_protocol::ids::ClassId;

use super::case::{Case, system};

/// Z23: every private variable of class tiny, set to v + 1, 0, 1, −v and a random value: some constraint fails. No
/// allow-list is needed: inputs of hashes, digits, inner nodes and s-box values all are determined.
#[test]
fn z23_no_private_variable_is_loose() {
    let (matrices, _) = system(ClassId::TINY);
    let z = Case::tiny().assignment();
    assert_eq!(matrices.first_unsatisfied(&z), None);

    // Only rows that name the variable can change; keep each row's three values and add the difference.
    let at = |row: &[(Fr, usize)]| row.iter().map(|(k, i)| *k * z[*i]).sum::<Fr>();
    let values: Vec<[Fr; 3]> = matrices.rows().map(|rows| rows.map(|row| at(&row))).collect();
    let mut by_variable: Vec<Vec<(usize, usize, Fr)>> = vec![Vec::new(); z.len()];
    for (row, rows) in matrices.rows().enumerate() {
        for (which, terms) in rows.into_iter().enumerate() {
            for (k, i) in terms {
                by_variable[i].push((row, which, k));
            }
        }
    }
    for i in matrices.instance_variables()..z.len() {
        let random = Fr::from_le_bytes_mod_order(blake3::hash(&i.to_le_bytes()).as_bytes());
        for other in [z[i] + Fr::ONE, Fr::ZERO, Fr::ONE, -z[i], random] {
            if other == z[i] {
                continue;
            }
            let mut changed: Vec<(usize, [Fr; 3])> = Vec::new();
            for (row, which, k) in &by_variable[i] {
                let at = changed.iter().position(|(r, _)| r == row).unwrap_or_else(|| {
                    changed.push((*row, values[*row]));
                    changed.len() - 1
                });
                changed[at].1[*which] += *k * (other - z[i]);
            }
            assert!(changed.iter().any(|(_, [a, b, c])| *a * b != *c), "variable {i} can be {other}");
        }
    }
}

/// Z28: 4(D−1) digit bits of the deepest class stay below 2^28, and the modulus is above 2^253: no alias of an index
/// modulo p has bits of its own. (gadgets: z28 tries the bits of v + p.)
#[test]
fn z28_index_bits_cannot_alias() {
    const { assert!(4 * (DEPTH_MAX as u32 - 1) <= 28) };
    const { assert!(28 < Fr::MODULUS_BIT_SIZE - 1) };
    // Every index of the class is reached, and the largest sum of bits is the largest index.
    for (_, class) in ClassId::PINNED {
        assert_eq!((1u64 << (4 * (u32::from(class.depth) - 1))) - 1, class.cells_max() - 1);
    }
}

/// Z28, Z31: in the circuit itself: the index variable replaced by index + 16^(D−1), p − 1, and −index.
#[test]
fn z28_z31_other_values_of_the_index_variable_are_refused() {
    let (matrices, _) = system(ClassId::TINY);
    let case = Case::tiny();
    let index = Fr::from(case.witness.openings[0].1.index);
    let z = case.assignment();
    // Order of allocation: one, statement, binding, root, index.
    assert_eq!((z[2], z[3], z[4]), (case.witness.binding, case.witness.openings[0].0, index));
    for other in [index + Fr::from(256u64), -Fr::ONE, -index, index + Fr::from(1u64 << 32)] {
        let mut changed = z.clone();
        changed[4] = other;
        assert!(matrices.first_unsatisfied(&changed).is_some());
    }
}
