//! What is checked of a proving key's bytes before any of it is kept: a wrong file costs 48 bytes, or its hash.

use std::io::{self, Read, Seek, SeekFrom};

use bailiwick_protocol::ids::{CircuitDigest, PkDigest};
use bailiwick_protocol::labels::Label;

use super::{MAGIC, ProvingKeyError};
use crate::matrices::Matrices;
use crate::setup::domain;

/// Bytes hashed at once; all the memory that a wrong file costs.
const PIECE: usize = 1 << 20;

/// Magic and circuit digest.
pub(super) const HEADER: usize = MAGIC.len() + 32;

/// What a key file must be for one circuit, known without its matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShape {
    /// Digest of the matrices.
    pub circuit: CircuitDigest,
    /// Columns of the matrices, the constant one and public inputs included.
    pub variables: u64,
    /// Of them, the constant one and the public inputs.
    pub instance_variables: u64,
    /// Rows of the domain: constraints and instance variables, up to a power of two.
    pub domain: u64,
}

impl KeyShape {
    /// The shape of a circuit's key.
    ///
    /// # Errors
    /// [`ProvingKeyError::Shape`] when the field has no domain of that size.
    pub fn of(matrices: &Matrices) -> Result<Self, ProvingKeyError> {
        use ark_poly::EvaluationDomain as _;
        Ok(Self {
            circuit: matrices.digest(),
            variables: matrices.variables() as u64,
            instance_variables: matrices.instance_variables() as u64,
            domain: domain(matrices).ok_or(ProvingKeyError::Shape)?.size() as u64,
        })
    }

    /// Bytes of the key's file: 64 a point of G1, 128 of G2, 8 before each of the six sequences.
    #[must_use]
    pub const fn file_bytes(&self) -> u64 {
        let l = self.variables.saturating_sub(self.instance_variables);
        let sequences = [self.instance_variables, 4 * self.variables, self.domain.saturating_sub(1), l];
        let g1 = 3 + sequences[0] + sequences[1] + sequences[2] + sequences[3];
        HEADER as u64 + 64 * g1 + 3 * 128 + 6 * 8
    }
}

/// The rest of a file whose header, length and digest are as they must be, from byte [`HEADER`] on.
///
/// # Errors
/// [`ProvingKeyError`]: `Malformed`, `Circuit` after 48 bytes; `Length` then; `Digest` after all, 1 MiB at a time.
pub(super) fn checked<'r, R: Read + Seek>(
    from: &'r mut R,
    expected: &PkDigest,
    shape: &KeyShape,
) -> Result<HashingReader<'r, R>, ProvingKeyError> {
    let start = from.stream_position()?;
    let mut header = [0; HEADER];
    from.read_exact(&mut header).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => ProvingKeyError::Malformed,
        _ => e.into(),
    })?;
    let circuit = header.strip_prefix(&MAGIC).and_then(|c| c.try_into().ok());
    let found = CircuitDigest(circuit.ok_or(ProvingKeyError::Malformed)?);
    if found != shape.circuit {
        return Err(ProvingKeyError::Circuit { expected: shape.circuit, found });
    }
    let (expected_bytes, end) = (shape.file_bytes(), from.seek(SeekFrom::End(0))?.saturating_sub(start));
    if end != expected_bytes {
        return Err(ProvingKeyError::Length { expected: expected_bytes, found: end });
    }
    let body = start + HEADER as u64;
    from.seek(SeekFrom::Start(body))?;
    let mut first = HashingReader::new(from, &header, expected_bytes);
    while first.refill()? > 0 {}
    first.finish(expected)?;
    from.seek(SeekFrom::Start(body))?;
    Ok(HashingReader::new(from, &header, expected_bytes))
}

/// Reads by pieces and hashes what it reads: whoever changes the file between two readings is found by the second digest.
pub(super) struct HashingReader<'r, R> {
    from: io::Take<&'r mut R>,
    hasher: blake3::Hasher,
    piece: Vec<u8>,
    at: usize,
}

impl<'r, R: Read> HashingReader<'r, R> {
    fn new(from: &'r mut R, header: &[u8; HEADER], length: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(Label::ProvingKeyDigest.as_str());
        hasher.update(header);
        Self { from: from.take(length - HEADER as u64), hasher, piece: Vec::with_capacity(PIECE), at: 0 }
    }

    /// The next piece; 0 at the end.
    fn refill(&mut self) -> io::Result<usize> {
        self.piece.clear();
        self.at = 0;
        let n = self.from.by_ref().take(PIECE as u64).read_to_end(&mut self.piece)?;
        self.hasher.update(&self.piece);
        Ok(n)
    }

    /// Everything was read, and it is what the digest names.
    pub(super) fn finish(mut self, expected: &PkDigest) -> Result<(), ProvingKeyError> {
        if self.read(&mut [0])? > 0 {
            return Err(ProvingKeyError::Malformed);
        }
        let found = PkDigest(self.hasher.finalize().into());
        if found == *expected { Ok(()) } else { Err(ProvingKeyError::Digest { expected: *expected, found }) }
    }
}

impl<R: Read> Read for HashingReader<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && self.refill()? == 0 {
            return Ok(0);
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let n = rest.len().min(to.len());
        if let (Some(to), Some(rest)) = (to.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(rest);
        }
        self.at += n;
        Ok(n)
    }
}
