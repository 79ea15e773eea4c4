//! What a custodian enters in a transparency log of a release: which share went to whom, and nothing of the share
//! (spec custody, clauses K22a and K22b).

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::signing::{Signed, SignedMessage};

use crate::dealing::{DealingDigest, VerifiedDealing};
use crate::key::CustodianSecretKey;
use crate::release::Release;
use crate::request::Request;

/// Version of the record.
pub const RELEASE_RECORD_VERSION: u64 = 1;

/// Kind of log entry: 1 to 3 are auditors' (spec schedule).
const KIND: u64 = 4;

/// One release, as its custodian tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Which dealing.
    pub dealing: DealingDigest,
    /// The custodian's point, 1..=n.
    pub point: u16,
    /// Fingerprint of the requester's key (spec envelope, clause E8).
    pub requester: [u8; 32],
    /// Nonce of the request.
    pub nonce: [u8; 32],
    /// Digest of the release (clause K22).
    pub release: [u8; 32],
    /// When, milliseconds since 1970-01-01 UTC, on the custodian's clock.
    pub released_unix_ms: u64,
}

/// A record signed with the custodian's receipt key.
pub type SignedReleaseRecord = Signed<ReleaseRecord>;

/// The entry as a log takes it.
#[derive(Clone, Debug)]
pub struct ReleaseEntry(pub SignedReleaseRecord);

impl SignedMessage for ReleaseRecord {
    const LABEL: Label = Label::CustodyReleaseRecord;
}

/// A record that says nothing of this dealing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not in its canonical form.
    #[error(transparent)]
    Form(#[from] CodecError),
    /// Of a share of another dealing.
    #[error("the record is of a release for another dealing")]
    OtherDealing,
    /// From nobody of this dealing.
    #[error("the record names no custodian of this dealing")]
    NotCustodian,
    /// Not signed by the custodian it names.
    #[error("the record is not signed by custodian {custodian:?}, whom it names")]
    Signature {
        /// Whom it names.
        custodian: String,
    },
}

impl ReleaseRecord {
    /// The record of `made`, the answer of the custodian with this key to `request`.
    #[must_use]
    pub fn of(made: &Release, request: &Request, released_unix_ms: u64) -> Self {
        Self {
            dealing: made.dealing,
            point: made.point,
            requester: fingerprint(request),
            nonce: made.nonce,
            release: made.digest(),
            released_unix_ms,
        }
    }

    /// Signed for the log.
    #[must_use]
    pub fn sign(&self, key: &CustodianSecretKey) -> ReleaseEntry {
        ReleaseEntry(Signed::new(self, &key.receipt_key()))
    }
}

fn fingerprint(request: &Request) -> [u8; 32] {
    Label::Fingerprint.hash(&[request.kem.id().to_le_bytes().as_slice(), &request.key].concat())
}

impl ReleaseEntry {
    /// What it says, if a custodian of `dealing` signed it.
    ///
    /// # Errors
    /// `RecordError`.
    pub fn verify(&self, dealing: &VerifiedDealing) -> Result<ReleaseRecord, RecordError> {
        // Read before it is verified to learn whose key to verify under.
        let said = self.0.decode_unverified()?;
        if said.dealing != dealing.digest {
            return Err(RecordError::OtherDealing);
        }
        let index = usize::from(said.point).checked_sub(1).ok_or(RecordError::NotCustodian)?;
        let custodian = dealing.dealing.custodians.get(index).ok_or(RecordError::NotCustodian)?;
        self.0
            .verify(custodian.key.receipt_key())
            .map_err(|_| RecordError::Signature { custodian: custodian.name.clone() })
    }
}

/// Requesters to whom, by the custodians' own words, t or more of them released: each can open the object. By fingerprint, with the
/// points of those who did.
#[must_use]
pub fn enough_released(
    dealing: &VerifiedDealing,
    records: &[ReleaseRecord],
) -> BTreeMap<[u8; 32], BTreeSet<u16>> {
    let mut to: BTreeMap<[u8; 32], BTreeSet<u16>> = BTreeMap::new();
    for r in records.iter().filter(|r| r.dealing == dealing.digest) {
        to.entry(r.requester).or_default().insert(r.point);
    }
    to.retain(|_, points| points.len() >= dealing.threshold());
    to
}

impl Canonical for ReleaseRecord {
    const WHAT: &'static str = "record of a custody release";
    const BYTES_MAX: usize = 256;

    fn encode(&self, e: &mut Encoder) {
        e.map(7);
        e.u64(0);
        e.u64(RELEASE_RECORD_VERSION);
        e.u64(1);
        e.bytes(&self.dealing.0);
        e.u64(2);
        e.u64(u64::from(self.point));
        e.u64(3);
        e.bytes(&self.requester);
        e.u64(4);
        e.bytes(&self.nonce);
        e.u64(5);
        e.bytes(&self.release);
        e.u64(6);
        e.u64(self.released_unix_ms);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("record of a custody release")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != RELEASE_RECORD_VERSION {
            return Err(CodecError::UnknownVersion { what: "record of a custody release", found: version });
        }
        m.required(d, 1)?;
        let dealing = DealingDigest(d.array()?);
        m.required(d, 2)?;
        let point = d.uint("record of a custody release: point")?;
        m.required(d, 3)?;
        let requester = d.array()?;
        m.required(d, 4)?;
        let nonce = d.array()?;
        m.required(d, 5)?;
        let release = d.array()?;
        m.required(d, 6)?;
        let released_unix_ms = d.u64()?;
        m.end(d)?;
        Ok(Self { dealing, point, requester, nonce, release, released_unix_ms })
    }
}

impl Canonical for ReleaseEntry {
    const WHAT: &'static str = "log entry of a custody release";
    const BYTES_MAX: usize = 384;

    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        e.u64(KIND);
        self.0.encode(e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(2)?;
        match d.u64()? {
            KIND => Ok(Self(Signed::decode(d)?)),
            _ => Err(CodecError::Invalid("kind of log entry")),
        }
    }
}
