//! The evidence bundle: one audit of one host, everything a skeptic needs to judge it again offline (spec bundle).

use crate::challenge::{SignedChallenge, SignedResponse};
use crate::codec::{Canonical, CodecError, Decoder, Encoder};
use crate::envelope::SignedEnvelope;
use crate::ids::{AuditorKey, BundleDigest};
use crate::inventory::{LeafOpening, SignedInventory, decode_leaves, encode_leaves};
use crate::labels::Label;
use crate::limits::{BUNDLE_BYTES_MAX, CHALLENGE_OBJECTS_MAX, RANGE_OUTCOMES_MAX};
use crate::signing::{Signed, SignedMessage};

/// Version of the bundle.
pub const BUNDLE_VERSION: u64 = 1;

/// What became of a question to a host. The causes of no answer are told apart because only the auditor saw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoAnswer {
    /// The host answered, but with a refusal or an error.
    Refused,
    /// Connected, no answer within the deadline.
    TimedOut,
    /// No connection.
    Unreachable,
    /// The auditor did not ask while there was time for a fair answer: of an inventory only, and nothing against the host.
    NotAsked,
}

impl NoAnswer {
    /// Its number in every encoding.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Refused => 0,
            Self::TimedOut => 1,
            Self::Unreachable => 2,
            Self::NotAsked => 3,
        }
    }

    /// The cause of a number.
    ///
    /// # Errors
    /// `Invalid`.
    pub const fn from_code(code: u64) -> Result<Self, CodecError> {
        match code {
            0 => Ok(Self::Refused),
            1 => Ok(Self::TimedOut),
            2 => Ok(Self::Unreachable),
            3 => Ok(Self::NotAsked),
            _ => Err(CodecError::Invalid("cause of no answer")),
        }
    }
}

/// The host's part of the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response signed by the host.
    Response(SignedResponse),
    /// Nothing signed, after the same challenge was asked again; on the auditor's word.
    None(NoAnswer),
}

/// Outcome of fetching one random block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeOutcome {
    /// The bytes came and match the owner's signed cell root.
    Good,
    /// Bytes came that do not match it.
    BadBytes,
    /// The host refused or answered an error.
    Refused,
    /// No answer within the deadline.
    TimedOut,
    /// No connection.
    Unreachable,
}

/// One random range fetched as a customer would.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RangeOutcome {
    /// Index into the bundle's envelopes.
    pub target: u32,
    /// First byte of the range in the body.
    pub offset: u64,
    /// Bytes asked for.
    pub length: u64,
    /// What came.
    pub outcome: ProbeOutcome,
    /// Milliseconds to the last byte.
    pub elapsed_ms: u64,
}

/// What a challenge over an inventory is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryEvidence {
    /// The inventory, signed by the host.
    pub inventory: SignedInventory,
    /// The sampled leaves, each once, ascending; none when the host gave none.
    pub leaves: Vec<LeafOpening>,
}

/// One audit of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Who collected it and signs it.
    pub auditor: AuditorKey,
    /// The challenge, signed by the auditor.
    pub challenge: SignedChallenge,
    /// The envelope of each target, in the challenge's order, or of each opened leaf; signed by its owner.
    pub envelopes: Vec<SignedEnvelope>,
    /// The inventory and its opened leaves, when the challenge asks for one.
    pub inventory: Option<InventoryEvidence>,
    /// What the host answered.
    pub answer: Answer,
    /// Random ranges fetched.
    pub ranges: Vec<RangeOutcome>,
    /// When the challenge was drawn, by the auditor's clock, milliseconds since 1970-01-01 UTC.
    pub asked_unix_ms: u64,
    /// When the answer was complete or given up, same clock; not before `asked_unix_ms`.
    pub answered_unix_ms: u64,
}

/// A bundle as it is stored.
pub type SignedBundle = Signed<Bundle>;

impl SignedMessage for Bundle {
    const LABEL: Label = Label::BundleSignature;
}

impl SignedBundle {
    /// Digest that a log entry names it by: BLAKE3 derive-key under its label over the canonical bytes, signature included.
    #[must_use]
    pub fn digest(&self) -> BundleDigest {
        BundleDigest(Label::BundleDigest.hash(&self.to_bytes()))
    }
}

impl Canonical for Bundle {
    const WHAT: &'static str = "bundle";
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(8 + u64::from(self.inventory.is_some()));
        e.u64(0);
        e.u64(BUNDLE_VERSION);
        e.u64(1);
        self.auditor.encode(e);
        e.u64(2);
        self.challenge.encode(e);
        e.u64(3);
        e.array(self.envelopes.len() as u64);
        for env in &self.envelopes {
            env.encode(e);
        }
        e.u64(4);
        e.array(2);
        match &self.answer {
            Answer::Response(r) => {
                e.u64(0);
                r.encode(e);
            }
            Answer::None(why) => {
                e.u64(1);
                e.u64(why.code());
            }
        }
        e.u64(5);
        e.array(self.ranges.len() as u64);
        for r in &self.ranges {
            e.array(5);
            e.u64(u64::from(r.target));
            e.u64(r.offset);
            e.u64(r.length);
            e.u64(r.outcome as u64);
            e.u64(r.elapsed_ms);
        }
        e.u64(6);
        e.u64(self.asked_unix_ms);
        e.u64(7);
        e.u64(self.answered_unix_ms);
        if let Some(evidence) = &self.inventory {
            e.u64(8);
            e.array(2);
            evidence.inventory.encode(e);
            encode_leaves(&evidence.leaves, e);
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("bundle")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != BUNDLE_VERSION {
            return Err(CodecError::UnknownVersion { what: "bundle", found: version });
        }
        m.required(d, 1)?;
        let auditor = AuditorKey::decode(d)?;
        m.required(d, 2)?;
        let challenge = SignedChallenge::decode(d)?;
        m.required(d, 3)?;
        let n = d.list("bundle envelopes", CHALLENGE_OBJECTS_MAX)?;
        let envelopes = (0..n).map(|_| SignedEnvelope::decode(d)).collect::<Result<_, _>>()?;
        m.required(d, 4)?;
        let answer = decode_answer(d)?;
        m.required(d, 5)?;
        let n = d.list("range outcomes", RANGE_OUTCOMES_MAX)?;
        let ranges = (0..n).map(|_| decode_range(d)).collect::<Result<_, _>>()?;
        m.required(d, 6)?;
        let asked_unix_ms = d.u64()?;
        m.required(d, 7)?;
        let answered_unix_ms = d.u64()?;
        if answered_unix_ms < asked_unix_ms {
            return Err(CodecError::Invalid("bundle times"));
        }
        let inventory = if m.optional(d, 8)? {
            d.tuple(2)?;
            Some(InventoryEvidence { inventory: SignedInventory::decode(d)?, leaves: decode_leaves(d)? })
        } else {
            None
        };
        m.end(d)?;
        Ok(Self { auditor, challenge, envelopes, inventory, answer, ranges, asked_unix_ms, answered_unix_ms })
    }
}

fn decode_answer(d: &mut Decoder<'_>) -> Result<Answer, CodecError> {
    d.tuple(2)?;
    Ok(match d.u64()? {
        0 => Answer::Response(SignedResponse::decode(d)?),
        1 => match NoAnswer::from_code(d.u64()?)? {
            // A challenge that was never asked makes no bundle.
            NoAnswer::NotAsked => return Err(CodecError::Invalid("bundle answer")),
            why => Answer::None(why),
        },
        _ => return Err(CodecError::Invalid("bundle answer")),
    })
}

fn decode_range(d: &mut Decoder<'_>) -> Result<RangeOutcome, CodecError> {
    d.tuple(5)?;
    Ok(RangeOutcome {
        target: d.uint("range target")?,
        offset: d.u64()?,
        length: d.u64()?,
        outcome: match d.u64()? {
            0 => ProbeOutcome::Good,
            1 => ProbeOutcome::BadBytes,
            2 => ProbeOutcome::Refused,
            3 => ProbeOutcome::TimedOut,
            4 => ProbeOutcome::Unreachable,
            _ => return Err(CodecError::Invalid("range outcome")),
        },
        elapsed_ms: d.u64()?,
    })
}
