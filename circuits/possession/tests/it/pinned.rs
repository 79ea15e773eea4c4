//! Counts and digests of the pinned classes: table, file and circuit say the same.

use bailiwick_groth16::Matrices;
use bailiwick_possession_circuit::circuit::{PossessionCircuit, matrices_by_clause};
use bailiwick_possession_circuit::classes::PINNED;
use bailiwick_possession_circuit::{ClassInfo, class_info};
use bailiwick_protocol::ids::ClassId;

/// Z36: a change of the circuit is a change of these values, of every key, and of the version.
fn matches_its_pin(class: ClassId) -> &'static ClassInfo {
    let info = class_info(class).expect("pinned");
    let (matrices, _) = matrices_by_clause(class).expect("R1CS");
    assert_eq!(matrices.constraints() as u64, info.constraints);
    assert_eq!(matrices.variables() as u64, info.variables);
    assert_eq!(matrices.digest(), info.circuit);
    info
}

#[test]
fn z36_tiny_is_pinned_and_fits_2_to_the_12() {
    assert!(matches_its_pin(ClassId::TINY).constraints <= 1 << 12);
}

#[test]
fn z36_small_is_pinned() {
    assert!(matches_its_pin(ClassId::SMALL).constraints < 1 << 16);
}

#[test]
fn z36_standard_is_pinned_at_3600_constraints_a_sample_or_less() {
    assert!(matches_its_pin(ClassId::STANDARD).constraints <= 3600 * 64);
}

#[test]
fn z36_large_is_pinned_at_4750_constraints_a_sample_or_less() {
    assert!(matches_its_pin(ClassId::LARGE).constraints <= 4750 * 64);
}

/// The count by formula: per sample 4(D−1) + 1 for the index, D compressions, D−1 selections, one root; then the sponge
/// and one comparison.
#[test]
fn counts_follow_the_formula_of_the_readme() {
    for info in &PINNED {
        let (s, d) = (u64::from(info.class.samples), u64::from(info.class.depth));
        let blocks = (3 + 2 * s).div_ceil(15);
        assert_eq!(info.constraints, s * (4 * (d - 1) + 1 + 555 * d + 15 * (d - 1) + 1) + 555 * blocks + 1);
    }
}

/// Codex proves 100 samples with 1.758 million constraints: ours has a fifth of that at D = 6 (bodies of up to 520 MB) and
/// 27 % at D = 8 (133 GB).
#[test]
fn a_hundred_samples_cost_a_fifth_of_the_circuit_of_codex() {
    const CODEX: usize = 1_758_000;
    for (depth, constraints, percent) in [(6, 350_471, 20), (8, 465_271, 27)] {
        let class = ClassId { samples: 100, depth };
        let matrices = Matrices::synthesize(PossessionCircuit::shape(class)).expect("R1CS");
        assert_eq!(matrices.constraints(), constraints);
        assert!(100 * constraints <= percent * CODEX);
    }
}

#[test]
fn table_and_file_agree() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../pinned/v1/classes.json")).expect("JSON");
    let rows = file.as_array().expect("a list");
    assert_eq!(rows.len(), PINNED.len());
    for (row, info) in rows.iter().zip(&PINNED) {
        assert_eq!(row["name"], info.name);
        assert_eq!(row["samples"], info.class.samples);
        assert_eq!(row["depth"], info.class.depth);
        assert_eq!(row["constraints"], info.constraints);
        assert_eq!(row["variables"], info.variables);
        assert_eq!(row["circuit"], info.circuit.to_string());
        assert_eq!(row["development_vk"], info.development_vk.to_string());
        assert_eq!(
            ClassId::PINNED.iter().find(|(name, _)| *name == info.name),
            Some(&(info.name, info.class))
        );
    }
}
