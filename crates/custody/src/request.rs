//! What a requester asks custodians for.

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::envelope::Kem;
use rand_core::CryptoRng;

use crate::dealing::{DealingDigest, VerifiedDealing};
use crate::sealed::{self, SealingKeyError};

/// Version of the request message.
pub const REQUEST_VERSION: u64 = 1;

/// A request for releases. It is not signed and proves no right: custodians decide whom they answer, by the fingerprint of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which dealing.
    pub dealing: DealingDigest,
    /// Mechanism of the requester's key.
    pub kem: Kem,
    /// To whom releases are sealed.
    pub key: Vec<u8>,
    /// Ties releases to this request.
    pub nonce: [u8; 32],
}

/// A requester whose key a quantum computer opens, of a dealing with a post-quantum half: t recorded releases would give both halves away
/// (clause K18a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dealing has a post-quantum half, and a release to a key of mechanism {:#06x} would lose it: the requester needs an x-wing key", .0.id())]
pub struct ClassicalRequester(pub Kem);

/// Why nothing can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Nothing can be sealed to the key.
    #[error(transparent)]
    Key(#[from] SealingKeyError),
    /// The dealing has a post-quantum half, and the key none.
    #[error(transparent)]
    Classical(#[from] ClassicalRequester),
}

impl Request {
    /// A fresh request for releases of `dealing`, sealed to `key`.
    ///
    /// # Errors
    /// `Key`, `Classical`.
    pub fn new(
        dealing: &VerifiedDealing,
        kem: Kem,
        key: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, RequestError> {
        sealed::check_key(kem, key)?;
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let request = Self { dealing: dealing.digest(), kem, key: key.to_vec(), nonce };
        request.check_against(dealing)?;
        Ok(request)
    }

    /// Whether shares of this dealing may be sealed to such a key.
    pub(crate) fn check_against(&self, dealing: &VerifiedDealing) -> Result<(), ClassicalRequester> {
        if dealing.dealing.is_hybrid() && self.kem != Kem::XWing {
            return Err(ClassicalRequester(self.kem));
        }
        Ok(())
    }
}

impl Canonical for Request {
    const WHAT: &'static str = "custody request";
    const BYTES_MAX: usize = 1536;

    fn encode(&self, e: &mut Encoder) {
        e.map(5);
        e.u64(0);
        e.u64(REQUEST_VERSION);
        e.u64(1);
        e.bytes(&self.dealing.0);
        e.u64(2);
        e.u64(u64::from(self.kem.id()));
        e.u64(3);
        e.bytes(&self.key);
        e.u64(4);
        e.bytes(&self.nonce);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("custody request")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != REQUEST_VERSION {
            return Err(CodecError::UnknownVersion { what: "custody request", found: version });
        }
        m.required(d, 1)?;
        let dealing = DealingDigest(d.array()?);
        m.required(d, 2)?;
        let id: u16 = d.uint("custody request: mechanism")?;
        let kem = Kem::from_id(id)
            .ok_or(CodecError::UnknownVersion { what: "custody request: mechanism", found: u64::from(id) })?;
        m.required(d, 3)?;
        let key = d.bytes("custody request: key", sealed::XWING_BYTES)?.to_vec();
        sealed::check_key(kem, &key).map_err(|_| CodecError::Invalid("custody request: key"))?;
        m.required(d, 4)?;
        let nonce = d.array()?;
        m.end(d)?;
        Ok(Self { dealing, kem, key, nonce })
    }
}
