//! Proving keys as bytes.

use bailiwick_groth16::{ProvingKey, ProvingKeyError, assign, prove};
use bailiwick_protocol::ids::PkDigest;

use super::circuit::{HONEST, fixture, rng};

fn written() -> (Vec<u8>, PkDigest) {
    let mut bytes = Vec::new();
    let digest = fixture().key.write_to(&mut bytes).expect("vec");
    (bytes, digest)
}

#[test]
fn a_key_comes_back_and_proves() {
    let f = fixture();
    let (bytes, digest) = written();
    let key = ProvingKey::read_from(&mut bytes.as_slice(), &digest, &f.matrices).expect("reads");
    assert_eq!(key.verifying_key(), &f.vk);
    let assignment = assign(HONEST).expect("runs");
    let proof = prove(&key, &f.pvk, &f.matrices, &assignment, &mut rng(1), &mut |_| ()).expect("proves");
    assert_eq!(f.pvk.verify(&HONEST.inputs(), &proof), Ok(()));
}

/// A changed byte anywhere, one missing, one more: the digest differs, and nothing is decoded.
#[test]
fn bytes_of_another_digest_are_refused_before_decoding() {
    let f = fixture();
    let (honest, digest) = written();
    let mut variants = vec![honest[..honest.len() - 1].to_vec(), [honest.clone(), vec![0]].concat(), vec![]];
    for at in [0, 16, 48, honest.len() / 2, honest.len() - 1] {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        variants.push(bytes);
    }
    for bytes in variants {
        let result = ProvingKey::read_from(&mut bytes.as_slice(), &digest, &f.matrices);
        assert!(matches!(result, Err(ProvingKeyError::Digest { expected, .. }) if expected == digest));
    }
}

/// Bytes that are what their digest says, but not a key: bad magic, left-over bytes, another circuit, a false length.
#[test]
fn malformed_bytes_of_the_right_digest_are_refused() {
    let f = fixture();
    let (honest, _) = written();
    let read = |bytes: &[u8]| {
        let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
        h.update(bytes);
        let digest = PkDigest(h.finalize().into());
        ProvingKey::read_from(&mut &*bytes, &digest, &f.matrices)
    };
    assert!(read(&honest).is_ok());
    let changed = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        bytes
    };
    assert!(matches!(read(&changed(0)), Err(ProvingKeyError::Malformed)));
    assert!(matches!(read(&changed(16)), Err(ProvingKeyError::Circuit { .. })));
    assert!(matches!(read(&[honest.clone(), vec![0]].concat()), Err(ProvingKeyError::Malformed)));
    assert!(matches!(read(&honest[..40]), Err(ProvingKeyError::Malformed)));
    assert!(matches!(read(&honest[..honest.len() - 1]), Err(ProvingKeyError::Malformed)));
    // The count of the verifying key's input points: alpha 64, beta, gamma, delta 128 each.
    let count = 48 + 64 + 3 * 128;
    let mut bomb = honest.clone();
    bomb[count..count + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(read(&bomb), Err(ProvingKeyError::Malformed)));
}

/// A key whose queries are shorter than its circuit: the prover would truncate its sums without a word.
#[test]
fn a_key_of_another_shape_is_refused() {
    let f = fixture();
    let (honest, _) = written();
    let mut shorter = honest.clone();
    // The L query is last: a count of 2 and two points of 64 bytes. Make it one.
    let l = shorter.len() - 8 - 2 * 64;
    assert_eq!(shorter[l..l + 8], 2u64.to_le_bytes());
    shorter[l..l + 8].copy_from_slice(&1u64.to_le_bytes());
    shorter.truncate(l + 8 + 64);
    let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
    h.update(&shorter);
    let digest = PkDigest(h.finalize().into());
    let result = ProvingKey::read_from(&mut shorter.as_slice(), &digest, &f.matrices);
    assert!(matches!(result, Err(ProvingKeyError::Shape)));
}
