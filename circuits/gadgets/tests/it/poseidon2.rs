//! The compression against the native one.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_relations::gr1cs::{ConstraintSystemRef, Result};
use bailiwick_gadgets::Wire;
use bailiwick_gadgets::poseidon2::{CONSTRAINTS, compress};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::system::{Run, free_dimensions};

fn random(rng: &mut ChaCha20Rng) -> Fr {
    let mut bytes = [0; 64];
    rng.fill_bytes(&mut bytes);
    Fr::from_le_bytes_mod_order(&bytes)
}

/// Inputs and the digest as public inputs, so that every private variable must follow from them.
fn gadget(inputs: [Fr; 16], digest: Fr) -> impl Fn(&ConstraintSystemRef<Fr>) -> Result<()> {
    move |cs| {
        let mut wires = [Wire::constant(Fr::ZERO); 16];
        for (wire, value) in wires.iter_mut().zip(inputs) {
            *wire = Wire::input(cs, Some(value))?;
        }
        let expected = Wire::input(cs, Some(digest))?;
        compress(cs, &wires)?.enforce_equal(cs, &expected)
    }
}

/// Z33: the circuit's hash is the native one, also at 0 and p − 1; the native one is tested against published vectors.
#[test]
fn z33_the_circuit_computes_the_native_compression() {
    let mut rng = ChaCha20Rng::seed_from_u64(33);
    let mut cases = vec![[Fr::ZERO; 16], [-Fr::ONE; 16], core::array::from_fn(|i| Fr::from(i as u64))];
    cases.extend((0..4).map(|_| core::array::from_fn(|_| random(&mut rng))));
    for inputs in cases {
        let digest = bailiwick_possession::poseidon2::compress(&inputs);
        assert!(Run::new(gadget(inputs, digest)).satisfied());
        assert!(!Run::new(gadget(inputs, digest + Fr::ONE)).satisfied());
        let mut other = inputs;
        other[15] += Fr::ONE;
        assert!(!Run::new(gadget(other, digest)).satisfied());
    }
}

#[test]
fn three_constraints_and_three_variables_for_each_of_185_sboxes() {
    let run = Run::new(gadget([Fr::ONE; 16], Fr::ZERO));
    assert_eq!(CONSTRAINTS, 555);
    assert_eq!(run.matrices.constraints(), CONSTRAINTS + 1);
    assert_eq!(run.matrices.variables(), 1 + 17 + CONSTRAINTS);
}

/// Constants in any lanes, the first one (which is fed forward) included.
#[test]
fn constant_inputs_cost_nothing_and_hash_the_same() {
    let mut rng = ChaCha20Rng::seed_from_u64(34);
    let inputs: [Fr; 16] = core::array::from_fn(|_| random(&mut rng));
    let digest = bailiwick_possession::poseidon2::compress(&inputs);
    for constant_lanes in [0xffff_u32, 0x0001, 0x8001, 0xfff0, 0x5555] {
        let run = Run::new(|cs| {
            let mut wires = inputs.map(Wire::constant);
            for (i, wire) in wires.iter_mut().enumerate().filter(|(i, _)| constant_lanes >> i & 1 == 0) {
                *wire = Wire::witness(cs, Some(inputs[i]))?;
            }
            compress(cs, &wires)?.enforce_equal(cs, &Wire::constant(digest))
        });
        assert!(run.satisfied(), "{constant_lanes:x}");
        assert_eq!(run.matrices.constraints(), CONSTRAINTS + 1);
    }
}

/// Z23
#[test]
fn z23_no_variable_of_the_compression_is_loose() {
    let inputs: [Fr; 16] = core::array::from_fn(|i| Fr::from(1000 + i as u64));
    let run = Run::new(gadget(inputs, bailiwick_possession::poseidon2::compress(&inputs)));
    assert!(run.satisfied());
    assert_eq!(run.loose_variables(), Vec::<usize>::new());
}

/// Z24: no direction in which private variables move together; and without the check of the digest still none, since
/// every s-box output is determined by the inputs.
#[test]
fn z24_the_compression_has_a_trivial_kernel() {
    let inputs: [Fr; 16] = core::array::from_fn(|i| Fr::from(7 * i as u64 + 1));
    assert_eq!(free_dimensions(gadget(inputs, bailiwick_possession::poseidon2::compress(&inputs))), 0);
    let loose = |cs: &ConstraintSystemRef<Fr>| {
        gadget(inputs, Fr::ZERO)(cs)?;
        Wire::witness(cs, Some(Fr::ONE)).map(|_| ())
    };
    assert_eq!(free_dimensions(loose), 1, "an unconstrained variable is seen");
}
