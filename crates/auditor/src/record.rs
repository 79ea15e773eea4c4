//! The journal's records: every change of a campaign's state, in the order it happened.
//!
//! A record is durable before what it says is acted upon: the nonce before its hash is logged, a challenge before it is
//! sent, a bundle before its outcome is logged.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::Answer;
use bailiwick_protocol::challenge::SignedChallenge;
use bailiwick_protocol::ids::{BundleDigest, HostKey};
use bailiwick_protocol::inventory::SignedInventory;
use bailiwick_protocol::schedule::{SignedEpochCommitment, SignedOutcome, SignedSchedule};
use bailiwick_protocol::secret::Secret;

mod wire;

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
