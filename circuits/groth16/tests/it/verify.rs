//! Public inputs: their number, their encoding, their binding.

use bailiwick_groth16::{Fr, VerifyError, input_from_bytes};

use super::circuit::{HONEST, fixture};

/// The BN254 scalar modulus, little-endian (EIP-197).
const MODULUS: [u8; 32] = [
    0x01, 0x00, 0x00, 0xf0, 0x93, 0xf5, 0xe1, 0x43, 0x91, 0x70, 0xb9, 0x79, 0x48, 0xe8, 0x33, 0x28, 0x5d,
    0x58, 0x81, 0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
];

fn plus_modulus(x: u64) -> [u8; 32] {
    let mut out = MODULUS;
    let mut carry = u16::from(0u8);
    for (o, a) in out.iter_mut().zip(x.to_le_bytes().into_iter().chain(std::iter::repeat(0))) {
        let sum = u16::from(*o) + u16::from(a) + carry;
        *o = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    out
}

fn bytes_of(x: u64) -> [u8; 32] {
    let mut out = [0; 32];
    out[..8].copy_from_slice(&x.to_le_bytes());
    out
}

#[test]
fn an_honest_proof_verifies_from_elements_and_from_bytes() {
    let f = fixture();
    assert_eq!(f.pvk.verify(&HONEST.inputs(), &f.proof), Ok(()));
    let bytes = [HONEST.x, HONEST.y, HONEST.product, HONEST.unused].map(bytes_of);
    assert_eq!(f.pvk.verify_bytes(&bytes, &f.proof), Ok(()));
}

/// Z01
#[test]
fn z01_one_input_too_many_is_refused() {
    let f = fixture();
    for extra in [0u64, 1] {
        let mut inputs = HONEST.inputs();
        inputs.push(Fr::from(extra));
        let refused = VerifyError::InputCount { expected: 4, found: 5 };
        assert_eq!(f.pvk.verify(&inputs, &f.proof), Err(refused));
    }
    let mut bytes = [HONEST.x, HONEST.y, HONEST.product, HONEST.unused].map(bytes_of).to_vec();
    bytes.push([0; 32]);
    assert!(matches!(f.pvk.verify_bytes(&bytes, &f.proof), Err(VerifyError::InputCount { found: 5, .. })));
}

/// Z02: the last input is 0, and left out. `ark-groth16` 0.6 alone would say yes.
#[test]
fn z02_one_input_too_few_is_refused_even_when_it_is_zero() {
    let f = fixture();
    let circuit = super::circuit::Product { unused: 0, ..HONEST };
    let proof = super::circuit::prove_with(f, circuit, 9).expect("proves");
    let mut inputs = circuit.inputs();
    assert_eq!(f.pvk.verify(&inputs, &proof), Ok(()));
    inputs.pop();
    assert_eq!(f.pvk.verify(&inputs, &proof), Err(VerifyError::InputCount { expected: 4, found: 3 }));
    assert_eq!(f.pvk.verify(&[], &proof), Err(VerifyError::InputCount { expected: 4, found: 0 }));
}

/// Z03: x and x + p are one element; only x's bytes are accepted, at every position.
#[test]
fn z03_inputs_at_or_above_the_modulus_are_refused() {
    let f = fixture();
    let values = [HONEST.x, HONEST.y, HONEST.product, HONEST.unused];
    for i in 0..values.len() {
        let mut bytes = values.map(bytes_of);
        bytes[i] = plus_modulus(values[i]);
        assert!(matches!(f.pvk.verify_bytes(&bytes, &f.proof), Err(VerifyError::Input(_))), "input {i}");
    }
    assert!(input_from_bytes(&MODULUS).is_err());
    let mut below = MODULUS;
    below[0] -= 1;
    assert_eq!(input_from_bytes(&below), Ok(-Fr::from(1u64)));
    assert!(input_from_bytes(&[0xff; 32]).is_err());
    let mut flagged = bytes_of(6);
    flagged[31] |= 0x80;
    assert!(input_from_bytes(&flagged).is_err());
}

/// Z04: every input is bound, also the one no constraint uses.
#[test]
fn z04_changing_any_input_by_one_is_refused() {
    let f = fixture();
    for i in 0..4 {
        for change in [Fr::from(1u64), -Fr::from(1u64)] {
            let mut inputs = HONEST.inputs();
            inputs[i] += change;
            assert_eq!(f.pvk.verify(&inputs, &f.proof), Err(VerifyError::False), "input {i}");
        }
    }
}

/// Z05
#[test]
fn z05_swapping_any_two_inputs_is_refused() {
    let f = fixture();
    for i in 0..4 {
        for j in 0..i {
            let mut inputs = HONEST.inputs();
            inputs.swap(i, j);
            assert_eq!(f.pvk.verify(&inputs, &f.proof), Err(VerifyError::False), "{i} and {j}");
        }
    }
}
