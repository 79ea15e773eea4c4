//! Digits and selection.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_relations::gr1cs::{ConstraintSystemRef, Result};
use bailiwick_gadgets::Wire;
use bailiwick_gadgets::select::{boolean_digits, enforce_selected, enforce_value_of_bits};

use super::system::{Run, free_dimensions};

/// The gadgets on `count` bits: the value as public input, its bits, and that they give it.
fn value_of_bits(count: u32) -> impl Fn(&ConstraintSystemRef<Fr>) -> Result<()> {
    move |cs| {
        let value = Wire::input(cs, Some(Fr::ZERO))?;
        let bits = boolean_digits(cs, Some(0), count)?;
        enforce_value_of_bits(cs, &value, &bits)
    }
}

/// Whether the gadgets' own constraints accept this value with these bits: the columns are overwritten, so that a cheat
/// can be tried.
fn accepted(value: Fr, bits: &[Fr]) -> bool {
    let mut run = Run::new(value_of_bits(u32::try_from(bits.len()).expect("few")));
    assert!(run.satisfied(), "zero is zero");
    // Column 0 is the constant one, 1 the value.
    run.assignment[1] = value;
    run.assignment[2..].copy_from_slice(bits);
    run.satisfied()
}

fn bits_of(v: u64, count: usize) -> Vec<Fr> {
    (0..count).map(|i| Fr::from(v >> i & 1)).collect()
}

fn select(digit: u64, chosen: Fr) -> impl Fn(&ConstraintSystemRef<Fr>) -> Result<()> {
    move |cs| {
        let mut children = [Wire::constant(Fr::ZERO); 16];
        for (i, child) in children.iter_mut().enumerate() {
            *child = Wire::input(cs, Some(Fr::from(100 + i as u64)))?;
        }
        let index = Wire::input(cs, Some(Fr::from(digit)))?;
        let bits = boolean_digits(cs, Some(digit), 4)?;
        enforce_value_of_bits(cs, &index, &bits)?;
        let chosen = Wire::input(cs, Some(chosen))?;
        enforce_selected(cs, &children, bits.as_slice().try_into().expect("four"), &chosen)
    }
}

/// Z26: every digit against every child: satisfied exactly when the child is the digit's.
#[test]
fn z26_selection_is_exact_for_every_digit_and_child() {
    for digit in 0..16 {
        for child in 0..16 {
            assert_eq!(Run::new(select(digit, Fr::from(100 + child))).satisfied(), digit == child);
        }
    }
}

#[test]
fn selection_costs_15_constraints_and_14_variables() {
    let run = Run::new(select(5, Fr::from(105u64)));
    assert_eq!(run.matrices.constraints(), 4 + 1 + 15);
    assert_eq!(run.matrices.variables(), 1 + 18 + 4 + 14);
}

/// Z23, Z24, Z29: digits and inner nodes follow from the public ones; a direction bit that is not boolean does not pass.
#[test]
fn z24_selection_has_no_freedom() {
    for digit in [0, 5, 15] {
        let gadget = select(digit, Fr::from(100 + digit));
        assert_eq!(Run::new(&gadget).loose_variables(), Vec::<usize>::new());
        assert_eq!(free_dimensions(gadget), 0);
    }
}

/// Z28: with 28 bits (D = 8, the deepest class) the largest sum is 2^28 − 1, far below p: no value has a second
/// decomposition. The bits of v + p do not fit, and cut to 28 they are another value.
#[test]
fn z28_bits_of_v_plus_p_are_refused() {
    const { assert!(28 < Fr::MODULUS_BIT_SIZE) };
    let v = 0x0abc_def1_u64;
    assert!(accepted(Fr::from(v), &bits_of(v, 28)));
    let mut shifted = Fr::MODULUS;
    assert!(!ark_ff::BigInteger::add_with_carry(&mut shifted, &ark_ff::BigInt::from(v)));
    let alias: Vec<Fr> =
        (0..28).map(|i| Fr::from(u64::from(ark_ff::BigInteger::get_bit(&shifted, i)))).collect();
    assert!(!accepted(Fr::from(v), &alias));
    // The whole value in the first bit.
    let mut whole = vec![Fr::ZERO; 28];
    whole[0] = Fr::from(v);
    assert!(!accepted(Fr::from(v), &whole));
}

/// Z28, exhaustively for one digit: of all 16 settings of four bits, one gives v.
#[test]
fn z28_one_setting_of_the_bits_for_every_value() {
    for v in 0..16u64 {
        let fits = (0..16u64).filter(|b| accepted(Fr::from(v), &bits_of(*b, 4))).count();
        assert_eq!(fits, 1);
    }
}

/// Z31: indices beyond the digits: 2^n, p − 1, and a value whose low bits are those of a legal one.
#[test]
fn z31_values_beyond_the_digits_are_refused() {
    for (value, bits) in [(Fr::from(1u64 << 8), 0u64), (-Fr::ONE, 0xff), (Fr::from((1u64 << 8) + 7), 7)] {
        assert!(!accepted(value, &bits_of(bits, 8)));
    }
    // 2^8 and p − 1 as sums of digits that are no bits.
    let mut top = bits_of(0, 8);
    top[7] = Fr::from(2u64);
    assert!(!accepted(Fr::from(1u64 << 8), &top));
    top[7] = Fr::ZERO;
    top[0] = -Fr::ONE;
    assert!(!accepted(-Fr::ONE, &top));
    assert!(accepted(Fr::from(255u64), &bits_of(255, 8)));
}

/// Z29: values that sum up right but are no bits.
#[test]
fn z29_digits_that_are_not_boolean_are_refused() {
    for bits in [[2u64, 0, 0, 0], [0, 3, 0, 0]] {
        let value: u64 = bits.iter().enumerate().map(|(i, b)| b << i).sum();
        assert!(!accepted(Fr::from(value), &bits.map(Fr::from)));
    }
    let minus = [-Fr::ONE, Fr::ONE, Fr::ZERO, Fr::ZERO];
    assert!(!accepted(Fr::ONE, &minus));
}
