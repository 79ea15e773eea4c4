//! Opening powers of tau, and reading ranges of points.

use std::io::{Read, Seek};

use ark_bn254::Fq;
use ark_ff::{BigInteger, PrimeField};
use rayon::prelude::*;

use super::{FORMAT, POWER_MAX, PtauError, section};
use crate::binfile::BinFile;
use crate::points::{FIELD_BYTES, Point};

/// Bytes of one contribution, at least: 5 points, the public key, partial hash, challenge, type, parameter length.
const CONTRIBUTION_BYTES_MIN: u64 = (3 * 64 + 2 * 128) + (6 * 64 + 3 * 128) + 216 + 64 + 4 + 4;

/// An opened file: every section has the length its power implies.
#[derive(Debug)]
pub struct Ptau<R> {
    file: BinFile<R>,
    power: u32,
    contributions: u32,
}

impl<R: Read + Seek> Ptau<R> {
    /// Opens the file: header and lengths only.
    ///
    /// # Errors
    /// [`PtauError`]. A hostile file costs at most 64 KiB.
    pub fn open(from: R) -> Result<Self, PtauError> {
        use section::{ALPHA, BETA, BETA_G2, CONTRIBUTIONS, HEADER, L_ALPHA, L_BETA, L_TAU_G1, L_TAU_G2};
        let mut file = BinFile::open(from, FORMAT)?;
        let known = (HEADER..=CONTRIBUTIONS).chain(L_TAU_G1..=L_BETA).collect::<Vec<_>>();
        file.only(&known)?;
        let mut s = file.section(HEADER)?;
        if s.u32()? as usize != FIELD_BYTES || s.array::<FIELD_BYTES>()? != *Fq::MODULUS.to_bytes_le() {
            return Err(PtauError::Curve);
        }
        let (power, ceremony_power) = (s.u32()?, s.u32()?);
        s.finish()?;
        if !(1..=POWER_MAX).contains(&power) || ceremony_power < power || ceremony_power > POWER_MAX {
            return Err(PtauError::Power { power });
        }
        let n = 1u64 << power;
        for (kind, count, size) in [
            (section::TAU_G1, 2 * n - 1, 64),
            (section::TAU_G2, n, 128),
            (ALPHA, n, 64),
            (BETA, n, 64),
            (BETA_G2, 1, 128),
        ] {
            file.section(kind)?.count(count, size)?;
        }
        if [L_TAU_G1, L_TAU_G2, L_ALPHA, L_BETA].iter().any(|k| file.has(*k)) {
            for (kind, count, size) in [
                (L_TAU_G1, 4 * n - 1, 64),
                (L_TAU_G2, 2 * n - 1, 128),
                (L_ALPHA, 2 * n - 1, 64),
                (L_BETA, 2 * n - 1, 64),
            ] {
                file.section(kind)?.count(count, size)?;
            }
        }
        let mut s = file.section(CONTRIBUTIONS)?;
        let contributions = s.u32()?;
        let least = u64::from(contributions) * CONTRIBUTION_BYTES_MIN;
        if s.left() < least {
            let left = s.left();
            return Err(
                crate::binfile::BinFileError::Short { kind: CONTRIBUTIONS, wanted: least, left }.into()
            );
        }
        Ok(Self { file, power, contributions })
    }

    /// log2 of the largest circuit it serves.
    #[must_use]
    pub const fn power(&self) -> u32 {
        self.power
    }

    /// How many contributions its record announces.
    #[must_use]
    pub const fn contributions(&self) -> u32 {
        self.contributions
    }

    /// Whether it has the Lagrange form a circuit's initial key is made from.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.file.has(section::L_TAU_G1)
    }

    /// Reads `count` points of a section from point `start` on. Memory: `count` points; ask for what the file has.
    pub(crate) fn points<P: Point>(
        &mut self,
        kind: u32,
        start: u64,
        count: u64,
    ) -> Result<Vec<P>, PtauError> {
        let mut s = self.file.section(kind)?;
        s.skip(start * P::BYTES as u64)?;
        // Bounded by the section before it is allocated.
        let wanted = count * P::BYTES as u64;
        if wanted > s.left() {
            return Err(crate::binfile::BinFileError::Short { kind, wanted, left: s.left() }.into());
        }
        let mut bytes = vec![0; usize::try_from(wanted).unwrap_or(usize::MAX)];
        s.fill(&mut bytes)?;
        bytes
            .par_chunks_exact(P::BYTES)
            .enumerate()
            .map(|(i, b)| {
                P::read(b).map_err(|fault| PtauError::Point { section: kind, index: start + i as u64, fault })
            })
            .collect()
    }

    /// One point.
    pub(crate) fn point<P: Point>(&mut self, kind: u32, index: u64) -> Result<P, PtauError> {
        Ok(self.points(kind, index, 1)?.first().copied().unwrap_or_default())
    }

    /// The Lagrange basis of the domain of size 2^power, from one of sections 12 to 15.
    pub(crate) fn lagrange<P: Point>(&mut self, kind: u32, power: u32) -> Result<Vec<P>, PtauError> {
        if !self.is_prepared() {
            return Err(PtauError::NotPrepared);
        }
        let n = 1u64 << power;
        self.points(kind, n - 1, n)
    }

    /// The bytes of a section, by pieces.
    pub(crate) fn bytes(
        &mut self,
        kind: u32,
        mut each: impl FnMut(&[u8]) -> Result<(), PtauError>,
    ) -> Result<(), PtauError> {
        let mut s = self.file.section(kind)?;
        let mut bytes = vec![0; 1 << 20];
        while s.left() > 0 {
            let n = usize::try_from(s.left()).unwrap_or(usize::MAX).min(bytes.len());
            bytes.truncate(n);
            s.fill(&mut bytes)?;
            each(&bytes)?;
        }
        Ok(())
    }
}
