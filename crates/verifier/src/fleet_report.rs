//! What `verify_dossier` returns: a fleet of hosts over time (schema: `docs/spec/v1/report.schema.json`).

use bailiwick_protocol::ids::{ContentId, HostKey, RosterDigest, RosterKey, ScheduleDigest};
use bailiwick_roster::Shares;
use serde::Serialize;

use crate::anchors::Principal;
use crate::claims::{Claim, Verdict};
use crate::reasons::Reason;
use crate::report::{ClaimReport, Label, PolicyFacts, ScopeDetection, canonical_json};
use crate::time::Moment;

/// Name and version of a dossier's report in JSON.
pub const FLEET_REPORT_SCHEMA: &str = "bailiwick-fleet-report/1";

/// The judgement of one dossier under one policy and one set of trust anchors at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetReport {
    /// [`FLEET_REPORT_SCHEMA`].
    pub schema: &'static str,
    /// Program and version that judged.
    pub software: String,
    /// What was judged, by digest.
    pub inputs: FleetDigests,
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
    pub fleet: FleetFacts,
    /// All seven claims, always, in [`Claim::ALL`] order.
    pub claims: Vec<ClaimReport>,
}

/// BLAKE3 digests of the inputs, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetDigests {
    /// Of the dossier's bytes.
    pub dossier_blake3: ContentId,
    /// Of the policy's text.
    pub policy_blake3: ContentId,
    /// Of the trust anchors' text.
    pub anchors_blake3: ContentId,
    /// Of the reader's own roster, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster_blake3: Option<ContentId>,
    /// Of the reader's own file of blocs, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocs_blake3: Option<ContentId>,
}

/// What was audited, as far as signatures under anchored keys establish it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetFacts {
    /// Auditors whose bundles are in it, by key.
    pub auditors: Vec<Principal>,
    /// The roster used, if any could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<RosterFacts>,
    /// The log, as far as entries of it are in the dossier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogFacts>,
    /// Schedules, by digest.
    pub schedules: Vec<ScheduleFacts>,
    /// Audits by how they came out.
    pub audits: AuditTally,
    /// Different objects in them whose owners the reader knows.
    pub objects: usize,
    /// What was in the dossier and is no evidence.
    pub ignored: Vec<Reason>,
    /// How much of what was audited lies with one provider, in one country, under one law; weights are cells.
    pub concentration: Vec<Shares>,
    /// Hosts, by key.
    pub hosts: Vec<HostFacts>,
}

/// The roster that says who is who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterFacts {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// Its digest.
    pub digest: RosterDigest,
    /// Who signed it.
    pub authority: RosterKey,
    /// Whether the reader gave it; else it came in the dossier.
    pub readers_own: bool,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogFacts {
    /// Its origin.
    pub origin: String,
    /// Entries at the newest checkpoint that enough witnesses have cosigned.
    pub entries: u64,
    /// When they had, by their clocks.
    pub witnessed_at: Moment,
    /// Milliseconds from then to the moment judged at.
    pub age_ms: u64,
    /// Witnesses asked for.
    pub quorum: u32,
    /// Witnesses anchored.
    pub witnesses: usize,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleFacts {
    /// Its digest.
    pub digest: ScheduleDigest,
    /// First epoch.
    pub first_epoch: u64,
    /// Epochs.
    pub epochs: u64,
    /// Hosts.
    pub hosts: usize,
    /// Epochs whose deadline has passed, by the newest witnessed checkpoint.
    pub due: u64,
}

/// Audits by how they came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditTally {
    /// All.
    pub total: u64,
    /// A proof that verifies, in time, of a question fixed before its beacon round.
    pub held: u64,
    /// The same, logged too late.
    pub late: u64,
    /// Refuted.
    pub failed: u64,
    /// Neither.
    pub undecided: u64,
    /// Scheduled and not in the log.
    pub missing: u64,
}

/// One host over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostFacts {
    /// Its key.
    pub key: HostKey,
    /// What anchors or roster call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// Its audits.
    pub audits: AuditTally,
    /// When the last audit that held was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_held: Option<Moment>,
    /// Cells of its newest inventory, or of the objects of its newest audit.
    pub cells: u64,
    /// Audits that held within the month before the moment judged at.
    pub month_audits: u64,
    /// Chance that the newest audit that held noticed a loss.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audit_detection: Vec<ScopeDetection>,
    /// Chance that the month's audits together did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub month_detection: Vec<ScopeDetection>,
    /// Its audits in order of time, and the scheduled ones that are missing: the newest [`TIMELINE_MAX`].
    pub timeline: Vec<TimelineEntry>,
}

/// Entries of one host's timeline, at most; totals count all.
pub const TIMELINE_MAX: usize = 400;

/// How one audit came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// It held.
    Held,
    /// It held, and was logged too late.
    Late,
    /// Refuted.
    Failed,
    /// The evidence does not decide.
    Undecided,
    /// Scheduled, due and not in the log.
    Missing,
}

impl Standing {
    /// One word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
            Self::Missing => "missing",
        }
    }
}

/// One audit on a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// Epoch of the schedule; 0 outside one.
    pub epoch: u64,
    /// When its round was published; outside a schedule, when the auditor says it asked.
    pub at: Moment,
    /// How it came out.
    pub standing: Standing,
    /// The decisive reason, where it did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
}

impl FleetReport {
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
