//! Proofs and verifying keys.

use bailiwick_groth16::{Proof, VerifyingKey};

pub(super) fn proof(data: &[u8]) -> bool {
    let Ok(proof) = Proof::from_bytes(data) else { return false };
    assert_eq!(proof.to_bytes().as_slice(), data, "a proof has a second encoding");
    true
}

pub(super) fn verifying_key(data: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(data) else { return false };
    assert_eq!(key.as_bytes(), data, "a verifying key has a second encoding");
    true
}

/// 1 and 2 times the generator of G1, compressed as `ark-serialize` does; computed from the curve's equations elsewhere.
const G1: [&str; 2] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "d3cf876dc108c2d3a81c8716a91678d9851518685b04859b021a132ee7440603",
];

/// 1, 2 and 3 times the generator of G2.
const G2: [&str; 3] = [
    "edf692d95cbdde46ddda5ef7d422436779445c5e66006a42761e1f12efde0018c212f3aeb785e49712e7a9353349aaf1255dfb31b7bf60723a480d9293938e19",
    "b9b3b4620913f849ee2aa6a9cfd35c9d146f3e7c27596cc3e8d311fd3472dc2779ad28398ced57998435d8c63164b86d7033733ab82101b6379bf1b45d203ea0",
    "f5c7fb9406fade12005e9ab08c477e8d5e7192e12628e551900eb14d784e0606856eb6ff324f82c9a7a078686b1504bcebe4cf5dcd9151734297bb572f771410",
];

fn bytes(parts: &[&str]) -> Vec<u8> {
    hex::decode(parts.concat()).expect("constants are hexadecimal")
}

pub(super) fn proof_seeds() -> Vec<Vec<u8>> {
    vec![bytes(&[G1[0], G2[0], G1[1]]), bytes(&[G1[1], G2[1], G1[0]])]
}

/// alpha, beta, gamma, delta, a count of two, two input points: a key anyone could forge under, but well formed.
pub(super) fn verifying_key_seeds() -> Vec<Vec<u8>> {
    vec![bytes(&[G1[1], G2[1], G2[0], G2[2], "0200000000000000", G1[0], G1[1]])]
}
