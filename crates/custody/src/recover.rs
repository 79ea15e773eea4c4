//! Recovering the secret from t shares.

use bailiwick_protocol::secret::Secret;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::traits::{IsIdentity as _, MultiscalarMul as _};
use zeroize::Zeroizing;

use crate::code::lagrange_at_zero;
use crate::dealing::VerifiedDealing;
use crate::hybrid;
use crate::release::Share;
use crate::secret::SharedSecret;
use crate::wrap::unwrap;

/// Why nothing is recovered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// Too few shares.
    #[error("{found} shares, and the dealing asks for {threshold}")]
    TooFew {
        /// Shares given.
        found: usize,
        /// t.
        threshold: usize,
    },
    /// Two shares of one custodian count once.
    #[error("the share of {custodian} is there twice")]
    Twice {
        /// Who.
        custodian: String,
    },
    /// A share of another dealing: one from before a resharing, or of another object.
    #[error("a share of another dealing is among them")]
    OtherDealing,
    /// S itself is the identity, which everyone can guess: it comes out of checked shares only when the dealer chose it.
    #[error("the shared secret is the identity: the dealer cheated")]
    Identity,
    /// The shares are right, and what was wrapped does not open under what they share: the dealer wrapped under something else, or dealt
    /// post-quantum shares that do not belong together.
    #[error(
        "the custodians\u{2019} shares are right, but the wrapped key does not open under them: the dealer cheated or made a mistake"
    )]
    Wrapped,
}

/// What t custodians give.
#[derive(Debug)]
pub struct Recovered {
    /// S.
    pub secret: SharedSecret,
    /// S2 in hybrid mode.
    second: Option<Zeroizing<[u8; 32]>>,
}

/// The secret, from any t of the shares that were checked.
///
/// # Errors
/// `TooFew`, `Twice`, `OtherDealing`, `Identity`.
pub fn recover(dealing: &VerifiedDealing, shares: &[Share]) -> Result<Recovered, RecoverError> {
    for (i, share) in shares.iter().enumerate() {
        if share.dealing != dealing.digest {
            return Err(RecoverError::OtherDealing);
        }
        if shares[..i].iter().any(|s| s.index == share.index) {
            let custodian = dealing.dealing.custodians[share.index].name.clone();
            return Err(RecoverError::Twice { custodian });
        }
    }
    let threshold = dealing.threshold();
    let Some(used) = shares.get(..threshold) else {
        return Err(RecoverError::TooFew { found: shares.len(), threshold });
    };
    let indices: Vec<usize> = used.iter().map(|s| s.index).collect();
    // Shares are secret: constant time.
    let point = RistrettoPoint::multiscalar_mul(lagrange_at_zero(&indices), used.iter().map(|s| s.point));
    if point.is_identity() {
        return Err(RecoverError::Identity);
    }
    let seconds: Option<Vec<_>> = used.iter().map(|s| Some((s.index, s.second.as_ref()?))).collect();
    let second = seconds.map(|s| hybrid::recover(&s)).filter(|_| dealing.dealing.is_hybrid());
    Ok(Recovered { secret: SharedSecret::new(point), second })
}

impl Recovered {
    /// The file key that was wrapped under the secret. That it is the object's, the body's key commitment says.
    ///
    /// # Errors
    /// `Wrapped`.
    pub fn file_key(
        &self,
        dealing: &VerifiedDealing,
        wrapped: &[u8; 48],
    ) -> Result<Secret<32>, RecoverError> {
        unwrap(&self.secret, self.second.as_deref(), &dealing.digest, wrapped).ok_or(RecoverError::Wrapped)
    }
}
