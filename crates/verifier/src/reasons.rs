//! Reasons and assumptions: a stable code for programs, a sentence for people (spec verdict, clause V4).

use bailiwick_scheme::Soundness;
use serde::Serialize;

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReasonCode {
    /// The host's proof verifies for this very challenge.
    ProofVerifies,
    /// The host signed a proof that does not verify.
    ProofDoesNotVerify,
    /// The host signed that a sampled part is missing, unreadable or not what the owner signed.
    HostCannotProve,
    /// The host signed that it does not hold an object: against its own inventory, or nothing shows that it ever accepted it.
    HostDeniesObject,
    /// Nothing signed came back, on this auditor's word.
    NoSignedAnswer,
    /// A signed proof came back without the leaves it is about, on this auditor's word.
    LeavesWithheld,
    /// The challenge is not signed by the bundle's auditor.
    ChallengeNotByAuditor,
    /// The challenge names another auditor.
    ChallengeNamesAnotherAuditor,
    /// The host's key is not anchored.
    HostNotAnchored,
    /// A host of the evidence that is no host of the roster.
    HostNotInRoster,
    /// The policy speaks of other hosts.
    HostOutsidePolicy,
    /// An object's owner is not anchored.
    OwnerNotAnchored,
    /// An owner the policy names has no object in the audit.
    OwnerMissing,
    /// Not one envelope for each object.
    EnvelopeCount,
    /// An envelope is not signed by the owner the challenge names.
    EnvelopeNotByOwner,
    /// An envelope describes another body than the challenge.
    EnvelopeDiffers,
    /// The verifying key is not anchored.
    KeyNotAnchored,
    /// The verifying key is anchored for another class.
    KeyOfAnotherClass,
    /// The verifying key's bytes were not given.
    KeyMissing,
    /// The bytes given do not have the digest.
    KeyDiffers,
    /// The bytes are not an acceptable verifying key.
    KeyMalformed,
    /// Anyone can forge under a development key.
    KeyIsDevelopment,
    /// The key was set up by another auditor.
    KeyOfAnotherAuditor,
    /// The policy does not accept the key's provenance.
    KeyOutsidePolicy,
    /// The challenge is one that nobody could answer.
    NoStatement,
    /// The answer is not signed by the challenged host.
    AnswerNotByHost,
    /// The answer is to another challenge.
    AnswerToAnotherChallenge,
    /// The evidence is older than the policy allows.
    Stale,
    /// The answer took longer than the policy allows.
    AnswerLate,
    /// The evidence is dated after the moment judged at.
    FromTheFuture,
    /// Sampling too thin for the policy.
    DetectionBelowPolicy,
    /// The policy has no terms for this claim.
    NoTermsInPolicy,
    /// The bundle holds nothing about this claim.
    NoEvidence,
    /// Nobody but the owner vouches for the contents.
    NotOpened,
    /// Recipients that name no key.
    AnonymousRecipients,
    /// Probe outcomes that only the auditor signed.
    ProbesOnAuditorsWord,
    /// Probes that returned wrong bytes.
    BadBytes,
    /// Probes that returned nothing.
    ProbesUnanswered,
    /// Probes of ranges that do not exist.
    ProbeOutsideObject,
    /// The challenge asks for an inventory, and the bundle has none.
    InventoryMissing,
    /// The inventory is not signed by the challenged host.
    InventoryNotByHost,
    /// The inventory signed is not the one challenged.
    InventoryDiffers,
    /// The opened leaves are not those sampled.
    LeavesNotSampled,
    /// Samples that fell on objects of owners the reader does not know.
    SamplesOnUnknownOwners,
    /// Two inventories of one host and epoch.
    TwoInventories,
    /// The host gave no inventory for an epoch.
    NoInventoryOffered,
    /// The auditor did not ask for the inventory of an epoch, by its own word.
    NotAsked,
    /// Bundles in a dossier that no anchored auditor signed.
    BundleNotByAuditor,
    /// A round of another chain, another number, or that does not verify.
    BeaconRefused,
    /// A challenge of an epoch without a beacon round.
    BeaconMissing,
    /// A round that is not published yet.
    BeaconFuture,
    /// No commitment to the epoch in the log.
    NotCommitted,
    /// The commitment to the epoch was not in the log before the round.
    CommittedLate,
    /// Another bundle answers the very same challenge.
    QuestionRepeated,
    /// The nonce is not the one committed.
    NonceDiffers,
    /// The inventory is not the one committed.
    InventoryNotCommitted,
    /// Two commitments to one epoch.
    TwoCommitments,
    /// The challenge is not as the schedule says.
    OffSchedule,
    /// The audit is in no log.
    NotLogged,
    /// The log's entry about the audit is not valid evidence.
    LogProofRefused,
    /// Fewer witnesses than the policy asks for.
    Unwitnessed,
    /// The outcome was logged after the deadline.
    LoggedLate,
    /// A schedule that gives outcomes more time than the policy lets pass unseen.
    DeadlineTooLong,
    /// Scheduled audits without an outcome in the log, as far as the dossier shows it.
    OutcomeMissing,
    /// All scheduled audits are in the log.
    ScheduleComplete,
    /// No schedule of the policy is in the log.
    NoSchedule,
    /// No scheduled audit is due yet.
    NothingDue,
    /// The newest checkpoint is older than the policy allows.
    CheckpointStale,
    /// Two checkpoints of one size.
    SplitView,
    /// No log is anchored.
    NoLogAnchored,
    /// The quorum is more than the witnesses anchored.
    QuorumUnreachable,
    /// Hosts without a valid audit in time.
    HostNotShown,
    /// Scheduled audits of the month that neither held nor failed.
    AuditsLeftOpen,
    /// Fewer audits in the month than the policy asks for.
    TooFewAudits,
    /// Objects or owners the policy names and no audit sampled.
    ObjectNotSampled,
    /// No usable roster.
    NoRoster,
    /// Recipients the roster does not have.
    RecipientUnknown,
    /// A recipient is a host, gateway or vendor.
    RecipientIsHost,
    /// A recipient is within reach of a forbidden law.
    RecipientInReach,
    /// Someone named opened the objects.
    Opened,
    /// A power reaches the key.
    PowerReachesKey,
    /// No sharing of keys among custodians.
    NoSharing,
    /// A power whose loss takes the keys or the data with it.
    PowerTakesAll,
    /// Hosts in places the policy forbids.
    PlaceForbidden,
    /// A passphrase opens an object, and nobody can tell who knows it.
    PassphraseHolders,
    /// A dealing that does not verify, or is about another object.
    DealingUnsound,
    /// Custodians the roster does not have, or not as custodians at the moment judged at.
    CustodianUnknown,
    /// Enough custodians are related to whoever stores or carries the data.
    CustodiansRelated,
    /// Keys are shared among custodians so that no power reaches enough of them.
    KeyShared,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// For programs.
    pub code: ReasonCode,
    /// For people.
    pub text: String,
}

impl Reason {
    pub(crate) fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// What a verdict rests on and this program cannot check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AssumptionCode {
    /// Challenges come from the auditor's own nonce.
    AuditorDoesNotCollude,
    /// Times come from the auditor's clock.
    AuditorsClock,
    /// The auditor set the key up alone.
    AuditorLeakedNoTrapdoor,
    /// One contributor of the ceremony was honest.
    OneHonestContributor,
    /// The mathematics holds.
    Cryptography,
    /// That nothing came back is the auditor's word.
    AuditorAskedAgain,
    /// Times come from witnesses of the log.
    WitnessesClocks,
    /// The beacon is unpredictable.
    BeaconUnpredictable,
    /// Witnesses do not collude with the log.
    WitnessesHonest,
    /// The roster says what is so.
    RosterTrue,
    /// Owners look for their objects in the inventories.
    OwnersCheckInventory,
    /// Scopes of an inventory are estimated from where samples fell.
    ScopeEstimated,
    /// No auditor has schedules beside those in the dossier.
    AllSchedulesShown,
    /// The schedules of the policy were not picked by how they came out.
    SchedulesNamedBefore,
    /// Who opened the object says so truthfully.
    OpenerTruthful,
    /// The body opens under the secret that custodians share.
    BodyUnderSharedSecret,
    /// Custodians keep to themselves, and keep their keys.
    CustodiansDoNotCollude,
    /// A recipient's entry holds the key.
    EntryHoldsKey,
    /// Custodians who signed that they released to a key had been asked by its holder.
    ReleaseRecordsTrue,
}

/// An assumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// For programs.
    pub code: AssumptionCode,
    /// For people.
    pub text: String,
}

impl AssumptionCode {
    /// The assumption with its sentence.
    pub(crate) fn stated(self) -> Assumption {
        let text = match self {
            Self::AuditorDoesNotCollude => {
                "assumes this auditor does not collude with the host: the challenge was drawn from the auditor\u{2019}s own randomness, not from a public beacon"
            }
            Self::AuditorsClock => {
                "the time bound is this auditor\u{2019}s clock: no third party dated the evidence"
            }
            Self::AuditorLeakedNoTrapdoor => {
                "assumes this auditor leaked no trapdoor of the key it set up; whoever has it can forge a proof"
            }
            Self::OneHonestContributor => {
                "assumes that at least one contributor of the key ceremony was honest, and one of the powers of tau it began with"
            }
            Self::Cryptography => {
                "assumes that the possession scheme is sound, and BLAKE3 and Ed25519 are secure"
            }
            Self::AuditorAskedAgain => {
                "rests on this auditor\u{2019}s word that it asked, and asked again, and that nothing signed, or only part of an answer, came back"
            }
            Self::WitnessesClocks => {
                "times of the log are the clocks of its witnesses; the round of the beacon dates each question"
            }
            Self::BeaconUnpredictable => {
                "assumes nobody could foresee the public beacon: fewer than its threshold of operators collude"
            }
            Self::WitnessesHonest => {
                "assumes that fewer witnesses than the quorum collude with the log to show different readers different logs"
            }
            Self::RosterTrue => {
                "rests on the roster\u{2019}s authority for who is who, where, and under whose law"
            }
            Self::OwnersCheckInventory => {
                "assumes that owners look for their objects in each epoch\u{2019}s inventory: an object left out of it is not sampled"
            }
            Self::ScopeEstimated => {
                "the share of the inventory that counts is estimated from where the samples fell"
            }
            Self::AllSchedulesShown => {
                "assumes that this dossier shows all schedules of its auditors for these hosts: one of several that came out well may have been picked, unless the policy names them (`schedules`)"
            }
            Self::SchedulesNamedBefore => {
                "assumes that whoever wrote the policy named its schedules before their first rounds, and did not pick them by how they came out"
            }
            Self::OpenerTruthful => {
                "rests on the signed word of who opened each object; nobody else can repeat it without a key"
            }
            Self::BodyUnderSharedSecret => {
                "that the body opens under the shared secret is not proved in public: whoever was sent the secret can check it, and a test recovery shows it"
            }
            Self::CustodiansDoNotCollude => {
                "assumes that fewer custodians than the threshold collude across jurisdictions, and that enough of them keep their keys"
            }
            Self::EntryHoldsKey => {
                "where a power can block custodians, assumes that the entry of a recipient out of its reach holds the key, and that this recipient opens the object when asked: nothing here proves either"
            }
            Self::ReleaseRecordsTrue => {
                "counts the holder of a key as somebody who has the secret because enough custodians signed that they released their shares to it: their word against themselves, whose log proofs were not checked, and which they can give of a key whose holder never asked"
            }
        };
        Assumption { code: self, text: text.to_owned() }
    }

    /// What an answer rests on, by the word of its scheme; in general words if no scheme of the reader judged one.
    pub(crate) fn of_scheme(scheme: Option<&Soundness>) -> Assumption {
        let Some(s) = scheme else { return Self::Cryptography.stated() };
        let secret = if s.owner_secret { ", that the owner keeps a secret from the host" } else { "" };
        let text = format!("assumes that {}{secret}, and that BLAKE3 and Ed25519 are secure", s.assumption);
        Assumption { code: Self::Cryptography, text }
    }
}
