//! `bailiwick circuit export`: what is written reads back, is labelled, and is there whole or not at all.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use bailiwick_groth16::Matrices;
use bailiwick_iden3::{json, r1cs, wtns};
use bailiwick_possession_circuit::circuit::PossessionCircuit;
use bailiwick_protocol::ids::ClassId;
use serde_json::Value;

use super::program::Place;
use super::verdict::scenario;

const ALL: [&str; 7] = [
    "Verifier.sol",
    "circuit.r1cs",
    "contract-call.json",
    "proof.json",
    "public.json",
    "verification_key.json",
    "witness.wtns",
];

fn names(folder: PathBuf) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    all.sort();
    all
}

fn read(place: &Place, name: &str) -> Vec<u8> {
    fs::read(place.path("out").join(name)).unwrap()
}

/// Z37: key, proof and input that were exported say here what they said before; system and witness are the class's.
#[test]
fn z37_the_self_test_reads_back_and_is_labelled() {
    let place = Place::new();
    let said = place.run(&["circuit", "export", "--self-test", "tiny", "-o", "out"]);
    assert!(String::from_utf8_lossy(&said).contains("DEVELOPMENT KEY: anyone can forge"));
    assert_eq!(names(place.path("out")), ALL);
    let matrices = Matrices::synthesize(PossessionCircuit::shape(ClassId::TINY)).unwrap();
    assert!(r1cs::read(Cursor::new(read(&place, "circuit.r1cs"))).unwrap().is_of(&matrices));
    let assignment = wtns::read(Cursor::new(read(&place, "witness.wtns"))).unwrap();
    assert_eq!(matrices.first_unsatisfied(&assignment), None);
    let public = json::read_public(&read(&place, "public.json")).unwrap();
    assert_eq!(public, assignment[1..2]);
    let vk = json::read_verification_key(&read(&place, "verification_key.json")).unwrap();
    let proof = json::read_proof(&read(&place, "proof.json")).unwrap();
    vk.prepare().verify(&public, &proof).unwrap();
    assert!(String::from_utf8(read(&place, "Verifier.sol")).unwrap().contains("@notice DEVELOPMENT KEY"));
}

/// The proof of a bundle, judged here and as exported; no witness, for there is none.
#[test]
fn the_proof_of_a_bundle_is_exported_as_it_is() {
    for (name, holds) in [("honest", true), ("replayed-proof", false)] {
        let place = Place::new();
        scenario(&place, name);
        let said =
            place.run(&["circuit", "export", "--bundle", "bundle", "--dir", "keys", "-o", "out", "--json"]);
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(said["proof_holds"], holds, "{name}");
        let expected: Vec<&str> =
            ALL.into_iter().filter(|f| !["circuit.r1cs", "witness.wtns"].contains(f)).collect();
        assert_eq!(names(place.path("out")), expected);
        let vk = json::read_verification_key(&read(&place, "verification_key.json")).unwrap();
        let proof = json::read_proof(&read(&place, "proof.json")).unwrap();
        let public = json::read_public(&read(&place, "public.json")).unwrap();
        assert_eq!(vk.prepare().verify(&public, &proof).is_ok(), holds, "{name}");
        // Where the key comes from is not in its file.
        assert!(String::from_utf8(read(&place, "Verifier.sol")).unwrap().contains("is not stated"));
    }
}

/// A command that fails leaves no folder; one that finds its folder there touches nothing in it.
#[test]
fn a_folder_is_there_whole_or_not_at_all() {
    let place = Place::new();
    scenario(&place, "cannot-prove");
    let bundle = ["circuit", "export", "--class", "tiny", "--bundle", "bundle", "--dir", "keys", "-o", "out"];
    place.refuse(&bundle, "no proof to export");
    assert!(!place.path("out").exists());
    fs::create_dir(place.path("out")).unwrap();
    fs::write(place.path("out/mine"), b"mine").unwrap();
    place.refuse(&["circuit", "export", "--class", "tiny", "-o", "out"], "cannot make out");
    assert_eq!(names(place.path("out")), ["mine"]);
    place.run(&["circuit", "export", "--class", "tiny", "-o", "other"]);
    assert_eq!(names(place.path("other")), ["circuit.r1cs"]);
}

/// Z10: a key filed under another's digest is not exported as that other.
#[test]
fn z10_a_key_under_another_digest_is_not_exported() {
    let place = Place::new();
    scenario(&place, "honest");
    let file = fs::read_dir(place.path("keys")).unwrap().next().unwrap().unwrap().path();
    let digest = file.file_stem().unwrap().to_string_lossy().into_owned();
    let other = "ab".repeat(32);
    fs::copy(&file, place.path(&format!("keys/{other}.vk"))).unwrap();
    place.refuse(
        &["circuit", "export", "--key", &other, "--dir", "keys", "-o", "out"],
        &format!("is key {digest}"),
    );
    assert!(!place.path("out").exists());
    place.run(&["circuit", "export", "--key", &digest, "--dir", "keys", "-o", "out"]);
    assert_eq!(names(place.path("out")), ["Verifier.sol", "verification_key.json"]);
}

#[test]
fn something_must_be_asked_for() {
    let place = Place::new();
    place.refuse(&["circuit", "export", "-o", "out"], "required");
    place.refuse(
        &["circuit", "export", "--self-test", "tiny", "--class", "tiny", "-o", "out"],
        "cannot be used with",
    );
    assert!(!place.path("out").exists());
}

/// A witness leaves the program for a made-up object only.
#[test]
fn no_witness_is_exported_of_an_audit() {
    let place = Place::new();
    scenario(&place, "honest");
    let both =
        ["circuit", "export", "--bundle", "bundle", "--self-test", "tiny", "--dir", "keys", "-o", "out"];
    place.refuse(&both, "cannot be used with");
}
