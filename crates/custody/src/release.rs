//! Releases: a custodian's share, with the proof that it is the right one, for one requester.

mod check;

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::labels::Label;
use merlin::Transcript;
use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use crate::dealing::{DealingDigest, VerifiedDealing, generator};
use crate::dleq::{self, Statement};
use crate::hybrid::{HybridError, le_point, open_share};
use crate::key::CustodianSecretKey;
use crate::point::Element;
use crate::request::{ClassicalRequester, Request};
use crate::sealed::{self, SealingKeyError};
use crate::transcript::{TranscriptExt as _, transcript};

pub use check::{ReleaseError, Share};

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
