//! `.r1cs` and `.wtns`: iden3's own files, ours, then one attack per test (assurance Z21, Z03).

use std::io::Cursor;

use ark_bn254::Fr;
use ark_ff::{BigInteger as _, PrimeField as _};
use bailiwick_iden3::r1cs::{self, R1csError};
use bailiwick_iden3::wtns::{self, WtnsError};
use proptest::prelude::*;

use super::small;

/// Where the content of each section of the vectors begins: sections of type 1, 2, 3 in this order.
fn content(file: &[u8], kind: usize) -> usize {
    let mut at = 12;
    for _ in 1..kind {
        at += 12 + usize::try_from(u64::from_le_bytes(file[at + 4..at + 12].try_into().unwrap())).unwrap();
    }
    at + 12
}

fn read_r1cs(bytes: &[u8]) -> Result<r1cs::R1cs, R1csError> {
    r1cs::read(Cursor::new(bytes))
}

fn read_wtns(bytes: &[u8]) -> Result<Vec<Fr>, WtnsError> {
    wtns::read(Cursor::new(bytes))
}

fn with(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = file.to_vec();
    out[at..at + bytes.len()].copy_from_slice(bytes);
    out
}

/// The modulus plus `n`, as a file would hold it.
fn above_the_modulus(n: u64) -> Vec<u8> {
    let mut out = Fr::MODULUS;
    out.add_with_carry(&n.into());
    out.to_bytes_le()
}

#[test]
fn iden3s_own_files_are_read_and_are_those_of_our_circuit() {
    let read = read_r1cs(small::R1CS).unwrap();
    assert!(read.is_of(&small::matrices()));
    assert_eq!((read.wires, read.outputs, read.public_inputs), (5, 0, 1));
    assert_eq!(read_wtns(small::WTNS).unwrap(), small::assignment());
}

/// Wire for wire and byte for byte: but for the number of private inputs (all our private variables are), the writers agree.
#[test]
fn our_files_are_those_that_iden3_writes() {
    let ours = r1cs::write(&small::matrices(), Cursor::new(Vec::new())).unwrap().into_inner();
    let private = content(small::R1CS, 1) + 4 + 32 + 12;
    assert_eq!(ours, with(small::R1CS, private, &3u32.to_le_bytes()));
    let ours = wtns::write(&small::assignment(), Cursor::new(Vec::new())).unwrap().into_inner();
    assert_eq!(ours, small::WTNS);
}

#[test]
fn a_changed_coefficient_is_another_system() {
    let first = content(small::R1CS, 2) + 8;
    assert_eq!(small::R1CS[first], 1, "the coefficient of x");
    let read = read_r1cs(&with(small::R1CS, first, &[2])).unwrap();
    assert!(!read.is_of(&small::matrices()));
}

#[test]
fn another_field_is_refused() {
    let at = content(small::R1CS, 1);
    assert!(matches!(read_r1cs(&with(small::R1CS, at, &[48])), Err(R1csError::Field)));
    assert!(matches!(read_r1cs(&with(small::R1CS, at + 4, &[3])), Err(R1csError::Field)));
    let at = content(small::WTNS, 1);
    assert!(matches!(read_wtns(&with(small::WTNS, at, &[48])), Err(WtnsError::Field)));
    assert!(matches!(read_wtns(&with(small::WTNS, at + 4, &[3])), Err(WtnsError::Field)));
}

#[test]
fn more_named_wires_than_wires_are_refused() {
    for field in [1, 2, 3] {
        let at = content(small::R1CS, 1) + 36 + 4 * field;
        let bytes = with(small::R1CS, at, &u32::MAX.to_le_bytes());
        assert!(matches!(read_r1cs(&bytes), Err(R1csError::Wires { wires: 5, .. })));
    }
    let none = with(small::R1CS, content(small::R1CS, 1) + 36, &[0]);
    assert!(matches!(read_r1cs(&none), Err(R1csError::Wires { named: 4, wires: 0 })));
}

/// Z21: announced lengths are compared with what there is before anything is allocated.
#[test]
fn z21_length_bombs_are_refused() {
    let terms = content(small::R1CS, 2);
    let bytes = with(small::R1CS, terms, &u32::MAX.to_le_bytes());
    assert!(matches!(read_r1cs(&bytes), Err(R1csError::Terms { constraint: 0, terms: u32::MAX })));
    let header = content(small::R1CS, 1) + 36;
    let wires = with(small::R1CS, header, &u32::MAX.to_le_bytes());
    assert!(matches!(read_r1cs(&wires), Err(R1csError::File(_))));
    let constraints = with(small::R1CS, header + 24, &u32::MAX.to_le_bytes());
    assert!(matches!(read_r1cs(&constraints), Err(R1csError::File(_))));
    let values = with(small::WTNS, content(small::WTNS, 1) + 36, &u32::MAX.to_le_bytes());
    assert!(matches!(read_wtns(&values), Err(WtnsError::File(_))));
}

#[test]
fn a_wire_there_is_none_of_or_named_twice_is_refused() {
    // The second constraint's A: three terms of 36 bytes.
    let second = content(small::R1CS, 2) + 3 * (4 + 36) + 4;
    assert!(read_r1cs(&with(small::R1CS, second, &0u32.to_le_bytes())).is_ok());
    for wire in [5u32, u32::MAX] {
        let bytes = with(small::R1CS, second, &wire.to_le_bytes());
        assert!(matches!(read_r1cs(&bytes), Err(R1csError::Wire { constraint: 1, wire: w }) if w == wire));
    }
    let twice = with(small::R1CS, second, &3u32.to_le_bytes());
    assert!(matches!(read_r1cs(&twice), Err(R1csError::Wire { constraint: 1, wire: 3 })));
}

/// Z03: a number and that number plus the modulus are not two spellings of one element.
#[test]
fn z03_elements_not_below_the_modulus_are_refused() {
    let first = content(small::R1CS, 2) + 8;
    for n in [0, 1] {
        let bytes = with(small::R1CS, first, &above_the_modulus(n));
        assert!(matches!(read_r1cs(&bytes), Err(R1csError::Coefficient { constraint: 0, wire: 2 })));
        let bytes = with(small::WTNS, content(small::WTNS, 2) + 64, &above_the_modulus(n));
        assert!(matches!(read_wtns(&bytes), Err(WtnsError::Value { wire: 2 })));
    }
    let zero = with(small::R1CS, first, &[0; 32]);
    assert!(matches!(read_r1cs(&zero), Err(R1csError::Coefficient { .. })));
}

#[test]
fn the_constant_wire_is_one() {
    let bytes = with(small::WTNS, content(small::WTNS, 2), &[2]);
    assert!(matches!(read_wtns(&bytes), Err(WtnsError::One)));
    assert!(matches!(wtns::write(&[Fr::from(2u64)], Cursor::new(Vec::new())), Err(WtnsError::One)));
    assert!(matches!(wtns::write(&[], Cursor::new(Vec::new())), Err(WtnsError::One)));
}

#[test]
fn labels_are_below_their_number() {
    let bytes = with(small::R1CS, content(small::R1CS, 3) + 16, &5u64.to_le_bytes());
    assert!(matches!(read_r1cs(&bytes), Err(R1csError::Label { wire: 2, label: 5, labels: 5 })));
}

/// Sections 4 and 5 change what a constraint means; a reader that skipped them would read another system.
#[test]
fn custom_gates_are_refused() {
    let mut bytes = with(small::R1CS, 8, &4u32.to_le_bytes());
    bytes.extend([4u32, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    assert!(matches!(read_r1cs(&bytes), Err(R1csError::File(_))));
}

#[test]
fn every_truncation_is_refused() {
    for n in 0..small::R1CS.len() {
        assert!(read_r1cs(&small::R1CS[..n]).is_err(), "{n} bytes");
    }
    for n in 0..small::WTNS.len() {
        assert!(read_wtns(&small::WTNS[..n]).is_err(), "{n} bytes");
    }
}

proptest! {
    #[test]
    fn assignments_come_back(values in proptest::collection::vec(any::<[u64; 4]>(), 0..20)) {
        let mut assignment = vec![Fr::from(1u64)];
        assignment.extend(values.iter().map(|v| {
            Fr::from_le_bytes_mod_order(&v.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
        }));
        let bytes = wtns::write(&assignment, Cursor::new(Vec::new())).unwrap().into_inner();
        prop_assert_eq!(read_wtns(&bytes).unwrap(), assignment);
    }

    #[test]
    fn changed_files_never_panic(at in 0usize..464, to: u8) {
        let _ = read_r1cs(&with(small::R1CS, at, &[to]));
        if at < small::WTNS.len() {
            let _ = read_wtns(&with(small::WTNS, at, &[to]));
        }
    }
}
