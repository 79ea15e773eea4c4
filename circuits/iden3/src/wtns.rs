//! `.wtns` version 2: the value of every wire.
//!
//! Section 1: bytes of an element (u32, 32), the modulus, number of values (u32). Section 2: the values, standard form, little-endian.
//! Wires stand as in [`crate::r1cs`]; the first is 1. Source: snarkjs 0.7, which is the one definition there is.
//!
//! A witness of the possession statement holds the sampled cells: ciphertext, but what a proof is there to keep at the host.

use std::io::{Read, Seek, Write};

use ark_bn254::Fr;
use ark_ff::One;

use crate::binfile::{BinFile, BinFileError, BinFileWriter, Format};
use crate::r1cs::{element, element_from, modulus};

/// Magic and version.
pub const FORMAT: Format = Format { magic: *b"wtns", version: 2 };

const HEADER: u32 = 1;
const VALUES: u32 = 2;
const ELEMENT: u32 = 32;

/// Why bytes are not an assignment over BN254's scalar field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WtnsError {
    /// Not a well-formed container.
    #[error(transparent)]
    File(#[from] BinFileError),
    /// Over another field.
    #[error("the witness is not over the scalar field of BN254 in elements of 32 bytes")]
    Field,
    /// A value at or above the modulus.
    #[error("the value of wire {wire} is not below the modulus")]
    Value {
        /// Which wire.
        wire: usize,
    },
    /// The first value must be the constant one.
    #[error("the value of wire 0 is not 1")]
    One,
    /// More values than the format can count.
    #[error("{0} values are more than the format can count")]
    TooLarge(usize),
}

/// Writes an assignment: (1, public inputs, witness), as `bailiwick_groth16::assign` gives it.
///
/// # Errors
/// What `to` reports; [`WtnsError::One`], [`WtnsError::TooLarge`].
pub fn write<W: Write + Seek>(assignment: &[Fr], to: W) -> Result<W, WtnsError> {
    if !assignment.first().is_some_and(One::is_one) {
        return Err(WtnsError::One);
    }
    let count = u32::try_from(assignment.len()).map_err(|_| WtnsError::TooLarge(assignment.len()))?;
    let mut file = BinFileWriter::new(to, FORMAT, 2)?;
    file.section(HEADER, |to| {
        let header = [&ELEMENT.to_le_bytes()[..], &modulus(), &count.to_le_bytes()].concat();
        Ok::<_, BinFileError>(to.write_all(&header)?)
    })?;
    file.section(VALUES, |to| {
        for value in assignment {
            to.write_all(&element(value))?;
        }
        Ok::<_, BinFileError>(())
    })?;
    Ok(file.finish()?)
}

/// Reads an assignment.
///
/// # Errors
/// [`WtnsError`].
pub fn read<R: Read + Seek>(from: R) -> Result<Vec<Fr>, WtnsError> {
    let mut file = BinFile::open(from, FORMAT)?;
    file.only(&[HEADER, VALUES])?;
    let mut section = file.section(HEADER)?;
    if section.u32()? != ELEMENT || section.array()? != modulus() {
        return Err(WtnsError::Field);
    }
    let count = section.u32()?;
    section.finish()?;
    let mut section = file.section(VALUES)?;
    let count = section.count(count.into(), ELEMENT.into())?;
    let mut values = Vec::with_capacity(count);
    for wire in 0..count {
        values.push(element_from(&section.array()?).ok_or(WtnsError::Value { wire })?);
    }
    section.finish()?;
    if values.first().is_some_and(One::is_one) { Ok(values) } else { Err(WtnsError::One) }
}
