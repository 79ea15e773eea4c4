//! Key files: each malformation has its name, before anything is allocated (assurance Z20, Z21, issue 4).

use std::io::Cursor;

use bailiwick_groth16::{ProveError, ProvingKeyError, prove};
use bailiwick_iden3::binfile::BinFileError;
use bailiwick_iden3::zkey::{Element, Zkey, ZkeyError};
use bailiwick_iden3::{ImportError, PointFault, import};

use super::circuit::{Chain, assignment, matrices};
use super::keys::{CONTRIBUTION, FINAL, INITIAL, contribution_at, exchanged, key, part, rng, section, with};

fn open(bytes: &[u8]) -> Result<(), ZkeyError> {
    Zkey::open(Cursor::new(bytes)).map(|_| ())
}

#[test]
fn a_key_of_snarkjs_is_read() {
    let key = key(FINAL);
    let header = key.header();
    assert_eq!((header.variables, header.public, header.domain), (14, 1, 16));
    assert_eq!(key.contributions().list.len(), 3);
}

#[test]
fn an_imported_key_proves_and_its_proofs_verify() {
    let matrices = matrices();
    let imported = import(&mut key(FINAL), &matrices).unwrap();
    let vk = imported.verifying_key().prepare();
    let proof = prove(&imported, &vk, &matrices, &assignment(5), &mut rng(), &mut |_| ()).unwrap();
    let input = Chain { start: 5 }.end();
    vk.verify(&[input], &proof).unwrap();
    assert!(vk.verify(&[input + input], &proof).is_err());
}

#[test]
fn a_key_whose_h_points_are_exchanged_gives_no_proof() {
    let matrices = matrices();
    let imported = import(&mut key(&exchanged(FINAL, 9, [3, 4], 64)), &matrices).unwrap();
    let vk = imported.verifying_key().prepare();
    let proof = prove(&imported, &vk, &matrices, &assignment(5), &mut rng(), &mut |_| ());
    assert!(matches!(proof, Err(ProveError::Rejected(_))), "{proof:?}");
}

#[test]
fn z08_an_unfinished_key_is_not_imported() {
    let result = import(&mut key(INITIAL), &matrices());
    assert!(matches!(result, Err(ImportError::Key(ProvingKeyError::Key(_)))), "{result:?}");
}

#[test]
fn a_key_of_another_circuit_is_not_imported() {
    let without = matrices().without(&[0]);
    assert!(matches!(import(&mut key(FINAL), &without), Err(ImportError::OtherCircuit)));
    let at = section(FINAL, 4).len() - 1;
    let byte = part(FINAL, 4, at, 1)[0] ^ 1;
    let bytes = with(FINAL, 4, at, &[byte]);
    assert!(matches!(import(&mut key(&bytes), &matrices()), Err(ImportError::OtherCircuit)));
}

#[test]
fn a_key_whose_delta_differs_between_the_groups_is_not_imported() {
    let points = 2 * 36 + 12;
    let alpha = part(FINAL, 2, points, 64);
    let bytes = with(FINAL, 2, points + 384, &alpha);
    let result = import(&mut key(&bytes), &matrices());
    assert!(matches!(result, Err(ImportError::Key(ProvingKeyError::Delta))), "{result:?}");
}

#[test]
fn other_proof_systems_and_curves_are_refused() {
    for found in [0u32, 2, 10] {
        let bytes = with(FINAL, 1, 0, &found.to_le_bytes());
        assert!(matches!(open(&bytes), Err(ZkeyError::Protocol { .. })));
    }
    for offset in [0, 4, 36, 40] {
        let byte = part(FINAL, 2, offset, 1)[0] ^ 1;
        assert!(matches!(open(&with(FINAL, 2, offset, &[byte])), Err(ZkeyError::Curve)), "{offset}");
    }
}

#[test]
fn z21_counts_beyond_the_sections_are_refused() {
    for (variables, public, domain) in [(0, 0, 16), (14, 14, 16), (14, 1, 0), (14, 1, 17), (14, 1, 1 << 29)] {
        let bytes: Vec<u8> = [variables, public, domain].iter().flat_map(|n: &u32| n.to_le_bytes()).collect();
        assert!(matches!(open(&with(FINAL, 2, 72, &bytes)), Err(ZkeyError::Counts { .. })), "{variables}");
    }
    for (offset, n) in [(72, u32::MAX), (72, 15), (76, 2), (80, 1 << 28), (80, 32)] {
        let bytes = with(FINAL, 2, offset, &n.to_le_bytes());
        assert!(matches!(open(&bytes), Err(ZkeyError::File(BinFileError::Count { .. }))), "{offset} {n}");
    }
    let bytes = with(FINAL, 4, 0, &u32::MAX.to_le_bytes());
    assert!(matches!(open(&bytes), Err(ZkeyError::File(BinFileError::Count { kind: 4, .. }))));
}

#[test]
fn truncated_or_missing_sections_are_refused() {
    for n in (0..FINAL.len()).step_by(61) {
        assert!(matches!(open(&FINAL[..n]), Err(ZkeyError::File(BinFileError::Truncated { .. }))), "{n}");
    }
    // Section 9 becomes an 11th that no format knows.
    let mut bytes = FINAL.to_vec();
    let at = section(FINAL, 9).start - 12;
    bytes[at] = 11;
    assert!(matches!(open(&bytes), Err(ZkeyError::File(BinFileError::Unknown { kind: 11 }))));
}

#[test]
fn unfinished_contributions_are_refused() {
    let bytes = with(FINAL, 10, 64, &4u32.to_le_bytes());
    assert!(matches!(open(&bytes), Err(ZkeyError::File(BinFileError::Short { kind: 10, .. }))));
    let bytes = with(FINAL, 10, 64, &2u32.to_le_bytes());
    assert!(matches!(open(&bytes), Err(ZkeyError::File(BinFileError::Leftover { kind: 10, .. }))));
    let bytes = with(FINAL, 10, 64, &u32::MAX.to_le_bytes());
    assert!(matches!(open(&bytes), Err(ZkeyError::TooManyContributions { .. })));
}

#[test]
fn parameters_longer_than_they_say_or_than_the_section_are_refused() {
    let last = contribution_at(FINAL, 3) + CONTRIBUTION;
    for length in [42u32, 44, 600, u32::MAX] {
        let result = open(&with(FINAL, 10, last - 4, &length.to_le_bytes()));
        assert!(result.is_err(), "{length}");
    }
    assert_eq!(part(FINAL, 10, last - 4, 4), 43u32.to_le_bytes());
}

#[test]
fn contributions_of_unknown_form_are_refused() {
    let at = |n| contribution_at(FINAL, n);
    let kind = |n| at(n) + CONTRIBUTION - 8;
    for (offset, new) in [
        // A person becomes a beacon, a beacon a person, and something else.
        (kind(1), 1),
        (kind(3), 0),
        (kind(1), 2),
        // Parameters: of type 0, 4, of type 2 in place of the name, out of order.
        (at(1) + CONTRIBUTION, 0),
        (at(1) + CONTRIBUTION, 4),
        (at(1) + CONTRIBUTION, 2),
        (at(3) + CONTRIBUTION + 7, 1),
        // A name longer than its parameters.
        (at(1) + CONTRIBUTION + 1, 255),
    ] {
        let result = open(&with(FINAL, 10, offset, &[new]));
        assert!(matches!(result, Err(ZkeyError::Contribution { .. })), "{offset} {new}: {result:?}");
    }
}

#[test]
fn z20_points_outside_their_group_are_refused() {
    let at = contribution_at(FINAL, 2);
    for (offset, new, fault) in [
        (at, vec![0; 64], PointFault::Identity),
        (at + 64, vec![0xff; 32], PointFault::NotReduced),
        (at + 128, vec![1], PointFault::OffCurve),
        (at + 192, vec![0; 128], PointFault::Identity),
    ] {
        let result = open(&with(FINAL, 10, offset, &new));
        let Err(ZkeyError::Point { element: Element::Contribution(2), fault: found }) = result else {
            panic!("{result:?}")
        };
        assert_eq!(found, fault);
    }
}

#[test]
fn z20_a_g2_point_outside_its_subgroup_is_refused() {
    let bytes = with(FINAL, 10, contribution_at(FINAL, 2) + 192, &off_subgroup());
    let result = open(&bytes);
    assert!(matches!(result, Err(ZkeyError::Point { fault: PointFault::OffSubgroup, .. })), "{result:?}");
    // And in the B query, which a reader of the whole key would otherwise take.
    let bytes = with(FINAL, 7, 2 * 128, &off_subgroup());
    let result = import(&mut key(&bytes), &matrices());
    assert!(matches!(result, Err(ImportError::Key(ProvingKeyError::OffCurve))), "{result:?}");
}

/// A point of the curve over Fq² that is not in its subgroup of order r, stored.
fn off_subgroup() -> Vec<u8> {
    use ark_bn254::{Fq, Fq2, G2Affine};
    let point = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(0)), false))
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    [point.x.c0, point.x.c1, point.y.c0, point.y.c1]
        .iter()
        .flat_map(|c| c.0.0.iter().flat_map(|limb| limb.to_le_bytes()).collect::<Vec<_>>())
        .collect()
}
