//! What a requester checks of a release, and the share it then has.

use bailiwick_protocol::secret::Secret;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Release, bound, info};
use crate::dealing::{DealingDigest, VerifiedDealing, generator};
use crate::dleq::{self, Statement};
use crate::hybrid::ShareContext;
use crate::point::{Element, decode_scalar};
use crate::request::Request;
use crate::sealed;

/// Why a release is refused, and in whose name it was made where this dealing can say.
///
/// Releases are not signed: a bad one is no evidence against the custodian it names (clause K23a).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Made for another dealing: an earlier one, or one of another object. Whose name its point stands for, that dealing says.
    #[error("the release is for another dealing")]
    OtherDealing,
    /// Made for another request.
    #[error("a release in the name of {custodian} answers another request")]
    OtherRequest {
        /// In whose name.
        custodian: String,
    },
    /// From a point that no custodian has.
    #[error("a release says it is from custodian number {point}; this dealing has {custodians}")]
    NotCustodian {
        /// What it says.
        point: u16,
        /// How many there are.
        custodians: usize,
    },
    /// Sealed to somebody else, altered, or made by someone who is not the custodian it names.
    #[error("a release in the name of {custodian} does not open with the requester\u{2019}s key")]
    Sealed {
        /// In whose name.
        custodian: String,
    },
    /// The share inside is no element, or a share of a classical dealing stands for a hybrid one.
    #[error("the share in a release in the name of {custodian} is malformed")]
    Share {
        /// In whose name.
        custodian: String,
    },
    /// Not the share this custodian was dealt, or not made by it.
    #[error(
        "the proof in a release in the name of {custodian} does not hold: it is not the share that custodian was dealt, or somebody else made it"
    )]
    Proof {
        /// In whose name.
        custodian: String,
    },
    /// Not the post-quantum share the dealer committed to.
    #[error("the post-quantum share in a release in the name of {custodian} is not the one that was dealt")]
    SecondShare {
        /// In whose name.
        custodian: String,
    },
    /// The post-quantum share is the one the dealer committed to, and none that combines with others (clause K31a).
    #[error(
        "the post-quantum share that {custodian} was dealt is not below the order of the group: the dealer is at fault, not the custodian"
    )]
    DealtSecondShare {
        /// To whom.
        custodian: String,
    },
    /// Two releases of one custodian.
    #[error("{custodian} is there twice")]
    Twice {
        /// Who.
        custodian: String,
    },
}

/// A share that was checked. Wiped on drop, never printed.
pub struct Share {
    pub(crate) dealing: DealingDigest,
    pub(crate) index: usize,
    pub(crate) point: RistrettoPoint,
    pub(crate) second: Option<Zeroizing<Scalar>>,
}

impl Share {
    /// The custodian it is of, from 0.
    #[must_use]
    pub fn custodian(&self) -> usize {
        self.index
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.point.zeroize();
    }
}

impl core::fmt::Debug for Share {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Share(of custodian {}, ..)", self.index)
    }
}

impl Release {
    /// Opens with the requester's secret key and checks the proof.
    ///
    /// # Errors
    /// `ReleaseError`, naming the custodian unless the release is for another dealing.
    pub fn check(
        &self,
        dealing: &VerifiedDealing,
        request: &Request,
        secret: &Secret<32>,
    ) -> Result<Share, ReleaseError> {
        // Before the point: among the custodians of another dealing it is somebody else's.
        if self.dealing != dealing.digest || request.dealing != dealing.digest {
            return Err(ReleaseError::OtherDealing);
        }
        let d = &dealing.dealing;
        let not_custodian = ReleaseError::NotCustodian { point: self.point, custodians: d.custodians.len() };
        let index = usize::from(self.point).checked_sub(1).ok_or(not_custodian.clone())?;
        let custodian = d.custodians.get(index).ok_or(not_custodian)?;
        let name = || custodian.name.clone();
        if self.nonce != request.nonce {
            return Err(ReleaseError::OtherRequest { custodian: name() });
        }
        let info = info(&dealing.digest, request, index);
        let plain = sealed::open(request.kem, secret, &info, &self.enc, &self.ciphertext)
            .ok_or_else(|| ReleaseError::Sealed { custodian: name() })?;
        let malformed = || ReleaseError::Share { custodian: name() };
        let (encoded, rest) = plain.split_first_chunk::<32>().ok_or_else(malformed)?;
        let (proof, second) = rest.split_first_chunk::<64>().ok_or_else(malformed)?;
        if second.len() != if d.is_hybrid() { 32 } else { 0 } {
            return Err(malformed());
        }
        let share = Element::decode_any(encoded).map_err(|_| malformed())?;
        let masked = Element::from(d.shares[index].point - share.point);
        let statement =
            Statement { g1: &generator(), y1: &custodian.key.element, g2: &d.ephemeral, y2: &masked };
        if !dleq::holds(bound(dealing, request, index, &share), &statement, proof) {
            return Err(ReleaseError::Proof { custodian: name() });
        }
        let second = match d.hybrid.get(index) {
            None => None,
            Some(dealt) => {
                let wrong = || ReleaseError::SecondShare { custodian: name() };
                let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(second.try_into().map_err(|_| wrong())?);
                if ShareContext::of(d).commitment(index, &bytes) != dealt.commitment {
                    return Err(wrong());
                }
                let dealer = || ReleaseError::DealtSecondShare { custodian: name() };
                Some(Zeroizing::new(decode_scalar(&bytes).ok_or_else(dealer)?))
            }
        };
        Ok(Share { dealing: dealing.digest, index, point: share.point, second })
    }
}
