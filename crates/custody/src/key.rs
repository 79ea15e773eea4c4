//! Keys of custodians.
//!
//! One 32-byte secret gives a scalar for shares, an Ed25519 key for receipts and an X-Wing key for the post-quantum half. The public
//! key holds all three, and a Schnorr proof of possession by the scalar that vouches for the other two: a roster that lists the
//! ristretto255 key lists them all.

use core::fmt;

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use hkdf::Hkdf;
use merlin::Transcript;
use rand_core::CryptoRng;
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::point::{Element, PointError, decode_scalar, halves, joined};
use crate::sealed::{self, SealingKeyError, XWING_BYTES};
use crate::transcript::{Hedge, TranscriptExt as _, transcript};

/// Bytes of a custodian's public key: E ‖ receipt key ‖ proof of possession ‖ X-Wing key.
pub const CUSTODIAN_PUBLIC_KEY_BYTES: usize = 32 + 32 + 64 + XWING_BYTES;

/// Why bytes are no custodian's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not [`CUSTODIAN_PUBLIC_KEY_BYTES`] long.
    #[error("a custodian\u{2019}s public key has {CUSTODIAN_PUBLIC_KEY_BYTES} bytes, this one {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// The ristretto255 key.
    #[error("ristretto255 key: {0}")]
    Point(#[from] PointError),
    /// Nobody has shown to know the secret key, or another part was exchanged.
    #[error(
        "the proof of possession does not hold: whoever made this key did not know its secret, or it was altered"
    )]
    Possession,
    /// The X-Wing key.
    #[error("x-wing key: {0}")]
    Sealing(#[from] SealingKeyError),
}

/// What a dealing and a verifier need of a custodian's key; 160 bytes on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustodianKey {
    pub(crate) element: Element,
    pub(crate) receipt: [u8; 32],
    pub(crate) kem_digest: [u8; 32],
    pub(crate) possession: [u8; 64],
}

impl CustodianKey {
    /// The ristretto255 key E, as rosters list it.
    #[must_use]
    pub fn point(&self) -> &[u8; 32] {
        &self.element.bytes
    }

    /// The Ed25519 key that signs receipts.
    #[must_use]
    pub fn receipt_key(&self) -> &[u8; 32] {
        &self.receipt
    }

    /// Reads the parts; the proof of possession is checked apart, since many are cheaper together.
    pub(crate) fn decode(
        point: &[u8; 32],
        receipt: [u8; 32],
        kem_digest: [u8; 32],
        possession: [u8; 64],
    ) -> Result<Self, PointError> {
        Ok(Self { element: Element::decode(point)?, receipt, kem_digest, possession })
    }

    /// Challenge of the proof, after its commitment.
    fn challenge(&self) -> Scalar {
        let mut t = possession_transcript(&self.element, &self.receipt, &self.kem_digest);
        t.append_message(b"r", &halves(&self.possession).0);
        t.draw_scalar(b"c")
    }

    /// `(R, c, z)` of the proof, if they can be read.
    fn proof(&self) -> Option<(RistrettoPoint, Scalar, Scalar)> {
        let (r, z) = halves(&self.possession);
        Some((Element::decode(&r).ok()?.point, self.challenge(), decode_scalar(&z)?))
    }

    /// Whether whoever made the key knew its secret: z·G = R + c·E.
    pub(crate) fn is_possessed(&self) -> bool {
        self.proof().is_some_and(|(r, c, z)| {
            RistrettoPoint::vartime_double_scalar_mul_basepoint(&-c, &self.element.point, &z) == r
        })
    }
}

impl fmt::Debug for CustodianKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustodianKey(")?;
        self.element.bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        write!(f, ")")
    }
}

fn possession_transcript(element: &Element, receipt: &[u8; 32], kem_digest: &[u8; 32]) -> Transcript {
    let mut t = transcript(Label::CustodyPossession);
    t.append_element(b"key", element);
    t.append_message(b"receipt-key", receipt);
    t.append_message(b"kem-key", kem_digest);
    t
}

/// The first of `keys` whose proof of possession does not hold.
///
/// All at once by a random linear combination with 128-bit weights, drawn after every proof was absorbed; one by one only to find whom to name.
pub(crate) fn first_not_possessed(keys: &[&CustodianKey]) -> Option<usize> {
    if batch_is_possessed(keys) { None } else { keys.iter().position(|k| !k.is_possessed()) }
}

fn batch_is_possessed(keys: &[&CustodianKey]) -> bool {
    let Some(proofs) = keys.iter().map(|k| k.proof()).collect::<Option<Vec<_>>>() else { return false };
    let mut hasher = blake3::Hasher::new_derive_key(Label::CustodyPossessionBatch.as_str());
    for k in keys {
        for part in [&k.element.bytes[..], &k.receipt, &k.kem_digest, &k.possession] {
            hasher.update(part);
        }
    }
    let mut weights = hasher.finalize_xof();
    let mut base = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(2 * keys.len() + 1);
    let mut points = Vec::with_capacity(2 * keys.len() + 1);
    for (key, (r, c, z)) in keys.iter().zip(proofs) {
        let mut drawn = [0; 16];
        weights.fill(&mut drawn);
        let weight = Scalar::from(u128::from_le_bytes(drawn));
        base += weight * z;
        // The short weight stands positive, so that its upper half is zero and costs nothing.
        scalars.extend([weight, weight * c]);
        points.extend([r, key.element.point]);
    }
    scalars.push(-base);
    points.push(curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT);
    RistrettoPoint::vartime_multiscalar_mul(scalars, points).is_identity()
}

/// A custodian's whole public key, its proof of possession checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianPublicKey {
    pub(crate) key: CustodianKey,
    pub(crate) kem: Vec<u8>,
}

fn kem_digest(key: &[u8]) -> [u8; 32] {
    Label::CustodyKemKey.hash(key)
}

impl CustodianPublicKey {
    /// Reads and checks a key.
    ///
    /// # Errors
    /// `KeyError`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let length = KeyError::Length { found: bytes.len() };
        if bytes.len() != CUSTODIAN_PUBLIC_KEY_BYTES {
            return Err(length);
        }
        let (point, rest) = bytes.split_first_chunk::<32>().ok_or(length)?;
        let (receipt, rest) = rest.split_first_chunk::<32>().ok_or(length)?;
        let (possession, kem) = rest.split_first_chunk::<64>().ok_or(length)?;
        let key = CustodianKey::decode(point, *receipt, kem_digest(kem), *possession)?;
        if !key.is_possessed() {
            return Err(KeyError::Possession);
        }
        sealed::check_key(Kem::XWing, kem)?;
        Ok(Self { key, kem: kem.to_vec() })
    }

    /// The key as files hold it: E ‖ receipt key ‖ proof of possession ‖ X-Wing key.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.key.element.bytes[..], &self.key.receipt, &self.key.possession, &self.kem].concat()
    }

    /// The ristretto255 key E, as rosters list it.
    #[must_use]
    pub fn point(&self) -> &[u8; 32] {
        self.key.point()
    }
}

/// A custodian's secret. Wiped on drop, never printed.
#[derive(Debug)]
pub struct CustodianSecretKey(Secret<32>);

impl CustodianSecretKey {
    /// A fresh secret from `rng`.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Secret::init_with(|b| rng.fill_bytes(b)))
    }

    /// From its 32 bytes; every value is a secret.
    #[must_use]
    pub fn from_bytes(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for writing a key file.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    fn derive(&self, purpose: u8, out: &mut [u8]) {
        Hkdf::<Sha512>::new(None, self.0.expose_secret())
            .expand_multi_info(&[Label::CustodyKey.as_bytes(), &[purpose]], out)
            .expect("64 bytes are less than HKDF-SHA512 gives");
    }

    /// The scalar of shares: 64 derived bytes, reduced.
    pub(crate) fn scalar(&self) -> Zeroizing<Scalar> {
        let mut wide = Zeroizing::new([0; 64]);
        self.derive(1, &mut *wide);
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
    }

    /// The Ed25519 key of receipts.
    pub(crate) fn receipt_key(&self) -> SigningKey {
        SigningKey::from_seed(&Secret::init_with(|b| self.derive(2, b)))
    }

    /// The X-Wing seed of the post-quantum half.
    pub(crate) fn kem_seed(&self) -> Secret<32> {
        Secret::init_with(|b| self.derive(3, b))
    }

    /// The public half, the same every time: its proof of possession takes its nonce from the secret alone.
    #[must_use]
    pub fn public(&self) -> CustodianPublicKey {
        let x = self.scalar();
        let element = Element::from(RistrettoPoint::mul_base(&x));
        let receipt = self.receipt_key().public();
        let kem = sealed::public(Kem::XWing, &self.kem_seed()).expect("X-Wing takes any 32 bytes");
        let digest = kem_digest(&kem);
        let mut t = possession_transcript(&element, &receipt, &digest);
        // One statement per secret, so a nonce that depends on both never answers two challenges (as in RFC 8032).
        let r = Hedge::deterministic(&t, x.as_bytes()).scalar();
        let commitment = Element::from(RistrettoPoint::mul_base(&r));
        t.append_element(b"r", &commitment);
        let z = *r + t.draw_scalar(b"c") * *x;
        let possession = joined(&commitment.bytes, z.as_bytes());
        let key = CustodianKey { element, receipt, kem_digest: digest, possession };
        CustodianPublicKey { key, kem }
    }
}
