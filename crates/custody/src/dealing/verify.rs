//! What anyone can check of a dealing.

use bailiwick_protocol::labels::Label;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use merlin::Transcript;

use super::{CUSTODIANS_MAX, Context, Custodian, Dealing, DealingDigest};
use crate::code::{dual_weights, evaluate_all};
use crate::dleq::{self, Statement};
use crate::point::Element;
use crate::possession::Batch;
use crate::transcript::{TranscriptExt as _, transcript};

/// What is wrong with a dealing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealingError {
    /// Fewer than two custodians: nothing is shared.
    #[error("{found} custodians: a key is shared among at least 2")]
    TooFew {
        /// Custodians found.
        found: usize,
    },
    /// More than [`CUSTODIANS_MAX`].
    #[error("{found} custodians, more than the limit of {CUSTODIANS_MAX}")]
    TooMany {
        /// Custodians found.
        found: usize,
    },
    /// A threshold of zero shares nothing; one of n (or more) cannot be verified: the test of the code is vacuous.
    #[error(
        "threshold {threshold} of {custodians}: it must be at least 1 and less than the number of custodians"
    )]
    Threshold {
        /// t.
        threshold: u16,
        /// n.
        custodians: usize,
    },
    /// Two custodians have one key.
    #[error("custodians {first:?} and {second:?} have the same key")]
    DuplicateKey {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// Two custodians have one name.
    #[error("two custodians are called {0:?}")]
    DuplicateName(String),
    /// D or an encrypted share stands in another's place.
    #[error("the same point stands in two places of the dealing")]
    DuplicatePoint,
    /// Nobody has shown to know this custodian's secret key.
    #[error("the proof of possession of custodian {custodian:?} does not hold")]
    Possession {
        /// Whose.
        custodian: String,
    },
    /// The public proof: not every t custodians recover the same secret, or the proof was made for another owner, object, body,
    /// policy, roster, generation, or other custodians.
    #[error(
        "the public proof does not hold: the shares do not belong to one secret, or the dealing was altered or made for something else"
    )]
    Proof,
}

/// A dealing whose public proof holds: any t of its custodians recover the same secret.
#[derive(Clone, Debug)]
pub struct VerifiedDealing {
    pub(crate) dealing: Dealing,
    pub(crate) digest: DealingDigest,
}

impl VerifiedDealing {
    /// The dealing.
    #[must_use]
    pub fn dealing(&self) -> &Dealing {
        &self.dealing
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> DealingDigest {
        self.digest
    }

    /// t.
    #[must_use]
    pub fn threshold(&self) -> usize {
        usize::from(self.dealing.threshold)
    }
}

impl Dealing {
    /// Checks everything that can be checked without a secret.
    ///
    /// Not among it: that the object's body opens under the secret. Whoever holds the secret checks that.
    ///
    /// # Errors
    /// `DealingError`.
    pub fn verify(self) -> Result<VerifiedDealing, DealingError> {
        check_shape(&self.custodians, self.threshold)?;
        check_points(&self)?;
        let keys = self.custodians.iter().map(|c| &c.key);
        let Some(possession) = Batch::new(keys.clone()) else { return Err(self.refusal()) };
        let mut t = dealing_transcript(&self);
        let weights = weights(&mut t, self.custodians.len(), usize::from(self.threshold));
        // U, plus a term that is zero unless a proof of possession does not hold: see clause K13 for why one sum may stand for both.
        let u = possession.added_to(&weights, keys).into();
        let v = combine(&weights, self.shares.iter());
        let g = generator();
        let statement = Statement { g1: &g, y1: &self.ephemeral, g2: &u, y2: &v };
        if !dleq::holds(t, &statement, &self.proof) {
            return Err(self.refusal());
        }
        let digest = self.digest();
        Ok(VerifiedDealing { dealing: self, digest })
    }

    /// Whose fault it is that the sums do not agree: the first custodian whose proof of possession does not hold, or the dealer's.
    fn refusal(&self) -> DealingError {
        match self.custodians.iter().find(|c| !c.key.is_possessed()) {
            Some(c) => DealingError::Possession { custodian: c.name.clone() },
            None => DealingError::Proof,
        }
    }
}

/// The base point of ristretto255.
pub(crate) fn generator() -> Element {
    let compressed = curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
    Element { bytes: compressed.0, point: curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT }
}

/// Number of custodians, threshold, names and keys.
pub(super) fn check_shape(custodians: &[Custodian], threshold: u16) -> Result<(), DealingError> {
    let n = custodians.len();
    if n < 2 {
        return Err(DealingError::TooFew { found: n });
    }
    if n > CUSTODIANS_MAX {
        return Err(DealingError::TooMany { found: n });
    }
    if threshold == 0 || usize::from(threshold) >= n {
        return Err(DealingError::Threshold { threshold, custodians: n });
    }
    let distinct = |mut all: Vec<&[u8]>| {
        all.sort_unstable();
        all.windows(2).all(|w| w[0] != w[1])
    };
    if distinct(custodians.iter().map(|c| c.key.point().as_slice()).collect())
        && distinct(custodians.iter().map(|c| c.name.as_bytes()).collect())
    {
        return Ok(());
    }
    Err(first_duplicate(custodians))
}

/// Of custodians among whom two have one key or one name, which.
fn first_duplicate(custodians: &[Custodian]) -> DealingError {
    let of = |(i, c): (usize, &Custodian)| {
        if let Some(other) = custodians[..i].iter().find(|o| o.key.point() == c.key.point()) {
            return Some(DealingError::DuplicateKey { first: other.name.clone(), second: c.name.clone() });
        }
        let same_name = custodians[..i].iter().any(|o| o.name == c.name);
        same_name.then(|| DealingError::DuplicateName(c.name.clone()))
    };
    custodians.iter().enumerate().find_map(of).expect("the caller has seen two that are alike")
}

/// No point in two places: an honest dealer draws d, S and m at random, so this never happens to one.
fn check_points(dealing: &Dealing) -> Result<(), DealingError> {
    let keys = dealing.custodians.iter().map(|c| c.key.element.bytes);
    let mut all: Vec<_> = keys.chain(dealing.shares.iter().map(|s| s.bytes)).collect();
    all.extend([dealing.ephemeral.bytes, generator().bytes]);
    all.sort_unstable();
    if all.windows(2).any(|w| w[0] == w[1]) { Err(DealingError::DuplicatePoint) } else { Ok(()) }
}

/// T: everything the dealing says (spec custody, clause K11).
pub(super) fn dealing_transcript(dealing: &Dealing) -> Transcript {
    let mut t = classical_transcript(dealing);
    t.append_u64(b"hybrid", dealing.hybrid.len() as u64);
    for share in &dealing.hybrid {
        t.append_message(b"hybrid-commitment", &share.commitment);
        t.append_message(b"hybrid-enc", &share.enc);
        t.append_message(b"hybrid-ciphertext", &share.ciphertext);
    }
    t
}

/// The part of T that stands before the post-quantum half: all that the dealing says but that half and the proof.
pub(crate) fn classical_transcript(dealing: &Dealing) -> Transcript {
    let mut t = header_transcript(&dealing.context, dealing.threshold, &dealing.custodians);
    t.append_element(b"ephemeral", &dealing.ephemeral);
    for share in &dealing.shares {
        t.append_element(b"share", share);
    }
    t
}

/// The part of T that is known before anything is drawn.
pub(super) fn header_transcript(context: &Context, threshold: u16, custodians: &[Custodian]) -> Transcript {
    let mut t = transcript(Label::CustodyTranscript);
    t.append_message(b"owner", context.owner.as_bytes());
    t.append_message(b"object", context.object.as_bytes());
    t.append_message(b"key-commitment", &context.key_commitment);
    t.append_message(b"policy", context.policy.as_ref().map_or(&[][..], |p| &p[..]));
    t.append_message(b"roster", context.roster.as_bytes());
    t.append_u64(b"generation", context.generation);
    t.append_u64(b"threshold", u64::from(threshold));
    t.append_u64(b"custodians", custodians.len() as u64);
    for c in custodians {
        t.append_message(b"name", c.name.as_bytes());
        t.append_element(b"key", &c.key.element);
        t.append_message(b"receipt-key", &c.key.receipt);
        t.append_message(b"kem-key", &c.key.kem_digest);
        t.append_message(b"possession", &c.key.possession);
        t.append_u64(b"attributes", c.attributes.len() as u64);
        for attribute in &c.attributes {
            t.append_message(b"attribute", attribute.as_bytes());
        }
    }
    t
}

/// `w_i = v_i·m*(i)` for a polynomial m* of n - t coefficients drawn from T: a random word of the dual code.
pub(super) fn weights(t: &mut Transcript, n: usize, threshold: usize) -> Vec<Scalar> {
    let coefficients: Vec<Scalar> = (0..n - threshold).map(|_| t.draw_scalar(b"coefficient")).collect();
    dual_weights(n).iter().zip(evaluate_all(&coefficients, n)).map(|(v, m)| v * m).collect()
}

/// `sum w_i P_i`; everything in it is public.
pub(super) fn combine<'a>(weights: &[Scalar], points: impl Iterator<Item = &'a Element>) -> Element {
    RistrettoPoint::vartime_multiscalar_mul(weights, points.map(|p| p.point)).into()
}
