//! `.r1cs` version 1: the constraint system, for tools that count it, check witnesses against it, or set up keys.
//!
//! | section | content |
//! |---|---|
//! | 1 header | bytes of an element (u32, 32), the modulus, wires (u32), public outputs, public inputs, private inputs (u32 each), labels (u64), constraints (u32) |
//! | 2 constraints | for each, A, B and C: number of terms (u32), then (wire (u32), coefficient) |
//! | 3 wire to label | one u64 for each wire |
//!
//! Wires stand as columns of [`Matrices`] do: the constant one, public inputs, private variables. Ours has no outputs
//! and no hierarchy of names, so that label i is wire i. Sections 4 and 5 (custom gates) belong to another proof system and are
//! refused. Source: the iden3 r1cs binary format specification.

use std::io::{Read, Seek, Write};

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};
use bailiwick_groth16::Matrices;

use crate::binfile::{BinFile, BinFileError, BinFileWriter, Format, Section};

/// Magic and version.
pub const FORMAT: Format = Format { magic: *b"r1cs", version: 1 };

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;

/// Bytes of an element.
const ELEMENT: usize = 32;
/// Bytes of a term: wire and coefficient.
const TERM: u64 = 4 + ELEMENT as u64;

/// Why bytes are not a constraint system over BN254's scalar field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum R1csError {
    /// Not a well-formed container.
    #[error(transparent)]
    File(#[from] BinFileError),
    /// Over another field.
    #[error("the constraint system is not over the scalar field of BN254 in elements of 32 bytes")]
    Field,
    /// The header names more public and private wires than there are.
    #[error("the header names {named} wires of its {wires}")]
    Wires {
        /// The constant one, outputs, public and private inputs.
        named: u64,
        /// All of them.
        wires: u32,
    },
    /// A combination announces more terms than its section has bytes for.
    #[error("constraint {constraint} announces {terms} terms, more than the section holds")]
    Terms {
        /// Which constraint, from 0.
        constraint: u32,
        /// What it announces.
        terms: u32,
    },
    /// A term of a wire there is none of, or of one that the combination has already.
    #[error("constraint {constraint} names wire {wire}, which there is none of or which it names twice")]
    Wire {
        /// Which constraint, from 0.
        constraint: u32,
        /// Which wire.
        wire: u32,
    },
    /// A coefficient that is 0, or not below the modulus.
    #[error("constraint {constraint}: the coefficient of wire {wire} is 0 or not below the modulus")]
    Coefficient {
        /// Which constraint, from 0.
        constraint: u32,
        /// Of which wire.
        wire: u32,
    },
    /// A wire's label is not below the number of labels.
    #[error("wire {wire} has label {label}, there are {labels}")]
    Label {
        /// Which wire.
        wire: u32,
        /// Its label.
        label: u64,
        /// How many labels there are.
        labels: u64,
    },
    /// More wires or constraints than the format can count.
    #[error("{0} is more than the format can count")]
    TooLarge(usize),
}

/// A linear combination: (coefficient, wire).
pub type Terms = Vec<(Fr, usize)>;

/// A constraint system as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct R1cs {
    /// Wires, the constant one included.
    pub wires: u32,
    /// Public outputs, wires 1 and up.
    pub outputs: u32,
    /// Public inputs, after the outputs.
    pub public_inputs: u32,
    /// Private inputs, after the public ones. The wires after these are neither.
    pub private_inputs: u32,
    /// How many labels there are.
    pub labels: u64,
    /// The label of each wire.
    pub wire_labels: Vec<u64>,
    /// A, B and C of each constraint, in file order.
    pub constraints: Vec<[Terms; 3]>,
}

impl R1cs {
    /// Whether this is that system: as many public and all wires, and the same constraints in the same order. Terms of a
    /// combination may stand in any order.
    #[must_use]
    pub fn is_of(&self, matrices: &Matrices) -> bool {
        let public = u64::from(self.outputs) + u64::from(self.public_inputs) + 1;
        let ascending = |terms: &Terms| {
            let mut terms = terms.clone();
            terms.sort_unstable_by_key(|(_, wire)| *wire);
            terms
        };
        self.wires as usize == matrices.variables()
            && public == matrices.instance_variables() as u64
            && self.constraints.len() == matrices.constraints()
            && self
                .constraints
                .iter()
                .zip(matrices.rows())
                .all(|(ours, theirs)| ours.iter().zip(theirs).all(|(terms, row)| ascending(terms) == row))
    }
}

/// Writes the constraint system of `matrices`. About 36 bytes a non-zero coefficient; nothing of it is held in memory.
///
/// # Errors
/// What `to` reports; [`R1csError::TooLarge`].
pub fn write<W: Write + Seek>(matrices: &Matrices, to: W) -> Result<W, R1csError> {
    let wires = number(matrices.variables())?;
    let public = number(matrices.instance_variables() - 1)?;
    let mut file = BinFileWriter::new(to, FORMAT, 3)?;
    file.section(HEADER, |to| {
        to.write_all(&number(ELEMENT)?.to_le_bytes()).map_err(BinFileError::from)?;
        let counts = [wires, 0, public, wires - 1 - public];
        let mut header = modulus().to_vec();
        header.extend(counts.iter().flat_map(|n| n.to_le_bytes()));
        header.extend(u64::from(wires).to_le_bytes());
        header.extend(number(matrices.constraints())?.to_le_bytes());
        Ok::<_, R1csError>(to.write_all(&header).map_err(BinFileError::from)?)
    })?;
    file.section(CONSTRAINTS, |to| {
        let mut bytes = Vec::new();
        for row in matrices.rows() {
            bytes.clear();
            for terms in &row {
                bytes.extend(number(terms.len())?.to_le_bytes());
                for (coefficient, wire) in terms.iter() {
                    bytes.extend(number(*wire)?.to_le_bytes());
                    bytes.extend(element(coefficient));
                }
            }
            to.write_all(&bytes).map_err(BinFileError::from)?;
        }
        Ok::<_, R1csError>(())
    })?;
    file.section(LABELS, |to| {
        let all = (0..u64::from(wires)).flat_map(u64::to_le_bytes).collect::<Vec<_>>();
        Ok::<_, BinFileError>(to.write_all(&all)?)
    })?;
    Ok(file.finish()?)
}

/// Reads a constraint system.
///
/// Memory: at most seven times the file's own length.
///
/// # Errors
/// [`R1csError`].
pub fn read<R: Read + Seek>(from: R) -> Result<R1cs, R1csError> {
    let mut file = BinFile::open(from, FORMAT)?;
    file.only(&[HEADER, CONSTRAINTS, LABELS])?;
    let mut section = file.section(HEADER)?;
    if section.u32()? != number(ELEMENT)? || section.array::<ELEMENT>()? != modulus() {
        return Err(R1csError::Field);
    }
    let [wires, outputs, public_inputs, private_inputs] =
        [section.u32()?, section.u32()?, section.u32()?, section.u32()?];
    let (labels, count) = (section.u64()?, section.u32()?);
    section.finish()?;
    let named = 1 + u64::from(outputs) + u64::from(public_inputs) + u64::from(private_inputs);
    if named > u64::from(wires) {
        return Err(R1csError::Wires { named, wires });
    }

    let mut section = file.section(CONSTRAINTS)?;
    let mut constraints = Vec::new();
    for constraint in 0..count {
        let mut next = || terms(&mut section, constraint, wires);
        constraints.push([next()?, next()?, next()?]);
    }
    section.finish()?;

    let mut section = file.section(LABELS)?;
    let mut wire_labels = Vec::with_capacity(section.count(wires.into(), 8)?);
    for wire in 0..wires {
        let label = section.u64()?;
        if label >= labels {
            return Err(R1csError::Label { wire, label, labels });
        }
        wire_labels.push(label);
    }
    section.finish()?;
    Ok(R1cs { wires, outputs, public_inputs, private_inputs, labels, wire_labels, constraints })
}

fn terms<R: Read>(section: &mut Section<'_, R>, constraint: u32, wires: u32) -> Result<Terms, R1csError> {
    let count = section.u32()?;
    if u64::from(count) > section.left() / TERM {
        return Err(R1csError::Terms { constraint, terms: count });
    }
    let mut out = Terms::with_capacity(count as usize);
    for _ in 0..count {
        let wire = section.u32()?;
        if wire >= wires {
            return Err(R1csError::Wire { constraint, wire });
        }
        let coefficient = element_from(&section.array()?).filter(|c| !c.is_zero());
        out.push((coefficient.ok_or(R1csError::Coefficient { constraint, wire })?, wire as usize));
    }
    let mut seen: Vec<usize> = out.iter().map(|(_, wire)| *wire).collect();
    seen.sort_unstable();
    match seen.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(R1csError::Wire { constraint, wire: number(pair[0])? }),
        None => Ok(out),
    }
}

fn number(n: usize) -> Result<u32, R1csError> {
    u32::try_from(n).map_err(|_| R1csError::TooLarge(n))
}

/// The order of BN254's scalar field, little-endian.
pub(crate) fn modulus() -> [u8; ELEMENT] {
    limbs(&Fr::MODULUS.0)
}

/// An element as the formats of this family write it outside keys: standard form, little-endian.
pub(crate) fn element(x: &Fr) -> [u8; ELEMENT] {
    limbs(&x.into_bigint().0)
}

/// The element of 32 little-endian bytes; none at or above the modulus.
pub(crate) fn element_from(bytes: &[u8; ELEMENT]) -> Option<Fr> {
    let mut n = <Fr as PrimeField>::BigInt::zero();
    let (words, _) = bytes.as_chunks::<8>();
    for (limb, word) in n.0.iter_mut().zip(words) {
        *limb = u64::from_le_bytes(*word);
    }
    debug_assert_eq!(n.to_bytes_le(), bytes);
    Fr::from_bigint(n)
}

fn limbs(limbs: &[u64; 4]) -> [u8; ELEMENT] {
    let mut out = [0; ELEMENT];
    let (words, _) = out.as_chunks_mut::<8>();
    for (word, limb) in words.iter_mut().zip(limbs) {
        *word = limb.to_le_bytes();
    }
    out
}
