//! Releases: a custodian's share, with the proof that it is the right one, for one requester.

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use crate::dealing::{DealingDigest, VerifiedDealing, generator};
use crate::dleq::{self, Statement};
use crate::hybrid::{HybridError, ShareContext, le_point, open_share};
use crate::key::CustodianSecretKey;
use crate::point::{Element, decode_scalar};
use crate::request::{ClassicalRequester, Request};
use crate::sealed::{self, SealingKeyError};
use crate::transcript::{TranscriptExt as _, transcript};

/// Version of the release message.
pub const RELEASE_VERSION: u64 = 1;

/// Bytes of an X-Wing encapsulated key.
const ENC_BYTES_MAX: usize = 1120;

/// A_i ‖ challenge ‖ answer, and the post-quantum share in hybrid mode.
const PLAIN_BYTES: usize = 96;
const PLAIN_BYTES_HYBRID: usize = PLAIN_BYTES + 32;
const TAG_BYTES: usize = 16;

/// A release as it travels. Whoever carries it learns dealing, request and custodian, and nothing of the share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which dealing.
    pub dealing: DealingDigest,
    /// Nonce of the request it answers.
    pub nonce: [u8; 32],
    /// The custodian's point, 1..=n.
    pub point: u16,
    /// Encapsulated key: 32, 65 or 1,120 bytes.
    pub enc: Vec<u8>,
    /// The sealed share and its proof: 112 bytes, or 144 with a post-quantum share.
    pub ciphertext: Vec<u8>,
}

/// Why a custodian does not release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedRelease {
    /// The key is none of this dealing.
    #[error("this key belongs to no custodian of this dealing")]
    NotCustodian,
    /// The request is for another dealing.
    #[error("the request is for another dealing")]
    OtherDealing,
    /// Nothing can be sealed to the requester's key.
    #[error("the requester\u{2019}s key: {0}")]
    Requester(#[from] SealingKeyError),
    /// The post-quantum half.
    #[error(transparent)]
    Hybrid(#[from] HybridError),
    /// The dealing has a post-quantum half, and the requester's key none.
    #[error(transparent)]
    Classical(#[from] ClassicalRequester),
}

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

/// What the proof of a release is bound to: dealing, requester and nonce.
fn bound(dealing: &VerifiedDealing, request: &Request, index: usize, share: &Element) -> Transcript {
    let mut t = transcript(Label::CustodyRelease);
    t.append_message(b"dealing", &dealing.digest.0);
    t.append_u64(b"requester-kem", u64::from(request.kem.id()));
    t.append_message(b"requester-key", &request.key);
    t.append_message(b"nonce", &request.nonce);
    t.append_u64(b"point", index as u64 + 1);
    t.append_element(b"share", share);
    t
}

/// label ‖ dealing digest ‖ LE16 mechanism ‖ nonce ‖ LE16 point
fn info(dealing: &DealingDigest, request: &Request, index: usize) -> Vec<u8> {
    [
        Label::CustodyReleaseInfo.as_bytes(),
        &dealing.0,
        &request.kem.id().to_le_bytes(),
        &request.nonce,
        &le_point(index),
    ]
    .concat()
}

/// Makes the release of the custodian with this key for `request`.
///
/// Whether the requester may have it is for the custodian to decide before calling this.
///
/// # Errors
/// `RefusedRelease`.
pub fn release(
    dealing: &VerifiedDealing,
    request: &Request,
    key: &CustodianSecretKey,
    rng: &mut impl CryptoRng,
) -> Result<Release, RefusedRelease> {
    if request.dealing != dealing.digest {
        return Err(RefusedRelease::OtherDealing);
    }
    request.check_against(dealing)?;
    let d = &dealing.dealing;
    let index = d.position(key.public().point()).ok_or(RefusedRelease::NotCustodian)?;
    let x = key.scalar();
    let masked = Element::from(*x * d.ephemeral.point);
    // The identity for a custodian whose point the dealer made a root of its polynomial: a share as good as any, and proved as one.
    let mut share = Element::from(d.shares[index].point - masked.point);
    let statement =
        Statement { g1: &generator(), y1: &d.custodians[index].key.element, g2: &d.ephemeral, y2: &masked };
    let proof = dleq::prove(bound(dealing, request, index, &share), &statement, &x, rng);
    let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES_HYBRID));
    plain.extend_from_slice(&share.bytes);
    plain.extend_from_slice(&proof);
    if d.is_hybrid() {
        plain.extend_from_slice(&*open_share(dealing, index, key)?);
    }
    share.bytes.zeroize();
    share.point.zeroize();
    let info = info(&dealing.digest, request, index);
    let (enc, ciphertext) = sealed::seal(request.kem, &request.key, &info, &plain, rng)?;
    let point = u16::from_le_bytes(le_point(index));
    Ok(Release { dealing: dealing.digest, nonce: request.nonce, point, enc, ciphertext })
}

impl Release {
    /// What a custodian logs of a release: BLAKE3 of its bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Label::CustodyReleaseDigest.hash(&self.to_bytes())
    }

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

impl Canonical for Release {
    const WHAT: &'static str = "custody release";
    const BYTES_MAX: usize = 1536;

    fn encode(&self, e: &mut Encoder) {
        e.map(6);
        e.u64(0);
        e.u64(RELEASE_VERSION);
        e.u64(1);
        e.bytes(&self.dealing.0);
        e.u64(2);
        e.bytes(&self.nonce);
        e.u64(3);
        e.u64(u64::from(self.point));
        e.u64(4);
        e.bytes(&self.enc);
        e.u64(5);
        e.bytes(&self.ciphertext);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("custody release")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != RELEASE_VERSION {
            return Err(CodecError::UnknownVersion { what: "custody release", found: version });
        }
        m.required(d, 1)?;
        let dealing = DealingDigest(d.array()?);
        m.required(d, 2)?;
        let nonce = d.array()?;
        m.required(d, 3)?;
        let point = d.uint("custody release: point")?;
        m.required(d, 4)?;
        let enc = d.bytes("custody release: enc", ENC_BYTES_MAX)?.to_vec();
        // X25519, P-256, X-Wing.
        if ![32, 65, ENC_BYTES_MAX].contains(&enc.len()) {
            return Err(CodecError::Invalid("custody release: enc"));
        }
        m.required(d, 5)?;
        let ciphertext = d.bytes("custody release: ciphertext", PLAIN_BYTES_HYBRID + TAG_BYTES)?.to_vec();
        if ![PLAIN_BYTES + TAG_BYTES, PLAIN_BYTES_HYBRID + TAG_BYTES].contains(&ciphertext.len()) {
            return Err(CodecError::Invalid("custody release: ciphertext"));
        }
        m.end(d)?;
        Ok(Self { dealing, nonce, point, enc, ciphertext })
    }
}
