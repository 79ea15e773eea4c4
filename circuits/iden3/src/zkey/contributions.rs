//! Section 10: the record of the ceremony.

use std::io::Read;

use ark_bn254::{G1Affine, G2Affine};

use super::{CONTRIBUTIONS_MAX, Element, ZkeyError};
use crate::binfile::Section;
use crate::points::{Point, strict};

/// Bytes of a contributor's name, at most: its length is one byte in the file.
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes of the smallest contribution: three G1 points, one G2 point, a hash, type, length of parameters.
const CONTRIBUTION_BYTES_MIN: u64 = 3 * 64 + 128 + 64 + 4 + 4;

/// Name, iterations and beacon value, each with its type.
const PARAMETERS_BYTES_MAX: usize = (2 + 255) + 2 + (2 + 255);

/// Where a contribution's secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContributionKind {
    /// From someone's randomness, who says to have destroyed it.
    Person,
    /// From a public value nobody could know beforehand, hashed so often that nobody could try many.
    Beacon {
        /// The public value, 1 to 255 bytes.
        value: Vec<u8>,
        /// SHA-256 was applied 2^this times.
        iterations_log2: u8,
    },
}

/// One contribution: delta became delta · d, and the contributor knew d.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// delta · G1 after it.
    pub delta_after: G1Affine,
    /// A random point s.
    pub s: G1Affine,
    /// d · s.
    pub sx: G1Affine,
    /// d · (the point in G2 the transcript hashes to).
    pub spx: G2Affine,
    /// Hash of everything before, with s and d·s.
    pub transcript: [u8; 64],
    /// Where d came from.
    pub kind: ContributionKind,
    /// What the contributor called itself: bytes of the file, not necessarily text. No hash covers it.
    pub name: Option<Vec<u8>>,
}

/// The record of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributions {
    /// Hash of the initial key.
    pub circuit_hash: [u8; 64],
    /// In the order they were made.
    pub list: Vec<Contribution>,
}

impl Contributions {
    pub(crate) fn read<R: Read>(mut s: Section<'_, R>) -> Result<Self, ZkeyError> {
        let circuit_hash = s.array()?;
        let count = s.u32()?;
        if count > CONTRIBUTIONS_MAX {
            return Err(ZkeyError::TooManyContributions { count });
        }
        let mut list = Vec::new();
        // Before the vector grows: an unfinished list is refused on its length.
        let least = u64::from(count) * CONTRIBUTION_BYTES_MIN;
        if s.left() < least {
            let (kind, left) = (s.kind(), s.left());
            return Err(crate::binfile::BinFileError::Short { kind, wanted: least, left }.into());
        }
        for number in 1..=count {
            list.push(contribution(&mut s, number)?);
        }
        s.finish()?;
        Ok(Self { circuit_hash, list })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.circuit_hash.to_vec();
        let count = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for c in &self.list {
            c.write(&mut out);
        }
        out
    }
}

impl Contribution {
    fn write(&self, out: &mut Vec<u8>) {
        self.delta_after.write(out);
        self.s.write(out);
        self.sx.write(out);
        self.spx.write(out);
        out.extend_from_slice(&self.transcript);
        let mut parameters = Vec::new();
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        if let Some(name) = &self.name {
            parameters.extend_from_slice(&[1, length(name)]);
            parameters.extend_from_slice(name);
        }
        let kind = match &self.kind {
            ContributionKind::Person => 0u32,
            ContributionKind::Beacon { value, iterations_log2 } => {
                parameters.extend_from_slice(&[2, *iterations_log2, 3, length(value)]);
                parameters.extend_from_slice(value);
                1
            }
        };
        out.extend_from_slice(&kind.to_le_bytes());
        let bytes = u32::try_from(parameters.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&bytes.to_le_bytes());
        out.extend_from_slice(&parameters);
    }
}

fn contribution<R: Read>(s: &mut Section<'_, R>, number: u32) -> Result<Contribution, ZkeyError> {
    let delta_after = point(s, number)?;
    let first = point(s, number)?;
    let sx = point(s, number)?;
    let spx = point(s, number)?;
    let transcript = s.array()?;
    let kind = s.u32()?;
    let p = Parameters::read(s, number)?;
    let why = |why| ZkeyError::Contribution { number, why };
    let kind = match (kind, p.iterations_log2, p.value) {
        (0, None, None) => ContributionKind::Person,
        (1, Some(iterations_log2), Some(value)) => ContributionKind::Beacon { value, iterations_log2 },
        (0, ..) => return Err(why("a person's contribution with parameters of a beacon")),
        (1, ..) => return Err(why("a beacon without its value or its number of iterations")),
        _ => return Err(why("its type is neither person nor beacon")),
    };
    Ok(Contribution { delta_after, s: first, sx, spx, transcript, kind, name: p.name })
}

fn point<P: Point>(s: &mut Section<'_, impl Read>, number: u32) -> Result<P, ZkeyError> {
    let mut bytes = vec![0; P::BYTES];
    s.fill(&mut bytes)?;
    strict(&bytes).map_err(|fault| ZkeyError::Point { element: Element::Contribution(number), fault })
}

/// Typed parameters, sorted by type, each at most once.
#[derive(Default)]
struct Parameters {
    name: Option<Vec<u8>>,
    iterations_log2: Option<u8>,
    value: Option<Vec<u8>>,
}

impl Parameters {
    fn read<R: Read>(s: &mut Section<'_, R>, number: u32) -> Result<Self, ZkeyError> {
        let why = |why| ZkeyError::Contribution { number, why };
        let length = usize::try_from(s.u32()?).unwrap_or(usize::MAX);
        if length > PARAMETERS_BYTES_MAX {
            return Err(why("its parameters are longer than all of them together can be"));
        }
        let mut bytes = vec![0; length];
        s.fill(&mut bytes)?;
        let mut out = Self::default();
        let mut rest = bytes.as_slice();
        let mut last = 0;
        while let Some((&kind, tail)) = rest.split_first() {
            if kind <= last {
                return Err(why("its parameters are not sorted"));
            }
            last = kind;
            let (&byte, tail) = tail.split_first().ok_or(why("its parameters end inside a value"))?;
            let length = if kind == 2 { 0 } else { usize::from(byte) };
            let (value, tail) =
                tail.split_at_checked(length).ok_or(why("its parameters end inside a value"))?;
            rest = tail;
            match kind {
                1 => out.name = Some(value.to_vec()),
                2 => out.iterations_log2 = Some(byte),
                3 if value.is_empty() => return Err(why("its beacon value is empty")),
                3 => out.value = Some(value.to_vec()),
                _ => return Err(why("a parameter of unknown type")),
            }
        }
        Ok(out)
    }
}
