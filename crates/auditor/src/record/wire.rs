//! Records as they stand in the journal: CBOR arrays, the kind first (spec schedule, clause on the journal).

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::ids::{BundleDigest, HostKey};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::limits::LOG_PROOF_BYTES_MAX;
use bailiwick_protocol::schedule::{SignedEpochCommitment, SignedOutcome, SignedSchedule};
use bailiwick_protocol::secret::Secret;

use super::{EntryId, JOURNAL_VERSION, Record};

impl EntryId {
    fn encode(self, e: &mut Encoder) {
        match self {
            Self::Schedule => {
                e.array(1);
                e.u64(0);
            }
            Self::Epoch(epoch) => {
                e.array(2);
                e.u64(1);
                e.u64(epoch);
            }
            Self::Outcome(epoch, host) => {
                e.array(3);
                e.u64(2);
                e.u64(epoch);
                e.bytes(host.as_bytes());
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let fields = d.list("entry id", 3)?;
        match (fields, d.u64()?) {
            (1, 0) => Ok(Self::Schedule),
            (2, 1) => Ok(Self::Epoch(d.u64()?)),
            (3, 2) => Ok(Self::Outcome(d.u64()?, HostKey(d.array()?))),
            _ => Err(CodecError::Invalid("entry id")),
        }
    }
}

fn encode_answer(answer: &Answer, e: &mut Encoder) {
    e.array(2);
    match answer {
        Answer::Response(r) => {
            e.u64(0);
            r.encode(e);
        }
        Answer::None(why) => {
            e.u64(1);
            e.u64(why.code());
        }
    }
}

fn decode_answer(d: &mut Decoder<'_>) -> Result<Answer, CodecError> {
    d.tuple(2)?;
    match d.u64()? {
        0 => Ok(Answer::Response(SignedResponse::decode(d)?)),
        1 => Ok(Answer::None(NoAnswer::from_code(d.u64()?)?)),
        _ => Err(CodecError::Invalid("answer")),
    }
}

impl Canonical for Record {
    const WHAT: &'static str = "journal record";
    // A challenge may name thousands of objects.
    const BYTES_MAX: usize = 4 << 20;

    fn encode(&self, e: &mut Encoder) {
        let start = |e: &mut Encoder, kind: u64, fields: u64| {
            e.array(fields + 1);
            e.u64(kind);
        };
        let at = |e: &mut Encoder, epoch: &u64, host: &HostKey| {
            e.u64(*epoch);
            e.bytes(host.as_bytes());
        };
        match self {
            Self::Schedule(schedule) => {
                start(e, 0, 2);
                e.u64(JOURNAL_VERSION);
                schedule.encode(e);
            }
            Self::Inventory { epoch, host, inventory } => {
                start(e, 1, 3);
                at(e, epoch, host);
                inventory.encode(e);
            }
            Self::Committed { epoch, nonce, commitment } => {
                start(e, 2, 3);
                e.u64(*epoch);
                e.bytes(nonce.expose_secret());
                commitment.encode(e);
            }
            Self::Round { epoch, round } => {
                start(e, 3, 2);
                e.u64(*epoch);
                round.encode(e);
            }
            Self::Asked { epoch, host, challenge, at_ms } => {
                start(e, 4, 4);
                at(e, epoch, host);
                challenge.encode(e);
                e.u64(*at_ms);
            }
            Self::Answered { epoch, host, answer, at_ms } => {
                start(e, 5, 4);
                at(e, epoch, host);
                encode_answer(answer, e);
                e.u64(*at_ms);
            }
            Self::Second { epoch, host, inventory } => {
                start(e, 6, 3);
                at(e, epoch, host);
                inventory.encode(e);
            }
            Self::Bundled { epoch, host, bundle, outcome } => {
                start(e, 7, 4);
                at(e, epoch, host);
                e.bytes(bundle.as_bytes());
                outcome.encode(e);
            }
            Self::Sequenced { id, index } => {
                start(e, 8, 2);
                id.encode(e);
                e.u64(*index);
            }
            Self::Logged { id, proof, witnessed } => {
                start(e, 9, 3);
                id.encode(e);
                e.bytes(proof);
                e.u64(u64::from(*witnessed));
            }
            Self::Missed { epoch } => {
                start(e, 10, 1);
                e.u64(*epoch);
            }
            Self::Compared { size } => {
                start(e, 11, 1);
                e.u64(*size);
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let fields = d.list("journal record", 5)?;
        let kind = d.u64()?;
        let host = |d: &mut Decoder<'_>| d.array().map(HostKey);
        // Field by field in the order of writing; a wrong number of fields fails the comparison with the canonical bytes.
        let record = match (kind, fields) {
            (0, 3) => match d.u64()? {
                JOURNAL_VERSION => Self::Schedule(SignedSchedule::decode(d)?),
                found => return Err(CodecError::UnknownVersion { what: "journal", found }),
            },
            (1, 4) => {
                Self::Inventory { epoch: d.u64()?, host: host(d)?, inventory: SignedInventory::decode(d)? }
            }
            (2, 4) => Self::Committed {
                epoch: d.u64()?,
                nonce: {
                    let bytes = d.bytes("nonce", 32)?;
                    Secret::try_init_with(|s| {
                        (bytes.len() == s.len())
                            .then(|| s.copy_from_slice(bytes))
                            .ok_or(CodecError::Invalid("nonce"))
                    })?
                },
                commitment: SignedEpochCommitment::decode(d)?,
            },
            (3, 3) => Self::Round { epoch: d.u64()?, round: BeaconRound::decode(d)? },
            (4, 5) => Self::Asked {
                epoch: d.u64()?,
                host: host(d)?,
                challenge: SignedChallenge::decode(d)?,
                at_ms: d.u64()?,
            },
            (5, 5) => {
                Self::Answered { epoch: d.u64()?, host: host(d)?, answer: decode_answer(d)?, at_ms: d.u64()? }
            }
            (6, 4) => {
                Self::Second { epoch: d.u64()?, host: host(d)?, inventory: SignedInventory::decode(d)? }
            }
            (7, 5) => Self::Bundled {
                epoch: d.u64()?,
                host: host(d)?,
                bundle: BundleDigest(d.array()?),
                outcome: SignedOutcome::decode(d)?,
            },
            (8, 3) => Self::Sequenced { id: EntryId::decode(d)?, index: d.u64()? },
            (9, 4) => Self::Logged {
                id: EntryId::decode(d)?,
                proof: d.bytes("log proof", LOG_PROOF_BYTES_MAX)?.to_vec(),
                witnessed: d.u64()? == 1,
            },
            (10, 2) => Self::Missed { epoch: d.u64()? },
            (11, 2) => Self::Compared { size: d.u64()? },
            _ => return Err(CodecError::Invalid("kind of journal record")),
        };
        Ok(record)
    }
}
