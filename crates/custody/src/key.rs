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
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::point::{Element, PointError};
use crate::possession;
use crate::sealed::{self, SealingKeyError, XWING_BYTES};

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
}

impl fmt::Debug for CustodianKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustodianKey(")?;
        self.element.bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        write!(f, ")")
    }
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
        let possession = possession::prove(&x, &element, &receipt, &digest);
        let key = CustodianKey { element, receipt, kem_digest: digest, possession };
        CustodianPublicKey { key, kem }
    }
}
