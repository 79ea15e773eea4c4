//! What a recipient of role custody-secret is sent: S, and a proof that the dealing shares it.
//!
//! The proof closes the gap of the public one for whoever can open the object: DLEQ(d; G, D; E_L, C_L - S), with E_L and C_L the
//! combinations at 0 over custodians 1..=t. A recipient who is an auditor makes it third-party checkable.

use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use merlin::Transcript;
use rand_core::CryptoRng;

use crate::code::lagrange_at_zero;
use crate::dealing::{Dealing, DealingDigest, VerifiedDealing};
use crate::dleq::{self, Statement};
use crate::point::{Element, PointError};
use crate::secret::SharedSecret;
use crate::transcript::transcript;
use crate::wrap::unwrap;

/// Why a recipient's 96 bytes are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// S is no element of the group, or the identity.
    #[error("the secret in the recipient entry is {0}")]
    Secret(#[from] PointError),
    /// The dealing shares another secret.
    #[error("the custodians of this dealing share another secret than the recipient was sent")]
    Proof,
    /// In hybrid mode S alone opens nothing.
    #[error("the key also depends on a post-quantum half, which only custodians hold")]
    Hybrid,
    /// The wrapped key does not open under S.
    #[error("the wrapped file key does not open under the shared secret")]
    Wrapped,
}

fn bound(digest: &DealingDigest) -> Transcript {
    let mut t = transcript(Label::CustodyRecipient);
    t.append_message(b"dealing", &digest.0);
    t
}

/// E_L and C_L.
fn at_zero(dealing: &Dealing) -> (Element, RistrettoPoint) {
    let indices: Vec<usize> = (0..usize::from(dealing.threshold)).collect();
    let lambda = lagrange_at_zero(&indices);
    let keys = dealing.custodians.iter().map(|c| c.key.element.point).take(lambda.len());
    let shares = dealing.shares.iter().map(|s| s.point).take(lambda.len());
    let keys = RistrettoPoint::vartime_multiscalar_mul(&lambda, keys);
    (keys.into(), RistrettoPoint::vartime_multiscalar_mul(&lambda, shares))
}

/// S ‖ challenge ‖ answer.
pub(crate) fn content(
    dealing: &Dealing,
    digest: &DealingDigest,
    secret: &SharedSecret,
    d: &Scalar,
    rng: &mut impl CryptoRng,
) -> Secret<96> {
    let (keys, shares) = at_zero(dealing);
    let masked = Element::from(shares - secret.point());
    let statement =
        Statement { g1: &crate::dealing::generator(), y1: &dealing.ephemeral, g2: &keys, y2: &masked };
    let proof = dleq::prove(bound(digest), &statement, d, rng);
    Secret::init_with(|out| {
        out[..32].copy_from_slice(&*secret.encode());
        out[32..].copy_from_slice(&proof);
    })
}

impl VerifiedDealing {
    /// Whether the custodians share the very secret a recipient was sent.
    ///
    /// # Errors
    /// `Secret`, `Proof`.
    pub fn check_recipient(&self, content: &Secret<96>) -> Result<SharedSecret, RecipientError> {
        let (encoded, proof) =
            content.expose_secret().split_first_chunk::<32>().expect("96 bytes begin with 32");
        let proof: &[u8; 64] = proof.try_into().expect("96 bytes end with 64");
        let secret = SharedSecret::new(Element::decode(encoded)?.point);
        let (keys, shares) = at_zero(&self.dealing);
        let masked = Element::from(shares - secret.point());
        let statement = Statement {
            g1: &crate::dealing::generator(),
            y1: &self.dealing.ephemeral,
            g2: &keys,
            y2: &masked,
        };
        if dleq::holds(bound(&self.digest), &statement, proof) {
            Ok(secret)
        } else {
            Err(RecipientError::Proof)
        }
    }

    /// The file key for a recipient who was sent the secret: checks the proof, then unwraps.
    ///
    /// # Errors
    /// `RecipientError`.
    pub fn open_as_recipient(
        &self,
        content: &Secret<96>,
        wrapped: &[u8; 48],
    ) -> Result<Secret<32>, RecipientError> {
        let secret = self.check_recipient(content)?;
        if self.dealing.is_hybrid() {
            return Err(RecipientError::Hybrid);
        }
        unwrap(&secret, None, &self.digest, wrapped).ok_or(RecipientError::Wrapped)
    }
}
