//! Opening a key: header and ceremony at once, the long sections by pieces.

use std::io::{Read, Seek};

use rayon::prelude::*;

use super::{Contributions, Element, FORMAT, Header, ZkeyError, section};
use crate::binfile::{BinFile, Section};
use crate::points::{FIELD_BYTES, Point, PointFault};

/// Points read at once.
const PIECE: usize = 1 << 14;

/// Bytes of a coefficient: matrix, row, column (u32 each), value.
const COEFFICIENT_BYTES: u64 = 12 + FIELD_BYTES as u64;

/// An opened key: every section has the length its header implies.
#[derive(Debug)]
pub struct Zkey<R> {
    file: BinFile<R>,
    header: Header,
    contributions: Contributions,
}

impl<R: Read + Seek> Zkey<R> {
    /// Opens a key. Reads header and contributions; the other sections only for their lengths.
    ///
    /// # Errors
    /// [`ZkeyError`]. A hostile file costs at most 64 KiB of buffer and its contributions.
    pub fn open(from: R) -> Result<Self, ZkeyError> {
        use section::{A, B1, B2, CONTRIBUTIONS, H, HEADER, IC, L, PROTOCOL};
        let mut file = BinFile::open(from, FORMAT)?;
        file.only(&(PROTOCOL..=CONTRIBUTIONS).collect::<Vec<_>>())?;
        let mut s = file.section(PROTOCOL)?;
        let found = s.u32()?;
        if found != 1 {
            return Err(ZkeyError::Protocol { found });
        }
        s.finish()?;
        let header = Header::read(file.section(HEADER)?)?;
        let n = u64::from(header.variables);
        for (kind, count, size) in [
            (IC, u64::from(header.public) + 1, 64),
            (A, n, 64),
            (B1, n, 64),
            (B2, n, 128),
            (L, u64::from(header.private()), 64),
            (H, u64::from(header.domain), 64),
        ] {
            file.section(kind)?.count(count, size)?;
        }
        let mut s = file.section(section::COEFFICIENTS)?;
        let count = s.u32()?;
        s.count(u64::from(count), COEFFICIENT_BYTES)?;
        let contributions = Contributions::read(file.section(CONTRIBUTIONS)?)?;
        Ok(Self { file, header, contributions })
    }

    /// Counts and the points of the verifying key.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The record of the ceremony.
    #[must_use]
    pub const fn contributions(&self) -> &Contributions {
        &self.contributions
    }

    /// The points of a section, by pieces: `each` gets them in order. Every one is on its curve; infinity passes.
    pub(crate) fn points<P: Point, E: From<ZkeyError>>(
        &mut self,
        kind: u32,
        mut each: impl FnMut(&[P]) -> Result<(), E>,
    ) -> Result<(), E> {
        let error = |e| E::from(ZkeyError::from(e));
        let mut s = self.file.section(kind).map_err(error)?;
        let mut done = 0u64;
        let mut bytes = Vec::new();
        while s.left() > 0 {
            let n = usize::try_from(s.left()).unwrap_or(usize::MAX).min(PIECE * P::BYTES);
            bytes.resize(n, 0);
            s.fill(&mut bytes).map_err(error)?;
            let points: Vec<P> = decode(&bytes, kind, done)?;
            done += points.len() as u64;
            each(&points)?;
        }
        Ok(())
    }

    /// All points of a section. Memory is bounded by the file's length.
    pub(crate) fn all_points<P: Point>(&mut self, kind: u32) -> Result<Vec<P>, ZkeyError> {
        let mut out = Vec::new();
        self.points(kind, |points| {
            out.extend_from_slice(points);
            Ok::<_, ZkeyError>(())
        })?;
        Ok(out)
    }

    /// A cursor at the beginning of a section.
    pub(crate) fn section(&mut self, kind: u32) -> Result<Section<'_, R>, ZkeyError> {
        Ok(self.file.section(kind)?)
    }

    /// The bytes of a section, by pieces.
    pub(crate) fn bytes<E: From<ZkeyError>>(
        &mut self,
        kind: u32,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let error = |e| E::from(ZkeyError::from(e));
        let mut s = self.file.section(kind).map_err(error)?;
        let mut bytes = vec![0; 1 << 20];
        while s.left() > 0 {
            let n = usize::try_from(s.left()).unwrap_or(usize::MAX).min(bytes.len());
            bytes.truncate(n);
            s.fill(&mut bytes).map_err(error)?;
            each(&bytes)?;
        }
        Ok(())
    }
}

fn decode<P: Point>(bytes: &[u8], kind: u32, before: u64) -> Result<Vec<P>, ZkeyError> {
    bytes
        .par_chunks_exact(P::BYTES)
        .enumerate()
        .map(|(i, b)| {
            P::read(b).map_err(|fault: PointFault| ZkeyError::Point {
                element: Element::Section(kind, before + i as u64),
                fault,
            })
        })
        .collect()
}
