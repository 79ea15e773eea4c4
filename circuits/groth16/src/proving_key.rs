//! Proving keys and their file form.
//!
//! File: magic (16 bytes) ‖ circuit digest (32) ‖ the key as `ark-serialize` writes it, uncompressed: 64 bytes a G1
//! point, 128 a G2 point. Uncompressed because decompression costs a square root a point (25 s of CPU at 2^19
//! constraints against 0.5 s).

use std::io::{self, Read, Seek, Write};

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use bailiwick_protocol::ids::{CircuitDigest, PkDigest, VkDigest};
use bailiwick_protocol::labels::Label;
use rayon::prelude::*;

use crate::key::{KeyError, VerifyingKey};

mod source;

pub use source::KeyShape;

const MAGIC: [u8; 16] = *b"bailiwick/pk/v1\n";

/// Why a proving key cannot be read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvingKeyError {
    /// Reading or writing failed.
    #[error("proving key: {0}")]
    Io(#[from] io::Error),
    /// Not as long as a key of its circuit is; nothing of it was read but its header.
    #[error("proving key: {found} bytes, a key of its circuit has {expected}")]
    Length {
        /// What the circuit's counts give.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The bytes are not those the digest names; nothing of them was used.
    #[error("proving key: digest is {found}, expected {expected}")]
    Digest {
        /// What was asked for.
        expected: PkDigest,
        /// What the bytes have.
        found: PkDigest,
    },
    /// Not a proving key file of this version.
    #[error("not a proving key file of this version")]
    Malformed,
    /// A point is not on its curve.
    #[error("proving key: a point is off its curve")]
    OffCurve,
    /// Its verifying key is unacceptable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// delta in G1 is not delta in G2: A would not be blinded.
    #[error("proving key: delta differs between G1 and G2, proofs would not hide the witness")]
    Delta,
    /// Made for another circuit.
    #[error("proving key is for circuit {found}, expected {expected}")]
    Circuit {
        /// The circuit at hand.
        expected: CircuitDigest,
        /// The circuit in the file.
        found: CircuitDigest,
    },
    /// Its number of points does not fit the circuit it names.
    #[error("proving key does not have the shape of its circuit")]
    Shape,
}

/// A Groth16 proving key and the verifying key inside it.
#[derive(Clone)]
pub struct ProvingKey {
    inner: ark_groth16::ProvingKey<Bn254>,
    vk: VerifyingKey,
    vk_digest: VkDigest,
    circuit: CircuitDigest,
}

impl core::fmt::Debug for ProvingKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ProvingKey(vk {:?}, circuit {:?})", self.vk_digest, self.circuit)
    }
}

impl ProvingKey {
    pub(crate) fn new(
        inner: ark_groth16::ProvingKey<Bn254>,
        vk: VerifyingKey,
        circuit: CircuitDigest,
    ) -> Self {
        let vk_digest = vk.digest();
        Self { inner, vk, vk_digest, circuit }
    }

    /// The key proofs verify under.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.vk
    }

    /// Digest of the matrices it was made from.
    #[must_use]
    pub const fn circuit(&self) -> CircuitDigest {
        self.circuit
    }

    /// Writes the file form; returns its digest (BLAKE3 derive-key under its label over every byte written).
    ///
    /// # Errors
    /// What `to` reports.
    pub fn write_to(&self, to: &mut impl Write) -> Result<PkDigest, ProvingKeyError> {
        let mut to =
            HashingWriter { to, hasher: blake3::Hasher::new_derive_key(Label::ProvingKeyDigest.as_str()) };
        to.write_all(&MAGIC)?;
        to.write_all(self.circuit.as_bytes())?;
        self.inner.serialize_uncompressed(&mut to).map_err(|e| match e {
            ark_serialize::SerializationError::IoError(e) => ProvingKeyError::Io(e),
            _ => ProvingKeyError::Malformed,
        })?;
        to.flush()?;
        Ok(PkDigest(to.hasher.finalize().into()))
    }

    /// Reads the file form, from where `from` stands to its end.
    ///
    /// Header, length and digest are checked first, with 1 MiB of memory; then the key is read again and decoded, and
    /// what was decoded is hashed once more, so that nobody exchanges the file in between. Memory: the key, 64 bytes a
    /// G1 point.
    ///
    /// # Errors
    /// [`ProvingKeyError`]; `Circuit`, `Length` or `Shape` when it is not a key of that shape.
    pub fn read_from(
        from: &mut (impl Read + Seek),
        expected: &PkDigest,
        shape: &KeyShape,
    ) -> Result<Self, ProvingKeyError> {
        let mut from = source::checked(from, expected, shape)?;
        // Unchecked: these very bytes were named by a digest the caller trusts, and checking 2^19 points for their
        // subgroup costs half a minute of CPU. The verifying key inside is decoded strictly all the same, every point
        // is checked to be on its curve (which in G1 is its group), and `ProvingKey::check` checks every subgroup.
        let inner = ark_groth16::ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&mut from)
            .map_err(|_| ProvingKeyError::Malformed)?;
        from.finish(expected)?;
        let vk = VerifyingKey::from_points(&inner.vk)?;
        // The strict decoder saw x and a sign only; prover and pairing use these y.
        if inner.vk != *vk.inner() {
            return Err(ProvingKeyError::Malformed);
        }
        if !on_curve(&inner) {
            return Err(ProvingKeyError::OffCurve);
        }
        // A = … + r·delta_G1 hides the witness only if delta_G1 is not infinity, whoever made the key; delta_G2 is linted.
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        if Bn254::pairing(inner.delta_g1, g2) != Bn254::pairing(g1, inner.vk.delta_g2) {
            return Err(ProvingKeyError::Delta);
        }
        let key = Self::new(inner, vk, shape.circuit);
        if key.fits(shape) { Ok(key) } else { Err(ProvingKeyError::Shape) }
    }

    /// Whether every query has as many points as the circuit needs; the prover's sums truncate silently otherwise.
    pub(crate) fn fits(&self, shape: &KeyShape) -> bool {
        let (variables, instances) = (shape.variables, shape.instance_variables);
        let pk = &self.inner;
        pk.vk.gamma_abc_g1.len() as u64 == instances
            && pk.l_query.len() as u64 + instances == variables
            && [pk.a_query.len(), pk.b_g1_query.len(), pk.b_g2_query.len()]
                .iter()
                .all(|n| *n as u64 == variables)
            && pk.h_query.len() as u64 + 1 == shape.domain
    }

    pub(crate) const fn inner(&self) -> &ark_groth16::ProvingKey<Bn254> {
        &self.inner
    }
}

/// Whether every point outside the verifying key is on its curve: about 0.1 µs a point. For G2 that is not its subgroup.
pub(crate) fn on_curve(pk: &ark_groth16::ProvingKey<Bn254>) -> bool {
    let g1 = |points: &[G1Affine]| points.par_iter().all(G1Affine::is_on_curve);
    g1(&[pk.beta_g1, pk.delta_g1])
        && [&pk.a_query, &pk.b_g1_query, &pk.h_query, &pk.l_query].into_iter().all(|query| g1(query))
        && pk.b_g2_query.par_iter().all(G2Affine::is_on_curve)
}

struct HashingWriter<'w, W> {
    to: &'w mut W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for HashingWriter<'_, W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.to.write(buf)?;
        self.hasher.update(buf.get(..n).unwrap_or(buf));
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
