//! What `verify` returns: everything a reader needs, in an order that never changes (schema: `docs/spec/v1/report.schema.json`).

use bailiwick_protocol::bundle::NoAnswer;
use bailiwick_protocol::challenge::CannotProve;
use bailiwick_protocol::ids::{ChallengeDigest, ClassId, ContentId, UnitName, VkDigest};
use serde::Serialize;

use crate::anchors::{Principal, Provenance};
use crate::claims::{Claim, Verdict};
use crate::detection::Detection;
use crate::fleet_report::AuditTally;
use crate::policy::Scope;
use crate::reasons::{Assumption, Reason};
use crate::time::Moment;

/// Name and version of the report's JSON form.
pub const REPORT_SCHEMA: &str = "bailiwick-report/1";

/// The judgement of one bundle under one policy and one set of trust anchors at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: &'static str,
    /// Program and version that judged.
    pub software: String,
    /// What was judged, by digest.
    pub inputs: InputDigests,
    /// The moment the verdict holds for; an argument, never a clock.
    pub judged_at: Moment,
    /// What the reader required.
    pub policy: PolicyFacts,
    /// Over the required claims: refuted if any is, else inconclusive if any is, else supported.
    pub outcome: Verdict,
    /// 0, 1 or 2, as the process exits.
    pub exit_code: u8,
    /// Warnings that belong beside every verdict.
    pub labels: Vec<Label>,
    /// What was audited.
    pub audit: AuditFacts,
    /// All seven claims, always, in [`Claim::ALL`] order.
    pub claims: Vec<ClaimReport>,
}

/// BLAKE3 digests of the inputs, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputDigests {
    /// Of the bundle's bytes.
    pub bundle_blake3: ContentId,
    /// Of the policy's text.
    pub policy_blake3: ContentId,
    /// Of the trust anchors' text.
    pub anchors_blake3: ContentId,
}

/// The policy, as far as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyFacts {
    /// Its name.
    pub name: String,
    /// Claims that decide.
    pub require: Vec<Claim>,
    /// In plain words, a sentence each.
    pub explained: Vec<String>,
}

/// A warning that every output shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Label {
    /// No independent party has reviewed this software and its circuits.
    Unaudited,
    /// The proof's key comes from a public seed.
    DevelopmentKey,
    /// The proof's key was set up by one party.
    SinglePartyKey,
}

impl Label {
    /// The label as printed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unaudited => "UNAUDITED",
            Self::DevelopmentKey => "DEVELOPMENT KEY",
            Self::SinglePartyKey => "SINGLE-PARTY KEY",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unaudited => "no independent party has reviewed this software and its circuits",
            Self::DevelopmentKey => {
                "the proof\u{2019}s key comes from a public seed: anyone can forge a proof under it, so it supports nothing"
            }
            Self::SinglePartyKey => {
                "the proof\u{2019}s key was set up by one auditor alone: it convinces only those who trust that auditor"
            }
        }
    }
}

/// What was audited, as far as signatures under anchored keys establish it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditFacts {
    /// Who collected and signed the bundle.
    pub auditor: Principal,
    /// When the challenge was drawn, by the auditor's clock.
    pub asked_at: Moment,
    /// When the answer was complete or given up, same clock.
    pub answered_at: Moment,
    /// Milliseconds between.
    pub answer_ms: u64,
    /// Milliseconds from the answer to the moment judged at; 0 for an answer in the future.
    pub age_ms: u64,
    /// The challenge, if this auditor signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<ChallengeFacts>,
}

/// What was asked and of whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChallengeFacts {
    /// Digest that the answer must name.
    pub digest: ChallengeDigest,
    /// The host, as anchored; only its key when it is not.
    pub host: Party,
    /// Statement parameters.
    pub class: ClassId,
    /// Epoch of the auditor's schedule; 0 outside one. The auditor's word.
    pub epoch: u64,
    /// The key a proof must verify under.
    pub verifying_key: KeyFacts,
    /// Objects, in the challenge's order.
    pub objects: Vec<ObjectFacts>,
    /// Bytes of all bodies.
    pub bytes_total: u64,
    /// Cells of all bodies.
    pub cells_total: u64,
    /// What the host answered, if the bundle's answer belongs to this challenge.
    pub answer: AnswerFacts,
}

/// A key and, if the anchors know it, whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Public key, hexadecimal.
    pub key: String,
    /// The anchored principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
}

/// A verifying key and, if the anchors know it, where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyFacts {
    /// Its digest.
    pub digest: VkDigest,
    /// From the anchors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// One audited object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectFacts {
    /// Owner, object, unit.
    #[serde(flatten)]
    pub name: UnitName,
    /// What the anchors call the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_name: Option<String>,
    /// Generation of the envelope.
    pub generation: u64,
    /// Bytes of the body, padding and encryption included.
    pub size: u64,
    /// Cells of the body.
    pub cells: u64,
    /// BLAKE3 of the body.
    pub blake3: ContentId,
    /// From the owner's envelope, when its signature was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<RecipientCount>,
}

/// Recipients of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RecipientCount {
    /// All entries.
    pub total: usize,
    /// Entries that name no key.
    pub anonymous: usize,
}

/// What the host answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AnswerFacts {
    /// A proof that verifies, signed by the host.
    ValidProof,
    /// A proof that does not verify, signed by the host.
    InvalidProof,
    /// A proof signed by the host that could not be judged (see the reasons).
    UnjudgedProof,
    /// A refusal signed by the host.
    CannotProve(CannotProve),
    /// Nothing signed, on the auditor's word.
    NoAnswer(NoAnswer),
    /// Something that is not this host's answer to this challenge.
    Unrelated,
}

/// One claim's judgement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimReport {
    /// Which.
    pub claim: Claim,
    /// Whether the policy requires it.
    pub required: bool,
    /// What the evidence says.
    pub verdict: Verdict,
    /// One sentence for a lay reader.
    pub headline: String,
    /// Why, most decisive first.
    pub reasons: Vec<Reason>,
    /// What the verdict rests on.
    pub assumptions: Vec<Assumption>,
    /// Figures.
    pub numbers: Numbers,
    /// What even a supported verdict does not show.
    pub not_shown: Vec<&'static str>,
}

/// Figures of a claim; absent ones do not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// Strength of the weakest cryptographic link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soundness: Option<Soundness>,
    /// S, cells sampled, with replacement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u16>,
    /// Age of the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// Detection probability per scope, by one audit; of a fleet, of the host where it is least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detection: Vec<ScopeDetection>,
    /// The same by all audits of a month together, of the host where it is least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub month_detection: Vec<ScopeDetection>,
    /// Audits of a fleet by how they came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audits: Option<AuditTally>,
    /// What the log shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogNumbers>,
    /// Objects that somebody opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<OpenedCount>,
    /// Powers and what they reach.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub powers: Vec<PowerCount>,
    /// Outcomes of the range probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<ProbeCount>,
    /// Recipients over all objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<RecipientCount>,
}

/// The log against the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LogNumbers {
    /// Outcomes that must be in the log by now.
    pub scheduled: u64,
    /// Outcomes in it before their deadline.
    pub logged_in_time: u64,
    /// Outcomes in it after their deadline.
    pub logged_late: u64,
    /// Scheduled, due and not there.
    pub missing: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Age of the newest witnessed checkpoint.
    pub checkpoint_age_ms: u64,
    /// Witnesses asked for.
    pub quorum: u32,
}

/// Objects that somebody opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OpenedCount {
    /// Units that count, in their newest version.
    pub objects: usize,
    /// Of these, opened by somebody the policy accepts.
    pub opened: usize,
}

/// A power and what it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PowerCount {
    /// A law, `bloc:NAME` or `firm:NAME`.
    pub power: String,
    /// Holders of keys it reaches.
    pub holders: u64,
    /// Objects: for custody those whose key one of these holders has, for survivable those lost with it.
    pub objects: u64,
}

/// Soundness, in bits, and where the figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Soundness {
    /// Bits of the weakest part.
    pub bits: u16,
    /// Why that many.
    pub basis: &'static str,
}

impl From<bailiwick_scheme::Soundness> for Soundness {
    fn from(s: bailiwick_scheme::Soundness) -> Self {
        Self { bits: u16::try_from(s.bits).unwrap_or(u16::MAX), basis: s.basis }
    }
}

/// Detection probabilities of one scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScopeDetection {
    /// Which kind.
    pub scope: Scope,
    /// Owner key or object name; absent for `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// C, cells of the scope.
    pub cells: u64,
    /// By lost fraction, ascending.
    pub losses: Vec<Detection>,
}

/// Outcomes of range probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProbeCount {
    /// Bytes matched the owner's root.
    pub good: u64,
    /// Bytes came and did not match.
    pub bad_bytes: u64,
    /// Refused or answered with an error.
    pub refused: u64,
    /// No answer in time.
    pub timed_out: u64,
    /// No connection.
    pub unreachable: u64,
    /// Names a range no audited object has; not counted elsewhere.
    pub outside: u64,
}

/// A report as JSON: fields in the order of their declaration, two-space indent, one newline at the end.
pub(crate) fn canonical_json(report: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(report).expect("no map keys and no failing Serialize in a report");
    text.push('\n');
    text
}

impl Report {
    /// Canonical JSON: fields in schema order, two-space indent, one newline at the end. Equal inputs give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        canonical_json(self)
    }

    /// The claim's judgement.
    #[must_use]
    pub fn claim(&self, claim: Claim) -> &ClaimReport {
        self.claims.iter().find(|c| c.claim == claim).expect("a report holds all seven claims")
    }
}
