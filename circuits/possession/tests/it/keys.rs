//! Prover keys as bytes, and keys of someone one distrusts.

use bailiwick_groth16::{Inconsistency, KeyShape, ProvingKeyError};
use bailiwick_possession_circuit::circuit::matrices_by_clause;
use bailiwick_possession_circuit::{KeyError, ProverKey, class_info, key_shape, prove, verify};
use bailiwick_protocol::ids::ClassId;

use super::case::{PAIR, body, challenge, drawn, openings, rng, tiny_key};

#[test]
fn a_key_survives_the_disk_and_proves() {
    let mut bytes = Vec::new();
    let (vk, pk) = tiny_key().write_to(&mut bytes).expect("vec");
    assert_eq!(vk, tiny_key().verifying_key().digest());
    let key = ProverKey::read_from(&mut std::io::Cursor::new(&bytes), &pk, ClassId::TINY).expect("reads");
    assert_eq!((key.class(), key.prepared().digest()), (ClassId::TINY, vk));
    let bodies = [body(49_500, 1)];
    let c = challenge(ClassId::TINY, vk, &bodies);
    let proof = prove(&key, &c, &drawn(&c), openings(&c, &bodies), &mut rng(5), &mut |_| ()).expect("honest");
    assert_eq!(verify(tiny_key().prepared(), &c, &drawn(&c), &proof), Ok(()));
}

/// Z10: a key of one class is refused for another, by the circuit digest inside the file.
#[test]
fn z10_a_key_of_another_class_is_refused() {
    let mut bytes = Vec::new();
    let (_, pk) = tiny_key().write_to(&mut bytes).expect("vec");
    let refused = ProverKey::read_from(&mut std::io::Cursor::new(&bytes), &pk, ClassId::SMALL);
    assert!(matches!(refused, Err(KeyError::File(ProvingKeyError::Circuit { .. }))));
    *bytes.last_mut().expect("not empty") ^= 1;
    let refused = ProverKey::read_from(&mut std::io::Cursor::new(&bytes), &pk, ClassId::TINY);
    assert!(matches!(refused, Err(KeyError::File(ProvingKeyError::Digest { .. }))));
}

/// Z10: a key of another class costs its header: 48 bytes, and no synthesis. `LARGE` would take seconds and 400 MiB.
#[test]
fn z10_a_key_of_another_class_is_refused_by_its_header() {
    let mut bytes = Vec::new();
    let (_, pk) = tiny_key().write_to(&mut bytes).expect("vec");
    for class in [ClassId::SMALL, ClassId::STANDARD, ClassId::LARGE] {
        let mut file = std::io::Cursor::new(&bytes[..48]);
        let refused = ProverKey::read_from(&mut file, &pk, class);
        assert!(matches!(refused, Err(KeyError::File(ProvingKeyError::Circuit { .. }))));
        assert_eq!(file.position(), 48);
    }
    // The pinned shape is the synthesised one.
    let shape = key_shape(ClassId::TINY).expect("pinned");
    assert_eq!(shape, KeyShape::of(&super::case::system(ClassId::TINY).0).expect("small"));
    assert_eq!(shape.file_bytes(), bytes.len() as u64);
}

/// Z10: a class that is not pinned, as a key card from elsewhere may name one, is refused before its circuit is
/// synthesised: S = 65535, D = 255 would not fit any memory, and D = 0 has no digits.
#[test]
fn z10_a_class_that_is_not_pinned_is_refused_before_synthesis() {
    let mut bytes = Vec::new();
    let (_, pk) = tiny_key().write_to(&mut bytes).expect("vec");
    assert!(ProverKey::read_from(&mut std::io::Cursor::new(&bytes), &pk, ClassId::TINY).is_ok());
    let classes = [(1, 0), (0, 0), (0, 3), (1, 255), (u16::MAX, u8::MAX)];
    let classes = classes.map(|(samples, depth)| ClassId { samples, depth });
    // The smallest first: it could be synthesised.
    for class in core::iter::once(PAIR).chain(classes) {
        let results = [
            ProverKey::read_from(&mut std::io::Cursor::new(&bytes), &pk, class),
            ProverKey::generate(class, &mut rng(1), &mut |_| ()).map(|(key, _)| key),
            ProverKey::development(class, &mut |_| ()),
        ];
        for result in results {
            assert!(matches!(result, Err(KeyError::UnknownClass { class: c }) if c == class));
        }
    }
}

/// D = 0 has no cell level: an error of the circuit, not 2^32 digits.
#[test]
fn a_circuit_without_levels_is_refused() {
    assert!(matrices_by_clause(ClassId { samples: 1, depth: 0 }).is_err());
}

/// What a host that distrusts the auditor runs once.
#[test]
fn a_distrustful_host_checks_the_key() {
    let (key, transcript) = ProverKey::generate(ClassId::TINY, &mut rng(41), &mut |_| ()).expect("set-up");
    assert_eq!(key.check(&transcript, &mut rng(42)), Ok(()));
    assert_eq!(tiny_key().check(&transcript, &mut rng(42)), Err(Inconsistency::Query("A")));
}

/// Progress of a set-up rises to its announced total.
#[test]
fn set_up_reports_progress_to_the_end() {
    let mut seen = Vec::new();
    ProverKey::generate(ClassId::TINY, &mut rng(43), &mut |p| seen.push((p.done, p.total))).expect("set-up");
    assert!(seen.windows(2).all(|w| w[0].0 <= w[1].0 && w[0].1 == w[1].1));
    assert_eq!(seen.last().map(|(done, total)| done == total), Some(true));
}

/// Development keys are the same on every machine: pinned.
#[test]
fn development_keys_are_the_pinned_ones() {
    for class in [ClassId::TINY, ClassId::SMALL] {
        let key = ProverKey::development(class, &mut |_| ()).expect("set-up");
        assert_eq!(Some(key.verifying_key().digest()), class_info(class).map(|info| info.development_vk));
    }
}
