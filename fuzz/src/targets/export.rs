//! What comes back from snarkjs: constraint systems, witnesses, keys, proofs, inputs.

use std::io::Cursor;

use bailiwick_iden3::{json, r1cs, wtns};

pub(super) fn r1cs(data: &[u8]) -> bool {
    let Ok(system) = r1cs::read(Cursor::new(data)) else { return false };
    let terms = system.constraints.iter().flatten().flatten();
    assert!(
        terms.clone().all(|(_, wire)| *wire < system.wires as usize),
        "a term of a wire there is none of"
    );
    assert!(terms.count() * 36 <= data.len(), "more terms than bytes");
    true
}

pub(super) fn wtns(data: &[u8]) -> bool {
    let Ok(values) = wtns::read(Cursor::new(data)) else { return false };
    let again =
        wtns::write(&values, Cursor::new(Vec::new())).expect("what was read can be written").into_inner();
    assert_eq!(wtns::read(Cursor::new(again)).expect("what was written can be read"), values);
    true
}

pub(super) fn key(data: &[u8]) -> bool {
    let Ok(key) = json::read_verification_key(data) else { return false };
    let again = json::verification_key(&key);
    assert_eq!(json::read_verification_key(again.as_bytes()).expect("what was written can be read"), key);
    true
}

pub(super) fn proof(data: &[u8]) -> bool {
    let Ok(proof) = json::read_proof(data) else { return false };
    let again = json::read_proof(json::proof(&proof).as_bytes()).expect("what was written can be read");
    assert_eq!(again.to_bytes(), proof.to_bytes());
    true
}

pub(super) fn public(data: &[u8]) -> bool {
    let Ok(inputs) = json::read_public(data) else { return false };
    let again = json::read_public(json::public(&inputs).as_bytes()).expect("what was written can be read");
    assert_eq!(again, inputs);
    true
}

macro_rules! vector {
    ($name:literal) => {
        vec![include_bytes!(concat!("../../../test-vectors/iden3/v1/small.", $name)).to_vec()]
    };
}

pub(super) fn r1cs_seeds() -> Vec<Vec<u8>> {
    vector!("r1cs")
}

pub(super) fn wtns_seeds() -> Vec<Vec<u8>> {
    vector!("wtns")
}

pub(super) fn key_seeds() -> Vec<Vec<u8>> {
    vector!("verification_key.json")
}

pub(super) fn proof_seeds() -> Vec<Vec<u8>> {
    vector!("proof.json")
}

pub(super) fn public_seeds() -> Vec<Vec<u8>> {
    vector!("public.json")
}
