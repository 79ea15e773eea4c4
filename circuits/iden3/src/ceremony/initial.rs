//! The initial key of a circuit: prepared powers of tau and its matrices give every element; delta is 1.

mod columns;

use std::io::{Read, Seek, Write};

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use bailiwick_groth16::Matrices;
use columns::Columns;
use rayon::prelude::*;

use super::transcript::CircuitHasher;
use super::{CeremonyError, Fault};
use crate::binfile::{BinFileError, BinFileWriter};
use crate::points::{coefficient, stored};
use crate::ptau::{Ptau, section as powers};
use crate::zkey::{Contributions, FORMAT, Header, Zkey, ZkeyError, section, write_contributions};

/// Elements snarkjs hashes at once; its last piece is as long as the others, whatever is left.
const HASHED_PIECE: u64 = 1 << 14;

/// The initial key, in memory: about 450 bytes a variable.
#[derive(Debug)]
pub struct InitialKey {
    pub(super) header: Header,
    pub(super) ic: Vec<G1Affine>,
    pub(super) a: Vec<G1Affine>,
    pub(super) b1: Vec<G1Affine>,
    pub(super) b2: Vec<G2Affine>,
    pub(super) l: Vec<G1Affine>,
    pub(super) h: Vec<G1Affine>,
    coefficients: Vec<u8>,
    circuit_hash: [u8; 64],
}

/// Counts of a circuit as the format has them, and log2 of its domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub(super) variables: u32,
    pub(super) public: u32,
    pub(super) constraints: u32,
    pub(super) power: u32,
}

impl Shape {
    pub(super) fn of(matrices: &Matrices) -> Result<Self, CeremonyError> {
        let public = matrices.instance_variables() as u64 - 1;
        Self::new(matrices.constraints() as u64, matrices.variables() as u64, public)
    }

    /// From known counts, so that files can be compared with them before a circuit is synthesised. `variables` are all columns,
    /// `public` the public inputs without the constant one. A domain has a row per constraint, then one for each of (1, public
    /// inputs), filled up to a power of two.
    ///
    /// # Errors
    /// [`CeremonyError::TooLarge`].
    pub fn new(constraints: u64, variables: u64, public: u64) -> Result<Self, CeremonyError> {
        let count = |n: u64| u32::try_from(n).map_err(|_| CeremonyError::TooLarge);
        let rows = constraints.saturating_add(public).saturating_add(1);
        let power = rows.checked_next_power_of_two().ok_or(CeremonyError::TooLarge)?.trailing_zeros();
        if power > crate::zkey::POWER_MAX {
            return Err(CeremonyError::TooLarge);
        }
        Ok(Self {
            variables: count(variables)?,
            public: count(public)?,
            constraints: count(constraints)?,
            power,
        })
    }

    /// log2 of the domain.
    #[must_use]
    pub const fn power(&self) -> u32 {
        self.power
    }

    /// Whether a key's counts are the circuit's.
    ///
    /// # Errors
    /// [`Fault::Counts`].
    pub fn is_of(&self, header: &Header) -> Result<(), Fault> {
        let found = (header.variables, header.public, header.domain);
        if found == (self.variables, self.public, 1 << self.power) { Ok(()) } else { Err(Fault::Counts) }
    }

    /// Whether the circuit can be built from these powers of tau: by their power, and whether they are prepared.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub fn fits<R: Read + Seek>(&self, ptau: &Ptau<R>) -> Result<(), CeremonyError> {
        let (power, needed) = (ptau.power(), self.power);
        if needed > power {
            return Err(crate::ptau::PtauError::TooSmall { power, needed }.into());
        }
        if (1u64 << needed) - 1 > HASHED_PIECE && power == needed {
            return Err(CeremonyError::PowerNotAbove { power });
        }
        if ptau.is_prepared() { Ok(()) } else { Err(crate::ptau::PtauError::NotPrepared.into()) }
    }
}

impl InitialKey {
    /// Makes the key of a circuit. `ptau` must be prepared; call [`Ptau::check`] on it first.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub fn build<R: Read + Seek>(ptau: &mut Ptau<R>, matrices: &Matrices) -> Result<Self, CeremonyError> {
        let shape = Shape::of(matrices)?;
        shape.fits(ptau)?;
        let domain = 1u32 << shape.power;
        let header = Header {
            variables: shape.variables,
            public: shape.public,
            domain,
            alpha1: ptau.point(powers::ALPHA, 0)?,
            beta1: ptau.point(powers::BETA, 0)?,
            beta2: ptau.point(powers::BETA_G2, 0)?,
            gamma2: G2Affine::generator(),
            delta1: G1Affine::generator(),
            delta2: G2Affine::generator(),
        };
        let h = ptau
            .lagrange::<G1Affine>(powers::L_TAU_G1, shape.power + 1)?
            .into_iter()
            .skip(1)
            .step_by(2)
            .collect();
        let tau1 = ptau.lagrange::<G1Affine>(powers::L_TAU_G1, shape.power)?;
        let columns = Columns::new(matrices, &shape);
        let a = columns.combine(|i| columns.a(i, &tau1));
        let b1 = columns.combine(|i| columns.b(i, &tau1));
        let b2 = {
            let tau2 = ptau.lagrange::<G2Affine>(powers::L_TAU_G2, shape.power)?;
            columns.combine(|i| columns.b(i, &tau2))
        };
        let alpha = ptau.lagrange::<G1Affine>(powers::L_ALPHA, shape.power)?;
        let beta = ptau.lagrange::<G1Affine>(powers::L_BETA, shape.power)?;
        // beta·A + alpha·B + C, divided by gamma = 1 or delta = 1.
        let mut ic: Vec<G1Affine> = columns.combine(|i| {
            let mut terms = columns.a(i, &beta);
            terms.extend(columns.b(i, &alpha));
            terms.extend(columns.c(i, &tau1));
            terms
        });
        let l = ic.split_off(shape.public as usize + 1);
        let mut key = Self {
            header,
            ic,
            a,
            b1,
            b2,
            l,
            h,
            coefficients: coefficients(matrices, &shape),
            circuit_hash: [0; 64],
        };
        key.circuit_hash = key.hash(ptau, &shape)?;
        Ok(key)
    }

    /// Hash that names circuit and powers of tau in every contribution.
    #[must_use]
    pub const fn circuit_hash(&self) -> &[u8; 64] {
        &self.circuit_hash
    }

    /// Counts and points.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The content of a section that no contribution changes.
    pub(super) fn fixed_section(&self, kind: u32) -> Vec<u8> {
        match kind {
            section::IC => stored(&self.ic),
            section::A => stored(&self.a),
            section::B1 => stored(&self.b1),
            section::B2 => stored(&self.b2),
            _ => Vec::new(),
        }
    }

    /// Writes the key as snarkjs would, byte for byte (`zkey_new.js` orders its sections in this way).
    ///
    /// # Errors
    /// What `to` reports.
    pub fn write<W: Write + Seek>(&self, to: W) -> Result<W, CeremonyError> {
        use section::{A, B1, B2, COEFFICIENTS, H, HEADER, IC, L, PROTOCOL};
        let mut out = BinFileWriter::new(to, FORMAT, 10)?;
        let mut section = |kind, bytes: &[u8]| {
            out.section(kind, |to| to.write_all(bytes).map_err(|e| ZkeyError::from(BinFileError::from(e))))
        };
        section(PROTOCOL, &1u32.to_le_bytes())?;
        section(HEADER, &self.header.to_bytes())?;
        section(COEFFICIENTS, &self.coefficients)?;
        section(IC, &stored(&self.ic))?;
        section(H, &stored(&self.h))?;
        section(L, &stored(&self.l))?;
        section(A, &stored(&self.a))?;
        section(B1, &stored(&self.b1))?;
        section(B2, &stored(&self.b2))?;
        let record = Contributions { circuit_hash: self.circuit_hash, list: Vec::new() };
        write_contributions(&mut out, &record)?;
        Ok(out.finish()?)
    }

    fn hash<R: Read + Seek>(&self, ptau: &mut Ptau<R>, shape: &Shape) -> Result<[u8; 64], CeremonyError> {
        let mut hasher = CircuitHasher::new();
        let h = &self.header;
        hasher.g1(h.alpha1);
        hasher.g1(h.beta1);
        hasher.g2(h.beta2);
        hasher.g2(h.gamma2);
        hasher.g1(h.delta1);
        hasher.g2(h.delta2);
        let length = |n: usize| u32::try_from(n).map_err(|_| CeremonyError::TooLarge);
        hasher.length(length(self.ic.len())?);
        hasher.points(&self.ic);
        hash_h(&mut hasher, ptau, shape)?;
        for points in [&self.l, &self.a, &self.b1] {
            hasher.length(length(points.len())?);
            hasher.points(points);
        }
        hasher.length(length(self.b2.len())?);
        hasher.points(&self.b2);
        Ok(hasher.finish())
    }
}

/// H is hashed in its other form, tau^i · (tau^n − 1), i < n − 1; see [`HASHED_PIECE`] for the one too many.
fn hash_h<R: Read + Seek>(
    hasher: &mut CircuitHasher,
    ptau: &mut Ptau<R>,
    shape: &Shape,
) -> Result<(), CeremonyError> {
    let n = 1u64 << shape.power;
    let piece = HASHED_PIECE.min(n - 1);
    hasher.length(u32::try_from(n - 1).map_err(|_| CeremonyError::TooLarge)?);
    let mut at = 0;
    while at < n - 1 {
        let upper = ptau.points::<G1Affine>(powers::TAU_G1, n + at, piece)?;
        let lower = ptau.points::<G1Affine>(powers::TAU_G1, at, piece)?;
        let difference: Vec<G1Projective> =
            upper.par_iter().zip(&lower).map(|(u, l)| u.into_group() - l).collect();
        hasher.points(&G1Projective::normalize_batch(&difference));
        at += piece;
    }
    Ok(())
}

/// Bytes of an entry of section 4: matrix, row, column, value.
const ENTRY: usize = 3 * 4 + 32;

/// The entries of section 4, by row: of each constraint A's, then B's; then A = 1 in the rows of (1, public inputs).
fn coefficient_rows(matrices: &Matrices, shape: &Shape) -> impl Iterator<Item = Vec<u8>> {
    let put = |out: &mut Vec<u8>, matrix: u32, row: u32, column: usize, value: Fr| {
        out.extend_from_slice(&matrix.to_le_bytes());
        out.extend_from_slice(&row.to_le_bytes());
        out.extend_from_slice(&u32::try_from(column).unwrap_or(u32::MAX).to_le_bytes());
        coefficient(value, out);
    };
    let constraints = (0u32..).zip(matrices.rows()).map(move |(row, [a, b, _])| {
        let mut out = Vec::with_capacity(ENTRY * (a.len() + b.len()));
        for (matrix, entries) in [(0, a), (1, b)] {
            for (value, column) in entries {
                put(&mut out, matrix, row, column, value);
            }
        }
        out
    });
    let first = shape.constraints;
    constraints.chain((0..=shape.public).map(move |i| {
        let mut out = Vec::with_capacity(ENTRY);
        put(&mut out, 0, first + i, i as usize, Fr::ONE);
        out
    }))
}

/// Section 4, its number of entries before it.
fn coefficients(matrices: &Matrices, shape: &Shape) -> Vec<u8> {
    let mut out = vec![0; 4];
    for row in coefficient_rows(matrices, shape) {
        out.extend_from_slice(&row);
    }
    let count = u32::try_from((out.len() - 4) / ENTRY).unwrap_or(u32::MAX);
    if let Some(head) = out.first_chunk_mut::<4>() {
        *head = count.to_le_bytes();
    }
    out
}

/// Whether section 4 of a key is the circuit's: row by row, up to the first difference.
pub(crate) fn has_coefficients<R: Read + Seek>(
    key: &mut Zkey<R>,
    matrices: &Matrices,
) -> Result<bool, CeremonyError> {
    let shape = Shape::of(matrices)?;
    if shape.is_of(key.header()).is_err() {
        return Ok(false);
    }
    let mut section = key.section(section::COEFFICIENTS)?;
    // The number of entries: whoever opened the file has compared it with the section's length.
    section.u32().map_err(ZkeyError::from)?;
    let mut found = Vec::new();
    for row in coefficient_rows(matrices, &shape) {
        if section.left() < row.len() as u64 {
            return Ok(false);
        }
        found.resize(row.len(), 0);
        section.fill(&mut found).map_err(ZkeyError::from)?;
        if found != row {
            return Ok(false);
        }
    }
    Ok(section.left() == 0)
}
