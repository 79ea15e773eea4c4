//! The journal's records: every change of a campaign's state, in the order it happened.
//!
//! A record is durable before what it says is acted upon: the nonce before its hash is logged, a challenge before it is
//! sent, a bundle before its outcome is logged.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::challenge::{SignedChallenge, SignedResponse};
use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::ids::{BundleDigest, HostKey};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::limits::LOG_PROOF_BYTES_MAX;
use bailiwick_protocol::schedule::{SignedEpochCommitment, SignedOutcome, SignedSchedule};
use bailiwick_protocol::secret::Secret;

/// Version of the journal.
pub const JOURNAL_VERSION: u64 = 1;

/// Names one entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryId {
    /// The schedule.
    Schedule,
    /// The commitment to an epoch.
    Epoch(u64),
    /// The outcome of an epoch at a host.
    Outcome(u64, HostKey),
}

/// One change of state.
#[derive(Debug, PartialEq, Eq)]
pub enum Record {
    /// First record: the schedule.
    Schedule(SignedSchedule),
    /// A host gave its inventory of an epoch.
    Inventory {
        /// The epoch.
        epoch: u64,
        /// The host, which has signed it.
        host: HostKey,
        /// What it gave.
        inventory: SignedInventory,
    },
    /// The nonce of an epoch is drawn, and the commitment signed.
    Committed {
        /// The epoch.
        epoch: u64,
        /// Secret until the round.
        nonce: Secret<32>,
        /// What is to be logged.
        commitment: SignedEpochCommitment,
    },
    /// The epoch's round, verified.
    Round {
        /// The epoch.
        epoch: u64,
        /// The round.
        round: BeaconRound,
    },
    /// A host is about to be asked.
    Asked {
        /// The epoch.
        epoch: u64,
        /// The host.
        host: HostKey,
        /// The one challenge of this epoch for it.
        challenge: SignedChallenge,
        /// When, by the auditor's clock.
        at_ms: u64,
    },
    /// A host's answer, or that it is given up.
    Answered {
        /// The epoch.
        epoch: u64,
        /// The host.
        host: HostKey,
        /// A response that verifies and names the challenge, or none.
        answer: Answer,
        /// When, by the auditor's clock.
        at_ms: u64,
    },
    /// A second inventory the host signed for one epoch.
    Second {
        /// The epoch.
        epoch: u64,
        /// The host.
        host: HostKey,
        /// The one that was not committed to.
        inventory: SignedInventory,
    },
    /// The evidence is signed and stored.
    Bundled {
        /// The epoch.
        epoch: u64,
        /// The host.
        host: HostKey,
        /// The bundle.
        bundle: BundleDigest,
        /// What is to be logged.
        outcome: SignedOutcome,
    },
    /// The log has given an entry its index.
    Sequenced {
        /// Which.
        id: EntryId,
        /// Its index.
        index: u64,
    },
    /// A proof that the entry is in the log.
    Logged {
        /// Which.
        id: EntryId,
        /// tlog-proof.
        proof: Vec<u8>,
        /// Whether enough witnesses have cosigned.
        witnessed: bool,
    },
    /// An epoch whose round was published before a commitment was made: the auditor was not there.
    Missed {
        /// The epoch.
        epoch: u64,
    },
    /// The log was compared with the journal up to this size.
    Compared {
        /// Entries.
        size: u64,
    },
}

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
