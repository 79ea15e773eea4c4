//! Verifying keys: canonical bytes, lint, digest, and the prepared form.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use bailiwick_protocol::ids::VkDigest;
use bailiwick_protocol::labels::Label;

use crate::point::{self, G1_BYTES, G2_BYTES, PointError};

/// Bytes before the list of input points: alpha, beta, gamma, delta and a 64-bit count.
const HEADER_BYTES: usize = G1_BYTES + 3 * G2_BYTES + 8;

/// Public inputs a key may have. The statements of this project have one; 1024 leaves room and bounds memory.
const INPUTS_MAX: usize = 1024;

/// Bytes of an encoded verifying key, at most.
pub const VERIFYING_KEY_BYTES_MAX: usize = HEADER_BYTES + (INPUTS_MAX + 1) * G1_BYTES;

/// Why bytes are not a verifying key this project will use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too short, too long, or not the length its own count announces.
    #[error("verifying key: {found} bytes do not match its announced contents")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// One of its points is unacceptable.
    #[error("verifying key, {element}: {source}")]
    Point {
        /// Which element.
        element: &'static str,
        /// What is wrong with it.
        source: PointError,
    },
    /// gamma = ±delta: `(alpha, beta, ∓IC(x))` would verify for any input.
    #[error("verifying key: gamma equals delta, anyone could forge")]
    GammaEqualsDelta,
    /// delta is the generator or its inverse, as in a key whose second phase was never contributed to.
    #[error("verifying key: delta is the group generator, its second phase never ran")]
    DeltaIsGenerator,
    /// Elements whose secrets must be independent are equal or opposite.
    #[error("verifying key: {0} and {1} are equal or opposite")]
    Equal(&'static str, &'static str),
    /// An element whose secret is 1.
    #[error("verifying key: {0} is the group generator")]
    Generator(&'static str),
}

/// A verifying key that passed every check, with its canonical bytes.
///
/// Encoding: alpha (G1) ‖ beta ‖ gamma ‖ delta (G2) ‖ LE64 count ‖ that many G1 points, compressed as
/// `ark-serialize` does; the count is one more than the number of public inputs.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    inner: ark_groth16::VerifyingKey<Bn254>,
    bytes: Vec<u8>,
}

impl VerifyingKey {
    /// Decodes the one canonical encoding and lints the key.
    ///
    /// # Errors
    /// See [`KeyError`]. Nothing is allocated before the announced count has been compared with the length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let length = KeyError::Length { found: bytes.len() };
        let (alpha, rest) = bytes.split_first_chunk::<G1_BYTES>().ok_or(length)?;
        let (beta, rest) = rest.split_first_chunk::<G2_BYTES>().ok_or(length)?;
        let (gamma, rest) = rest.split_first_chunk::<G2_BYTES>().ok_or(length)?;
        let (delta, rest) = rest.split_first_chunk::<G2_BYTES>().ok_or(length)?;
        let (count, rest) = rest.split_first_chunk::<8>().ok_or(length)?;
        let count = usize::try_from(u64::from_le_bytes(*count)).map_err(|_| length)?;
        if !(1..=INPUTS_MAX + 1).contains(&count) || rest.len() != count * G1_BYTES {
            return Err(length);
        }
        let at = |element| move |source| KeyError::Point { element, source };
        let (points, _) = rest.as_chunks::<G1_BYTES>();
        let inner = ark_groth16::VerifyingKey {
            alpha_g1: point::g1(alpha).map_err(at("alpha"))?,
            beta_g2: point::g2(beta).map_err(at("beta"))?,
            gamma_g2: point::g2(gamma).map_err(at("gamma"))?,
            delta_g2: point::g2(delta).map_err(at("delta"))?,
            gamma_abc_g1: points
                .iter()
                .map(|p| point::g1(p).map_err(at("input point")))
                .collect::<Result<_, _>>()?,
        };
        lint(&inner)?;
        Ok(Self { inner, bytes: bytes.to_vec() })
    }

    /// The canonical encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest that trust anchors and challenges name the key by: BLAKE3 derive-key under its label over the
    /// canonical bytes.
    #[must_use]
    pub fn digest(&self) -> VkDigest {
        let mut h = blake3::Hasher::new_derive_key(Label::VerifyingKeyDigest.as_str());
        h.update(&self.bytes);
        VkDigest(h.finalize().into())
    }

    /// Number of public inputs of its statement.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inner.gamma_abc_g1.len() - 1
    }

    /// Precomputes what does not depend on the proof: one pairing, two sets of line coefficients and, for a few inputs, multiples of their points
    /// (70 KiB each): about 2 ms.
    #[must_use]
    pub fn prepare(&self) -> PreparedVerifyingKey {
        PreparedVerifyingKey {
            inner: ark_groth16::prepare_verifying_key(&self.inner),
            tables: crate::multiples::tables(&self.inner.gamma_abc_g1[1..]),
            digest: self.digest(),
        }
    }

    #[cfg(feature = "prove")]
    pub(crate) const fn inner(&self) -> &ark_groth16::VerifyingKey<Bn254> {
        &self.inner
    }

    /// Encodes and decodes again, so that a key made here passes the same gate as one from outside.
    #[cfg(feature = "prove")]
    pub(crate) fn from_points(inner: &ark_groth16::VerifyingKey<Bn254>) -> Result<Self, KeyError> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + inner.gamma_abc_g1.len() * G1_BYTES);
        ark_serialize::CanonicalSerialize::serialize_compressed(inner, &mut bytes)
            .map_err(|_| KeyError::Length { found: bytes.len() })?;
        Self::from_bytes(&bytes)
    }
}

/// Refuses keys under which anyone can forge, or which no honest set-up gives except with probability about 2^-254.
///
/// gamma at the generator is *not* refused: snarkjs fixes gamma = 1, and soundness needs only delta secret (and
/// different from gamma).
fn lint(vk: &ark_groth16::VerifyingKey<Bn254>) -> Result<(), KeyError> {
    let same = |a: G2Affine, b: G2Affine| a == b || a == -b;
    if same(vk.gamma_g2, vk.delta_g2) {
        return Err(KeyError::GammaEqualsDelta);
    }
    if same(vk.delta_g2, G2Affine::generator()) {
        return Err(KeyError::DeltaIsGenerator);
    }
    if vk.alpha_g1 == G1Affine::generator() {
        return Err(KeyError::Generator("alpha"));
    }
    if vk.beta_g2 == G2Affine::generator() {
        return Err(KeyError::Generator("beta"));
    }
    // beta = gamma: A = alpha + IC(x) + r·delta, B = beta, C = r·beta verifies for any x.
    if same(vk.beta_g2, vk.gamma_g2) {
        return Err(KeyError::Equal("beta", "gamma"));
    }
    if same(vk.beta_g2, vk.delta_g2) {
        return Err(KeyError::Equal("beta", "delta"));
    }
    // Two equal input points, or opposite ones: the two inputs could be exchanged, or shifted against each other.
    let points = &vk.gamma_abc_g1;
    let same_line = |p: &G1Affine, q: &G1Affine| p == q || *p == -*q;
    if points.iter().enumerate().any(|(i, p)| points.iter().skip(i + 1).any(|q| same_line(p, q))) {
        return Err(KeyError::Equal("input point", "input point"));
    }
    Ok(())
}

impl PartialEq for VerifyingKey {
    /// Canonical bytes are equal exactly when keys are.
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for VerifyingKey {}

/// A key ready to verify many proofs.
#[derive(Clone, Debug)]
pub struct PreparedVerifyingKey {
    inner: ark_groth16::PreparedVerifyingKey<Bn254>,
    /// Multiples of the input points; empty when there are many of them.
    tables: Vec<crate::multiples::Multiples>,
    digest: VkDigest,
}

impl PreparedVerifyingKey {
    /// Digest of the key it was made from.
    #[must_use]
    pub const fn digest(&self) -> VkDigest {
        self.digest
    }

    /// Number of public inputs of its statement.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inner.vk.gamma_abc_g1.len() - 1
    }

    pub(crate) const fn inner(&self) -> &ark_groth16::PreparedVerifyingKey<Bn254> {
        &self.inner
    }

    pub(crate) fn tables(&self) -> &[crate::multiples::Multiples] {
        &self.tables
    }
}
