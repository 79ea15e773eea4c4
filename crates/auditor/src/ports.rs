//! What the engine asks of the world. Every port may be slow, may fail and may lie; only the journal must keep its word.

use bailiwick_protocol::beacon::BeaconRound;
use bailiwick_protocol::bundle::{NoAnswer, ProbeOutcome};
use bailiwick_protocol::challenge::{SignedChallenge, SignedResponse};
use bailiwick_protocol::envelope::Envelope;
use bailiwick_protocol::ids::{BundleDigest, ChallengeDigest, HostKey};
use bailiwick_protocol::inventory::{Openings, SignedInventory};

use crate::journal::JournalError;
use crate::record::Record;

/// What a host says of a challenge handed to it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Poll {
    /// It works on it; 0 to 1.
    Pending(f64),
    /// An answer, not verified.
    Answered(SignedResponse),
    /// It gave up without an answer: the same challenge is asked again.
    Failed,
}

/// Why a host gave nothing, and when it says to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Why.
    pub why: NoAnswer,
    /// Milliseconds it asks to be left alone (RFC 9110, section 10.2.3, `Retry-After`). Honoured up to a minute, and never
    /// past the moment at which the host is given up.
    pub retry_after_ms: Option<u64>,
}

impl From<NoAnswer> for Unanswered {
    fn from(why: NoAnswer) -> Self {
        Self { why, retry_after_ms: None }
    }
}

/// The hosts of a schedule. Called from several threads.
///
/// Nothing is believed for its own sake: the engine verifies what is signed, the caller of the dossier the rest. A refusal
/// of any kind, "not found" and "unauthenticated" included, is `NoAnswer::Refused`: otherwise the host would decide
/// whether evidence exists.
pub trait Hosts: Send + Sync {
    /// The host's inventory of an epoch.
    ///
    /// # Errors
    /// Why none came.
    fn inventory(&self, host: &HostKey, epoch: u64) -> Result<SignedInventory, Unanswered>;

    /// Hands over a challenge. The same one may be handed over again and draws nothing anew.
    ///
    /// # Errors
    /// Why it was not taken.
    fn challenge(&self, host: &HostKey, challenge: &SignedChallenge) -> Result<(), Unanswered>;

    /// Looks how far a challenge handed over is.
    ///
    /// # Errors
    /// Why there is no word of it.
    fn poll(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Poll, Unanswered>;

    /// The opened leaves that belong to the answer.
    ///
    /// # Errors
    /// Why none came.
    fn openings(&self, host: &HostKey, challenge: &ChallengeDigest) -> Result<Openings, Unanswered>;

    /// Fetches one block as a customer would and checks it against the owner's root. Also the milliseconds it took.
    fn probe(&self, host: &HostKey, envelope: &Envelope, block: u64) -> (ProbeOutcome, u64);
}

/// Why a log or a beacon gave nothing now. It is asked again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection, no answer in time, or a refusal.
    #[error("{who} is not available: {why}")]
    Unavailable {
        /// The service.
        who: &'static str,
        /// As the adapter found it, printable.
        why: String,
    },
    /// It answered with what does not verify.
    #[error("{who} answered what does not verify: {why}")]
    Untrusted {
        /// The service.
        who: &'static str,
        /// As the adapter found it, printable.
        why: String,
    },
}

/// A tlog-proof, verified under the pinned key of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its text.
    pub text: Vec<u8>,
    /// Whether as many witnesses as asked for have cosigned its checkpoint.
    pub witnessed: bool,
}

/// Entries of a log from some index on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Consecutive entries; may be fewer than there are.
    pub entries: Vec<Vec<u8>>,
    /// Entries of the log now.
    pub size: u64,
}

/// A transparency log.
pub trait Log {
    /// Enters `entries` and returns the index of each, once they are durable.
    ///
    /// # Errors
    /// `Fault`; the entries may be in the log all the same.
    fn append(&mut self, entries: &[Vec<u8>]) -> Result<Vec<u64>, Fault>;

    /// The best proof to be had now that `entry` is at `index`; verified, see [`crate::checked_proof`].
    ///
    /// # Errors
    /// `Fault`.
    fn proof(&mut self, index: u64, entry: &[u8]) -> Result<Proof, Fault>;

    /// Entries from index `from` on, at least one when there are any, verified against a checkpoint of the log.
    ///
    /// # Errors
    /// `Fault`.
    fn entries(&mut self, from: u64) -> Result<Page, Fault>;
}

/// A source of beacon rounds. The engine verifies every round itself.
pub trait Beacon {
    /// Round `number` of the schedule's chain.
    ///
    /// # Errors
    /// `Fault`, also when it is not published yet.
    fn round(&mut self, number: u64) -> Result<BeaconRound, Fault>;
}

/// Milliseconds since 1970-01-01 UTC.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> u64;
}

/// What randomness is drawn for; lets a simulation be repeated from one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The nonce of an epoch.
    Nonce {
        /// The epoch.
        epoch: u64,
    },
    /// Which block to fetch.
    Probe {
        /// The epoch.
        epoch: u64,
        /// The host.
        host: HostKey,
        /// Which of the probes, from 0.
        number: u32,
    },
}

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoEntropy;

/// A cryptographically secure source of randomness.
pub trait Entropy {
    /// Fills `out`.
    ///
    /// # Errors
    /// `NoEntropy`.
    fn fill(&mut self, purpose: Purpose, out: &mut [u8]) -> Result<(), NoEntropy>;
}

/// Where the campaign's history is kept. A call that returns `Ok` has made it durable.
pub trait Journal {
    /// Appends a record.
    ///
    /// # Errors
    /// `JournalError`; after one, nothing may be appended any more.
    fn append(&mut self, record: &Record) -> Result<(), JournalError>;

    /// Stores a signed bundle under its digest; storing the same one again changes nothing.
    ///
    /// # Errors
    /// `JournalError`.
    fn put_bundle(&mut self, digest: &BundleDigest, bytes: &[u8]) -> Result<(), JournalError>;

    /// A stored bundle.
    ///
    /// # Errors
    /// `JournalError`, also when it is not there.
    fn bundle(&self, digest: &BundleDigest) -> Result<Vec<u8>, JournalError>;
}
